//! What day it is, as far as a gateway has told.

use crate::time::{ClockQuality, EventTime, Instant};

/// In how many milliseconds a station's clock may drift by one: 100 millionths, a cheap crystal from −20 °C to 60 °C.
const DRIFT_ONE_IN: u32 = 10_000;

/// The calendar beside the station's own clock.
#[derive(Debug, Default)]
pub(crate) struct Calendar {
    /// What the calendar said, and when.
    told: Option<(Instant, EventTime)>,
}

impl Calendar {
    pub(crate) const fn new() -> Self {
        Self { told: None }
    }

    /// A gateway says what time it is. One that says uptime says nothing.
    pub(crate) fn set(&mut self, now: Instant, time: EventTime) -> bool {
        let says_something = time.quality() != ClockQuality::Uptime;
        if says_something {
            self.told = Some((now, time));
        }
        says_something
    }

    /// The calendar time with a quality that falls with its age, else the uptime.
    pub(crate) fn at(&self, now: Instant) -> EventTime {
        let Some((then, told)) = self.told else { return EventTime::uptime(now) };
        let elapsed_ms = now.as_millis().saturating_sub(then.as_millis());
        // A processor of 32 bits has no division for more; what was told 50 days ago is no calendar any more.
        let drift_ms = u32::try_from(elapsed_ms).ok().map(|elapsed_ms| elapsed_ms / DRIFT_ONE_IN);
        let quality = match (told.quality().error_ms_max(), drift_ms) {
            (Some(error_ms), Some(drift_ms)) => {
                ClockQuality::within_ms(error_ms.saturating_add(drift_ms.into()))
            }
            _ => ClockQuality::Unknown,
        };
        EventTime::new(told.millis().saturating_add(elapsed_ms), quality)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_told_time_goes_on_and_grows_less_certain() {
        let mut calendar = Calendar::new();
        let at = |ms| Instant::from_millis(ms);
        assert_eq!(calendar.at(at(5)), EventTime::uptime(at(5)));
        assert!(!calendar.set(at(0), EventTime::uptime(at(9))), "an uptime is no calendar");
        assert!(calendar.set(at(1_000), EventTime::new(1_578_445_200_000, ClockQuality::Second)));
        assert_eq!(calendar.at(at(1_000)), EventTime::new(1_578_445_200_000, ClockQuality::Second));
        let day_ms = 86_400_000;
        assert_eq!(calendar.at(at(day_ms)).millis(), 1_578_445_200_000 + day_ms - 1_000);
        assert_eq!(calendar.at(at(30 * day_ms)).quality(), ClockQuality::Hour);
        assert_eq!(calendar.at(at(49 * day_ms)).quality(), ClockQuality::Hour);
        assert_eq!(calendar.at(at(51 * day_ms)).quality(), ClockQuality::Unknown);
    }
}
