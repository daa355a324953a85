//! The BBC micro:bit, as QEMU plays it: the small end.
//!
//! It has one line, the uplink. A rig appends what it has to say to the file `bench.bin`, beside that of the flash.
//! There is no watchdog, because QEMU plays none.

use alertbus::message::ResetCause;
use cortex_m::Peripherals;
use cortex_m::peripheral::NVIC;

use super::qemu::start_clock;
use super::{DefaultHandler, Vector};
use crate::device::host_file::Bench;
use crate::device::nrf51_uart::Nrf51;
use crate::device::uart::Uart;
use crate::fault;

/// The core's clock, in ticks a millisecond.
const TICKS_PER_MS: u32 = 16_000;

/// The pins to the serial line of its USB port: what sends, and what receives.
const LINE: (u32, u32) = (24, 25);

/// The number of the line's interrupt.
const LINE_INTERRUPT: u16 = 2;

// SAFETY: the chip has it there (nRF51 Series Reference Manual 3.0, 29.9).
static UPLINK: Uart<Nrf51> = unsafe { Uart::<Nrf51>::at(0x4000_2000) };

/// What a program has of the board.
pub struct Board {
    /// The line to the gateway.
    pub uplink: &'static Uart<Nrf51>,
    /// What a test rig says.
    pub bench: Bench,
    /// Why the board started.
    pub reset_cause: ResetCause,
}

/// Holds the end of the stack: there is nothing below the memory, so the bus refuses what goes there.
pub fn guard_stack() {}

/// Turns the board on: clock and line. None a second time.
#[must_use]
pub fn start() -> Option<Board> {
    let mut core = Peripherals::take()?;
    let reset_cause = fault::take_cause(ResetCause::PowerOn);
    start_clock(&mut core, TICKS_PER_MS);
    let (sends, receives) = LINE;
    UPLINK.start(sends, receives);
    // SAFETY: the handler is in the table below, and uses nothing but what masks it.
    unsafe { NVIC::unmask(LineInterrupt) };
    Some(Board { uplink: &UPLINK, bench: Bench::open(), reset_cause })
}

/// Waits for an interrupt; the next tick of the clock is one.
pub fn wait() {
    cortex_m::asm::wfi();
}

#[derive(Clone, Copy)]
struct LineInterrupt;

// SAFETY: the number is that of one interrupt of this board, and stays it.
unsafe impl cortex_m::interrupt::InterruptNumber for LineInterrupt {
    fn number(self) -> u16 {
        LINE_INTERRUPT
    }
}

extern "C" fn line() {
    UPLINK.handle_receive();
    UPLINK.handle_transmit();
}

// SAFETY: the runtime's linker script places this behind the exceptions, and wants an entry at least.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the runtime has no other symbol of this name where its feature `device` is on.
#[unsafe(no_mangle)]
static __INTERRUPTS: [Vector; 4] = [DefaultHandler, DefaultHandler, line, DefaultHandler];
