//! Why a node or a siren does not take a packet.

use core::fmt;

use crate::message::{NodeId, Undecodable};
use crate::wire::packet::ParseError;
use crate::wire::window::Replay;

/// Why a packet from a gateway was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rejected {
    /// It has not started, or has lost its counters.
    NotRunning,
    /// No packet.
    Parse(ParseError),
    /// A packet that goes up, from this or another node.
    WrongWay,
    /// For another.
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
    /// Authentic, but sent before something it is required to know: held back by somebody.
    Stale {
        /// The up counter it was sent upon.
        echo: u32,
        /// The lowest one accepted.
        lowest: u32,
    },
    /// Authentic, but of a kind or form this build does not know.
    Undecodable(Undecodable),
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
        }
    }
}

impl core::error::Error for Rejected {}
