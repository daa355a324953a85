//! How long to wait before something that nobody has answered is sent again.

use rand_pcg::Pcg32;
use rand_pcg::rand_core::Rng;

use crate::limits::RETRY_MS_MAX;
use crate::time::Duration;

/// Three airtimes after the first transmission, twice as long after each further one, spread by half either way; never
/// under three airtimes, and never over [`RETRY_MS_MAX`] where these are not longer.
pub(super) fn retry_wait(airtime_max: Duration, attempts: u8, jitter: &mut Pcg32) -> Duration {
    let first_ms = airtime_max.times(3).as_millis().max(1);
    let longest_ms = RETRY_MS_MAX.max(first_ms);
    let doubled = first_ms.saturating_mul(1_u32.checked_shl(attempts.into()).unwrap_or(u32::MAX));
    // Two thirds of the longest wait, so that the spread stays whole at the end: 20 s to 60 s.
    let middle_ms = doubled.min(longest_ms.saturating_mul(2) / 3);
    let lowest_ms = (middle_ms / 2).max(first_ms);
    let spread_ms = middle_ms.min(longest_ms.saturating_sub(lowest_ms));
    let spread = u64::from(jitter.next_u32()).saturating_mul(u64::from(spread_ms)) >> 32;
    Duration::from_millis(lowest_ms.saturating_add(u32::try_from(spread).unwrap_or(0)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double_within_their_bounds() {
        let mut jitter = Pcg32::new(1, 1);
        for attempts in 0..=u8::MAX {
            for _ in 0..200 {
                let wait_ms = retry_wait(Duration::from_millis(100), attempts, &mut jitter).as_millis();
                let middle_ms = (300_u64 << attempts.min(20)).min(40_000) as u32;
                let lowest_ms = (middle_ms / 2).max(300);
                assert!((lowest_ms..=lowest_ms + middle_ms).contains(&wait_ms), "{attempts}: {wait_ms}");
                assert!(wait_ms <= RETRY_MS_MAX);
            }
        }
    }

    #[test]
    fn slow_links_wait_three_airtimes_and_no_longer_than_they_must() {
        for airtime_s in [5, 7, 14, 3_600] {
            for attempts in 0..12 {
                let wait = retry_wait(Duration::from_secs(airtime_s), attempts, &mut Pcg32::new(1, 1));
                let least_ms = 3_000 * airtime_s;
                assert!(
                    (least_ms..=least_ms.max(RETRY_MS_MAX)).contains(&wait.as_millis()),
                    "{airtime_s} s: {wait:?}"
                );
            }
        }
    }
}
