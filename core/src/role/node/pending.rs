//! One alert in a node's queue.

use super::event::Handle;
use crate::ledger::Outcome;
use crate::limits::{
    ROUTINE_ATTEMPTS_MAX, TIME_TO_LIVE_FLASH_MS, TIME_TO_LIVE_IMMEDIATE_MS, TIME_TO_LIVE_PRIORITY_MS,
    TIME_TO_LIVE_ROUTINE_MS, UNDELIVERED_ATTEMPTS,
};
use crate::message::{Alert, Body, Content, EventKey, Phase, Reference, Seq};
use crate::precedence::Precedence;
use crate::queue::Lane;
use crate::time::{Duration, Instant};

/// What a node keeps of an alert until it is settled.
#[derive(Clone, Debug)]
pub(super) struct Pending {
    pub(super) handle: Handle,
    pub(super) key: Option<EventKey>,
    /// Live Flash has one from the start, others from their first sealing.
    pub(super) seq: Option<Seq>,
    pub(super) content: Content,
    pub(super) raised: Instant,
    /// When it was sent last; when it was raised, before it was sent.
    pub(super) sent: Instant,
    /// When to send it again; none when it may be sent now.
    pub(super) retry: Option<Instant>,
    pub(super) attempts: u8,
    pub(super) durable: bool,
    /// A gateway may have seen it: sent in this boot, or perhaps in an earlier one.
    pub(super) sealed: bool,
    pub(super) refers: Refers,
    /// The link it was sent over last, and whether another has been offered it since.
    pub(super) last_link: Option<u8>,
    pub(super) passed: bool,
    pub(super) late: bool,
}

/// What an alert refers to that cannot say so yet, because it has no number to count back from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Refers {
    /// To what its content says, or to nothing.
    Said,
    /// To this onset, by sequence (Flash or other) and number.
    Onset(bool, Seq),
    /// To an onset that was never sent. It must not go before that one, nor without it.
    Behind(Handle),
}

/// Something an alert's age or its attempts have brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Turn {
    Ended(Outcome),
    Late,
    Undelivered,
}

impl Pending {
    pub(super) const fn new(handle: Handle, seq: Option<Seq>, content: Content, raised: Instant) -> Self {
        Self {
            handle,
            key: None,
            seq,
            content,
            raised,
            sent: raised,
            retry: None,
            attempts: 0,
            durable: false,
            sealed: false,
            refers: Refers::Said,
            last_link: None,
            passed: false,
            late: false,
        }
    }

    /// Whether it has been sent and is to be sent again now over this link. One that was passed on waits for the
    /// others; they need not wait.
    pub(super) fn wants_retry(&self, link: u8) -> bool {
        self.attempts > 0 && (self.retry.is_none() || self.passed && self.last_link != Some(link))
    }

    pub(super) fn phase(&self) -> Phase {
        Alert::decode(self.content.as_slice()).map_or(Phase::Onset, |alert| alert.phase)
    }

    /// What a later alert of the same event refers to.
    pub(super) fn to_refer_to(&self, lane: Lane) -> Refers {
        // What has a number and was never sent may still give way to others, unless it is live Flash.
        if self.phase() == Phase::Onset && !self.sealed && lane != Lane::LIVE_FLASH {
            return Refers::Behind(self.handle);
        }
        let root = self.root(lane.precedence() == Precedence::Flash);
        root.map_or(Refers::Said, |(of_flash, onset)| Refers::Onset(of_flash, onset))
    }

    pub(super) fn is_end(&self) -> bool {
        matches!(self.phase(), Phase::Cancel | Phase::Clear)
    }

    /// Number of its kind; none where that cannot be read.
    pub(super) fn kind(&self) -> Option<u8> {
        Alert::decode(self.content.as_slice()).ok().map(|alert| alert.body.code())
    }

    pub(super) fn is_summary(&self) -> bool {
        Alert::decode(self.content.as_slice()).is_ok_and(|alert| matches!(alert.body, Body::Summary(_)))
    }

    /// The onset of the event that it belongs to, as sequence (Flash or other) and number.
    pub(super) fn root(&self, flash: bool) -> Option<(bool, Seq)> {
        if let Refers::Onset(of_flash, onset) = self.refers {
            return Some((of_flash, onset));
        }
        let reference = Alert::decode(self.content.as_slice()).ok()?.reference;
        match reference {
            None => Some((flash, self.seq?)),
            Some(Reference::Back(distance)) => {
                Some((flash, Seq::new(self.seq?.number().checked_sub(distance)?)?))
            }
            Some(Reference::Other(seq)) => Some((!flash, seq)),
            Some(Reference::AllOfKind) => None,
        }
    }

    /// When something is next to be done about it without an input.
    pub(super) fn next_step(&self, lane: Lane) -> Option<Instant> {
        let age = if lane == Lane::LIVE_FLASH { self.lateness() } else { Some(self.expiry(lane)) };
        self.retry.into_iter().chain(age).min()
    }

    /// Makes it ready to be sent again, if that is due, and says what its age or its attempts bring.
    pub(super) fn handle_timeout(&mut self, now: Instant, lane: Lane) -> Option<Turn> {
        if lane == Lane::LIVE_FLASH {
            if self.lateness().is_some_and(|late| late <= now) {
                self.late = true;
                return Some(Turn::Late);
            }
        } else if self.expiry(lane) <= now {
            return Some(Turn::Ended(Outcome::Expired));
        }
        if self.retry.is_none_or(|retry| retry > now) {
            return None;
        }
        self.retry = None;
        // Another link was only waited for: nothing was sent since.
        if self.passed {
            return None;
        }
        match lane.precedence() {
            Precedence::Routine if self.attempts >= ROUTINE_ATTEMPTS_MAX => {
                Some(Turn::Ended(Outcome::Undelivered))
            }
            Precedence::Flash | Precedence::Immediate if self.attempts == UNDELIVERED_ATTEMPTS => {
                Some(Turn::Undelivered)
            }
            _ => None,
        }
    }

    /// When a live Flash alert becomes late; none once it is.
    fn lateness(&self) -> Option<Instant> {
        let late = self.raised.after(Duration::from_millis(TIME_TO_LIVE_FLASH_MS));
        (!self.late).then_some(late)
    }

    /// When its time to live ends. A live Flash alert's never does.
    fn expiry(&self, lane: Lane) -> Instant {
        let time_to_live_ms = match lane.precedence() {
            Precedence::Flash => TIME_TO_LIVE_FLASH_MS,
            Precedence::Immediate => TIME_TO_LIVE_IMMEDIATE_MS,
            Precedence::Priority => TIME_TO_LIVE_PRIORITY_MS,
            Precedence::Routine => TIME_TO_LIVE_ROUTINE_MS,
        };
        self.raised.after(Duration::from_millis(time_to_live_ms))
    }
}
