//! Several alerts folded into one because there was no room for each.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::precedence::Precedence;

/// What a node could not send one by one. Itself Flash.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Summary {
    /// Alerts folded in; 65,535 means that many or more.
    pub count: u16,
    /// Seconds from the first of them to the last; 65,535 means that long or longer.
    pub span_s: u16,
    /// The kinds among them: bit n stands for the kind with number n, bit 31 for 31 and above.
    pub kinds: u32,
}

impl Kind for Summary {
    const CODE: u8 = 0;
    const NAME: &'static str = "summary";
    const LEN: usize = 8;

    fn precedence(&self) -> Precedence {
        Precedence::Flash
    }
}

impl Pack for Summary {
    fn pack(&self) -> BitWriter {
        BitWriter::new().put(self.count, 16).put(self.span_s, 16).put(self.kinds, 32)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self { count: bits.take_u16(16), span_s: bits.take_u16(16), kinds: bits.take_u32(32) }
    }
}
