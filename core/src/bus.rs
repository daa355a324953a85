//! Publish and subscribe inside one node: what an interrupt sees, handed to the context that may act on it.
//!
//! A [`Bus`] is a `static`. Anybody publishes, from any context, and never waits. Whoever listens has a [`Subscriber`]
//! of its own, reads at its own pace, highest precedence first, and is told how much it was too slow for. So an
//! interrupt hands a draft to the bus, and one context takes it from there to
//! [`Node::raise`](crate::role::node::Node::raise).
//!
//! There is a ring for each row of the [`ledger`](crate::ledger): each live precedence, and all of exercise. A message
//! can overwrite only one of its own row, so Routine by the million costs no Flash message, and an exercise nothing
//! live. A gap is counted for the row that has it: no Flash message is overwritten without its subscribers being told
//! that it was Flash.
//!
//! # Interrupts
//!
//! What is done with interrupts masked is one copy in or out of one slot and a few words beside it: no loop, no
//! search, no call of anybody else's code, the same for any number of subscribers and any capacity. At
//! `opt-level = "s"` a draft is published in 25 instructions on a Cortex-M4 and 31 on a Cortex-M0+, and read in 48
//! and 69. `critical-section` does the masking, so that parts without compare-and-swap are served too; the program
//! chooses its implementation.

use core::cell::Cell;
use core::fmt;

use critical_section::Mutex;

use crate::ledger::Row;
use crate::message::AlertDraft;
use crate::precedence::Precedence;

/// The rows in the order in which they are read: exercise after everything live.
const ORDER: [Row; 5] = [
    Row::Live(Precedence::Flash),
    Row::Live(Precedence::Immediate),
    Row::Live(Precedence::Priority),
    Row::Live(Precedence::Routine),
    Row::Exercise,
];

/// What a bus carries. `Copy`, so that handing it over runs nobody's code.
pub trait Message: Copy {
    /// How urgent it is.
    fn precedence(&self) -> Precedence;
    /// Whether it belongs to an exercise.
    fn is_exercise(&self) -> bool;
    /// The number of its kind.
    fn kind(&self) -> u8;
}

impl Message for AlertDraft {
    fn precedence(&self) -> Precedence {
        self.precedence()
    }

    fn is_exercise(&self) -> bool {
        self.exercise
    }

    fn kind(&self) -> u8 {
        self.body.code()
    }
}

/// Keeps the last `CAP` messages of each row: five times `CAP` in all.
///
/// `CAP` is how many messages of one row may come between two looks of the slowest subscriber. A burst of Flash longer
/// than that overwrites Flash, and is told.
///
/// ```
/// use alertbus::bus::{Bus, Heard, Topic};
/// use alertbus::ledger::Row;
/// use alertbus::message::kind::{DroneSighting, RocketLaunch};
/// use alertbus::{AlertDraft, Precedence};
///
/// static DRAFTS: Bus<4> = Bus::new();
///
/// // In the interrupt of a detector:
/// let seen = |draft: AlertDraft| DRAFTS.publisher().publish(draft);
/// let (rocket, drone) = (AlertDraft::new(RocketLaunch::default()), AlertDraft::new(DroneSighting::default()));
/// seen(rocket);
/// for _ in 0..1_000 {
///     seen(drone);
/// }
///
/// // In the main loop, before `Node::raise`:
/// let mut drafts = DRAFTS.subscribe(Topic::ALL);
/// assert_eq!(drafts.poll(), Some(Heard::Message(rocket)));
/// assert_eq!(drafts.poll(), Some(Heard::Message(drone)));
/// assert_eq!(drafts.poll(), Some(Heard::Missed { row: Row::Live(Precedence::Priority), count: 996 }));
/// assert_eq!(drafts.poll(), Some(Heard::Message(drone)));
/// ```
pub struct Bus<const CAP: usize, T = AlertDraft> {
    rings: [Mutex<Ring<CAP, T>>; ORDER.len()],
}

/// The right to publish on a bus, and no more.
#[derive(Clone, Copy)]
pub struct Publisher<'b, const CAP: usize, T = AlertDraft> {
    bus: &'b Bus<CAP, T>,
}

/// Hears everything on a bus that belongs to its topic, once.
pub struct Subscriber<'b, const CAP: usize, T = AlertDraft> {
    bus: &'b Bus<CAP, T>,
    topic: Topic,
    cursors: [Cursor; ORDER.len()],
}

/// What a subscriber wants to hear.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Topic {
    /// Messages of this kind only, or of all kinds.
    pub kind: Option<u8>,
    /// Messages of this precedence and above.
    pub precedence_min: Precedence,
    /// Those of exercises too. What acts on the world, such as a siren, leaves this off.
    pub exercise: bool,
}

/// What a subscriber heard.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a message that nobody looks at is lost"]
pub enum Heard<T = AlertDraft> {
    /// A message, the oldest of the highest row in which there is any.
    Message(T),
    /// Messages that were overwritten before they were read, and came before the one heard last in this row. Of which
    /// kind they were is not known any more, so a topic of one kind counts those of all kinds.
    Missed {
        /// Where they stood.
        row: Row,
        /// How many, at least 1.
        count: u64,
    },
}

impl<const CAP: usize, T: Message> Bus<CAP, T> {
    /// A bus on which nothing was said.
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(CAP > 0, "a bus that keeps no message carries none") };
        Self { rings: [const { Mutex::new(Ring::new()) }; ORDER.len()] }
    }

    /// A handle to publish by.
    #[must_use]
    pub const fn publisher(&self) -> Publisher<'_, CAP, T> {
        Publisher { bus: self }
    }

    /// Begins to listen, with the oldest messages that are kept: what an interrupt published before the main loop came
    /// here is heard, and what was overwritten by then is told as missed.
    #[must_use]
    pub const fn subscribe(&self, topic: Topic) -> Subscriber<'_, CAP, T> {
        Subscriber { bus: self, topic, cursors: [Cursor { next: 0, missed: 0 }; ORDER.len()] }
    }
}

impl<const CAP: usize, T: Message> Publisher<'_, CAP, T> {
    /// Says `message` to all that listen and will listen; the oldest of its row may give way.
    ///
    /// From any context, interrupts of every priority included. O(1): it masks interrupts once, for one copy.
    pub fn publish(&self, message: T) {
        let row = Row::of(message.precedence(), message.is_exercise());
        if let Some((_, ring)) = ORDER.iter().zip(&self.bus.rings).find(|(of, _)| **of == row) {
            critical_section::with(|masked| ring.borrow(masked).push(message));
        }
    }
}

impl<const CAP: usize, T: Message> Subscriber<'_, CAP, T> {
    /// The next thing to hear: the highest row first, exercise last, in the order of publication within a row. None
    /// where nothing of the topic is new.
    ///
    /// It masks interrupts for one copy at a time: once for each row without news, and again for each message of
    /// another kind that it passes over; at most five times `CAP` times.
    pub fn poll(&mut self) -> Option<Heard<T>> {
        let topic = self.topic;
        let mut rows = ORDER.into_iter().zip(&self.bus.rings).zip(&mut self.cursors);
        rows.find_map(
            |((row, ring), cursor)| if topic.wants_row(row) { cursor.poll(row, ring, topic) } else { None },
        )
    }
}

impl Topic {
    /// Everything, exercises too.
    pub const ALL: Self = Self { kind: None, precedence_min: Precedence::Routine, exercise: true };

    fn wants_row(self, row: Row) -> bool {
        match row {
            Row::Live(precedence) => precedence >= self.precedence_min,
            Row::Exercise => self.exercise,
        }
    }

    /// Whether it wants this message of a row that it wants.
    fn wants(self, message: &impl Message) -> bool {
        message.precedence() >= self.precedence_min && self.kind.is_none_or(|kind| kind == message.kind())
    }
}

/// How far a subscriber has come in one row.
#[derive(Clone, Copy)]
struct Cursor {
    /// Number of the message to read next.
    next: u64,
    /// Overwritten unread, and not yet told.
    missed: u64,
}

impl Cursor {
    /// A gap is told after the message behind it, so that a subscriber that is always too slow still hears messages.
    fn poll<const CAP: usize, T: Message>(
        &mut self,
        row: Row,
        ring: &Mutex<Ring<CAP, T>>,
        topic: Topic,
    ) -> Option<Heard<T>> {
        for _ in 0..CAP {
            if self.missed > 0 {
                break;
            }
            let next = self.next;
            let mut message = None;
            let number = critical_section::with(|masked| ring.borrow(masked).read(next, &mut message));
            let message = message?;
            self.missed = number.wrapping_sub(next);
            self.next = number.wrapping_add(1);
            if topic.wants(&message) {
                return Some(Heard::Message(message));
            }
        }
        let count = core::mem::take(&mut self.missed);
        (count > 0).then_some(Heard::Missed { row, count })
    }
}

/// The last `CAP` messages of one row, each with its number from 0 on. No number comes twice: at a thousand million a
/// second 64 bits last 500 years.
struct Ring<const CAP: usize, T> {
    slots: [Cell<Option<T>>; CAP],
    /// The slot that the next message goes to.
    next: Cell<usize>,
    /// Messages so far, and the number of the next.
    published: Cell<u64>,
}

// Both methods run with interrupts masked.
impl<const CAP: usize, T: Copy> Ring<CAP, T> {
    const fn new() -> Self {
        Self { slots: [const { Cell::new(None) }; CAP], next: Cell::new(0), published: Cell::new(0) }
    }

    fn push(&self, message: T) {
        let at = self.next.get();
        if let Some(slot) = self.slots.get(at) {
            slot.set(Some(message));
        }
        let behind = at.wrapping_add(1);
        self.next.set(if behind < CAP { behind } else { 0 });
        self.published.set(self.published.get().wrapping_add(1));
    }

    /// Copies the message with the number `next`, or the oldest that is kept where that one is overwritten, and answers
    /// its number. Where there is none `message` stays as it is.
    ///
    /// A slot is copied whole, by words, into its place, and this is never inlined: else the compiler takes the message
    /// to pieces and copies some of them by bytes, twice, while interrupts are masked.
    #[inline(never)]
    fn read(&self, next: u64, message: &mut Option<T>) -> u64 {
        let unread = self.published.get().wrapping_sub(next);
        if unread == 0 {
            return next;
        }
        let back = usize::try_from(unread).map_or(CAP, |unread| unread.min(CAP));
        let at = self.next.get();
        let slot = at.checked_sub(back).unwrap_or_else(|| at.wrapping_add(CAP).wrapping_sub(back));
        if let Some(slot) = self.slots.get(slot) {
            *message = slot.get();
        }
        let overwritten = unread.wrapping_sub(u64::try_from(back).unwrap_or(unread));
        next.wrapping_add(overwritten)
    }
}

impl<const CAP: usize, T: Message> Default for Bus<CAP, T> {
    fn default() -> Self {
        Self::new()
    }
}

impl<const CAP: usize, T> fmt::Debug for Bus<CAP, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Bus({CAP} a row)")
    }
}

impl<const CAP: usize, T> fmt::Debug for Publisher<'_, CAP, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Publisher({CAP} a row)")
    }
}

impl<const CAP: usize, T> fmt::Debug for Subscriber<'_, CAP, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Subscriber({:?})", self.topic)
    }
}

#[cfg(feature = "defmt")]
impl<const CAP: usize, T> defmt::Format for Bus<CAP, T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "bus, {=usize} a row", CAP);
    }
}

#[cfg(feature = "defmt")]
impl<const CAP: usize, T> defmt::Format for Publisher<'_, CAP, T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "publisher, {=usize} a row", CAP);
    }
}

#[cfg(feature = "defmt")]
impl<const CAP: usize, T> defmt::Format for Subscriber<'_, CAP, T> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "subscriber, {}", self.topic);
    }
}
