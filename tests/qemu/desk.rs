//! The gateway of a test, and what it has heard: everything twice is a failure.

use std::collections::BTreeSet;
use std::time::Instant as Clock;

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::{CommandId, CommandResult, Epoch, Heartbeat, Order};
use alertbus::provision::Blob;
use alertbus::role::gateway::{
    DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert, Rejected,
};
use alertbus::time::Instant;
use alertbus::wire::keys::{MasterKey, NodeKey};
use alertbus::wire::link::Link;
use alertbus::wire::packet;
use alertbus::{AlertId, NodeId};

pub(crate) const NODE: NodeId = NodeId(12);
const NETWORK: u32 = 7;
const EPOCH: Epoch = Epoch(1);

/// A gateway with one node, and its disk.
pub(crate) struct Desk {
    gateway: Gateway<1>,
    /// Burnt where the gateway comes back without its disk.
    number: u8,
    link: Link,
    begun: Clock,
    down_counter: u32,
    /// What the gateway handed out, and its host stored.
    pub(crate) delivered: Vec<ReceivedAlert>,
    pub(crate) reports: Vec<Heartbeat>,
    /// What came back of commands.
    pub(crate) acted: Vec<(CommandId, CommandResult)>,
    /// Counters of all packets that its node has ever sent, lost or not.
    counters: BTreeSet<(u8, u32)>,
}

/// The node's secret.
pub(crate) fn key() -> NodeKey {
    MasterKey::from_bytes([7; 16]).node_key(NETWORK, NODE)
}

/// What the node is provisioned with.
pub(crate) fn blob() -> Blob {
    Blob { network: NETWORK, node: NODE, key: key(), epoch: EPOCH, flash_seq: 1, other_seq: 1 }
}

impl Desk {
    /// One that has heard nothing of its node yet.
    pub(crate) fn new() -> Self {
        Self {
            gateway: gateway(Some(PeerState::new(EPOCH)), 0, Instant::START),
            number: 0,
            link: Link::stream(0),
            begun: Clock::now(),
            down_counter: 1,
            delivered: Vec::new(),
            reports: Vec::new(),
            acted: Vec::new(),
            counters: BTreeSet::new(),
        }
    }

    /// The epoch in which the gateway hears its node.
    pub(crate) fn epoch(&self) -> Epoch {
        self.gateway.peer(NODE).unwrap().state().epoch()
    }

    /// The gateway's program ends and starts again, with what is on its disk.
    pub(crate) fn restart(&mut self) {
        let state = self.gateway.peer(NODE).unwrap().state();
        self.gateway = gateway(Some(state), self.number, self.now());
    }

    /// The gateway's disk is lost. Another takes its place, under a number of its own, and knows of its node what was
    /// written down when that was provisioned. What it hands out again, it says may have been handed out before.
    pub(crate) fn replace(&mut self) {
        self.number += 1;
        self.gateway = gateway(None, self.number, self.now());
    }

    /// A packet is on the line. Its counter was never used before.
    pub(crate) fn overhear(&mut self, bytes: &[u8]) {
        let header = *packet::parse(bytes, self.link.tag).unwrap().header();
        let is_new = self.counters.insert((header.epoch_low, header.counter));
        assert!(is_new, "counter {} is used a second time", header.counter);
    }

    /// A packet has come.
    pub(crate) fn hear(&mut self, bytes: &[u8]) {
        let now = self.now();
        match self.gateway.handle_packet(now, &self.link, bytes) {
            GatewayEvent::Alert(alert) => {
                assert!(self.gateway.stored(alert.id));
                let is_known = self.is_delivered(alert.id);
                assert!(!is_known || alert.standing.possible_duplicate, "{} comes twice", alert.id);
                if !is_known {
                    self.delivered.push(alert);
                }
            }
            GatewayEvent::Report { heartbeat, .. } => self.reports.push(heartbeat),
            GatewayEvent::Acted { id, result, .. } => self.acted.push((id, result)),
            GatewayEvent::Duplicate(_) => {}
            // A node that hears an order twice answers twice.
            GatewayEvent::Rejected { why: Rejected::UnknownCommand(id), .. } => {
                assert!(self.result(id).is_some(), "{id} is answered and was not given");
            }
            other => panic!("{other:?}"),
        }
    }

    /// The next packet for the node.
    pub(crate) fn say(&mut self) -> Option<Vec<u8>> {
        let now = self.now();
        self.gateway.handle_timeout(now);
        self.grant();
        let mut room = [0; PACKET_LEN_MAX];
        self.gateway.poll_transmit(now, &self.link, &mut room).map(|transmit| transmit.packet.to_vec())
    }

    /// Orders the node to do something.
    pub(crate) fn command(&mut self, order: Order) -> CommandId {
        self.grant();
        self.gateway.command(self.now(), NODE, order).unwrap()
    }

    /// Sets aside the down counters that the gateway asks for.
    fn grant(&mut self) {
        while let Some((id, epoch)) = self.gateway.poll_down_request() {
            let first = self.down_counter;
            self.down_counter += 64;
            assert!(self.gateway.grant_down(id, epoch, DownSpan { first, end: first + 64 }));
        }
    }

    /// What came back of this command; none before its answer.
    pub(crate) fn result(&self, id: CommandId) -> Option<CommandResult> {
        self.acted.iter().find(|(of, _)| *of == id).map(|(_, result)| *result)
    }

    fn is_delivered(&self, id: AlertId) -> bool {
        self.delivered.iter().any(|alert| alert.id == id)
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap())
    }
}

fn gateway(state: Option<PeerState>, number: u8, now: Instant) -> Gateway<1> {
    let mut gateway = Gateway::new();
    let peer = PeerConfig {
        node: NODE,
        key: key(),
        epoch: state.as_ref().map_or(EPOCH, PeerState::epoch),
        gateway: number,
        down: DownSpan::EMPTY,
        exercise: false,
        answers_reports: true,
        state,
        seed: 1,
    };
    gateway.add(now, peer).unwrap();
    gateway
}
