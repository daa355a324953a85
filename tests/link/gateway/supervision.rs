//! Who lives, who is silent, and who is not who it says.

use std::collections::VecDeque;

use alertbus::limits::BAD_TAGS_PER_HOUR_MAX;
use alertbus::message::{CommandResult, Order};
use alertbus::role::gateway::{GatewayEvent, Proof, Rejected};
use alertbus::time::{ClockQuality, Duration, EventTime};

use super::desk::{Desk, GATEWAY, What};
use crate::pair::{LINK, NODE};

const INTERVAL: Duration = LINK.report_interval;
const SILENT: GatewayEvent = GatewayEvent::Silent { node: NODE };
const RETURNED: GatewayEvent = GatewayEvent::Returned { node: NODE };

fn intervals(halves: u32) -> Duration {
    Duration::from_millis(INTERVAL.as_millis() / 2).times(halves)
}

#[test]
fn three_missed_reports_are_told_once_and_so_is_the_return() {
    let mut desk = Desk::new();
    desk.meet();
    for _ in 0..20 {
        desk.wait(INTERVAL);
        assert_eq!(desk.report_now(), Proof::Alive);
    }
    assert_eq!(desk.events(), []);
    desk.wait(Duration::from_millis(intervals(7).as_millis() - 1));
    assert_eq!(desk.events(), []);
    desk.wait(Duration::from_millis(1));
    assert_eq!(desk.events(), [SILENT]);
    assert!(desk.gateway.peer(NODE).unwrap().is_silent());
    desk.wait(intervals(40));
    assert_eq!(desk.events(), []);
    assert_eq!(desk.report_now(), Proof::Alive);
    assert_eq!(desk.events(), [RETURNED]);
    desk.wait(intervals(7));
    assert_eq!(desk.events(), [SILENT]);
}

#[test]
fn what_nobody_polls_ends_with_the_truth() {
    let mut desk = Desk::new();
    desk.meet();
    desk.wait(intervals(8));
    assert_eq!(desk.report_now(), Proof::Alive);
    assert_eq!(desk.events(), [SILENT, RETURNED]);
    desk.wait(intervals(8));
    assert_eq!(desk.report_now(), Proof::Alive);
    desk.wait(intervals(8));
    assert_eq!(desk.events(), [SILENT]);
}

#[test]
fn a_node_that_never_reports_is_missed_from_the_moment_it_was_made_known() {
    let mut desk = Desk::new();
    let alert = desk.onset();
    desk.wait(intervals(5));
    // An alert may have been recorded; it proves nothing.
    let packet = desk.alert(1, &alert);
    desk.store(&packet);
    desk.wait(intervals(2));
    assert_eq!(desk.events(), [SILENT]);
}

#[test]
fn a_planned_silence_is_none_and_ends() {
    let mut desk = Desk::new();
    desk.meet();
    let until = desk.now.after(intervals(100));
    assert!(desk.gateway.expect_silence(NODE, until));
    desk.wait(intervals(106));
    assert_eq!(desk.events(), []);
    desk.wait(intervals(1));
    assert_eq!(desk.events(), [SILENT]);
}

#[test]
fn a_report_proves_life_only_if_it_has_heard_this_gateway_since_it_started() {
    let mut desk = Desk::new();
    desk.meet();
    let state = desk.state();
    for _ in 0..4 {
        desk.wait(INTERVAL);
        assert_eq!(desk.report_now(), Proof::Alive);
    }
    // The gateway starts anew; the node speaks on, and has not heard it yet.
    desk.restart(Some(state));
    desk.counter += 10;
    assert_eq!(desk.say(), [], "but it has counters, beyond those that the node has heard");
    assert_eq!(desk.report_now(), Proof::Unproven);
    let before = desk.heard;
    let said = desk.converse();
    assert!(matches!(&said[..], [said] if said.seqs().is_empty() && said.counter > before), "{said:?}");
    assert_eq!(desk.report_now(), Proof::Alive);
    assert_eq!(desk.say(), [], "a report that proves life needs no answer");
    // Hearing another gateway proves it only where the host has said so, and from where on.
    desk.heard = 9 << 24 | 100;
    assert_eq!(desk.report_now(), Proof::Unproven);
    assert!(desk.gateway.accept_heard(NODE, 9, 101));
    assert_eq!(desk.report_now(), Proof::Unproven);
    desk.heard += 1;
    assert_eq!(desk.report_now(), Proof::Alive);
}

#[test]
fn whoever_has_heard_nobody_is_told_the_time_where_it_is_known() {
    let mut desk = Desk::new();
    let noon = EventTime::new(1_578_445_200_000, ClockQuality::Second);
    desk.gateway.set_calendar(desk.now, noon);
    desk.wait(Duration::from_secs(7));
    assert_eq!(desk.report_now(), Proof::Unproven);
    let said = desk.converse();
    let What::Command(command) = &said[0].what else { panic!("{said:?}") };
    let later = EventTime::new(1_578_445_207_000, ClockQuality::Second);
    assert_eq!(command.order, Order::Time(later));
    assert_eq!((command.id.counter, said.len()), (said[0].counter, 1));
    let acted = desk.acted(command.id, CommandResult::Done);
    assert!(matches!(desk.hand(&acted), GatewayEvent::Acted { .. }));
    assert_eq!(desk.report_now(), Proof::Alive);
}

#[test]
fn a_report_withheld_and_played_back_does_not_hide_a_dead_node() {
    let mut desk = Desk::new();
    desk.meet();
    // Each report is held back a little longer than the one before, so that none is ever missing, until seven are in
    // hand. Then the node dies, and they are played back one an interval, in order.
    let creep_ms = INTERVAL.as_millis() / 10;
    let mut withheld = VecDeque::new();
    let mut next_at = desk.now.after(INTERVAL);
    let mut told = Vec::new();
    for _ in 0..70 {
        desk.wait(INTERVAL);
        withheld.push_back(desk.report());
        while next_at <= desk.now {
            let report = withheld.pop_front().unwrap();
            desk.prove(&report);
            next_at = next_at.after(Duration::from_millis(INTERVAL.as_millis() + creep_ms));
        }
        told.extend(desk.events());
    }
    let died = desk.now;
    assert_eq!(withheld.len(), 7);
    while let Some(report) = withheld.pop_front() {
        desk.wait(INTERVAL);
        assert_eq!(desk.prove(&report), Proof::Stale);
    }
    told.extend(desk.events());
    // The alarm came when the reports became a whole interval old, and nothing has ended it.
    assert_eq!(told, [SILENT]);
    assert!(desk.gateway.peer(NODE).unwrap().is_silent() && desk.now > died.after(intervals(13)));

    // Held back for less than an interval each is all that an attacker gains, and the deadline runs from the sending.
    let mut desk = Desk::new();
    desk.meet();
    let short = Duration::from_millis(INTERVAL.as_millis() - 1);
    let mut died = desk.now;
    for _ in 0..5 {
        desk.wait(Duration::from_millis(1));
        let report = desk.report();
        died = desk.now;
        desk.wait(short);
        assert_eq!(desk.prove(&report), Proof::Alive);
    }
    desk.wait(Duration::from_millis(intervals(7).as_millis() - short.as_millis() - 1));
    assert_eq!(desk.events(), []);
    // The node's clock may have run slow meanwhile: that much is forgiven.
    desk.wait(Duration::from_secs(1));
    assert_eq!(desk.events(), [SILENT]);
    assert!(desk.now < died.after(intervals(7)).after(Duration::from_secs(1)));
}

#[test]
fn reports_that_arrive_out_of_order_prove_nothing_new() {
    let mut desk = Desk::new();
    desk.meet();
    desk.wait(INTERVAL);
    let earlier = desk.report();
    let later = desk.report();
    assert_eq!((desk.prove(&later), desk.prove(&earlier)), (Proof::Alive, Proof::Stale));
    assert_eq!(desk.events(), []);
}

#[test]
fn two_nodes_under_one_key_are_noticed_and_told_once_an_hour() {
    let clone = [GatewayEvent::Clone { node: NODE }];
    let mut desk = Desk::new();
    desk.meet();
    let honest = (desk.boot, desk.booted_at);
    // The other one was started less often; then it has the same count and has run for a shorter time.
    for (boot, booted_at) in [(honest.0 - 1, honest.1), (honest.0, desk.now)] {
        (desk.boot, desk.booted_at) = (boot, booted_at);
        assert_eq!(desk.report_now(), Proof::Inconsistent);
    }
    assert_eq!(desk.events(), clone, "once");
    (desk.boot, desk.booted_at) = honest;
    assert_eq!(desk.report_now(), Proof::Alive);
    for _ in 0..12 {
        desk.wait(INTERVAL);
        assert_eq!(desk.report_now(), Proof::Alive);
    }
    desk.boot -= 1;
    assert_eq!(desk.report_now(), Proof::Inconsistent);
    assert_eq!(desk.events(), clone, "once more an hour later");
    // It is remembered over a restart of the gateway.
    desk.restart(Some(desk.state()));
    assert_eq!(desk.report_now(), Proof::Inconsistent);
    assert_eq!(desk.events(), clone);
    assert!(desk.gateway.clear_clone(NODE) && !desk.gateway.peer(NODE).unwrap().is_cloned());
    assert_eq!(desk.report_now(), Proof::Unproven, "the host has seen to it");
}

#[test]
fn boot_counts_wrap_and_begin_again_with_an_epoch() {
    let mut desk = Desk::new();
    desk.boot = u16::MAX;
    desk.meet();
    (desk.boot, desk.booted_at) = (0, desk.now);
    assert_eq!(desk.report_now(), Proof::Alive);
    (desk.epoch, desk.counter, desk.boot, desk.heard, desk.granted) = (2, 0, 65_000, 0, 0);
    assert_eq!(desk.report_now(), Proof::Unproven);
    assert_eq!(desk.events(), []);
}

#[test]
fn a_node_that_keeps_what_it_heard_over_an_epoch_does_not_silence_its_gateway() {
    let mut desk = Desk::new();
    for _ in 0..30 {
        assert_ne!(desk.report_now(), Proof::Inconsistent);
        desk.converse();
        desk.heard = 0;
    }
    desk.heard = u32::from(GATEWAY) << 24 | 30;
    assert_eq!(desk.report_now(), Proof::Alive);
    (desk.epoch, desk.counter, desk.granted) = (2, 0, 0);
    assert_eq!(desk.report_now(), Proof::Unproven);
    assert_eq!(desk.say().len(), 1, "it is answered under a counter of the new epoch");
    assert_eq!(desk.report_now(), Proof::Unproven, "and still names one of the last");
    assert!(!desk.gateway.peer(NODE).unwrap().is_restored());
    assert_eq!(desk.say().len(), 1);
    assert_eq!(desk.events(), []);
}

#[test]
fn a_gateway_that_is_an_old_copy_says_so_once() {
    let mut desk = Desk::new();
    desk.meet();
    desk.heard += 1_000;
    for _ in 0..3 {
        assert_eq!(desk.report_now(), Proof::Unproven);
    }
    assert_eq!(desk.events(), [GatewayEvent::Restored { node: NODE }]);
    assert_eq!(desk.say(), []);
    // It stays so over a restart, and says so again.
    let state = desk.state();
    desk.restart(Some(state));
    assert!(desk.gateway.peer(NODE).unwrap().is_restored());
    assert_eq!(desk.events(), [GatewayEvent::Restored { node: NODE }]);
}

#[test]
fn bad_tags_are_an_alarm_each_hour_and_never_a_lock_out() {
    let mut desk = Desk::new();
    desk.meet();
    let forge = |desk: &mut Desk, times: u32| {
        for _ in 0..times {
            let mut packet = desk.report();
            packet[20] ^= 1;
            assert!(matches!(desk.hand(&packet), GatewayEvent::Rejected { .. }));
        }
    };
    forge(&mut desk, BAD_TAGS_PER_HOUR_MAX - 1);
    assert_eq!(desk.events(), []);
    forge(&mut desk, 2_000);
    let told = desk.events();
    let count = BAD_TAGS_PER_HOUR_MAX - 1 + 2_000;
    assert_eq!(told, [GatewayEvent::BadTags { node: NODE, count }]);
    for _ in 0..12 {
        desk.wait(INTERVAL);
        assert_eq!(desk.report_now(), Proof::Alive, "the node is heard all the while");
    }
    forge(&mut desk, BAD_TAGS_PER_HOUR_MAX - 1);
    assert_eq!(desk.events(), []);
    forge(&mut desk, 1);
    assert_eq!(desk.events(), [GatewayEvent::BadTags { node: NODE, count: BAD_TAGS_PER_HOUR_MAX }]);
}

#[test]
fn what_was_recorded_before_a_gateway_without_memory_lies_below_the_mark_that_it_sets() {
    let mut desk = Desk::new();
    let alert = desk.onset();
    let recorded = [desk.alert(1, &alert), desk.alert(2, &alert)];
    desk.restart(None);
    assert!(desk.store(&recorded[0]).standing.possible_duplicate);
    desk.meet();
    let refused = desk.hand(&recorded[1]);
    assert!(matches!(refused, GatewayEvent::Rejected { why: Rejected::Replay(_), .. }), "{refused:?}");
    let again = desk.alert(2, &alert);
    assert!(!desk.store(&again).standing.possible_duplicate);
}

#[test]
fn a_forged_packet_does_not_close_the_window_on_the_true_one() {
    let mut desk = Desk::new();
    desk.meet();
    desk.wait(INTERVAL);
    let report = desk.report();
    let mut forged = report.clone();
    *forged.last_mut().unwrap() ^= 1;
    let why = Rejected::BadTag;
    assert_eq!(desk.hand(&forged), GatewayEvent::Rejected { node: Some(NODE), why });
    assert_eq!(desk.prove(&report), Proof::Alive);
}

#[test]
fn a_gateway_without_memory_says_so_until_the_node_has_heard_it() {
    let mut desk = Desk::new();
    desk.restart(None);
    let alert = desk.onset();
    let marked = desk.alert(2, &alert);
    assert!(desk.store(&marked).standing.possible_duplicate);
    // A report that has heard nobody since this start may be recorded itself.
    desk.heard = u32::from(GATEWAY) << 24;
    assert_eq!(desk.report_now(), Proof::Unproven);
    let third = desk.alert(3, &alert);
    assert!(desk.store(&third).standing.possible_duplicate);
    // So it is after another restart, whose state is of no longer a memory.
    let state = desk.state();
    desk.restart(Some(state));
    let fourth = desk.alert(4, &alert);
    assert!(desk.store(&fourth).standing.possible_duplicate);
    assert_eq!(desk.report_now(), Proof::Unproven);
    desk.converse();
    assert_eq!(desk.report_now(), Proof::Alive);
    let fifth = desk.alert(5, &alert);
    assert!(!desk.store(&fifth).standing.possible_duplicate);
    // One that remembers marks nothing.
    let mut desk = Desk::new();
    let packet = desk.alert(1, &alert);
    assert!(!desk.store(&packet).standing.possible_duplicate);
}
