//! Full queues, babblers, and what is said about them.

use alertbus::ledger::{Outcome, Row};
use alertbus::limits::{PACKET_LEN_MAX, UNSTORED_PER_PEER};
use alertbus::message::AlertDraft;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::role::gateway::Rejected;
use alertbus::role::node::{Node, NodeEvent, Refusal, Submission};
use alertbus::store::Volatile;
use alertbus::time::Duration;
use alertbus::wire::keys::Epoch;
use alertbus::{Precedence, Seq};

use crate::ailing::{Ailing, Shared};
use crate::pair::{Host, NODE, Pair, SLOTS, config};

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

fn priority() -> AlertDraft {
    AlertDraft::new(DroneSighting::default())
}

#[test]
fn flash_displaces_and_the_displaced_is_named() {
    let mut pair = Pair::new();
    let mut handles = Vec::new();
    for _ in 0..SLOTS {
        let Submission::Queued { handle, displaced: None } = pair.node.raise(pair.now, priority()) else {
            panic!()
        };
        handles.push(handle);
    }
    for &expected in &handles[1..] {
        let submission = pair.node.raise(pair.now, flash());
        let first = handles[0] == expected;
        assert!(
            matches!(submission, Submission::Queued { displaced: Some(gone), .. } if first || gone < expected)
        );
    }
    // The last slot is kept for a summary of what finds no other.
    let Submission::Merged { into } = pair.node.raise(pair.now, flash()) else { panic!() };
    assert!(handles.iter().all(|&handle| handle < into));
    assert!(pair.events().iter().all(|event| matches!(
        event,
        NodeEvent::Settled { outcome: Outcome::Displaced, precedence: Precedence::Priority, seq: None, .. }
    )));
    let ledger = pair.node.ledger();
    assert_eq!(ledger.row(Row::Live(Precedence::Priority)).displaced, SLOTS as u32);
    assert_eq!(ledger.row(Row::Live(Precedence::Flash)).merged, 1);
    assert_eq!(ledger.row(Row::Live(Precedence::Flash)).resident, SLOTS as u32);
    assert!(pair.node.is_balanced());
}

#[test]
fn a_refused_flash_alert_goes_home_in_every_report() {
    let memory = Shared::default();
    memory.borrow_mut().pending = 1;
    let mut pair = Pair::with_store(Ailing::start(&memory));
    memory.borrow_mut().pending = 1_000;
    for _ in 0..3 {
        let refused = pair.node.raise(pair.now, flash());
        assert!(matches!(refused, Submission::Refused { why: Refusal::Starting, .. }), "{refused:?}");
    }
    memory.borrow_mut().pending = 0;
    pair.advance(Duration::ZERO);
    pair.exchange();
    let (_, heartbeat) = pair.gateway.peer(NODE).unwrap().heartbeat().unwrap();
    assert_eq!((heartbeat.flash_refused, heartbeat.boot), (3, 1));
}

#[test]
fn a_report_goes_out_between_alerts_without_end() {
    let mut pair = Pair::new();
    let mut before_report = 0;
    let mut buffer = [0; PACKET_LEN_MAX];
    while pair.reports == 0 {
        let _ = pair.node.raise(pair.now, priority());
        let packet = pair.node.poll_transmit(pair.now, &crate::pair::LINK, &mut buffer).unwrap().to_vec();
        pair.hand_up(&packet);
        before_report += 1;
        assert!(before_report <= 8);
    }
    assert_eq!(before_report, 8, "one slot in eight is kept for reports");
}

#[test]
fn the_floor_follows_the_oldest_open_flash_alert() {
    let mut pair = Pair::new();
    pair.host = Host::Waits;
    for _ in 0..3 {
        let _ = pair.node.raise(pair.now, flash());
    }
    pair.exchange();
    assert_eq!(pair.gateway.peer(NODE).unwrap().flash_floor(), 1);
    let second = pair.delivered[1].id;
    assert!(pair.gateway.stored(second));
    pair.advance(Duration::from_secs(300));
    pair.exchange();
    assert_eq!(pair.gateway.peer(NODE).unwrap().flash_floor(), 1, "the first is still open");
    for id in [pair.delivered[0].id, pair.delivered[2].id] {
        assert!(pair.gateway.stored(id));
    }
    pair.exchange();
    pair.advance(Duration::from_secs(300));
    pair.exchange();
    assert_eq!(pair.gateway.peer(NODE).unwrap().flash_floor(), 4);
}

#[test]
fn flash_is_refused_where_the_gateway_could_no_longer_tell_it_apart() {
    let mut pair = Pair::new();
    let _ = pair.node.raise(pair.now, flash());
    let lost = pair.node_packets();
    assert!(!lost.is_empty(), "the first alert never arrives");
    let mut queued = 1;
    while matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }) {
        queued += 1;
        // Acknowledge the newest only: the first stays open and holds the floor.
        for packet in pair.node_packets() {
            pair.hand_up(&packet);
        }
        for packet in pair.gateway_packets() {
            pair.hand_down(&packet).unwrap();
        }
        assert!(queued <= 1_024);
    }
    // The last number that can be told apart goes to a summary.
    assert_eq!((queued, pair.node.resident()), (1_023, 2));
    for packet in pair.node_packets() {
        pair.hand_up(&packet);
    }
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    assert_eq!(pair.node.resident(), 1);
    let refused = pair.node.raise(pair.now, flash());
    assert!(matches!(refused, Submission::Refused { why: Refusal::FlashSpan, .. }), "{refused:?}");
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    assert_eq!(
        pair.delivered.last().unwrap().id.seq,
        Seq::FIRST,
        "and the first is still new to the gateway"
    );
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
}

#[test]
fn a_host_that_stores_nothing_holds_the_alerts_in_their_node() {
    let mut pair = Pair::new();
    pair.host = Host::Waits;
    for _ in 0..SLOTS {
        let _ = pair.node.raise(pair.now, flash());
    }
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.rejected.len()), (UNSTORED_PER_PEER, 0));
    // A node that starts anew raises more than the host has stored: they wait, unacknowledged, and come back.
    pair.node = Node::start(config(2), Volatile::new(Epoch(2), 2), pair.now);
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    assert!(matches!(pair.rejected[..], [Rejected::Busy(id)] if id.seq.number() == 65_537));
    assert!(pair.gateway.stored(pair.delivered[0].id));
    pair.advance(Duration::from_secs(2));
    pair.exchange();
    assert_eq!(pair.delivered.last().map(|received| received.id.seq.number()), Some(65_537));
}

#[test]
fn whoever_polls_no_events_stops_no_alert() {
    let mut pair = Pair::new();
    for _ in 0..40 {
        let _ = pair.node.raise(pair.now, flash());
        pair.exchange();
    }
    assert_eq!((pair.delivered.len(), pair.node.resident(), pair.node.events_lost()), (40, 0, 32));
}
