//! The core's gateway and what its host owes it: everything in the order that `PeerState` asks for, and nothing that
//! waits. Time is an argument here too.
//!
//! An alert is written with what is then known of its node, the disk is waited for, and only then is the gateway told
//! that it is stored. While one batch is on its way to the disk the next one gathers.

use std::collections::BTreeMap;

use alertbus::NodeId;
use alertbus::limits::CLEAR_IDS_MAX;
use alertbus::message::{CommandId, CommandResult, Epoch, Order};
use alertbus::place::SiteId;
use alertbus::role::gateway::{
    CommandRefusal, DownSpan, Gateway, GatewayEvent, Peer, PeerConfig, PeerState, ReceivedAlert, Transmit,
};
use alertbus::time::{ClockQuality, EventTime, Instant};
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::wire::packet::PacketBuffer;

use crate::outbox::{Batch, Outbox, OutboxError, Owed, StoredAlert};

/// Nodes one gateway takes.
pub const NODES_MAX: usize = 256;

/// Down counters set aside at a time: a start costs that many of each node's sixteen million.
const DOWN_COUNTERS: u32 = 256;

/// A machine whose clock says an earlier time has none: 2020-01-01.
const CALENDAR_FROM_MS: u64 = 1_577_836_800_000;

/// Whom a gateway is to know.
pub struct Roll {
    /// Number of the gateway.
    pub gateway: u8,
    /// Number of the network.
    pub network: u32,
    /// What all keys come from.
    pub master: MasterKey,
    /// Nodes with the epoch that each is in as far as is known.
    pub nodes: Vec<(NodeId, Epoch)>,
    /// Nodes that are to be sent on to their next epoch.
    pub rolls: BTreeMap<NodeId, Epoch>,
    /// Whether exercise packets are opened beside live ones.
    pub exercise: bool,
}

/// See the [module](self).
pub(super) struct Desk {
    gateway: Box<Gateway<NODES_MAX>>,
    /// Gathers.
    next: Batch,
    /// Alerts that are in a batch on its way to the disk, and then those that gather.
    unsynced: Vec<ReceivedAlert>,
    /// How many of them are on their way; none where no batch is.
    flying: Option<usize>,
    /// Spans that may be used once the batch on its way is there.
    granted: Vec<(NodeId, Epoch, DownSpan)>,
    /// Down counters set aside so far.
    down: BTreeMap<(NodeId, Epoch), u32>,
    owed: BTreeMap<(NodeId, CommandId), Owed>,
    rolls: BTreeMap<NodeId, Epoch>,
}

impl Desk {
    /// A gateway over what `outbox` has kept. What is owed is ordered anew.
    pub(super) fn start(
        roll: &Roll,
        outbox: &Outbox,
        now: Instant,
        now_ms: u64,
    ) -> Result<Self, OutboxError> {
        let mut desk = Self {
            gateway: Box::new(Gateway::new()),
            next: Batch::default(),
            unsynced: Vec::new(),
            flying: None,
            granted: Vec::new(),
            down: outbox.down()?,
            owed: BTreeMap::new(),
            rolls: roll.rolls.clone(),
        };
        let mut states: Vec<Option<PeerState>> = Vec::new();
        let mut spans = Vec::new();
        for &(node, epoch) in &roll.nodes {
            let state = outbox.state(node)?;
            let epoch = state.as_ref().map_or(epoch, |state| epoch.max(state.epoch()));
            spans.push((epoch, desk.set_aside(node, epoch)));
            states.push(state);
        }
        // Counters are on the disk before anybody uses one.
        outbox.commit(&std::mem::take(&mut desk.next))?;
        for ((&(node, _), state), (epoch, down)) in roll.nodes.iter().zip(states).zip(spans) {
            let config = PeerConfig {
                node,
                key: roll.master.node_key(roll.network, node),
                epoch,
                gateway: roll.gateway,
                down,
                exercise: roll.exercise,
                // A line is cheap, and a siren takes a gateway that says nothing for silent.
                answers_reports: true,
                // Another gateway may have heard a node of which nothing is kept here.
                state,
                seed: u64::from(node.0),
            };
            let added = desk.gateway.add(now, config);
            debug_assert!(added.is_ok(), "nodes are counted and each stands once in a register");
        }
        desk.set_calendar(now, now_ms);
        for ((node, id), owed) in outbox.owed()? {
            desk.order_again(now, now_ms, node, id, owed);
        }
        Ok(desk)
    }

    /// All nodes, by number.
    pub(super) fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.gateway.peers()
    }

    /// Commands that are owed from before this start.
    pub(super) fn owed(&self) -> impl Iterator<Item = (NodeId, CommandId)> {
        self.owed.keys().copied()
    }

    pub(super) fn set_calendar(&mut self, now: Instant, now_ms: u64) {
        let quality = if now_ms < CALENDAR_FROM_MS { ClockQuality::Unknown } else { ClockQuality::Second };
        self.gateway.set_calendar(now, EventTime::new(now_ms, quality));
    }

    /// Hands a packet to the gateway and puts what it takes into the next batch.
    pub(super) fn handle_packet(
        &mut self,
        now: Instant,
        now_ms: u64,
        link: &Link,
        packet: &[u8],
    ) -> GatewayEvent {
        let event = self.gateway.handle_packet(now, link, packet);
        let node = match &event {
            GatewayEvent::Alert(received) => {
                self.next.alerts.push(StoredAlert::new(received, now_ms));
                self.unsynced.push(received.clone());
                Some(received.id.node)
            }
            GatewayEvent::Report { node, .. } | GatewayEvent::Acted { node, .. } => Some(*node),
            GatewayEvent::Duplicate(id) => Some(id.node),
            _ => None,
        };
        if let Some(peer) = node.and_then(|node| self.gateway.peer(node)) {
            let alerts = self.unsynced.iter().filter(|alert| alert.id.node == peer.node());
            let state = alerts.fold(peer.state(), PeerState::with);
            self.next.states.insert(peer.node(), state);
        }
        if let GatewayEvent::Acted { node, id, result } = &event {
            self.answered(*node, *id, *result);
        }
        self.set_counters_aside();
        event
    }

    /// Sends a node that has just been heard on to its next epoch, where it is to go there. That epoch, once, when it
    /// has come there.
    pub(super) fn roll_on(&mut self, now: Instant, node: NodeId) -> Option<Epoch> {
        let next = *self.rolls.get(&node)?;
        let peer = self.gateway.peer(node)?;
        if peer.epoch() >= next {
            self.rolls.remove(&node);
            return Some(next);
        }
        if peer.commands().next().is_none() {
            // Where that cannot be said now, its next packet is another occasion.
            let _ = self.gateway.command(now, node, Order::NextEpoch(next));
        }
        None
    }

    /// What is to be written next; none while there is nothing, or a batch is on its way already.
    pub(super) fn take_batch(&mut self) -> Option<Batch> {
        if self.flying.is_some() || self.next.is_empty() {
            return None;
        }
        let batch = std::mem::take(&mut self.next);
        self.flying = Some(batch.alerts.len());
        self.granted = spans_of(&batch);
        Some(batch)
    }

    /// Whether anything waits to be written.
    pub(super) fn gathers(&self) -> bool {
        !self.next.is_empty()
    }

    /// The batch on its way is on the disk: the gateway may say so. How many alerts were in it.
    pub(super) fn synced(&mut self) -> u64 {
        let mut stored = 0;
        for alert in self.unsynced.drain(..self.flying.take().unwrap_or_default()) {
            self.gateway.stored(alert.id);
            stored += 1;
        }
        for (node, epoch, span) in std::mem::take(&mut self.granted) {
            self.gateway.grant_down(node, epoch, span);
        }
        stored
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        self.gateway.poll_timeout()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        self.gateway.handle_timeout(now);
    }

    pub(super) fn poll_event(&mut self) -> Option<GatewayEvent> {
        let event = self.gateway.poll_event()?;
        if let GatewayEvent::CommandEnded { node, id, .. } = &event {
            self.settle(*node, *id);
        }
        Some(event)
    }

    pub(super) fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<Transmit<'o>> {
        self.set_counters_aside();
        self.gateway.poll_transmit(now, link, out)
    }

    /// Alerts that are not on the disk, oldest first.
    pub(super) fn unsynced(&self) -> &[ReceivedAlert] {
        &self.unsynced
    }

    /// Somebody has been shown all alerts up to this number.
    pub(super) fn shown(&mut self, number: u64) {
        self.next.shown = Some(number);
    }

    /// Warns through a siren, and goes on trying after a restart too.
    pub(super) fn warn(
        &mut self,
        now: Instant,
        now_ms: u64,
        siren: NodeId,
        kind: u8,
        duration_s: u16,
    ) -> Result<CommandId, CommandRefusal> {
        self.forget_ended(now_ms);
        let zone = SiteId::UNKNOWN;
        let id = self.gateway.command(now, siren, Order::Warn { zone, kind, duration_s })?;
        let until_ms = now_ms.saturating_add(u64::from(duration_s) * 1_000);
        self.owe(siren, id, Owed::Warning { zone, kind, until_ms, answered: false, ids: vec![id] });
        Ok(id)
    }

    /// Ends these warnings of a siren, or all that this gateway has given it and that may still sound. The commands,
    /// each of which names three at most; none where there is nothing to end.
    pub(super) fn clear(
        &mut self,
        now: Instant,
        now_ms: u64,
        siren: NodeId,
        mut ids: Vec<CommandId>,
    ) -> Result<Vec<CommandId>, CommandRefusal> {
        let warnings = self.warnings(now_ms, siren);
        if ids.is_empty() {
            ids = warnings.iter().flat_map(|(_, names)| names.iter().copied()).collect();
        }
        let mut commands = Vec::new();
        for some in ids.chunks(CLEAR_IDS_MAX) {
            let order = Order::Clear(some.iter().copied().collect());
            let id = self.gateway.command(now, siren, order)?;
            self.owe(siren, id, Owed::Clear { ids: some.to_vec() });
            commands.push(id);
            for (first, _) in
                warnings.iter().filter(|(_, names)| names.iter().any(|name| some.contains(name)))
            {
                self.settle(siren, *first);
            }
        }
        Ok(commands)
    }

    /// Orders what needs no second try after a restart.
    pub(super) fn order(
        &mut self,
        now: Instant,
        node: NodeId,
        order: Order,
    ) -> Result<CommandId, CommandRefusal> {
        self.gateway.command(now, node, order)
    }

    /// Warnings of a siren that may still sound: their names, and all names of each.
    fn warnings(&self, now_ms: u64, siren: NodeId) -> Vec<(CommandId, Vec<CommandId>)> {
        let of_siren = self.owed.iter().filter(|((node, _), _)| *node == siren);
        of_siren
            .filter_map(|((_, id), owed)| match owed {
                Owed::Warning { until_ms, ids, .. } if *until_ms > now_ms => Some((*id, ids.clone())),
                _ => None,
            })
            .collect()
    }

    /// Gives a command of an earlier start again: whoever it was for must not pay for the death of the gateway. A
    /// second warning is better than none; one that was answered is only remembered.
    fn order_again(&mut self, now: Instant, now_ms: u64, node: NodeId, id: CommandId, mut owed: Owed) {
        let Some(order) = owed.order(now_ms) else {
            return self.settle(node, id);
        };
        if matches!(owed, Owed::Warning { answered: true, .. }) {
            self.owed.insert((node, id), owed);
            return;
        }
        match self.gateway.command(now, node, order) {
            Ok(again) => {
                if let Owed::Warning { ids, .. } = &mut owed {
                    ids.push(again);
                }
                self.settle(node, id);
                self.owe(node, again, owed);
            }
            // It stays owed: the next start tries again.
            Err(_) => drop(self.owed.insert((node, id), owed)),
        }
    }

    fn answered(&mut self, node: NodeId, id: CommandId, result: CommandResult) {
        match self.owed.get_mut(&(node, id)) {
            // It may sound now, and is remembered so that it can be cleared.
            Some(Owed::Warning { answered, .. }) if result == CommandResult::Done => {
                *answered = true;
                let owed = self.owed.get(&(node, id)).cloned();
                self.next.owed.insert((node, id), owed);
            }
            Some(_) => self.settle(node, id),
            None => {}
        }
    }

    /// Warnings that have sounded out need no all-clear any more.
    fn forget_ended(&mut self, now_ms: u64) {
        let is_over = |owed: &Owed| matches!(owed, Owed::Warning { until_ms, answered: true, .. } if *until_ms <= now_ms);
        let over: Vec<_> = self.owed.iter().filter(|(_, owed)| is_over(owed)).map(|(key, _)| *key).collect();
        for (node, id) in over {
            self.settle(node, id);
        }
    }

    fn owe(&mut self, node: NodeId, id: CommandId, owed: Owed) {
        self.next.owed.insert((node, id), Some(owed.clone()));
        self.owed.insert((node, id), owed);
    }

    fn settle(&mut self, node: NodeId, id: CommandId) {
        // After a start a command may be settled that was never taken up.
        self.owed.remove(&(node, id));
        self.next.owed.insert((node, id), None);
    }

    /// Sets down counters aside for whoever needs some; they are used once the disk has that.
    fn set_counters_aside(&mut self) {
        while let Some((node, epoch)) = self.gateway.poll_down_request() {
            self.set_aside(node, epoch);
        }
    }

    fn set_aside(&mut self, node: NodeId, epoch: Epoch) -> DownSpan {
        let next = self.down.entry((node, epoch)).or_insert(1);
        let first = *next;
        *next = first.saturating_add(DOWN_COUNTERS);
        self.next.down.insert((node, epoch), *next);
        DownSpan { first, end: *next }
    }
}

/// The spans that a batch sets aside.
fn spans_of(batch: &Batch) -> Vec<(NodeId, Epoch, DownSpan)> {
    let span = |end: u32| DownSpan { first: end.saturating_sub(DOWN_COUNTERS).max(1), end };
    batch.down.iter().map(|(&(node, epoch), &end)| (node, epoch, span(end))).collect()
}

#[cfg(test)]
mod tests;
