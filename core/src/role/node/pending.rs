//! One alert in a node's queue.

use super::event::Handle;
use crate::ledger::Outcome;
use crate::limits::{
    ROUTINE_ATTEMPTS_MAX, TIME_TO_LIVE_FLASH_MS, TIME_TO_LIVE_IMMEDIATE_MS, TIME_TO_LIVE_PRIORITY_MS,
    TIME_TO_LIVE_ROUTINE_MS,
};
use crate::message::{Content, Seq};
use crate::precedence::Precedence;
use crate::queue::Lane;
use crate::time::{Duration, Instant};

/// What a node keeps of an alert until it is settled.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) handle: Handle,
    /// Flash has one from the start, others from their first sealing.
    pub(super) seq: Option<Seq>,
    pub(super) content: Content,
    pub(super) raised: Instant,
    /// When to send it again; none when it may be sent now.
    pub(super) retry: Option<Instant>,
    pub(super) attempts: u8,
    pub(super) durable: bool,
}

impl Pending {
    pub(super) const fn new(handle: Handle, seq: Option<Seq>, content: Content, raised: Instant) -> Self {
        Self { handle, seq, content, raised, retry: None, attempts: 0, durable: false }
    }

    /// Whether it has been sent and is to be sent again now.
    pub(super) const fn wants_retry(&self) -> bool {
        self.attempts > 0 && self.retry.is_none()
    }

    /// When something is next to be done about it without an input; none for a live Flash alert that waits.
    pub(super) fn next_step(&self, lane: Lane) -> Option<Instant> {
        match (self.retry, self.expiry(lane)) {
            (Some(retry), Some(expiry)) => Some(retry.min(expiry)),
            (retry, expiry) => retry.or(expiry),
        }
    }

    /// Makes it ready to be sent again, if that is due, and says how it ends, if it does.
    pub(super) fn handle_timeout(&mut self, now: Instant, lane: Lane) -> Option<Outcome> {
        if self.expiry(lane).is_some_and(|expiry| expiry <= now) {
            return Some(Outcome::Expired);
        }
        if self.retry.is_some_and(|retry| retry <= now) {
            self.retry = None;
            let spent = lane.precedence() == Precedence::Routine && self.attempts >= ROUTINE_ATTEMPTS_MAX;
            return spent.then_some(Outcome::Undelivered);
        }
        None
    }

    /// When its time to live ends. A live Flash alert has no such moment.
    fn expiry(&self, lane: Lane) -> Option<Instant> {
        let time_to_live_ms = match lane.precedence() {
            Precedence::Flash if lane == Lane::LIVE_FLASH => return None,
            Precedence::Flash => TIME_TO_LIVE_FLASH_MS,
            Precedence::Immediate => TIME_TO_LIVE_IMMEDIATE_MS,
            Precedence::Priority => TIME_TO_LIVE_PRIORITY_MS,
            Precedence::Routine => TIME_TO_LIVE_ROUTINE_MS,
        };
        Some(self.raised.after(Duration::from_millis(time_to_live_ms)))
    }
}
