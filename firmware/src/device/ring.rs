//! Bytes on their way between an interrupt and the loop.

use core::cell::Cell;

/// At most `N` bytes, first in first out. It is used with interrupts masked.
pub(super) struct Ring<const N: usize> {
    bytes: [Cell<u8>; N],
    first: Cell<usize>,
    len: Cell<usize>,
}

impl<const N: usize> Ring<N> {
    pub(super) const fn new() -> Self {
        const { assert!(N.is_power_of_two(), "so that its end is found without a division") };
        Self { bytes: [const { Cell::new(0) }; N], first: Cell::new(0), len: Cell::new(0) }
    }

    pub(super) fn room(&self) -> usize {
        N.saturating_sub(self.len.get())
    }

    /// False where there is no room; the byte is the caller's then.
    pub(super) fn push(&self, byte: u8) -> bool {
        let behind = self.first.get().wrapping_add(self.len.get()) & N.wrapping_sub(1);
        match self.bytes.get(behind) {
            Some(place) if self.room() > 0 => {
                place.set(byte);
                self.len.set(self.len.get().wrapping_add(1));
                true
            }
            _ => false,
        }
    }

    pub(super) fn pop(&self) -> Option<u8> {
        let rest = self.len.get().checked_sub(1)?;
        let byte = self.bytes.get(self.first.get())?.get();
        self.first.set(self.first.get().wrapping_add(1) & N.wrapping_sub(1));
        self.len.set(rest);
        Some(byte)
    }
}
