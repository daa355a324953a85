//! Acknowledgement, retry and duplicates.

use alertbus::ledger::{Outcome, Row};
use alertbus::message::kind::{ConvoyIed, DroneSighting, RocketLaunch};
use alertbus::message::{AlertDraft, Severity};
use alertbus::role::gateway::Rejected;
use alertbus::role::node::{NodeEvent, Submission};
use alertbus::time::Duration;
use alertbus::wire::window::Replay;
use alertbus::{AlertId, Precedence};

use crate::pair::{Host, NODE, Pair};

fn rocket() -> AlertDraft {
    AlertDraft { severity: Severity::Extreme, ..AlertDraft::new(RocketLaunch::default()) }
}

fn raise<S: alertbus::store::Store>(pair: &mut Pair<S>, draft: AlertDraft) {
    assert!(matches!(pair.node.raise(pair.now, draft), Submission::Queued { displaced: None, .. }));
}

#[test]
fn an_alert_arrives_as_it_was_raised_and_is_settled_by_its_acknowledgement() {
    let mut pair = Pair::new();
    raise(&mut pair, rocket());
    pair.exchange();
    let received = &pair.delivered[0];
    assert_eq!(received.id.to_string(), "12/flash/1");
    assert_eq!(received.precedence, Precedence::Flash);
    assert_eq!(received.alert, Ok(rocket().onset(1)));
    assert_eq!((received.id.node, received.link, pair.reports), (NODE, 3, 1));
    let events = pair.events();
    assert!(matches!(events[..], [NodeEvent::Settled { outcome: Outcome::Acked, .. }]), "{events:?}");
    assert_eq!((pair.node.resident(), pair.node.ledger().row(Row::Live(Precedence::Flash)).acked), (0, 1));
}

#[test]
fn precedence_decides_who_goes_first() {
    let mut pair = Pair::new();
    raise(&mut pair, AlertDraft::new(DroneSighting::default()));
    raise(&mut pair, AlertDraft::new(ConvoyIed::default()));
    raise(&mut pair, rocket());
    raise(&mut pair, rocket());
    pair.exchange();
    let order: Vec<String> = pair.delivered.iter().map(|received| received.id.to_string()).collect();
    // Numbers of the other sequence are drawn when an alert is first sealed, so they follow the precedence too.
    assert_eq!(order, ["12/flash/1", "12/flash/2", "12/other/1", "12/other/2"]);
    assert_eq!(pair.delivered[2].precedence, Precedence::Immediate);
}

#[test]
fn nothing_is_acknowledged_before_it_is_stored() {
    let mut pair = Pair::new();
    pair.host = Host::Waits;
    raise(&mut pair, rocket());
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.acknowledgements(), pair.node.resident()), (1, 0, 1));
    let id = pair.delivered[0].id;

    // A retry meanwhile is neither delivered nor acknowledged.
    pair.advance(Duration::from_secs(2));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.duplicates.clone(), pair.acknowledgements()), (1, vec![id], 0));

    assert!(pair.gateway.stored(id) && !pair.gateway.stored(id));
    pair.exchange();
    assert_eq!((pair.node.resident(), pair.acknowledgements()), (0, 1));
}

#[test]
fn what_could_not_be_stored_is_delivered_again() {
    let mut pair = Pair::new();
    pair.host = Host::Waits;
    raise(&mut pair, rocket());
    pair.exchange();
    assert!(pair.gateway.not_stored(pair.delivered[0].id));
    pair.host = Host::Stores;
    pair.advance(Duration::from_secs(2));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (2, 0));
}

#[test]
fn a_lost_acknowledgement() {
    let mut pair = Pair::new();
    raise(&mut pair, rocket());
    for packet in pair.node_packets() {
        pair.hand_up(&packet);
    }
    assert_eq!(pair.gateway_packets().len(), 1, "and it is lost");
    pair.advance(Duration::from_secs(2));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.duplicates.len(), pair.node.resident()), (1, 1, 0));
}

#[test]
fn a_retry_that_overtakes_its_original() {
    let mut pair = Pair::new();
    raise(&mut pair, rocket());
    let original = pair.node_packets();
    pair.advance(Duration::from_secs(2));
    let retry = pair.node_packets();
    assert_ne!(original[0], retry[0], "every transmission has a counter of its own");
    pair.hand_up(&retry[0]);
    pair.hand_up(&original[0]);
    assert_eq!((pair.delivered.len(), pair.duplicates.len(), pair.rejected.len()), (1, 1, 0));
}

#[test]
fn a_packet_played_back_is_refused_before_its_tag_is_looked_at() {
    let mut pair = Pair::new();
    raise(&mut pair, rocket());
    pair.exchange();
    let recorded = pair.up[0].clone();
    pair.hand_up(&recorded);
    assert_eq!(pair.rejected, [Rejected::Replay(Replay::Seen { got: 1 })]);
    assert_eq!((pair.delivered.len(), pair.duplicates.len()), (1, 0));
    assert_eq!(pair.gateway.peer(NODE).unwrap().counts().bad_tag, 0);
}

#[test]
fn retries_go_on_without_limit_for_flash_alone() {
    let mut pair = Pair::new();
    raise(&mut pair, rocket());
    raise(&mut pair, AlertDraft::new(ConvoyIed::default()));
    raise(&mut pair, AlertDraft::new(DroneSighting::default()));
    let mut sent = 0;
    for _ in 0..2 * 3_600 {
        pair.advance(Duration::from_secs(1));
        sent += pair.node_packets().len();
    }
    let row = |precedence| *pair.node.ledger().row(Row::Live(precedence));
    assert_eq!(row(Precedence::Flash).resident, 1);
    assert_eq!((row(Precedence::Immediate).expired, row(Precedence::Priority).expired), (1, 1));
    // Two hours at 20 to 60 s a try, one hour, half an hour, and a report each five minutes.
    assert!((150..=700).contains(&sent), "{sent} packets");
    pair.exchange();
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (1, 0));
}

#[test]
fn an_exercise_has_keys_sequences_and_acknowledgements_of_its_own() {
    let mut pair = Pair::new();
    raise(&mut pair, AlertDraft { exercise: true, ..rocket() });
    raise(&mut pair, rocket());
    pair.exchange();
    let ids: Vec<AlertId> = pair.delivered.iter().map(|received| received.id).collect();
    assert_eq!(
        ids.iter().map(ToString::to_string).collect::<Vec<_>>(),
        ["12/flash/1", "exercise/12/flash/1"]
    );
    assert_eq!(pair.node.resident(), 0);
    assert_eq!(pair.node.ledger().row(Row::Exercise).acked, 1);
    assert_eq!(pair.down.len(), 2, "one acknowledgement for each");
}

#[test]
fn thirty_percent_lost_both_ways_for_a_thousand_alerts() {
    let mut pair = Pair::new();
    let mut raised = 0;
    let mut dice = 1_u32;
    let mut lose = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        dice >> 16 < 65_536 * 3 / 10
    };
    while raised < 1_000 || pair.node.resident() > 0 {
        if raised < 1_000 && pair.node.resident() < 4 {
            raise(&mut pair, rocket());
            raised += 1;
        }
        for packet in pair.node_packets() {
            if !lose() {
                pair.hand_up(&packet);
            }
        }
        for packet in pair.gateway_packets() {
            if !lose() {
                pair.hand_down(&packet).unwrap();
            }
        }
        pair.advance(Duration::from_millis(200));
    }
    let mut seqs: Vec<u32> = pair.delivered.iter().map(|received| received.id.seq.number()).collect();
    seqs.sort_unstable();
    assert_eq!(seqs, (1..=1_000).collect::<Vec<u32>>());
    assert!(pair.rejected.is_empty());
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Flash)).acked, 1_000);
}
