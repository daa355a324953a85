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

    /// Keeps an event in mind; the newest of its key counts, and the oldest of all gives way.
    pub(super) fn note(&mut self, event: Remembered) {
        self.forget(event.key, event.lane.is_exercise());
        if self.events.is_full() {
            self.events.pop_front();
        }
        let kept = self.events.push_back(event);
        debug_assert!(kept.is_ok(), "there is room for one");
    }

    /// The event is over.
    pub(super) fn forget(&mut self, key: EventKey, exercise: bool) {
        for _ in 0..self.events.len() {
            let Some(event) = self.events.pop_front() else { return };
            if event.key != key || event.lane.is_exercise() != exercise {
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
        for key in 2..2 + EVENTS_REMEMBERED as u16 {
            memory.note(event(key, 9, false));
        }
        assert_eq!((number(&memory, 1, false), number(&memory, 17, false)), (None, Some(9)));
        memory.forget(EventKey(17), true);
        assert_eq!(number(&memory, 17, false), Some(9), "an exercise ends nothing live");
        memory.forget(EventKey(17), false);
        assert_eq!(number(&memory, 17, false), None);
    }
}
