//! The summary that is open: alerts counted together because there was no room for each, or because a detector
//! chatters.
//!
//! It has its number from the start and its content only when it is released into the queue: until then it grows. Once
//! it is there nothing is counted into it any more, so an acknowledgement always means all that it says.

use super::event::Handle;
use crate::limits::{CHATTER_MS, SUMMARY_JOURNAL_MS_MIN};
use crate::message::kind::Summary;
use crate::message::{Alert, AlertDraft, Content, Phase, Reference, Seq};
use crate::time::{Duration, Instant};

#[derive(Debug)]
pub(super) struct OpenSummary {
    pub(super) handle: Handle,
    pub(super) seq: Seq,
    pub(super) opened: Instant,
    /// When it may be released: at once where room was lacking, after a while for a chattering detector.
    pub(super) ready: Instant,
    alert: Alert,
    counted: Summary,
    /// How many of those counted the journal knows of, and when it may be told of more.
    journalled: u16,
    journal_next: Instant,
}

impl OpenSummary {
    /// A summary of nothing yet. `onset` names the event where all that is counted is chatter of one.
    pub(super) fn open(
        now: Instant,
        handle: Handle,
        seq: Seq,
        boot: u16,
        draft: &AlertDraft,
        onset: Option<Seq>,
    ) -> Self {
        let distance = onset.and_then(|onset| seq.number().checked_sub(onset.number()));
        let reference = distance.filter(|&distance| distance > 0).map(Reference::Back);
        let phase = if reference.is_some() { Phase::Update } else { Phase::Onset };
        Self {
            handle,
            seq,
            opened: now,
            ready: if reference.is_some() { now.after(Duration::from_millis(CHATTER_MS)) } else { now },
            alert: Alert { phase, reference, ..draft.onset(boot) },
            counted: Summary::default(),
            journalled: 0,
            journal_next: now,
        }
    }

    /// Whether one more can be counted: a saturated count would lose what it says.
    pub(super) const fn has_room(&self) -> bool {
        self.counted.count < u16::MAX
    }

    /// Counts one more. `onset` as for [`OpenSummary::open`].
    pub(super) fn count(&mut self, now: Instant, draft: &AlertDraft, onset: Option<Seq>) {
        self.counted.count = self.counted.count.saturating_add(1);
        let span_s = now.since(self.opened).as_millis() / 1_000;
        self.counted.span_s = u16::try_from(span_s).unwrap_or(u16::MAX);
        self.counted.kinds |= 1_u32.checked_shl(draft.body.code().min(31).into()).unwrap_or(0);
        self.alert.severity = self.alert.severity.max(draft.severity);
        self.alert.urgency = self.alert.urgency.max(draft.urgency);
        self.alert.certainty = self.alert.certainty.max(draft.certainty);
        let distance = onset.and_then(|onset| self.seq.number().checked_sub(onset.number()));
        if self.alert.reference != distance.map(Reference::Back) {
            // Several events, or one that found no room: it waits for nothing and refers to nothing.
            self.alert.phase = Phase::Onset;
            self.alert.reference = None;
            self.ready = self.ready.min(now);
        }
    }

    /// What it says of all that was counted so far.
    pub(super) fn content(&self) -> Content {
        Alert { body: self.counted.into(), ..self.alert }.content()
    }

    /// When the journal is to be told of what it does not know yet; none where it knows all.
    pub(super) fn journal_due(&self) -> Option<Instant> {
        (self.journalled < self.counted.count).then_some(self.journal_next)
    }

    /// The journal knows of all that was counted so far.
    pub(super) fn note_journalled(&mut self, now: Instant) {
        self.journalled = self.counted.count;
        self.journal_next = now.after(Duration::from_millis(SUMMARY_JOURNAL_MS_MIN));
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::kind::{ConvoyIed, RocketLaunch};
    use crate::message::{Body, Severity};

    fn said(summary: &OpenSummary) -> (Alert, Summary) {
        let alert = Alert::decode(summary.content().as_slice()).unwrap();
        let Body::Summary(counted) = alert.body else { panic!("{alert:?}") };
        (alert, counted)
    }

    #[test]
    fn it_counts_kinds_span_and_the_worst() {
        let at = |s: u64| Instant::from_millis(1_000 * s);
        let rocket = AlertDraft { severity: Severity::Severe, ..AlertDraft::new(RocketLaunch::default()) };
        let ied = AlertDraft { severity: Severity::Minor, ..AlertDraft::new(ConvoyIed::default()) };
        let mut summary = OpenSummary::open(at(5), Handle(1), Seq::FIRST, 1, &ied, None);
        summary.count(at(5), &ied, None);
        summary.count(at(65), &rocket, None);
        let (alert, counted) = said(&summary);
        assert_eq!(counted, Summary { count: 2, span_s: 60, kinds: 1 << 1 | 1 << 4 });
        assert_eq!((alert.severity, alert.phase, summary.ready), (Severity::Severe, Phase::Onset, at(5)));
        for _ in 2..u16::MAX {
            assert!(summary.has_room());
            summary.count(at(65), &ied, None);
        }
        assert!(!summary.has_room() && said(&summary).1.count == u16::MAX);
    }

    #[test]
    fn chatter_of_one_event_waits_and_refers_to_it_until_another_joins() {
        let at = Instant::from_millis;
        let draft = AlertDraft::new(RocketLaunch::default());
        let seq = Seq::new(9).unwrap();
        let onset = Seq::new(4);
        let mut summary = OpenSummary::open(at(0), Handle(1), seq, 1, &draft, onset);
        summary.count(at(0), &draft, onset);
        summary.count(at(1), &draft, onset);
        assert_eq!(said(&summary).0.reference, Some(Reference::Back(5)));
        assert_eq!((said(&summary).0.phase, summary.ready), (Phase::Update, at(60_000)));
        summary.count(at(2), &draft, Seq::new(6));
        assert_eq!((said(&summary).0.reference, summary.ready), (None, at(2)));
    }

    #[test]
    fn the_journal_is_told_at_most_once_a_second() {
        let at = Instant::from_millis;
        let draft = AlertDraft::new(RocketLaunch::default());
        let mut summary = OpenSummary::open(at(0), Handle(1), Seq::FIRST, 1, &draft, None);
        assert_eq!(summary.journal_due(), None);
        summary.count(at(0), &draft, None);
        assert_eq!(summary.journal_due(), Some(at(0)));
        summary.note_journalled(at(0));
        assert_eq!(summary.journal_due(), None);
        summary.count(at(1), &draft, None);
        assert_eq!(summary.journal_due(), Some(at(1_000)));
    }
}
