//! What must not touch what: exercise and live, one epoch and the next, one life of a gateway and another.

use alertbus::Precedence;
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{AlertDraft, Epoch, Heartbeat, ResetCause};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, Rejected};
use alertbus::role::node::{Node, Submission};
use alertbus::store::Volatile;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::Direction;
use alertbus::wire::packet::{self, Class, Header};

use crate::pair::{Host, LINK, NODE, Pair, config, node_key};

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

fn exercise() -> AlertDraft {
    AlertDraft { exercise: true, ..flash() }
}

/// A packet up, sealed with the key for its sort.
fn sealed(class: Class, exercise: bool, epoch: u32, counter: u32, body: &[u8]) -> Vec<u8> {
    let header = Header {
        class,
        precedence: Precedence::Routine,
        exercise,
        epoch_low: Epoch(epoch).low(),
        node: NODE,
        counter,
    };
    let key = node_key().link_key(Direction::Up, exercise, Epoch(epoch));
    packet::seal(&key, &header, body, LINK.tag, &mut [0; 51]).unwrap().to_vec()
}

fn heartbeat(heard: u32, flash_floor: u32) -> Vec<u8> {
    Heartbeat {
        boot: 1,
        reset_cause: ResetCause::PowerOn,
        uptime_ms: 0,
        heard,
        flash_floor,
        flash_refused: 0,
        driver_errors: 0,
        ledger_index: 0,
        ledger: [0; 5],
    }
    .encode()
    .to_vec()
}

#[test]
fn whoever_has_an_exercise_key_changes_nothing_live() {
    let mut pair = Pair::new();
    pair.exchange();
    pair.hand_up(&sealed(Class::Report, true, 1, 50, &heartbeat(0, 1_000_000)));
    pair.hand_up(&sealed(Class::Alert, true, 9, 51, &[1]));
    pair.hand_up(&sealed(Class::Alert, true, 1, u32::MAX, &[1]));
    let rejected = [Rejected::Exercise, Rejected::BadTag, Rejected::Counter { got: u32::MAX }];
    assert_eq!(pair.rejected, rejected);
    // A high counter that is possible closes the exercise window and leaves the live one open.
    pair.hand_up(&sealed(Class::Alert, true, 1, 2_000_000_000, &[1]));
    assert_eq!(pair.gateway_packets().len(), 1, "which the node would not believe");
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    assert_eq!((pair.node.resident(), pair.gateway.peer(NODE).unwrap().epoch()), (0, Epoch(1)));
    assert_eq!(pair.delivered.iter().filter(|alert| !alert.id.exercise).count(), 1);
}

#[test]
fn a_gateway_without_exercise_opens_none() {
    let mut pair = Pair::new();
    pair.gateway = gateway(1, DownSpan::WHOLE, false);
    let _ = pair.node.raise(pair.now, exercise());
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.rejected.clone()), (0, vec![Rejected::Exercise]));
}

#[test]
fn exercise_uses_up_neither_the_span_of_live_flash_nor_the_hosts_patience() {
    let mut pair = Pair::new();
    let _ = pair.node.raise(pair.now, flash());
    for _ in 0..2_000 {
        let _ = pair.node.raise(pair.now, exercise());
    }
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));

    let mut pair = Pair::new();
    pair.host = Host::Waits;
    for _ in 0..20 {
        let _ = pair.node.raise(pair.now, exercise());
        pair.exchange();
    }
    let _ = pair.node.raise(pair.now, flash());
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    assert!(pair.delivered.iter().any(|alert| !alert.id.exercise), "live Flash has a pool of its own");
}

fn gateway(epoch: u32, down: DownSpan, exercise: bool) -> Gateway<2> {
    let mut gateway = Gateway::new();
    let config = PeerConfig {
        node: NODE,
        key: node_key(),
        epoch: Epoch(epoch),
        gateway: 4,
        down,
        exercise,
        answers_reports: false,
        state: Some(PeerState::new(Epoch(epoch))),
        seed: 1,
    };
    gateway.add(Instant::START, config).unwrap();
    gateway
}

#[test]
fn a_gateway_uses_only_the_down_counters_that_its_host_has_set_aside() {
    let mut pair = Pair::new();
    pair.exchange();
    let first = pair.down_counters.clone();
    // The node moves on: the counters of the last epoch are no good for this one, and the host is asked.
    pair.node = Node::start(config(1), Volatile::new(Epoch(2), 2), pair.now);
    let _ = pair.node.raise(pair.now, flash());
    for packet in pair.node_packets() {
        pair.hand_up(&packet);
    }
    let mut buffer = [0; 59];
    assert!(pair.gateway.poll_transmit(pair.now, &LINK, &mut buffer).is_none());
    assert_eq!(pair.gateway.poll_down_request(), Some((NODE, Epoch(2))));
    assert_eq!(pair.gateway.poll_down_request(), None, "each need is told once");
    assert!(
        !pair.gateway.grant_down(NODE, Epoch(1), DownSpan { first: 100, end: 200 }),
        "that epoch has passed"
    );
    assert!(pair.gateway.grant_down(NODE, Epoch(2), DownSpan { first: 1, end: 65 }));
    assert!(!pair.gateway.grant_down(NODE, Epoch(2), DownSpan { first: 0, end: 65 }), "never back");
    assert!(pair.gateway.poll_transmit(pair.now, &LINK, &mut buffer).is_some());
    assert_eq!(first.len(), 1);
}

#[test]
fn no_down_counter_is_used_twice_over_restarts_of_a_gateway() {
    let mut pair = Pair::new();
    let mut headers = Vec::new();
    for epoch in 1..4 {
        pair.node = Node::start(config(1), Volatile::new(Epoch(epoch), 1), pair.now);
        for _ in 0..3 {
            // The host comes back with its old configuration; only what it set aside is on its disk.
            pair.gateway = gateway(1, DownSpan::EMPTY, true);
            let _ = pair.node.raise(pair.now, flash());
            pair.advance(Duration::from_secs(300));
            for packet in pair.node_packets() {
                pair.hand_up(&packet);
            }
            // The node hears it, and says so in its next report, which finds the next life of the gateway.
            for packet in pair.gateway_packets() {
                pair.hand_down(&packet).unwrap();
                headers.push(packet[..8].to_vec());
            }
            assert!(!pair.gateway.peer(NODE).unwrap().is_restored(), "its host has kept what it needs");
        }
        assert_eq!(pair.node.resident(), 0);
    }
    let sent = headers.len();
    headers.sort_unstable();
    headers.dedup();
    assert!(sent >= 9 && headers.len() == sent, "{sent} sent, {} different", headers.len());
}

#[test]
fn a_gateway_restored_from_an_old_copy_falls_silent() {
    let mut pair = Pair::new();
    pair.exchange();
    pair.gateway = gateway(1, DownSpan { first: 10, end: 100 }, true);
    // The node has heard number 4 up to counter 20; this copy knows of 10.
    let report = sealed(Class::Report, false, 1, 90, &heartbeat(4 << 24 | 20, 1));
    assert!(matches!(pair.gateway.handle_packet(pair.now, &LINK, &report), GatewayEvent::Report { .. }));
    assert!(pair.gateway.peer(NODE).unwrap().is_restored());
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    assert_eq!(pair.gateway_packets().len(), 0);
    // One of another number's counters is nothing to it.
    pair.gateway = gateway(1, DownSpan { first: 10, end: 100 }, true);
    let report = sealed(Class::Report, false, 1, 91, &heartbeat(5 << 24 | 20, 1));
    let _ = pair.gateway.handle_packet(pair.now, &LINK, &report);
    assert!(!pair.gateway.peer(NODE).unwrap().is_restored());
}

#[test]
fn a_report_held_back_makes_no_older_state_of_a_newer_one() {
    let mut pair = Pair::new();
    let old = pair.node_packets();
    pair.advance(Duration::from_secs(300));
    pair.exchange();
    pair.hand_up(&old[0]);
    let (_, heartbeat) = pair.gateway.peer(NODE).unwrap().heartbeat().unwrap();
    assert_eq!((heartbeat.uptime_ms, pair.rejected.len()), (300_000, 0));
}
