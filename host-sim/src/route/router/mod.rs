//! What becomes of each alert: one step function for replay, test, exercise and live.
//!
//! Without input or output, as core's roles are: inputs are [`Router::handle_alert`], [`Router::acknowledged`],
//! [`Router::handle_timeout`]; outputs [`Router::poll_event`] and [`Router::poll_timeout`]. Time is an argument:
//! calendar time of the run, milliseconds since 1970.
//!
//! - Every alert goes to one sink at least: what no route takes, and what is held back, goes to the default sink.
//! - The first alert of an event, and a rise in severity or precedence, never waits for repeats; and for other nodes
//!   only as long as enough of them can still agree in time.
//! - What updates, cancels or clears an event goes wherever the event went.
//! - An alert goes to a sink once, however many routes take it there.

mod ends;
mod event;
mod held_back;
mod hold;
mod open;
#[cfg(test)]
mod tests;
mod timers;

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::sync::Arc;

use alertbus::message::Phase;
use alertbus::{AlertId, NodeId};

use super::facts::Facts;
use super::file::SinkSpec;
use super::rules::{Match, Rules, values_of};
use super::words::Quorum;

pub use event::{Cause, Dispatch, RouterEvent};

use hold::{Group, GroupKey, Hold, HoldKey, Inhibitor, severity};
use open::{Opened, Sent};
use timers::{Timer, Timers};

/// Events that a quorum waits for, groups of repeats, and alerts that hold others back, at most each. Where there is
/// no room nothing waits and nothing is held back.
const WAITING_MAX: usize = 4_096;

/// What becomes of each alert: one step function for replay, test, exercise and live.
///
/// Without input or output, as core's roles are. Calendar time is an argument, in milliseconds since 1970.
#[derive(Debug)]
pub struct Router {
    rules: Arc<Rules>,
    opened: Opened,
    holds: BTreeMap<HoldKey, Hold>,
    groups: BTreeMap<GroupKey, Group>,
    inhibitors: Vec<Inhibitor>,
    silent: BTreeSet<NodeId>,
    timers: Timers,
    events: VecDeque<RouterEvent>,
}

impl Router {
    /// A router to which nothing has come yet.
    #[must_use]
    pub fn new(rules: Arc<Rules>) -> Self {
        Self {
            rules,
            opened: Opened::default(),
            holds: BTreeMap::new(),
            groups: BTreeMap::new(),
            inhibitors: Vec::new(),
            silent: BTreeSet::new(),
            timers: Timers::default(),
            events: VecDeque::new(),
        }
    }

    /// The rules that new alerts are held against.
    #[must_use]
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }

    /// Takes other rules for what comes from now on. What is under way goes on by those that it came under.
    pub fn adopt(&mut self, rules: Arc<Rules>) {
        self.rules = rules;
    }

    /// A node has fallen silent, or is heard again: a quorum does not wait for one that is silent.
    pub fn note_silent(&mut self, node: NodeId, is_silent: bool) {
        if is_silent {
            self.silent.insert(node);
        } else {
            self.silent.remove(&node);
        }
    }

    /// The next thing to do.
    pub fn poll_event(&mut self) -> Option<RouterEvent> {
        self.events.pop_front()
    }

    /// When [`Router::handle_timeout`] is to be called next.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<u64> {
        self.timers.next_ms()
    }

    /// Takes an alert that a gateway has received. One that was taken before goes through everything again.
    pub fn handle_alert(&mut self, now_ms: u64, facts: &Facts) {
        let age_ms = facts.standing.age.map_or(0, |age| u64::from(age.as_millis()));
        if let Some(forgotten) = self.opened.insert(*facts, now_ms.saturating_sub(age_ms)) {
            self.escalate_forgotten(&forgotten);
        }
        let followed = self.sinks_followed(facts);
        self.end_what_is_over(now_ms, facts);
        if let Some(cause) = self.held_back(now_ms, facts) {
            self.send_by_default(now_ms, facts, cause);
        } else {
            self.note_inhibitor(now_ms, facts);
            self.route(now_ms, facts);
        }
        for sink in followed {
            if let Some(sink) = self.rules.sink_named(&sink) {
                self.dispatch(now_ms, facts, sink, None, Cause::Follows, Vec::new());
            }
        }
        self.record(now_ms, facts);
        self.settle(facts.id);
    }

    /// What has gone nowhere and waits for nothing goes to the default sink.
    fn record(&mut self, now_ms: u64, facts: &Facts) {
        if self.opened.get(facts.id).is_some_and(|open| open.sent.is_empty() && open.pending == 0) {
            self.send_by_default(now_ms, facts, Cause::NoRoute);
        }
    }

    /// A sink has an alert, or can tell that it has reached whom it was for.
    pub fn acknowledged(&mut self, alert: AlertId, sink: &str) {
        let Some(open) = self.opened.get_mut(alert) else { return };
        for sent in &mut open.sent {
            sent.is_acked |= **sent.name() == *sink;
        }
        self.settle(alert);
    }

    /// Lets every route take it.
    fn route(&mut self, now_ms: u64, facts: &Facts) {
        let rules = Arc::clone(&self.rules);
        let mut taken: Option<(usize, Option<Quorum>)> = None;
        let mut matching = rules.matching(facts, now_ms);
        loop {
            let next = matching.next();
            // Of one route's tables that fit, one without a quorum is enough.
            if let (Some((route, quorum)), Some(Match { route: same, table })) = (taken, next)
                && route == same
            {
                taken = Some((route, quorum.and_then(|_| rules.routes[route].quorum(table))));
                continue;
            }
            if let Some((route, quorum)) = taken {
                self.take(now_ms, &rules, route, facts, quorum);
            }
            let Some(Match { route, table }) = next else { return };
            taken = Some((route, rules.routes[route].quorum(table)));
        }
    }

    /// A route takes it: at once, or when enough nodes agree.
    fn take(&mut self, now_ms: u64, rules: &Arc<Rules>, route: usize, facts: &Facts, quorum: Option<Quorum>) {
        let begins = facts.alert.is_none_or(|alert| matches!(alert.phase, Phase::Onset | Phase::Update));
        match quorum.filter(|_| begins && !facts.standing.late) {
            Some(quorum) => self.hold(now_ms, rules, route, facts, quorum),
            None => self.pass(now_ms, rules, route, facts, Cause::Matched),
        }
    }

    fn hold(&mut self, now_ms: u64, rules: &Arc<Rules>, route: usize, facts: &Facts, quorum: Quorum) {
        let name = Arc::clone(&rules.routes[route].name);
        let key = HoldKey { route: Arc::clone(&name), site: facts.site, kind: facts.kind() };
        self.holds.retain(|_, hold| !hold.waiting.is_empty() || now_ms < hold.until_ms);
        if self.holds.len() >= WAITING_MAX && !self.holds.contains_key(&key) {
            let cause = Cause::Unconfirmed { nodes: 1, needs: quorum.needs };
            return self.pass(now_ms, rules, route, facts, cause);
        }
        let hold = self.holds.entry(key.clone()).or_insert_with(|| Hold {
            rules: Arc::clone(rules),
            route,
            needs: quorum.needs,
            nodes: BTreeSet::new(),
            waiting: Vec::new(),
            until_ms: now_ms + quorum.within.ms,
            is_over: false,
        });
        hold.nodes.insert(facts.id.node);
        let detected_ms = self.opened.get(facts.id).map_or(now_ms, |open| open.detected_ms);
        let patience_ms = hold.patience_ms(quorum, now_ms, detected_ms);
        let is_confirmed = hold.nodes.len() >= usize::from(hold.needs);
        let can_be = hold.nodes_able(facts, &self.silent) >= usize::from(hold.needs) && now_ms < patience_ms;
        hold.waiting.push(*facts);
        if is_confirmed || hold.is_over || !can_be {
            return self.release(now_ms, &key);
        }
        self.wait(facts.id);
        self.timers.set(patience_ms, Timer::QuorumOver(key));
        self.events.push_back(RouterEvent::Held { alert: facts.id, route: name, until_ms: patience_ms });
    }

    /// Lets go whatever waits for other nodes: enough agree, or can no longer in time.
    fn release(&mut self, now_ms: u64, key: &HoldKey) {
        let Some(hold) = self.holds.get_mut(key) else { return };
        hold.is_over = true;
        let nodes = hold.nodes.len();
        let cause = if nodes >= usize::from(hold.needs) {
            Cause::Confirmed { nodes }
        } else {
            Cause::Unconfirmed { nodes, needs: hold.needs }
        };
        let (rules, route) = (Arc::clone(&hold.rules), hold.route);
        for facts in std::mem::take(&mut hold.waiting) {
            self.waits_no_more(facts.id);
            self.pass(now_ms, &rules, route, &facts, cause.clone());
            self.record(now_ms, &facts);
            self.settle(facts.id);
        }
    }

    /// Sends it on, unless it is a repeat that waits for others.
    fn pass(&mut self, now_ms: u64, rules: &Arc<Rules>, route: usize, facts: &Facts, cause: Cause) {
        let Some(grouping) = &rules.routes[route].grouping else {
            return self.send(now_ms, rules, route, facts, cause, Vec::new());
        };
        let name = Arc::clone(&rules.routes[route].name);
        let key = GroupKey { route: Arc::clone(&name), values: values_of(&grouping.by, facts) };
        self.groups.retain(|_, group| !group.waiting.is_empty() || now_ms < group.sent_ms + group.every_ms);
        let ends = facts.alert.is_some_and(|alert| matches!(alert.phase, Phase::Cancel | Phase::Clear));
        match self.groups.get_mut(&key) {
            Some(group) if !ends && !group.is_topped_by(facts) => {
                group.waiting.push(*facts);
                let until_ms = group.sent_ms + group.every_ms;
                if group.waiting.len() == 1 {
                    self.timers.set(until_ms, Timer::GroupDue(key));
                }
                self.wait(facts.id);
                self.events.push_back(RouterEvent::Deferred { alert: facts.id, route: name, until_ms });
            }
            Some(group) => {
                group.note_sent(facts);
                self.send(now_ms, rules, route, facts, cause, Vec::new());
            }
            None => {
                if self.groups.len() < WAITING_MAX {
                    let group = Group {
                        rules: Arc::clone(rules),
                        route,
                        sent_ms: now_ms,
                        every_ms: grouping.every_ms,
                        severity: severity(facts),
                        precedence: facts.precedence,
                        waiting: Vec::new(),
                    };
                    self.groups.insert(key, group);
                }
                self.send(now_ms, rules, route, facts, cause, Vec::new());
            }
        }
    }

    /// The time of a group has come: all that waits goes as one.
    fn send_repeats(&mut self, now_ms: u64, key: &GroupKey) {
        let Some(group) = self.groups.get_mut(key) else { return };
        group.sent_ms = now_ms;
        let (rules, route) = (Arc::clone(&group.rules), group.route);
        let mut waiting = std::mem::take(&mut group.waiting);
        let Some(last) = waiting.pop() else { return };
        let repeats: Vec<_> = waiting.iter().map(|facts| facts.id).collect();
        for facts in &waiting {
            self.waits_no_more(facts.id);
            self.settle(facts.id);
        }
        self.waits_no_more(last.id);
        self.send(now_ms, &rules, route, &last, Cause::Repeated, repeats);
        self.settle(last.id);
    }

    /// To every sink of a route, with whatever is to happen where one does not acknowledge it.
    fn send(
        &mut self,
        now_ms: u64,
        rules: &Arc<Rules>,
        route: usize,
        facts: &Facts,
        cause: Cause,
        repeats: Vec<AlertId>,
    ) {
        for &sink in &rules.routes[route].to {
            self.dispatch_by(now_ms, rules, facts, sink, Some(route), cause.clone(), repeats.clone());
        }
        let Some(open) = self.opened.get(facts.id) else { return };
        let (route_of, alert) = (&rules.routes[route], facts.id);
        // Repeats are late because they are meant to be.
        if let Some(deadline_ms) = route_of.deadline_ms.filter(|_| cause != Cause::Repeated) {
            let due_ms = (open.detected_ms + deadline_ms).max(now_ms);
            self.timers.set(due_ms, Timer::Deadline { rules: Arc::clone(rules), route, alert });
        }
        if let Some(escalation) = &route_of.escalation {
            let due_ms = now_ms + escalation.after_ms;
            self.timers.set(due_ms, Timer::Escalation { rules: Arc::clone(rules), route, alert });
        }
    }

    fn send_by_default(&mut self, now_ms: u64, facts: &Facts, cause: Cause) {
        let sink = self.rules.default_sink();
        self.dispatch(now_ms, facts, sink, None, cause, Vec::new());
    }

    fn dispatch(
        &mut self,
        now_ms: u64,
        facts: &Facts,
        sink: usize,
        route: Option<usize>,
        cause: Cause,
        repeats: Vec<AlertId>,
    ) {
        let rules = Arc::clone(&self.rules);
        self.dispatch_by(now_ms, &rules, facts, sink, route, cause, repeats);
    }

    /// To one sink, unless it has been there, or is nothing to sound a siren for.
    #[allow(clippy::too_many_arguments, reason = "they are the fields of a dispatch")]
    fn dispatch_by(
        &mut self,
        now_ms: u64,
        rules: &Arc<Rules>,
        facts: &Facts,
        sink: usize,
        route: Option<usize>,
        cause: Cause,
        repeats: Vec<AlertId>,
    ) {
        let Some(open) = self.opened.get_mut(facts.id) else { return };
        let to = &rules.sinks[sink];
        let is_siren = matches!(to.spec, SinkSpec::Siren { .. });
        if open.sent.iter().any(|sent| sent.name() == &to.name) || (is_siren && !facts.may_sound()) {
            return;
        }
        open.sent.push(Sent { rules: Arc::clone(rules), sink, is_acked: false });
        let alert = facts.id;
        self.timers.set(now_ms + to.ack_ms, Timer::Acknowledgement { rules: Arc::clone(rules), sink, alert });
        if let Some(escalation) = &to.escalation {
            let timer = Timer::SinkEscalation { rules: Arc::clone(rules), sink, alert };
            self.timers.set(now_ms + escalation.after_ms, timer);
        }
        let rules = Arc::clone(rules);
        self.events.push_back(RouterEvent::Dispatch(Dispatch {
            facts: *facts,
            cause,
            repeats,
            rules,
            sink,
            route,
        }));
    }
}
