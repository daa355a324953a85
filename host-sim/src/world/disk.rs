//! The gateway's disk: what was not synced is forgotten when the gateway is killed.

use std::collections::{BTreeMap, BTreeSet};

use alertbus::message::Epoch;
use alertbus::role::gateway::{DownSpan, Peer, PeerState, ReceivedAlert};
use alertbus::{AlertId, NodeId};

use crate::route::Facts;

/// Down counters set aside at a time.
const DOWN_COUNTERS: u32 = 256;

#[derive(Default)]
pub(super) struct Disk {
    synced: Image,
    /// Written since the last sync.
    pending: Vec<Record>,
    /// Names of alerts that were stored a second time.
    pub(super) stored_twice: u64,
}

/// What survives.
#[derive(Default)]
struct Image {
    states: BTreeMap<NodeId, PeerState>,
    alerts: BTreeSet<AlertId>,
    /// Down counters set aside, by node and epoch: the first that was not.
    down: BTreeMap<(NodeId, Epoch), u32>,
    /// Alerts that have not come to every sink that they are to come to.
    to_route: BTreeMap<AlertId, ToRoute>,
}

/// An alert that is owed to its sinks: a gateway that dies before they have it routes it again.
#[derive(Clone, Copy)]
pub(super) struct ToRoute {
    pub(super) facts: Facts,
    /// When it was received.
    pub(super) since_ms: u64,
}

enum Record {
    Alert(Box<ReceivedAlert>),
    State(NodeId, Box<PeerState>),
    ToRoute(ToRoute),
    Routed(AlertId),
}

impl Disk {
    /// What is known of a node after a start.
    pub(super) fn state(&self, node: NodeId) -> Option<PeerState> {
        self.synced.states.get(&node).cloned()
    }

    /// Whether an alert survives.
    pub(super) fn has(&self, id: AlertId) -> bool {
        self.synced.alerts.contains(&id)
    }

    /// Writes an alert together with what is then known of its node; alerts written before it and not yet synced are
    /// part of that. Not yet synced.
    pub(super) fn write_alert(&mut self, peer: &Peer, alert: ReceivedAlert) {
        let state = self.with_pending(peer).with(&alert);
        self.pending.push(Record::State(alert.id.node, Box::new(state)));
        self.pending.push(Record::Alert(Box::new(alert)));
    }

    /// Writes what is known of a node. Not yet synced.
    pub(super) fn write_state(&mut self, peer: &Peer) {
        let state = self.with_pending(peer);
        self.pending.push(Record::State(peer.node(), Box::new(state)));
    }

    /// Writes that an alert is to come to its sinks. Not yet synced.
    pub(super) fn write_to_route(&mut self, to_route: ToRoute) {
        self.pending.push(Record::ToRoute(to_route));
    }

    /// Writes that they have it, or need not have it any more. Not yet synced.
    pub(super) fn write_routed(&mut self, id: AlertId) {
        self.pending.push(Record::Routed(id));
    }

    /// Alerts that are owed to their sinks after a start.
    pub(super) fn to_route(&self) -> Vec<ToRoute> {
        self.synced.to_route.values().copied().collect()
    }

    fn with_pending(&self, peer: &Peer) -> PeerState {
        let alerts = self.pending.iter().filter_map(|record| match record {
            Record::Alert(alert) if alert.id.node == peer.node() => Some(alert),
            _ => None,
        });
        alerts.fold(peer.state(), |state, alert| state.with(alert))
    }

    /// All that was written so far is safe; the alerts among it come back.
    pub(super) fn sync(&mut self) -> Vec<ReceivedAlert> {
        let mut alerts = Vec::new();
        for record in self.pending.drain(..) {
            match record {
                Record::State(node, state) => {
                    self.synced.states.insert(node, *state);
                }
                Record::ToRoute(to_route) => {
                    self.synced.to_route.insert(to_route.facts.id, to_route);
                }
                Record::Routed(id) => {
                    self.synced.to_route.remove(&id);
                }
                Record::Alert(alert) => {
                    self.stored_twice += u64::from(!self.synced.alerts.insert(alert.id));
                    alerts.push(*alert);
                }
            }
        }
        alerts
    }

    /// The gateway is killed: what was not synced is gone.
    pub(super) fn forget_unsynced(&mut self) {
        self.pending.clear();
    }

    /// Sets down counters aside, and syncs that before anybody uses one.
    pub(super) fn set_down_counters_aside(&mut self, node: NodeId, epoch: Epoch) -> DownSpan {
        let next = self.synced.down.entry((node, epoch)).or_insert(1);
        let first = *next;
        *next = first.saturating_add(DOWN_COUNTERS);
        DownSpan { first, end: *next }
    }
}
