//! Down counters: set aside by the host, used up by the gateway, and what the node says it has heard of them.

use core::ops::Range;

use heapless::Vec;

use crate::limits::{DOWN_COUNTER_MAX, DOWN_COUNTERS_LOW, GATEWAYS_PER_NODE, NODE_WINDOW_WORDS};
use crate::wire::window::ReplayWindow;

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

/// The down counters of one gateway for one node in one epoch.
pub(super) struct DownCounters {
    gateway: u8,
    span: DownSpan,
    /// The first that this start of the gateway could use; none before the host has set any aside.
    since_start: Option<u32>,
    /// The host has been asked for more.
    asked: bool,
    /// The node has heard this gateway beyond what it knows of itself: its state is an old copy.
    restored: bool,
    /// The highest of ours that the node has said to have heard, 0 before any.
    heard: u32,
    /// What the node may have heard last in the epoch before this one. A node forgets it as it moves on; one that
    /// does not must not be taken for proof of an old copy.
    last_epoch: Range<u32>,
    /// Gateways that share the node's state, and from which of their counters on.
    accepted: Vec<(u8, u32), GATEWAYS_PER_NODE>,
}

impl DownCounters {
    pub(super) fn new(gateway: u8, span: DownSpan, restored: bool) -> Self {
        let since_start = (span != DownSpan::EMPTY).then_some(span.first.max(1));
        Self {
            gateway,
            span,
            since_start,
            asked: false,
            restored,
            heard: 0,
            last_epoch: 0..0,
            accepted: Vec::new(),
        }
    }

    pub(super) const fn is_restored(&self) -> bool {
        self.restored
    }

    /// Whether anything may be sent under a new counter.
    pub(super) const fn may_speak(&self) -> bool {
        !self.restored && self.span.left() > 0
    }

    /// The next, the gateway's number in its top byte.
    pub(super) fn take(&mut self) -> Option<u32> {
        let [_, high, middle, low] = self.span.take()?.to_be_bytes();
        Some(u32::from_be_bytes([self.gateway, high, middle, low]))
    }

    /// Whether a counter taken earlier still lies in the window of a node that has heard all that came after.
    pub(super) fn is_in_window(&self, counter: u32) -> bool {
        let newest = self.span.first.saturating_sub(1);
        ReplayWindow::<NODE_WINDOW_WORDS>::taken_up_to(newest).is_near(counter & DOWN_COUNTER_MAX)
    }

    /// Which down counters of the new epoch are unused only the host can know.
    pub(super) fn move_on(&mut self) {
        self.last_epoch = self.heard.max(1)..self.span.first;
        self.span = DownSpan::EMPTY;
        self.since_start = None;
        self.asked = false;
        self.heard = 0;
        self.accepted.clear();
    }

    pub(super) const fn needs_more(&self) -> bool {
        self.span.left() < DOWN_COUNTERS_LOW && !self.asked && !self.restored
    }

    pub(super) fn ask(&mut self) -> bool {
        let needs = self.needs_more();
        self.asked |= needs;
        needs
    }

    pub(super) fn grant(&mut self, span: DownSpan) -> bool {
        let fits = span.first >= self.span.first && span.left() > 0;
        if fits {
            self.span = self.span.followed_by(span);
            self.since_start = self.since_start.or_else(|| Some(span.first.max(1)));
            self.asked = false;
        }
        fits
    }

    pub(super) fn accept(&mut self, gateway: u8, from: u32) -> bool {
        self.accepted.retain(|&(number, _)| number != gateway);
        self.accepted.push((gateway, from & DOWN_COUNTER_MAX)).is_ok()
    }

    /// Whether the node has heard, since this start, this gateway or one that shares the node's state. One that has
    /// heard this gateway's number say more than this gateway did has heard another copy of it.
    pub(super) fn is_heard(&mut self, heard: u32) -> bool {
        let [number, high, middle, low] = heard.to_be_bytes();
        let counter = u32::from_be_bytes([0, high, middle, low]);
        if counter == 0 {
            return false;
        }
        if number != self.gateway {
            return self.accepted.iter().any(|&(gateway, from)| gateway == number && counter >= from);
        }
        // Before the host has set counters aside for this epoch there is nothing to hold it against.
        if self.span == DownSpan::EMPTY {
            return false;
        }
        if counter >= self.span.first {
            self.restored |= !self.last_epoch.contains(&counter);
            return false;
        }
        self.heard = self.heard.max(counter);
        self.last_epoch = 0..0;
        self.since_start.is_some_and(|first| counter >= first)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_node_that_keeps_what_it_heard_over_an_epoch_is_no_proof_of_an_old_copy() {
        let ours = |counter: u32| 4 << 24 | counter;
        let mut down = DownCounters::new(4, DownSpan { first: 10, end: 100 }, false);
        for _ in 0..40 {
            assert!(down.take().is_some());
        }
        assert!(down.is_heard(ours(30)) && !down.is_heard(ours(9)));
        down.move_on();
        assert!(down.grant(DownSpan { first: 1, end: 65 }));
        for counter in 30..50 {
            assert!(!down.is_heard(ours(counter)) && !down.is_restored(), "{counter}");
        }
        // Beyond what was said in either epoch, or in the new one once it has heard that: another copy.
        let mut later = DownCounters::new(4, DownSpan { first: 10, end: 100 }, false);
        later.move_on();
        assert!(later.grant(DownSpan { first: 1, end: 65 }));
        assert!(!later.is_heard(ours(50)) && later.is_restored());
        assert!(down.take().is_some() && down.is_heard(ours(1)));
        assert!(!down.is_heard(ours(30)) && down.is_restored());
    }

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
