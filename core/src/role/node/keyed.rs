//! What a node knows of an event by the key its source gave it.

use super::Node;
use super::event::Handle;
use super::pending::{Pending, Refers};
use super::remembered::Remembered;
use crate::ledger::Outcome;
use crate::message::{Alert, Content, EventKey, Phase, Reference, Seq};
use crate::precedence::Precedence;
use crate::queue::{Lane, Slot};
use crate::store::Store;
use crate::time::Instant;

/// An event that a node knows of.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    /// How it travelled last.
    pub(super) lane: Lane,
    pub(super) refers: Refers,
    /// Its end waits here already, or is on its way.
    pub(super) is_over: bool,
}

impl<S: Store, const N: usize> Node<S, N> {
    /// The event of this key as it is known: by the newest alerts of it here, or from memory. O(N).
    pub(super) fn event(&self, key: EventKey, exercise: bool) -> Option<Event> {
        let begun = self.of_key(key, exercise).filter(|(_, _, pending)| !pending.is_end());
        let newest = begun.max_by_key(|(_, _, pending)| pending.handle);
        let known = self
            .of_key(key, exercise)
            .filter(|(_, lane, pending)| !pending.is_end() && pending.to_refer_to(*lane) != Refers::Said);
        let known = known.max_by_key(|(_, _, pending)| pending.handle);
        let known = known.map(|(_, lane, pending)| pending.to_refer_to(lane));
        let remembered = self.memory.find(key, exercise);
        let (of_memory, lane_then) = match remembered {
            Some(&Remembered { root: (of_flash, onset), lane, .. }) => {
                (Refers::Onset(of_flash, onset), Some(lane))
            }
            None => (Refers::Said, None),
        };
        let lane = newest.map(|(_, lane, _)| lane).or(lane_then)?;
        let is_over = self.newest(key, exercise).is_some_and(|(_, _, pending)| pending.is_end());
        Some(Event { lane, refers: known.unwrap_or(of_memory), is_over })
    }

    fn of_key(&self, key: EventKey, exercise: bool) -> impl Iterator<Item = (Slot, Lane, &Pending)> {
        self.queue
            .iter()
            .filter(move |(_, lane, pending)| pending.key == Some(key) && lane.is_exercise() == exercise)
    }

    /// The newest alert of this key.
    pub(super) fn newest(&self, key: EventKey, exercise: bool) -> Option<(Slot, Lane, &Pending)> {
        self.of_key(key, exercise).max_by_key(|(_, _, pending)| pending.handle)
    }

    /// The newest alert of this key, where that is an onset in this lane which was never sent. An onset that has its
    /// end behind it is another event: that end must not end what comes now.
    pub(super) fn unsent_onset(&self, key: EventKey, lane: Lane) -> Option<(Slot, Handle)> {
        let newest = self.newest(key, lane.is_exercise()).filter(|&(_, its_lane, pending)| {
            its_lane == lane && !pending.sealed && pending.phase() == Phase::Onset
        });
        newest.map(|(slot, _, pending)| (slot, pending.handle))
    }

    /// Whether an end of all of this kind would end an event of another key, as far as the node knows.
    pub(super) fn knows_another(&self, but: EventKey, kind: u8, exercise: bool) -> bool {
        let mut here = self.queue.iter().filter(|(_, lane, pending)| {
            pending.key != Some(but) && lane.is_exercise() == exercise && !pending.is_end()
        });
        here.any(|(_, _, pending)| pending.kind() == Some(kind))
            || self.memory.knows_another(but, kind, exercise)
    }

    /// Forgets what was never sent of an event; true where there was such.
    pub(super) fn forget_unsent(&mut self, now: Instant, key: EventKey, exercise: bool) -> bool {
        let mut forgotten = false;
        while let Some((slot, lane)) = self.unsent_of(key, exercise) {
            if let Some(pending) = self.queue.remove(slot) {
                self.settle(lane, &pending, Outcome::Cancelled);
                forgotten = true;
            }
        }
        if forgotten {
            self.release_summary(now);
        }
        forgotten
    }

    fn unsent_of(&self, key: EventKey, exercise: bool) -> Option<(Slot, Lane)> {
        let mut unsent = self.of_key(key, exercise).filter(|(_, _, pending)| !pending.sealed);
        unsent.next().map(|(slot, lane, _)| (slot, lane))
    }

    pub(super) fn holds(&self, slot: Slot, content: &Content) -> bool {
        self.queue.item(slot).is_some_and(|pending| pending.content == *content)
    }

    /// Newest wins: older onsets of the same key and lane that were sent are not sent again.
    pub(super) fn supersede_sent(&mut self, lane: Lane, key: Option<EventKey>) {
        let Some(key) = key else { return };
        loop {
            let older = self.queue.iter().find(|(_, its_lane, pending)| {
                let same = pending.key == Some(key) && *its_lane == lane;
                same && pending.sealed && pending.phase() == Phase::Onset
            });
            let Some((slot, ..)) = older else { return };
            if let Some(pending) = self.queue.remove(slot) {
                self.settle(lane, &pending, Outcome::Superseded);
            }
        }
    }

    /// What a gateway may have seen of an event can still be referred to, however its alert ended.
    pub(super) fn remember(&mut self, lane: Lane, pending: &Pending, outcome: Outcome) {
        let root = pending.root(lane.precedence() == Precedence::Flash);
        let refers_to_it = pending.sealed && !pending.is_end() && outcome != Outcome::Cancelled;
        if let (Some(key), Some(root), Some(kind), true) = (pending.key, root, pending.kind(), refers_to_it) {
            self.memory.note(Remembered { key, lane, kind, root });
        }
    }

    /// The end of an event is stored: nothing refers to it any more. What of it is still to be answered for is not
    /// remembered then.
    pub(super) fn note_end(&mut self, lane: Lane, end: &Pending) {
        let root = end.root(lane.precedence() == Precedence::Flash);
        let (Some(key), Some(root)) = (end.key, root) else { return };
        self.memory.forget(key, lane.is_exercise(), root);
        for (_, its_lane, pending) in self.queue.iter_mut() {
            let its_root = pending.root(its_lane.precedence() == Precedence::Flash);
            if pending.key == Some(key) && its_root == Some(root) && !pending.is_end() {
                pending.key = None;
            }
        }
    }

    /// An all-clear of this alert, which was never sent.
    pub(super) fn follower(&self, of: Handle) -> Option<(Slot, Lane)> {
        let mut behind = self.queue.iter().filter(|(_, _, pending)| pending.refers == Refers::Behind(of));
        behind.next().map(|(slot, lane, _)| (slot, lane))
    }

    /// The alert is under way: what waited behind it may now name it. Only what has a key has anything behind it.
    pub(super) fn note_sent(&mut self, handle: Handle, key: Option<EventKey>, root: (bool, Seq)) {
        if key.is_none() {
            return;
        }
        for (_, _, pending) in self.queue.iter_mut() {
            if pending.refers == Refers::Behind(handle) {
                pending.refers = Refers::Onset(root.0, root.1);
            }
        }
    }
}

/// The content of an alert that refers back, now that it is numbered; every other is as it was.
pub(super) fn resolved(pending: &Pending, lane: Lane, seq: Seq) -> Content {
    let Refers::Onset(of_flash, onset) = pending.refers else { return pending.content };
    let Ok(alert) = Alert::decode(pending.content.as_slice()) else { return pending.content };
    Alert { reference: Some(reference(lane, seq, (of_flash, onset))), ..alert }.content()
}

/// How an alert with this number refers to an onset.
pub(super) fn reference(lane: Lane, seq: Seq, (of_flash, onset): (bool, Seq)) -> Reference {
    if of_flash == (lane.precedence() == Precedence::Flash) {
        back(seq, onset)
    } else {
        Reference::Other(onset)
    }
}

/// How far back that is in one sequence.
fn back(seq: Seq, root: Seq) -> Reference {
    match seq.number().checked_sub(root.number()) {
        Some(distance) if distance > 0 => Reference::Back(distance),
        _ => Reference::AllOfKind,
    }
}
