//! What a gateway knows after its host has died.

use alertbus::message::Epoch;
use alertbus::role::gateway::{GatewayEvent, PeerState, Proof, Rejected};
use alertbus::time::{Duration, Instant};
use alertbus::wire::window::Replay;

use super::desk::{Desk, flash, gateway};
use crate::pair::{LINK, NODE};

#[test]
fn what_is_at_or_below_the_mark_is_refused() {
    let mut desk = Desk::new();
    desk.meet();
    let onset = desk.onset();
    let lost = desk.alert(1, &onset);
    let taken = desk.alert(2, &onset);
    desk.store(&taken);
    let state = desk.state();
    desk.restart(Some(state));
    for old in [&lost, &taken] {
        let event = desk.hand(old);
        let why = |event: &GatewayEvent| {
            matches!(event, GatewayEvent::Rejected { why: Rejected::Replay(Replay::Seen { .. }), .. })
        };
        assert!(why(&event), "{event:?}");
    }
    // The node, which has no acknowledgement, sends both again.
    let (first, second) = (desk.alert(1, &onset), desk.alert(2, &onset));
    assert_eq!(desk.store(&first).id, flash(1));
    assert_eq!(desk.hand(&second), GatewayEvent::Duplicate(flash(2)));
    assert_eq!(desk.say()[0].seqs(), [1, 2]);
}

#[test]
fn a_report_alone_sets_the_mark() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    let recorded = desk.alert(1, &onset);
    assert_eq!(desk.report_now(), Proof::Unproven);
    let state = desk.state();
    desk.restart(Some(state));
    assert!(matches!(desk.hand(&recorded), GatewayEvent::Rejected { .. }));
}

#[test]
fn a_host_that_dies_between_its_write_and_stored_acknowledges_after_its_restart() {
    let mut desk = Desk::new();
    let onset = desk.onset();
    let packet = desk.alert(1, &onset);
    let received = desk.receive(&packet);
    let on_disk = desk.gateway.peer(NODE).unwrap().state_with(&received);
    assert_ne!(on_disk, desk.state());
    desk.restart(Some(on_disk));
    let retry = desk.alert(1, &onset);
    assert_eq!(desk.hand(&retry), GatewayEvent::Duplicate(flash(1)));
    assert_eq!(desk.say()[0].seqs(), [1]);
    // Before the write nothing is known, and it comes again.
    let mut desk = Desk::new();
    let packet = desk.alert(1, &onset);
    let before = desk.state();
    desk.receive(&packet);
    desk.restart(Some(before));
    let retry = desk.alert(1, &onset);
    desk.store(&retry);
}

#[test]
fn the_state_is_written_and_read_without_loss() {
    let mut desk = Desk::new();
    desk.meet();
    let onset = desk.onset();
    for seq in [1, 2, 5, 900] {
        let packet = desk.alert(seq, &onset);
        desk.store(&packet);
    }
    let state = desk.state();
    let json = serde_json::to_string(&state).unwrap();
    assert_eq!(serde_json::from_str::<PeerState>(&json).unwrap(), state);
    desk.restart(Some(state.clone()));
    assert_eq!(desk.state(), state);
}

#[test]
fn the_newer_of_two_epochs_counts_and_down_counters_of_another_do_not() {
    let mut desk = Desk::new();
    (desk.epoch, desk.granted) = (3, 0);
    let onset = desk.onset();
    let packet = desk.alert(1, &onset);
    desk.store(&packet);
    assert_eq!(desk.state().epoch(), Epoch(3));
    // The configuration is older than the state.
    desk.restart(Some(desk.state()));
    assert_eq!(desk.gateway.peer(NODE).unwrap().epoch(), Epoch(3));
    assert!(matches!(desk.hand(&packet), GatewayEvent::Rejected { .. }));
    assert_eq!(desk.gateway.poll_down_request(), Some((NODE, Epoch(3))));
    // The state is older than the configuration: counters begin again, alert numbers do not.
    let state = desk.state();
    desk.gateway = gateway(desk.now, 4, Some(state));
    (desk.epoch, desk.counter, desk.granted) = (4, 0, 0);
    let packet = desk.alert(1, &onset);
    assert_eq!(desk.hand(&packet), GatewayEvent::Duplicate(flash(1)));
    let packet = desk.alert(2, &onset);
    desk.store(&packet);
}

#[test]
fn a_gateway_at_rest_has_nothing_to_do_but_to_wait() {
    let mut desk = Desk::new();
    desk.meet();
    assert_eq!((desk.say(), desk.events()), (vec![], vec![]));
    let at = desk.gateway.poll_timeout().unwrap();
    assert!(at > desk.now.after(LINK.report_interval.times(3)));
    desk.gateway.handle_timeout(Instant::from_millis(at.as_millis() - 1));
    assert_eq!((desk.gateway.poll_timeout(), desk.events()), (Some(at), vec![]));
    desk.wait(LINK.report_interval.times(4));
    assert_eq!((desk.gateway.poll_timeout(), desk.events().len()), (None, 1));
    desk.wait(Duration::from_secs(1));
}
