//! What a source says, and what becomes of it: a place in the queue, a count in a summary, or an answer why not.

use super::event::{Handle, Refusal, Submission};
use super::keyed::{Event, reference};
use super::pending::{Pending, Refers};
use super::{Node, row};
use crate::ledger::Outcome;
use crate::message::{Alert, AlertDraft, Content, EventKey, Phase, Reference, Seq};
use crate::precedence::Precedence;
use crate::queue::{Lane, Pushed, Slot};
use crate::store::Store;
use crate::time::{EventTime, Instant};

impl<S: Store, const N: usize> Node<S, N> {
    /// Takes an alert: something begins. Its content is frozen here; a live Flash alert gets its number here. A draft
    /// without a time is dated now.
    ///
    /// Where an alert of the same key, Priority or Routine, is still here, the newer one takes its place. A live Flash
    /// alert for which there is no room, or whose key was raised three times within a minute, is counted into a
    /// summary.
    ///
    /// Cost: O(1) for the queue, one encoding; with a key a walk over the queue, for live Flash two, and a record in
    /// the store.
    pub fn raise(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Onset, draft)
    }

    /// More is known of the event with the draft's key. What was raised of it and never sent gives way; what was sent
    /// gives way when this is stored. It never travels lower than the event has so far.
    ///
    /// Without a key, or where the node knows the event no more, it refers to all that the node has open of its kind.
    /// Where the event is over it begins anew.
    pub fn update(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Update, draft)
    }

    /// The event with the draft's key was raised in error. What was never sent of it is forgotten; otherwise this
    /// travels as the event did, and frees what it cancels when it is stored. Of an event that the node knows no more
    /// it says as [`Node::clear`] does.
    pub fn cancel(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Cancel, draft)
    }

    /// The event with the draft's key is over. This travels as the event did, and behind it; where that gives way
    /// before it was ever sent, so does this.
    ///
    /// Without a key it ends all that the node has open of its kind. With one that the node knows no more too, unless it
    /// knows another event of that kind: then it is refused, because a wrong all-clear is worse than none.
    pub fn clear(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Clear, draft)
    }

    // Called, so that what it takes of the stack is not taken for good by a loop that never ends.
    #[inline(never)]
    fn submit(&mut self, now: Instant, phase: Phase, mut draft: AlertDraft) -> Submission {
        if draft.time == EventTime::default() {
            draft.time = self.station.time(now);
        }
        let submission = match self.admit(now, phase, &draft) {
            Ok(submission) => submission,
            Err((lane, why)) => {
                self.ledger.refuse(row(lane));
                if lane == Lane::LIVE_FLASH {
                    self.flash_refused = self.flash_refused.wrapping_add(1);
                }
                Submission::Refused { draft, why }
            }
        };
        self.catch_up(now);
        debug_assert!(self.is_balanced(), "the ledger must balance");
        submission
    }

    /// A refusal comes with the lane that the draft would have travelled in.
    fn admit(
        &mut self,
        now: Instant,
        phase: Phase,
        draft: &AlertDraft,
    ) -> Result<Submission, (Lane, Refusal)> {
        let own = Lane::of(draft.precedence(), draft.exercise);
        if let Some(error) = self.station.silent() {
            return Err((own, Refusal::Store(error)));
        }
        if !self.station.is_running() {
            return Err((own, Refusal::Starting));
        }
        let of_event = draft.key.filter(|_| phase != Phase::Onset);
        if let Some(key) = of_event.filter(|_| phase != Phase::Update && !draft.exercise) {
            self.chatter.forget(key);
        }
        let cancels = of_event.filter(|_| phase == Phase::Cancel);
        let forgotten = cancels.is_some_and(|key| self.forget_unsent(now, key, draft.exercise));
        let event = of_event.and_then(|key| self.event(key, draft.exercise));
        if forgotten && event.is_none() {
            // Neither was ever sent: the canceller is offered, accepted and cancelled in one.
            self.ledger.accept(row(own));
            self.ledger.settle(row(own), Outcome::Cancelled);
            return Ok(Submission::Cancelled);
        }
        let lane = match (phase, event) {
            (Phase::Onset, _) | (_, None) => own,
            (Phase::Update, Some(event)) => own.max(event.lane),
            // An end travels as what it ends, so that it keeps behind it.
            (Phase::Cancel | Phase::Clear, Some(event)) => event.lane,
        };
        let admitted = match (phase, event) {
            (Phase::Onset, _) => self.admit_onset(now, lane, draft),
            // More of what is over begins anew.
            (Phase::Update, Some(event)) if event.is_over => self.admit_onset(now, lane, draft),
            (Phase::Update, Some(event)) => self.admit_update(now, lane, draft, event),
            _ => self.admit_reference(now, phase, lane, draft, event, None),
        };
        admitted.map_err(|why| (lane, why))
    }

    fn admit_onset(&mut self, now: Instant, lane: Lane, draft: &AlertDraft) -> Result<Submission, Refusal> {
        let key = draft.key;
        let content = draft.onset(self.station.boot()).content();
        let before = key.and_then(|key| self.unsent_onset(key, lane));
        if let Some((_, of)) = before.filter(|&(slot, _)| self.holds(slot, &content)) {
            self.ledger.duplicate(row(lane));
            return Ok(Submission::Duplicate { of });
        }
        if lane != Lane::LIVE_FLASH {
            let pending = self.pending(now, key, None, content);
            if lane.precedence() < Precedence::Immediate {
                self.supersede_sent(lane, key);
                if let Some((slot, _)) = before {
                    return Ok(self.replace(now, lane, slot, pending));
                }
            }
            return self.enqueue(now, lane, pending);
        }
        let chatter = key.and_then(|key| self.chatter.holds(now, key, draft.severity));
        if chatter.is_some() || self.is_flash_full() {
            return self.merge(now, draft, chatter);
        }
        let seq = self.flash_seq()?;
        if let Some(key) = key {
            self.chatter.note(now, key, draft.severity, seq);
        }
        let pending = self.pending(now, key, Some(seq), content);
        self.enqueue(now, lane, pending)
    }

    /// What was never sent gives way at once: an onset to this one as the onset, an update to this one as the update.
    fn admit_update(
        &mut self,
        now: Instant,
        lane: Lane,
        draft: &AlertDraft,
        event: Event,
    ) -> Result<Submission, Refusal> {
        let newest = draft.key.and_then(|key| self.newest(key, draft.exercise));
        let unsent = newest.filter(|(_, _, pending)| !pending.sealed);
        let unsent = unsent.map(|(slot, lane, pending)| (slot, lane, pending.phase()));
        match unsent {
            Some((slot, old_lane, Phase::Onset)) if old_lane == lane => {
                let seq = if lane == Lane::LIVE_FLASH { Some(self.flash_seq()?) } else { None };
                let content = draft.onset(self.station.boot()).content();
                let pending = self.pending(now, draft.key, seq, content);
                Ok(self.replace(now, lane, slot, pending))
            }
            Some((slot, old_lane, Phase::Onset)) => {
                let submission = self.admit_onset(now, lane, draft)?;
                // Unless it has given way to that already.
                if let Some(old) = self.queue.remove(slot) {
                    self.settle(old_lane, &old, Outcome::Superseded);
                }
                Ok(submission)
            }
            Some((slot, old_lane, _)) if old_lane == lane => {
                self.admit_reference(now, Phase::Update, lane, draft, Some(event), Some(slot))
            }
            _ => self.admit_reference(now, Phase::Update, lane, draft, Some(event), None),
        }
    }

    /// An update, cancel or clear of something that a gateway may know of; `place` is that of an older one, never sent,
    /// that gives way.
    fn admit_reference(
        &mut self,
        now: Instant,
        phase: Phase,
        lane: Lane,
        draft: &AlertDraft,
        event: Option<Event>,
        place: Option<Slot>,
    ) -> Result<Submission, Refusal> {
        let flash = lane == Lane::LIVE_FLASH;
        if flash && place.is_none() && self.is_flash_lane_full() {
            return Err(Refusal::Full);
        }
        let refers = event.map_or(Refers::Said, |event| event.refers);
        if let (Refers::Said, Phase::Cancel | Phase::Clear, Some(key)) = (refers, phase, draft.key) {
            if self.knows_another(key, draft.body.code(), draft.exercise) {
                return Err(Refusal::UnknownEvent);
            }
        }
        let seq = if flash { Some(self.flash_seq()?) } else { None };
        let said = match (refers, seq) {
            (Refers::Onset(of_flash, onset), Some(seq)) => reference(lane, seq, (of_flash, onset)),
            // Where it refers to what is known, that is filled in as soon as this one is numbered.
            _ => Reference::AllOfKind,
        };
        let onset = draft.onset(self.station.boot());
        let content = Alert { phase, reference: Some(said), ..onset }.content();
        let refers = if flash { Refers::Said } else { refers };
        let pending = Pending { refers, ..self.pending(now, draft.key, seq, content) };
        match place {
            Some(slot) => Ok(self.replace(now, lane, slot, pending)),
            None => self.enqueue(now, lane, pending),
        }
    }

    fn pending(
        &mut self,
        now: Instant,
        key: Option<EventKey>,
        seq: Option<Seq>,
        content: Content,
    ) -> Pending {
        Pending { key, ..Pending::new(self.next_handle(), seq, content, now) }
    }

    /// Puts an alert in the place of one that was never sent, so that what is renewed often is not sent never.
    fn replace(&mut self, now: Instant, lane: Lane, slot: Slot, pending: Pending) -> Submission {
        let handle = pending.handle;
        self.ledger.accept(row(lane));
        if let Some(place) = self.queue.item_mut(slot) {
            let old = core::mem::replace(place, pending);
            self.settle(lane, &old, Outcome::Superseded);
        }
        self.journal_now(now);
        Submission::Queued { handle, displaced: None }
    }

    fn enqueue(&mut self, now: Instant, lane: Lane, pending: Pending) -> Result<Submission, Refusal> {
        let handle = pending.handle;
        let gave_way = match self.queue.push(lane, pending) {
            Pushed::Kept(_) => None,
            Pushed::Displaced(_, lane, pending) => Some((lane, pending)),
            Pushed::Refused(_) => return Err(Refusal::Full),
        };
        self.ledger.accept(row(lane));
        if let Some((lane, pending)) = &gave_way {
            self.settle(*lane, pending, Outcome::Displaced);
        }
        self.journal_now(now);
        Ok(Submission::Queued { handle, displaced: gave_way.map(|(_, pending)| pending.handle) })
    }

    pub(super) const fn next_handle(&mut self) -> Handle {
        let handle = Handle(self.raised);
        self.raised = self.raised.wrapping_add(1);
        handle
    }
}
