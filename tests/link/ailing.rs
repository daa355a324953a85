//! A durable store with a memory that outlives it, and every way of keeping a node waiting or failing it.

use std::cell::RefCell;
use std::collections::{BTreeMap, BTreeSet};
use std::rc::Rc;
use std::task::Poll;

use alertbus::Seq;
use alertbus::message::Epoch;
use alertbus::store::{Journalled, Recovered, Series, Store, StoreError};

/// What the device keeps, and how it ails.
#[derive(Default)]
pub(crate) struct Memory {
    boot: u16,
    pub(crate) epoch: u32,
    /// Ends of what is reserved: up counters, Flash numbers, other numbers.
    pub(crate) ends: [u32; 3],
    pub(crate) open: BTreeMap<Seq, Journalled>,
    /// `Pending` before every answer, that many times.
    pub(crate) pending: u32,
    /// `Pending` before the next answer to `reserve` of each series, that many times.
    pub(crate) reserve_pending: [u32; 3],
    /// Every call fails like this.
    pub(crate) failure: Option<StoreError>,
    pub(crate) reserve_failure: [Option<StoreError>; 3],
    pub(crate) append_failure: Option<StoreError>,
    pub(crate) outcome_failure: Option<StoreError>,
    pub(crate) next_open_failure: Option<StoreError>,
    pub(crate) epoch_failure: Option<StoreError>,
    /// `Pending` before the next answer to `append` and to `begin_epoch`, that many times: a page is being erased.
    pub(crate) append_pending: u32,
    pub(crate) epoch_pending: u32,
    /// Appends that were asked for.
    pub(crate) appends: u32,
    /// Every alert that was ever durable.
    pub(crate) ever: BTreeSet<Seq>,
}

pub(crate) type Shared = Rc<RefCell<Memory>>;

/// A store over such a device, from one start to the next.
pub(crate) struct Ailing {
    memory: Shared,
    asked: u32,
}

impl Ailing {
    /// The power comes on.
    pub(crate) fn start(memory: &Shared) -> Self {
        memory.borrow_mut().boot += 1;
        Self { memory: memory.clone(), asked: 0 }
    }

    fn answer<T>(
        &mut self,
        failure: impl FnOnce(&Memory) -> Option<StoreError>,
        give: impl FnOnce(&mut Memory) -> T,
    ) -> Poll<Result<T, StoreError>> {
        let memory = &mut *self.memory.borrow_mut();
        if self.asked < memory.pending {
            self.asked += 1;
            return Poll::Pending;
        }
        self.asked = 0;
        Poll::Ready(match memory.failure.or_else(|| failure(memory)) {
            Some(error) => Err(error),
            None => Ok(give(memory)),
        })
    }
}

fn is_busy(pending: &mut u32) -> bool {
    let busy = *pending > 0;
    *pending = pending.saturating_sub(1);
    busy
}

impl Store for Ailing {
    const DURABLE: bool = true;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        self.answer(
            |_| None,
            |memory| {
                let [up_counter, flash_seq, other_seq] = memory.ends.map(|end| end.max(1));
                Recovered {
                    epoch: Epoch(1 + memory.epoch),
                    boot: memory.boot,
                    up_counter,
                    flash_seq,
                    other_seq,
                }
            },
        )
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        let all = [Series::UpCounter, Series::FlashSeq, Series::OtherSeq];
        let at = all.iter().position(|&one| one == series).unwrap();
        if is_busy(&mut self.memory.borrow_mut().reserve_pending[at]) {
            return Poll::Pending;
        }
        self.answer(|memory| memory.reserve_failure[at], |memory| memory.ends[at] = memory.ends[at].max(end))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        if is_busy(&mut self.memory.borrow_mut().epoch_pending) {
            return Poll::Pending;
        }
        self.answer(
            |memory| memory.epoch_failure,
            |memory| {
                if epoch > Epoch(1 + memory.epoch) {
                    memory.epoch = epoch.0 - 1;
                    memory.ends[0] = 1;
                }
            },
        )
    }

    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>> {
        self.memory.borrow_mut().appends += 1;
        if is_busy(&mut self.memory.borrow_mut().append_pending) {
            return Poll::Pending;
        }
        self.answer(
            |memory| memory.append_failure,
            |memory| {
                memory.open.insert(alert.seq, *alert);
                memory.ever.insert(alert.seq);
            },
        )
    }

    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>> {
        self.answer(
            |memory| memory.outcome_failure,
            |memory| {
                memory.open.remove(&seq);
            },
        )
    }

    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        self.answer(
            |memory| memory.next_open_failure.filter(|_| after.is_some()),
            |memory| {
                let above = |seq: &Seq| after.is_none_or(|after| *seq > after);
                memory.open.iter().find(|(seq, _)| above(seq)).map(|(_, alert)| *alert)
            },
        )
    }
}
