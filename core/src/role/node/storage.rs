//! What a node owes its store: numbers ahead, live Flash alerts until they are settled.

use core::task::Poll;

use super::event::NodeEvent;
use super::pending::Pending;
use super::{Node, Sequences, row};
use crate::ledger::Outcome;
use crate::message::Seq;
use crate::queue::{Lane, Pushed, Slot};
use crate::role::station::Numbers;
use crate::store::{Journalled, Series, Store, StoreError};
use crate::time::Instant;

impl<S: Store, const N: usize> Node<S, N> {
    /// Goes on with everything that the store still owes the node, as far as it allows.
    pub(super) fn catch_up(&mut self, now: Instant) {
        if !self.station.may_ask(now) {
            return;
        }
        let started = self.recover();
        let reserved = self.reserve_ahead();
        let journalled = self.journal();
        // What takes the place of a journalled alert comes first: no power cut may find neither of the two. Where the
        // journal fails it may be for want of room.
        let written = match journalled.is_ok() && self.next_undurable().is_some() {
            true => Ok(()),
            false => self.write_outcomes(),
        };
        // Each on its own: a record that cannot be written must not keep another from being written.
        let steps = [
            started,
            reserved,
            journalled,
            self.journal_summary(now),
            written,
            self.take_up(now),
            self.sweep(),
            self.station.keep_up(now, self.queue.is_empty()),
        ];
        let failure = steps.into_iter().find_map(Result::err);
        self.station.note_store(now, failure.map_or(Ok(()), Err));
    }

    /// Journals what was just raised, even where the store has just failed at something else.
    pub(super) fn journal_now(&mut self, now: Instant) {
        let (alerts, summary) = (self.journal(), self.journal_summary(now));
        let journalled = alerts.and(summary);
        if journalled.is_err() {
            self.station.note_store(now, journalled);
        }
    }

    /// When the store is to be asked next; none while it owes nothing.
    pub(super) fn store_step(&self) -> Option<Instant> {
        let summary = self.summary.as_ref().filter(|_| S::DURABLE).and_then(|open| open.journal_due());
        // A store that has failed is not asked before its time, whatever is due.
        let earliest = self.station.store_step(true);
        let summary = summary.max(earliest.filter(|_| summary.is_some()));
        let lags = self.station.store_lags() || self.store_lags();
        self.station.store_step(lags).into_iter().chain(summary).min()
    }

    fn store_lags(&self) -> bool {
        let low =
            self.numbers.as_ref().is_some_and(|numbers| numbers.flash.is_low() || numbers.other.is_low());
        let unread = self.unread.is_some() && !self.queue.would_refuse(Lane::LIVE_FLASH);
        let sweeps = self.sweep.is_some() && self.unread.is_none();
        low || unread || sweeps || !self.outcomes.is_empty() || self.next_undurable().is_some()
    }

    fn recover(&mut self) -> Result<(), StoreError> {
        if let Some(recovered) = self.station.recover()? {
            self.numbers = Some(Sequences {
                flash: Numbers::new(Series::FlashSeq, recovered.flash_seq),
                other: Numbers::new(Series::OtherSeq, recovered.other_seq),
            });
            self.unread = S::DURABLE.then_some(1);
        }
        Ok(())
    }

    /// Numbers are reserved before they run out, so that no alert has to wait for an erase.
    fn reserve_ahead(&mut self) -> Result<(), StoreError> {
        let Some(Sequences { flash, other }) = &mut self.numbers else { return Ok(()) };
        flash.reserve_ahead(&mut self.station.store)?;
        other.reserve_ahead(&mut self.station.store)
    }

    /// Takes up journalled alerts of earlier boots while there is room for them. Until the last of them is taken up
    /// the floor stays below it: the gateway must not take it for settled.
    fn take_up(&mut self, now: Instant) -> Result<(), StoreError> {
        while let Some(unread) = self.unread {
            if self.queue.would_refuse(Lane::LIVE_FLASH) {
                return Ok(());
            }
            let after = Seq::new(unread.saturating_sub(1));
            let Poll::Ready(found) = self.station.store.next_open(after) else { return Ok(()) };
            let first = self.numbers.as_ref().map_or(0, |numbers| numbers.flash.first());
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
        let handle = self.next_handle();
        // A gateway may have seen it: nobody remembers whether it was sent.
        let fresh = Pending::new(handle, Some(alert.seq), alert.content, now);
        let pending = Pending { key: alert.key, durable: true, sealed: true, ..fresh };
        self.ledger.accept(row(lane));
        if let Pushed::Displaced(_, lane, pending) = self.queue.push(lane, pending) {
            self.settle(lane, &pending, Outcome::Displaced);
        }
        self.tell(NodeEvent::Recovered { handle, seq: alert.seq, key: alert.key });
    }

    /// A settled alert need not be kept any longer.
    pub(super) fn forget(&mut self, lane: Lane, pending: &Pending) {
        if let (true, Lane::LIVE_FLASH, Some(seq)) = (S::DURABLE, lane, pending.seq) {
            // Where more are settled than the store can keep up with, what is left in the journal is looked for later.
            if self.outcomes.push_back(seq).is_err() {
                self.sweep = Some(1);
            }
        }
    }

    fn write_outcomes(&mut self) -> Result<(), StoreError> {
        while let Some(&seq) = self.outcomes.front() {
            let Poll::Ready(written) = self.station.store.outcome(seq) else { return Ok(()) };
            written?;
            self.outcomes.pop_front();
        }
        Ok(())
    }

    /// Looks through the journal for alerts that are settled and whose outcome found no place in the list. They would
    /// fill it, and come back after a power cut.
    fn sweep(&mut self) -> Result<(), StoreError> {
        while let Some(from) = self.sweep {
            // What is still to be taken up is settled no more than what is here.
            if self.unread.is_some() || !self.outcomes.is_empty() {
                return Ok(());
            }
            let after = Seq::new(from.saturating_sub(1));
            let Poll::Ready(found) = self.station.store.next_open(after) else { return Ok(()) };
            let Some(Journalled { seq, .. }) = found? else {
                self.sweep = None;
                return Ok(());
            };
            if !self.is_open(seq) {
                let Poll::Ready(written) = self.station.store.outcome(seq) else { return Ok(()) };
                written?;
            }
            self.sweep = Some(seq.number().saturating_add(1));
        }
        Ok(())
    }

    fn is_open(&self, seq: Seq) -> bool {
        let mut live_flash = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        let summary = self.summary.as_ref().is_some_and(|open| open.seq == seq);
        summary || live_flash.any(|(_, _, pending)| pending.seq == Some(seq))
    }

    /// Appends live Flash alerts in the order of their numbers.
    fn journal(&mut self) -> Result<(), StoreError> {
        while let Some((slot, seq)) = self.next_undurable() {
            let Some(pending) = self.queue.item_mut(slot) else { return Ok(()) };
            let alert = Journalled { seq, key: pending.key, content: pending.content };
            let Poll::Ready(written) = self.station.store.append(&alert) else { return Ok(()) };
            written?;
            pending.durable = true;
            let handle = pending.handle;
            self.tell(NodeEvent::Durable { handle, seq });
        }
        Ok(())
    }

    /// Writes down how far the open summary has counted, if that is due.
    fn journal_summary(&mut self, now: Instant) -> Result<(), StoreError> {
        let Some(open) = self.summary.as_mut().filter(|_| S::DURABLE) else { return Ok(()) };
        if open.journal_due().is_none_or(|due| due > now) {
            return Ok(());
        }
        let alert = Journalled { seq: open.seq, key: None, content: open.content() };
        let Poll::Ready(written) = self.station.store.append(&alert) else { return Ok(()) };
        written?;
        open.note_journalled(now);
        let (handle, seq) = (open.handle, open.seq);
        self.tell(NodeEvent::Durable { handle, seq });
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
