//! What happens when time has passed: nobody has acknowledged, enough nodes can no longer agree, repeats are due.

use std::collections::BTreeMap;
use std::sync::Arc;

use alertbus::AlertId;

use crate::route::rules::{Escalation, Rules};

use super::Router;
use super::event::{Cause, Dispatch, RouterEvent};
use super::hold::{GroupKey, HoldKey};
use super::open::Open;

/// Something that happens later.
#[derive(Clone, Debug)]
pub(super) enum Timer {
    /// Nodes had long enough to agree.
    QuorumOver(HoldKey),
    /// Repeats are due.
    GroupDue(GroupKey),
    /// A sink had long enough to acknowledge an alert.
    Acknowledgement { rules: Arc<Rules>, sink: usize, alert: AlertId },
    /// The sinks of a route had as long as its deadline says.
    Deadline { rules: Arc<Rules>, route: usize, alert: AlertId },
    /// The sinks of a route had long enough.
    Escalation { rules: Arc<Rules>, route: usize, alert: AlertId },
    /// A sink had long enough by its own rule.
    SinkEscalation { rules: Arc<Rules>, sink: usize, alert: AlertId },
}

/// Timers by time; what is due at the same time happens in the order in which it was set.
#[derive(Debug, Default)]
pub(super) struct Timers {
    timers: BTreeMap<(u64, u64), Timer>,
    set: u64,
}

impl Timers {
    pub(super) fn set(&mut self, at_ms: u64, timer: Timer) {
        self.timers.insert((at_ms, self.set), timer);
        self.set += 1;
    }

    pub(super) fn next_ms(&self) -> Option<u64> {
        self.timers.first_key_value().map(|((at_ms, _), _)| *at_ms)
    }

    fn pop_due(&mut self, now_ms: u64) -> Option<Timer> {
        if self.next_ms()? > now_ms {
            return None;
        }
        self.timers.pop_first().map(|(_, timer)| timer)
    }
}

impl Router {
    /// Does what is due.
    pub fn handle_timeout(&mut self, now_ms: u64) {
        while let Some(timer) = self.timers.pop_due(now_ms) {
            match timer {
                Timer::QuorumOver(key) => self.release(now_ms, &key),
                Timer::GroupDue(key) => self.send_repeats(now_ms, &key),
                Timer::Acknowledgement { rules, sink, alert } => {
                    let name = &rules.sinks[sink].name;
                    if !self.is_acked(alert, name) {
                        let sink = Arc::clone(name);
                        self.events.push_back(RouterEvent::Unacknowledged { alert, sink });
                    }
                }
                Timer::Deadline { rules, route, alert } => self.judge(&rules, route, alert),
                Timer::Escalation { rules, route, alert } => {
                    let to = &rules.routes[route];
                    self.escalate(now_ms, &rules, Some(route), alert, &to.to, to.escalation.as_ref());
                }
                Timer::SinkEscalation { rules, sink, alert } => {
                    let escalation = rules.sinks[sink].escalation.as_ref();
                    self.escalate(now_ms, &rules, None, alert, &[sink], escalation);
                }
            }
        }
    }

    /// It waits for others in a route, and is not settled before it has gone on.
    pub(super) fn wait(&mut self, alert: AlertId) {
        if let Some(open) = self.opened.get_mut(alert) {
            open.pending += 1;
        }
    }

    pub(super) fn waits_no_more(&mut self, alert: AlertId) {
        if let Some(open) = self.opened.get_mut(alert) {
            open.pending = open.pending.saturating_sub(1);
        }
    }

    /// Tells that an alert need not be kept any more, once.
    pub(super) fn settle(&mut self, alert: AlertId) {
        let Some(open) = self.opened.get_mut(alert) else { return };
        let is_done = open.sent.iter().all(|sent| sent.is_acked);
        if open.pending == 0 && is_done && !open.is_settled {
            open.is_settled = true;
            self.events.push_back(RouterEvent::Settled(alert));
        }
    }

    fn is_acked(&self, alert: AlertId, sink: &Arc<str>) -> bool {
        let sent = self.opened.get(alert).map(|open| open.sent.iter());
        sent.into_iter().flatten().any(|sent| sent.name() == sink && sent.is_acked)
    }

    fn judge(&mut self, rules: &Arc<Rules>, route: usize, alert: AlertId) {
        for &sink in &rules.routes[route].to {
            let sink = &rules.sinks[sink].name;
            if !self.is_acked(alert, sink) {
                let (route, sink) = (Arc::clone(&rules.routes[route].name), Arc::clone(sink));
                self.events.push_back(RouterEvent::DeadlineMissed { alert, route, sink });
            }
        }
    }

    /// One of these sinks has not acknowledged an alert, and its source has not withdrawn it: others get it.
    fn escalate(
        &mut self,
        now_ms: u64,
        rules: &Arc<Rules>,
        route: Option<usize>,
        alert: AlertId,
        sinks: &[usize],
        escalation: Option<&Escalation>,
    ) {
        let Some(open) = self.opened.get(alert).filter(|open| !open.is_withdrawn) else { return };
        let facts = open.facts;
        let unacked = sinks.iter().find(|sink| !self.is_acked(alert, &rules.sinks[**sink].name));
        if let (Some(&unacked), Some(escalation)) = (unacked, escalation) {
            let unacknowledged = Arc::clone(&rules.sinks[unacked].name);
            let cause = Cause::Escalated { unacknowledged };
            for &to in &escalation.to {
                self.dispatch_by(now_ms, rules, &facts, to, route, cause.clone(), Vec::new());
            }
        }
    }

    /// An alert is forgotten for want of room: what nobody has acknowledged goes to the default sink.
    pub(super) fn escalate_forgotten(&mut self, forgotten: &Open) {
        let unacked = forgotten.sent.iter().find(|sent| !sent.is_acked && !forgotten.is_withdrawn);
        if let Some(unacknowledged) = unacked.map(|sent| Arc::clone(sent.name())) {
            let cause = Cause::Escalated { unacknowledged };
            let (rules, sink) = (Arc::clone(&self.rules), self.rules.default_sink());
            let dispatch =
                Dispatch { facts: forgotten.facts, cause, repeats: Vec::new(), rules, sink, route: None };
            self.events.push_back(RouterEvent::Dispatch(dispatch));
        }
    }
}
