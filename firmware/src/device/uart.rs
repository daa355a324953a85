//! A UART with a ring of bytes each way, whatever the device is.
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

use super::ring::Ring;

/// Bytes in each ring: two frames of the longest sort.
const RING_LEN: usize = 128;

/// What moves bytes over a line, one at a time. It is spoken to with interrupts masked.
pub trait Device {
    /// Whether it is to interrupt for what it has received.
    fn listen(&self, is_on: bool);

    /// The receiver's interrupt is answered.
    fn answer_receive(&self);

    /// The next byte that it has received.
    fn receive(&self) -> Option<u8>;

    /// The sender's interrupt is answered.
    fn answer_transmit(&self);

    /// Whether it takes a byte now.
    fn has_room(&self) -> bool;

    /// Sends a byte, for which there is room.
    fn transmit(&self, byte: u8);
}

/// A UART; the board has each in a `static`, for its interrupts and for the program.
pub struct Uart<D> {
    pub(super) device: D,
    rings: Mutex<Rings>,
}

struct Rings {
    received: Ring<RING_LEN>,
    to_send: Ring<RING_LEN>,
    #[cfg(feature = "embassy")]
    waiting: super::waiting::Waiting,
}

impl<D> Uart<D> {
    pub(super) const fn with(device: D) -> Self {
        let rings = Rings {
            received: Ring::new(),
            to_send: Ring::new(),
            #[cfg(feature = "embassy")]
            waiting: super::waiting::Waiting::new(),
        };
        Self { device, rings: Mutex::new(rings) }
    }
}

impl<D: Device> Uart<D> {
    /// Answers the receiver's interrupt.
    pub(crate) fn handle_receive(&self) {
        critical_section::with(|masked| self.take(self.rings.borrow(masked)));
    }

    /// Answers the sender's interrupt.
    pub(crate) fn handle_transmit(&self) {
        critical_section::with(|masked| self.give(self.rings.borrow(masked)));
    }

    /// The next byte from the line, if one is there.
    pub fn poll(&self) -> Option<u8> {
        critical_section::with(|masked| {
            let rings = self.rings.borrow(masked);
            let byte = rings.received.pop()?;
            if rings.received.room() == 1 {
                // It was full, and the device may hold a byte for which no interrupt comes any more.
                self.take(rings);
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
                self.give(rings);
            }
            has_room
        })
    }

    fn take(&self, rings: &Rings) {
        self.device.answer_receive();
        while rings.received.room() > 0 {
            let Some(byte) = self.receive() else { return };
            rings.received.push(byte);
            #[cfg(feature = "embassy")]
            rings.waiting.wake_reader();
        }
        self.device.listen(false);
    }

    /// The byte that the device holds; where it holds none it interrupts when one comes.
    fn receive(&self) -> Option<u8> {
        self.device.receive().or_else(|| {
            self.device.listen(true);
            // One that came before that was said interrupts nobody.
            self.device.receive()
        })
    }

    fn give(&self, rings: &Rings) {
        self.device.answer_transmit();
        while self.device.has_room() {
            let Some(byte) = rings.to_send.pop() else { return };
            self.device.transmit(byte);
            #[cfg(feature = "embassy")]
            rings.waiting.wake_writer();
        }
    }
}

impl<D> ErrorType for &Uart<D> {
    type Error = Infallible;
}

impl<D: Device> Read for &Uart<D> {
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

impl<D: Device> ReadReady for &Uart<D> {
    fn read_ready(&mut self) -> Result<bool, Infallible> {
        Ok(critical_section::with(|masked| self.rings.borrow(masked).received.room() < RING_LEN))
    }
}

impl<D: Device> Write for &Uart<D> {
    /// Waits for room for a byte, and takes as many as there is room for.
    fn write(&mut self, bytes: &[u8]) -> Result<usize, Infallible> {
        while self.room() == 0 && !bytes.is_empty() {
            cortex_m::asm::wfi();
        }
        Ok(critical_section::with(|masked| {
            let rings = self.rings.borrow(masked);
            let taken = bytes.iter().take_while(|byte| rings.to_send.push(**byte)).count();
            // The first of them begins what the sender's interrupts go on with.
            self.give(rings);
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

impl<D: Device> WriteReady for &Uart<D> {
    fn write_ready(&mut self) -> Result<bool, Infallible> {
        Ok(self.room() > 0)
    }
}

#[cfg(feature = "embassy")]
impl<D: Device> Uart<D> {
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
impl<D: Device> embedded_io_async::Read for &Uart<D> {
    async fn read(&mut self, into: &mut [u8]) -> Result<usize, Infallible> {
        if !into.is_empty() {
            self.readable().await;
        }
        // What is there now is read without waiting.
        Read::read(self, into)
    }
}

#[cfg(feature = "embassy")]
impl<D: Device> embedded_io_async::Write for &Uart<D> {
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
