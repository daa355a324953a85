//! What is said: alerts, reports, acknowledgements and commands, and how each packs into a body.
//!
//! Nothing here knows of keys, packets or links. A body is at most
//! [`BODY_LEN_MAX`](crate::limits::BODY_LEN_MAX) bytes; postcard carries it, with the small fields packed into
//! byte arrays, most significant bit first.

mod ack;
mod alert;
mod bits;
mod command;
mod identity;
pub mod kind;
mod report;
mod words;

pub use ack::{Ack, AckItem};
pub use alert::{Alert, AlertDraft, Certainty, Content, Phase, Reference, Severity, Urgency, split_body};
pub use command::{Acted, Command, CommandId, CommandResult, Order};
pub use identity::{AlertId, Epoch, EventKey, NodeId, Seq};
pub use kind::Body;
pub use report::{Heartbeat, ResetCause};

/// Why authenticated bytes could not be read as the message they claim to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Undecodable {
    /// The bytes end before the message does.
    Truncated,
    /// The message ends before the bytes do; `extra` are left over.
    TrailingBytes {
        /// Bytes left over.
        extra: usize,
    },
    /// A sequence number of 0 or above [`SEQ_MAX`](crate::limits::SEQ_MAX).
    SeqOutOfRange {
        /// The number read.
        got: u32,
    },
    /// A report of a kind this build does not know.
    UnknownReport {
        /// The kind's number.
        got: u8,
    },
}

impl core::fmt::Display for Undecodable {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        match self {
            Self::Truncated => f.write_str("the body ends too early"),
            Self::TrailingBytes { extra } => write!(f, "{extra} bytes left over at the end of the body"),
            Self::SeqOutOfRange { got } => write!(f, "sequence number {got}; 1 to 2147483647 are allowed"),
            Self::UnknownReport { got } => write!(f, "report kind {got} is not known"),
        }
    }
}

impl core::error::Error for Undecodable {}

/// Takes the next field of fixed length off the front.
fn take<const LEN: usize>(rest: &mut &[u8]) -> Result<[u8; LEN], Undecodable> {
    let (field, behind) = rest.split_first_chunk::<LEN>().ok_or(Undecodable::Truncated)?;
    *rest = behind;
    Ok(*field)
}
