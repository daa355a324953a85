//! A message for tests, and what is heard of many.

use alertbus::Precedence;
use alertbus::bus::{Heard, Message, Subscriber};
use alertbus::ledger::Row;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Word {
    pub(crate) row: Row,
    pub(crate) kind: u8,
    pub(crate) number: u32,
}

impl Message for Word {
    fn precedence(&self) -> Precedence {
        match self.row {
            Row::Live(precedence) => precedence,
            // Words of an exercise are of every precedence.
            Row::Exercise => Precedence::from_bits(self.kind),
        }
    }

    fn is_exercise(&self) -> bool {
        self.row == Row::Exercise
    }

    fn kind(&self) -> u8 {
        self.kind
    }
}

pub(crate) const fn live(precedence: Precedence, number: u32) -> Word {
    Word { row: Row::Live(precedence), kind: 0, number }
}

/// All there is to hear now.
pub(crate) fn hear<const CAP: usize, T: Message>(subscriber: &mut Subscriber<'_, CAP, T>) -> Vec<Heard<T>> {
    std::iter::from_fn(|| subscriber.poll()).collect()
}
