//! What a node knows of an event by the key its source gave it.

use super::Node;
use super::event::Handle;
use super::pending::Pending;
use crate::ledger::Outcome;
use crate::message::{Alert, Content, EventKey, Phase, Reference, Seq};
use crate::precedence::Precedence;
use crate::queue::{Lane, Slot};
use crate::store::Store;
use crate::time::Instant;

/// An event that a gateway may know of: how it travelled, and its onset as sequence and number, where it has one.
#[derive(Clone, Copy, Debug)]
pub(super) struct Event {
    pub(super) lane: Lane,
    pub(super) root: Option<(bool, Seq)>,
}

impl<S: Store, const N: usize> Node<S, N> {
    /// The event of this key as it is known: by the newest alert of it here (raised before `before`), or from memory.
    pub(super) fn event(&self, key: EventKey, exercise: bool, before: Option<Handle>) -> Option<Event> {
        let of_key = self.queue.iter().filter(|(_, lane, pending)| {
            pending.key == Some(key)
                && lane.is_exercise() == exercise
                && before.is_none_or(|before| pending.handle < before)
                && matches!(pending.phase(), Phase::Onset | Phase::Update)
        });
        let newest = of_key.max_by_key(|(_, _, pending)| pending.handle);
        let remembered = self.memory.find(key, exercise);
        match newest {
            Some((_, lane, pending)) => {
                let root = pending.root(lane.precedence() == Precedence::Flash);
                Some(Event { lane, root: root.or_else(|| remembered.map(|event| event.root)) })
            }
            None => remembered.map(|event| Event { lane: event.lane, root: Some(event.root) }),
        }
    }

    /// Forgets what was never sent of an event; true where nothing else of it was ever sent.
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
        forgotten && self.event(key, exercise, None).is_none()
    }

    fn unsent_of(&self, key: EventKey, exercise: bool) -> Option<(Slot, Lane)> {
        let mut of_key = self.queue.iter().filter(|(_, lane, pending)| {
            pending.key == Some(key) && !pending.sealed && lane.is_exercise() == exercise
        });
        of_key.next().map(|(slot, lane, _)| (slot, lane))
    }

    pub(super) fn unsent_onset(&self, key: EventKey, exercise: bool) -> Option<(Slot, Lane)> {
        let of_key = self.queue.iter().filter(|(_, lane, pending)| {
            let same = pending.key == Some(key) && lane.is_exercise() == exercise;
            same && !pending.sealed && pending.phase() == Phase::Onset
        });
        of_key.max_by_key(|(_, _, pending)| pending.handle).map(|(slot, lane, _)| (slot, lane))
    }

    pub(super) fn newest_unsent(&self, key: EventKey, lane: Lane) -> Option<(Slot, Handle)> {
        let of_key = self.queue.iter().filter(|&(_, its_lane, pending)| {
            let same = pending.key == Some(key) && its_lane == lane;
            same && !pending.sealed && pending.phase() == Phase::Onset
        });
        of_key.max_by_key(|(_, _, pending)| pending.handle).map(|(slot, _, pending)| (slot, pending.handle))
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

    /// The content of an alert that refers back, now that it is numbered; every other is as it was.
    pub(super) fn resolved(&mut self, pending: &Pending, lane: Lane, seq: Seq) -> Content {
        let key = pending.key.filter(|_| pending.unresolved);
        let Some(key) = key else { return pending.content };
        let event = self.event(key, lane.is_exercise(), Some(pending.handle));
        let Ok(alert) = Alert::decode(pending.content.as_slice()) else { return pending.content };
        if alert.phase != Phase::Update {
            self.memory.forget(key, lane.is_exercise());
        }
        let flash = lane.precedence() == Precedence::Flash;
        let reference = match event.and_then(|event| event.root) {
            Some((of_flash, root)) if of_flash == flash => back(seq, root),
            Some((_, root)) => Reference::Other(root),
            None => Reference::AllOfKind,
        };
        Alert { reference: Some(reference), ..alert }.content()
    }

    pub(super) fn mark_unresolved(&mut self, handle: Handle) {
        let queued = self.queue.iter_mut().find(|(_, _, pending)| pending.handle == handle);
        if let Some((_, _, pending)) = queued {
            pending.unresolved = true;
        }
    }
}

/// How far back that is in one sequence.
pub(super) fn back(seq: Seq, root: Seq) -> Reference {
    match seq.number().checked_sub(root.number()) {
        Some(distance) if distance > 0 => Reference::Back(distance),
        _ => Reference::AllOfKind,
    }
}
