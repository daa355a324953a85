//! The lanes of a queue, and the two threads of each, as numbers and as bits.

use crate::precedence::Precedence;

/// One of the eight lanes, lowest first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Lane(pub(super) u8);

impl Lane {
    /// The lane that never gives way.
    pub const LIVE_FLASH: Self = Self::of(Precedence::Flash, false);
    pub(crate) const COUNT: usize = 8;

    /// The lane of an alert.
    #[must_use]
    pub const fn of(precedence: Precedence, exercise: bool) -> Self {
        Self(precedence.bits() | if exercise { 0 } else { 0b100 })
    }

    /// The precedence.
    #[must_use]
    pub const fn precedence(self) -> Precedence {
        Precedence::from_bits(self.0)
    }

    /// Whether it is one of the four exercise lanes.
    #[must_use]
    pub const fn is_exercise(self) -> bool {
        self.0 & 0b100 == 0
    }

    pub(crate) const fn number(self) -> u8 {
        self.0
    }

    /// Its bit among the lanes.
    pub(super) const fn bit(self) -> u8 {
        1 << (self.0 & 0b111)
    }
}

/// One of the threads of a lane, a doubly linked list of cells, oldest first: those that wait, by the number of their
/// lane, then those that are airborne.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) struct Thread(u8);

impl Thread {
    pub(super) const COUNT: usize = 2 * Lane::COUNT;
    const AIRBORNE: u8 = 0b1000;

    pub(super) const fn waiting(lane: Lane) -> Self {
        Self(lane.0)
    }

    pub(super) const fn airborne(lane: Lane) -> Self {
        Self(lane.0 | Self::AIRBORNE)
    }

    pub(super) const fn lane(self) -> Lane {
        Lane(self.0 & !Self::AIRBORNE)
    }

    pub(super) const fn is_airborne(self) -> bool {
        self.0 & Self::AIRBORNE != 0
    }

    /// Its place among the ends. The mask says nothing new, but to the compiler.
    pub(super) fn place(self) -> usize {
        usize::from(self.0) & (Self::COUNT - 1)
    }

    pub(super) fn bit(self) -> u16 {
        1 << self.place()
    }
}

/// The highest of those whose bits are set.
pub(super) const fn highest(lanes: u8) -> Option<Lane> {
    match lanes.checked_ilog2() {
        None => None,
        Some(number) => Some(lane(number)),
    }
}

/// The lowest of those whose bits are set.
pub(super) const fn lowest(lanes: u8) -> Option<Lane> {
    if lanes == 0 { None } else { Some(lane(lanes.trailing_zeros())) }
}

/// The lane with this number.
pub(super) const fn lane(number: u32) -> Lane {
    let [.., low] = number.to_be_bytes();
    Lane(low & 0b111)
}
