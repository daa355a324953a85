//! Numbers that are never used twice: reserved in the store before the first of them is used.

use core::task::{Poll, ready};

use crate::limits::{COUNTER_RESERVE, SEQ_MAX, SEQ_RESERVE, UP_COUNTER_MAX};
use crate::store::{Recovered, Series, Store, StoreError};

/// One series, from the first number of this boot on.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Numbers {
    series: Series,
    first: u32,
    next: u32,
    /// Numbers below this are reserved.
    reserved: u32,
}

impl Numbers {
    pub(super) const fn up_counter(recovered: &Recovered) -> Self {
        Self::from(Series::UpCounter, recovered.up_counter)
    }

    pub(super) const fn flash(recovered: &Recovered) -> Self {
        Self::from(Series::FlashSeq, recovered.flash_seq)
    }

    pub(super) const fn other(recovered: &Recovered) -> Self {
        Self::from(Series::OtherSeq, recovered.other_seq)
    }

    const fn from(series: Series, first: u32) -> Self {
        // Number 0 is never used: windows and filters count from 1.
        let first = if first == 0 { 1 } else { first };
        Self { series, first, next: first, reserved: first }
    }

    /// The first number of this boot.
    pub(super) const fn first(&self) -> u32 {
        self.first
    }

    /// The number that comes next.
    pub(super) const fn next(&self) -> u32 {
        self.next
    }

    /// Uses up the next number. Asks the store once in as many numbers as it reserves ahead.
    pub(super) fn take(&mut self, store: &mut impl Store) -> Poll<Result<u32, StoreError>> {
        let (ahead, end) = match self.series {
            Series::UpCounter => (COUNTER_RESERVE, UP_COUNTER_MAX),
            Series::FlashSeq | Series::OtherSeq => (SEQ_RESERVE, SEQ_MAX),
        };
        if self.next >= end {
            return Poll::Ready(Err(StoreError::Spent));
        }
        if self.next >= self.reserved {
            let reserved = self.next.saturating_add(ahead).min(end);
            ready!(store.reserve(self.series, reserved))?;
            self.reserved = reserved;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Poll::Ready(Ok(number))
    }
}
