//! The UART of ARM's Cortex-M System Design Kit (DDI 0479, 4.3).

use super::register::Registers;
use super::uart::{Device, Uart};

// Offsets of its registers.
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const INTERRUPTS: usize = 0x0c;
const DIVIDER: usize = 0x10;

// Bits of `STATE`.
const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;

// Bits of `CONTROL`: sender, receiver, and the interrupt of each.
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
const TX_INTERRUPT: u32 = 1 << 2;
const RX_INTERRUPT: u32 = 1 << 3;
const ENABLED: u32 = TX_ENABLE | RX_ENABLE | TX_INTERRUPT | RX_INTERRUPT;

// Bits of `INTERRUPTS`, which are cleared by writing them.
const TX_PENDING: u32 = 1 << 0;
const RX_PENDING: u32 = 1 << 1;

/// The device.
pub struct Cmsdk(Registers);

impl Uart<Cmsdk> {
    /// The UART whose registers begin at `base`.
    ///
    /// # Safety
    /// There is such a UART there on this board.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller says that the device is there.
        Self::with(Cmsdk(unsafe { Registers::at(base) }))
    }

    /// Turns it on, `divider` being its clock over the speed of the line, at least 16.
    pub(crate) fn start(&self, divider: u32) {
        self.device.0.write(DIVIDER, divider.max(16));
        self.device.0.write(CONTROL, ENABLED);
    }
}

impl Device for Cmsdk {
    fn listen(&self, is_on: bool) {
        self.0.write(CONTROL, if is_on { ENABLED } else { ENABLED & !RX_INTERRUPT });
    }

    fn answer_receive(&self) {
        self.0.write(INTERRUPTS, RX_PENDING);
    }

    fn receive(&self) -> Option<u8> {
        let has_one = self.0.read(STATE) & RX_FULL != 0;
        has_one.then(|| {
            let [byte, ..] = self.0.read(DATA).to_le_bytes();
            byte
        })
    }

    fn answer_transmit(&self) {
        self.0.write(INTERRUPTS, TX_PENDING);
    }

    fn has_room(&self) -> bool {
        self.0.read(STATE) & TX_FULL == 0
    }

    fn transmit(&self, byte: u8) {
        self.0.write(DATA, u32::from(byte));
    }
}
