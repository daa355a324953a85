//! A sensor node: takes alerts, sends them by precedence, and keeps each until somebody answers for it.
//!
//! [`Node`] holds the whole policy of the way up. What to send next is decided in `transmit`, what an answer does
//! in `receive`, what survives a power cut in `storage`; this file is the door to all three.

mod event;
mod numbers;
mod pending;
mod receive;
mod storage;
mod transmit;

use core::fmt;
use core::task::Poll;

use heapless::Deque;
use rand_pcg::Pcg32;

use crate::ledger::{Ledger, Outcome, Row};
use crate::limits::{FLASH_SPAN_MAX, NODE_EVENTS_MAX};
use crate::message::{AlertDraft, Content, NodeId, ResetCause, Seq};
use crate::queue::{Lane, PrecedenceQueue, Pushed, Slot};
use crate::store::{Store, StoreError};
use crate::time::Instant;
use crate::wire::keys::{LinkKeys, NodeKey};

pub use event::{Handle, NodeEvent, Refusal, Rejected, Submission};

use numbers::Numbers;
use pending::Pending;
use receive::Gateways;
use storage::Health;
use transmit::Reports;

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
    node: NodeId,
    key: NodeKey,
    reset_cause: ResetCause,
    store: S,
    state: State,
    /// Keys and numbers; there once the store has answered.
    speaker: Option<Speaker>,
    queue: PrecedenceQueue<Pending, N>,
    ledger: Ledger,
    reports: Reports,
    gateways: Gateways,
    /// Settled Flash alerts whose outcome is still to be written.
    outcomes: Deque<Seq, N>,
    /// Journalled alerts of earlier boots from this number on are still to be taken up.
    unread: Option<u32>,
    health: Health,
    events: Deque<NodeEvent, NODE_EVENTS_MAX>,
    events_lost: u32,
    raised: u32,
    jitter: Pcg32,
}

/// How far the node has come with its start.
#[derive(Debug)]
enum State {
    /// The store has not yet said where to go on.
    Starting,
    /// Ready.
    Running,
    /// The counters are lost: it says nothing until it is provisioned anew.
    Silent(StoreError),
}

/// The keys of this epoch and the numbers of this boot.
struct Speaker {
    keys: LinkKeys,
    boot: u16,
    up: Numbers,
    flash: Numbers,
    other: Numbers,
}

impl<S: Store, const N: usize> Node<S, N> {
    /// Starts a node. Where the store is not done at once, [`Node::handle_timeout`] goes on.
    #[must_use]
    pub fn start(config: NodeConfig, store: S, now: Instant) -> Self {
        let NodeConfig { node, key, reset_cause, seed } = config;
        let mut this = Self {
            node,
            key,
            reset_cause,
            store,
            state: State::Starting,
            speaker: None,
            queue: PrecedenceQueue::new(),
            ledger: Ledger::new(),
            reports: Reports::new(),
            gateways: Gateways::new(),
            outcomes: Deque::new(),
            unread: None,
            health: Health::default(),
            events: Deque::new(),
            events_lost: 0,
            raised: 0,
            jitter: Pcg32::new(seed, u64::from(node.0)),
        };
        this.catch_up(now);
        this
    }

    /// Its address.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.node
    }

    /// Where its alerts went.
    #[must_use]
    pub const fn ledger(&self) -> &Ledger {
        &self.ledger
    }

    /// Alerts it keeps, waiting and airborne.
    #[must_use]
    pub fn resident(&self) -> usize {
        self.queue.len()
    }

    /// Events that gave way because nobody polled them. The ledger has counted what they told.
    #[must_use]
    pub const fn events_lost(&self) -> u32 {
        self.events_lost
    }

    /// Why it says nothing, where its counters are lost.
    #[must_use]
    pub const fn silent(&self) -> Option<StoreError> {
        match self.state {
            State::Silent(error) => Some(error),
            _ => None,
        }
    }

    /// Whether the ledger balances and agrees with the queue. It always does; a simulation asserts it at each step.
    #[must_use]
    pub fn is_balanced(&self) -> bool {
        self.ledger.balances() && usize::try_from(self.ledger.resident()) == Ok(self.queue.len())
    }

    /// Takes an alert. Its content is frozen here; a live Flash alert gets its number here.
    ///
    /// Cost: O(1) for the queue, one encoding; for live Flash a record in the store and a walk over the queue.
    pub fn raise(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        let lane = Lane::of(draft.precedence(), draft.exercise);
        let submission = self.admit(now, lane, &draft).unwrap_or_else(|why| {
            self.ledger.refuse(row(lane));
            self.reports.count_refused(lane);
            Submission::Refused { draft, why }
        });
        debug_assert!(self.is_balanced(), "the ledger must balance");
        submission
    }

    /// The next thing the caller should know.
    pub fn poll_event(&mut self) -> Option<NodeEvent> {
        self.events.pop_front()
    }

    /// When [`Node::handle_timeout`] has something to do; none while only an input can change anything. A moment
    /// already past asks for a call at the next opportunity: the store is busy. O(N).
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        match self.state {
            State::Silent(_) => None,
            State::Starting => self.store_step(),
            State::Running => {
                let alerts = self.queue.iter().filter_map(|(_, lane, pending)| pending.next_step(lane));
                alerts.chain(self.reports.next_step()).chain(self.store_step()).min()
            }
        }
    }

    /// Does what has become due: goes on with the store, lets alerts expire, makes retries and reports ready for
    /// [`Node::poll_transmit`]. O(N).
    pub fn handle_timeout(&mut self, now: Instant) {
        self.catch_up(now);
        if let State::Running = self.state {
            self.reports.handle_timeout(now);
            self.handle_ages(now);
        }
        debug_assert!(self.is_balanced(), "the ledger must balance");
    }

    /// Numbers, encodes and queues a draft, if there is room for it.
    fn admit(&mut self, now: Instant, lane: Lane, draft: &AlertDraft) -> Result<Submission, Refusal> {
        let flash_floor = self.flash_floor();
        let speaker = match (&self.state, &mut self.speaker) {
            (State::Running, Some(speaker)) => speaker,
            (State::Silent(error), _) => return Err(Refusal::Store(*error)),
            _ => return Err(Refusal::Starting),
        };
        if self.queue.would_refuse(lane) {
            return Err(Refusal::Full);
        }
        // Only live Flash has the guarantee and the gateway's floor; exercise must not use up its span.
        let seq = if lane == Lane::LIVE_FLASH {
            let next = speaker.flash.next();
            if next.saturating_sub(flash_floor.unwrap_or(next)) >= FLASH_SPAN_MAX {
                return Err(Refusal::FlashSpan);
            }
            match speaker.flash.take(&mut self.store) {
                Poll::Ready(number) => Seq::new(number.map_err(Refusal::Store)?),
                Poll::Pending => return Err(Refusal::StoreBusy),
            }
        } else {
            None
        };
        let content = draft.onset(speaker.boot).content();
        self.enqueue(now, lane, seq, content)
    }

    fn enqueue(
        &mut self,
        now: Instant,
        lane: Lane,
        seq: Option<Seq>,
        content: Content,
    ) -> Result<Submission, Refusal> {
        let handle = Handle(self.raised);
        let gave_way = match self.queue.push(lane, Pending::new(handle, seq, content, now)) {
            Pushed::Kept(_) => None,
            Pushed::Displaced(_, lane, pending) => Some((lane, pending)),
            Pushed::Refused(_) => return Err(Refusal::Full),
        };
        self.raised = self.raised.wrapping_add(1);
        self.ledger.accept(row(lane));
        if let Some((lane, pending)) = &gave_way {
            self.settle(*lane, pending, Outcome::Displaced);
        }
        self.journal_now(now);
        self.catch_up(now);
        Ok(Submission::Queued { handle, displaced: gave_way.map(|(_, pending)| pending.handle) })
    }

    /// Lets alerts expire and makes those ready whose retry is due.
    fn handle_ages(&mut self, now: Instant) {
        // One pass finds at most one alert that ends, because removing it changes what is walked over.
        while let Some((slot, lane, outcome)) = self.next_ended(now) {
            if let Some(pending) = self.queue.remove(slot) {
                self.settle(lane, &pending, outcome);
            }
        }
    }

    fn next_ended(&mut self, now: Instant) -> Option<(Slot, Lane, Outcome)> {
        self.queue
            .iter_mut()
            .find_map(|(slot, lane, pending)| Some((slot, lane, pending.handle_timeout(now, lane)?)))
    }

    /// Writes down how an alert ended; it has left the queue already.
    fn settle(&mut self, lane: Lane, pending: &Pending, outcome: Outcome) {
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
        write!(f, "Node({}, {:?}, {:?})", self.node.0, self.state, self.queue)
    }
}

#[cfg(feature = "defmt")]
impl<S, const N: usize> defmt::Format for Node<S, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "node {=u16}, {}", self.node.0, self.queue);
    }
}
