//! The numbers that must never repeat, on flash: epoch, boot, and how far each series is reserved.
//!
//! All of them are one state of a [`StateLog`], so a cut can never leave the epoch of one moment with the counter of
//! another. A mark outside the log says that numbers have been used at all: where it is set and the log is empty,
//! the log is lost, and the node must not speak.

use embedded_storage::nor_flash::NorFlash;

use super::area::{is_marked, set_mark};
use super::layout::Layout;
use super::state_log::StateLog;
use super::{Recovered, Series, StoreError};
use crate::limits::{SEQ_MAX, UP_COUNTER_MAX};
use crate::message::Epoch;

/// Where the numbers of a new node begin, and those of one that is provisioned anew: what its provisioning says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Birth {
    /// The key epoch, 1 or more; above every one that the node has had. One that is not above the store's own
    /// changes nothing, so the same birth can be handed over at each start.
    pub epoch: Epoch,
    /// No Flash alert is numbered below this.
    pub flash_seq: u32,
    /// No other alert is numbered below this.
    pub other_seq: u32,
}

/// Length of the counters, in bytes.
const LEN: usize = 20;

/// What the log keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Counters {
    epoch: u32,
    boot: u32,
    up_counter: u32,
    flash_seq: u32,
    other_seq: u32,
}

impl Counters {
    const fn born(birth: &Birth) -> Self {
        let new = Self { epoch: 0, boot: 0, up_counter: 1, flash_seq: 1, other_seq: 1 };
        new.reborn(birth)
    }

    /// A later epoch begins; alert numbers only ever go up.
    const fn reborn(mut self, birth: &Birth) -> Self {
        if birth.epoch.0 > self.epoch {
            self.epoch = birth.epoch.0;
            self.up_counter = 1;
            self.flash_seq = later(self.flash_seq, birth.flash_seq);
            self.other_seq = later(self.other_seq, birth.other_seq);
        }
        self
    }

    fn to_bytes(self) -> [u8; LEN] {
        let words = [self.epoch, self.boot, self.up_counter, self.flash_seq, self.other_seq];
        let mut bytes = [0; LEN];
        for (to, from) in bytes.iter_mut().zip(words.into_iter().flat_map(u32::to_be_bytes)) {
            *to = from;
        }
        bytes
    }

    fn from_bytes(bytes: &[u8; LEN]) -> Self {
        let mut words =
            bytes.chunks_exact(4).map(|word| word.iter().fold(0, |word, &b| word << 8 | u32::from(b)));
        let mut next = || words.next().unwrap_or(0);
        Self { epoch: next(), boot: next(), up_counter: next(), flash_seq: next(), other_seq: next() }
    }
}

/// The higher one, as far as there are numbers.
const fn later(this: u32, that: u32) -> u32 {
    let end = if that < SEQ_MAX { that } else { SEQ_MAX };
    if end > this { end } else { this }
}

/// The counters of this boot, which is counted.
#[derive(Debug)]
pub(super) struct CounterLog {
    log: StateLog<LEN>,
    counters: Counters,
}

impl CounterLog {
    /// Erase pages that the counters take.
    pub(super) const PAGES: u32 = StateLog::<LEN>::PAGES;

    /// Finds the counters and counts the boot. A first boot writes them, then sets the mark; nothing may be sent
    /// before both are there.
    ///
    /// # Errors
    /// [`StoreError::CounterLost`] where numbers have been used and the log is empty, or where the birth names no
    /// epoch; [`StoreError::Device`].
    pub(super) fn start<F: NorFlash>(
        flash: &mut F,
        layout: &Layout,
        birth: &Birth,
    ) -> Result<Self, StoreError> {
        let (mut log, kept) = StateLog::mount(flash, layout.base)?;
        let used = is_marked(flash, layout.used)?;
        let mut counters = match kept {
            Some(bytes) => Counters::from_bytes(&bytes).reborn(birth),
            None if used || birth.epoch.0 == 0 => return Err(StoreError::CounterLost),
            None => Counters::born(birth),
        };
        counters.boot = counters.boot.wrapping_add(1);
        log.append(flash, &counters.to_bytes())?;
        if !used {
            set_mark(flash, layout.used)?;
        }
        Ok(Self { log, counters })
    }

    pub(super) const fn recovered(&self) -> Recovered {
        let Counters { epoch, boot, up_counter, flash_seq, other_seq } = self.counters;
        let [_, _, high, low] = boot.to_be_bytes();
        let boot = u16::from_be_bytes([high, low]);
        Recovered { epoch: Epoch(epoch), boot, up_counter, flash_seq, other_seq }
    }

    /// As of [`super::Store::reserve`].
    pub(super) fn reserve<F: NorFlash>(
        &mut self,
        flash: &mut F,
        series: Series,
        end: u32,
    ) -> Result<(), StoreError> {
        let mut counters = self.counters;
        let (reserved, end_max) = match series {
            Series::UpCounter => (&mut counters.up_counter, UP_COUNTER_MAX),
            Series::FlashSeq => (&mut counters.flash_seq, SEQ_MAX),
            Series::OtherSeq => (&mut counters.other_seq, SEQ_MAX),
        };
        if end > end_max {
            return Err(StoreError::Spent);
        }
        *reserved = end.max(*reserved);
        self.write(flash, counters)
    }

    /// As of [`super::Store::begin_epoch`].
    pub(super) fn begin_epoch<F: NorFlash>(&mut self, flash: &mut F, epoch: Epoch) -> Result<(), StoreError> {
        self.write(flash, self.counters.reborn(&Birth { epoch, flash_seq: 1, other_seq: 1 }))
    }

    /// As of [`StateLog::tidy`].
    pub(super) fn tidy<F: NorFlash>(&mut self, flash: &mut F) -> Result<bool, StoreError> {
        self.log.tidy(flash)
    }

    /// Where nothing changes, nothing is written.
    fn write<F: NorFlash>(&mut self, flash: &mut F, counters: Counters) -> Result<(), StoreError> {
        if counters != self.counters {
            self.log.append(flash, &counters.to_bytes())?;
            self.counters = counters;
        }
        Ok(())
    }
}
