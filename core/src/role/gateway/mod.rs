//! A gateway: opens what nodes send, tells its host what is new, and acknowledges what the host has stored.
//!
//! [`Peer`] is the whole state of one node as a receiver sees it. [`Gateway`] is a fixed table of them for a small
//! gateway; a big host keeps peers in a map of its own and calls the same methods.
//!
//! An acknowledgement means STORED: it goes out only after the host has said, by [`Gateway::stored`], that the
//! alert is on its disk. What is known already is acknowledged again and not delivered again.

mod down;
mod event;
mod peer;

use core::fmt;

use heapless::Vec;

use crate::message::{AlertId, Epoch, NodeId};
use crate::time::Instant;
use crate::wire::link::Link;
use crate::wire::packet::{self, PacketBuffer};

pub use down::DownSpan;
pub use event::{GatewayEvent, ReceivedAlert, Rejected};
pub use peer::{Peer, PeerConfig, PeerCounts};

/// A fixed table of up to `NODES` peers.
///
/// ```
/// use alertbus::role::gateway::{DownSpan, Gateway, PeerConfig};
/// use alertbus::wire::keys::{Epoch, MasterKey};
/// use alertbus::NodeId;
///
/// let master = MasterKey::from_bytes([7; 16]);
/// let mut gateway = Gateway::<4>::new();
/// let key = master.node_key(1, NodeId(12));
/// let config = PeerConfig { node: NodeId(12), key, epoch: Epoch(1), gateway: 0, down: DownSpan::WHOLE, exercise: false };
/// assert!(gateway.add(config).is_ok());
/// assert!(gateway.peer(NodeId(12)).is_some());
/// ```
#[derive(Default)]
pub struct Gateway<const NODES: usize> {
    /// Sorted by node.
    peers: Vec<Peer, NODES>,
    /// The peer that is asked first for a transmission: everybody's turn comes.
    turn: usize,
}

/// A packet to send.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Transmit<'o> {
    /// To whom.
    pub node: NodeId,
    /// The packet.
    pub packet: &'o [u8],
}

impl<const NODES: usize> Gateway<NODES> {
    /// A gateway that knows nobody.
    #[must_use]
    pub const fn new() -> Self {
        Self { peers: Vec::new(), turn: 0 }
    }

    /// Makes a node known. O(NODES).
    ///
    /// # Errors
    /// The table is full, or the node is in it: the configuration comes back.
    pub fn add(&mut self, config: PeerConfig) -> Result<(), PeerConfig> {
        match self.position(config.node) {
            Err(at) if !self.peers.is_full() => {
                self.peers.insert(at, Peer::new(config)).map_err(Peer::into_config)
            }
            _ => Err(config),
        }
    }

    /// The node as this gateway sees it. O(log NODES).
    #[must_use]
    pub fn peer(&self, node: NodeId) -> Option<&Peer> {
        self.peers.get(self.position(node).ok()?)
    }

    /// All nodes, by address.
    pub fn peers(&self) -> impl Iterator<Item = &Peer> {
        self.peers.iter()
    }

    /// Takes a packet that `link` has received and says what it was. One packet is at most one event, so there is
    /// no queue of events that could overflow.
    pub fn handle_packet(&mut self, now: Instant, link: &Link, packet: &[u8]) -> GatewayEvent {
        let sealed = match packet::parse(packet, link.tag) {
            Ok(sealed) => sealed,
            Err(error) => return GatewayEvent::Rejected { node: None, why: Rejected::Parse(error) },
        };
        let node = sealed.header().node;
        match self.peer_mut(node) {
            Some(peer) => peer.handle_sealed(now, link, &sealed),
            None => GatewayEvent::Rejected { node: Some(node), why: Rejected::UnknownNode },
        }
    }

    /// The host has stored the alert: it is acknowledged from now on and never delivered again.
    ///
    /// False where no such alert was handed out.
    pub fn stored(&mut self, id: AlertId) -> bool {
        self.peer_mut(id.node).is_some_and(|peer| peer.stored(id))
    }

    /// The host could not store the alert: the node's next try is delivered anew.
    ///
    /// False where no such alert was handed out.
    pub fn not_stored(&mut self, id: AlertId) -> bool {
        self.peer_mut(id.node).is_some_and(|peer| peer.not_stored(id))
    }

    /// A node that can be answered only after the host has set down counters aside for it, and the epoch they are
    /// for: a node has moved on to a new epoch, or few are left. Each need is told once. O(NODES).
    pub fn poll_down_request(&mut self) -> Option<(NodeId, Epoch)> {
        self.peers.iter_mut().find_map(|peer| Some((peer.node(), peer.poll_down_request()?)))
    }

    /// The host has set these down counters aside, and written so to its disk; see [`Peer::grant_down`].
    pub fn grant_down(&mut self, node: NodeId, epoch: Epoch, span: DownSpan) -> bool {
        self.peer_mut(node).is_some_and(|peer| peer.grant_down(epoch, span))
    }

    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say there.
    ///
    /// Nodes take turns. O(NODES), and the cipher.
    pub fn poll_transmit<'o>(&mut self, link: &Link, out: &'o mut PacketBuffer) -> Option<Transmit<'o>> {
        let len = self.peers.len();
        let turns = (self.turn..len).chain(0..self.turn);
        let at =
            turns.into_iter().find(|&at| self.peers.get(at).is_some_and(|peer| peer.has_acks_for(link)))?;
        self.turn = at.saturating_add(1).checked_rem(len).unwrap_or(0);
        let peer = self.peers.get_mut(at)?;
        let node = peer.node();
        let packet = peer.poll_transmit(link, out)?;
        Some(Transmit { node, packet })
    }

    fn peer_mut(&mut self, node: NodeId) -> Option<&mut Peer> {
        let at = self.position(node).ok()?;
        self.peers.get_mut(at)
    }

    fn position(&self, node: NodeId) -> Result<usize, usize> {
        self.peers.binary_search_by_key(&node, Peer::node)
    }
}

impl<const NODES: usize> fmt::Debug for Gateway<NODES> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Gateway({} of {NODES} nodes)", self.peers.len())
    }
}

#[cfg(feature = "defmt")]
impl<const NODES: usize> defmt::Format for Gateway<NODES> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "gateway of {=usize} nodes", self.peers.len());
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Transmit<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=usize} bytes to {}", self.packet.len(), self.node);
    }
}
