//! What refers to an alert may arrive before it.

use alertbus::message::kind::Summary;
use alertbus::message::{Alert, Phase, Reference};
use alertbus::role::gateway::GatewayEvent;
use alertbus::{AlertId, Seq};

use super::desk::{Desk, flash};

fn referring(alert: Alert, phase: Phase, reference: Reference) -> Alert {
    Alert { phase, reference: Some(reference), ..alert }
}

/// The onset comes once, for the record, and is known from then on.
fn comes_once(desk: &mut Desk, seq: u32, onset: &Alert, overtaken: bool) {
    let packet = desk.alert(seq, onset);
    assert_eq!(desk.store(&packet).standing.overtaken, overtaken);
    assert_eq!(desk.say().iter().flat_map(super::desk::Said::seqs).collect::<Vec<_>>(), [seq]);
    let packet = desk.alert(seq, onset);
    assert!(matches!(desk.hand(&packet), GatewayEvent::Duplicate(_)));
    desk.say();
}

#[test]
fn a_cancel_that_arrives_before_its_onset() {
    for phase in [Phase::Cancel, Phase::Clear, Phase::Update] {
        let mut desk = Desk::new();
        let onset = desk.onset();
        let packet = desk.alert(9, &referring(onset, phase, Reference::Back(4)));
        let received = desk.receive(&packet);
        // Nothing is known of it before what refers to it is stored.
        assert_eq!(
            desk.state().with(&received),
            desk.gateway.peer(received.id.node).unwrap().state_with(&received)
        );
        assert!(desk.gateway.stored(received.id));
        desk.say();
        // The mark over the onset survives a restart.
        let state = desk.state();
        desk.restart(Some(state));
        comes_once(&mut desk, 5, &onset, true);
        comes_once(&mut desk, 4, &onset, false);
    }
}

#[test]
fn a_reference_reaches_into_the_other_sequence() {
    let mut desk = Desk::new();
    let (onset, drone) = (desk.onset(), desk.drone());
    let packet = desk.alert(1, &referring(onset, Phase::Cancel, Reference::Other(Seq::new(3).unwrap())));
    desk.store(&packet);
    desk.say();
    comes_once(&mut desk, 3, &drone, true);
    comes_once(&mut desk, 3, &onset, false);
}

#[test]
fn what_says_nothing_of_an_earlier_alert_marks_none() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    let summary = Alert { body: Summary::default().into(), ..onset };
    for (seq, alert) in [
        (10, referring(onset, Phase::Cancel, Reference::AllOfKind)),
        (11, referring(summary, Phase::Update, Reference::Back(2))),
        (12, referring(onset, Phase::Cancel, Reference::Back(12))),
        (13, referring(onset, Phase::Cancel, Reference::Back(u32::MAX))),
    ] {
        let packet = desk.alert(seq, &alert);
        desk.store(&packet);
    }
    desk.say();
    comes_once(&mut desk, 9, &onset, false);
}

#[test]
fn a_retry_that_overtakes_its_original() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    let original = desk.alert(1, &onset);
    let retry = desk.alert(1, &onset);
    let cancel = desk.alert(2, &referring(onset, Phase::Cancel, Reference::Back(1)));
    assert!(!desk.store(&retry).standing.overtaken);
    assert!(!desk.store(&cancel).standing.overtaken);
    assert_eq!(desk.hand(&original), GatewayEvent::Duplicate(flash(1)));
}

#[test]
fn an_onset_in_the_hosts_hands_is_overtaken_only_if_it_is_not_stored() {
    for stored in [true, false] {
        let mut desk = Desk::new();
        let onset = desk.onset();
        let packet = desk.alert(1, &onset);
        let received = desk.receive(&packet);
        let cancel = desk.alert(2, &referring(onset, Phase::Cancel, Reference::Back(1)));
        desk.store(&cancel);
        let id: AlertId = received.id;
        assert!(if stored { desk.gateway.stored(id) } else { desk.gateway.not_stored(id) });
        let again = desk.alert(1, &onset);
        match desk.hand(&again) {
            GatewayEvent::Duplicate(_) => assert!(stored),
            GatewayEvent::Alert(received) => assert!(!stored && received.standing.overtaken),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn an_overtaken_alert_that_is_not_stored_comes_again() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    let cancel = desk.alert(2, &referring(onset, Phase::Cancel, Reference::Back(1)));
    desk.store(&cancel);
    for _ in 0..3 {
        let packet = desk.alert(1, &onset);
        let received = desk.receive(&packet);
        assert!(received.standing.overtaken && desk.gateway.not_stored(received.id));
    }
    desk.say();
    comes_once(&mut desk, 1, &onset, true);
}

#[test]
fn more_are_overtaken_than_can_be_remembered() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    for seq in 1..=20 {
        let packet = desk.alert(100 + seq, &referring(onset, Phase::Cancel, Reference::Back(100)));
        desk.store(&packet);
    }
    // The oldest are not even recorded any more; but they never sound.
    let packet = desk.alert(1, &onset);
    assert_eq!(desk.hand(&packet), GatewayEvent::Duplicate(flash(1)));
    let packet = desk.alert(20, &onset);
    assert!(desk.store(&packet).standing.overtaken);
}
