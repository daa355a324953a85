//! Somebody is at the node itself.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::precedence::Precedence;

/// A node or its surroundings are being tampered with: what it reports from now on may be what somebody wants it to.
///
/// ```
/// use alertbus::message::kind::{Kind, Tamper, Tampering};
/// use alertbus::Precedence;
/// let lid = Tamper { what: Tampering::Enclosure };
/// assert_eq!(lid.precedence(), Precedence::Immediate);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Tamper {
    /// What was noticed.
    pub what: Tampering,
}

words! {
    /// What was noticed of a tampering.
    Tampering: 2 bits {
        /// The enclosure is open.
        Enclosure = 0 "enclosure",
        /// The node was moved or tilted.
        Moved = 1 "moved",
        /// A cable was cut or pulled.
        Cable = 2 "cable",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

impl Kind for Tamper {
    // 5 stands in a golden vector as a kind that nobody knows, and is never given out.
    const CODE: u8 = 6;
    const NAME: &'static str = "tamper";
    const LEN: usize = 1;

    /// Immediate: somebody has to go and look.
    fn precedence(&self) -> Precedence {
        Precedence::Immediate
    }
}

impl Pack for Tamper {
    fn pack(&self) -> BitWriter {
        BitWriter::new().put(self.what.bits(), Tampering::BITS)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self { what: Tampering::from_bits(bits.take_u8(Tampering::BITS)) }
    }
}

impl Default for Tamper {
    /// A tampering of which nothing more is known.
    fn default() -> Self {
        Self { what: Tampering::Unknown }
    }
}
