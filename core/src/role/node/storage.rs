//! What a node owes its store: numbers at the start, live Flash alerts until they are settled.

use core::task::Poll;

use super::event::{Handle, NodeEvent};
use super::numbers::Numbers;
use super::pending::Pending;
use super::{Node, Speaker, State, row};
use crate::limits::SEQ_MAX;
use crate::message::Seq;
use crate::queue::{Lane, Pushed, Slot};
use crate::store::{Journalled, Store};
use crate::time::Instant;
use crate::wire::keys::LinkKeys;

impl<S: Store, const N: usize> Node<S, N> {
    /// Goes on with the start as far as the store allows.
    pub(super) fn recover(&mut self, now: Instant) {
        if let State::Starting = self.state {
            let recovered = match self.store.recover() {
                Poll::Pending => return,
                Poll::Ready(Err(error)) => {
                    self.state = State::Silent(error);
                    return self.tell(NodeEvent::StoreFailed(error));
                }
                Poll::Ready(Ok(recovered)) => recovered,
            };
            self.speaker = Some(Speaker {
                keys: LinkKeys::new(&self.key, recovered.epoch),
                boot: recovered.boot,
                up: Numbers::up_counter(&recovered),
                flash: Numbers::flash(&recovered),
                other: Numbers::other(&recovered),
            });
            self.state = State::Recovering(None);
        }
        while let State::Recovering(after) = self.state {
            match self.store.next_open(after) {
                Poll::Pending => return,
                Poll::Ready(Ok(None)) => self.state = State::Running,
                Poll::Ready(Ok(Some(alert))) => {
                    self.take_up(now, &alert);
                    // A store that does not go upwards would hold the start for ever.
                    let onward = after.is_none_or(|after| alert.seq > after) && alert.seq.number() < SEQ_MAX;
                    self.state = if onward { State::Recovering(Some(alert.seq)) } else { State::Running };
                }
                Poll::Ready(Err(error)) => {
                    self.tell(NodeEvent::StoreFailed(error));
                    self.state = State::Running;
                }
            }
        }
    }

    /// A journalled alert of an earlier boot counts as offered and accepted in this one.
    fn take_up(&mut self, now: Instant, alert: &Journalled) {
        let lane = Lane::LIVE_FLASH;
        let mut pending = Pending::new(Handle(self.raised), Some(alert.seq), alert.content, now);
        pending.durable = true;
        self.raised = self.raised.wrapping_add(1);
        match self.queue.push(lane, pending) {
            Pushed::Kept(_) => self.ledger.accept(row(lane)),
            // It stays in the journal for the next start, and every report says that it is not being sent.
            Pushed::Displaced(..) | Pushed::Refused(_) => {
                self.ledger.refuse(row(lane));
                self.reports.count_refused(lane);
            }
        }
    }

    /// Whether the store still owes the node a record.
    pub(super) fn store_lags(&self) -> bool {
        let undurable = |lane, pending: &Pending| S::DURABLE && lane == Lane::LIVE_FLASH && !pending.durable;
        !self.outcomes.is_empty() || self.queue.iter().any(|(_, lane, pending)| undurable(lane, pending))
    }

    /// A settled alert need not be kept any longer.
    pub(super) fn forget(&mut self, lane: Lane, pending: &Pending) {
        if let (true, Lane::LIVE_FLASH, Some(seq)) = (S::DURABLE, lane, pending.seq) {
            // Where more are settled than the store can keep up with, the oldest is not written: it would come
            // back after a power cut, and the gateway would acknowledge it again.
            if self.outcomes.is_full() {
                self.outcomes.pop_front();
            }
            let kept = self.outcomes.push_back(seq);
            debug_assert!(kept.is_ok(), "there is room for one outcome");
            self.write_outcomes();
        }
    }

    /// Writes what the store could not take before.
    pub(super) fn catch_up(&mut self) {
        if S::DURABLE {
            self.write_outcomes();
            self.journal();
        }
    }

    fn write_outcomes(&mut self) {
        while let Some(&seq) = self.outcomes.front() {
            match self.store.outcome(seq) {
                Poll::Pending => return,
                Poll::Ready(written) => {
                    self.outcomes.pop_front();
                    if let Err(error) = written {
                        self.tell(NodeEvent::StoreFailed(error));
                    }
                }
            }
        }
    }

    /// Appends live Flash alerts in the order of their numbers.
    fn journal(&mut self) {
        while let Some((slot, seq)) = self.next_undurable() {
            let Some(pending) = self.queue.item_mut(slot) else { return };
            match self.store.append(&Journalled { seq, content: pending.content }) {
                Poll::Pending => return,
                Poll::Ready(Ok(())) => {
                    pending.durable = true;
                    let handle = pending.handle;
                    self.tell(NodeEvent::Durable { handle });
                }
                Poll::Ready(Err(error)) => return self.tell(NodeEvent::StoreFailed(error)),
            }
        }
    }

    fn next_undurable(&self) -> Option<(Slot, Seq)> {
        let live_flash = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        let undurable = live_flash.filter(|(_, _, pending)| !pending.durable);
        undurable.filter_map(|(slot, _, pending)| Some((slot, pending.seq?))).min_by_key(|&(_, seq)| seq)
    }
}
