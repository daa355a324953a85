//! The watchdog of ARM's Cortex-M System Design Kit (DDI 0479, 4.5): it interrupts when its time is up, and resets when
//! nobody has answered by the time it is up once more.

use super::register::Registers;

// Offsets of its registers.
const LOAD: usize = 0x000;
const CONTROL: usize = 0x008;
const CLEAR: usize = 0x00c;
const LOCK: usize = 0xc00;

/// What opens its registers for writing.
const KEY: u32 = 0x1acc_e551;

const INTERRUPT_ENABLE: u32 = 1 << 0;
const RESET_ENABLE: u32 = 1 << 1;

/// The board's watchdog.
pub(crate) struct Watchdog {
    registers: Registers,
}

impl Watchdog {
    /// The watchdog whose registers begin at `base`.
    ///
    /// # Safety
    /// There is such a watchdog there on this board.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller says that the device is there.
        Self { registers: unsafe { Registers::at(base) } }
    }

    /// From now on it wants to be fed once in `ticks` of its clock.
    pub(crate) fn start(&self, ticks: u32) {
        self.registers.write(LOCK, KEY);
        self.registers.write(LOAD, ticks);
        self.registers.write(CONTROL, INTERRUPT_ENABLE | RESET_ENABLE);
    }

    /// The program gets on.
    pub(crate) fn feed(&self) {
        self.registers.write(CLEAR, 1);
    }
}
