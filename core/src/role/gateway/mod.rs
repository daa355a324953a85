//! A gateway: opens what nodes send, tells its host what is new, and acknowledges what the host has stored.
//!
//! [`Peer`] is the whole state of one node as a receiver sees it. [`Gateway`] is a fixed table of them for a small
//! gateway; a big host keeps peers in a map of its own and calls the same methods.
//!
//! An acknowledgement means STORED: it goes out only after the host has said, by [`Gateway::stored`], that the
//! alert is on its disk. What is known already is acknowledged again and not delivered again. What must outlive the
//! host is a [`PeerState`] for each node; when to write it, and what happens when the host dies, is told there.

mod agenda;
mod down;
mod event;
mod peer;
mod state;

use core::fmt;

use heapless::Vec;

use crate::message::{AlertId, CommandId, Epoch, NodeId, Order};
use crate::time::{EventTime, Instant};
use crate::wire::link::Link;
use crate::wire::packet::{self, PacketBuffer};

pub use down::DownSpan;
pub use event::{CommandEnd, CommandRefusal, GatewayEvent, Proof, ReceivedAlert, Rejected, Standing};
pub use peer::{Peer, PeerConfig, PeerCounts};
pub use state::PeerState;

use agenda::Agenda;
use peer::Rank;

/// A fixed table of up to `NODES` peers.
///
/// ```
/// use alertbus::role::gateway::{DownSpan, Gateway, PeerConfig, PeerState};
/// use alertbus::time::Instant;
/// use alertbus::wire::keys::{Epoch, MasterKey};
/// use alertbus::NodeId;
///
/// let master = MasterKey::from_bytes([7; 16]);
/// let mut gateway = Gateway::<4>::new();
/// let key = master.node_key(1, NodeId(12));
/// let config = PeerConfig {
///     node: NodeId(12),
///     key,
///     epoch: Epoch(1),
///     gateway: 0,
///     down: DownSpan::WHOLE,
///     exercise: false,
///     answers_reports: false,
///     state: Some(PeerState::new(Epoch(1))),
///     seed: 1,
/// };
/// assert!(gateway.add(Instant::START, config).is_ok());
/// assert!(gateway.peer(NodeId(12)).is_some());
/// ```
pub struct Gateway<const NODES: usize> {
    /// Sorted by node.
    peers: Vec<Peer, NODES>,
    /// What each of them has to do, in the same order.
    agenda: Agenda<NODES>,
    /// The peer that is asked first for a transmission: everybody's turn comes.
    turn: usize,
    /// What day it is, for nodes that are added later.
    calendar: Option<(Instant, EventTime)>,
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
        Self { peers: Vec::new(), agenda: Agenda::new(), turn: 0, calendar: None }
    }

    /// Makes a node known; from now on it is awaited. O(NODES).
    ///
    /// # Errors
    /// The table is full, or the node is in it: the configuration comes back.
    #[allow(clippy::result_large_err, reason = "without an allocator there is nowhere else to hand it back")]
    pub fn add(&mut self, now: Instant, config: PeerConfig) -> Result<(), PeerConfig> {
        let at = match self.position(config.node) {
            Err(at) if !self.peers.is_full() => at,
            _ => return Err(config),
        };
        let mut peer = Peer::new(now, config);
        if let Some((set_at, time)) = self.calendar {
            peer.set_calendar(set_at, time);
        }
        self.agenda.insert(at, &peer);
        let kept = self.peers.insert(at, peer);
        debug_assert!(kept.is_ok(), "there is room for one more");
        Ok(())
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
        let found = self.position(node).ok().and_then(|at| Some((at, self.peers.get_mut(at)?)));
        let Some((at, peer)) = found else {
            return GatewayEvent::Rejected { node: Some(node), why: Rejected::UnknownNode };
        };
        let event = peer.handle_sealed(now, link, &sealed);
        self.agenda.note(at, peer);
        event
    }

    /// The host has stored the alert: it is acknowledged from now on and never delivered again.
    ///
    /// False where no such alert was handed out.
    pub fn stored(&mut self, id: AlertId) -> bool {
        self.change(id.node, |peer| peer.stored(id)).unwrap_or(false)
    }

    /// The host could not store the alert: the node's next try is delivered anew.
    ///
    /// False where no such alert was handed out.
    pub fn not_stored(&mut self, id: AlertId) -> bool {
        self.change(id.node, |peer| peer.not_stored(id)).unwrap_or(false)
    }

    /// Orders a node to do something; see [`Peer::command`].
    ///
    /// # Errors
    /// Nothing is sent; see [`CommandRefusal`].
    pub fn command(&mut self, now: Instant, node: NodeId, order: Order) -> Result<CommandId, CommandRefusal> {
        self.change(node, |peer| peer.command(now, order)).unwrap_or(Err(CommandRefusal::UnknownNode))
    }

    /// What day it is: it dates alerts, and nodes that have heard nobody are told. O(NODES).
    pub fn set_calendar(&mut self, now: Instant, time: EventTime) {
        self.calendar = Some((now, time));
        for peer in &mut self.peers {
            peer.set_calendar(now, time);
        }
    }

    /// The node's silence until then is planned; see [`Peer::expect_silence`]. False where it is not known.
    pub fn expect_silence(&mut self, node: NodeId, until: Instant) -> bool {
        self.change(node, |peer| peer.expect_silence(until)).is_some()
    }

    /// Another gateway proves life as well; see [`Peer::accept_heard`].
    pub fn accept_heard(&mut self, node: NodeId, gateway: u8, from_counter: u32) -> bool {
        self.change(node, |peer| peer.accept_heard(gateway, from_counter)).unwrap_or(false)
    }

    /// The host has seen to two nodes under one key; see [`Peer::clear_clone`]. False where the node is not known.
    pub fn clear_clone(&mut self, node: NodeId) -> bool {
        self.change(node, Peer::clear_clone).is_some()
    }

    /// A node that can be answered only after the host has set down counters aside for it, and the epoch they are
    /// for: a node has moved on to a new epoch, or few are left. Each need is told once.
    pub fn poll_down_request(&mut self) -> Option<(NodeId, Epoch)> {
        let at = self.agenda.needs_down()?;
        self.change_at(at, |peer| Some((peer.node(), peer.poll_down_request()?)))?
    }

    /// The host has set these down counters aside, and written so to its disk; see [`Peer::grant_down`].
    pub fn grant_down(&mut self, node: NodeId, epoch: Epoch, span: DownSpan) -> bool {
        self.change(node, |peer| peer.grant_down(epoch, span)).unwrap_or(false)
    }

    /// When [`Gateway::handle_timeout`] has something to do; none while it has not.
    #[must_use]
    pub const fn poll_timeout(&self) -> Option<Instant> {
        self.agenda.wakes()
    }

    /// Does what has become due. Costs nothing while nothing has.
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.agenda.wakes().is_none_or(|wakes| wakes > now) {
            return;
        }
        for at in 0..self.peers.len() {
            if self.agenda.is_due(at, now) {
                self.change_at(at, |peer| peer.handle_timeout(now));
            }
        }
    }

    /// The next thing to be told that is no answer to a packet; none while nothing is. Nothing is lost where nobody
    /// polls: each peer keeps its own, each sort once.
    pub fn poll_event(&mut self) -> Option<GatewayEvent> {
        let at = self.agenda.has_events()?;
        self.change_at(at, Peer::poll_event)?
    }

    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say there.
    ///
    /// The highest precedence goes first, of equals the nodes take turns. Costs nothing while nobody has anything to
    /// say; else O(NODES), and the cipher.
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<Transmit<'o>> {
        // What has expired must not go out because nobody was awake.
        self.handle_timeout(now);
        let at = self.agenda.next_transmission(link.number, self.turn)?;
        self.turn = at.saturating_add(1);
        let peer = self.peers.get_mut(at)?;
        let node = peer.node();
        let packet = peer.poll_transmit(now, link, out);
        self.agenda.note(at, peer);
        Some(Transmit { node, packet: packet? })
    }

    /// Everything that may change a peer goes through here, so that the agenda stays true.
    fn change<T>(&mut self, node: NodeId, change: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let at = self.position(node).ok()?;
        self.change_at(at, change)
    }

    fn change_at<T>(&mut self, at: usize, change: impl FnOnce(&mut Peer) -> T) -> Option<T> {
        let peer = self.peers.get_mut(at)?;
        let result = change(peer);
        self.agenda.note(at, peer);
        Some(result)
    }

    fn position(&self, node: NodeId) -> Result<usize, usize> {
        self.peers.binary_search_by_key(&node, Peer::node)
    }
}

impl<const NODES: usize> Default for Gateway<NODES> {
    fn default() -> Self {
        Self::new()
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
