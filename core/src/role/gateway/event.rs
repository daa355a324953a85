//! What a gateway tells its host.

use core::fmt;

use heapless::Vec;

use crate::limits::BODY_LEN_MAX;
use crate::message::{Alert, AlertId, Heartbeat, NodeId, Undecodable};
use crate::precedence::Precedence;
use crate::time::Instant;
use crate::wire::packet::ParseError;
use crate::wire::window::Replay;

/// What a packet was.
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
    /// The node lives.
    Report {
        /// Which.
        node: NodeId,
        /// What it says of itself.
        heartbeat: Heartbeat,
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
            Self::TooOld(id) => write!(f, "alert {id} is too old to tell whether it was delivered"),
            Self::Busy(id) => write!(f, "alert {id} must wait: too many of its node are not yet stored"),
        }
    }
}

impl core::error::Error for Rejected {}
