//! Names and numbers that last: nodes, alerts, key epochs.

use core::fmt;
use core::num::NonZeroU32;

use crate::limits::SEQ_MAX;

/// Address of a node: 1 … 65,535 within one network.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct NodeId(pub u16);

/// Number of an alert in one of its node's two sequences (Flash, other): 1 … 2,147,483,647, never restarted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Seq(NonZeroU32);

impl Seq {
    /// The first number of a new node.
    pub const FIRST: Self = Self(NonZeroU32::MIN);

    /// The number, or none when it is 0 or lies above [`SEQ_MAX`].
    #[must_use]
    pub const fn new(number: u32) -> Option<Self> {
        match NonZeroU32::new(number) {
            Some(number) if number.get() <= SEQ_MAX => Some(Self(number)),
            _ => None,
        }
    }

    /// The number.
    #[must_use]
    pub const fn number(self) -> u32 {
        self.0.get()
    }

    /// The number after this, or none after two thousand million alerts.
    #[must_use]
    pub const fn next(self) -> Option<Self> {
        Self::new(self.0.get().wrapping_add(1))
    }
}

/// What names an alert for ever, over retries, reboots and key epochs, within one network.
///
/// The precedence's Flash bit is part of it: Flash and other alerts have sequences of their own.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AlertId {
    /// Who raised it.
    pub node: NodeId,
    /// Whether it belongs to an exercise.
    pub exercise: bool,
    /// Which of the node's two sequences numbers it.
    pub flash: bool,
    /// Its number there.
    pub seq: Seq,
}

impl fmt::Display for AlertId {
    /// `12/flash/7`, with `exercise/` before it where it is one.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let exercise = if self.exercise { "exercise/" } else { "" };
        let sequence = if self.flash { "flash" } else { "other" };
        write!(f, "{exercise}{}/{sequence}/{}", self.node.0, self.seq.0)
    }
}

/// What a source calls one event, so that it can say later that this event goes on, was raised in error, or is over.
///
/// Between a source and its node only; it never travels. One detector that watches one thing uses one key.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EventKey(pub u16);

/// Key epoch of a node: packet counters start anew in each, so no epoch may ever come back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Epoch(pub u32);

impl Epoch {
    /// The low 8 bits, which packets carry.
    #[must_use]
    pub const fn low(self) -> u8 {
        let [.., low] = self.0.to_be_bytes();
        low
    }

    /// The epoch with these low bits at or after this one, at most 255 on; none past the last epoch.
    ///
    /// ```
    /// use alertbus::message::Epoch;
    /// assert_eq!(Epoch(0x1fe).resolve(0x01), Some(Epoch(0x201)));
    /// assert_eq!(Epoch(0x1fe).resolve(0xfe), Some(Epoch(0x1fe)));
    /// ```
    #[must_use]
    pub fn resolve(self, low: u8) -> Option<Self> {
        self.0.checked_add(u32::from(low.wrapping_sub(self.low()))).map(Self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_epoch_has_no_successor() {
        assert_eq!(Epoch(u32::MAX).resolve(0), None);
        assert_eq!(Epoch(u32::MAX).resolve(0xff), Some(Epoch(u32::MAX)));
    }
}
