//! Roadside bombs against convoys, found or detonated.

use super::{Kind, Pack};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::precedence::Precedence;

/// An improvised explosive device on a convoy's way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ConvoyIed {
    /// Whether it has gone off.
    pub state: ConvoyIedState,
    /// What sets it off.
    pub trigger: Trigger,
    /// How it is built.
    pub charge: Charge,
    /// Charges linked together, 1 … 14; 15 means that many or more, 0 not known.
    pub array_count: u8,
    /// Whose convoy it is.
    pub target: Target,
    /// Vehicles damaged, 255 means that many or more.
    pub vehicles: u8,
    /// People wounded, 255 means that many or more.
    pub wounded: u8,
    /// People killed, 255 means that many or more.
    pub killed: u8,
}

words! {
    /// Whether a device has gone off.
    ConvoyIedState: 1 bits {
        /// Found before it went off.
        Found = 0 "found",
        /// It has gone off.
        Detonated = 1 "detonated",
    } else Detonated
}

words! {
    /// What sets a device off.
    Trigger: 3 bits {
        /// A pressure plate.
        Pressure = 0 "pressure",
        /// A command wire.
        CommandWire = 1 "command-wire",
        /// A radio or telephone.
        Remote = 2 "remote",
        /// A passive infrared sensor.
        PassiveInfrared = 3 "passive-infrared",
        /// Not known.
        Unknown = 4 "unknown",
    } else Unknown
}

words! {
    /// How a device is built.
    Charge: 2 bits {
        /// A blast charge.
        Blast = 0 "blast",
        /// An explosively formed penetrator.
        Efp = 1 "efp",
        /// Several of them linked together.
        EfpArray = 2 "efp-array",
        /// Not known.
        Unknown = 3 "unknown",
    } else Unknown
}

words! {
    /// Whose convoy it is.
    Target: 3 bits {
        /// Contracted supply trucks.
        Logistics = 0 "logistics",
        /// An embassy's vehicles.
        Diplomatic = 1 "diplomatic",
        /// The United Nations and their agencies.
        Un = 2 "un",
        /// An oil company.
        OilCompany = 3 "oil-company",
        /// Soldiers.
        Military = 4 "military",
        /// Not known.
        Unknown = 7 "unknown",
    } else Unknown
}

impl Kind for ConvoyIed {
    const CODE: u8 = 4;
    const NAME: &'static str = "convoy-ied";
    const LEN: usize = 5;

    /// Flash once detonated, else Immediate.
    fn precedence(&self) -> Precedence {
        match self.state {
            ConvoyIedState::Detonated => Precedence::Flash,
            ConvoyIedState::Found => Precedence::Immediate,
        }
    }
}

impl Pack for ConvoyIed {
    fn pack(&self) -> BitWriter {
        BitWriter::new()
            .put(self.state.bits(), ConvoyIedState::BITS)
            .put(self.trigger.bits(), Trigger::BITS)
            .put(self.charge.bits(), Charge::BITS)
            .put(self.array_count, 4)
            .put(self.target.bits(), Target::BITS)
            .put(self.vehicles, 8)
            .put(self.wounded, 8)
            .put(self.killed, 8)
    }

    fn unpack(mut bits: BitReader) -> Self {
        Self {
            state: ConvoyIedState::from_bits(bits.take_u8(ConvoyIedState::BITS)),
            trigger: Trigger::from_bits(bits.take_u8(Trigger::BITS)),
            charge: Charge::from_bits(bits.take_u8(Charge::BITS)),
            array_count: bits.take_u8(4),
            target: Target::from_bits(bits.take_u8(Target::BITS)),
            vehicles: bits.take_u8(8),
            wounded: bits.take_u8(8),
            killed: bits.take_u8(8),
        }
    }
}

impl Default for ConvoyIed {
    /// A device found, of which nothing more is known.
    fn default() -> Self {
        Self {
            state: ConvoyIedState::Found,
            trigger: Trigger::Unknown,
            charge: Charge::Unknown,
            array_count: 0,
            target: Target::Unknown,
            vehicles: 0,
            wounded: 0,
            killed: 0,
        }
    }
}
