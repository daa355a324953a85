//! A node over stores that are slow, fail, or survive a power cut; and the conformance suite of stores.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use alertbus::Seq;
use alertbus::message::AlertDraft;
use alertbus::message::kind::RocketLaunch;
use alertbus::role::node::{Node, NodeEvent, Refusal, Submission};
use alertbus::store::{Journalled, Recovered, Series, Store, StoreError};
use alertbus::time::Duration;
use alertbus::wire::keys::Epoch;

use crate::pair::{Pair, config};

/// What a perfect store remembers: the model that real ones are held against.
#[derive(Clone, Default)]
struct Memory {
    boot: u16,
    reserved: [u32; 3],
    open: BTreeMap<Seq, Journalled>,
}

/// A durable store that answers `Pending` a number of times before each answer.
#[derive(Clone)]
struct Slow {
    memory: Rc<RefCell<Memory>>,
    pending: u32,
    left: u32,
    failure: Option<StoreError>,
}

impl Slow {
    fn new(memory: &Rc<RefCell<Memory>>, pending: u32) -> Self {
        memory.borrow_mut().boot += 1;
        Self { memory: memory.clone(), pending, left: pending, failure: None }
    }

    fn answer<T>(&mut self, give: impl FnOnce(&mut Memory) -> T) -> Poll<Result<T, StoreError>> {
        if self.left > 0 {
            self.left -= 1;
            return Poll::Pending;
        }
        self.left = self.pending;
        Poll::Ready(match self.failure {
            Some(error) => Err(error),
            None => Ok(give(&mut self.memory.borrow_mut())),
        })
    }
}

impl Store for Slow {
    const DURABLE: bool = true;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        self.answer(|memory| {
            let [up_counter, flash_seq, other_seq] = memory.reserved.map(|end| end.max(1));
            Recovered { epoch: Epoch(1), boot: memory.boot, up_counter, flash_seq, other_seq }
        })
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        self.answer(|memory| {
            let at = match series {
                Series::UpCounter => 0,
                Series::FlashSeq => 1,
                Series::OtherSeq => 2,
            };
            memory.reserved[at] = memory.reserved[at].max(end);
        })
    }

    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>> {
        self.answer(|memory| {
            memory.open.insert(alert.seq, *alert);
        })
    }

    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>> {
        self.answer(|memory| {
            memory.open.remove(&seq);
        })
    }

    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        self.answer(|memory| {
            let above = |seq: &Seq| after.is_none_or(|after| *seq > after);
            memory.open.iter().find(|(seq, _)| above(seq)).map(|(_, alert)| *alert)
        })
    }
}

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
        let memory = Rc::default();
        let mut pair = Pair::with_store(Slow::new(&memory, pending));
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
                Submission::Refused { why, .. } => panic!("{why}"),
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
fn a_durable_alert_survives_a_reboot_and_is_delivered_once() {
    let memory = Rc::default();
    let mut pair = Pair::with_store(Slow::new(&memory, 0));
    for _ in 0..2 {
        let _ = pair.node.raise(pair.now, flash());
    }
    assert_eq!(pair.events().len(), 2, "both durable");
    // The first arrives, its acknowledgement does not; then the power goes.
    let packets = pair.node_packets();
    pair.hand_up(&packets[0]);
    pair.gateway_packets();
    let before = pair.up.clone();
    pair.node = Node::start(config(2), Slow::new(&memory, 0), pair.now);
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
    let memory = Rc::default();
    let store = Slow { failure: Some(StoreError::CounterLost), ..Slow::new(&memory, 0) };
    let mut pair = Pair::with_store(store);
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
    let memory = Rc::default();
    let mut pair = Pair::with_store(Slow::new(&memory, 0));
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    pair.events();
    pair.node.store_mut().failure = Some(StoreError::Device);
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
    assert!(pair.events().contains(&NodeEvent::StoreFailed(StoreError::Device)));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (2, 0));
}
