//! Detectors that raise the same event over and over.

use alertbus::Precedence;
use alertbus::ledger::Row;
use alertbus::message::kind::{RocketLaunch, Summary};
use alertbus::message::{AlertDraft, Body, EventKey, Phase, Reference, Severity};
use alertbus::role::node::Submission;
use alertbus::time::Duration;

use crate::pair::Pair;

fn rocket(severity: Severity) -> AlertDraft {
    AlertDraft { severity, key: Some(EventKey(1)), ..AlertDraft::new(RocketLaunch::default()) }
}

#[test]
fn three_are_sent_the_rest_is_counted_and_a_rise_in_severity_goes_at_once() {
    let mut pair = Pair::new();
    for round in 0..40 {
        let submission = pair.node.raise(pair.now, rocket(Severity::Severe));
        let queued = matches!(submission, Submission::Queued { .. });
        assert_eq!(queued, round < 3, "{round}: {submission:?}");
        pair.exchange();
        pair.advance(Duration::from_secs(1));
    }
    let severe = pair.node.raise(pair.now, rocket(Severity::Extreme));
    assert!(matches!(severe, Submission::Queued { .. }), "{severe:?}");
    pair.exchange();
    assert!(matches!(pair.node.raise(pair.now, rocket(Severity::Extreme)), Submission::Merged { .. }));
    pair.exchange();
    assert_eq!(pair.delivered.len(), 4, "the count waits until the minute is over");
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    let last = pair.delivered.last().unwrap().alert.unwrap();
    assert_eq!(last.body, Body::Summary(Summary { count: 38, span_s: 37, kinds: 1 << 1 }));
    assert_eq!((last.phase, last.reference), (Phase::Update, Some(Reference::Back(3))));
    assert_eq!((pair.node.resident(), last.severity), (0, Severity::Extreme));
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Flash)).merged, 38);
}

#[test]
fn an_exercise_and_another_key_end_no_chatter_and_an_all_clear_does() {
    let mut pair = Pair::new();
    for _ in 0..3 {
        assert!(matches!(pair.node.raise(pair.now, rocket(Severity::Minor)), Submission::Queued { .. }));
        pair.exchange();
    }
    let exercise = AlertDraft { exercise: true, ..rocket(Severity::Minor) };
    let _ = pair.node.raise(pair.now, exercise);
    let _ = pair.node.clear(pair.now, exercise);
    let _ = pair.node.raise(pair.now, AlertDraft { key: Some(EventKey(2)), ..rocket(Severity::Minor) });
    let _ = pair.node.clear(pair.now, AlertDraft { key: Some(EventKey(2)), ..rocket(Severity::Minor) });
    assert!(matches!(pair.node.raise(pair.now, rocket(Severity::Minor)), Submission::Merged { .. }));
    pair.exchange();
    let _ = pair.node.clear(pair.now, rocket(Severity::Minor));
    assert!(matches!(pair.node.raise(pair.now, rocket(Severity::Minor)), Submission::Queued { .. }));
}

#[test]
fn a_detector_that_takes_each_back_unsent_begins_anew_each_time() {
    let mut pair = Pair::new();
    for _ in 0..100 {
        assert!(matches!(pair.node.raise(pair.now, rocket(Severity::Minor)), Submission::Queued { .. }));
        assert_eq!(pair.node.cancel(pair.now, rocket(Severity::Minor)), Submission::Cancelled);
    }
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (0, 0));
    assert!(pair.node.is_balanced());
}
