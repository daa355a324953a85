//! What the rig has had raised, and what the gateway has stored of it.
//!
//! The two are held against each other by content: a node gives its alerts their numbers itself, and tells nobody which
//! is which. Two of the same content are as good as each other.

use std::collections::BTreeMap;

use alertbus::AlertDraft;
use alertbus::driver::bench::Stimulus;
use alertbus::limits::STIMULUS_LEN_MAX;
use alertbus::message::{Alert, Phase};
use alertbus::time::EventTime;

/// What an alert says, whoever dates and numbers it, and whether it is live.
pub(super) type Content = Vec<u8>;

/// See the [module](self).
#[derive(Debug, Default)]
pub(super) struct Account {
    counts: BTreeMap<Content, Counts>,
    raised: u64,
    delivered: u64,
    twice: u64,
    other: u64,
}

#[derive(Debug, Default)]
struct Counts {
    raised: u64,
    stored: u64,
    /// Places in the scenario, of those that were raised and are not stored.
    open: Vec<Option<usize>>,
    /// The first place in the scenario that says this.
    place: Option<usize>,
}

/// What an alert that was stored is to the rig.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Arrival {
    /// One that it had raised: the place in the scenario, where it has one.
    Raised(Option<usize>),
    /// One more of what it had raised, and what had come already.
    Twice,
    /// Nothing of the rig's.
    Other,
}

impl Account {
    /// The rig has one raised.
    pub(super) fn raise(&mut self, content: Content, place: Option<usize>) {
        let counts = self.counts.entry(content).or_default();
        counts.raised += 1;
        counts.open.push(place);
        counts.place = counts.place.or(place);
        self.raised += 1;
    }

    /// The gateway has stored one.
    pub(super) fn store(&mut self, content: Option<Content>) -> Arrival {
        let Some(counts) = content.and_then(|content| self.counts.get_mut(&content)) else {
            self.other += 1;
            return Arrival::Other;
        };
        counts.stored += 1;
        if counts.open.is_empty() {
            self.twice += 1;
            return Arrival::Twice;
        }
        self.delivered += 1;
        Arrival::Raised(counts.open.remove(0))
    }

    /// Where the scenario says this, where that was raised.
    pub(super) fn place(&self, content: &Content) -> Option<usize> {
        self.counts.get(content)?.place
    }

    /// Places of what was raised and is neither stored nor among what a node still holds: it had no time to write that
    /// down before its power went, and is to be told again. And how many there are of no place, which are not.
    pub(super) fn forgotten(&self, held: &[Content]) -> (Vec<usize>, u64) {
        let (mut places, mut typed) = (Vec::new(), 0);
        for (content, counts) in &self.counts {
            let held = held.iter().filter(|held| *held == content).count();
            // Those that were raised first are the likelier to be held.
            let gone = counts.open.iter().skip(held);
            typed += gone.clone().filter(|place| place.is_none()).count() as u64;
            places.extend(gone.flatten());
        }
        places.sort_unstable();
        (places, typed)
    }

    pub(super) const fn raised(&self) -> u64 {
        self.raised
    }

    pub(super) const fn delivered(&self) -> u64 {
        self.delivered
    }

    /// Raised, and not stored so far.
    pub(super) const fn open(&self) -> u64 {
        self.raised - self.delivered
    }

    pub(super) const fn twice(&self) -> u64 {
        self.twice
    }

    /// Stored, and nothing of the rig's: what was raised in an earlier run, a summary, a tamper alarm.
    pub(super) const fn other(&self) -> u64 {
        self.other
    }
}

/// What a board makes of a draft: values too large for their field arrive as its largest.
pub(super) fn content_of(draft: &AlertDraft) -> Option<Content> {
    let mut room = [0; STIMULUS_LEN_MAX];
    let sighting = Stimulus::Sighting { phase: Phase::Onset, draft: *draft };
    match Stimulus::decode(sighting.encode(&mut room)) {
        Ok(Stimulus::Sighting { draft, .. }) => Some(undated(&draft)),
        _ => None,
    }
}

/// The same of an alert that has come, if it begins an event.
pub(super) fn content_of_alert(alert: &Alert, exercise: bool) -> Option<Content> {
    let &Alert { phase, severity, urgency, certainty, place, body, .. } = alert;
    let draft = AlertDraft { severity, urgency, certainty, place, exercise, ..AlertDraft::new(body) };
    (phase == Phase::Onset).then(|| undated(&draft))
}

fn undated(draft: &AlertDraft) -> Content {
    let onset = AlertDraft { time: EventTime::default(), ..*draft }.onset(0).content();
    [onset.as_slice(), &[draft.exercise.into()]].concat()
}

#[cfg(test)]
mod tests {
    use alertbus::message::kind::{DroneSighting, RocketLaunch};
    use alertbus::time::ClockQuality;

    use super::*;

    fn content(text: &str) -> Content {
        text.as_bytes().to_vec()
    }

    #[test]
    fn what_is_raised_and_stored_adds_up() {
        let mut account = Account::default();
        for (place, text) in ["a", "b", "a"].into_iter().enumerate() {
            account.raise(content(text), Some(place));
        }
        assert_eq!(account.store(Some(content("a"))), Arrival::Raised(Some(0)));
        assert_eq!(account.store(Some(content("a"))), Arrival::Raised(Some(2)));
        assert_eq!(account.store(Some(content("a"))), Arrival::Twice);
        assert_eq!(account.store(Some(content("c"))), Arrival::Other);
        assert_eq!(account.store(None), Arrival::Other);
        assert_eq!((account.raised(), account.delivered(), account.open()), (3, 2, 1));
        assert_eq!((account.twice(), account.other()), (1, 2));
        assert_eq!((account.place(&content("a")), account.place(&content("c"))), (Some(0), None));
    }

    #[test]
    fn what_a_node_had_no_time_to_write_down_is_found() {
        let mut account = Account::default();
        for (place, text) in ["a", "b", "a", "c", "a"].into_iter().enumerate() {
            account.raise(content(text), Some(place));
        }
        account.raise(content("c"), None);
        assert_eq!(account.store(Some(content("b"))), Arrival::Raised(Some(1)));
        assert_eq!(account.forgotten(&[]), (vec![0, 2, 3, 4], 1));
        let held = ["a", "a", "c", "d"].map(content);
        assert_eq!(account.forgotten(&held), (vec![4], 1));
    }

    #[test]
    fn an_alert_is_known_again_by_what_it_says() {
        let launch = AlertDraft::new(RocketLaunch { rounds: 3, ..RocketLaunch::default() });
        let sent = AlertDraft { time: EventTime::new(1_600_000_000_000, ClockQuality::Second), ..launch };
        let received = sent.onset(7);
        assert_eq!(content_of(&launch), content_of_alert(&received, false));
        assert!(content_of(&launch).is_some());
        // What is live is never taken for what was played.
        let played = content_of(&AlertDraft { exercise: true, ..launch });
        assert_eq!(played, content_of_alert(&received, true));
        assert_ne!(played, content_of_alert(&received, false));
        let other = AlertDraft::new(DroneSighting::default());
        assert_ne!(content_of(&other), content_of_alert(&received, false));
        assert_eq!(content_of_alert(&Alert { phase: Phase::Clear, ..received }, false), None);
    }
}
