//! A NOR flash that is a file of the host, by semihosting: it survives a reset of the guest and the end of QEMU. A board
//! that has no second line has another such file in its place.
//!
//! It behaves as flash does. Programming clears bits and sets none, a word at a time; erasing sets a page. And its
//! power can fail in the middle of either: see [`cut_power_after`].

use core::sync::atomic::{AtomicU32, Ordering};

use cortex_m_semihosting::nr::open;
use cortex_m_semihosting::{debug, syscall};
use embedded_storage::nor_flash::{
    ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash, check_erase, check_read, check_write,
};

/// Length of an erase page, in bytes: that of an nRF52840, and of the flash beside an RP2040.
pub(crate) const PAGE_LEN: usize = 4096;

const WORD_LEN: usize = 4;
const ERASED: u8 = 0xff;

/// Bytes that are erased with one call of the host.
const CHUNK_LEN: usize = 64;

/// The file's name, ended by a zero; it lies in the folder in which QEMU was started.
const NAME: &[u8] = b"flash.bin\0";

/// That of the file to which a rig appends what it has to say.
#[cfg(feature = "qemu-microbit")]
const BENCH: &[u8] = b"bench.bin\0";

/// What the cut counter holds while no cut is asked for.
const NEVER: u32 = u32::MAX;

/// Words and pages that the power still lasts for.
static CUT_AFTER: AtomicU32 = AtomicU32::new(NEVER);

/// Lets the power fail in the middle of the word or page that comes after `operations` more: half of it is changed, and
/// QEMU ends.
pub fn cut_power_after(operations: u16) {
    CUT_AFTER.store(u32::from(operations), Ordering::Relaxed);
}

/// The flash chip, of `PAGES` pages.
pub struct HostFile<const PAGES: usize> {
    handle: usize,
}

impl<const PAGES: usize> HostFile<PAGES> {
    /// Opens the file; one that is not there, or too short, is erased flash from there on.
    ///
    /// # Errors
    /// The host gives no file.
    pub(crate) fn open() -> Result<Self, HostFileError> {
        let handle = open_as(NAME, open::RW_BINARY).or_else(|_| open_as(NAME, open::RW_TRUNC_BINARY))?;
        let this = Self { handle };
        let mut len = len(handle)?;
        this.seek(len)?;
        while len < Self::LEN {
            let rest = Self::LEN.saturating_sub(len).min(CHUNK_LEN);
            this.put([ERASED; CHUNK_LEN].get(..rest).unwrap_or_default())?;
            len = len.saturating_add(rest);
        }
        Ok(this)
    }

    const LEN: usize = PAGES * PAGE_LEN;

    fn seek(&self, offset: usize) -> Result<(), HostFileError> {
        seek(self.handle, offset)
    }

    /// Writes where the file stands, and moves it on.
    fn put(&self, bytes: &[u8]) -> Result<(), HostFileError> {
        // SAFETY: the host reads the bytes and no others, before the call returns.
        let missing =
            unsafe { syscall!(WRITE, self.handle, bytes.as_ptr().expose_provenance(), bytes.len()) };
        if missing == 0 { Ok(()) } else { Err(HostFileError::Host) }
    }

    /// Reads where the file stands, and moves it on.
    fn take(&self, into: &mut [u8]) -> Result<(), HostFileError> {
        if read(self.handle, into) == into.len() { Ok(()) } else { Err(HostFileError::Host) }
    }

    fn erase_page(&self, from: usize) -> Result<(), HostFileError> {
        let is_last = count_down();
        self.seek(from)?;
        let chunks = PAGE_LEN / CHUNK_LEN;
        for _ in 0..if is_last { chunks / 2 } else { chunks } {
            self.put(&[ERASED; CHUNK_LEN])?;
        }
        if is_last { power_off() } else { Ok(()) }
    }

    /// Programs a word where the file stands.
    fn program(&self, word: [u8; WORD_LEN]) -> Result<(), HostFileError> {
        if count_down() {
            let [first, second, ..] = word;
            self.put(&[first, second])?;
            power_off()
        }
        self.put(&word)
    }
}

fn open_as(name: &[u8], mode: usize) -> Result<usize, HostFileError> {
    let len = name.len().saturating_sub(1);
    // SAFETY: the host reads the name, which ends in a zero behind its length, and touches nothing else.
    let handle = unsafe { syscall!(OPEN, name.as_ptr().expose_provenance(), mode, len) };
    if handle == usize::MAX { Err(HostFileError::Host) } else { Ok(handle) }
}

fn len(handle: usize) -> Result<usize, HostFileError> {
    // SAFETY: the call takes a handle and touches no memory of the program.
    let len = unsafe { syscall!(FLEN, handle) };
    if len == usize::MAX { Err(HostFileError::Host) } else { Ok(len) }
}

fn seek(handle: usize, offset: usize) -> Result<(), HostFileError> {
    // SAFETY: the call takes a handle and a number and touches no memory of the program.
    let failed = unsafe { syscall!(SEEK, handle, offset) };
    if failed == 0 { Ok(()) } else { Err(HostFileError::Host) }
}

/// Reads where a file stands, and moves it on; how many bytes there were.
fn read(handle: usize, into: &mut [u8]) -> usize {
    let len = into.len();
    // SAFETY: the host writes these bytes and no others, before the call returns, and nobody else has them.
    let missing = unsafe { syscall!(READ, handle, into.as_mut_ptr().expose_provenance(), len) };
    len.saturating_sub(missing)
}

/// The line to a test rig, on a board that has none.
#[cfg(feature = "qemu-microbit")]
pub struct Bench {
    /// None where the host gives no file: then nobody says anything.
    handle: Option<usize>,
}

#[cfg(feature = "qemu-microbit")]
impl Bench {
    /// As on a line, what was said before is not heard.
    pub(crate) fn open() -> Self {
        let handle = open_as(BENCH, open::R_BINARY).ok();
        let is_at_end = |handle: &usize| len(*handle).and_then(|len| seek(*handle, len)).is_ok();
        Self { handle: handle.filter(is_at_end) }
    }

    /// What the rig has appended since this was asked last: a few bytes of it, at least one where there are any.
    pub fn received(&self) -> impl Iterator<Item = u8> {
        let mut bytes = [0; 16];
        let len = self.handle.map_or(0, |handle| read(handle, &mut bytes));
        bytes.into_iter().take(len)
    }
}

/// Whether the power fails in this operation.
fn count_down() -> bool {
    let left = CUT_AFTER.load(Ordering::Relaxed);
    if left != NEVER {
        // Nothing else changes it while a store is at work: the loop that runs the store also asks for the cut.
        CUT_AFTER.store(left.saturating_sub(1), Ordering::Relaxed);
    }
    left == 0
}

/// Ends QEMU, as the end of its power ends a board.
fn power_off() -> ! {
    loop {
        debug::exit(debug::EXIT_SUCCESS);
    }
}

/// Why the flash does not answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum HostFileError {
    /// The host has no file to read or write.
    Host,
    /// What was asked for is not on the device, or begins in the midst of a word or page.
    Request(NorFlashErrorKind),
}

impl NorFlashError for HostFileError {
    fn kind(&self) -> NorFlashErrorKind {
        match self {
            Self::Host => NorFlashErrorKind::Other,
            Self::Request(kind) => *kind,
        }
    }
}

impl<const PAGES: usize> ErrorType for HostFile<PAGES> {
    type Error = HostFileError;
}

impl<const PAGES: usize> ReadNorFlash for HostFile<PAGES> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), HostFileError> {
        check_read(self, offset, into.len()).map_err(HostFileError::Request)?;
        self.seek(place(offset))?;
        self.take(into)
    }

    fn capacity(&self) -> usize {
        Self::LEN
    }
}

impl<const PAGES: usize> NorFlash for HostFile<PAGES> {
    const WRITE_SIZE: usize = WORD_LEN;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), HostFileError> {
        check_erase(self, from, to).map_err(HostFileError::Request)?;
        (place(from)..place(to)).step_by(PAGE_LEN).try_for_each(|page| self.erase_page(page))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), HostFileError> {
        check_write(self, offset, bytes.len()).map_err(HostFileError::Request)?;
        for (offset, word) in (place(offset)..).step_by(WORD_LEN).zip(bytes.as_chunks::<WORD_LEN>().0) {
            let mut old = [ERASED; WORD_LEN];
            self.seek(offset)?;
            self.take(&mut old)?;
            self.seek(offset)?;
            let [a, b, c, d] = *word;
            let [was_a, was_b, was_c, was_d] = old;
            self.program([a & was_a, b & was_b, c & was_c, d & was_d])?;
        }
        Ok(())
    }
}

fn place(offset: u32) -> usize {
    usize::try_from(offset).unwrap_or(usize::MAX)
}
