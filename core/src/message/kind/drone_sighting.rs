//! Drones in the air, striking, or found.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::precedence::Precedence;

/// One or several drones have been seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DroneSighting {
    /// What flies.
    pub airframe: Airframe,
    /// What it does.
    pub state: DroneSightingState,
    /// What it carries.
    pub payload: Payload,
    /// Calibre in millimetres of a mortar shell with the same effect, 1 … 1,023; 0 not known.
    pub equivalent_calibre_mm: u16,
    /// Drones seen, 1 … 254; 255 means that many or more, 0 not known.
    pub count: u8,
    /// Height above ground in metres, 0 … 16,382.
    pub altitude_m: Option<u16>,
    /// Course over ground, degrees from true north, 0 … 359.
    pub course_deg: Option<u16>,
    /// Speed over ground in metres a second, 0 … 510.
    pub speed_m_s: Option<u16>,
}

words! {
    /// What flies.
    Airframe: 2 bits {
        /// Several rotors.
        Multirotor = 0 "multirotor",
        /// Wings.
        FixedWing = 1 "fixed-wing",
        /// Something else.
        Other = 2 "other",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

words! {
    /// What the drone does.
    DroneSightingState: 2 bits {
        /// In the air.
        InFlight = 0 "in-flight",
        /// It has attacked.
        Attacked = 1 "attacked",
        /// On the ground, not flown or come down.
        FoundOnGround = 2 "found-on-ground",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

words! {
    /// What the drone carries.
    Payload: 2 bits {
        /// Nothing.
        None = 0 "none",
        /// A bomb or warhead.
        Explosive = 1 "explosive",
        /// Something else, a camera say.
        Other = 2 "other",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

impl Kind for DroneSighting {
    const CODE: u8 = 3;
    const NAME: &'static str = "drone-sighting";
    const LEN: usize = 7;

    /// Immediate when armed or attacking, else Priority.
    fn precedence(&self) -> Precedence {
        match (self.payload, self.state) {
            (Payload::Explosive, _) | (_, DroneSightingState::Attacked) => Precedence::Immediate,
            _ => Precedence::Priority,
        }
    }
}

impl Pack for DroneSighting {
    fn pack(&self) -> BitWriter {
        BitWriter::new()
            .put(self.airframe.bits(), Airframe::BITS)
            .put(self.state.bits(), DroneSightingState::BITS)
            .put(self.payload.bits(), Payload::BITS)
            .put(self.equivalent_calibre_mm, 10)
            .put(self.count, 8)
            .put_optional(self.altitude_m, 14)
            .put_optional(self.course_deg, 9)
            .put_optional(self.speed_m_s, 9)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self {
            airframe: Airframe::from_bits(bits.take_u8(Airframe::BITS)),
            state: DroneSightingState::from_bits(bits.take_u8(DroneSightingState::BITS)),
            payload: Payload::from_bits(bits.take_u8(Payload::BITS)),
            equivalent_calibre_mm: bits.take_u16(10),
            count: bits.take_u8(8),
            altitude_m: bits.take_optional(14),
            course_deg: bits.take_optional(9),
            speed_m_s: bits.take_optional(9),
        }
    }
}

impl Default for DroneSighting {
    /// A sighting of which nothing more is known.
    fn default() -> Self {
        Self {
            airframe: Airframe::Unknown,
            state: DroneSightingState::Unknown,
            payload: Payload::Unknown,
            equivalent_calibre_mm: 0,
            count: 0,
            altitude_m: None,
            course_deg: None,
            speed_m_s: None,
        }
    }
}
