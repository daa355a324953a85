//! The gateway and its host: a disk that forgets what was not synced, a router that says what goes where, and sirens.

use std::collections::BTreeMap;
use std::sync::Arc;

use alertbus::limits::TIME_TO_LIVE_FLASH_MS;
use alertbus::message::{CommandId, Epoch, Order};
use alertbus::place::SiteId;
use alertbus::role::gateway::{
    DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert, Transmit,
};
use alertbus::time::{ClockQuality, EventTime, Instant};
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::wire::packet::PacketBuffer;
use alertbus::{AlertId, NodeId};

use crate::route::{Facts, Router, Rules};

use super::disk::{Disk, ToRoute};
use super::{EPOCH, NETWORK, NODES_MAX};

/// A warning of the same kind that has sounded for less than this is not given again, in milliseconds.
const WARNING_AGAIN_MS: u64 = 45_000;

/// The gateway's number.
const GATEWAY: u8 = 1;

pub(super) struct Host {
    /// None while it is killed.
    gateway: Option<Box<Gateway<NODES_MAX>>>,
    pub(super) disk: Disk,
    /// When it started, on the run's clock.
    started_ms: u64,
    /// When what was written will be synced.
    pub(super) syncs_ms: Option<u64>,
    /// The call it waits for.
    pub(super) timeout_ms: Option<u64>,
    seed: u64,
    nodes: Vec<NodeId>,
    sirens: Vec<NodeId>,
    /// What becomes of alerts.
    pub(super) router: Router,
    /// The last warning of each siren.
    given: BTreeMap<NodeId, Given>,
    /// Warnings by the onset that they were given for, until its event is over.
    warned: BTreeMap<AlertId, Vec<(NodeId, CommandId)>>,
    /// Warnings that no siren has answered yet, and which alert waits for that to have come to which sink.
    unanswered: BTreeMap<(NodeId, CommandId), Vec<Owner>>,
}

/// An alert that has come to a sink once a siren has answered.
type Owner = (AlertId, Arc<str>);

/// A warning that a siren was given.
struct Given {
    kind: u8,
    at_ms: u64,
    command: CommandId,
}

/// What sirens are told.
pub(super) struct Warning<'w> {
    pub(super) sirens: &'w [NodeId],
    pub(super) zone: SiteId,
    pub(super) duration_s: u16,
}

impl Host {
    pub(super) fn new(seed: u64, nodes: Vec<NodeId>, sirens: Vec<NodeId>, rules: Arc<Rules>) -> Self {
        Self {
            gateway: None,
            disk: Disk::default(),
            started_ms: 0,
            syncs_ms: None,
            timeout_ms: None,
            seed,
            nodes,
            sirens,
            router: Router::new(rules),
            given: BTreeMap::new(),
            warned: BTreeMap::new(),
            unanswered: BTreeMap::new(),
        }
    }

    pub(super) const fn is_up(&self) -> bool {
        self.gateway.is_some()
    }

    /// Starts over what the disk has kept.
    pub(super) fn start(&mut self, now_ms: u64, calendar_ms: u64, master: &MasterKey) {
        self.started_ms = now_ms;
        let mut gateway = Box::new(Gateway::new());
        for &node in &self.nodes {
            let is_siren = self.sirens.contains(&node);
            let state = self.disk.state(node);
            let epoch = state.as_ref().map_or(EPOCH, |state| state.epoch());
            let config = PeerConfig {
                node,
                key: master.node_key(NETWORK, node),
                epoch,
                gateway: GATEWAY,
                down: self.disk.set_down_counters_aside(node, epoch),
                exercise: false,
                answers_reports: is_siren,
                // The first gateway there ever was: of a node it has nothing of, nobody has heard.
                state: state.or_else(|| Some(PeerState::new(EPOCH))),
                seed: self.seed,
            };
            let added = gateway.add(Instant::START, config);
            debug_assert!(added.is_ok(), "the plan was checked");
        }
        self.gateway = Some(gateway);
        self.set_calendar(now_ms, calendar_ms);
        // Whoever should have known must not pay for its death: a second time is better than none. But nobody needs to
        // take cover any more from what is older than its time to live.
        for ToRoute { mut facts, since_ms } in self.disk.to_route() {
            facts.standing.late |= now_ms >= since_ms + u64::from(TIME_TO_LIVE_FLASH_MS);
            self.router.handle_alert(calendar_ms, &facts);
        }
    }

    /// Killed: what was not synced is gone, and so is all that was only in its memory.
    pub(super) fn kill(&mut self) {
        self.gateway = None;
        self.disk.forget_unsynced();
        self.syncs_ms = None;
        self.timeout_ms = None;
        self.given.clear();
        self.warned.clear();
        self.unanswered.clear();
        self.router = Router::new(Arc::clone(self.router.rules()));
    }

    /// Units that it takes for silent, and commands that nobody has answered.
    pub(super) fn unsettled(&self) -> usize {
        let peers = self.gateway.iter().flat_map(|gateway| gateway.peers());
        peers.map(|peer| usize::from(peer.is_silent()) + peer.commands().count()).sum()
    }

    pub(super) fn set_calendar(&mut self, now_ms: u64, calendar_ms: u64) {
        let now = self.local(now_ms);
        if let Some(gateway) = &mut self.gateway {
            gateway.set_calendar(now, EventTime::new(calendar_ms, ClockQuality::Second));
        }
    }

    const fn local(&self, now_ms: u64) -> Instant {
        Instant::from_millis(now_ms.saturating_sub(self.started_ms))
    }

    /// When the gateway wants to be called next, on the run's clock.
    pub(super) fn next_step_ms(&self, now_ms: u64) -> Option<u64> {
        let due = self.gateway.as_ref()?.poll_timeout()?;
        Some(self.started_ms.saturating_add(due.as_millis()).max(now_ms))
    }

    pub(super) fn handle_timeout(&mut self, now_ms: u64) {
        let now = self.local(now_ms);
        if let Some(gateway) = &mut self.gateway {
            gateway.handle_timeout(now);
        }
    }

    pub(super) fn poll_event(&mut self) -> Option<GatewayEvent> {
        self.gateway.as_mut()?.poll_event()
    }

    /// Hands a packet to the gateway, and writes what it takes to the disk.
    pub(super) fn handle_packet(&mut self, now_ms: u64, link: &Link, packet: &[u8]) -> Option<GatewayEvent> {
        let now = self.local(now_ms);
        let gateway = self.gateway.as_mut()?;
        let event = gateway.handle_packet(now, link, packet);
        let peer = match &event {
            GatewayEvent::Alert(received) => gateway.peer(received.id.node),
            GatewayEvent::Report { node, .. } | GatewayEvent::Acted { node, .. } => gateway.peer(*node),
            GatewayEvent::Duplicate(id) => gateway.peer(id.node),
            _ => None,
        };
        if let Some(peer) = peer {
            match &event {
                GatewayEvent::Alert(received) => self.disk.write_alert(peer, received.clone()),
                _ => self.disk.write_state(peer),
            }
        }
        if let GatewayEvent::Acted { node, id, .. } = &event {
            self.note_answer(*node, *id);
        }
        self.set_counters_aside();
        Some(event)
    }

    /// What was written is safe now: the gateway may say so. The alerts among it come back.
    pub(super) fn sync(&mut self) -> Vec<ReceivedAlert> {
        self.syncs_ms = None;
        let alerts = self.disk.sync();
        if let Some(gateway) = &mut self.gateway {
            for alert in &alerts {
                gateway.stored(alert.id);
            }
        }
        alerts
    }

    pub(super) fn poll_transmit<'o>(
        &mut self,
        now_ms: u64,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<Transmit<'o>> {
        self.set_counters_aside();
        let now = self.local(now_ms);
        self.gateway.as_mut()?.poll_transmit(now, link, out)
    }

    fn set_counters_aside(&mut self) {
        let Some(gateway) = &mut self.gateway else { return };
        while let Some((node, epoch)) = gateway.poll_down_request() {
            let span: DownSpan = self.disk.set_down_counters_aside(node, epoch);
            gateway.grant_down(node, epoch, span);
        }
    }

    /// Sends a unit on to its next key epoch; false where that cannot be said now.
    pub(super) fn roll_epoch(&mut self, now_ms: u64, node: NodeId) -> bool {
        let now = self.local(now_ms);
        let Some(gateway) = &mut self.gateway else { return false };
        let Some(epoch) = gateway.peer(node).map(|peer| peer.epoch()) else { return false };
        gateway.command(now, node, Order::NextEpoch(Epoch(epoch.0 + 1))).is_ok()
    }

    /// Sounds sirens for an alert; those that sound for its kind already go on. `sink` has the alert when all of them
    /// have answered.
    pub(super) fn warn(&mut self, now_ms: u64, warning: &Warning<'_>, facts: &Facts, sink: &Arc<str>) {
        let Some(kind) = facts.alert.as_ref().map(|alert| alert.body.code()) else { return };
        let now = self.local(now_ms);
        let Some(gateway) = &mut self.gateway else { return };
        let owner = (facts.id, Arc::clone(sink));
        let mut waits = false;
        for &siren in warning.sirens {
            let last = self
                .given
                .get(&siren)
                .filter(|last| last.kind == kind && now_ms < last.at_ms + WARNING_AGAIN_MS);
            let command = match last {
                Some(last) => last.command,
                None => {
                    let order = Order::Warn { zone: warning.zone, kind, duration_s: warning.duration_s };
                    let Ok(command) = gateway.command(now, siren, order) else {
                        // Nobody can say when it could be: whoever waits for its answer is told that there is none.
                        waits = true;
                        continue;
                    };
                    self.given.insert(siren, Given { kind, at_ms: now_ms, command });
                    self.unanswered.insert((siren, command), Vec::new());
                    command
                }
            };
            self.warned.entry(facts.id).or_default().push((siren, command));
            if let Some(owners) = self.unanswered.get_mut(&(siren, command)) {
                owners.push(owner.clone());
                waits = true;
            }
        }
        if !waits {
            self.router.acknowledged(facts.id, sink);
        }
    }

    /// A siren has answered a warning: whatever waited for it may have come to its sink.
    fn note_answer(&mut self, siren: NodeId, command: CommandId) {
        for (alert, sink) in self.unanswered.remove(&(siren, command)).unwrap_or_default() {
            let waits = |owners: &Vec<Owner>| owners.iter().any(|owner| owner.0 == alert && owner.1 == sink);
            if !self.unanswered.values().any(waits) {
                self.router.acknowledged(alert, &sink);
            }
        }
    }

    /// Ends the warnings of what an alert cancels or clears. It has come to its sink with that: the commands go on
    /// until they are answered.
    pub(super) fn clear(&mut self, now_ms: u64, facts: &Facts, sink: &Arc<str>) {
        let now = self.local(now_ms);
        self.router.acknowledged(facts.id, sink);
        let reference = facts.alert.and_then(|alert| alert.reference);
        let Some(onset) = reference.and_then(|reference| reference.resolve(facts.id)) else { return };
        let Some(gateway) = &mut self.gateway else { return };
        for (siren, command) in self.warned.remove(&onset).into_iter().flatten() {
            self.given.remove(&siren);
            for (alert, sink) in self.unanswered.remove(&(siren, command)).unwrap_or_default() {
                self.router.acknowledged(alert, &sink);
            }
            let _refused = gateway.command(now, siren, Order::Clear([command].into_iter().collect()));
        }
    }
}
