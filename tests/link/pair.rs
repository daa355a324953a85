//! A node and a gateway on one clock, with a link between them that does what a test says.

use std::collections::BTreeMap;

use alertbus::limits::{BODY_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::{Ack, ResetCause};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert};
use alertbus::role::node::{Node, NodeConfig, NodeEvent, Rejected};
use alertbus::store::{Store, Volatile};
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch, MasterKey, NodeKey};
use alertbus::wire::link::Link;
use alertbus::wire::packet;
use alertbus::{AlertId, NodeId};

pub(crate) const NODE: NodeId = NodeId(12);
pub(crate) const SLOTS: usize = 8;
/// Free of duty limits, which have tests of their own.
pub(crate) const LINK: Link = Link { duty_permille: 1_000, ..Link::small_radio(3) };

pub(crate) fn node_key() -> NodeKey {
    MasterKey::from_bytes([7; 16]).node_key(1, NODE)
}

pub(crate) fn config(seed: u64) -> NodeConfig {
    NodeConfig { node: NODE, key: node_key(), reset_cause: ResetCause::PowerOn, seed }
}

/// Whether the host behind the gateway stores what it is given.
#[derive(Clone, Copy, PartialEq)]
pub(crate) enum Host {
    Stores,
    Waits,
}

pub(crate) struct Pair<S> {
    pub(crate) now: Instant,
    pub(crate) node: Node<S, SLOTS>,
    pub(crate) gateway: Gateway<2>,
    pub(crate) host: Host,
    pub(crate) delivered: Vec<ReceivedAlert>,
    pub(crate) duplicates: Vec<AlertId>,
    pub(crate) rejected: Vec<alertbus::role::gateway::Rejected>,
    pub(crate) reports: usize,
    /// Down counters that the host has set aside so far.
    pub(crate) down_counters: BTreeMap<Epoch, u32>,
    /// Every packet ever sent, so that a test can play one back.
    pub(crate) up: Vec<Vec<u8>>,
    pub(crate) down: Vec<Vec<u8>>,
}

impl Pair<Volatile> {
    pub(crate) fn new() -> Self {
        Self::with_store(Volatile::new(Epoch(1), 1))
    }
}

impl<S: Store> Pair<S> {
    pub(crate) fn with_store(store: S) -> Self {
        let mut gateway = Gateway::new();
        let peer = PeerConfig {
            node: NODE,
            key: node_key(),
            epoch: Epoch(1),
            gateway: 4,
            down: DownSpan::EMPTY,
            exercise: true,
            answers_reports: false,
            state: Some(PeerState::new(Epoch(1))),
            seed: 1,
        };
        gateway.add(Instant::START, peer).unwrap();
        Self {
            now: Instant::START,
            node: Node::start(config(1), store, Instant::START),
            gateway,
            host: Host::Stores,
            delivered: Vec::new(),
            duplicates: Vec::new(),
            rejected: Vec::new(),
            reports: 0,
            down_counters: BTreeMap::new(),
            up: Vec::new(),
            down: Vec::new(),
        }
    }

    /// Lets the node say all it has to say now.
    pub(crate) fn node_packets(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; PACKET_LEN_MAX];
        let mut packets = Vec::new();
        while let Some(packet) = self.node.poll_transmit(self.now, &LINK, &mut buffer) {
            packets.push(packet.to_vec());
        }
        self.up.extend(packets.clone());
        packets
    }

    /// The host's disk: down counters by epoch, never handed out twice.
    pub(crate) fn grant_down(&mut self) {
        while let Some((node, epoch)) = self.gateway.poll_down_request() {
            let first = self.down_counters.entry(epoch).or_insert(1);
            assert!(self.gateway.grant_down(node, epoch, DownSpan { first: *first, end: *first + 64 }));
            *first += 64;
        }
    }

    pub(crate) fn gateway_packets(&mut self) -> Vec<Vec<u8>> {
        self.grant_down();
        let mut buffer = [0; PACKET_LEN_MAX];
        let mut packets = Vec::new();
        while let Some(transmit) = self.gateway.poll_transmit(self.now, &LINK, &mut buffer) {
            packets.push(transmit.packet.to_vec());
        }
        self.down.extend(packets.clone());
        packets
    }

    /// Packets down so far that name an alert; others only answer a report.
    pub(crate) fn acknowledgements(&self) -> usize {
        let names = |packet: &&Vec<u8>| {
            let sealed = packet::parse(packet, LINK.tag).unwrap();
            let epoch = Epoch(1).resolve(sealed.header().epoch_low).unwrap();
            let key = node_key().link_key(Direction::Down, sealed.header().exercise, epoch);
            !Ack::decode(sealed.open(&key, &mut [0; BODY_LEN_MAX]).unwrap()).unwrap().items().is_empty()
        };
        self.down.iter().filter(names).count()
    }

    pub(crate) fn hand_up(&mut self, packet: &[u8]) {
        match self.gateway.handle_packet(self.now, &LINK, packet) {
            GatewayEvent::Alert(alert) => {
                if self.host == Host::Stores {
                    assert!(self.gateway.stored(alert.id));
                }
                self.delivered.push(alert);
            }
            GatewayEvent::Duplicate(id) => self.duplicates.push(id),
            GatewayEvent::Report { .. } => self.reports += 1,
            GatewayEvent::Rejected { why, .. } => self.rejected.push(why),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn hand_down(&mut self, packet: &[u8]) -> Result<(), Rejected> {
        let taken = self.node.handle_packet(self.now, &LINK, packet);
        assert!(self.node.is_balanced());
        taken
    }

    /// One exchange over a link that loses nothing.
    pub(crate) fn exchange(&mut self) {
        for packet in self.node_packets() {
            self.hand_up(&packet);
        }
        for packet in self.gateway_packets() {
            self.hand_down(&packet).unwrap();
        }
    }

    /// As [`Pair::exchange`], where the gateway may have kept answers from before a reboot.
    pub(crate) fn exchange_what_is_fresh(&mut self) {
        for packet in self.node_packets() {
            self.hand_up(&packet);
        }
        for packet in self.gateway_packets() {
            let taken = self.hand_down(&packet);
            assert!(matches!(taken, Ok(()) | Err(Rejected::Stale { .. })), "{taken:?}");
        }
    }

    /// Lets time pass and the node do what has become due.
    pub(crate) fn advance(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
        self.node.handle_timeout(self.now);
        assert!(self.node.is_balanced());
    }

    pub(crate) fn events(&mut self) -> Vec<NodeEvent> {
        std::iter::from_fn(|| self.node.poll_event()).collect()
    }
}
