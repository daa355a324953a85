//! The UART of Nordic's nRF51 (nRF51 Series Reference Manual 3.0, 29).

use core::sync::atomic::{AtomicBool, Ordering};

use super::register::Registers;
use super::uart::{Device, Uart};

// Offsets of its registers.
const START_RECEIVER: usize = 0x000;
const START_SENDER: usize = 0x008;
const RECEIVED: usize = 0x108;
const SENT: usize = 0x11c;
const INTERRUPTS_ON: usize = 0x304;
const INTERRUPTS_OFF: usize = 0x308;
const ENABLE: usize = 0x500;
const PIN_SENDS: usize = 0x50c;
const PIN_RECEIVES: usize = 0x514;
const RECEIVED_BYTE: usize = 0x518;
const SENT_BYTE: usize = 0x51c;
const SPEED: usize = 0x524;

// Bits of `INTERRUPTS_ON` and `INTERRUPTS_OFF`.
const RECEIVED_INTERRUPT: u32 = 1 << 2;
const SENT_INTERRUPT: u32 = 1 << 7;

/// What `ENABLE` wants to be.
const ENABLED: u32 = 4;

/// What `SPEED` wants to be for 115,200 baud.
const BAUD_115200: u32 = 0x01d7_e000;

/// The device.
pub struct Nrf51 {
    registers: Registers,
    /// It has a byte that is not sent yet, and room for none.
    is_sending: AtomicBool,
}

impl Uart<Nrf51> {
    /// The UART whose registers begin at `base`.
    ///
    /// # Safety
    /// There is such a UART there on this board.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller says that the device is there.
        let registers = unsafe { Registers::at(base) };
        Self::with(Nrf51 { registers, is_sending: AtomicBool::new(false) })
    }

    /// Turns it on, at 115,200 baud, on these pins.
    pub(crate) fn start(&self, sends: u32, receives: u32) {
        for (register, value) in [
            (PIN_SENDS, sends),
            (PIN_RECEIVES, receives),
            (SPEED, BAUD_115200),
            (ENABLE, ENABLED),
            (INTERRUPTS_ON, RECEIVED_INTERRUPT | SENT_INTERRUPT),
            (START_RECEIVER, 1),
            (START_SENDER, 1),
        ] {
            self.device.registers.write(register, value);
        }
    }
}

impl Device for Nrf51 {
    fn listen(&self, is_on: bool) {
        self.registers.write(if is_on { INTERRUPTS_ON } else { INTERRUPTS_OFF }, RECEIVED_INTERRUPT);
    }

    fn answer_receive(&self) {
        // What it has received says so until it is read.
    }

    fn receive(&self) -> Option<u8> {
        let has_one = self.registers.read(RECEIVED) != 0;
        has_one.then(|| {
            // Before the byte is read, because that has it tell of the next.
            self.registers.write(RECEIVED, 0);
            let [byte, ..] = self.registers.read(RECEIVED_BYTE).to_le_bytes();
            byte
        })
    }

    fn answer_transmit(&self) {
        if self.registers.read(SENT) != 0 {
            self.registers.write(SENT, 0);
            self.is_sending.store(false, Ordering::Relaxed);
        }
    }

    fn has_room(&self) -> bool {
        !self.is_sending.load(Ordering::Relaxed)
    }

    fn transmit(&self, byte: u8) {
        self.is_sending.store(true, Ordering::Relaxed);
        self.registers.write(SENT_BYTE, u32::from(byte));
    }
}
