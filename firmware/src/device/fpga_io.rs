//! The lamps of ARM's MPS2 boards, which stand in a register of its FPGA (Application Note 386, 4.4): output pins.

use core::convert::Infallible;

use embedded_hal::digital::{ErrorType, OutputPin, StatefulOutputPin};

use super::register::Registers;

/// Offset of the register: a bit for each lamp, and one that is set lights it.
const LEDS: usize = 0x00;

/// The register; the board has it in a `static`, for all of its pins.
pub(crate) struct FpgaIo {
    registers: Registers,
}

impl FpgaIo {
    /// The block whose registers begin at `base`.
    ///
    /// # Safety
    /// There is such a block there on this board.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller says that the device is there.
        Self { registers: unsafe { Registers::at(base) } }
    }
}

/// One lamp, or what is wired to its pin in its place.
#[derive(Clone, Copy)]
pub struct Lamp {
    block: &'static FpgaIo,
    bit: u32,
}

impl Lamp {
    /// The lamp with this number.
    pub(crate) const fn new(block: &'static FpgaIo, number: u32) -> Self {
        Self { block, bit: 1 << number }
    }

    fn is_on(self) -> bool {
        self.block.registers.read(LEDS) & self.bit != 0
    }

    fn set(self, is_on: bool) {
        // The other lamps are somebody else's, maybe an interrupt's.
        critical_section::with(|_masked| {
            let others = self.block.registers.read(LEDS) & !self.bit;
            self.block.registers.write(LEDS, if is_on { others | self.bit } else { others });
        });
        #[cfg(feature = "witness")]
        crate::witness::note_pin(self.bit.trailing_zeros(), self.is_on());
    }
}

impl ErrorType for Lamp {
    type Error = Infallible;
}

impl OutputPin for Lamp {
    fn set_low(&mut self) -> Result<(), Infallible> {
        self.set(false);
        Ok(())
    }

    fn set_high(&mut self) -> Result<(), Infallible> {
        self.set(true);
        Ok(())
    }
}

impl StatefulOutputPin for Lamp {
    fn is_set_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_on())
    }

    fn is_set_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.is_on())
    }
}
