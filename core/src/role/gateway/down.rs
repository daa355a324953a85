//! Down counters: set aside by the host, used up by the gateway.

use crate::limits::DOWN_COUNTER_MAX;

/// Down counters of one epoch that no gateway of this number has used: 24 bits, from 1.
///
/// The host writes `end` to its disk before it hands the span over, and starts the next one there: a down counter
/// used twice would give the key stream away.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct DownSpan {
    /// The first of them, at least 1.
    pub first: u32,
    /// The first that is not part of it, at most [`DOWN_COUNTER_MAX`].
    pub end: u32,
}

impl DownSpan {
    /// None at all: the gateway stays quiet and asks for some.
    pub const EMPTY: Self = Self { first: 1, end: 1 };
    /// All there are. Only for keys that are thrown away with the gateway's state.
    pub const WHOLE: Self = Self { first: 1, end: DOWN_COUNTER_MAX };

    pub(super) const fn left(self) -> u32 {
        let end = if self.end < DOWN_COUNTER_MAX { self.end } else { DOWN_COUNTER_MAX };
        end.saturating_sub(self.first)
    }

    pub(super) fn take(&mut self) -> Option<u32> {
        let counter = self.first.max(1);
        self.first = if self.left() > 0 { counter.saturating_add(1) } else { return None };
        Some(counter)
    }

    /// Spans follow one another; where the next one joins on, what is left of this one is not lost.
    pub(super) fn followed_by(self, next: Self) -> Self {
        let first = if next.first <= self.end { self.first } else { next.first };
        Self { first, end: next.end.max(self.end) }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_used_up_once() {
        let mut span = DownSpan { first: 0, end: 3 };
        assert_eq!([span.take(), span.take(), span.take()], [Some(1), Some(2), None]);
        assert_eq!(DownSpan::EMPTY.left(), 0);
        assert_eq!(DownSpan { first: DOWN_COUNTER_MAX, end: u32::MAX }.take(), None);
        let joined = DownSpan { first: 7, end: 10 }.followed_by(DownSpan { first: 10, end: 20 });
        assert_eq!(joined, DownSpan { first: 7, end: 20 });
        let apart = DownSpan { first: 7, end: 10 }.followed_by(DownSpan { first: 15, end: 20 });
        assert_eq!(apart, DownSpan { first: 15, end: 20 });
    }
}
