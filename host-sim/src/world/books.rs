//! Which planned alert is which on the air, and what becomes of each. Nothing in a run depends on it.

mod flash;

use std::collections::{BTreeMap, BTreeSet};

use alertbus::ledger::Outcome;
use alertbus::limits::BODY_LEN_MAX;
use alertbus::message::kind::Summary;
use alertbus::message::{Alert as Message, Body, Epoch, Phase, split_body};
use alertbus::role::gateway::ReceivedAlert;
use alertbus::role::node::{Handle, NodeEvent};
use alertbus::time::EventTime;
use alertbus::wire::keys::{Direction, LinkKey, MasterKey, NodeKey};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{AlertId, NodeId, Precedence};

use super::account::Fate;
use super::plan::AlertPlan;
use super::{LINK, NETWORK};

pub(super) struct Books {
    pub(super) alerts: Vec<Alert>,
    observed: Vec<Observed>,
    /// What was sent under which name, byte for byte: what arrives must be one of these.
    aired: BTreeMap<AlertId, Vec<u8>>,
    /// Which alert of the plan, or which summary, was sent under which name.
    sent: BTreeMap<AlertId, usize>,
    /// Names of what the gateway was given.
    received: BTreeSet<AlertId>,
    pub(super) retries: u64,
}

/// An alert of the plan, or a summary that a node has made.
pub(super) struct Alert {
    pub(super) plan: AlertPlan,
    pub(super) is_summary: bool,
    /// What the gateway must receive of it, but for what the node adds.
    content: Vec<u8>,
    pub(super) fate: Fate,
    pub(super) raised_run_ms: u64,
    /// Length of its first sealed packet in bytes, 0 before it was sent.
    pub(super) packet_len: usize,
    /// Its node's journal has it.
    pub(super) durable: bool,
    /// The gateway's disk has it.
    pub(super) stored: bool,
    /// The summary that it was counted into.
    merged_into: Option<usize>,
    /// What was counted into it, if it is a summary.
    counted: Vec<usize>,
    /// Alerts that it may count too: the power failed while its node took them.
    perhaps_counted: usize,
    /// What it says of that, as it arrived.
    said: Option<Summary>,
    /// When a siren of its site was first heard after it, from the moment it was raised.
    pub(super) warned_ms: Option<u64>,
}

/// What is known of a unit from outside.
struct Observed {
    node: NodeId,
    key: NodeKey,
    /// The key of the epoch seen last.
    up: Option<(Epoch, LinkKey)>,
    /// Which alert each open handle of this boot stands for.
    open: BTreeMap<Handle, usize>,
    /// Which alert each live Flash number stands for.
    by_seq: BTreeMap<u32, usize>,
    /// Alerts that were raised and not yet seen on the air.
    unseen: BTreeSet<usize>,
}

/// What an arrival at the gateway is.
pub(super) enum Arrival {
    /// For the first time.
    First(usize),
    /// Once more: the gateway had forgotten it.
    Again,
    /// A summary, or something else that stands for no alert of the plan.
    Unplanned,
    /// Nobody has sent this.
    Forged,
}

impl Alert {
    fn new(plan: AlertPlan, is_summary: bool) -> Self {
        let content = plain(&plan.draft.onset(0), is_dated(&plan));
        Self {
            plan,
            is_summary,
            content,
            fate: Fate::Planned,
            raised_run_ms: 0,
            packet_len: 0,
            durable: false,
            stored: false,
            merged_into: None,
            counted: Vec::new(),
            perhaps_counted: 0,
            said: None,
            warned_ms: None,
        }
    }

    /// Whether sirens are to be heard after it: a live Flash alert that begins something.
    pub(super) fn wants_warning(&self) -> bool {
        let begins = self.plan.phase == Phase::Onset && !self.plan.draft.exercise;
        begins && self.precedence() == Precedence::Flash
    }

    pub(super) fn precedence(&self) -> Precedence {
        if self.is_summary { Precedence::Flash } else { self.plan.draft.precedence() }
    }
}

/// Whether the source has dated it; otherwise its node does.
fn is_dated(plan: &AlertPlan) -> bool {
    plan.draft.time != EventTime::default()
}

/// The content of an alert without what its node adds: phase, reference, boot, and the time where it is not dated.
fn plain(alert: &Message, is_dated: bool) -> Vec<u8> {
    let time = if is_dated { alert.time } else { EventTime::default() };
    let plain = Message { phase: Phase::Onset, reference: None, boot: 0, time, ..*alert };
    plain.content().as_slice().to_vec()
}

impl Books {
    pub(super) fn new(alerts: Vec<AlertPlan>, nodes: &[NodeId], master: &MasterKey) -> Self {
        let observed = |&node: &NodeId| Observed {
            node,
            key: master.node_key(NETWORK, node),
            up: None,
            open: BTreeMap::new(),
            by_seq: BTreeMap::new(),
            unseen: BTreeSet::new(),
        };
        Self {
            alerts: alerts.into_iter().map(|plan| Alert::new(plan, false)).collect(),
            observed: nodes.iter().map(observed).collect(),
            aired: BTreeMap::new(),
            sent: BTreeMap::new(),
            received: BTreeSet::new(),
            retries: 0,
        }
    }

    /// A node has taken an alert.
    pub(super) fn queued(&mut self, now_ms: u64, unit: usize, number: usize, handle: Handle) {
        self.observed[unit].open.insert(handle, number);
        self.observed[unit].unseen.insert(number);
        self.alerts[number].fate = Fate::Open;
        self.alerts[number].raised_run_ms = now_ms;
    }

    /// The power of a unit failed while it took an alert: it may come back all the same, by itself or in a summary.
    pub(super) fn cut_in_the_act(&mut self, now_ms: u64, unit: usize, number: usize) {
        self.observed[unit].unseen.insert(number);
        self.alerts[number].fate = Fate::CutOff;
        self.alerts[number].raised_run_ms = now_ms;
        for &open in self.observed[unit].open.values() {
            self.alerts[open].perhaps_counted += 1;
        }
    }

    /// A node has counted an alert into a summary.
    pub(super) fn merged(&mut self, now_ms: u64, unit: usize, number: usize, into: Handle) {
        let summary = match self.observed[unit].open.get(&into) {
            Some(&summary) => summary,
            None => {
                let summary = self.alerts.len();
                self.alerts.push(Alert::new(self.alerts[number].plan, true));
                self.queued(now_ms, unit, summary, into);
                summary
            }
        };
        self.alerts[number].fate = Fate::Merged;
        self.alerts[number].raised_run_ms = now_ms;
        self.alerts[number].merged_into = Some(summary);
        self.alerts[summary].counted.push(number);
    }

    /// A node tells something; the alert that has left it comes back with how.
    pub(super) fn told(&mut self, unit: usize, event: &NodeEvent) -> Option<(usize, Outcome)> {
        let observed = &mut self.observed[unit];
        match *event {
            NodeEvent::Durable { handle, seq } => {
                let &number = observed.open.get(&handle)?;
                observed.by_seq.insert(seq.number(), number);
                self.alerts[number].durable = true;
                for counted in self.alerts[number].counted.clone() {
                    self.alerts[counted].durable = true;
                }
                None
            }
            NodeEvent::Recovered { handle, seq, .. } => {
                let &number = observed.by_seq.get(&seq.number())?;
                observed.open.insert(handle, number);
                None
            }
            NodeEvent::Settled { handle, outcome, .. } => {
                let number = observed.open.remove(&handle)?;
                observed.unseen.remove(&number);
                if self.alerts[number].fate == Fate::Open {
                    self.alerts[number].fate = Fate::Ended(outcome);
                }
                Some((number, outcome))
            }
            _ => None,
        }
    }

    /// The power of a unit is gone, and with it what was in its memory only.
    pub(super) fn power_off(&mut self, unit: usize) {
        let open = std::mem::take(&mut self.observed[unit].open);
        for &number in open.values() {
            if !self.alerts[number].durable && self.alerts[number].fate == Fate::Open {
                self.alerts[number].fate = Fate::CutOff;
            }
            for counted in self.alerts[number].counted.clone() {
                if !self.alerts[counted].durable {
                    self.alerts[counted].fate = Fate::CutOff;
                }
            }
        }
    }

    /// A unit sends a packet: its alert, if it is one, is known by its name from now on.
    pub(super) fn sends(&mut self, unit: usize, epoch: Option<Epoch>, bytes: &[u8]) {
        let Some((id, content)) = self.open(unit, epoch, bytes) else { return };
        if self.aired.insert(id, content.clone()).is_some() {
            self.retries += 1;
            return;
        }
        let Ok(message) = Message::decode(&content) else { return };
        let observed = &mut self.observed[unit];
        let number = if matches!(message.body, Body::Summary(_)) {
            observed.by_seq.get(&id.seq.number()).copied()
        } else {
            // Of several with the same content the oldest goes first, as in the node's queue.
            let (dated, undated) = (plain(&message, true), plain(&message, false));
            observed.unseen.iter().copied().find(|&number| {
                let alert = &self.alerts[number];
                alert.content == if is_dated(&alert.plan) { &dated[..] } else { &undated[..] }
            })
        };
        if let Some(number) = number {
            observed.unseen.remove(&number);
            self.alerts[number].packet_len = bytes.len();
            self.sent.insert(id, number);
        }
    }

    /// The name and the content of an alert in its packet; none where it is no alert.
    fn open(&mut self, unit: usize, epoch: Option<Epoch>, bytes: &[u8]) -> Option<(AlertId, Vec<u8>)> {
        let sealed = packet::parse(bytes, LINK.tag).ok()?;
        let Header { class: Class::Alert, precedence, exercise, node, .. } = *sealed.header() else {
            return None;
        };
        let (epoch, observed) = (epoch?, &mut self.observed[unit]);
        if observed.node != node || observed.up.as_ref().is_none_or(|&(known, _)| known != epoch) {
            observed.up = Some((epoch, observed.key.link_key(Direction::Up, false, epoch)));
        }
        let (_, key) = observed.up.as_ref()?;
        let mut body = [0; BODY_LEN_MAX];
        let (seq, content) = split_body(sealed.open(key, &mut body).ok()?).ok()?;
        let id = AlertId { node, exercise, flash: precedence == Precedence::Flash, seq };
        Some((id, content.to_vec()))
    }

    /// The gateway hands something out: it must be what was sent, byte for byte.
    pub(super) fn received(&mut self, now_ms: u64, received: &ReceivedAlert) -> Arrival {
        let content = split_body(received.body()).map_or(&[][..], |(_, content)| content);
        if self.aired.get(&received.id).is_none_or(|aired| aired != content) {
            return Arrival::Forged;
        }
        if !self.received.insert(received.id) {
            return Arrival::Again;
        }
        let Some(&number) = self.sent.get(&received.id) else { return Arrival::Unplanned };
        let alert = &mut self.alerts[number];
        if let Ok(Message { body: Body::Summary(said), .. }) = received.alert {
            alert.said = Some(said);
        }
        // What has taken its place arrived before: how long this one was under way delayed nobody.
        if matches!(alert.fate, Fate::Ended(Outcome::Superseded | Outcome::Cancelled)) {
            return Arrival::Unplanned;
        }
        let latency_ms = now_ms.saturating_sub(alert.raised_run_ms);
        alert.fate = Fate::Delivered { latency_ms };
        if alert.is_summary { Arrival::Unplanned } else { Arrival::First(number) }
    }

    /// Which alert of the plan, or which summary, was sent under this name.
    pub(super) fn named(&self, id: AlertId) -> Option<usize> {
        self.sent.get(&id).copied()
    }

    /// The gateway's disk has it.
    pub(super) fn stored(&mut self, id: AlertId) {
        if let Some(&number) = self.sent.get(&id) {
            self.alerts[number].stored = true;
        }
    }

    /// Whether a node still holds the alert of this name.
    pub(super) fn holds(&self, unit: usize, id: AlertId) -> bool {
        self.sent.get(&id).is_some_and(|&number| self.is_resident(unit, number))
    }

    /// What has become of an alert; one that was counted into a summary shares its fate until that has arrived.
    pub(super) fn fate(&self, alert: &Alert) -> Fate {
        let summary = alert.merged_into.map(|into| self.alerts[into].fate);
        match summary {
            Some(summary) if alert.fate == Fate::Merged && !matches!(summary, Fate::Delivered { .. }) => {
                summary
            }
            _ => alert.fate,
        }
    }

    /// Whether an alert is still with its node, by itself or in a summary.
    pub(super) fn is_resident(&self, unit: usize, number: usize) -> bool {
        let held = self.alerts[number].merged_into.unwrap_or(number);
        self.observed[unit].open.values().any(|&open| open == held)
    }
}
