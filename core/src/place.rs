//! Where something happened, in seven bytes or less.

/// Number of a site in the network's plan: 1 … 65,535.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SiteId(pub u16);

impl SiteId {
    /// No site, or not known which.
    pub const UNKNOWN: Self = Self(0);
}

/// How far the true position may lie from the stated one: fifteen steps of a doubling radius.
///
/// Step 1 is 5 m, step 15 is 81,920 m; 0 says that the position is not known.
///
/// ```
/// use alertbus::place::Accuracy;
/// assert_eq!(Accuracy::within_metres(300).radius_m(), Some(320));
/// assert_eq!(Accuracy::UNKNOWN.radius_m(), None);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Accuracy(u8);

impl Accuracy {
    /// The position is not known.
    pub const UNKNOWN: Self = Self(0);
    const STEPS: u8 = 15;
    const SMALLEST_M: u32 = 5;

    /// The smallest step that holds `metres`; farther than the last step is not a position any more.
    #[must_use]
    pub fn within_metres(metres: u32) -> Self {
        (1..=Self::STEPS)
            .map(Self)
            .find(|step| step.radius_m().is_some_and(|radius_m| radius_m >= metres))
            .unwrap_or(Self::UNKNOWN)
    }

    /// The radius in metres, or none where the position is not known.
    #[must_use]
    pub const fn radius_m(self) -> Option<u32> {
        match self.0.checked_sub(1) {
            None => None,
            Some(doublings) => Self::SMALLEST_M.checked_shl(widen(doublings)),
        }
    }

    pub(crate) const fn bits(self) -> u8 {
        self.0
    }

    pub(crate) const fn from_bits(bits: u8) -> Self {
        Self(bits & 0b1111)
    }
}

/// A position on the WGS 84 ellipsoid, exact to ±0.6 m in latitude and ±1.2 m in longitude.
///
/// Coordinates go in and come out in ten-millionths of a degree, because a microcontroller without a
/// floating-point unit has to fill them in.
///
/// ```
/// use alertbus::Place;
/// use alertbus::place::Accuracy;
/// let gate = Place::from_degrees_e7(333_000_000, 443_900_000, Accuracy::within_metres(10));
/// assert!((gate.latitude_e7() - 333_000_000).abs() <= 54);
/// assert!((gate.longitude_e7() - 443_900_000).abs() <= 108);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Place {
    latitude: u32,
    longitude: u32,
    accuracy: Accuracy,
}

impl Place {
    /// Nowhere in particular.
    pub const UNKNOWN: Self = Self { latitude: 1 << 23, longitude: 1 << 23, accuracy: Accuracy::UNKNOWN };
    /// Bits of each coordinate on the wire.
    pub(crate) const BITS: u32 = 24;
    const STEPS: i64 = 1 << Self::BITS;
    const QUARTER_TURN_E7: i64 = 900_000_000;
    const HALF_TURN_E7: i64 = 1_800_000_000;

    /// From ten-millionths of a degree, north and east positive.
    ///
    /// A latitude beyond a pole becomes the pole; a longitude wraps.
    #[must_use]
    pub fn from_degrees_e7(latitude_e7: i32, longitude_e7: i32, accuracy: Accuracy) -> Self {
        let north = i64::from(latitude_e7)
            .clamp(-Self::QUARTER_TURN_E7, Self::QUARTER_TURN_E7)
            .saturating_add(Self::QUARTER_TURN_E7);
        let east =
            i64::from(longitude_e7).saturating_add(Self::HALF_TURN_E7).rem_euclid(2 * Self::HALF_TURN_E7);
        Self {
            // The pole itself is the last step; a longitude of 360 degrees is the first again.
            latitude: step(north, Self::STEPS - 1, Self::HALF_TURN_E7),
            longitude: step(east, Self::STEPS, 2 * Self::HALF_TURN_E7) & 0xff_ffff,
            accuracy,
        }
    }

    /// Latitude in ten-millionths of a degree, north positive.
    #[must_use]
    pub fn latitude_e7(self) -> i32 {
        degrees(self.latitude, Self::HALF_TURN_E7, Self::STEPS - 1, Self::QUARTER_TURN_E7)
    }

    /// Longitude in ten-millionths of a degree, east positive.
    #[must_use]
    pub fn longitude_e7(self) -> i32 {
        degrees(self.longitude, 2 * Self::HALF_TURN_E7, Self::STEPS, Self::HALF_TURN_E7)
    }

    /// How far the true position may lie from this one.
    #[must_use]
    pub const fn accuracy(self) -> Accuracy {
        self.accuracy
    }

    /// Whether a position is stated at all.
    #[must_use]
    pub const fn is_known(self) -> bool {
        self.accuracy.0 != 0
    }

    pub(crate) const fn bits(self) -> (u32, u32) {
        (self.latitude, self.longitude)
    }

    pub(crate) const fn from_bits(latitude: u32, longitude: u32, accuracy: Accuracy) -> Self {
        Self { latitude: latitude & 0xff_ffff, longitude: longitude & 0xff_ffff, accuracy }
    }
}

/// Widening; `u32::from` is not const yet on this crate's minimum version.
#[allow(clippy::as_conversions, reason = "u8 to u32 loses nothing")]
const fn widen(small: u8) -> u32 {
    small as u32
}

/// The step of `steps` over `range` nearest to `offset`. The operands stay below 2^56.
fn step(offset: i64, steps: i64, range: i64) -> u32 {
    let scaled = offset.saturating_mul(steps).saturating_add(range.saturating_div(2));
    scaled.checked_div(range).and_then(|step| u32::try_from(step).ok()).unwrap_or(0)
}

/// The middle of `step` of `steps` over `range`, counted from `-origin`.
fn degrees(step: u32, range: i64, steps: i64, origin: i64) -> i32 {
    let scaled = i64::from(step).saturating_mul(range).saturating_add(steps.saturating_div(2));
    scaled.checked_div(steps).and_then(|e7| i32::try_from(e7.saturating_sub(origin)).ok()).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poles_and_the_date_line() {
        let place = |lat, lon| {
            let place = Place::from_degrees_e7(lat, lon, Accuracy::UNKNOWN);
            (place.latitude_e7(), place.longitude_e7())
        };
        assert_eq!(place(900_000_000, 1_800_000_000), (900_000_000, -1_800_000_000));
        assert_eq!(place(i32::MAX, 0).0, 900_000_000);
        assert_eq!(place(i32::MIN, 0).0, -900_000_000);
        assert_eq!(place(0, -1_800_000_000).1, -1_800_000_000);
    }

    #[test]
    fn a_position_moves_less_than_half_a_step() {
        for k in -1_000..=1_000 {
            let (lat, lon) = (k * 899_999, k * 1_799_999);
            let place = Place::from_degrees_e7(lat, lon, Accuracy::UNKNOWN);
            assert!((place.latitude_e7() - lat).abs() <= 54, "latitude {lat}");
            assert!((place.longitude_e7() - lon).abs() <= 108, "longitude {lon}");
        }
    }

    #[test]
    fn accuracy_steps() {
        assert_eq!(Accuracy::within_metres(0).radius_m(), Some(5));
        assert_eq!(Accuracy::within_metres(81_920).radius_m(), Some(81_920));
        assert_eq!(Accuracy::within_metres(81_921), Accuracy::UNKNOWN);
    }
}
