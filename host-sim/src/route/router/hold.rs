//! Alerts that wait for other nodes, and repeats that wait for each other.

use std::collections::BTreeSet;
use std::sync::Arc;

use alertbus::message::Severity;
use alertbus::{AlertId, NodeId, Precedence};

use crate::route::facts::Facts;
use crate::route::rules::Rules;
use crate::route::words::Quorum;

/// Which alerts are of one event to a quorum: those of one site and kind.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct HoldKey {
    pub(super) route: Arc<str>,
    pub(super) site: Option<u16>,
    pub(super) kind: usize,
}

/// An event that too few nodes have seen.
#[derive(Debug)]
pub(super) struct Hold {
    pub(super) rules: Arc<Rules>,
    pub(super) route: usize,
    pub(super) needs: u8,
    /// Those that have.
    pub(super) nodes: BTreeSet<NodeId>,
    /// What they said, and has not gone anywhere.
    pub(super) waiting: Vec<Facts>,
    /// Up to then an alert counts with the others.
    pub(super) until_ms: u64,
    /// Enough have agreed, or could no longer in time: what comes now waits no more.
    pub(super) is_over: bool,
}

impl Hold {
    /// Nodes that may still agree, those that have among them.
    pub(super) fn nodes_able(&self, facts: &Facts, silent: &BTreeSet<NodeId>) -> usize {
        let places = self.rules.places();
        let kind = crate::route::facts::KINDS[facts.kind()];
        let could = places.nodes().iter().zip(0_u16..).filter(|(node, at)| {
            places.site_of(*at) == facts.site
                && node.detects.iter().any(|detected| detected == kind)
                && !silent.contains(&node.number)
        });
        let others = could.filter(|(node, _)| !self.nodes.contains(&node.number)).count();
        others + self.nodes.len()
    }

    /// Until when an alert that was detected then may wait.
    pub(super) fn patience_ms(&self, quorum: Quorum, now_ms: u64, detected_ms: u64) -> u64 {
        let window_ms = self.until_ms.min(now_ms + quorum.within.ms);
        let deadline_ms = self.rules.routes[self.route].deadline_ms;
        let best_ms = self.rules.best_time_ms(self.route);
        deadline_ms
            .map_or(window_ms, |deadline| window_ms.min((detected_ms + deadline).saturating_sub(best_ms)))
    }
}

/// Which alerts are repeats of each other.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    pub(super) route: Arc<str>,
    pub(super) values: Vec<Option<u32>>,
}

/// Alerts that are repeats of each other.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) rules: Arc<Rules>,
    pub(super) route: usize,
    pub(super) sent_ms: u64,
    pub(super) every_ms: u64,
    /// The greatest that was sent.
    pub(super) severity: Severity,
    pub(super) precedence: Precedence,
    pub(super) waiting: Vec<Facts>,
}

impl Group {
    /// Whether an alert says more than what was sent.
    pub(super) fn is_topped_by(&self, facts: &Facts) -> bool {
        severity(facts) > self.severity || facts.precedence > self.precedence
    }

    pub(super) fn note_sent(&mut self, facts: &Facts) {
        self.severity = self.severity.max(severity(facts));
        self.precedence = self.precedence.max(facts.precedence);
    }
}

pub(super) fn severity(facts: &Facts) -> Severity {
    facts.alert.map_or(Severity::Unknown, |alert| alert.severity)
}

/// An alert that holds others back.
#[derive(Debug)]
pub(super) struct Inhibitor {
    pub(super) name: Arc<str>,
    pub(super) alert: AlertId,
    pub(super) values: Vec<Option<u32>>,
    pub(super) severity: Severity,
    pub(super) precedence: Precedence,
    pub(super) until_ms: u64,
}
