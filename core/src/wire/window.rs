//! Which numbers have been seen: replayed packets on the way in, alerts known already behind it.

use serde::{Deserialize, Serialize};

use crate::limits::{DEDUPE_WORDS, FLASH_SPAN_MAX};
use crate::message::Seq;

/// Why a number is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Replay {
    /// It has been taken before.
    Seen {
        /// The number.
        got: u32,
    },
    /// It lies left of the window: whether it was taken before is not known any more.
    TooOld {
        /// The number.
        got: u32,
        /// The lowest number still told apart.
        lowest: u32,
    },
}

/// A sliding window of `WORDS` × 64 numbers below the highest one taken.
///
/// Look with [`ReplayWindow::peek`] before the tag is checked, because that is cheap; write with
/// [`ReplayWindow::commit`] after it held, and never before: otherwise a forger closes the window on the true
/// sender. Numbers start at 1; 0 is never fresh.
///
/// ```
/// use alertbus::wire::window::ReplayWindow;
/// let mut window = ReplayWindow::<1>::new();
/// assert!(window.peek(5).is_ok());
/// window.commit(5);
/// assert!(window.peek(5).is_err());
/// assert!(window.peek(4).is_ok());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "[u64; WORDS]: Serialize", deserialize = "[u64; WORDS]: Deserialize<'de>"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ReplayWindow<const WORDS: usize> {
    high: u32,
    seen: BitRing<WORDS>,
}

impl<const WORDS: usize> ReplayWindow<WORDS> {
    /// Nothing seen.
    #[must_use]
    pub const fn new() -> Self {
        Self { high: 0, seen: BitRing::new() }
    }

    /// All numbers up to `high` are taken: what is left of a window when its bits are lost, or not trusted.
    #[must_use]
    pub const fn taken_up_to(high: u32) -> Self {
        Self { high, seen: BitRing { words: [u64::MAX; WORDS] } }
    }

    /// Whether `number` lies less than a whole window above the highest one taken.
    #[must_use]
    pub const fn reaches(&self, number: u32) -> bool {
        number < self.high.saturating_add(BitRing::<WORDS>::LEN)
    }

    /// Whether `number` is one that this window tells apart: not yet left of it.
    #[must_use]
    pub const fn is_near(&self, number: u32) -> bool {
        number > self.high.saturating_sub(BitRing::<WORDS>::LEN)
    }

    /// The highest number taken, 0 before any.
    #[must_use]
    pub const fn high(&self) -> u32 {
        self.high
    }

    /// Whether `number` is fresh. Changes nothing.
    ///
    /// # Errors
    /// It was taken before, or lies too far below the highest to tell.
    pub fn peek(&self, number: u32) -> Result<(), Replay> {
        if !self.is_near(number) {
            let lowest = self.high.saturating_sub(BitRing::<WORDS>::LEN).saturating_add(1);
            return Err(Replay::TooOld { got: number, lowest });
        }
        if number <= self.high && self.seen.contains(number) {
            return Err(Replay::Seen { got: number });
        }
        Ok(())
    }

    /// Takes `number`; one that [`ReplayWindow::peek`] refuses changes nothing.
    ///
    /// Cost: the distance by which the window moves, at most its length.
    pub fn commit(&mut self, number: u32) {
        if self.peek(number).is_err() {
            return;
        }
        if number > self.high {
            self.seen.forget(self.high, number);
            self.high = number;
        }
        self.seen.insert(number);
    }
}

impl<const WORDS: usize> Default for ReplayWindow<WORDS> {
    fn default() -> Self {
        Self::new()
    }
}

/// Which Flash alerts of one node are known: all below a floor, and one bit for each of the 1,024 from there.
///
/// Exact in fixed memory, because the node itself keeps newest − floor below the span: what falls out at the
/// bottom has been settled there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct FlashFilter {
    floor: u32,
    known: BitRing<DEDUPE_WORDS>,
}

impl FlashFilter {
    /// Nothing known.
    #[must_use]
    pub const fn new() -> Self {
        Self { floor: 1, known: BitRing::new() }
    }

    /// All numbers below this one are known.
    #[must_use]
    pub const fn floor(&self) -> u32 {
        self.floor
    }

    /// Whether the alert with this number is known.
    #[must_use]
    pub fn contains(&self, seq: Seq) -> bool {
        let number = seq.number();
        number < self.floor || (number < self.end() && self.known.contains(number))
    }

    /// Whether `seq` lies below the end of the span, so that [`FlashFilter::insert`] of it leaves the floor where it is.
    #[must_use]
    pub const fn reaches(&self, seq: Seq) -> bool {
        seq.number() < self.end()
    }

    /// Makes the alert with this number known. A number beyond the span lifts the floor: its node has settled
    /// everything that far below.
    pub fn insert(&mut self, seq: Seq) {
        let number = seq.number();
        if number >= self.end() {
            self.raise_floor(number.saturating_sub(FLASH_SPAN_MAX).saturating_add(1));
        }
        if number >= self.floor {
            self.known.insert(number);
        }
    }

    /// Makes everything below `floor` known. Floors only rise; a lower one, from a delayed report, does nothing.
    pub fn raise_floor(&mut self, floor: u32) {
        if floor > self.floor {
            // The bits of the numbers that leave at the bottom serve those that enter at the top.
            self.known
                .forget(self.end().saturating_sub(1), floor.saturating_add(FLASH_SPAN_MAX).saturating_sub(1));
            self.floor = floor;
        }
    }

    const fn end(&self) -> u32 {
        self.floor.saturating_add(FLASH_SPAN_MAX)
    }
}

impl Default for FlashFilter {
    fn default() -> Self {
        Self::new()
    }
}

/// One bit for each of `WORDS` × 64 consecutive numbers, wherever they lie.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(bound(serialize = "[u64; WORDS]: Serialize", deserialize = "[u64; WORDS]: Deserialize<'de>"))]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct BitRing<const WORDS: usize> {
    words: [u64; WORDS],
}

impl<const WORDS: usize> BitRing<WORDS> {
    #[allow(clippy::as_conversions, reason = "a window is at most some thousand numbers")]
    const LEN: u32 = 64 * WORDS as u32;

    const fn new() -> Self {
        const { assert!(WORDS > 0 && WORDS <= 1 << 16) };
        Self { words: [0; WORDS] }
    }

    fn contains(&self, number: u32) -> bool {
        let (word, bit) = Self::place(number);
        self.words.get(word).is_some_and(|word| word & bit != 0)
    }

    fn insert(&mut self, number: u32) {
        let (word, bit) = Self::place(number);
        if let Some(word) = self.words.get_mut(word) {
            *word |= bit;
        }
    }

    /// Clears the bits of the numbers above `high` up to `new_high`.
    fn forget(&mut self, high: u32, new_high: u32) {
        if new_high.saturating_sub(high) >= Self::LEN {
            self.words = [0; WORDS];
            return;
        }
        for number in high.saturating_add(1)..=new_high {
            let (word, bit) = Self::place(number);
            if let Some(word) = self.words.get_mut(word) {
                *word &= !bit;
            }
        }
    }

    fn place(number: u32) -> (usize, u64) {
        let at = number.checked_rem(Self::LEN).unwrap_or(0);
        (usize::try_from(at >> 6).unwrap_or(0), 1_u64.wrapping_shl(at & 63))
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use std::collections::BTreeSet;
    use std::vec::Vec;

    /// Every sequence of four numbers out of the interesting ones, against the obvious set.
    #[test]
    fn agrees_with_the_obvious_window() {
        let interesting =
            [0, 1, 2, 63, 64, 65, 66, 127, 128, 129, 1_000, u32::MAX - 64, u32::MAX - 1, u32::MAX];
        for pick in 0..interesting.len().pow(4) {
            let numbers: Vec<u32> =
                (0..4).map(|k| interesting[pick / interesting.len().pow(k) % interesting.len()]).collect();
            let mut window = ReplayWindow::<1>::new();
            let mut taken = BTreeSet::new();
            for &number in &numbers {
                let high = taken.last().copied().unwrap_or(0);
                let too_old = number == 0 || u64::from(number) + 64 <= u64::from(high);
                let fresh = !too_old && !taken.contains(&number);
                assert_eq!(window.peek(number).is_ok(), fresh, "{numbers:?} at {number}");
                window.commit(number);
                if fresh {
                    taken.insert(number);
                }
                assert_eq!(window.high(), taken.last().copied().unwrap_or(0), "{numbers:?}");
            }
        }
    }

    #[test]
    fn a_flash_alert_within_the_span_is_never_mistaken() {
        let seq = |number| Seq::new(number).unwrap();
        let mut filter = FlashFilter::new();
        let mut known = BTreeSet::new();
        // A node that settles slowly: newest minus floor stays just below the span.
        for step in 1..5_000_u32 {
            let number = if step % 3 == 0 { step } else { step.saturating_sub(700).max(1) };
            filter.insert(seq(number));
            known.insert(number);
            if step % 500 == 0 {
                filter.raise_floor(step.saturating_sub(900));
                filter.raise_floor(1);
            }
            for probe in filter.floor()..=step {
                assert_eq!(filter.contains(seq(probe)), known.contains(&probe), "step {step}, {probe}");
            }
            assert!(filter.floor() == 1 || filter.contains(seq(filter.floor() - 1)));
        }
    }

    #[test]
    fn a_number_beyond_the_span_lifts_the_floor() {
        let mut filter = FlashFilter::new();
        filter.insert(Seq::FIRST);
        filter.insert(Seq::new(5_000).unwrap());
        assert_eq!(filter.floor(), 5_000 - 1_023);
        assert!(filter.contains(Seq::new(5_000).unwrap()) && !filter.contains(Seq::new(4_999).unwrap()));
        assert!(filter.contains(Seq::new(3_000).unwrap()));
    }
}
