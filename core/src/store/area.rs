//! A few erase pages of a NOR flash, cut into slots that each hold one record: what the logs are made of.
//!
//! A slot is blank, torn or whole, and nothing but its bytes says which: a record carries a CRC-32, and no marker,
//! page header or count elsewhere is believed. So whatever a power cut leaves behind, it is read as what it is.

use crc::{CRC_32_ISCSI, Crc, NoTable};
use embedded_storage::nor_flash::NorFlash;

use super::StoreError;
use crate::limits::{FLASH_UNIT_LEN_MAX, SLOT_LEN_MAX};

/// CRC-32/ISCSI (Castagnoli): of random bytes, one record in 4.3 thousand million passes.
const CHECK: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISCSI);

/// Length of the check, in bytes.
const CHECK_LEN: usize = 4;

/// What an erased byte reads as.
const ERASED: u8 = 0xff;

/// Room for one slot, whatever device and log it belongs to.
pub(super) type Buffer = [u8; SLOT_LEN_MAX];

/// A buffer to look into slots with.
pub(super) const BUFFER: Buffer = [ERASED; SLOT_LEN_MAX];

/// What is in a slot.
pub(super) enum Found<'b> {
    /// Nothing: it can be written.
    Blank,
    /// Something, but no record: a write that was cut, or the rest of an erase that was.
    Torn,
    /// The payload of a record.
    Whole(&'b [u8]),
}

/// One of two areas.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Side {
    First,
    Second,
}

impl Side {
    pub(super) const BOTH: [Self; 2] = [Self::First, Self::Second];

    pub(super) const fn other(self) -> Self {
        match self {
            Self::First => Self::Second,
            Self::Second => Self::First,
        }
    }
}

/// Two areas of one size, of which one is erased while the other holds what counts.
#[derive(Debug)]
pub(super) struct Pair {
    first: Area,
    second: Area,
}

impl Pair {
    /// Two areas of `pages` pages each, one behind the other from `base` on. [`super::Layout`] has checked that
    /// they are on the device.
    pub(super) const fn new<F: NorFlash>(base: u32, pages: u32, payload_len: usize) -> Self {
        let behind = base.saturating_add(pages.saturating_mul(page_len::<F>()));
        Self { first: Area { base, pages, payload_len }, second: Area { base: behind, pages, payload_len } }
    }

    pub(super) const fn of(&self, side: Side) -> &Area {
        match side {
            Side::First => &self.first,
            Side::Second => &self.second,
        }
    }
}

/// Adjacent erase pages, used and erased together.
#[derive(Debug)]
pub(super) struct Area {
    /// Offset in the device, in bytes.
    base: u32,
    /// How many pages.
    pages: u32,
    /// Length of a record without its check, in bytes; the same for all of them.
    payload_len: usize,
}

impl Area {
    /// How many slots there are.
    pub(super) fn slots<F: NorFlash>(&self) -> u32 {
        let len = self.pages.saturating_mul(page_len::<F>());
        len.checked_div(self.slot_len::<F>()).unwrap_or(0)
    }

    /// Reads a slot into `buffer` and says what is there.
    ///
    /// # Errors
    /// The device failed to read.
    pub(super) fn look<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        slot: u32,
        buffer: &'b mut Buffer,
    ) -> Result<Found<'b>, StoreError> {
        let bytes = self.read_slot(flash, slot, buffer)?;
        if is_erased(bytes) {
            return Ok(Found::Blank);
        }
        let record = bytes.split_at_checked(self.payload_len);
        let record = record.and_then(|(payload, rest)| Some((payload, *rest.first_chunk::<CHECK_LEN>()?)));
        Ok(match record {
            Some((payload, check)) if check == checked(payload) => Found::Whole(payload),
            _ => Found::Torn,
        })
    }

    /// Writes a record, `fields` one after another, into a blank slot and reads it back. False where the slot was
    /// not blank, or where something else than the record stands there now.
    ///
    /// # Errors
    /// The device failed; the slot may hold anything.
    pub(super) fn put<F: NorFlash>(
        &self,
        flash: &mut F,
        slot: u32,
        fields: &[&[u8]],
    ) -> Result<bool, StoreError> {
        let mut found = BUFFER;
        if !matches!(self.look(flash, slot, &mut found)?, Found::Blank) {
            return Ok(false);
        }
        let mut wanted = BUFFER;
        let payload = wanted.get_mut(..self.payload_len).unwrap_or_default();
        for (to, from) in payload.iter_mut().zip(fields.iter().copied().flatten()) {
            *to = *from;
        }
        let check = checked(payload);
        for (to, from) in wanted.iter_mut().skip(self.payload_len).zip(check) {
            *to = from;
        }
        let bytes = wanted.get(..len(self.slot_len::<F>())).unwrap_or(&wanted);
        flash.write(self.offset::<F>(slot), bytes).map_err(failed)?;
        Ok(self.read_slot(flash, slot, &mut found)? == bytes)
    }

    /// Erases what is not blank, and reads all of it back.
    ///
    /// # Errors
    /// The device failed, or a page is not blank after it was erased.
    pub(super) fn clear<F: NorFlash>(&self, flash: &mut F) -> Result<(), StoreError> {
        for _ in 0..self.pages {
            if !self.clear_one(flash)? {
                return Ok(());
            }
        }
        Ok(())
    }

    /// Erases the first page that is not blank, and reads it back; false where all are blank.
    ///
    /// # Errors
    /// As of [`Area::clear`].
    pub(super) fn clear_one<F: NorFlash>(&self, flash: &mut F) -> Result<bool, StoreError> {
        for page in 0..self.pages {
            let from = self.base.saturating_add(page.saturating_mul(page_len::<F>()));
            if !is_blank(flash, from)? {
                flash.erase(from, from.saturating_add(page_len::<F>())).map_err(failed)?;
                return if is_blank(flash, from)? { Ok(true) } else { Err(StoreError::Device) };
            }
        }
        Ok(false)
    }

    fn read_slot<'b, F: NorFlash>(
        &self,
        flash: &mut F,
        slot: u32,
        buffer: &'b mut Buffer,
    ) -> Result<&'b [u8], StoreError> {
        let bytes = buffer.get_mut(..len(self.slot_len::<F>())).ok_or(StoreError::Device)?;
        flash.read(self.offset::<F>(slot), bytes).map_err(failed)?;
        Ok(bytes)
    }

    fn offset<F: NorFlash>(&self, slot: u32) -> u32 {
        self.base.saturating_add(slot.saturating_mul(self.slot_len::<F>()))
    }

    /// Length of a slot: a record and its check, rounded up to what the device reads and writes at once.
    fn slot_len<F: NorFlash>(&self) -> u32 {
        let record_len = self.payload_len.saturating_add(CHECK_LEN);
        let slot_len = record_len.checked_next_multiple_of(unit_len::<F>());
        slot_len.and_then(|len| u32::try_from(len).ok()).unwrap_or(u32::MAX)
    }
}

/// What the device reads and writes at once, in bytes.
pub(super) const fn unit_len<F: NorFlash>() -> usize {
    const {
        assert!(F::READ_SIZE.is_power_of_two() && F::READ_SIZE <= FLASH_UNIT_LEN_MAX);
        assert!(F::WRITE_SIZE.is_power_of_two() && F::WRITE_SIZE <= FLASH_UNIT_LEN_MAX);
        if F::READ_SIZE > F::WRITE_SIZE { F::READ_SIZE } else { F::WRITE_SIZE }
    }
}

/// What the device erases at once, in bytes.
#[allow(clippy::as_conversions, reason = "the assertion above it holds the size in 32 bits")]
pub(super) const fn page_len<F: NorFlash>() -> u32 {
    const {
        assert!(F::ERASE_SIZE >= SLOT_LEN_MAX && F::ERASE_SIZE.is_multiple_of(FLASH_UNIT_LEN_MAX));
        assert!(F::ERASE_SIZE <= 1 << 30);
        F::ERASE_SIZE as u32
    }
}

/// Whether a mark of one write unit is set: any bit that is programmed sets it.
///
/// # Errors
/// The device failed to read.
pub(super) fn is_marked<F: NorFlash>(flash: &mut F, offset: u32) -> Result<bool, StoreError> {
    let mut buffer = [ERASED; FLASH_UNIT_LEN_MAX];
    let mark = buffer.get_mut(..unit_len::<F>()).unwrap_or_default();
    flash.read(offset, mark).map_err(failed)?;
    Ok(!is_erased(mark))
}

/// Sets the mark and reads it back.
///
/// # Errors
/// The device failed, or the mark is not set.
pub(super) fn set_mark<F: NorFlash>(flash: &mut F, offset: u32) -> Result<(), StoreError> {
    let mark = [0; FLASH_UNIT_LEN_MAX];
    flash.write(offset, mark.get(..unit_len::<F>()).unwrap_or(&mark)).map_err(failed)?;
    if is_marked(flash, offset)? { Ok(()) } else { Err(StoreError::Device) }
}

fn is_blank<F: NorFlash>(flash: &mut F, page: u32) -> Result<bool, StoreError> {
    let mut bytes = [0; FLASH_UNIT_LEN_MAX];
    let mut blank = true;
    for offset in (page..page.saturating_add(page_len::<F>())).step_by(FLASH_UNIT_LEN_MAX) {
        flash.read(offset, &mut bytes).map_err(failed)?;
        blank = blank && is_erased(&bytes);
    }
    Ok(blank)
}

fn is_erased(bytes: &[u8]) -> bool {
    bytes.iter().all(|&byte| byte == ERASED)
}

const fn checked(payload: &[u8]) -> [u8; CHECK_LEN] {
    CHECK.checksum(payload).to_be_bytes()
}

/// What the device says is of no use to the store: it cannot go on without it, whatever the reason.
fn failed<E>(_: E) -> StoreError {
    StoreError::Device
}

fn len(len: u32) -> usize {
    usize::try_from(len).unwrap_or(usize::MAX)
}
