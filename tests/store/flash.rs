//! A NOR flash that fails as the real ones do: whatever it was doing when the power went is done, not done, done by
//! half, or has left arbitrary bits behind.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash};

/// What an operation that was cut has left behind.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Tear {
    Nothing,
    Whole,
    FirstHalf,
    SecondHalf,
    RandomBits,
}

impl Tear {
    pub(crate) const ALL: [Self; 5] =
        [Self::Nothing, Self::Whole, Self::FirstHalf, Self::SecondHalf, Self::RandomBits];
}

/// What befalls one operation, once.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum Fault {
    /// The power goes. Every later call fails, until the power comes back.
    Cut(Tear),
    /// It fails and says so, and the device goes on.
    Refused(Tear),
    /// It says that all is well, and has left bits as they were.
    Weak,
}

/// What the flash would hold had the power gone in operation `operation`.
pub(crate) struct Torn {
    pub(crate) bytes: Vec<u8>,
    /// What [`Chip::step`] said then.
    pub(crate) step: usize,
    pub(crate) operation: u64,
    pub(crate) tear: Tear,
}

/// The cells, and what is to happen to them.
pub(crate) struct Chip {
    pub(crate) bytes: Vec<u8>,
    /// Words written and pages erased so far.
    pub(crate) operations: u64,
    pub(crate) fault: Option<(u64, Fault)>,
    /// Ways in which each operation is torn on paper, from the fault on: the result goes to `torn`, the device goes
    /// on.
    pub(crate) tears: &'static [Tear],
    pub(crate) torn: Vec<Torn>,
    /// Where its user is, for `torn`.
    pub(crate) step: usize,
    pub(crate) seed: u64,
    off: bool,
}

impl Chip {
    /// Tears one operation on the cells from `at` on, which `wanted` says how to leave.
    fn operate(&mut self, at: usize, wanted: &[u8], erases: bool) -> Result<(), NorFlashErrorKind> {
        let operation = self.operations;
        self.operations += 1;
        let fault = self.fault.filter(|(when, _)| *when == operation).map(|(_, fault)| fault);
        if self.fault.is_none_or(|(when, _)| operation > when) {
            for &tear in self.tears {
                let mut bytes = self.bytes.clone();
                self.tear(&mut bytes[at..at + wanted.len()], wanted, tear, erases);
                self.torn.push(Torn { bytes, step: self.step, operation, tear });
            }
        }
        let mut cells = self.bytes[at..at + wanted.len()].to_vec();
        let result = match fault {
            None => {
                cells.copy_from_slice(wanted);
                Ok(())
            }
            Some(Fault::Cut(tear) | Fault::Refused(tear)) => {
                self.off = matches!(fault, Some(Fault::Cut(_)));
                self.tear(&mut cells, wanted, tear, erases);
                Err(NorFlashErrorKind::Other)
            }
            Some(Fault::Weak) => {
                self.tear(&mut cells, wanted, Tear::RandomBits, erases);
                if cells == wanted {
                    // At least one bit was missed, where one had to change.
                    let old = self.bytes[at..].iter().zip(wanted).position(|(old, wanted)| old != wanted);
                    if let Some(missed) = old {
                        cells[missed] = self.bytes[at + missed];
                    }
                }
                Ok(())
            }
        };
        self.bytes[at..at + wanted.len()].copy_from_slice(&cells);
        result
    }

    fn tear(&self, cells: &mut [u8], wanted: &[u8], tear: Tear, erases: bool) {
        let half = cells.len() / 2;
        let mut dice =
            Dice(self.seed ^ self.operations.wrapping_mul(0x9e37_79b9_7f4a_7c15) ^ (half as u64) << 40);
        for (index, (cell, &wanted)) in cells.iter_mut().zip(wanted).enumerate() {
            let first = index < half;
            *cell = match tear {
                Tear::Nothing => *cell,
                Tear::Whole => wanted,
                // A word of one byte is torn between its bits.
                Tear::FirstHalf if half == 0 => *cell & (wanted | 0x0f),
                Tear::SecondHalf if half == 0 => *cell & (wanted | 0xf0),
                Tear::FirstHalf => {
                    if first {
                        wanted
                    } else {
                        *cell
                    }
                }
                Tear::SecondHalf => {
                    if first {
                        *cell
                    } else {
                        wanted
                    }
                }
                // A write only takes bits away; an erase that is cut leaves anything.
                Tear::RandomBits if erases => match dice.roll(4) {
                    0 => *cell,
                    1 => wanted,
                    _ => dice.byte(),
                },
                Tear::RandomBits => *cell & (wanted | dice.byte()),
            };
        }
    }
}

/// A device with words of `WRITE` bytes and pages of `ERASE` bytes; its clones share the cells.
#[derive(Clone)]
pub(crate) struct Flash<const WRITE: usize, const ERASE: usize>(pub(crate) Rc<RefCell<Chip>>);

impl<const WRITE: usize, const ERASE: usize> Flash<WRITE, ERASE> {
    /// A device that is blank.
    pub(crate) fn blank(pages: usize) -> Self {
        Self::with(vec![0xff; pages * ERASE])
    }

    /// A device that holds this.
    pub(crate) fn with(bytes: Vec<u8>) -> Self {
        Self(Rc::new(RefCell::new(Chip {
            bytes,
            operations: 0,
            fault: None,
            tears: &[],
            torn: Vec::new(),
            step: 0,
            seed: 1,
            off: false,
        })))
    }

    /// After a cut: the power is back, and the cells are as they were left.
    pub(crate) fn power_on(&self) {
        let mut chip = self.0.borrow_mut();
        (chip.off, chip.fault) = (false, None);
    }
}

impl<const WRITE: usize, const ERASE: usize> ErrorType for Flash<WRITE, ERASE> {
    type Error = NorFlashErrorKind;
}

impl<const WRITE: usize, const ERASE: usize> ReadNorFlash for Flash<WRITE, ERASE> {
    const READ_SIZE: usize = if WRITE < 4 { WRITE } else { 4 };

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        let chip = self.0.borrow();
        let at = offset as usize;
        assert!(at.is_multiple_of(Self::READ_SIZE) && bytes.len().is_multiple_of(Self::READ_SIZE));
        if chip.off {
            return Err(NorFlashErrorKind::Other);
        }
        bytes.copy_from_slice(&chip.bytes[at..at + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.borrow().bytes.len()
    }
}

impl<const WRITE: usize, const ERASE: usize> NorFlash for Flash<WRITE, ERASE> {
    const WRITE_SIZE: usize = WRITE;
    const ERASE_SIZE: usize = ERASE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        let mut chip = self.0.borrow_mut();
        let (from, to) = (from as usize, to as usize);
        assert!(from.is_multiple_of(ERASE) && to.is_multiple_of(ERASE) && from < to);
        for page in (from..to).step_by(ERASE) {
            if chip.off {
                return Err(NorFlashErrorKind::Other);
            }
            chip.operate(page, &[0xff; ERASE], true)?;
        }
        Ok(())
    }

    /// # Panics
    /// When a word is written that is not blank: parts with error correction do not allow it.
    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        let mut chip = self.0.borrow_mut();
        assert!((offset as usize).is_multiple_of(WRITE) && bytes.len().is_multiple_of(WRITE));
        for (at, word) in (offset as usize..).step_by(WRITE).zip(bytes.chunks(WRITE)) {
            if chip.off {
                return Err(NorFlashErrorKind::Other);
            }
            assert!(chip.bytes[at..at + WRITE].iter().all(|&byte| byte == 0xff), "a word is written twice");
            chip.operate(at, word, false)?;
        }
        Ok(())
    }
}

/// Chance that is the same in each run.
pub(crate) struct Dice(pub(crate) u64);

impl Dice {
    pub(crate) fn roll(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ self.0 >> 30).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ mixed >> 27).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ mixed >> 31) % sides
    }

    pub(crate) fn byte(&mut self) -> u8 {
        u8::try_from(self.roll(256)).unwrap()
    }
}
