//! Events whose alerts have left the node and that may still be updated, cancelled or cleared by their key.

use heapless::Deque;

use crate::limits::EVENTS_REMEMBERED;
use crate::message::{EventKey, Seq};
use crate::queue::Lane;

/// An event that a gateway knows of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Remembered {
    pub(super) key: EventKey,
    pub(super) lane: Lane,
    /// Number of its kind.
    pub(super) kind: u8,
    /// Its onset: sequence and number.
    pub(super) root: (bool, Seq),
}

#[derive(Debug)]
pub(super) struct Memory {
    /// Oldest first, one for each key and sort (live or exercise).
    events: Deque<Remembered, EVENTS_REMEMBERED>,
}

impl Memory {
    pub(super) const fn new() -> Self {
        Self { events: Deque::new() }
    }

    pub(super) fn find(&self, key: EventKey, exercise: bool) -> Option<&Remembered> {
        self.events.iter().find(|event| event.key == key && event.lane.is_exercise() == exercise)
    }

    /// Whether there is an event of this kind and sort, but for those of one key.
    pub(super) fn knows_another(&self, but: EventKey, kind: u8, exercise: bool) -> bool {
        self.events
            .iter()
            .any(|event| event.key != but && event.kind == kind && event.lane.is_exercise() == exercise)
    }

    /// Keeps an event in mind; the newest of its key counts, and the oldest of all gives way.
    pub(super) fn note(&mut self, mut event: Remembered) {
        if let Some(known) = self.find(event.key, event.lane.is_exercise()) {
            // Alerts are answered for in any order.
            let (of_flash, onset) = event.root;
            if known.root.0 == of_flash && known.root.1 > onset {
                return;
            }
            if known.root == event.root {
                event.lane = event.lane.max(known.lane);
            }
            let root = known.root;
            self.forget(event.key, event.lane.is_exercise(), root);
        }
        if self.events.is_full() {
            self.events.pop_front();
        }
        let kept = self.events.push_back(event);
        debug_assert!(kept.is_ok(), "there is room for one");
    }

    /// The event is over; another that has taken its key since is not.
    pub(super) fn forget(&mut self, key: EventKey, exercise: bool, root: (bool, Seq)) {
        for _ in 0..self.events.len() {
            let Some(event) = self.events.pop_front() else { return };
            if event.key != key || event.lane.is_exercise() != exercise || event.root != root {
                let kept = self.events.push_back(event);
                debug_assert!(kept.is_ok(), "one was taken out");
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::precedence::Precedence;

    #[test]
    fn the_newest_of_a_key_and_the_newest_of_all() {
        let event = |key, number, exercise| Remembered {
            key: EventKey(key),
            lane: Lane::of(Precedence::Flash, exercise),
            kind: 1,
            root: (true, Seq::new(number).unwrap()),
        };
        let number = |memory: &Memory, key, exercise| {
            memory.find(EventKey(key), exercise).map(|event| event.root.1.number())
        };
        let mut memory = Memory::new();
        memory.note(event(1, 1, false));
        memory.note(event(1, 2, true));
        memory.note(event(1, 3, false));
        assert_eq!((number(&memory, 1, false), number(&memory, 1, true)), (Some(3), Some(2)));
        memory.note(event(1, 2, false));
        assert_eq!(number(&memory, 1, false), Some(3), "an older one, answered for late");
        for key in 2..2 + EVENTS_REMEMBERED as u16 {
            memory.note(event(key, 9, false));
        }
        assert_eq!((number(&memory, 1, false), number(&memory, 17, false)), (None, Some(9)));
        let root = |number| (true, Seq::new(number).unwrap());
        memory.forget(EventKey(17), true, root(9));
        assert_eq!(number(&memory, 17, false), Some(9), "an exercise ends nothing live");
        memory.forget(EventKey(17), false, root(8));
        assert_eq!(number(&memory, 17, false), Some(9), "another event of that key");
        assert!(
            memory.knows_another(EventKey(17), 1, false) && !memory.knows_another(EventKey(17), 2, false)
        );
        memory.forget(EventKey(17), false, root(9));
        assert_eq!(number(&memory, 17, false), None);
    }
}
