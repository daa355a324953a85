//! Stores to hold the suite against: a perfect one, broken ones, and the volatile one of core.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::rc::Rc;
use std::task::Poll;

use alertbus::Seq;
use alertbus::message::Epoch;
use alertbus::store::{Journalled, Recovered, Series, Store, StoreError, Volatile};

use crate::conformance::Bench;

/// Ways to break the promise.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Failing {
    ForgetsReserve,
    ForgetsAppend,
    ForgetsOutcome,
    ShufflesOpen,
    CountsNoBoot,
    RollsBackOnce,
    ForgetsEpoch,
    KeepsCounterOverEpochs,
    ForgetsKey,
    KeepsFirstContent,
    TakesOneTooMany,
}

impl Failing {
    pub(crate) const ALL: [Self; 11] = [
        Self::ForgetsReserve,
        Self::ForgetsAppend,
        Self::ForgetsOutcome,
        Self::ShufflesOpen,
        Self::CountsNoBoot,
        Self::RollsBackOnce,
        Self::ForgetsEpoch,
        Self::KeepsCounterOverEpochs,
        Self::ForgetsKey,
        Self::KeepsFirstContent,
        Self::TakesOneTooMany,
    ];
}

/// What a device keeps.
#[derive(Default)]
pub(crate) struct Device {
    boot: u16,
    epoch: u32,
    ends: [u32; 3],
    open: BTreeMap<Seq, Journalled>,
}

/// A perfect durable store, unless it is told to fail.
#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) device: Rc<RefCell<Device>>,
    pub(crate) pending: u32,
    pub(crate) failing: Option<Failing>,
}

pub(crate) struct MemoryStore {
    device: Rc<RefCell<Device>>,
    pending: u32,
    asked: u32,
    failing: Option<Failing>,
}

impl Bench for Memory {
    type Store = MemoryStore;
    const OPEN_MAX: usize = 6;

    fn power_on(&mut self) -> MemoryStore {
        let mut device = self.device.borrow_mut();
        if self.failing != Some(Failing::CountsNoBoot) {
            device.boot += 1;
        }
        if self.failing == Some(Failing::RollsBackOnce) && device.boot == 3 {
            device.ends = device.ends.map(|end| end.saturating_sub(40).max(1));
        }
        let (pending, failing) = (self.pending, self.failing);
        MemoryStore { device: self.device.clone(), pending, asked: 0, failing }
    }
}

impl MemoryStore {
    fn answer<T>(&mut self, give: impl FnOnce(&mut Device) -> T) -> Poll<Result<T, StoreError>> {
        self.asked += 1;
        if self.asked <= self.pending {
            return Poll::Pending;
        }
        self.asked = 0;
        Poll::Ready(Ok(give(&mut self.device.borrow_mut())))
    }
}

impl Store for MemoryStore {
    const DURABLE: bool = true;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        self.answer(|device| {
            let [up_counter, flash_seq, other_seq] = device.ends.map(|end| end.max(1));
            Recovered { epoch: Epoch(1 + device.epoch), boot: device.boot, up_counter, flash_seq, other_seq }
        })
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        let forgets = self.failing == Some(Failing::ForgetsReserve);
        self.answer(|device| {
            let at = [Series::UpCounter, Series::FlashSeq, Series::OtherSeq]
                .iter()
                .position(|&s| s == series)
                .unwrap();
            if !forgets {
                device.ends[at] = device.ends[at].max(end);
            }
        })
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        let failing = self.failing;
        self.answer(|device| {
            if epoch > Epoch(1 + device.epoch) && failing != Some(Failing::ForgetsEpoch) {
                device.epoch = epoch.0 - 1;
                if failing != Some(Failing::KeepsCounterOverEpochs) {
                    device.ends[0] = 1;
                }
            }
        })
    }

    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>> {
        let failing = self.failing;
        let answer = self.answer(|device| {
            let room = Memory::OPEN_MAX + usize::from(failing == Some(Failing::TakesOneTooMany));
            let known = device.open.contains_key(&alert.seq);
            if !known && device.open.len() >= room {
                return Err(StoreError::Full);
            }
            match failing {
                Some(Failing::ForgetsAppend) => {}
                Some(Failing::KeepsFirstContent) if known => {}
                Some(Failing::ForgetsKey) => {
                    device.open.insert(alert.seq, Journalled { key: None, ..*alert });
                }
                _ => {
                    device.open.insert(alert.seq, *alert);
                }
            }
            Ok(())
        });
        answer.map(Result::flatten)
    }

    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>> {
        let forgets = self.failing == Some(Failing::ForgetsOutcome);
        self.answer(|device| {
            if !forgets {
                device.open.remove(&seq);
            }
        })
    }

    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        let shuffles = self.failing == Some(Failing::ShufflesOpen);
        self.answer(|device| {
            let mut above = device.open.iter().filter(|&(&seq, _)| after.is_none_or(|after| seq > after));
            let found = if shuffles { above.next_back() } else { above.next() };
            found.map(|(_, alert)| *alert)
        })
    }
}

/// `Volatile` as its owner must start it: a fresh epoch and fresh numbers each time.
#[derive(Default)]
pub(crate) struct VolatileBench {
    pub(crate) starts: u16,
    /// Breaks the owner's part of the promise.
    pub(crate) same_epoch: bool,
}

impl Bench for VolatileBench {
    type Store = Volatile;

    fn power_on(&mut self) -> Volatile {
        self.starts += 1;
        // Above every epoch that commands may have begun since the last start.
        let epoch = if self.same_epoch { 1 } else { 100 * u32::from(self.starts) };
        Volatile::new(Epoch(epoch), self.starts)
    }
}
