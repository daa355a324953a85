//! How old an alert or a report is: by the uptime of its node's boot, or by the calendar.

use crate::limits::{
    CLOCK_DRIFT_PPM_MAX, TIME_TO_LIVE_FLASH_MS, TIME_TO_LIVE_IMMEDIATE_MS, TIME_TO_LIVE_PRIORITY_MS,
    TIME_TO_LIVE_ROUTINE_MS,
};
use crate::message::Alert;
use crate::precedence::Precedence;
use crate::time::{ClockQuality, Duration, EventTime, Instant};

/// When a node booted, on this gateway's clock.
///
/// A report comes later than it was sent, never earlier, so of all estimates the earliest is the best: holding reports
/// back can make none of them look younger. The node's clock may be slow, so with time the estimate gives way, by the
/// drift and no more.
#[derive(Clone, Copy, Debug)]
pub(super) struct BootClock {
    boot: u16,
    uptime_ms: u64,
    /// Counter of the newest report in this epoch.
    counter: u32,
    /// Before the start of this gateway's clock, for most.
    booted_at_ms: i64,
    learnt_at: Instant,
}

impl BootClock {
    pub(super) fn new(now: Instant, counter: u32, boot: u16, uptime_ms: u64) -> Self {
        let booted_at_ms = millis(now).saturating_sub(signed(uptime_ms));
        Self { boot, uptime_ms, counter, booted_at_ms, learnt_at: now }
    }

    /// The clock after another report, which is newer than all before it.
    pub(super) fn learn(self, now: Instant, counter: u32, boot: u16, uptime_ms: u64) -> Self {
        let anew = Self::new(now, counter, boot, uptime_ms);
        // Boot counts begin again where a node is provisioned anew.
        if boot != self.boot || uptime_ms < self.uptime_ms {
            return anew;
        }
        let elapsed_ms = u64::from(now.since(self.learnt_at).as_millis());
        let drift_ms = elapsed_ms.saturating_mul(CLOCK_DRIFT_PPM_MAX.into()) / 1_000_000;
        let relaxed_ms = self.booted_at_ms.saturating_add(signed(drift_ms));
        Self { booted_at_ms: relaxed_ms.min(anew.booted_at_ms), ..anew }
    }

    /// Counters begin again in the next epoch; the boot goes on.
    pub(super) const fn move_on(&mut self) {
        self.counter = 0;
    }

    /// Time since that uptime; zero where it lies ahead.
    pub(super) fn age(&self, now: Instant, uptime_ms: u64) -> Duration {
        let at_ms = self.booted_at_ms.saturating_add(signed(uptime_ms));
        duration(millis(now).saturating_sub(at_ms))
    }

    /// Which boot an alert is of, by the three bits of its count that it carries, if its packet had this counter.
    fn place(&self, bits: u8, counter: u32) -> Boot {
        let [_, low] = self.boot.to_be_bytes();
        match bits.wrapping_sub(low) & 0b111 {
            0 => Boot::This,
            // A node that has just booted sends its alerts before its report, under counters above all before.
            1..=3 if counter > self.counter => Boot::Later,
            _ => Boot::Earlier,
        }
    }
}

enum Boot {
    Earlier,
    This,
    Later,
}

/// The calendar, from the moment it was set on.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    set_at: Instant,
    time: EventTime,
}

impl Calendar {
    /// None where `time` is no calendar time at all.
    pub(super) fn set(now: Instant, time: EventTime) -> Option<Self> {
        (time.quality() > ClockQuality::Unknown).then_some(Self { set_at: now, time })
    }

    pub(super) fn at(&self, now: Instant) -> EventTime {
        let elapsed_ms = now.as_millis().saturating_sub(self.set_at.as_millis());
        EventTime::new(self.time.millis().saturating_add(elapsed_ms), self.time.quality())
    }
}

/// Age of an alert of `precedence` that came under `counter`, and whether it is late.
///
/// It is late only where that is certain: both clocks may be wrong by what they say of themselves. Where nothing is
/// known it is not: a second warning does less harm than silence.
pub(super) fn date(
    now: Instant,
    counter: u32,
    precedence: Precedence,
    alert: &Alert,
    boot: Option<&BootClock>,
    calendar: Option<&Calendar>,
) -> (Option<Duration>, bool) {
    let (age, error) = match (alert.time.quality(), boot, calendar) {
        (ClockQuality::Uptime, Some(boot), _) => match boot.place(alert.boot, counter) {
            Boot::This => (boot.age(now, alert.time.millis()), Duration::ZERO),
            Boot::Earlier => return (None, true),
            Boot::Later => return (None, false),
        },
        (ClockQuality::Uptime | ClockQuality::Unknown, ..) | (_, _, None) => return (None, false),
        (quality, _, Some(calendar)) => {
            let today = calendar.at(now);
            let age = duration(signed(today.millis()).saturating_sub(signed(alert.time.millis())));
            (age, Duration::from_millis(error_ms(quality).saturating_add(error_ms(today.quality()))))
        }
    };
    let certain_ms = age.as_millis().saturating_sub(error.as_millis());
    (Some(age), certain_ms > time_to_live_ms(precedence))
}

const fn error_ms(quality: ClockQuality) -> u32 {
    match quality {
        ClockQuality::Uptime | ClockQuality::Unknown => u32::MAX,
        ClockQuality::Hour => 3_600_000,
        ClockQuality::Minute => 60_000,
        ClockQuality::Second => 1_000,
        ClockQuality::Decisecond => 100,
        ClockQuality::Centisecond => 10,
        ClockQuality::Millisecond => 1,
    }
}

const fn time_to_live_ms(precedence: Precedence) -> u32 {
    match precedence {
        Precedence::Flash => TIME_TO_LIVE_FLASH_MS,
        Precedence::Immediate => TIME_TO_LIVE_IMMEDIATE_MS,
        Precedence::Priority => TIME_TO_LIVE_PRIORITY_MS,
        Precedence::Routine => TIME_TO_LIVE_ROUTINE_MS,
    }
}

fn millis(now: Instant) -> i64 {
    signed(now.as_millis())
}

fn signed(ms: u64) -> i64 {
    i64::try_from(ms).unwrap_or(i64::MAX)
}

/// Negative ones are no time at all, long ones 49.7 days.
fn duration(ms: i64) -> Duration {
    Duration::from_millis(u32::try_from(ms.max(0)).unwrap_or(u32::MAX))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_earliest_estimate_wins_and_gives_way_by_the_drift_alone() {
        let at = Instant::from_millis;
        // Booted at 1,000 s; the first report is 20 s late, the second not at all, then one is held back for 100 s.
        let clock = BootClock::new(at(1_080_000), 1, 5, 60_000);
        assert_eq!(clock.age(at(1_080_000), 60_000), Duration::ZERO);
        let clock = clock.learn(at(1_120_000), 2, 5, 120_000);
        assert_eq!(clock.age(at(1_120_000), 60_000), Duration::from_secs(60));
        let clock = clock.learn(at(1_280_000), 3, 5, 180_000);
        assert_eq!(clock.age(at(1_280_000), 180_000), Duration::from_millis(100_000 - 32));
        // A slow clock of 200 ppm, for 30 days of hourly reports.
        let mut clock = BootClock::new(at(0), 4, 5, 0);
        for hour in 1..=720_u64 {
            let now = at(hour * 3_600_000);
            let uptime_ms = hour * 3_600_000 * 999_800 / 1_000_000;
            clock = clock.learn(now, 5, 5, uptime_ms);
            assert!(clock.age(now, uptime_ms) <= Duration::from_secs(1), "hour {hour}");
        }
        assert_eq!(clock.age(at(0), u64::MAX), Duration::ZERO);
    }

    #[test]
    fn another_boot_is_placed_by_its_count_and_its_counter() {
        let clock = BootClock::new(Instant::START, 100, 6, 0);
        let placed = |bits, counter| match clock.place(bits, counter) {
            Boot::Earlier => -1,
            Boot::This => 0,
            Boot::Later => 1,
        };
        assert_eq!([6, 7, 0, 1, 2, 5].map(|bits| placed(bits, 101)), [0, 1, 1, 1, -1, -1]);
        assert_eq!([6, 7, 0, 1, 2, 5].map(|bits| placed(bits, 99)), [0, -1, -1, -1, -1, -1]);
    }
}
