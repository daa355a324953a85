//! A store that forgets everything, safely.

use core::task::Poll;

use super::{Journalled, Keep, Note, Recovered, Series, Store, StoreError};
use crate::limits::{SEQ_MAX, UP_COUNTER_MAX};
use crate::message::{Epoch, Seq};

/// Keeps nothing over a power cut. Safe only because each start brings a fresh epoch, in which no packet counter
/// has been used. Alert numbers follow from it: each epoch has 65,535 of its own, so none comes back either.
///
/// Whoever starts it owes an epoch above every earlier one, 1 … 32,768.
///
/// ```
/// use alertbus::message::Epoch;
/// use alertbus::store::{Series, Store, Volatile};
/// use core::task::Poll;
///
/// let mut store = Volatile::new(Epoch(3), 2);
/// let Poll::Ready(Ok(recovered)) = store.recover() else { panic!() };
/// assert_eq!((recovered.up_counter, recovered.flash_seq), (1, 2 * 65_536 + 1));
/// assert!(store.reserve(Series::UpCounter, 65).is_ready());
/// ```
#[derive(Debug)]
pub struct Volatile {
    recovered: Recovered,
    note: Option<Note>,
}

/// Alert numbers of one epoch.
const SEQS_PER_EPOCH: u32 = 1 << 16;

const fn first_seq(epoch: Epoch) -> u32 {
    epoch.0.saturating_sub(1).saturating_mul(SEQS_PER_EPOCH).saturating_add(1)
}

impl Volatile {
    /// A start in `epoch`, the `boot`-th of this node.
    #[must_use]
    pub const fn new(epoch: Epoch, boot: u16) -> Self {
        let first_seq = first_seq(epoch);
        Self {
            recovered: Recovered { epoch, boot, up_counter: 1, flash_seq: first_seq, other_seq: first_seq },
            note: None,
        }
    }
}

impl Store for Volatile {
    const DURABLE: bool = false;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        // Epoch 0 is nobody's, and beyond the last one there are no alert numbers left.
        Poll::Ready(match self.recovered.epoch.0 {
            0 => Err(StoreError::CounterLost),
            epoch if epoch > SEQ_MAX.wrapping_add(1) / SEQS_PER_EPOCH => Err(StoreError::Spent),
            _ => Ok(self.recovered),
        })
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        let seqs_end = self.recovered.epoch.0.saturating_mul(SEQS_PER_EPOCH);
        let (reserved, end_max) = match series {
            Series::UpCounter => (&mut self.recovered.up_counter, UP_COUNTER_MAX),
            Series::FlashSeq => (&mut self.recovered.flash_seq, seqs_end),
            Series::OtherSeq => (&mut self.recovered.other_seq, seqs_end),
        };
        if end > end_max {
            return Poll::Ready(Err(StoreError::Spent));
        }
        *reserved = end.max(*reserved);
        Poll::Ready(Ok(()))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        let recovered = &mut self.recovered;
        if epoch > recovered.epoch {
            recovered.epoch = epoch;
            recovered.up_counter = 1;
            // Alert numbers of an epoch are its own, whoever begins it.
            let first_seq = first_seq(epoch);
            recovered.flash_seq = first_seq.max(recovered.flash_seq);
            recovered.other_seq = first_seq.max(recovered.other_seq);
        }
        Poll::Ready(Ok(()))
    }

    fn append(&mut self, _: &Journalled) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }

    fn outcome(&mut self, _: Seq) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }

    fn next_open(&mut self, _: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        Poll::Ready(Ok(None))
    }
}

impl Keep for Volatile {
    fn load(&mut self) -> Poll<Result<Option<Note>, StoreError>> {
        Poll::Ready(Ok(self.note))
    }

    fn keep(&mut self, note: &Note) -> Poll<Result<(), StoreError>> {
        self.note = Some(*note);
        Poll::Ready(Ok(()))
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Volatile {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.recovered);
    }
}
