//! What a node answers and tells.

use core::fmt;

use crate::ledger::Outcome;
use crate::message::{AlertDraft, EventKey, Seq};
use crate::precedence::Precedence;
use crate::store::StoreError;
use crate::time::Duration;

/// Names an alert of this boot between the caller and its node, from `raise` to the event that settles it. Later ones
/// are greater, and none comes back: a babbler uses up 32 bits within an hour.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Handle(pub(super) u64);

/// What became of a draft.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a refused alert is the caller's to deal with"]
pub enum Submission {
    /// The node has it. A [`NodeEvent::Settled`] with this handle tells how it ended.
    Queued {
        /// Its name from here on.
        handle: Handle,
        /// The alert that gave way to it, if one did.
        displaced: Option<Handle>,
    },
    /// It was counted into a summary, which is itself a Flash alert: there was no room for it, or its detector
    /// chatters. Where the store is durable, a [`NodeEvent::Durable`] of the summary tells when that count is safe.
    Merged {
        /// The summary.
        into: Handle,
    },
    /// It is, byte for byte and under the same key, an alert that waits already.
    Duplicate {
        /// That alert.
        of: Handle,
    },
    /// What it cancels was never sent, so that neither is.
    Cancelled,
    /// The node has it not: here it is again. The refusal is counted and goes home in every report.
    Refused {
        /// The draft.
        draft: AlertDraft,
        /// Why.
        why: Refusal,
    },
}

/// Why a draft was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Refusal {
    /// Every slot holds something that does not give way to it.
    Full,
    /// The oldest open Flash alert lies 1,024 numbers back: one more could not be told from a duplicate.
    FlashSpan,
    /// The node does not know this event (any more), and to end all of its kind would end another that it does know
    /// of. Without a key that is done all the same.
    UnknownEvent,
    /// The store has not yet said where to go on after the start.
    Starting,
    /// The store is busy reserving numbers; try again at the next step.
    StoreBusy,
    /// The store gives no number.
    Store(StoreError),
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Full => f.write_str("every slot holds something that does not give way"),
            Self::FlashSpan => f.write_str("the oldest open Flash alert is 1024 numbers old"),
            Self::UnknownEvent => f.write_str("the event is not known, and another of its kind is open"),
            Self::Starting => f.write_str("the node is still starting"),
            Self::StoreBusy => f.write_str("the store is busy reserving numbers"),
            Self::Store(error) => error.fmt(f),
        }
    }
}

/// What the caller should know.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum NodeEvent {
    /// An alert has left the node.
    Settled {
        /// Its name.
        handle: Handle,
        /// Its precedence.
        precedence: Precedence,
        /// Whether it belongs to an exercise.
        exercise: bool,
        /// Its number, if it ever got one.
        seq: Option<Seq>,
        /// How it ended.
        outcome: Outcome,
    },
    /// A live Flash alert, or a summary with all that was counted into it so far, survives a power cut from now on.
    Durable {
        /// Its name.
        handle: Handle,
        /// Its number.
        seq: Seq,
    },
    /// A live Flash alert of an earlier start was found in the journal and is sent again until it is answered for.
    Recovered {
        /// Its name in this boot.
        handle: Handle,
        /// Its number.
        seq: Seq,
        /// What its source called the event.
        key: Option<EventKey>,
    },
    /// A live Flash alert is older than its time to live. It goes on being sent, and the gateway will call it late.
    Late {
        /// Its name.
        handle: Handle,
    },
    /// An alert was sent [`UNDELIVERED_ATTEMPTS`](crate::limits::UNDELIVERED_ATTEMPTS) times and nobody has answered
    /// for it. It goes on being sent; whoever stands here should know.
    Undelivered {
        /// Its name.
        handle: Handle,
    },
    /// A gateway asks the node to show itself to the technician on the spot.
    Locate {
        /// How long.
        duration: Duration,
    },
    /// The store failed; alerts are sent all the same, but would not survive a power cut.
    StoreFailed(StoreError),
}
