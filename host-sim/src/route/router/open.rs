//! Alerts that are on their way, and where each went.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use alertbus::AlertId;

use crate::route::facts::Facts;
use crate::route::rules::Rules;

/// Alerts remembered at most. The oldest is forgotten first, and what waits for its acknowledgement escalates then.
pub(super) const OPEN_MAX: usize = 16_384;

/// An alert, and where it went.
#[derive(Debug)]
pub(super) struct Open {
    pub(super) facts: Facts,
    /// When it was detected, calendar time, as far as the clocks tell.
    pub(super) detected_ms: u64,
    pub(super) sent: Vec<Sent>,
    /// Routes in which it waits for others.
    pub(super) pending: u32,
    /// Its source has withdrawn it.
    pub(super) is_withdrawn: bool,
    /// That it is settled has been told.
    pub(super) is_settled: bool,
}

/// Where an alert went.
#[derive(Debug)]
pub(super) struct Sent {
    pub(super) rules: Arc<Rules>,
    pub(super) sink: usize,
    pub(super) is_acked: bool,
}

impl Sent {
    pub(super) fn name(&self) -> &Arc<str> {
        &self.rules.sinks[self.sink].name
    }
}

/// Alerts by name, with the order in which they came.
#[derive(Debug, Default)]
pub(super) struct Opened {
    alerts: BTreeMap<AlertId, Open>,
    oldest: VecDeque<AlertId>,
}

impl Opened {
    pub(super) fn get(&self, id: AlertId) -> Option<&Open> {
        self.alerts.get(&id)
    }

    pub(super) fn get_mut(&mut self, id: AlertId) -> Option<&mut Open> {
        self.alerts.get_mut(&id)
    }

    /// Remembers an alert anew. What is forgotten for it comes back.
    pub(super) fn insert(&mut self, facts: Facts, detected_ms: u64) -> Option<Open> {
        let open =
            Open { facts, detected_ms, sent: Vec::new(), pending: 0, is_withdrawn: false, is_settled: false };
        if self.alerts.insert(facts.id, open).is_none() {
            self.oldest.push_back(facts.id);
        }
        if self.oldest.len() <= OPEN_MAX {
            return None;
        }
        self.oldest.pop_front().and_then(|id| self.alerts.remove(&id))
    }

    /// Every alert, by name.
    pub(super) fn iter(&self) -> impl Iterator<Item = (&AlertId, &Open)> {
        self.alerts.iter()
    }
}
