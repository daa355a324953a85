//! What a node answers and tells.

use core::fmt;

use crate::ledger::Outcome;
use crate::message::{AlertDraft, NodeId, Seq, Undecodable};
use crate::precedence::Precedence;
use crate::store::StoreError;
use crate::wire::packet::ParseError;
use crate::wire::window::Replay;

/// Names an alert of this boot between the caller and its node, from `raise` to the event that settles it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Handle(pub(super) u32);

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
    /// A live Flash alert will survive a power cut from now on.
    Durable {
        /// Its name.
        handle: Handle,
    },
    /// The store failed; alerts are sent all the same, but would not survive a power cut.
    StoreFailed(StoreError),
}

/// Why a packet from a gateway was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rejected {
    /// The node has not started, or has lost its counters.
    NotRunning,
    /// No packet.
    Parse(ParseError),
    /// A packet that goes up, from this or another node.
    WrongWay,
    /// For another node.
    NotAddressed {
        /// The node addressed.
        node: NodeId,
    },
    /// Of another key epoch than the current one.
    Epoch {
        /// Low 8 bits of it.
        got: u8,
    },
    /// Taken before, or too old to tell.
    Replay(Replay),
    /// Not from a gateway of this network, or changed on the way.
    BadTag,
    /// Authentic, but sent before something this node requires it to know: held back by somebody.
    Stale {
        /// The up counter it was sent upon.
        echo: u32,
        /// The lowest one accepted.
        lowest: u32,
    },
    /// Authentic, but of a kind or form this build does not know.
    Undecodable(Undecodable),
    /// A command; this build obeys none.
    Command,
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotRunning => f.write_str("the node is not running"),
            Self::Parse(error) => error.fmt(f),
            Self::WrongWay => f.write_str("the packet goes up"),
            Self::NotAddressed { node } => write!(f, "the packet is for node {}", node.0),
            Self::Epoch { got } => write!(f, "the packet is of another key epoch (low byte {got})"),
            Self::Replay(Replay::Seen { got }) => write!(f, "counter {got} was taken before"),
            Self::Replay(Replay::TooOld { got, lowest }) => write!(f, "counter {got} is below {lowest}"),
            Self::BadTag => f.write_str("the tag does not fit"),
            Self::Stale { echo, lowest } => write!(f, "it echoes {echo}; at least {lowest} is required"),
            Self::Undecodable(error) => error.fmt(f),
            Self::Command => f.write_str("commands are not obeyed by this build"),
        }
    }
}

impl core::error::Error for Rejected {}
