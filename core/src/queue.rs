//! Who goes first, and who gives way: a fixed-capacity queue of eight lanes.
//!
//! The four precedences live stand above the four in exercise; within a lane it is first in, first out. All lanes
//! are threaded through one pool of `N` slots, so [`push`](PrecedenceQueue::push), [`pop`](PrecedenceQueue::pop)
//! and displacement cost the same at any fill: no heap, no search, no move of another item.
//!
//! Each lane has two threads. What *waits* has never been sent and goes first; what is *airborne* has been sent
//! and is kept until somebody answers for it. A full pool gives way in the lowest lane under the newcomer's, what
//! is airborne longest first; then in the newcomer's own; live Flash never gives way. It follows:
//!
//! - a live Flash item is admitted while fewer than `N` live Flash items are resident;
//! - a higher precedence is never refused or displaced for a lower one.
//!
//! What the queue does not know: time, retries, keys for coalescing. Those are its owner's.

mod lane;

use core::fmt;

use lane::{Thread, highest, lowest};

pub use lane::Lane;

/// Where an item lies. It names that item only: once the item has left, the handle finds nothing, until the slot
/// has been used another 65,536 times.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Slot {
    index: u16,
    generation: u16,
}

/// What became of a push. Every one of the three names somebody; none may be overlooked.
#[derive(Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "an item may have been displaced or refused"]
pub enum Pushed<T> {
    /// The newcomer has a free slot.
    Kept(Slot),
    /// The newcomer has the slot of an item that gave way, handed back here with the lane it stood in.
    Displaced(Slot, Lane, T),
    /// Nothing gives way to the newcomer; it is handed back.
    Refused(T),
}

/// See the [module](self).
///
/// ```
/// use alertbus::queue::{Lane, PrecedenceQueue, Pushed};
/// use alertbus::Precedence::{Flash, Routine};
///
/// let mut queue = PrecedenceQueue::<&str, 2>::new();
/// assert!(matches!(queue.push(Lane::of(Routine, false), "first"), Pushed::Kept(_)));
/// assert!(matches!(queue.push(Lane::of(Routine, false), "second"), Pushed::Kept(_)));
/// assert!(matches!(queue.push(Lane::LIVE_FLASH, "urgent"), Pushed::Displaced(_, _, "first")));
/// assert_eq!(queue.pop(), Some(("urgent", Lane::of(Flash, false))));
/// assert_eq!(queue.pop(), Some(("second", Lane::of(Routine, false))));
/// ```
#[derive(Clone)]
pub struct PrecedenceQueue<T, const N: usize> {
    cells: [Cell<T>; N],
    ends: [Ends; Thread::COUNT],
    /// Bit n set: thread n is not empty.
    occupied: u16,
    /// First of the cells that were given back, which are linked by `next`. Where there is none, all that were ever used are
    /// resident.
    free: u16,
    len: u16,
}

/// No cell.
const NIL: u16 = u16::MAX;

#[derive(Clone)]
struct Cell<T> {
    item: Option<T>,
    next: u16,
    previous: u16,
    generation: u16,
    thread: Thread,
}

/// The oldest and the newest cell of a thread.
#[derive(Clone, Copy)]
struct Ends {
    head: u16,
    tail: u16,
}

impl Ends {
    const NONE: Self = Self { head: NIL, tail: NIL };
}

impl<T, const N: usize> PrecedenceQueue<T, N> {
    /// An empty queue.
    // Called, as `empty` is, so that it writes to where the queue is to be; as part of its caller it would be copied there.
    #[inline(never)]
    #[must_use]
    pub const fn new() -> Self {
        const { assert!(N > 0 && N < 0xffff, "a queue has 1 to 65,534 slots") };
        Self { cells: Self::empty(), ends: [Ends::NONE; Thread::COUNT], occupied: 0, free: NIL, len: 0 }
    }

    #[inline(never)]
    const fn empty() -> [Cell<T>; N] {
        [const { Cell::EMPTY }; N]
    }

    /// Items in the queue, waiting and airborne.
    #[must_use]
    pub fn len(&self) -> usize {
        usize::from(self.len)
    }

    /// Whether there is none.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.len == 0
    }

    /// Slots there are.
    #[must_use]
    pub const fn capacity(&self) -> usize {
        N
    }

    /// Whether a push into `lane` would be refused. O(1).
    #[must_use]
    pub fn would_refuse(&self, lane: Lane) -> bool {
        self.is_full() && self.giving_way(lane).is_none()
    }

    /// Puts `item` behind all others that wait in `lane`. O(1).
    pub fn push(&mut self, lane: Lane, item: T) -> Pushed<T> {
        if self.is_full() {
            return match self.giving_way(lane) {
                Some(thread) => self.displace(thread, lane, item),
                None => Pushed::Refused(item),
            };
        }
        // Where none was given back, the first that was never used lies behind as many as are resident.
        let index = if self.free == NIL { self.len } else { self.free };
        let Some(cell) = self.cell_mut(index) else { return Pushed::Refused(item) };
        cell.item = Some(item);
        let slot = Slot { index, generation: cell.generation };
        let next_free = cell.next;
        self.free = next_free;
        self.len = self.len.wrapping_add(1);
        self.link(index, Thread::waiting(lane));
        Pushed::Kept(slot)
    }

    /// Takes out the item that goes first: the oldest that waits in the highest lane. O(1).
    ///
    /// The item stands first in the answer because there it is moved in whole words: a lane before it makes eight words
    /// cost 440 instructions more on a Cortex-M4.
    pub fn pop(&mut self) -> Option<(T, Lane)> {
        let thread = self.first()?;
        let index = self.unlink_first(thread)?;
        let item = self.free(index)?;
        Some((item, thread.lane()))
    }

    /// The item that goes first, with its lane. O(1).
    #[must_use]
    pub fn peek(&self) -> Option<(Slot, Lane, &T)> {
        self.entry(self.ends.get(self.first()?.place())?.head)
    }

    /// The item has been sent: it leaves those that wait and joins, last, those that are airborne. O(1).
    ///
    /// True when it was waiting. The order among the airborne stays that of their first sending.
    pub fn mark_sent(&mut self, slot: Slot) -> bool {
        let Some(index) = self.find(slot) else { return false };
        let Some(thread) = self.cell(index).map(|cell| cell.thread) else { return false };
        if thread.is_airborne() {
            return false;
        }
        self.unlink(index);
        self.link(index, Thread::airborne(thread.lane()));
        true
    }

    /// Takes out the item at `slot`, if it is still there. O(1).
    pub fn remove(&mut self, slot: Slot) -> Option<T> {
        let index = self.find(slot)?;
        self.unlink(index);
        self.free(index)
    }

    /// The item at `slot`, if it is still there. O(1).
    #[must_use]
    pub fn item(&self, slot: Slot) -> Option<&T> {
        self.cell(self.find(slot)?)?.item.as_ref()
    }

    /// The item at `slot`, if it is still there. O(1).
    pub fn item_mut(&mut self, slot: Slot) -> Option<&mut T> {
        let index = self.find(slot)?;
        self.cell_mut(index)?.item.as_mut()
    }

    /// All items with their lanes, in the order of the slots, which is no order of time. O(N).
    pub fn iter(&self) -> impl Iterator<Item = (Slot, Lane, &T)> {
        (0..NIL).zip(&self.cells).filter_map(|(index, cell)| cell.entry(index))
    }

    /// As [`PrecedenceQueue::iter`], to change the items.
    pub fn iter_mut(&mut self) -> impl Iterator<Item = (Slot, Lane, &mut T)> {
        (0..NIL).zip(&mut self.cells).filter_map(|(index, cell)| {
            Some((Slot { index, generation: cell.generation }, cell.thread.lane(), cell.item.as_mut()?))
        })
    }

    /// All that are airborne, the highest lane first, in each lane as they were first sent. O(N), and next to nothing where
    /// none is.
    pub fn airborne(&self) -> impl Iterator<Item = (Slot, Lane, &T)> {
        let [_, mut lanes] = self.occupied.to_le_bytes();
        let mut next = NIL;
        core::iter::from_fn(move || {
            if next == NIL {
                let thread = Thread::airborne(highest(lanes)?);
                lanes &= !thread.lane().bit();
                next = self.ends.get(thread.place())?.head;
            }
            let index = next;
            next = self.cell(index)?.next;
            self.entry(index)
        })
    }

    fn is_full(&self) -> bool {
        usize::from(self.len) == N
    }

    /// The thread of those that wait in the highest lane.
    fn first(&self) -> Option<Thread> {
        let [waiting, _] = self.occupied.to_le_bytes();
        highest(waiting).map(Thread::waiting)
    }

    /// Whose oldest a newcomer in `lane` displaces: the lowest lane under its own; then its own, unless that is live
    /// Flash. In that lane those that are airborne, else those that wait.
    fn giving_way(&self, lane: Lane) -> Option<Thread> {
        let [waiting, airborne] = self.occupied.to_le_bytes();
        let lowest = lowest(waiting | airborne)?;
        if lowest > lane || lowest == Lane::LIVE_FLASH {
            return None;
        }
        let sent = Thread::airborne(lowest);
        Some(if self.occupied & sent.bit() != 0 { sent } else { Thread::waiting(lowest) })
    }

    /// Puts `item` into the cell of the oldest of `thread`, which gives way.
    fn displace(&mut self, thread: Thread, lane: Lane, item: T) -> Pushed<T> {
        let Some(index) = self.unlink_first(thread) else { return Pushed::Refused(item) };
        let Some(cell) = self.cell_mut(index) else { return Pushed::Refused(item) };
        let from = thread.lane();
        cell.generation = cell.generation.wrapping_add(1);
        let slot = Slot { index, generation: cell.generation };
        let gone = cell.item.replace(item);
        self.link(index, Thread::waiting(lane));
        match gone {
            Some(gone) => Pushed::Displaced(slot, from, gone),
            None => Pushed::Kept(slot),
        }
    }

    /// Empties the cell, which is in no thread any more, and puts it in front of the free ones.
    fn free(&mut self, index: u16) -> Option<T> {
        let free = self.free;
        let cell = self.cell_mut(index)?;
        cell.next = free;
        cell.generation = cell.generation.wrapping_add(1);
        let item = cell.item.take();
        self.free = index;
        self.len = self.len.wrapping_sub(1);
        item
    }

    /// Appends the cell to a thread.
    ///
    /// In line, as is [`Self::unlink_first`]: a call costs a tenth of a push.
    #[inline(always)]
    fn link(&mut self, index: u16, thread: Thread) {
        let Some(ends) = self.ends.get_mut(thread.place()) else { return };
        let last = core::mem::replace(&mut ends.tail, index);
        if last == NIL {
            ends.head = index;
            self.occupied |= thread.bit();
        }
        if let Some(cell) = self.cell_mut(last) {
            cell.next = index;
        }
        if let Some(cell) = self.cell_mut(index) {
            cell.next = NIL;
            cell.previous = last;
            cell.thread = thread;
        }
    }

    /// Takes the oldest cell out of a thread.
    #[inline(always)]
    fn unlink_first(&mut self, thread: Thread) -> Option<u16> {
        let ends = self.ends.get_mut(thread.place())?;
        let index = ends.head;
        let next = self.cells.get(usize::from(index))?.next;
        ends.head = next;
        match self.cells.get_mut(usize::from(next)) {
            Some(cell) => cell.previous = NIL,
            None => {
                ends.tail = NIL;
                self.occupied &= !thread.bit();
            }
        }
        Some(index)
    }

    /// Takes the cell out of its thread.
    fn unlink(&mut self, index: u16) {
        let Some(&Cell { next, previous, thread, .. }) = self.cell(index) else { return };
        if let Some(cell) = self.cell_mut(previous) {
            cell.next = next;
        }
        if let Some(cell) = self.cell_mut(next) {
            cell.previous = previous;
        }
        let Some(ends) = self.ends.get_mut(thread.place()) else { return };
        if previous == NIL {
            ends.head = next;
        }
        if next == NIL {
            ends.tail = previous;
        }
        if ends.head == NIL {
            self.occupied &= !thread.bit();
        }
    }

    fn find(&self, slot: Slot) -> Option<u16> {
        let cell = self.cell(slot.index)?;
        (cell.item.is_some() && cell.generation == slot.generation).then_some(slot.index)
    }

    fn entry(&self, index: u16) -> Option<(Slot, Lane, &T)> {
        self.cell(index)?.entry(index)
    }

    fn cell(&self, index: u16) -> Option<&Cell<T>> {
        self.cells.get(usize::from(index))
    }

    fn cell_mut(&mut self, index: u16) -> Option<&mut Cell<T>> {
        self.cells.get_mut(usize::from(index))
    }
}

impl<T> Cell<T> {
    const EMPTY: Self = Self {
        item: None,
        next: NIL,
        previous: NIL,
        generation: 0,
        thread: Thread::waiting(Lane::LIVE_FLASH),
    };

    fn entry(&self, index: u16) -> Option<(Slot, Lane, &T)> {
        Some((Slot { index, generation: self.generation }, self.thread.lane(), self.item.as_ref()?))
    }
}

impl<T, const N: usize> Default for PrecedenceQueue<T, N> {
    fn default() -> Self {
        Self::new()
    }
}

impl<T, const N: usize> fmt::Debug for PrecedenceQueue<T, N> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PrecedenceQueue({} of {N})", self.len)
    }
}

#[cfg(feature = "defmt")]
impl<T, const N: usize> defmt::Format for PrecedenceQueue<T, N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PrecedenceQueue({=u16} of {=usize})", self.len, N);
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::lane::lane;
    use super::*;
    use crate::precedence::Precedence;
    use Precedence::{Flash, Immediate, Priority, Routine};
    use std::vec::Vec;

    #[test]
    fn lanes_in_their_order() {
        let lanes: Vec<Lane> = [true, false]
            .into_iter()
            .flat_map(|exercise| Precedence::ALL.map(|precedence| Lane::of(precedence, exercise)))
            .collect();
        for (number, pair) in lanes.windows(2).enumerate() {
            assert!(pair[0] < pair[1]);
            assert_eq!(usize::from(pair[0].0), number);
            assert_eq!(lane(number as u32), pair[0]);
        }
        assert_eq!(lanes[7], Lane::LIVE_FLASH);
    }

    #[test]
    fn first_in_first_out_within_a_lane() {
        let mut queue = PrecedenceQueue::<u32, 16>::new();
        for number in 0..16 {
            let precedence = Precedence::ALL[number as usize % 4];
            assert!(matches!(queue.push(Lane::of(precedence, false), number), Pushed::Kept(_)));
        }
        let popped: Vec<u32> = core::iter::from_fn(|| queue.pop()).map(|(number, _)| number).collect();
        assert_eq!(popped, [3, 7, 11, 15, 2, 6, 10, 14, 1, 5, 9, 13, 0, 4, 8, 12]);
    }

    #[test]
    fn the_longest_airborne_of_the_lowest_lane_gives_way() {
        let live = |precedence| Lane::of(precedence, false);
        let mut queue = PrecedenceQueue::<&str, 4>::new();
        let push = |queue: &mut PrecedenceQueue<_, 4>, lane, item| match queue.push(lane, item) {
            Pushed::Kept(slot) => slot,
            other => panic!("{other:?}"),
        };
        push(&mut queue, live(Priority), "waits");
        let first = push(&mut queue, live(Priority), "flies first");
        let second = push(&mut queue, live(Priority), "flies second");
        push(&mut queue, Lane::LIVE_FLASH, "flash");
        assert!(queue.mark_sent(first) && queue.mark_sent(second) && !queue.mark_sent(second));
        assert_eq!(queue.push(live(Routine), "low"), Pushed::Refused("low"));
        assert!(matches!(queue.push(live(Immediate), "a"), Pushed::Displaced(_, _, "flies first")));
        assert!(matches!(queue.push(live(Immediate), "b"), Pushed::Displaced(_, _, "flies second")));
        assert!(matches!(queue.push(live(Immediate), "c"), Pushed::Displaced(_, _, "waits")));
        assert!(matches!(queue.push(live(Immediate), "d"), Pushed::Displaced(_, _, "a")));
        for item in ["e", "f", "g"] {
            assert!(matches!(queue.push(Lane::LIVE_FLASH, item), Pushed::Displaced(..)));
        }
        assert!(queue.would_refuse(Lane::LIVE_FLASH));
        assert_eq!(queue.push(Lane::LIVE_FLASH, "h"), Pushed::Refused("h"));
    }

    #[test]
    fn exercise_flash_gives_way_to_every_live_alert_and_to_itself() {
        let exercise = Lane::of(Flash, true);
        let mut queue = PrecedenceQueue::<u8, 1>::new();
        assert!(matches!(queue.push(exercise, 1), Pushed::Kept(_)));
        assert!(matches!(queue.push(exercise, 2), Pushed::Displaced(_, lane, 1) if lane == exercise));
        assert!(matches!(queue.push(Lane::of(Routine, false), 3), Pushed::Displaced(_, _, 2)));
        assert_eq!(queue.push(exercise, 4), Pushed::Refused(4));
    }

    #[test]
    fn a_stale_handle_finds_nothing() {
        let mut queue = PrecedenceQueue::<u8, 1>::new();
        let Pushed::Kept(slot) = queue.push(Lane::LIVE_FLASH, 1) else { panic!() };
        assert_eq!(queue.item(slot), Some(&1));
        assert_eq!((queue.remove(slot), queue.remove(slot)), (Some(1), None));
        assert!(matches!(queue.push(Lane::LIVE_FLASH, 2), Pushed::Kept(_)));
        assert_eq!(queue.item(slot), None);
        assert_eq!((queue.remove(slot), queue.mark_sent(slot)), (None, false));
        assert_eq!(queue.iter().count(), 1);
    }
}
