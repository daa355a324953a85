//! A node's flash chip, and what is left of a write or an erase when the power fails in the middle.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use crate::draw::Draw;

/// Length of an erase page, in bytes.
pub(super) const PAGE_LEN: usize = 2_048;

/// Pages of a chip: one for what the node was provisioned with, two for its counters, two for its journal or notes.
pub(super) const PAGES: usize = 5;

const WORD_LEN: usize = 4;

/// One chip. Every clone is the same chip: a node has it while the power is on, the world keeps it.
#[derive(Clone)]
pub(super) struct Nor {
    chip: Rc<RefCell<Chip>>,
}

struct Chip {
    bytes: Vec<u8>,
    /// The power fails in the middle of the operation that comes after this many.
    cut_after: Option<u32>,
    is_off: bool,
    draw: Draw,
}

/// The power is off.
#[derive(Clone, Copy, Debug)]
pub(super) struct PowerOff;

impl NorFlashError for PowerOff {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl Nor {
    /// A chip as it is delivered: erased.
    pub(super) fn new(seed: u64, name: &str) -> Self {
        let chip = Chip {
            bytes: vec![0xff; PAGE_LEN * PAGES],
            cut_after: None,
            is_off: false,
            draw: Draw::new(seed, &format!("{name} flash")),
        };
        Self { chip: Rc::new(RefCell::new(chip)) }
    }

    /// Lets the power fail in the middle of an operation soon: of word or page `after` from now.
    pub(super) fn arm(&self, after: u32) {
        self.chip.borrow_mut().cut_after = Some(after);
    }

    /// Whether the power is about to fail.
    pub(super) fn is_armed(&self) -> bool {
        self.chip.borrow().cut_after.is_some()
    }

    /// Whether the power has failed.
    pub(super) fn is_off(&self) -> bool {
        self.chip.borrow().is_off
    }

    /// The power is on again.
    pub(super) fn power_on(&self) {
        let mut chip = self.chip.borrow_mut();
        chip.is_off = false;
        chip.cut_after = None;
    }
}

impl Chip {
    /// Changes `len` bytes at `offset`, or as much of them as the power lasts for: nothing, all, the first half, the
    /// second half, or any bits.
    fn change(
        &mut self,
        offset: usize,
        len: usize,
        becomes: impl Fn(usize, u8) -> u8,
    ) -> Result<(), PowerOff> {
        if self.is_off {
            return Err(PowerOff);
        }
        self.is_off = self.cut_after == Some(0);
        self.cut_after = self.cut_after.map(|after| after.saturating_sub(1));
        let mode = if self.is_off { self.draw.below(5) } else { 1 };
        for at in 0..len {
            let old = self.bytes[offset + at];
            let new = becomes(at, old);
            let mixed = mode == 4;
            let takes = mode == 1 || (mode == 2 && at < len / 2) || (mode == 3 && at >= len / 2);
            self.bytes[offset + at] = if takes {
                new
            } else if mixed {
                let mask = self.draw.below(256).to_be_bytes()[7];
                (old & mask) | (new & !mask)
            } else {
                old
            };
        }
        if self.is_off { Err(PowerOff) } else { Ok(()) }
    }
}

impl ErrorType for Nor {
    type Error = PowerOff;
}

impl ReadNorFlash for Nor {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerOff> {
        let chip = self.chip.borrow();
        let from = offset as usize;
        if chip.is_off {
            return Err(PowerOff);
        }
        bytes.copy_from_slice(&chip.bytes[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        PAGE_LEN * PAGES
    }
}

impl NorFlash for Nor {
    const WRITE_SIZE: usize = WORD_LEN;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerOff> {
        let mut chip = self.chip.borrow_mut();
        (from as usize..to as usize)
            .step_by(PAGE_LEN)
            .try_for_each(|page| chip.change(page, PAGE_LEN, |_, _| 0xff))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerOff> {
        let mut chip = self.chip.borrow_mut();
        (offset as usize..).step_by(WORD_LEN).zip(bytes.chunks(WORD_LEN)).try_for_each(|(at, word)| {
            // Programming only ever clears bits.
            chip.change(at, word.len(), |byte, old| old & word[byte])
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_cut_leaves_every_kind_of_torn_word_and_nothing_behind_it() {
        let mut seen = std::collections::BTreeSet::new();
        for seed in 0..200 {
            let mut nor = Nor::new(seed, "test");
            nor.arm(1);
            assert!(nor.write(0, &[0; 12]).is_err() && nor.is_off());
            assert!(nor.read(0, &mut [0]).is_err() && nor.erase(0, PAGE_LEN as u32).is_err());
            nor.power_on();
            let mut words = [0; 12];
            nor.read(0, &mut words).expect("the power is on");
            assert_eq!((&words[..4], &words[8..]), (&[0; 4][..], &[0xff; 4][..]));
            seen.insert(<[u8; 4]>::try_from(&words[4..8]).expect("four bytes"));
        }
        for torn in [[0xff; 4], [0; 4], [0, 0, 0xff, 0xff], [0xff, 0xff, 0, 0]] {
            assert!(seen.contains(&torn), "{torn:?}");
        }
        assert!(seen.len() > 20, "and any bits");
    }

    #[test]
    fn programming_clears_bits_and_erasing_sets_a_page() {
        let mut nor = Nor::new(1, "test");
        let mut word = [0; 4];
        nor.write(PAGE_LEN as u32, &[0x0f; 4]).expect("the power is on");
        nor.write(PAGE_LEN as u32, &[0xf0; 4]).expect("the power is on");
        nor.read(PAGE_LEN as u32, &mut word).expect("the power is on");
        assert_eq!(word, [0; 4]);
        nor.erase(PAGE_LEN as u32, 2 * PAGE_LEN as u32).expect("the power is on");
        nor.read(PAGE_LEN as u32, &mut word).expect("the power is on");
        assert_eq!(word, [0xff; 4]);
    }
}
