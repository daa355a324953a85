//! Random lives of a node and a gateway: any call at any time, an ailing store, reboots, tampering, noise. While it
//! lasts nothing forbidden happens; once it stops, everything that was ever durable has arrived, once.

use std::collections::{BTreeMap, BTreeSet};

use alertbus::AlertId;
use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::AlertDraft;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::role::gateway::GatewayEvent;
use alertbus::role::node::{Node, Rejected};
use alertbus::store::StoreError;
use alertbus::time::Duration;
use alertbus::wire::link::Link;

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, Pair, config};

pub(crate) struct Dice(u64);

impl Dice {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed * 2 + 1)
    }

    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) % sides
    }

    pub(crate) fn one_in(&mut self, sides: u64) -> bool {
        self.roll(sides) == 0
    }
}

struct Life {
    dice: Dice,
    memory: Shared,
    pair: Pair<Ailing>,
    /// Packets under way, and whether they go up.
    air: Vec<(bool, Vec<u8>)>,
    /// Headers of all packets ever sealed: node, class, epoch and counter are in them.
    headers: BTreeSet<Vec<u8>>,
    stored: BTreeMap<AlertId, u32>,
}

impl Life {
    fn new(seed: u64) -> Self {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        pair.grant_down();
        let dice = Dice::new(seed);
        Self { dice, memory, pair, air: Vec::new(), headers: BTreeSet::new(), stored: BTreeMap::new() }
    }

    fn act(&mut self) {
        match self.dice.roll(16) {
            0 | 1 => self.raise(),
            2..=4 => self.node_sends(),
            5 => self.pair.advance(Duration::from_millis(self.dice.roll(60_000) as u32)),
            6 | 7 => self.gateway_sends(),
            8..=11 if !self.air.is_empty() => self.arrive(),
            12 => self.noise(),
            13 => self.ail(),
            14 if self.dice.one_in(10) => {
                self.pair.node =
                    Node::start(config(self.dice.roll(100)), Ailing::start(&self.memory), self.pair.now);
            }
            _ => drop(self.pair.node.poll_event()),
        }
        assert!(self.pair.node.is_balanced());
    }

    fn raise(&mut self) {
        let mut draft = AlertDraft::new(RocketLaunch::default());
        if self.dice.one_in(2) {
            draft = AlertDraft::new(DroneSighting::default());
        }
        draft.exercise = self.dice.one_in(4);
        let _ = self.pair.node.raise(self.pair.now, draft);
    }

    fn node_sends(&mut self) {
        let link = if self.dice.one_in(3) { Link::stream(1) } else { LINK };
        let mut buffer = [0; PACKET_LEN_MAX];
        if let Some(packet) = self.pair.node.poll_transmit(self.pair.now, &link, &mut buffer) {
            assert!(self.headers.insert(packet[..8].to_vec()), "a counter was used twice");
            self.air.push((true, packet.to_vec()));
        }
    }

    fn gateway_sends(&mut self) {
        self.pair.grant_down();
        let mut buffer = [0; PACKET_LEN_MAX];
        if let Some(transmit) = self.pair.gateway.poll_transmit(self.pair.now, &LINK, &mut buffer) {
            assert!(self.headers.insert(transmit.packet[..8].to_vec()), "a down counter was used twice");
            self.air.push((false, transmit.packet.to_vec()));
        }
    }

    /// Some packet arrives, perhaps not for the last time, perhaps tampered with.
    fn arrive(&mut self) {
        let at = self.dice.roll(self.air.len() as u64) as usize;
        let (up, mut packet) = self.air[at].clone();
        if !self.dice.one_in(3) {
            self.air.swap_remove(at);
        }
        let tampered = self.dice.one_in(5);
        if tampered {
            let bit = self.dice.roll(packet.len() as u64 * 8) as usize;
            packet[bit / 8] ^= 1 << (bit % 8);
        }
        if !up {
            let taken = self.pair.node.handle_packet(self.pair.now, &LINK, &packet);
            assert!(!(tampered && taken.is_ok()), "a tampered packet was taken");
            return;
        }
        if let GatewayEvent::Alert(alert) = self.pair.gateway.handle_packet(self.pair.now, &LINK, &packet) {
            assert!(!tampered, "a tampered alert was delivered");
            if self.dice.one_in(4) {
                assert!(self.pair.gateway.not_stored(alert.id));
            } else {
                assert!(self.pair.gateway.stored(alert.id));
                *self.stored.entry(alert.id).or_default() += 1;
            }
        }
    }

    fn noise(&mut self) {
        let bytes: Vec<u8> = (0..self.dice.roll(70)).map(|_| self.dice.roll(256) as u8).collect();
        let _ = self.pair.gateway.handle_packet(self.pair.now, &LINK, &bytes);
        let _ = self.pair.node.handle_packet(self.pair.now, &LINK, &bytes);
    }

    fn ail(&mut self) {
        let dice = &mut self.dice;
        let mut memory = self.memory.borrow_mut();
        memory.pending = if dice.one_in(3) { dice.roll(3) as u32 } else { 0 };
        memory.reserve_pending = [dice.roll(3) as u32, dice.roll(3) as u32, dice.roll(3) as u32];
        memory.append_failure = dice.one_in(6).then_some(StoreError::Full);
        memory.outcome_failure = dice.one_in(6).then_some(StoreError::Device);
        memory.next_open_failure = dice.one_in(6).then_some(StoreError::Device);
        memory.reserve_failure = [0; 3].map(|_| dice.one_in(9).then_some(StoreError::Device));
    }

    /// The faults stop; what is open must now come through.
    fn heal_and_settle(&mut self) {
        {
            let mut memory = self.memory.borrow_mut();
            memory.pending = 0;
            memory.reserve_pending = [0; 3];
            memory.append_failure = None;
            memory.outcome_failure = None;
            memory.next_open_failure = None;
            memory.reserve_failure = [None; 3];
        }
        self.air.clear();
        for _ in 0..100 {
            self.pair.advance(Duration::from_secs(61));
            for packet in self.pair.node_packets() {
                self.pair.hand_up(&packet);
            }
            for packet in self.pair.gateway_packets() {
                // What the gateway has kept from before a reboot is stale; the node asks again.
                let taken = self.pair.hand_down(&packet);
                assert!(matches!(taken, Ok(()) | Err(Rejected::Stale { .. })), "{taken:?}");
            }
        }
        for alert in self.pair.delivered.drain(..) {
            *self.stored.entry(alert.id).or_default() += 1;
        }
    }
}

#[test]
fn nothing_forbidden_happens_and_all_that_was_durable_arrives() {
    for seed in 0..300 {
        let mut life = Life::new(seed);
        for _ in 0..1_500 {
            life.act();
        }
        life.heal_and_settle();
        assert!(life.stored.values().all(|&times| times == 1), "seed {seed}: an alert was stored twice");
        let memory = life.memory.borrow();
        assert!(
            memory.open.is_empty() && life.pair.node.resident() == 0,
            "seed {seed}: something is still open"
        );
        let arrived = |seq| life.stored.keys().any(|id| id.flash && !id.exercise && id.seq == seq);
        let lost: Vec<_> = memory.ever.iter().filter(|&&seq| !arrived(seq)).collect();
        assert!(lost.is_empty(), "seed {seed}: durable and never delivered: {lost:?}");
    }
}
