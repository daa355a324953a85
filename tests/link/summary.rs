//! Where live Flash alerts go for which there is no room: counted, frozen when released, none lost.

use alertbus::ledger::Row;
use alertbus::message::kind::{DroneSighting, RocketLaunch, Summary};
use alertbus::message::{AlertDraft, Body};
use alertbus::role::node::{Node, NodeEvent, Refusal, Submission};
use alertbus::store::{Store, Volatile};
use alertbus::time::Duration;
use alertbus::{Precedence, limits};

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, Pair, SLOTS, config};

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

fn fill<S: Store>(pair: &mut Pair<S>) {
    for _ in 0..SLOTS - 1 {
        assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
    }
}

fn merge<S: Store>(pair: &mut Pair<S>, times: usize) {
    for _ in 0..times {
        let submission = pair.node.raise(pair.now, flash());
        assert!(matches!(submission, Submission::Merged { .. }), "{submission:?}");
    }
}

/// What each summary counted, in the order of arrival.
fn counted<S>(pair: &Pair<S>) -> Vec<u16> {
    let body = |received: &alertbus::role::gateway::ReceivedAlert| received.alert.unwrap().body;
    let count = |body| if let Body::Summary(Summary { count, .. }) = body { Some(count) } else { None };
    pair.delivered.iter().map(body).filter_map(count).collect()
}

#[test]
fn an_acknowledgement_for_a_summary_that_has_grown_since() {
    let mut pair = Pair::new();
    fill(&mut pair);
    merge(&mut pair, 1);
    let packets = pair.node_packets();
    // The first summary is under way with a count of one; what comes now is counted into another.
    merge(&mut pair, 5);
    for packet in packets {
        pair.hand_up(&packet);
    }
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    assert_eq!(pair.node.resident(), 1, "the acknowledgement means the first alone");
    pair.exchange();
    assert_eq!((counted(&pair), pair.node.resident()), (vec![1, 5], 0));
    let counts = *pair.node.ledger().row(Row::Live(Precedence::Flash));
    assert_eq!((counts.merged, counts.accepted, counts.acked), (6, SLOTS as u32 + 1, SLOTS as u32 + 1));
}

#[test]
fn every_count_arrives_though_half_of_the_packets_are_lost() {
    let mut pair = Pair::new();
    let mut merged = 0;
    let mut dice = 1_u32;
    let mut lose = || {
        dice = dice.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        dice >> 31 == 1
    };
    for step in 0..4_000 {
        if step < 2_000 {
            let _ = pair.node.raise(pair.now, flash());
        }
        for packet in pair.node_packets() {
            if !lose() {
                pair.hand_up(&packet);
            }
        }
        if step % 7 == 0 {
            for packet in pair.gateway_packets() {
                if !lose() {
                    pair.hand_down(&packet).unwrap();
                }
            }
        }
        merged = pair.node.ledger().row(Row::Live(Precedence::Flash)).merged;
        pair.advance(Duration::from_millis(500));
    }
    assert_eq!(pair.node.resident(), 0);
    let counts = counted(&pair);
    assert_eq!(counts.iter().map(|&count| u64::from(count)).sum::<u64>(), u64::from(merged));
    let ordinary = (pair.delivered.len() - counts.len()) as u32;
    assert!(merged > 100 && ordinary + merged == 2_000, "{merged} merged, {ordinary} sent one by one");
}

#[test]
fn a_count_that_is_full_refuses() {
    let mut pair = Pair::new();
    fill(&mut pair);
    merge(&mut pair, 1 + usize::from(u16::MAX));
    let refused = pair.node.raise(pair.now, flash());
    assert!(matches!(refused, Submission::Refused { why: Refusal::Full, .. }), "{refused:?}");
    pair.exchange();
    pair.exchange();
    assert_eq!(counted(&pair), [1, u16::MAX]);
}

#[test]
fn a_summary_is_journalled_once_a_second_and_the_rest_when_it_is_released() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    fill(&mut pair);
    merge(&mut pair, 1);
    pair.events();
    let before = memory.borrow().appends;
    merge(&mut pair, 1_000);
    assert_eq!(memory.borrow().appends, before + 1, "the first count of the open one");
    pair.advance(Duration::from_secs(1));
    assert_eq!(memory.borrow().appends, before + 2);
    let durable = pair.events().iter().filter(|event| matches!(event, NodeEvent::Durable { .. })).count();
    assert_eq!(durable, 2);
    merge(&mut pair, 10);
    pair.exchange();
    assert_eq!(memory.borrow().appends, before + 3, "before the released one may wait for its outcome");
    pair.exchange();
    assert_eq!((counted(&pair), memory.borrow().open.len()), (vec![1, 1_010], 0));
}

#[test]
fn a_power_cut_takes_of_a_summary_only_what_was_not_durable() {
    for released in [false, true] {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        fill(&mut pair);
        merge(&mut pair, 1 + 7);
        pair.advance(Duration::from_secs(1));
        merge(&mut pair, 5);
        memory.borrow_mut().append_pending = u32::MAX;
        if released {
            // The alerts before it arrive, and it joins the queue; the journal knows of seven, not of twelve.
            pair.exchange();
            assert_eq!(pair.node.resident(), 1);
        }
        memory.borrow_mut().append_pending = 0;
        pair.node = Node::start(config(2), Ailing::start(&memory), pair.now);
        for _ in 0..4 {
            pair.exchange();
            pair.advance(Duration::from_secs(60));
        }
        assert_eq!((counted(&pair), pair.node.resident()), (vec![1, 7], 0), "released {released}");
    }
}

#[test]
fn two_summaries_of_an_earlier_boot_leave_no_alert_without_an_answer_and_no_busy_loop() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    fill(&mut pair);
    merge(&mut pair, 2);
    // One slot of the eight is settled and written down; seven come back, two of them summaries.
    for packet in pair.node_packets().iter().take(1) {
        pair.hand_up(packet);
    }
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    assert_eq!((memory.borrow().open.len(), pair.node.resident()), (SLOTS, SLOTS));
    pair.node = Node::start(config(2), Ailing::start(&memory), pair.now);
    assert_eq!(pair.node.resident(), SLOTS);
    merge(&mut pair, 3);
    pair.node.handle_timeout(pair.now);
    assert!(pair.node.poll_timeout().is_some_and(|at| at > pair.now), "{:?}", pair.node.poll_timeout());
    for _ in 0..4 {
        pair.exchange();
        pair.advance(Duration::from_secs(60));
    }
    assert_eq!((counted(&pair), pair.node.resident()), (vec![1, 1, 3], 0));
    assert_eq!(pair.delivered.len(), SLOTS - 1 + 3);
}

/// A million a second for an hour are 3.6 thousand million: too many for a test. Nothing that such an alert touches
/// grows with their number but counts and handles of 64 bits, so two million at one moment, and an hour at a thousandth
/// of the rate, stand for them. No kind is Routine by itself; what is lowest among the live ones is what gives way.
#[test]
fn a_node_that_raises_a_million_routine_alerts_a_second_for_an_hour_while_one_flash_alert_comes() {
    const AT_ONCE: u32 = 2_000_000;
    let mut pair = Pair::new();
    babble(&mut pair, AT_ONCE.into());
    assert_first_within_one_frame(&mut pair);
    let counts = *pair.node.ledger().row(Row::Live(Precedence::Priority));
    assert_eq!((counts.offered, counts.accepted), (AT_ONCE, AT_ONCE));
    assert_eq!(counts.displaced + counts.resident + counts.acked, AT_ONCE, "each is counted: {counts:?}");
    assert!(pair.node.events_lost() > AT_ONCE / 2, "nobody polled, and the node went on");

    let mut pair = Pair::new();
    for second in 0..3_600 {
        babble(&mut pair, 1_000);
        if second == 1_800 {
            assert_first_within_one_frame(&mut pair);
        }
        pair.advance(Duration::from_secs(1));
        let _ = pair.node.poll_transmit(pair.now, &LINK, &mut [0; limits::PACKET_LEN_MAX]);
    }
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Priority)).offered, 3_600_000);
}

fn babble(pair: &mut Pair<Volatile>, times: u64) {
    for _ in 0..times {
        let submission = pair.node.raise(pair.now, AlertDraft::new(DroneSighting::default()));
        assert!(matches!(submission, Submission::Queued { .. }));
    }
}

/// The very next packet is the Flash alert, whatever else waits.
fn assert_first_within_one_frame(pair: &mut Pair<Volatile>) {
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { displaced: Some(_), .. }));
    let mut buffer = [0; limits::PACKET_LEN_MAX];
    let mut packets = 0;
    while pair.node.ledger().row(Row::Live(Precedence::Flash)).resident > 0 {
        let packet = pair.node.poll_transmit(pair.now, &LINK, &mut buffer).unwrap().to_vec();
        pair.hand_up(&packet);
        for packet in pair.gateway_packets() {
            pair.hand_down(&packet).unwrap();
        }
        packets += 1;
        assert!(packets <= 2, "behind at most the one slot in eight that is kept for reports");
    }
    assert!(pair.node.is_balanced());
}
