//! A store that forgets everything, safely.

use core::task::Poll;

use super::{Journalled, Recovered, Series, Store, StoreError};
use crate::message::{Epoch, Seq};

/// Keeps nothing over a power cut. Safe only because each start brings a fresh epoch, in which no packet counter
/// has been used, and a fresh span of alert numbers.
///
/// Whoever starts it owes both: an epoch above every earlier one, and `first_seq` above every number ever given.
///
/// ```
/// use alertbus::store::{Series, Store, Volatile};
/// use alertbus::message::Epoch;
/// use core::task::Poll;
///
/// let mut store = Volatile::new(Epoch(3), 2, 1_000);
/// let Poll::Ready(Ok(recovered)) = store.recover() else { panic!() };
/// assert_eq!((recovered.up_counter, recovered.flash_seq), (1, 1_000));
/// assert!(store.reserve(Series::UpCounter, 65).is_ready());
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Volatile {
    recovered: Recovered,
}

impl Volatile {
    /// A start in `epoch`, the `boot`-th of this node, with alert numbers from `first_seq` on.
    #[must_use]
    pub const fn new(epoch: Epoch, boot: u16, first_seq: u32) -> Self {
        Self {
            recovered: Recovered { epoch, boot, up_counter: 1, flash_seq: first_seq, other_seq: first_seq },
        }
    }
}

impl Store for Volatile {
    const DURABLE: bool = false;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        Poll::Ready(Ok(self.recovered))
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        let reserved = match series {
            Series::UpCounter => &mut self.recovered.up_counter,
            Series::FlashSeq => &mut self.recovered.flash_seq,
            Series::OtherSeq => &mut self.recovered.other_seq,
        };
        *reserved = end.max(*reserved);
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
