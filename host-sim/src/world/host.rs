//! The gateway and its host: a disk that forgets what was not synced, and warnings for each site's own sirens.

use std::collections::BTreeMap;

use alertbus::limits::TIME_TO_LIVE_FLASH_MS;
use alertbus::message::{CommandId, Epoch, Order, Phase};
use alertbus::place::SiteId;
use alertbus::role::gateway::{
    DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert, Transmit,
};
use alertbus::time::{ClockQuality, EventTime, Instant};
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::wire::packet::PacketBuffer;
use alertbus::{AlertId, NodeId, Precedence};

use super::disk::{Disk, ToWarn};
use super::{EPOCH, NETWORK, NODES_MAX};

/// How long a siren sounds for one alert, in seconds.
const WARNING_S: u16 = 90;

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
    /// Sirens of each site.
    sirens: Vec<Vec<NodeId>>,
    /// The last warning of each siren: what it is about, and when it was given.
    given: BTreeMap<NodeId, (u8, u64)>,
    /// Warnings by the onset that they were given for, until its event is over.
    warned: BTreeMap<AlertId, Vec<(NodeId, CommandId)>>,
    /// Warnings that no siren has answered yet, and what for.
    unanswered: BTreeMap<(NodeId, CommandId), AlertId>,
}

impl Host {
    pub(super) fn new(seed: u64, nodes: Vec<NodeId>, sirens: Vec<Vec<NodeId>>) -> Self {
        Self {
            gateway: None,
            disk: Disk::default(),
            started_ms: 0,
            syncs_ms: None,
            timeout_ms: None,
            seed,
            nodes,
            sirens,
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
            let is_siren = self.sirens.iter().flatten().any(|&siren| siren == node);
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
        // Those who should have been warned must not pay for its death: a second warning is better than none.
        for (id, ToWarn { site, kind, since_ms }) in self.disk.to_warn() {
            if now_ms < since_ms + u64::from(TIME_TO_LIVE_FLASH_MS) {
                self.warn(now_ms, site, id, kind);
            } else {
                self.disk.write_warned(id);
            }
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

    /// Until rules exist each live Flash alert warns its own site's sirens, and what ends it ends their warning.
    pub(super) fn react(&mut self, now_ms: u64, site: usize, received: &ReceivedAlert) {
        let standing = received.standing;
        let Ok(alert) = &received.alert else { return };
        if received.id.exercise || received.precedence != Precedence::Flash {
            return;
        }
        match alert.phase {
            Phase::Onset | Phase::Update => {
                if !standing.late && !standing.overtaken {
                    let kind = alert.body.code();
                    self.disk.write_to_warn(received.id, ToWarn { site, kind, since_ms: now_ms });
                    self.warn(now_ms, site, received.id, kind);
                }
            }
            Phase::Cancel | Phase::Clear => {
                if let Some(onset) = alert.reference.and_then(|reference| reference.resolve(received.id)) {
                    self.clear(now_ms, onset);
                }
            }
        }
    }

    fn warn(&mut self, now_ms: u64, site: usize, id: AlertId, kind: u8) {
        let now = self.local(now_ms);
        let Some(gateway) = &mut self.gateway else { return };
        for &siren in self.sirens.get(site).into_iter().flatten() {
            let again = self
                .given
                .get(&siren)
                .is_some_and(|&(last_kind, at_ms)| last_kind == kind && now_ms < at_ms + WARNING_AGAIN_MS);
            if again {
                continue;
            }
            let zone = SiteId(u16::try_from(site + 1).unwrap_or(0));
            let order = Order::Warn { zone, kind, duration_s: WARNING_S };
            if let Ok(command) = gateway.command(now, siren, order) {
                self.given.insert(siren, (kind, now_ms));
                self.warned.entry(id).or_default().push((siren, command));
                self.unanswered.insert((siren, command), id);
            }
        }
        self.note_whether_warned(id);
    }

    /// A siren has answered a warning.
    fn note_answer(&mut self, siren: NodeId, command: CommandId) {
        if let Some(id) = self.unanswered.remove(&(siren, command)) {
            self.note_whether_warned(id);
        }
    }

    /// Writes down that nothing is owed for an alert any more, if that is so.
    fn note_whether_warned(&mut self, id: AlertId) {
        if !self.unanswered.values().any(|&unanswered| unanswered == id) {
            self.disk.write_warned(id);
        }
    }

    fn clear(&mut self, now_ms: u64, onset: AlertId) {
        let now = self.local(now_ms);
        let Some(gateway) = &mut self.gateway else { return };
        self.disk.write_warned(onset);
        for (siren, command) in self.warned.remove(&onset).into_iter().flatten() {
            self.given.remove(&siren);
            self.unanswered.remove(&(siren, command));
            let _refused = gateway.command(now, siren, Order::Clear([command].into_iter().collect()));
        }
    }
}
