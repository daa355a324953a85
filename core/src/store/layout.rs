//! Where a store lies on its device, and what is wrong with a place where it cannot.

use core::fmt;

use embedded_storage::nor_flash::NorFlash;

use super::area::{page_len, unit_len};

/// Where a store lies on its device. Nothing else may be there, and nothing else may write there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Layout {
    /// Offset of the mark that says that numbers have been used, in bytes: one write unit outside the store's own
    /// pages, beside what the node was provisioned with, so that whoever provisions it anew erases the mark too.
    pub used: u32,
    /// Offset of the store's first erase page, in bytes.
    pub base: u32,
    /// How many erase pages it has.
    pub pages: u32,
}

impl Layout {
    /// Offset of the store's erase page number `page`, from 0, in bytes.
    pub(super) const fn page<F: NorFlash>(&self, page: u32) -> u32 {
        self.base.saturating_add(page.saturating_mul(page_len::<F>()))
    }

    /// Whether a store that takes `pages_min` pages or more can lie there.
    pub(super) fn check<F: NorFlash>(&self, flash: &F, pages_min: u32) -> Result<(), LayoutError> {
        let unit_len = u32::try_from(unit_len::<F>()).unwrap_or(u32::MAX);
        let capacity = u32::try_from(flash.capacity()).unwrap_or(u32::MAX);
        if self.pages < pages_min {
            return Err(LayoutError::TooFewPages { pages: self.pages, needed: pages_min });
        }
        if !self.base.is_multiple_of(page_len::<F>()) {
            return Err(LayoutError::NotAligned { offset: self.base, to: page_len::<F>() });
        }
        if !self.used.is_multiple_of(unit_len) {
            return Err(LayoutError::NotAligned { offset: self.used, to: unit_len });
        }
        let end = self.pages.checked_mul(page_len::<F>()).and_then(|len| self.base.checked_add(len));
        let mark_end = self.used.checked_add(unit_len);
        let (Some(end), Some(mark_end)) = (end, mark_end) else {
            return Err(LayoutError::OutOfBounds { end: u32::MAX, capacity });
        };
        if end.max(mark_end) > capacity {
            return Err(LayoutError::OutOfBounds { end: end.max(mark_end), capacity });
        }
        if mark_end > self.base && self.used < end {
            return Err(LayoutError::MarkInside { used: self.used });
        }
        Ok(())
    }
}

/// Why a store cannot lie where it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum LayoutError {
    /// An offset is not a multiple of the device's page or unit.
    NotAligned {
        /// The offset, in bytes.
        offset: u32,
        /// What it must be a multiple of, in bytes.
        to: u32,
    },
    /// The device ends before the store does.
    OutOfBounds {
        /// Where the store or its mark would end, in bytes.
        end: u32,
        /// Where the device ends, in bytes.
        capacity: u32,
    },
    /// The mark lies in the store's own pages, which are erased now and then.
    MarkInside {
        /// Its offset, in bytes.
        used: u32,
    },
    /// There are not enough pages.
    TooFewPages {
        /// How many there are.
        pages: u32,
        /// How many the store takes at least.
        needed: u32,
    },
    /// Half of the journal is too short for the live alerts that it must be able to hold.
    JournalTooShort {
        /// Records that a half holds.
        slots: u32,
        /// Records that it must hold.
        needed: u32,
    },
}

impl fmt::Display for LayoutError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NotAligned { offset, to } => write!(f, "offset {offset} is not a multiple of {to}"),
            Self::OutOfBounds { end, capacity } => {
                write!(f, "it would end at {end}, and the device ends at {capacity}")
            }
            Self::MarkInside { used } => {
                write!(f, "the mark at {used} lies in the store's own pages, which are erased")
            }
            Self::TooFewPages { pages, needed } => write!(f, "{pages} pages, and it takes {needed} at least"),
            Self::JournalTooShort { slots, needed } => {
                write!(f, "half of the journal holds {slots} records, and must hold {needed}")
            }
        }
    }
}

impl core::error::Error for LayoutError {}
