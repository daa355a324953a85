//! A counter-rocket, artillery and mortar system firing: take cover, shells and debris come down.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::place::SiteId;
use crate::precedence::Precedence;

/// A C-RAM system engages or has engaged. The bus reports it; it has no way to task it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct CramEngagement {
    /// Rounds engaged, 255 means that many or more.
    pub engaged: u8,
    /// Of these destroyed.
    pub destroyed: u8,
    /// Of these leaked through.
    pub leaked: u8,
    /// Whether it goes on.
    pub state: CramEngagementState,
    /// Radius around the site in which debris may fall, metres, 1 … 16,383; 0 not known.
    pub debris_radius_m: u16,
    /// The site that is guarded.
    pub guarded_site: SiteId,
}

words! {
    /// How far an engagement has come.
    CramEngagementState: 2 bits {
        /// Firing now.
        Engaging = 0 "engaging",
        /// Over; the counts are final.
        Complete = 1 "complete",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

impl Kind for CramEngagement {
    const CODE: u8 = 2;
    const NAME: &'static str = "cram-engagement";
    const LEN: usize = 7;

    fn precedence(&self) -> Precedence {
        Precedence::Flash
    }
}

impl Pack for CramEngagement {
    fn pack(&self) -> BitWriter {
        BitWriter::new()
            .put(self.engaged, 8)
            .put(self.destroyed, 8)
            .put(self.leaked, 8)
            .put(self.state.bits(), CramEngagementState::BITS)
            .put(self.debris_radius_m, 14)
            .put(self.guarded_site.0, 16)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self {
            engaged: bits.take_u8(8),
            destroyed: bits.take_u8(8),
            leaked: bits.take_u8(8),
            state: CramEngagementState::from_bits(bits.take_u8(CramEngagementState::BITS)),
            debris_radius_m: bits.take_u16(14),
            guarded_site: SiteId(bits.take_u16(16)),
        }
    }
}

impl Default for CramEngagement {
    /// An engagement of which nothing more is known.
    fn default() -> Self {
        Self {
            engaged: 0,
            destroyed: 0,
            leaked: 0,
            state: CramEngagementState::Unknown,
            debris_radius_m: 0,
            guarded_site: SiteId::UNKNOWN,
        }
    }
}
