//! When to report home, and which part of the ledger goes next.

use crate::ledger::VALUES;
use crate::limits::{
    ALERTS_PER_REPORT_MAX, LEDGER_VALUES_PER_REPORT, REPORT_HASTE_MS_MIN, REPORT_INTERVAL_RADIO_MS,
};
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Reports {
    /// When the next regular one falls due; none while one waits to be sent.
    next: Option<Instant>,
    /// When one more falls due, because something asked for it.
    asked: Option<Instant>,
    /// One that was asked for waits to be sent.
    owed: bool,
    /// When the last was sent.
    last: Option<Instant>,
    /// Time between two, as the link last used for one has it.
    interval: Duration,
    /// Alerts sent while a report or an answer waits.
    alerts_before: u8,
    ledger_index: u8,
}

impl Reports {
    /// The first is due at once: a gateway learns of every boot.
    pub(crate) const fn new() -> Self {
        let interval = Duration::from_millis(REPORT_INTERVAL_RADIO_MS);
        Self { next: None, asked: None, owed: false, last: None, interval, alerts_before: 0, ledger_index: 0 }
    }

    pub(crate) fn next_step(&self) -> Option<Instant> {
        self.next.into_iter().chain(self.asked).min()
    }

    pub(crate) const fn interval(&self) -> Duration {
        self.interval
    }

    pub(crate) const fn ledger_index(&self) -> u8 {
        self.ledger_index
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.next = None;
        }
        if self.asked.is_some_and(|asked| asked <= now) {
            self.asked = None;
            self.owed = true;
        }
    }

    /// Somebody does not know enough of this station: report soon, but not for every one who asks. The regular one
    /// keeps its appointment, or whoever asks again and again could hold up the end of what is believed.
    pub(crate) fn hasten(&mut self, now: Instant) {
        let wait = Duration::from_millis(REPORT_HASTE_MS_MIN);
        let soon = self.last.map_or(now, |last| last.after(wait)).max(now);
        if !self.owed && self.asked.is_none() && self.next.is_some_and(|next| soon < next) {
            self.asked = Some(soon);
        }
    }

    /// Whether a regular one waits.
    pub(crate) const fn is_due(&self) -> bool {
        self.next.is_none()
    }

    /// Whether one that was asked for waits.
    pub(crate) const fn is_owed(&self) -> bool {
        self.owed
    }

    /// Whether enough alerts have gone before what waits.
    pub(crate) const fn has_waited(&self) -> bool {
        self.alerts_before >= ALERTS_PER_REPORT_MAX
    }

    /// An alert went before what waits.
    pub(crate) fn count_alert(&mut self) {
        self.alerts_before = self.alerts_before.saturating_add(1);
    }

    /// A report or an answer went out.
    pub(crate) fn count_report(&mut self) {
        self.alerts_before = 0;
    }

    /// The heartbeat went out; true where it was one of the regular ones.
    pub(crate) fn sent(&mut self, now: Instant, interval: Duration) -> bool {
        let regular = self.is_due();
        if regular {
            self.next = Some(now.after(interval));
            self.interval = interval;
        }
        self.asked = None;
        self.owed = false;
        self.last = Some(now);
        self.count_report();
        let following = usize::from(self.ledger_index).saturating_add(LEDGER_VALUES_PER_REPORT);
        self.ledger_index = if following < VALUES { u8::try_from(following).unwrap_or(0) } else { 0 };
        regular
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slot_in_eight_is_for_reports() {
        let mut reports = Reports::new();
        assert!(reports.is_due() && !reports.has_waited());
        for _ in 0..ALERTS_PER_REPORT_MAX {
            assert!(!reports.has_waited());
            reports.count_alert();
        }
        assert!(reports.has_waited());
        assert!(reports.sent(Instant::START, Duration::from_secs(60)));
        assert!(!reports.is_due() && !reports.has_waited());
        reports.handle_timeout(Instant::from_millis(60_000));
        assert!(reports.is_due());
    }

    #[test]
    fn who_asks_gets_a_report_soon_and_not_too_often() {
        let mut reports = Reports::new();
        let at = Instant::from_millis;
        reports.hasten(at(0));
        assert!(reports.sent(at(0), Duration::from_secs(300)), "it was due anyway");
        reports.hasten(at(1));
        reports.hasten(at(2));
        assert_eq!(reports.next_step(), Some(at(u64::from(REPORT_HASTE_MS_MIN))));
        reports.handle_timeout(at(u64::from(REPORT_HASTE_MS_MIN)));
        assert!(reports.is_owed() && !reports.sent(at(6_000), Duration::from_secs(300)), "an extra one");
        assert_eq!(reports.next_step(), Some(at(300_000)), "the regular one keeps its appointment");
        reports.hasten(at(100_000));
        assert_eq!(reports.next_step(), Some(at(100_000)));
        reports.handle_timeout(at(300_000));
        assert!(reports.is_owed() && reports.sent(at(300_000), Duration::from_secs(300)), "one for both");
        assert!(!reports.is_owed() && !reports.is_due());
    }

    #[test]
    fn the_ledger_goes_home_in_turn() {
        let mut reports = Reports::new();
        let mut seen = [false; VALUES];
        for _ in 0..VALUES / LEDGER_VALUES_PER_REPORT {
            let first = usize::from(reports.ledger_index);
            seen[first..first + LEDGER_VALUES_PER_REPORT].fill(true);
            reports.sent(Instant::START, Duration::ZERO);
        }
        assert_eq!((seen, reports.ledger_index), ([true; VALUES], 0));
    }
}
