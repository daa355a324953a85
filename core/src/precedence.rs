//! Who goes first: the four levels of message precedence.

use core::fmt;

/// Message precedence, lowest first, in the words of military message handling (ACP 127 and after).
///
/// The order of the variants is the order of delivery and the number on the wire.
///
/// ```
/// use alertbus::Precedence;
/// assert!(Precedence::Flash > Precedence::Immediate);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Precedence {
    /// Reports and everything that can wait.
    #[default]
    Routine = 0,
    /// Worth a look soon.
    Priority = 1,
    /// Needs a decision now.
    Immediate = 2,
    /// Lives depend on seconds. Never lost in silence.
    Flash = 3,
}

impl Precedence {
    /// All four, lowest first.
    pub const ALL: [Self; 4] = [Self::Routine, Self::Priority, Self::Immediate, Self::Flash];

    /// The two bits on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Routine => 0,
            Self::Priority => 1,
            Self::Immediate => 2,
            Self::Flash => 3,
        }
    }

    /// From the low two bits of `bits`; every value has a meaning.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::Routine,
            1 => Self::Priority,
            2 => Self::Immediate,
            _ => Self::Flash,
        }
    }

    /// The word as people write it, lower case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Routine => "routine",
            Self::Priority => "priority",
            Self::Immediate => "immediate",
            Self::Flash => "flash",
        }
    }
}

impl fmt::Display for Precedence {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.name())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn order_is_the_order_of_the_bits() {
        for pair in Precedence::ALL.windows(2) {
            assert!(pair[0] < pair[1] && pair[0].bits() < pair[1].bits());
        }
        for level in Precedence::ALL {
            assert_eq!(Precedence::from_bits(level.bits()), level);
        }
    }
}
