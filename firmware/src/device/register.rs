//! The registers of a device: the one place that reads and writes at addresses.

use core::ptr;

/// Length of a device's part of the address space, in bytes.
const BLOCK_LEN: usize = 0x1000;

/// The words through which one device is spoken to.
pub(super) struct Registers {
    base: usize,
}

impl Registers {
    /// The registers from `base` on.
    ///
    /// # Safety
    /// On this board the 4 KiB from there on belong to a device, and nothing that is read or written there touches
    /// the program's memory.
    pub(super) const unsafe fn at(base: usize) -> Self {
        Self { base }
    }

    pub(super) fn read(&self, offset: usize) -> u32 {
        let address = ptr::with_exposed_provenance::<u32>(self.address(offset));
        // SAFETY: it is an aligned word of the device's, as whoever made this has promised.
        unsafe { ptr::read_volatile(address) }
    }

    pub(super) fn write(&self, offset: usize, value: u32) {
        let address = ptr::with_exposed_provenance_mut::<u32>(self.address(offset));
        // SAFETY: it is an aligned word of the device's, as whoever made this has promised.
        unsafe { ptr::write_volatile(address, value) }
    }

    /// The word at `offset`; beyond the device's end it begins anew.
    const fn address(&self, offset: usize) -> usize {
        self.base.wrapping_add(offset & (BLOCK_LEN.wrapping_sub(4)))
    }
}
