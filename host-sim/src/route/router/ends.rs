//! What updates, cancels or clears an event: where it goes, and what is over with it.

use std::collections::BTreeSet;
use std::sync::Arc;

use alertbus::AlertId;
use alertbus::message::{Phase, Reference};

use crate::route::facts::Facts;

use super::Router;
use super::event::Cause;
use super::hold::{Hold, HoldKey};
use super::open::Open;

impl Router {
    /// Names of the sinks to which that went which this alert updates or ends.
    pub(super) fn sinks_followed(&self, facts: &Facts) -> BTreeSet<Arc<str>> {
        let onsets = self.onsets(facts);
        let sent = onsets.iter().filter_map(|onset| self.opened.get(*onset)).flat_map(|open| &open.sent);
        sent.map(|sent| Arc::clone(sent.name())).collect()
    }

    /// The alerts that this one updates, cancels or clears.
    pub(super) fn onsets(&self, facts: &Facts) -> Vec<AlertId> {
        let Some(alert) = facts.alert else { return Vec::new() };
        match alert.reference {
            None => Vec::new(),
            Some(Reference::AllOfKind) => {
                let of_kind = |open: &&Open| {
                    let id = open.facts.id;
                    id.node == facts.id.node
                        && id.exercise == facts.id.exercise
                        && id != facts.id
                        && open.facts.kind() == facts.kind()
                };
                self.opened.iter().map(|(_, open)| open).filter(of_kind).map(|open| open.facts.id).collect()
            }
            Some(reference) => reference.resolve(facts.id).into_iter().collect(),
        }
    }

    /// What an alert that ends an event ends with it: its waiting, its escalation where it was an error, and what it
    /// holds back.
    pub(super) fn end_what_is_over(&mut self, now_ms: u64, facts: &Facts) {
        let Some(phase) = facts.alert.map(|alert| alert.phase) else { return };
        if !matches!(phase, Phase::Cancel | Phase::Clear) {
            return;
        }
        for onset in self.onsets(facts) {
            self.inhibitors.retain(|inhibitor| inhibitor.alert != onset);
            let holds = |hold: &Hold| hold.waiting.iter().any(|waiting| waiting.id == onset);
            let held: Vec<_> =
                self.holds.iter().filter(|(_, hold)| holds(hold)).map(|(key, _)| key.clone()).collect();
            for key in held {
                if phase == Phase::Clear {
                    // It has been real: whoever was to know of it does.
                    self.release(now_ms, &key);
                } else {
                    self.withdraw(now_ms, &key, onset);
                }
            }
            if let Some(open) = self.opened.get_mut(onset) {
                open.is_withdrawn |= phase == Phase::Cancel;
            }
            self.settle(onset);
        }
    }

    /// An alert was cancelled while it waited for other nodes: it goes to the record alone.
    pub(super) fn withdraw(&mut self, now_ms: u64, key: &HoldKey, onset: AlertId) {
        let Some(hold) = self.holds.get_mut(key) else { return };
        hold.nodes.remove(&onset.node);
        let Some(at) = hold.waiting.iter().position(|waiting| waiting.id == onset) else { return };
        let facts = hold.waiting.remove(at);
        self.waits_no_more(onset);
        self.send_by_default(now_ms, &facts, Cause::Withdrawn);
    }
}
