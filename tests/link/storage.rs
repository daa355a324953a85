//! A node over stores that are slow, fail, or survive a power cut.

use alertbus::Precedence;
use alertbus::ledger::Row;
use alertbus::message::AlertDraft;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::role::node::{Node, NodeEvent, Refusal, Submission};
use alertbus::store::{Store, StoreError};
use alertbus::time::{Duration, Instant};

use crate::ailing::{Ailing, Shared};
use crate::pair::{Pair, SLOTS, config};

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

fn settle<S: Store>(pair: &mut Pair<S>) {
    for _ in 0..200 {
        pair.advance(Duration::from_millis(50));
        pair.exchange();
    }
}

#[test]
fn a_slow_store_delays_and_loses_nothing() {
    for pending in [0, 1, 5] {
        let memory = Shared::default();
        memory.borrow_mut().pending = pending;
        let mut pair = Pair::with_store(Ailing::start(&memory));
        if pending > 0 {
            let early = pair.node.raise(pair.now, flash());
            assert!(matches!(early, Submission::Refused { why: Refusal::Starting, .. }), "{early:?}");
        }
        settle(&mut pair);
        let mut queued = 0;
        while queued < 3 {
            match pair.node.raise(pair.now, flash()) {
                Submission::Queued { .. } => queued += 1,
                Submission::Refused { why: Refusal::StoreBusy, .. } => pair.advance(Duration::from_millis(1)),
                other => panic!("{other:?}"),
            }
        }
        settle(&mut pair);
        assert_eq!((pair.delivered.len(), pair.node.resident()), (3, 0), "pending {pending}");
        assert!(memory.borrow().open.is_empty(), "every outcome is written, pending {pending}");
        let durable = pair.events().iter().filter(|event| matches!(event, NodeEvent::Durable { .. })).count();
        assert!(durable <= 3);
    }
}

#[test]
fn a_node_that_is_only_made_starts_when_its_time_is_asked_for() {
    let memory = Shared::default();
    let mut node: Node<_, SLOTS> = Node::new(config(1), Ailing::start(&memory));
    assert_eq!((node.epoch(), node.silent()), (None, None));
    assert_eq!(node.poll_timeout(), Some(Instant::START), "at once");
    node.handle_timeout(Instant::from_millis(8));
    assert!(node.epoch().is_some());
    assert!(matches!(node.raise(Instant::from_millis(9), flash()), Submission::Queued { .. }));
}

#[test]
fn a_durable_alert_survives_a_reboot_and_is_delivered_once() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    for _ in 0..2 {
        let _ = pair.node.raise(pair.now, flash());
    }
    assert_eq!(pair.events().len(), 2, "both durable");
    // The first arrives, its acknowledgement does not; then the power goes.
    let packets = pair.node_packets();
    pair.hand_up(&packets[0]);
    pair.gateway_packets();
    let before = pair.up.clone();
    pair.node = Node::start(config(2), Ailing::start(&memory), pair.now);
    assert_eq!(pair.node.resident(), 2);
    pair.exchange();
    let seqs: Vec<u32> = pair.delivered.iter().map(|received| received.id.seq.number()).collect();
    assert_eq!((seqs, pair.duplicates.len(), pair.node.resident()), (vec![1, 2], 1, 0));
    assert!(pair.rejected.is_empty(), "no counter of the first boot is used again");
    assert!(pair.up[before.len()..].iter().all(|packet| !before.contains(packet)));
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    assert!(pair.delivered[2].id.seq.number() > 2, "numbers never restart");
}

#[test]
fn a_node_that_lost_its_counters_says_nothing() {
    let memory = Shared::default();
    memory.borrow_mut().failure = Some(StoreError::CounterLost);
    let mut pair = Pair::with_store(Ailing::start(&memory));
    assert_eq!(pair.node.silent(), Some(StoreError::CounterLost));
    let refused = pair.node.raise(pair.now, flash());
    let why = Refusal::Store(StoreError::CounterLost);
    assert!(matches!(refused, Submission::Refused { why: got, .. } if got == why));
    settle(&mut pair);
    assert!(pair.up.is_empty());
    assert_eq!(pair.node.poll_timeout(), None);
}

#[test]
fn a_store_that_fails_later_is_reported_and_the_alert_goes_out_all_the_same() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    pair.events();
    memory.borrow_mut().failure = Some(StoreError::Device);
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
    assert!(pair.events().contains(&NodeEvent::StoreFailed(StoreError::Device)));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (2, 0));
}

/// Lives as the documentation of the roles says: transmit until none, then sleep until `poll_timeout`.
fn by_the_book<S: Store>(pair: &mut Pair<S>, wakes: usize) {
    for _ in 0..wakes {
        pair.exchange();
        let at = pair.node.poll_timeout().expect("a node that runs has something to do: its reports");
        pair.now = pair.now.max(at);
        pair.node.handle_timeout(pair.now);
    }
}

#[test]
fn a_store_that_is_busy_once_strands_neither_alert_nor_report() {
    for series in 0..3 {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        for round in 0..200 {
            memory.borrow_mut().reserve_pending[series] = 1;
            let draft = if round % 2 == 0 { flash() } else { AlertDraft::new(DroneSighting::default()) };
            let submission = pair.node.raise(pair.now, draft);
            assert!(
                matches!(submission, Submission::Queued { .. }),
                "series {series}, {round}: {submission:?}"
            );
            by_the_book(&mut pair, 4);
            assert_eq!((pair.node.resident(), pair.delivered.len()), (0, round + 1), "series {series}");
        }
    }
}

#[test]
fn numbers_are_reserved_before_an_alert_needs_one() {
    let memory = Shared::default();
    memory.borrow_mut().reserve_pending = [1, 1, 1];
    let mut pair = Pair::with_store(Ailing::start(&memory));
    by_the_book(&mut pair, 3);
    memory.borrow_mut().failure = Some(StoreError::Device);
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
}

#[test]
fn a_node_that_gets_no_counter_says_so_once_and_goes_on_when_it_gets_one() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    pair.exchange();
    memory.borrow_mut().reserve_failure[0] = Some(StoreError::Device);
    let mut failures = 0;
    for _ in 0..1_000 {
        let _ = pair.node.raise(pair.now, flash());
        pair.advance(Duration::from_secs(10));
        pair.exchange();
        let failed = |event: &NodeEvent| matches!(event, NodeEvent::StoreFailed(StoreError::Device));
        failures += pair.events().iter().filter(|&event| failed(event)).count();
    }
    // All slots, and the summary that is open.
    assert_eq!((failures, pair.node.resident()), (1, SLOTS + 1));
    memory.borrow_mut().reserve_failure[0] = None;
    // Once the summary in flight is stored the open one follows it.
    for _ in 0..2 {
        pair.advance(Duration::from_secs(60));
        pair.exchange();
    }
    assert_eq!(pair.node.resident(), 0);
}

#[test]
fn a_series_without_numbers_stops_no_report_and_no_other_alert() {
    let memory = Shared::default();
    memory.borrow_mut().reserve_failure[2] = Some(StoreError::Device);
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, AlertDraft::new(DroneSighting::default()));
    let _ = pair.node.raise(pair.now, flash());
    for _ in 0..20 {
        pair.advance(Duration::from_secs(30));
        pair.exchange();
    }
    assert!(pair.reports >= 2 && pair.delivered.len() == 1, "{} reports", pair.reports);
}

#[test]
fn what_is_still_in_the_journal_is_never_taken_for_settled() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    // Outcomes cannot be written for a while, so settled alerts stay in the journal; then comes one that is open.
    memory.borrow_mut().outcome_failure = Some(StoreError::Full);
    for _ in 0..SLOTS {
        let _ = pair.node.raise(pair.now, flash());
        pair.exchange();
    }
    pair.advance(Duration::from_secs(2));
    memory.borrow_mut().outcome_failure = None;
    let _ = pair.node.raise(pair.now, flash());
    memory.borrow_mut().outcome_failure = Some(StoreError::Full);
    assert_eq!(pair.delivered.len(), SLOTS);
    for failing in [true, false] {
        memory.borrow_mut().next_open_failure = failing.then_some(StoreError::Device);
        memory.borrow_mut().outcome_failure = None;
        pair.node = Node::start(config(2), Ailing::start(&memory), pair.now);
        for _ in 0..50 {
            pair.exchange();
            pair.advance(Duration::from_secs(60));
        }
    }
    let flash = *pair.node.ledger().row(Row::Live(Precedence::Flash));
    assert_eq!((pair.delivered.len(), flash.resident), (SLOTS + 1, 0));
    assert!(memory.borrow().open.is_empty());
}

#[test]
fn a_journal_that_fails_is_asked_again_at_leisure() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    pair.exchange();
    memory.borrow_mut().append_failure = Some(StoreError::Full);
    let _ = pair.node.raise(pair.now, flash());
    pair.node_packets();
    for _ in 0..1_000 {
        pair.node.handle_timeout(pair.now);
        assert!(pair.node.poll_timeout().is_some_and(|at| at > pair.now), "no busy loop");
    }
    assert_eq!((memory.borrow().appends, pair.node.events_lost()), (1, 0));
}
