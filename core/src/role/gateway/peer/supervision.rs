//! Whether a node lives, and whether it is one.

use crate::limits::{
    ALARM_REPEAT_MS, BAD_TAGS_PER_HOUR_MAX, REPORT_INTERVAL_RADIO_MS, SILENT_AFTER_HALF_REPORTS,
};
use crate::time::{Duration, Instant};

/// When a node lived last, and what the host has been told of it.
#[derive(Debug)]
pub(super) struct Supervision {
    /// When the last proof of life was sent; later, where silence is planned.
    lived_at: Instant,
    report_interval: Duration,
    silent: bool,
    tell_silent: bool,
    tell_returned: bool,
}

impl Supervision {
    pub(super) const fn new(now: Instant) -> Self {
        Self {
            lived_at: now,
            report_interval: Duration::from_millis(REPORT_INTERVAL_RADIO_MS),
            silent: false,
            tell_silent: false,
            tell_returned: false,
        }
    }

    pub(super) const fn is_silent(&self) -> bool {
        self.silent
    }

    /// When it falls silent if no more is heard of it; none once it has.
    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let half = Duration::from_millis(self.report_interval.as_millis() / 2);
        let deadline = (0..SILENT_AFTER_HALF_REPORTS).fold(self.lived_at, |at, _| at.after(half));
        (!self.silent).then_some(deadline)
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.poll_timeout().is_some_and(|deadline| deadline <= now) {
            self.silent = true;
            self.tell_silent = true;
            self.tell_returned = false;
        }
    }

    /// A report has come by a link with this interval: so long it takes until the next.
    pub(super) const fn note_report(&mut self, report_interval: Duration) {
        self.report_interval = report_interval;
    }

    /// It was alive then.
    pub(super) fn prove(&mut self, sent_at: Instant) {
        self.lived_at = self.lived_at.max(sent_at);
        self.tell_returned |= self.silent;
        self.silent = false;
    }

    pub(super) fn expect_silence(&mut self, until: Instant) {
        self.lived_at = self.lived_at.max(until);
    }

    pub(super) const fn has_news(&self) -> bool {
        self.tell_silent || self.tell_returned
    }

    pub(super) const fn poll_silent(&mut self) -> bool {
        core::mem::replace(&mut self.tell_silent, false)
    }

    pub(super) const fn poll_returned(&mut self) -> bool {
        core::mem::replace(&mut self.tell_returned, false)
    }
}

/// What somebody else does in the node's name.
#[derive(Debug)]
pub(super) struct Alarms {
    hour_began: Instant,
    bad_tags: u32,
    tell_bad_tags: bool,
    /// When two nodes under one key were noticed; none where they were not, or the host has seen to it.
    clone_told: Option<Instant>,
    tell_clone: bool,
    tell_restored: bool,
}

impl Alarms {
    /// One that was found to be an old copy of itself says so again after a restart.
    pub(super) const fn new(now: Instant, tell_restored: bool) -> Self {
        Self {
            hour_began: now,
            bad_tags: 0,
            tell_bad_tags: false,
            clone_told: None,
            tell_clone: false,
            tell_restored,
        }
    }

    pub(super) fn count_bad_tag(&mut self, now: Instant) {
        if now >= self.hour_began.after(Duration::from_millis(ALARM_REPEAT_MS)) {
            self.hour_began = now;
            self.bad_tags = 0;
        }
        self.bad_tags = self.bad_tags.saturating_add(1);
        self.tell_bad_tags |= self.bad_tags == BAD_TAGS_PER_HOUR_MAX;
    }

    pub(super) fn raise_clone(&mut self, now: Instant) {
        let repeat = Duration::from_millis(ALARM_REPEAT_MS);
        if self.clone_told.is_none_or(|told| now >= told.after(repeat)) {
            self.clone_told = Some(now);
            self.tell_clone = true;
        }
    }

    pub(super) const fn is_cloned(&self) -> bool {
        self.clone_told.is_some()
    }

    pub(super) const fn clear_clone(&mut self) {
        self.clone_told = None;
        self.tell_clone = false;
    }

    pub(super) const fn raise_restored(&mut self) {
        self.tell_restored = true;
    }

    pub(super) const fn has_news(&self) -> bool {
        self.tell_bad_tags || self.tell_clone || self.tell_restored
    }

    pub(super) fn poll_bad_tags(&mut self) -> Option<u32> {
        core::mem::replace(&mut self.tell_bad_tags, false).then_some(self.bad_tags)
    }

    pub(super) const fn poll_clone(&mut self) -> bool {
        core::mem::replace(&mut self.tell_clone, false)
    }

    pub(super) const fn poll_restored(&mut self) -> bool {
        core::mem::replace(&mut self.tell_restored, false)
    }
}
