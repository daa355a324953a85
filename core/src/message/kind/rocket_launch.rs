//! Rockets, mortars and missiles seen or heard at launch.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::place::SiteId;
use crate::precedence::Precedence;

/// Indirect fire has been launched.
///
/// ```
/// use alertbus::message::kind::{Kind, RocketLaunch};
/// use alertbus::Precedence;
/// let launch = RocketLaunch { rounds: 18, ..RocketLaunch::default() };
/// assert_eq!(launch.precedence(), Precedence::Flash);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RocketLaunch {
    /// What was launched.
    pub weapon: Weapon,
    /// Calibre in millimetres, 1 … 1,023; 0 not known.
    pub calibre_mm: u16,
    /// Bearing from the node to the point of launch, degrees from true north, 0 … 359.
    pub bearing_deg: Option<u16>,
    /// Rounds seen, 1 … 254; 255 means that many or more, 0 not known.
    pub rounds: u8,
    /// The site where they are predicted to fall.
    pub impact_site: SiteId,
    /// Time to the first impact in tenths of a second, at most 6,553.4 s.
    pub time_to_impact_ds: Option<u16>,
}

words! {
    /// What was launched.
    Weapon: 2 bits {
        /// An unguided or guided rocket.
        Rocket = 0 "rocket",
        /// A mortar shell.
        Mortar = 1 "mortar",
        /// A ballistic missile.
        BallisticMissile = 2 "ballistic-missile",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

impl Kind for RocketLaunch {
    const CODE: u8 = 1;
    const NAME: &'static str = "rocket-launch";
    const LEN: usize = 8;

    fn precedence(&self) -> Precedence {
        Precedence::Flash
    }
}

impl Pack for RocketLaunch {
    fn pack(&self) -> BitWriter {
        BitWriter::new()
            .put(self.weapon.bits(), Weapon::BITS)
            .put(self.calibre_mm, 10)
            .put_optional(self.bearing_deg, 9)
            .put(self.rounds, 8)
            .put(self.impact_site.0, 16)
            .put_optional(self.time_to_impact_ds, 16)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self {
            weapon: Weapon::from_bits(bits.take_u8(Weapon::BITS)),
            calibre_mm: bits.take_u16(10),
            bearing_deg: bits.take_optional(9),
            rounds: bits.take_u8(8),
            impact_site: SiteId(bits.take_u16(16)),
            time_to_impact_ds: bits.take_optional(16),
        }
    }
}

impl Default for RocketLaunch {
    /// A launch of which nothing more is known.
    fn default() -> Self {
        Self {
            weapon: Weapon::Unknown,
            calibre_mm: 0,
            bearing_deg: None,
            rounds: 0,
            impact_site: SiteId::UNKNOWN,
            time_to_impact_ds: None,
        }
    }
}
