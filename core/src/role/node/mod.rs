//! A sensor node: takes alerts, sends them by precedence, and keeps each until somebody answers for it.
//!
//! [`Node`] holds the whole policy of the way up. What to send next is decided in `transmit`, what an answer does
//! in `receive`, what survives a power cut in `storage`; this file is the door to all three.

mod chatter;
mod event;
mod keyed;
mod merge;
mod pending;
mod raise;
mod receive;
mod remembered;
mod storage;
mod summary;
mod transmit;

use core::fmt;

use heapless::Deque;

use crate::ledger::{Ledger, Outcome, Row};
use crate::limits::NODE_EVENTS_MAX;
use crate::message::{Epoch, NodeId, ResetCause, Seq};
use crate::queue::{Lane, PrecedenceQueue, Slot};
use crate::role::station::{Numbers, Station};
use crate::store::{Store, StoreError};
use crate::time::Instant;
use crate::wire::keys::NodeKey;

pub use crate::role::station::Rejected;
pub use event::{Handle, NodeEvent, Refusal, Submission};

use chatter::Chatter;
use pending::{Pending, Turn};
use remembered::Memory;
use summary::OpenSummary;

/// What a node must be told before it can start.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NodeConfig {
    /// Its address.
    pub node: NodeId,
    /// Its secret.
    pub key: NodeKey,
    /// Why it started.
    pub reset_cause: ResetCause,
    /// Spreads its retries over time, so that nodes that collide once do not collide for ever. Different in each
    /// node; it need not be secret.
    pub seed: u64,
}

/// A node with room for `N` alerts, over a store `S`.
///
/// ```
/// use alertbus::limits::PACKET_LEN_MAX;
/// use alertbus::message::kind::RocketLaunch;
/// use alertbus::message::ResetCause;
/// use alertbus::role::node::{Node, NodeConfig, Submission};
/// use alertbus::store::Volatile;
/// use alertbus::time::Instant;
/// use alertbus::wire::keys::{Epoch, MasterKey};
/// use alertbus::wire::link::Link;
/// use alertbus::{AlertDraft, NodeId};
///
/// let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12));
/// let config = NodeConfig { node: NodeId(12), key, reset_cause: ResetCause::PowerOn, seed: 12 };
/// let mut node = Node::<_, 8>::start(config, Volatile::new(Epoch(1), 1), Instant::START);
///
/// let now = Instant::from_millis(5);
/// assert!(matches!(node.raise(now, AlertDraft::new(RocketLaunch::default())), Submission::Queued { .. }));
/// let mut buffer = [0; PACKET_LEN_MAX];
/// let sealed = node.poll_transmit(now, &Link::small_radio(0), &mut buffer).unwrap();
/// assert_eq!(sealed.len(), 8 + 1 + 2 + 1 + 6 + 6 + 8 + 8);
/// ```
pub struct Node<S, const N: usize> {
    station: Station<S>,
    /// Alert numbers; there once the store has answered.
    numbers: Option<Sequences>,
    /// No open live Flash alert has a number below this: the oldest open one only ever becomes a later one.
    flash_floor_min: u32,
    queue: PrecedenceQueue<Pending, N>,
    /// Counts what finds no place in the queue.
    summary: Option<OpenSummary>,
    ledger: Ledger,
    chatter: Chatter,
    memory: Memory,
    /// Settled Flash alerts whose outcome is still to be written.
    outcomes: Deque<Seq, N>,
    /// Journalled alerts of earlier boots from this number on are still to be taken up.
    unread: Option<u32>,
    /// Outcomes found no place in that list: the journal is to be looked through for them from this number on.
    sweep: Option<u32>,
    events: Deque<NodeEvent, NODE_EVENTS_MAX>,
    events_lost: u32,
    raised: u64,
    flash_refused: u16,
    driver_errors: u16,
}

/// The numbers of alerts, which are never restarted.
struct Sequences {
    flash: Numbers,
    other: Numbers,
}

impl<S: Store, const N: usize> Node<S, N> {
    /// Starts a node. Where the store is not done at once, [`Node::handle_timeout`] goes on.
    #[must_use]
    pub fn start(config: NodeConfig, store: S, now: Instant) -> Self {
        let mut this = Self::new(config, store);
        this.catch_up(now);
        this
    }

    /// As [`Node::start`], but the store is not asked yet: the first [`Node::handle_timeout`] does, which
    /// [`Node::poll_timeout`] wants at once. A board builds its node with this where it is to stay, for a node that is
    /// passed on is copied, and takes that much stack.
    // Called, so that it writes to that place.
    #[inline(never)]
    #[must_use]
    pub fn new(config: NodeConfig, store: S) -> Self {
        const { assert!(N >= 2, "one slot is kept for a summary") };
        let NodeConfig { node, key, reset_cause, seed } = config;
        Self {
            station: Station::new(node, key, reset_cause, seed, store),
            numbers: None,
            flash_floor_min: 0,
            queue: PrecedenceQueue::new(),
            summary: None,
            ledger: Ledger::new(),
            chatter: Chatter::new(),
            memory: Memory::new(),
            outcomes: Deque::new(),
            unread: None,
            sweep: None,
            events: Deque::new(),
            events_lost: 0,
            raised: 0,
            flash_refused: 0,
            driver_errors: 0,
        }
    }

    /// Its address.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.station.node
    }

    /// Where its alerts went.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// The key epoch it speaks in; none before its store has answered.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.station.epoch()
    }

    /// Alerts it keeps, waiting and airborne, and the summary that is open.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.queue.len().saturating_add(self.summary.iter().len())
    }

    /// A detector or an annunciator has failed; reports carry the count.
    pub fn note_driver_error(&mut self) {
        self.driver_errors = self.driver_errors.wrapping_add(1);
    }

    /// Events that gave way because nobody polled them. The ledger has counted what they told.
    #[must_use]
    pub const fn events_lost(&self) -> u32 {
        self.events_lost
    }

    /// Why it says nothing, where its counters are lost.
    #[must_use]
    pub const fn silent(&self) -> Option<StoreError> {
        self.station.silent()
    }

    /// Whether the ledger balances and agrees with the queue. It always does; a simulation asserts it at each step.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.ledger.balances() && usize::try_from(self.ledger.resident()) == Ok(self.resident())
    }

    /// The next thing the caller should know.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        let failure = self.station.poll_failure().map(NodeEvent::StoreFailed);
        failure.or_else(|| self.events.pop_front())
    }

    /// When [`Node::handle_timeout`] has something to do; none while only an input can change anything. A moment
    /// already past asks for a call at the next opportunity: the store is busy. O(N).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        if self.station.silent().is_some() {
            return None;
        }
        let store = self.store_step();
        if !self.station.is_running() {
            return store;
        }
        let alerts = self.queue.iter().filter_map(|(_, lane, pending)| pending.next_step(lane));
        let summary = self.summary.as_ref().filter(|_| self.has_room_for_summary()).map(|open| open.ready);
        alerts.chain(self.station.next_step()).chain(summary).chain(store).min()
    }

    /// Does what has become due: goes on with the store, lets alerts expire, makes retries and reports ready for
    /// [`Node::poll_transmit`]. O(N).
    // Called, so that what it takes of the stack is not taken for good by a loop that never ends.
    #[inline(never)]
    pub fn handle_timeout(&mut self, now: Instant) {
        if self.station.is_running() {
            self.station.handle_timeout(now);
            self.handle_ages(now);
            self.release_summary(now);
        }
        self.catch_up(now);
        debug_assert!(self.is_balanced(), "the ledger must balance");
    }

    /// Lets alerts expire and makes those ready whose retry is due.
    fn handle_ages(&mut self, now: Instant) {
        // One pass finds at most one turn, because an alert that ends changes what is walked over.
        while let Some((slot, lane, handle, turn)) = self.next_turn(now) {
            match turn {
                Turn::Late => self.tell(NodeEvent::Late { handle }),
                Turn::Undelivered => self.tell(NodeEvent::Undelivered { handle }),
                Turn::Ended(outcome) => {
                    if let Some(pending) = self.queue.remove(slot) {
                        self.settle(lane, &pending, outcome);
                    }
                }
            }
        }
    }

    fn next_turn(&mut self, now: Instant) -> Option<(Slot, Lane, Handle, Turn)> {
        self.queue.iter_mut().find_map(|(slot, lane, pending)| {
            Some((slot, lane, pending.handle, pending.handle_timeout(now, lane)?))
        })
    }

    /// Writes down how an alert ended; it has left the queue already. What a gateway may know of is remembered by its
    /// key; an all-clear of what was never sent has nothing to end, and ends with it.
    fn settle(&mut self, lane: Lane, pending: &Pending, outcome: Outcome) {
        self.write_down(lane, pending, outcome);
        self.remember(lane, pending, outcome);
        while let Some((slot, lane)) = self.follower(pending.handle) {
            if let Some(follower) = self.queue.remove(slot) {
                self.write_down(lane, &follower, outcome);
            }
        }
    }

    fn write_down(&mut self, lane: Lane, pending: &Pending, outcome: Outcome) {
        self.ledger.settle(row(lane), outcome);
        self.forget(lane, pending);
        self.tell(NodeEvent::Settled {
            handle: pending.handle,
            precedence: lane.precedence(),
            exercise: lane.is_exercise(),
            seq: pending.seq,
            outcome,
        });
    }

    fn tell(&mut self, event: NodeEvent) {
        if self.events.is_full() {
            // Whoever does not poll must not stop the alerts; the ledger keeps what the event told.
            self.events.pop_front();
            self.events_lost = self.events_lost.saturating_add(1);
        }
        let kept = self.events.push_back(event);
        debug_assert!(kept.is_ok(), "there is room for one event");
    }
}

const fn row(lane: Lane) -> Row {
    Row::of(lane.precedence(), lane.is_exercise())
}

impl<S, const N: usize> fmt::Debug for Node<S, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Node({}, {:?})", self.station.node.0, self.queue)
    }
}

#[cfg(feature = "defmt")]
impl<S, const N: usize> defmt::Format for Node<S, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "node {=u16}, {}", self.station.node.0, self.queue);
    }
}
