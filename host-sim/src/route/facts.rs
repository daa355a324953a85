//! What rules see of an alert.

use alertbus::message::{Alert, Phase};
use alertbus::role::gateway::{ReceivedAlert, Standing};
use alertbus::{AlertId, Body, Precedence};

use super::places::Places;

/// An alert as rules see it: what it says, and where its node stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Facts {
    /// Its name for ever.
    pub id: AlertId,
    /// The precedence it is handled at.
    pub precedence: Precedence,
    /// How it is to be taken.
    pub standing: Standing,
    /// What it says; nothing where that cannot be read. Such an alert is of unknown kind.
    pub alert: Option<Alert>,
    /// Its node, as a place in [`Places::nodes`]; none for one that has no name.
    pub node: Option<u16>,
    /// Its site, as a place in [`Places::sites`].
    pub site: Option<u16>,
}

impl Facts {
    /// What rules see of an alert that a gateway has received.
    #[must_use]
    pub fn new(received: &ReceivedAlert, places: &Places) -> Self {
        let ReceivedAlert { id, precedence, standing, .. } = *received;
        Self::of(id, precedence, standing, received.alert.ok(), places)
    }

    /// What rules see of an alert with these traits.
    #[must_use]
    pub fn of(
        id: AlertId,
        precedence: Precedence,
        standing: Standing,
        alert: Option<Alert>,
        places: &Places,
    ) -> Self {
        let node = places.node(id.node);
        let site = node.and_then(|node| places.site_of(node));
        Self { id, precedence, standing, alert, node, site }
    }

    /// Whether sirens may sound for it: not for what is late, was overtaken by its own end, cannot be read, or is of
    /// an exercise.
    #[must_use]
    pub const fn may_sound(&self) -> bool {
        let Some(alert) = &self.alert else { return false };
        // What ends a warning ends it however late it comes.
        let ends = matches!(alert.phase, Phase::Cancel | Phase::Clear);
        !self.id.exercise && (ends || !self.standing.late && !self.standing.overtaken)
    }

    /// Place of its kind in [`KINDS`].
    #[must_use]
    pub fn kind(&self) -> usize {
        match self.alert.as_ref().map(|alert| alert.body) {
            Some(Body::Summary(_)) => 0,
            Some(Body::RocketLaunch(_)) => 1,
            Some(Body::CramEngagement(_)) => 2,
            Some(Body::DroneSighting(_)) => 3,
            Some(Body::ConvoyIed(_)) => 4,
            Some(Body::Tamper(_)) => 5,
            _ => UNKNOWN_KIND,
        }
    }
}

/// Kinds that rules tell apart: those that core knows, in the order of their numbers, and all others.
pub const KINDS: [&str; UNKNOWN_KIND + 1] = {
    let mut kinds = ["unknown"; UNKNOWN_KIND + 1];
    let mut at = 0;
    while at < UNKNOWN_KIND {
        kinds[at] = Body::NAMES[at];
        at += 1;
    }
    kinds
};

/// Place of whatever core does not know.
const UNKNOWN_KIND: usize = Body::NAMES.len();

#[cfg(test)]
mod tests {
    use alertbus::message::kind::{ConvoyIed, CramEngagement, DroneSighting, RocketLaunch, Summary, Tamper};
    use alertbus::message::{AlertDraft, NodeId, Seq};

    use super::*;

    #[test]
    fn every_kind_that_core_knows_has_its_place() {
        let bodies: [Body; 6] = [
            Summary { count: 1, span_s: 0, kinds: 2 }.into(),
            RocketLaunch::default().into(),
            CramEngagement::default().into(),
            DroneSighting::default().into(),
            ConvoyIed::default().into(),
            Tamper::default().into(),
        ];
        assert_eq!(bodies.len() + 1, KINDS.len(), "a new kind needs its place");
        let id =
            AlertId { node: NodeId(1), exercise: false, flash: true, seq: Seq::new(1).expect("a number") };
        for body in bodies {
            let alert = Some(AlertDraft::new(body).onset(0));
            let facts = Facts {
                id,
                precedence: Precedence::Flash,
                standing: Standing::default(),
                alert,
                node: None,
                site: None,
            };
            assert_eq!(KINDS[facts.kind()], body.name());
            assert_eq!(KINDS[Facts { alert: None, ..facts }.kind()], "unknown");
        }
    }
}
