//! The UART of ARM's Cortex-M System Design Kit (DDI 0479, 4.3), with a ring of bytes each way.
//!
//! Its interrupts move bytes between the line and the rings. Where the loop is so slow that a ring is full, the
//! receiver's interrupt goes off until there is room, and the device counts for itself that it was overrun: what is
//! lost then is found by the check of its frame.

use core::convert::Infallible;
#[cfg(feature = "embassy")]
use core::future::poll_fn;
use core::iter;

use critical_section::Mutex;
use embedded_io::{ErrorType, Read, ReadReady, Write, WriteReady};

use super::register::Registers;
use super::ring::Ring;

/// Bytes in each ring: two frames of the longest sort.
const RING_LEN: usize = 128;

// Offsets of its registers.
const DATA: usize = 0x00;
const STATE: usize = 0x04;
const CONTROL: usize = 0x08;
const INTERRUPTS: usize = 0x0c;
const DIVIDER: usize = 0x10;

// Bits of `STATE`; the overrun is cleared by writing it.
const TX_FULL: u32 = 1 << 0;
const RX_FULL: u32 = 1 << 1;
const RX_OVERRUN: u32 = 1 << 3;

// Bits of `CONTROL`: sender, receiver, and the interrupt of each.
const TX_ENABLE: u32 = 1 << 0;
const RX_ENABLE: u32 = 1 << 1;
const TX_INTERRUPT: u32 = 1 << 2;
const RX_INTERRUPT: u32 = 1 << 3;
const ENABLED: u32 = TX_ENABLE | RX_ENABLE | TX_INTERRUPT | RX_INTERRUPT;

// Bits of `INTERRUPTS`, which are cleared by writing them.
const TX_PENDING: u32 = 1 << 0;
const RX_PENDING: u32 = 1 << 1;

/// A UART; the board has each in a `static`, for its interrupts and for the program.
pub struct Uart {
    registers: Registers,
    rings: Mutex<Rings>,
}

struct Rings {
    received: Ring<RING_LEN>,
    to_send: Ring<RING_LEN>,
    #[cfg(feature = "embassy")]
    waiting: super::waiting::Waiting,
}

impl Uart {
    /// The UART whose registers begin at `base`.
    ///
    /// # Safety
    /// There is such a UART there on this board.
    pub(crate) const unsafe fn at(base: usize) -> Self {
        // SAFETY: the caller says that the device is there.
        let registers = unsafe { Registers::at(base) };
        let rings = Rings {
            received: Ring::new(),
            to_send: Ring::new(),
            #[cfg(feature = "embassy")]
            waiting: super::waiting::Waiting::new(),
        };
        Self { registers, rings: Mutex::new(rings) }
    }

    /// Turns it on, `divider` being its clock over the speed of the line, at least 16.
    pub(crate) fn start(&self, divider: u32) {
        self.registers.write(DIVIDER, divider.max(16));
        self.registers.write(CONTROL, ENABLED);
    }

    /// Answers the receiver's interrupt.
    pub(crate) fn handle_receive(&self) {
        critical_section::with(|masked| self.receive(self.rings.borrow(masked)));
    }

    /// Answers the sender's interrupt.
    pub(crate) fn handle_transmit(&self) {
        critical_section::with(|masked| self.transmit(self.rings.borrow(masked)));
    }

    /// The next byte from the line, if one is there.
    pub fn poll(&self) -> Option<u8> {
        critical_section::with(|masked| {
            let rings = self.rings.borrow(masked);
            let byte = rings.received.pop()?;
            if rings.received.room() == 1 {
                // It was full, and the device may hold a byte for which no interrupt comes any more.
                self.receive(rings);
            }
            Some(byte)
        })
    }

    /// What has come from the line until now: no more than there is room for, however fast the line goes on.
    pub fn received(&self) -> impl Iterator<Item = u8> + '_ {
        iter::from_fn(|| self.poll()).take(RING_LEN)
    }

    /// How many bytes can be sent without waiting.
    pub fn room(&self) -> usize {
        critical_section::with(|masked| self.rings.borrow(masked).to_send.room())
    }

    /// Sends all of `bytes` without waiting; where there is no room for them nothing is sent, and it answers false.
    pub fn send(&self, bytes: &[u8]) -> bool {
        critical_section::with(|masked| {
            let rings = self.rings.borrow(masked);
            let has_room = rings.to_send.room() >= bytes.len();
            if has_room {
                bytes.iter().for_each(|byte| {
                    rings.to_send.push(*byte);
                });
                self.transmit(rings);
            }
            has_room
        })
    }

    /// Whether bytes were lost because nobody took them, since this was asked last.
    pub fn is_overrun(&self) -> bool {
        let is_overrun = self.registers.read(STATE) & RX_OVERRUN != 0;
        self.registers.write(STATE, RX_OVERRUN);
        is_overrun
    }

    fn receive(&self, rings: &Rings) {
        self.registers.write(INTERRUPTS, RX_PENDING);
        while self.registers.read(STATE) & RX_FULL != 0 {
            if rings.received.room() == 0 {
                self.registers.write(CONTROL, ENABLED & !RX_INTERRUPT);
                return;
            }
            let [byte, ..] = self.registers.read(DATA).to_le_bytes();
            rings.received.push(byte);
            #[cfg(feature = "embassy")]
            rings.waiting.wake_reader();
        }
        self.registers.write(CONTROL, ENABLED);
    }

    fn transmit(&self, rings: &Rings) {
        self.registers.write(INTERRUPTS, TX_PENDING);
        while self.registers.read(STATE) & TX_FULL == 0 {
            let Some(byte) = rings.to_send.pop() else { return };
            self.registers.write(DATA, u32::from(byte));
            #[cfg(feature = "embassy")]
            rings.waiting.wake_writer();
        }
    }
}

impl ErrorType for &Uart {
    type Error = Infallible;
}

impl Read for &Uart {
    /// Waits for a byte, and takes what is there behind it.
    fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        let mut len: usize = 0;
        while let Some(place) = into.get_mut(len) {
            match self.poll() {
                Some(byte) => *place = byte,
                None if len > 0 => break,
                None => {
                    cortex_m::asm::wfi();
                    continue;
                }
            }
            len = len.saturating_add(1);
        }
        Ok(len)
    }
}

impl ReadReady for &Uart {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(critical_section::with(|masked| self.rings.borrow(masked).received.room() < RING_LEN))
    }
}

impl Write for &Uart {
    /// Waits for room for a byte, and takes as many as there is room for.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        while self.room() == 0 && !bytes.is_empty() {
            cortex_m::asm::wfi();
        }
        Ok(critical_section::with(|masked| {
            let rings = self.rings.borrow(masked);
            let taken = bytes.iter().take_while(|byte| rings.to_send.push(**byte)).count();
            // The first of them begins what the sender's interrupts go on with.
            self.transmit(rings);
            taken
        }))
    }

    fn flush(&mut self) -> Result<(), Infallible> {
        while self.room() < RING_LEN {
            cortex_m::asm::wfi();
        }
        Ok(())
    }
}

impl WriteReady for &Uart {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.room() > 0)
    }
}

#[cfg(feature = "embassy")]
impl Uart {
    /// Waits until a byte is there.
    pub async fn readable(&self) {
        poll_fn(|context| {
            critical_section::with(|masked| {
                let rings = self.rings.borrow(masked);
                rings.waiting.poll_reader(context, rings.received.room() < RING_LEN)
            })
        })
        .await;
    }

    /// Waits until there is room for so many bytes, which the ring can hold.
    pub async fn writable(&self, len: usize) {
        poll_fn(|context| {
            critical_section::with(|masked| {
                let rings = self.rings.borrow(masked);
                rings.waiting.poll_writer(context, rings.to_send.room() >= len.min(RING_LEN))
            })
        })
        .await;
    }
}

#[cfg(feature = "embassy")]
impl embedded_io_async::Read for &Uart {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        if !into.is_empty() {
            self.readable().await;
        }
        // What is there now is read without waiting.
        Read::read(self, into)
    }
}

#[cfg(feature = "embassy")]
impl embedded_io_async::Write for &Uart {
    async fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        if !bytes.is_empty() {
            self.writable(1).await;
        }
        // As much as there is room for now is written without waiting.
        Write::write(self, bytes)
    }

    async fn flush(&mut self) -> Result<(), Infallible> {
        self.writable(RING_LEN).await;
        Ok(())
    }
}
