//! Numbers that are never used twice: reserved in the store before the first of them is used.

use core::task::{Poll, ready};

use crate::limits::{COUNTER_RESERVE, FLASH_SEQ_RESERVE, SEQ_MAX, SEQ_RESERVE, UP_COUNTER_MAX};
use crate::store::{Series, Store, StoreError};

/// One series, from the first number of this boot on.
#[derive(Debug)]
pub(crate) struct Numbers {
    series: Series,
    first: u32,
    next: u32,
    /// Numbers below this are reserved.
    reserved: u32,
}

impl Numbers {
    /// From `first` on, which nobody has used.
    pub(crate) const fn new(series: Series, first: u32) -> Self {
        // Number 0 is never used: windows and filters count from 1.
        let first = if first == 0 { 1 } else { first };
        Self { series, first, next: first, reserved: first }
    }

    /// The first number of this boot.
    pub(crate) const fn first(&self) -> u32 {
        self.first
    }

    /// The number that comes next.
    pub(crate) const fn next(&self) -> u32 {
        self.next
    }

    /// Whether fewer than half of the numbers reserved ahead are left: time to ask the store, not yet to wait for it.
    pub(crate) const fn is_low(&self) -> bool {
        let left = self.reserved.saturating_sub(self.next);
        self.reserved < self.end() && left < self.ahead().div_ceil(2)
    }

    /// Whether the last number of the series has been used.
    pub(crate) const fn is_spent(&self) -> bool {
        self.next >= self.end()
    }

    /// Asks for more where few are left; what the store does not answer now is asked again.
    pub(crate) fn reserve_ahead(&mut self, store: &mut impl Store) -> Result<(), StoreError> {
        match self.is_low().then(|| self.top_up(store)) {
            Some(Poll::Ready(topped_up)) => topped_up,
            Some(Poll::Pending) | None => Ok(()),
        }
    }

    /// Reserves ahead.
    fn top_up(&mut self, store: &mut impl Store) -> Poll<Result<(), StoreError>> {
        let reserved = self.next.saturating_add(self.ahead()).min(self.end());
        if reserved <= self.reserved {
            return Poll::Ready(Err(StoreError::Spent));
        }
        ready!(store.reserve(self.series, reserved))?;
        self.reserved = reserved;
        Poll::Ready(Ok(()))
    }

    /// Uses up the next number; asks the store only where none is left that was reserved ahead.
    pub(crate) fn take(&mut self, store: &mut impl Store) -> Poll<Result<u32, StoreError>> {
        if self.next >= self.reserved {
            ready!(self.top_up(store))?;
        }
        let number = self.next;
        self.next = self.next.saturating_add(1);
        Poll::Ready(Ok(number))
    }

    const fn ahead(&self) -> u32 {
        match self.series {
            Series::UpCounter => COUNTER_RESERVE,
            // A start that sees no Flash alert uses up one number, not four.
            Series::FlashSeq if self.next == self.first => 1,
            Series::FlashSeq => FLASH_SEQ_RESERVE,
            Series::OtherSeq => SEQ_RESERVE,
        }
    }

    const fn end(&self) -> u32 {
        match self.series {
            Series::UpCounter => UP_COUNTER_MAX,
            Series::FlashSeq | Series::OtherSeq => SEQ_MAX,
        }
    }
}
