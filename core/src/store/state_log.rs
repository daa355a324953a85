//! A log of states of one fixed size on two erase pages, of which the newest counts.
//!
//! The newest is the one with the highest number among all whole records of both pages. A page is erased only while
//! the newest stands in the other, so a cut at any moment leaves the newest state, or the one that was about to be.
//! Each slot that is tried takes a number of its own: a torn record that reads back whole one day is older than what
//! came after it.

use embedded_storage::nor_flash::NorFlash;

use super::StoreError;
use super::area::{BUFFER, Found, Pair, Side};
use crate::limits::FLASH_TRIES_MAX;

/// Length of a record's number, in bytes.
const NUMBER_LEN: usize = 4;

/// The log of one kind of state, `LEN` bytes each. It knows its place; the device comes with each call, so that
/// several logs can share it.
#[derive(Debug)]
pub(super) struct StateLog<const LEN: usize> {
    pages: Pair,
    /// Which page holds the newest record; none while there is no record.
    newest: Option<Side>,
    /// Where the next record goes, unless something stands there.
    page: Side,
    slot: u32,
    /// The number of what goes there.
    number: u32,
    /// The page without the newest record is known to be blank.
    other_is_blank: bool,
}

impl<const LEN: usize> StateLog<LEN> {
    /// Erase pages that a log takes.
    pub(super) const PAGES: u32 = 2;

    /// Reads the newest state of the two pages from `base` on, and makes ready to write the next. Any bytes can be
    /// read; nothing is written. Cost: two pages are read.
    ///
    /// # Errors
    /// The device failed to read.
    pub(super) fn mount<F: NorFlash>(
        flash: &mut F,
        base: u32,
    ) -> Result<(Self, Option<[u8; LEN]>), StoreError> {
        let pages = Pair::new::<F>(base, 1, NUMBER_LEN.saturating_add(LEN));
        let mut newest: Option<(u32, Side, u32, [u8; LEN])> = None;
        for page in Side::BOTH {
            let area = pages.of(page);
            for slot in 0..area.slots::<F>() {
                let mut buffer = BUFFER;
                let Found::Whole(payload) = area.look(flash, slot, &mut buffer)? else { continue };
                let Some((number, state)) = decode::<LEN>(payload) else { continue };
                if newest.is_none_or(|(highest, ..)| number > highest) {
                    newest = Some((number, page, slot, state));
                }
            }
        }
        let log = match newest {
            Some((number, page, slot, _)) => Self {
                pages,
                newest: Some(page),
                page,
                slot: slot.saturating_add(1),
                number: number.saturating_add(1),
                other_is_blank: false,
            },
            // As if the second page were full: the first record goes to the first, when that is blank.
            None => Self {
                slot: pages.of(Side::Second).slots::<F>(),
                pages,
                newest: None,
                page: Side::Second,
                number: 1,
                other_is_blank: false,
            },
        };
        Ok((log, newest.map(|(.., state)| state)))
    }

    /// Makes `state` the newest: written and read back. Cost: one record; once a page also an erase, unless
    /// [`StateLog::tidy`] was there before.
    ///
    /// # Errors
    /// [`StoreError::Device`]; after a power cut the newest may then be this state or the one before.
    pub(super) fn append<F: NorFlash>(&mut self, flash: &mut F, state: &[u8; LEN]) -> Result<(), StoreError> {
        for _ in 0..FLASH_TRIES_MAX {
            let number = self.seek_blank(flash)?;
            let (page, slot) = (self.page, self.slot);
            // Whatever comes of it, this slot and its number are used up.
            self.advance()?;
            if self.pages.of(page).put(flash, slot, &[&number.to_be_bytes(), state])? {
                if self.newest != Some(page) {
                    self.newest = Some(page);
                    self.other_is_blank = false;
                }
                return Ok(());
            }
        }
        Err(StoreError::Device)
    }

    /// Erases the page that does not hold the newest record, if it is not blank; whether it did.
    ///
    /// # Errors
    /// The device failed, or the page is not blank after it was erased. Nothing is lost.
    pub(super) fn tidy<F: NorFlash>(&mut self, flash: &mut F) -> Result<bool, StoreError> {
        let Some(newest) = self.newest else { return Ok(false) };
        // Where the log is just moving into the other page, `append` goes on with that.
        if self.other_is_blank || self.page != newest {
            return Ok(false);
        }
        let erased = self.pages.of(newest.other()).clear_one(flash)?;
        self.other_is_blank = !erased;
        Ok(erased)
    }

    /// Goes on to the next blank slot; its number is returned. Where the page is full, that is in the page without
    /// the newest record, which is erased before.
    fn seek_blank<F: NorFlash>(&mut self, flash: &mut F) -> Result<u32, StoreError> {
        let mut buffer = BUFFER;
        while self.slot < self.pages.of(self.page).slots::<F>() {
            let found = self.pages.of(self.page).look(flash, self.slot, &mut buffer)?;
            if matches!(found, Found::Blank) {
                return Ok(self.number);
            }
            self.advance()?;
        }
        let page = self.newest.map_or(Side::First, Side::other);
        if !self.other_is_blank {
            self.pages.of(page).clear(flash)?;
        }
        self.other_is_blank = false;
        (self.page, self.slot) = (page, 0);
        Ok(self.number)
    }

    fn advance(&mut self) -> Result<(), StoreError> {
        self.slot = self.slot.saturating_add(1);
        // No device lives to see 2^32 records; a log that says so was not written here.
        self.number = self.number.checked_add(1).ok_or(StoreError::Device)?;
        Ok(())
    }
}

fn decode<const LEN: usize>(payload: &[u8]) -> Option<(u32, [u8; LEN])> {
    let (number, state) = payload.split_first_chunk::<NUMBER_LEN>()?;
    Some((u32::from_be_bytes(*number), *state.first_chunk::<LEN>()?))
}
