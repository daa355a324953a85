//! What a node owes its store: numbers ahead, live Flash alerts until they are settled.

use core::task::Poll;

use super::event::{Handle, NodeEvent};
use super::numbers::Numbers;
use super::pending::Pending;
use super::{Node, Speaker, State, row};
use crate::ledger::Outcome;
use crate::limits::STORE_RETRY_MS;
use crate::message::Seq;
use crate::queue::{Lane, Pushed, Slot};
use crate::store::{Journalled, Store, StoreError};
use crate::time::{Duration, Instant};
use crate::wire::keys::LinkKeys;

/// How the store has answered last.
#[derive(Debug, Default)]
pub(super) struct Health {
    /// The failure that was told; told again only after a success.
    failed: Option<StoreError>,
    /// When to ask again after a failure.
    retry: Option<Instant>,
}

impl<S: Store, const N: usize> Node<S, N> {
    /// Goes on with everything that the store still owes the node, as far as it allows.
    pub(super) fn catch_up(&mut self, now: Instant) {
        if self.health.retry.is_some_and(|retry| retry > now) {
            return;
        }
        self.health.retry = None;
        let started = match self.state {
            State::Silent(_) => return,
            State::Starting => self.recover(),
            State::Running => Ok(()),
        };
        // Each on its own: a record that cannot be written must not keep another from being written.
        let steps = [started, self.reserve_ahead(), self.journal(), self.write_outcomes(), self.take_up(now)];
        match steps.into_iter().find_map(Result::err) {
            None => self.health.failed = None,
            Some(error) => self.store_failed(now, error),
        }
    }

    /// Journals what was just raised, even where the store has just failed at something else.
    pub(super) fn journal_now(&mut self, now: Instant) {
        if let Err(error) = self.journal() {
            self.store_failed(now, error);
        }
    }

    /// When the store is to be asked next; none while it owes nothing.
    pub(super) fn store_step(&self) -> Option<Instant> {
        let owes = matches!(self.state, State::Starting) || self.store_lags();
        owes.then_some(self.health.retry.unwrap_or(Instant::START))
    }

    fn store_lags(&self) -> bool {
        let low = self.speaker.as_ref().is_some_and(|speaker| {
            [&speaker.up, &speaker.flash, &speaker.other].into_iter().any(Numbers::is_low)
        });
        let unread = self.unread.is_some() && !self.queue.would_refuse(Lane::LIVE_FLASH);
        low || unread || !self.outcomes.is_empty() || self.next_undurable().is_some()
    }

    /// Told once in a row of failures; a store that has no more numbers to give silences the node.
    pub(super) fn store_failed(&mut self, now: Instant, error: StoreError) {
        self.health.retry = Some(now.after(Duration::from_millis(STORE_RETRY_MS)));
        let no_counters = self.speaker.as_ref().is_none_or(|speaker| speaker.up.is_spent());
        if error == StoreError::CounterLost || (error == StoreError::Spent && no_counters) {
            self.state = State::Silent(error);
        }
        if self.health.failed != Some(error) {
            self.health.failed = Some(error);
            self.tell(NodeEvent::StoreFailed(error));
        }
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        let Poll::Ready(recovered) = self.store.recover() else { return Ok(()) };
        let recovered = recovered?;
        self.speaker = Some(Speaker {
            keys: LinkKeys::new(&self.key, recovered.epoch),
            boot: recovered.boot,
            up: Numbers::up_counter(&recovered),
            flash: Numbers::flash(&recovered),
            other: Numbers::other(&recovered),
        });
        self.state = State::Running;
        self.unread = S::DURABLE.then_some(1);
        Ok(())
    }

    /// Numbers are reserved before they run out, so that no alert has to wait for an erase.
    fn reserve_ahead(&mut self) -> Result<(), StoreError> {
        let Some(Speaker { up, flash, other, .. }) = &mut self.speaker else { return Ok(()) };
        for numbers in [up, flash, other] {
            match numbers.is_low().then(|| numbers.top_up(&mut self.store)) {
                Some(Poll::Ready(topped_up)) => topped_up?,
                Some(Poll::Pending) | None => {}
            }
        }
        Ok(())
    }

    /// Takes up journalled alerts of earlier boots while there is room for them. Until the last of them is taken up
    /// the floor stays below it: the gateway must not take it for settled.
    fn take_up(&mut self, now: Instant) -> Result<(), StoreError> {
        while let Some(unread) = self.unread {
            if self.queue.would_refuse(Lane::LIVE_FLASH) {
                return Ok(());
            }
            let after = Seq::new(unread.saturating_sub(1));
            let Poll::Ready(found) = self.store.next_open(after) else { return Ok(()) };
            let first = self.speaker.as_ref().map_or(0, |speaker| speaker.flash.first());
            // What is numbered in this boot is in the queue already, or settled.
            match found?.filter(|alert| alert.seq.number() < first && alert.seq.number() >= unread) {
                None => self.unread = None,
                Some(alert) => {
                    self.requeue(now, &alert);
                    self.unread = Some(alert.seq.number().saturating_add(1));
                }
            }
        }
        Ok(())
    }

    /// A journalled alert of an earlier boot counts as offered and accepted in this one.
    fn requeue(&mut self, now: Instant, alert: &Journalled) {
        let lane = Lane::LIVE_FLASH;
        let mut pending = Pending::new(Handle(self.raised), Some(alert.seq), alert.content, now);
        pending.durable = true;
        self.raised = self.raised.wrapping_add(1);
        self.ledger.accept(row(lane));
        if let Pushed::Displaced(_, lane, pending) = self.queue.push(lane, pending) {
            self.settle(lane, &pending, Outcome::Displaced);
        }
    }

    /// A settled alert need not be kept any longer.
    pub(super) fn forget(&mut self, lane: Lane, pending: &Pending) {
        if let (true, Lane::LIVE_FLASH, Some(seq)) = (S::DURABLE, lane, pending.seq) {
            // Where more are settled than the store can keep up with, the oldest is not written: it would come
            // back after a power cut, and a gateway that knows it would acknowledge it again.
            if self.outcomes.is_full() {
                self.outcomes.pop_front();
            }
            let kept = self.outcomes.push_back(seq);
            debug_assert!(kept.is_ok(), "there is room for one outcome");
        }
    }

    fn write_outcomes(&mut self) -> Result<(), StoreError> {
        while let Some(&seq) = self.outcomes.front() {
            let Poll::Ready(written) = self.store.outcome(seq) else { return Ok(()) };
            written?;
            self.outcomes.pop_front();
        }
        Ok(())
    }

    /// Appends live Flash alerts in the order of their numbers.
    fn journal(&mut self) -> Result<(), StoreError> {
        while let Some((slot, seq)) = self.next_undurable() {
            let Some(pending) = self.queue.item_mut(slot) else { return Ok(()) };
            let alert = Journalled { seq, key: None, content: pending.content };
            let Poll::Ready(written) = self.store.append(&alert) else { return Ok(()) };
            written?;
            pending.durable = true;
            let handle = pending.handle;
            self.tell(NodeEvent::Durable { handle });
        }
        Ok(())
    }

    fn next_undurable(&self) -> Option<(Slot, Seq)> {
        if !S::DURABLE {
            return None;
        }
        let live_flash = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        let undurable = live_flash.filter(|(_, _, pending)| !pending.durable);
        undurable.filter_map(|(slot, _, pending)| Some((slot, pending.seq?))).min_by_key(|&(_, seq)| seq)
    }
}
