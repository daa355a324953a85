//! Which peer has something to do, without asking each of them.

use heapless::Vec;

use super::Rank;
use super::peer::Peer;
use crate::time::Instant;

/// For each peer, in the same order, what it would answer now: some tens of bytes instead of some thousand.
#[derive(Default)]
pub(super) struct Agenda<const NODES: usize> {
    entries: Vec<Entry, NODES>,
    /// The earliest of all.
    wakes: Option<Instant>,
    /// How many have something to say, to tell, or to ask for.
    speaking: usize,
    telling: usize,
    asking: usize,
}

#[derive(Clone, Copy, Default, PartialEq)]
struct Entry {
    speaks: Option<(u8, Rank)>,
    wakes: Option<Instant>,
    tells: bool,
    asks: bool,
}

impl Entry {
    fn of(peer: &Peer) -> Self {
        Self {
            speaks: peer.next_transmission(),
            wakes: peer.poll_timeout(),
            tells: peer.has_events(),
            asks: peer.needs_down(),
        }
    }
}

impl<const NODES: usize> Agenda<NODES> {
    pub(super) const fn new() -> Self {
        Self { entries: Vec::new(), wakes: None, speaking: 0, telling: 0, asking: 0 }
    }

    /// A new peer stands there from now on.
    pub(super) fn insert(&mut self, at: usize, peer: &Peer) {
        let kept = self.entries.insert(at, Entry::default());
        debug_assert!(kept.is_ok(), "there is room for as many entries as peers");
        self.note(at, peer);
    }

    /// The peer that stands there may have changed. O(1), but O(NODES) where it was the next to wake.
    pub(super) fn note(&mut self, at: usize, peer: &Peer) {
        let Some(entry) = self.entries.get_mut(at) else { return };
        let (old, new) = (*entry, Entry::of(peer));
        *entry = new;
        recount(&mut self.speaking, old.speaks.is_some(), new.speaks.is_some());
        recount(&mut self.telling, old.tells, new.tells);
        recount(&mut self.asking, old.asks, new.asks);
        if new.wakes == old.wakes {
            return;
        }
        self.wakes = if old.wakes.is_some() && old.wakes == self.wakes {
            self.entries.iter().filter_map(|entry| entry.wakes).min()
        } else {
            self.wakes.into_iter().chain(new.wakes).min()
        };
    }

    pub(super) const fn wakes(&self) -> Option<Instant> {
        self.wakes
    }

    pub(super) fn is_due(&self, at: usize, now: Instant) -> bool {
        self.entries.get(at).and_then(|entry| entry.wakes).is_some_and(|wakes| wakes <= now)
    }

    pub(super) fn has_events(&self) -> Option<usize> {
        (self.telling > 0).then_some(())?;
        self.entries.iter().position(|entry| entry.tells)
    }

    pub(super) fn needs_down(&self) -> Option<usize> {
        (self.asking > 0).then_some(())?;
        self.entries.iter().position(|entry| entry.asks)
    }

    /// Who has the most urgent thing to say on that link; of equals the first from `turn` on.
    pub(super) fn next_transmission(&self, link: u8, turn: usize) -> Option<usize> {
        (self.speaking > 0).then_some(())?;
        let (before, behind) = self.entries.split_at_checked(turn).unwrap_or((&self.entries, &[]));
        let numbered = (turn..).zip(behind).chain((0..).zip(before));
        let there = numbered.filter_map(|(at, entry)| {
            let (heard_on, rank) = entry.speaks?;
            (heard_on == link).then_some((at, rank))
        });
        there.reduce(|best, next| if next.1 > best.1 { next } else { best }).map(|(at, _)| at)
    }
}

fn recount(count: &mut usize, before: bool, after: bool) {
    match (before, after) {
        (false, true) => *count = count.saturating_add(1),
        (true, false) => *count = count.saturating_sub(1),
        _ => {}
    }
}
