//! Time as an argument: nobody in this crate reads a clock.
//!
//! [`Instant`] is monotonic and local (milliseconds since this node or host started); [`EventTime`] is what an
//! alert says about *when*, together with how far it may be believed.

use core::fmt;
use core::num::NonZeroU64;

/// A moment on the caller's monotonic clock, in milliseconds since its start.
///
/// ```
/// use alertbus::time::{Duration, Instant};
/// let boot = Instant::from_millis(0);
/// assert_eq!(boot.after(Duration::from_secs(2)).as_millis(), 2_000);
/// ```
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Instant(
    /// One more than the milliseconds, so that a moment that may not be known takes no more room than one that is.
    NonZeroU64,
);

impl Instant {
    /// The start of the clock.
    pub const START: Self = Self(NonZeroU64::MIN);

    /// `millis` milliseconds after the start.
    #[must_use]
    pub const fn from_millis(millis: u64) -> Self {
        Self(NonZeroU64::MIN.saturating_add(millis))
    }

    /// Milliseconds since the start.
    #[must_use]
    pub const fn as_millis(self) -> u64 {
        self.0.get().wrapping_sub(1)
    }

    /// This moment moved by `wait`; saturates at the end of time, 584 million years on.
    #[must_use]
    pub const fn after(self, wait: Duration) -> Self {
        Self(self.0.saturating_add(wait.as_millis_u64()))
    }

    /// Time since `earlier`; zero when `earlier` lies ahead, at most 49.7 days.
    #[must_use]
    pub fn since(self, earlier: Self) -> Duration {
        Duration(u32::try_from(self.0.get().saturating_sub(earlier.0.get())).unwrap_or(u32::MAX))
    }
}

impl Default for Instant {
    fn default() -> Self {
        Self::START
    }
}

impl fmt::Debug for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Instant({})", self.as_millis())
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Instant {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "Instant({=u64})", self.as_millis());
    }
}

/// A length of time in milliseconds, at most 49.7 days.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Duration(u32);

impl Duration {
    /// No time at all.
    pub const ZERO: Self = Self(0);

    /// `millis` milliseconds.
    #[must_use]
    pub const fn from_millis(millis: u32) -> Self {
        Self(millis)
    }

    /// `secs` seconds; saturates.
    #[must_use]
    pub const fn from_secs(secs: u32) -> Self {
        Self(secs.saturating_mul(1_000))
    }

    /// Milliseconds.
    #[must_use]
    pub const fn as_millis(self) -> u32 {
        self.0
    }

    const fn as_millis_u64(self) -> u64 {
        // Widening; `u64::from` is not const yet on this crate's minimum version.
        #[allow(clippy::as_conversions, reason = "u32 to u64 loses nothing")]
        let wide = self.0 as u64;
        wide
    }

    /// `factor` times as long; saturates.
    #[must_use]
    pub const fn times(self, factor: u32) -> Self {
        Self(self.0.saturating_mul(factor))
    }
}

/// How far an [`EventTime`] may be believed: an upper bound of its error.
///
/// A receiver shows it beside the time; a rule may demand a least quality.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum ClockQuality {
    /// No calendar at all: the time is the uptime of the boot whose count travels beside it.
    #[default]
    Uptime = 0,
    /// Worse than an hour, or not known.
    Unknown = 1,
    /// Within an hour.
    Hour = 2,
    /// Within a minute.
    Minute = 3,
    /// Within a second.
    Second = 4,
    /// Within 100 ms.
    Decisecond = 5,
    /// Within 10 ms.
    Centisecond = 6,
    /// Within 1 ms.
    Millisecond = 7,
}

impl ClockQuality {
    /// The three bits on the wire.
    #[must_use]
    pub const fn bits(self) -> u8 {
        match self {
            Self::Uptime => 0,
            Self::Unknown => 1,
            Self::Hour => 2,
            Self::Minute => 3,
            Self::Second => 4,
            Self::Decisecond => 5,
            Self::Centisecond => 6,
            Self::Millisecond => 7,
        }
    }

    /// The largest error, in milliseconds; none where it is not known.
    #[must_use]
    pub const fn error_ms_max(self) -> Option<u64> {
        match self {
            Self::Uptime | Self::Unknown => None,
            Self::Hour => Some(3_600_000),
            Self::Minute => Some(60_000),
            Self::Second => Some(1_000),
            Self::Decisecond => Some(100),
            Self::Centisecond => Some(10),
            Self::Millisecond => Some(1),
        }
    }

    /// The best quality that an error of up to `error_ms` milliseconds allows.
    #[must_use]
    pub const fn within_ms(error_ms: u64) -> Self {
        match error_ms {
            0..=1 => Self::Millisecond,
            2..=10 => Self::Centisecond,
            11..=100 => Self::Decisecond,
            101..=1_000 => Self::Second,
            1_001..=60_000 => Self::Minute,
            60_001..=3_600_000 => Self::Hour,
            _ => Self::Unknown,
        }
    }

    /// From the low three bits of `bits`; every value has a meaning.
    #[must_use]
    pub const fn from_bits(bits: u8) -> Self {
        match bits & 0b111 {
            0 => Self::Uptime,
            1 => Self::Unknown,
            2 => Self::Hour,
            3 => Self::Minute,
            4 => Self::Second,
            5 => Self::Decisecond,
            6 => Self::Centisecond,
            _ => Self::Millisecond,
        }
    }
}

/// When something happened: milliseconds and their quality.
///
/// With [`ClockQuality::Uptime`] the milliseconds count from the boot of the sending node, otherwise from
/// 1970-01-01T00:00:00 UTC without leap seconds. 42 bits reach the year 2109.
///
/// ```
/// use alertbus::time::{ClockQuality, EventTime};
/// let seen = EventTime::new(1_578_445_200_000, ClockQuality::Second);
/// assert_eq!(seen.millis(), 1_578_445_200_000);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct EventTime {
    millis: u64,
    quality: ClockQuality,
}

impl EventTime {
    /// Bits the milliseconds take on the wire.
    pub const BITS: u32 = 42;
    /// The last moment that can be said, in milliseconds.
    pub const MILLIS_MAX: u64 = (1 << Self::BITS) - 1;

    /// `millis` as `quality` has it; later than [`EventTime::MILLIS_MAX`] becomes that.
    #[must_use]
    pub const fn new(millis: u64, quality: ClockQuality) -> Self {
        let millis = if millis > Self::MILLIS_MAX { Self::MILLIS_MAX } else { millis };
        Self { millis, quality }
    }

    /// The time of a node without a calendar: its uptime.
    #[must_use]
    pub const fn uptime(now: Instant) -> Self {
        Self::new(now.as_millis(), ClockQuality::Uptime)
    }

    /// Milliseconds, counted as the quality says.
    #[must_use]
    pub const fn millis(self) -> u64 {
        self.millis
    }

    /// How far the milliseconds may be believed.
    #[must_use]
    pub const fn quality(self) -> ClockQuality {
        self.quality
    }
}

impl fmt::Display for Instant {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ms", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn time_saturates_instead_of_wrapping() {
        let late = Instant::from_millis(u64::MAX);
        assert_eq!(late.after(Duration::from_millis(1)), late);
        assert_eq!(Instant::START.since(late), Duration::ZERO);
        assert_eq!(late.since(Instant::START).as_millis(), u32::MAX);
        assert_eq!(EventTime::new(u64::MAX, ClockQuality::Hour).millis(), EventTime::MILLIS_MAX);
    }

    #[test]
    fn every_quality_survives_its_bits() {
        for bits in 0..8 {
            let quality = ClockQuality::from_bits(bits);
            assert_eq!(quality.bits(), bits);
            if let Some(error_ms) = quality.error_ms_max() {
                assert_eq!(ClockQuality::within_ms(error_ms), quality);
                assert!(ClockQuality::within_ms(error_ms + 1) < quality);
            }
        }
    }
}
