//! Which stretches of time are played, and which are quiet and skipped.
//!
//! The run's own clock stands still while quiet is skipped: to a node no time passes, so no report is missed and
//! no age grows. Quiet is what lies more than ten minutes from every incident, while nothing is open.

/// Time before and after an incident that is always played, in milliseconds.
pub(super) const AROUND_INCIDENT_MS: u64 = 10 * 60_000;

/// How long after an incident the quiet is put off while alerts are open, in milliseconds: longer than the longest
/// time to live, so that everything but Flash has come to its end by then.
pub(super) const OPEN_ALERTS_MS: u64 = 70 * 60_000;

/// The calendar beside the run's clock.
#[derive(Clone, Copy, Debug)]
pub(super) struct Calendar {
    /// Calendar time at which the run's clock would have read zero.
    origin_ms: u64,
    /// Skipped so far.
    pub(super) skipped_ms: u64,
    /// End of what is played around the last incident.
    played_until_ms: u64,
    /// End of what is played while alerts are open.
    open_until_ms: u64,
}

impl Calendar {
    /// Starts ten minutes before the first incident.
    pub(super) const fn starting_before(first_ms: u64) -> Self {
        let origin_ms = first_ms.saturating_sub(AROUND_INCIDENT_MS);
        Self { origin_ms, skipped_ms: 0, played_until_ms: origin_ms, open_until_ms: origin_ms }
    }

    /// Calendar time at `run_ms`, milliseconds since 1970, universal time.
    pub(super) const fn at(&self, run_ms: u64) -> u64 {
        self.origin_ms + run_ms
    }

    /// The reading of the run's clock at this calendar time, if nothing is skipped before it.
    pub(super) const fn run_ms(&self, calendar_ms: u64) -> u64 {
        calendar_ms.saturating_sub(self.origin_ms)
    }

    /// An alert is raised at this calendar time.
    pub(super) fn note_alert(&mut self, calendar_ms: u64) {
        self.played_until_ms = self.played_until_ms.max(calendar_ms + AROUND_INCIDENT_MS);
        self.open_until_ms = self.open_until_ms.max(calendar_ms + OPEN_ALERTS_MS);
    }

    /// The end of the stretch that is played now.
    pub(super) fn stretch_ends_ms(&self, alerts_open: bool) -> u64 {
        if alerts_open { self.open_until_ms.max(self.played_until_ms) } else { self.played_until_ms }
    }

    /// Skips from `run_ms` to where the next stretch begins, if that lies ahead.
    pub(super) fn skip_to(&mut self, run_ms: u64, begins_ms: u64) -> Option<u64> {
        let quiet_ms = begins_ms.saturating_sub(self.at(run_ms));
        self.origin_ms += quiet_ms;
        self.skipped_ms += quiet_ms;
        // The new stretch begins here, even before its alert is raised, and even where open alerts have kept the
        // run going into it.
        self.played_until_ms = self.played_until_ms.max(self.at(run_ms));
        (quiet_ms > 0).then_some(quiet_ms)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_runs_clock_stands_still_in_the_quiet() {
        let hour_ms = 60 * 60_000;
        let mut calendar = Calendar::starting_before(100 * hour_ms);
        assert_eq!(calendar.at(AROUND_INCIDENT_MS), 100 * hour_ms);
        calendar.note_alert(100 * hour_ms);
        assert_eq!(calendar.stretch_ends_ms(false), 100 * hour_ms + AROUND_INCIDENT_MS);
        assert_eq!(calendar.stretch_ends_ms(true), 100 * hour_ms + OPEN_ALERTS_MS);
        let run_ms = 2 * AROUND_INCIDENT_MS;
        assert!(calendar.skip_to(run_ms, 200 * hour_ms - AROUND_INCIDENT_MS).is_some());
        assert_eq!(calendar.at(run_ms), 200 * hour_ms - AROUND_INCIDENT_MS);
        assert_eq!(calendar.stretch_ends_ms(false), calendar.at(run_ms), "the next stretch has begun");
        assert_eq!(calendar.skip_to(run_ms, 200 * hour_ms - AROUND_INCIDENT_MS), None, "once is enough");
        assert_eq!(calendar.skip_to(run_ms, 100 * hour_ms - AROUND_INCIDENT_MS), None, "never backwards");
        let late_ms = run_ms + 15 * 60_000;
        assert_eq!(
            calendar.skip_to(late_ms, 200 * hour_ms - AROUND_INCIDENT_MS),
            None,
            "the run is there already"
        );
        assert_eq!(
            calendar.stretch_ends_ms(false),
            calendar.at(late_ms),
            "and the stretch has begun all the same"
        );
    }
}
