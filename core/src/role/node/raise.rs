//! What a source says, and what becomes of it: a place in the queue, a count in a summary, or an answer why not.

use super::event::{Handle, Refusal, Submission};
use super::keyed::{Event, back};
use super::pending::Pending;
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
    pub fn update(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Update, draft)
    }

    /// The event with the draft's key was raised in error. What was never sent of it is forgotten; otherwise this
    /// travels as the event did, and frees what it cancels when it is stored.
    pub fn cancel(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Cancel, draft)
    }

    /// The event with the draft's key is over. This travels as the event did, and behind it.
    pub fn clear(&mut self, now: Instant, draft: AlertDraft) -> Submission {
        self.submit(now, Phase::Clear, draft)
    }

    fn submit(&mut self, now: Instant, phase: Phase, mut draft: AlertDraft) -> Submission {
        if draft.time == EventTime::default() {
            draft.time = self.station.time(now);
        }
        let lane = Lane::of(draft.precedence(), draft.exercise);
        let submission = self.admit(now, phase, lane, &draft).unwrap_or_else(|why| {
            self.ledger.refuse(row(lane));
            if lane == Lane::LIVE_FLASH {
                self.flash_refused = self.flash_refused.wrapping_add(1);
            }
            Submission::Refused { draft, why }
        });
        self.catch_up(now);
        debug_assert!(self.is_balanced(), "the ledger must balance");
        submission
    }

    fn admit(
        &mut self,
        now: Instant,
        phase: Phase,
        lane: Lane,
        draft: &AlertDraft,
    ) -> Result<Submission, Refusal> {
        if let Some(error) = self.station.silent() {
            return Err(Refusal::Store(error));
        }
        if !self.station.is_running() {
            return Err(Refusal::Starting);
        }
        match (phase, draft.key) {
            (Phase::Onset, key) => self.admit_onset(now, lane, draft, key),
            (Phase::Update, Some(key)) => self.admit_update(now, lane, draft, key),
            (Phase::Cancel, Some(key)) if self.forget_unsent(now, key, draft.exercise) => {
                // Neither was ever sent: the canceller is offered, accepted and cancelled in one.
                self.ledger.accept(row(lane));
                self.ledger.settle(row(lane), Outcome::Cancelled);
                Ok(Submission::Cancelled)
            }
            (_, Some(key)) => {
                self.chatter.forget(key);
                let event = self.event(key, draft.exercise, None);
                // An end travels as what it ends, so that it keeps behind it.
                let lane = event.map_or(lane, |event| event.lane);
                self.admit_reference(now, phase, lane, draft, event)
            }
            (_, None) => self.admit_reference(now, phase, lane, draft, None),
        }
    }

    fn admit_onset(
        &mut self,
        now: Instant,
        lane: Lane,
        draft: &AlertDraft,
        key: Option<EventKey>,
    ) -> Result<Submission, Refusal> {
        let content = draft.onset(self.station.boot()).content();
        let before = key.and_then(|key| self.newest_unsent(key, lane));
        if let Some((_, of)) = before.filter(|&(slot, _)| self.holds(slot, &content)) {
            self.ledger.duplicate(row(lane));
            return Ok(Submission::Duplicate { of });
        }
        if lane != Lane::LIVE_FLASH {
            if lane.precedence() < Precedence::Immediate {
                self.supersede_sent(lane, key);
                if let Some((slot, _)) = before {
                    return Ok(self.replace(now, lane, slot, key, None, content));
                }
            }
            return self.enqueue(now, lane, key, None, content);
        }
        let chatter = key.and_then(|key| self.chatter.holds(now, key, draft.severity));
        if chatter.is_some() || self.is_flash_full() {
            return self.merge(now, draft, chatter);
        }
        let seq = self.flash_seq()?;
        if let Some(key) = key {
            self.chatter.note(now, key, draft.severity, seq);
        }
        self.enqueue(now, lane, key, Some(seq), content)
    }

    /// What was never sent gives way at once, and the update begins the event in its stead.
    fn admit_update(
        &mut self,
        now: Instant,
        lane: Lane,
        draft: &AlertDraft,
        key: EventKey,
    ) -> Result<Submission, Refusal> {
        let event = self.event(key, draft.exercise, None);
        let lane = event.map_or(lane, |event| lane.max(event.lane));
        let unsent = self.unsent_onset(key, draft.exercise);
        let Some((slot, old_lane)) = unsent else {
            return self.admit_reference(now, Phase::Update, lane, draft, event);
        };
        let seq = if lane == Lane::LIVE_FLASH { Some(self.flash_seq()?) } else { None };
        let content = draft.onset(self.station.boot()).content();
        if lane == old_lane {
            return Ok(self.replace(now, lane, slot, Some(key), seq, content));
        }
        if let Some(old) = self.queue.remove(slot) {
            self.settle(old_lane, &old, Outcome::Superseded);
        }
        self.enqueue(now, lane, Some(key), seq, content)
    }

    /// An update, cancel or clear of something that a gateway may know of.
    fn admit_reference(
        &mut self,
        now: Instant,
        phase: Phase,
        lane: Lane,
        draft: &AlertDraft,
        event: Option<Event>,
    ) -> Result<Submission, Refusal> {
        let flash = lane == Lane::LIVE_FLASH;
        if flash && self.is_flash_full() {
            return Err(Refusal::Full);
        }
        let seq = if flash { Some(self.flash_seq()?) } else { None };
        let root = event.and_then(|event| event.root);
        let reference = match (root, seq) {
            (Some((of_flash, root)), _) if of_flash != (lane.precedence() == Precedence::Flash) => {
                Reference::Other(root)
            }
            (Some((_, root)), Some(seq)) => back(seq, root),
            // The distance is known once this one is numbered.
            _ => Reference::AllOfKind,
        };
        let onset = draft.onset(self.station.boot());
        let content = Alert { phase, reference: Some(reference), ..onset }.content();
        let submission = self.enqueue(now, lane, draft.key, seq, content)?;
        if let (Submission::Queued { handle, .. }, Some(key)) = (submission, draft.key) {
            if seq.is_none() && reference == Reference::AllOfKind {
                self.mark_unresolved(handle);
            } else if phase != Phase::Update {
                self.memory.forget(key, draft.exercise);
            }
        }
        Ok(submission)
    }

    /// Puts an alert in the place of one that was never sent, so that what is renewed often is not sent never.
    fn replace(
        &mut self,
        now: Instant,
        lane: Lane,
        slot: Slot,
        key: Option<EventKey>,
        seq: Option<Seq>,
        content: Content,
    ) -> Submission {
        let handle = self.next_handle();
        let pending = Pending { key, ..Pending::new(handle, seq, content, now) };
        self.ledger.accept(row(lane));
        if let Some(place) = self.queue.item_mut(slot) {
            let old = core::mem::replace(place, pending);
            self.settle(lane, &old, Outcome::Superseded);
        }
        self.journal_now(now);
        Submission::Queued { handle, displaced: None }
    }

    fn enqueue(
        &mut self,
        now: Instant,
        lane: Lane,
        key: Option<EventKey>,
        seq: Option<Seq>,
        content: Content,
    ) -> Result<Submission, Refusal> {
        let handle = Handle(self.raised);
        let pending = Pending { key, ..Pending::new(handle, seq, content, now) };
        let gave_way = match self.queue.push(lane, pending) {
            Pushed::Kept(_) => None,
            Pushed::Displaced(_, lane, pending) => Some((lane, pending)),
            Pushed::Refused(_) => return Err(Refusal::Full),
        };
        self.raised = self.raised.wrapping_add(1);
        self.ledger.accept(row(lane));
        if let Some((lane, pending)) = &gave_way {
            self.settle(*lane, pending, Outcome::Displaced);
        }
        self.journal_now(now);
        Ok(Submission::Queued { handle, displaced: gave_way.map(|(_, pending)| pending.handle) })
    }

    pub(super) fn next_handle(&mut self) -> Handle {
        let handle = Handle(self.raised);
        self.raised = self.raised.wrapping_add(1);
        handle
    }
}
