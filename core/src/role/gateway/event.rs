//! What a gateway tells its host.

use core::fmt;

use heapless::Vec;

use crate::limits::BODY_LEN_MAX;
use crate::message::{
    Alert, AlertId, Body, CommandId, CommandResult, Epoch, Heartbeat, NodeId, Phase, Undecodable,
};
use crate::precedence::Precedence;
use crate::time::{Duration, Instant};
use crate::wire::packet::ParseError;
use crate::wire::window::Replay;

/// What a packet was, or what time has brought.
#[derive(Clone, Debug, PartialEq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "an alert that is neither stored nor declined is never acknowledged and never handed out again"]
#[non_exhaustive]
#[allow(clippy::large_enum_variant, reason = "without an allocator there is nowhere to put the largest one")]
pub enum GatewayEvent {
    /// A new alert. Store it, then call `stored`; deliver it meanwhile. Where it cannot be stored call `not_stored`.
    Alert(ReceivedAlert),
    /// An alert known already: handed out and not yet stored, or stored and acknowledged again.
    Duplicate(AlertId),
    /// A node's regular report. Write [`Peer::state`](super::Peer::state) to disk with it.
    Report {
        /// Which.
        node: NodeId,
        /// What it says of itself.
        heartbeat: Heartbeat,
        /// Whether it proves that the node lives.
        proof: Proof,
    },
    /// A node has answered a command, or the time of day that the gateway told it unasked.
    Acted {
        /// Which node.
        node: NodeId,
        /// Which command.
        id: CommandId,
        /// What became of it.
        result: CommandResult,
    },
    /// A command that nobody will answer any more.
    CommandEnded {
        /// To which node.
        node: NodeId,
        /// Which command.
        id: CommandId,
        /// Why.
        why: CommandEnd,
    },
    /// Three reports of the node are missing. An alarm of Flash precedence: it is dead, or jammed.
    Silent {
        /// Which.
        node: NodeId,
    },
    /// A silent node lives again.
    Returned {
        /// Which.
        node: NodeId,
    },
    /// Somebody sends packets in the node's name and does not have its key. Told at most once an hour.
    BadTags {
        /// Which node.
        node: NodeId,
        /// How many in this hour so far.
        count: u32,
    },
    /// Two nodes use one key: authentic reports whose boot count or uptime goes back. Told at most once an hour until
    /// the host has seen to it.
    Clone {
        /// Which node.
        node: NodeId,
    },
    /// This gateway is an old copy of itself: the node has heard its number say more. It says nothing more to the
    /// node until it gets a number of its own.
    Restored {
        /// Which node.
        node: NodeId,
    },
    /// Nothing that can be used. Counted; never a reason to lock a node out, or a forger could.
    Rejected {
        /// Who it claims to be from, where that can be read.
        node: Option<NodeId>,
        /// Why.
        why: Rejected,
    },
}

/// An alert, authentic and new.
#[derive(Clone, PartialEq)]
pub struct ReceivedAlert {
    /// Its name for ever.
    pub id: AlertId,
    /// The precedence it is handled at: what it carries, or its kind's own where that is higher.
    pub precedence: Precedence,
    /// How it is to be taken.
    pub standing: Standing,
    /// What it says. Where that cannot be read the bytes are stored and delivered all the same.
    pub alert: Result<Alert, Undecodable>,
    /// When it was received.
    pub received_at: Instant,
    /// Counter of the packet it came in.
    pub counter: u32,
    /// Number of the link it came by.
    pub link: u8,
    pub(super) body: Vec<u8, BODY_LEN_MAX>,
}

impl ReceivedAlert {
    /// The body as it was authenticated, for the log: never a re-encoding.
    #[must_use]
    pub fn body(&self) -> &[u8] {
        &self.body
    }

    /// The alert that must not sound any more once this one is stored.
    pub(super) fn refers_to(&self) -> Option<AlertId> {
        replaces(self.id, self.alert.as_ref().ok()?)
    }
}

/// How an alert is to be taken: it is delivered whatever stands here.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Standing {
    /// Time since the event, as far as it can be told; zero where the clocks put it in the future.
    pub age: Option<Duration>,
    /// Older than the time to live of its precedence, or of an earlier boot and without a date. Held back, or long
    /// without a link: no reason to take cover now.
    pub late: bool,
    /// This gateway does not know what was delivered before it came, so this may have been.
    pub possible_duplicate: bool,
    /// What cancels, clears or updates it is stored already: for the record, not for the siren.
    pub overtaken: bool,
}

/// Whether a report proves that its node lives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Proof {
    /// It does.
    Alive,
    /// The node has not heard this gateway since it started, so the report may have been recorded before. It has been
    /// answered, and the next one will do.
    Unproven,
    /// Older than a report interval, or than one that has come before.
    Stale,
    /// Boot count or uptime go back: of another node with the same key.
    Inconsistent,
}

/// Why a command is not sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum CommandEnd {
    /// Its time is over.
    Expired,
    /// It gave way to a warning or an all-clear.
    Displaced,
}

/// Why a command is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum CommandRefusal {
    /// The node is not in the table.
    UnknownNode,
    /// The host has set no down counters aside for the node's epoch.
    NoCounters,
    /// [`COMMANDS_PER_PEER`](crate::limits::COMMANDS_PER_PEER) wait, and none of them gives way to this one; or
    /// events wait to be polled.
    Full,
    /// This gateway is an old copy of itself; see [`GatewayEvent::Restored`].
    Restored,
    /// Nodes go from one epoch to the next and no further.
    NotNextEpoch {
        /// The one that may follow.
        expected: Option<Epoch>,
        /// The one ordered.
        got: Epoch,
    },
    /// An order of an unknown kind can be read, not given.
    UnknownOrder {
        /// Its number.
        code: u8,
    },
}

impl fmt::Display for CommandRefusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownNode => f.write_str("the node is not known"),
            Self::NoCounters => f.write_str("no down counters are set aside for the node"),
            Self::Full => f.write_str("too many commands to the node wait for an answer"),
            Self::Restored => f.write_str("this gateway is an old copy of itself"),
            Self::NotNextEpoch { expected: Some(expected), got } => {
                write!(f, "epoch {}; only {} can follow", got.0, expected.0)
            }
            Self::NotNextEpoch { expected: None, got } => write!(f, "epoch {}; none can follow", got.0),
            Self::UnknownOrder { code } => write!(f, "order {code} is not known"),
        }
    }
}

impl core::error::Error for CommandRefusal {}

/// The alert that must not sound any more once `alert`, whose name is `id`, is stored: it is over, was raised in
/// error, or has been told better. A summary replaces nothing.
pub(super) fn replaces(id: AlertId, alert: &Alert) -> Option<AlertId> {
    let replaces = match alert.phase {
        Phase::Onset => false,
        Phase::Update => !matches!(alert.body, Body::Summary(_)),
        Phase::Cancel | Phase::Clear => true,
    };
    alert.reference.filter(|_| replaces)?.resolve(id)
}

impl fmt::Debug for ReceivedAlert {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "ReceivedAlert({}, {})", self.id, self.precedence)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for ReceivedAlert {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} {}", self.id, self.precedence);
    }
}

/// Why a packet was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rejected {
    /// No packet.
    Parse(ParseError),
    /// From a node this gateway does not know.
    UnknownNode,
    /// A packet that goes down, from this or another gateway.
    WrongWay,
    /// Of an exercise, which this gateway does not open, or a report in an exercise's name.
    Exercise,
    /// A counter that no node uses.
    Counter {
        /// The counter.
        got: u32,
    },
    /// Taken before, or too old to tell.
    Replay(Replay),
    /// Not from the node it names, of a past epoch, or changed on the way.
    BadTag,
    /// Authentic, but without a readable number, or a report of an unknown kind.
    Undecodable(Undecodable),
    /// An answer to a command that is not waiting for one: answered before, given up, or of another gateway.
    UnknownCommand(CommandId),
    /// Authentic, but so far behind that whether it was delivered is not known any more. Never Flash.
    TooOld(AlertId),
    /// Authentic and new, but the host has too many alerts of this node unstored. It is not acknowledged, so the
    /// node tries again.
    Busy(AlertId),
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Parse(error) => error.fmt(f),
            Self::UnknownNode => f.write_str("the node is not known"),
            Self::WrongWay => f.write_str("the packet goes down"),
            Self::Exercise => f.write_str("exercise packets are not opened here"),
            Self::Counter { got } => write!(f, "counter {got} is beyond what any node uses"),
            Self::Replay(Replay::Seen { got }) => write!(f, "counter {got} was taken before"),
            Self::Replay(Replay::TooOld { got, lowest }) => write!(f, "counter {got} is below {lowest}"),
            Self::BadTag => f.write_str("the tag does not fit"),
            Self::Undecodable(error) => error.fmt(f),
            Self::UnknownCommand(id) => write!(f, "command {id} is not waiting for an answer"),
            Self::TooOld(id) => write!(f, "alert {id} is too old to tell whether it was delivered"),
            Self::Busy(id) => write!(f, "alert {id} must wait: too many of its node are not yet stored"),
        }
    }
}

impl core::error::Error for Rejected {}
