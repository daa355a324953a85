//! Where a live Flash alert for which there is no room goes.

use core::task::Poll;

use super::event::{Refusal, Submission};
use super::pending::Pending;
use super::summary::OpenSummary;
use super::{Node, row};
use crate::ledger::Outcome;
use crate::limits::FLASH_SPAN_MAX;
use crate::message::{AlertDraft, Seq};
use crate::queue::{Lane, Pushed};
use crate::store::Store;
use crate::time::Instant;

impl<S: Store, const N: usize> Node<S, N> {
    /// Counts a live Flash alert into the open summary, or opens one.
    pub(super) fn merge(
        &mut self,
        now: Instant,
        draft: &AlertDraft,
        onset: Option<Seq>,
    ) -> Result<Submission, Refusal> {
        if self.summary.is_none() {
            let seq = self.flash_seq()?;
            let handle = self.next_handle();
            let boot = self.station.boot();
            self.summary = Some(OpenSummary::open(now, handle, seq, boot, draft, onset));
            self.ledger.accept(row(Lane::LIVE_FLASH));
        }
        let Some(open) = self.summary.as_mut().filter(|open| open.has_room()) else {
            return Err(Refusal::Full);
        };
        open.count(now, draft, onset);
        let into = open.handle;
        self.ledger.merge(row(Lane::LIVE_FLASH));
        self.journal_now(now);
        self.release_summary(now);
        Ok(Submission::Merged { into })
    }

    /// Lets the open summary join the queue, where it is ready and none of its kind is there. What it says is frozen
    /// from here on; what comes later is counted into another.
    pub(super) fn release_summary(&mut self, now: Instant) {
        if self.summary.as_ref().is_none_or(|open| open.ready > now) || !self.has_room_for_summary() {
            return;
        }
        let Some(open) = self.summary.take() else { return };
        let pending = Pending {
            durable: open.journal_due().is_none(),
            ..Pending::new(open.handle, Some(open.seq), open.content(), open.opened)
        };
        if let Pushed::Displaced(_, lane, pending) = self.queue.push(Lane::LIVE_FLASH, pending) {
            self.settle(lane, &pending, Outcome::Displaced);
        }
        self.journal_now(now);
    }

    /// Whether the open summary may join the queue: no other is there, and not all slots hold live Flash, as they may
    /// after a power cut.
    pub(super) fn has_room_for_summary(&self) -> bool {
        let mut flash = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        !flash.any(|(_, _, pending)| pending.is_summary()) && !self.queue.would_refuse(Lane::LIVE_FLASH)
    }

    /// Whether the next live Flash alert must go into a summary: there is no slot for it, or the numbers between the
    /// oldest open alert and the newest are as many as a gateway can tell apart but for one.
    pub(super) fn is_flash_full(&mut self) -> bool {
        self.is_flash_lane_full() || self.spans(FLASH_SPAN_MAX.saturating_sub(1))
    }

    /// Whether no slot is left for another live Flash alert but the one that is kept for a summary.
    pub(super) fn is_flash_lane_full(&self) -> bool {
        if self.queue.would_refuse(Lane::LIVE_FLASH) {
            return true;
        }
        // So many must be resident at all before it is worth a look at what they are.
        let slots = N.saturating_sub(1);
        if self.queue.len() < slots {
            return false;
        }
        // Several summaries may have come back after a power cut, or a source may raise its own.
        let flash = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        flash.filter(|(_, _, pending)| !pending.is_summary()).count() >= slots
    }

    /// The next Flash number, if it can still be told from a duplicate.
    pub(super) fn flash_seq(&mut self) -> Result<Seq, Refusal> {
        if self.spans(FLASH_SPAN_MAX) {
            return Err(Refusal::FlashSpan);
        }
        let numbers = self.numbers.as_mut().ok_or(Refusal::Starting)?;
        match numbers.flash.take(&mut self.station.store) {
            Poll::Ready(Ok(number)) => Seq::new(number).ok_or(Refusal::FlashSpan),
            Poll::Ready(Err(error)) => Err(Refusal::Store(error)),
            Poll::Pending => Err(Refusal::StoreBusy),
        }
    }

    /// Whether `span` numbers or more lie from the oldest open live Flash alert up to the next one's. Looks for the
    /// oldest only where the one found last lies that far back: it may have been settled since.
    fn spans(&mut self, span: u32) -> bool {
        let Some(next) = self.numbers.as_ref().map(|numbers| numbers.flash.next()) else { return false };
        if next.saturating_sub(self.flash_floor_min) >= span {
            self.flash_floor_min = self.flash_floor().unwrap_or(next);
        }
        next.saturating_sub(self.flash_floor_min) >= span
    }
}
