//! What ARM's MPS2 boards have in common, as QEMU plays them; each says in a file of its own where it has it.
//!
//! UART 0 is the uplink, UART 1 the bench, which also moves the input pins, in the order of QEMU's `-serial`. A horn is
//! wired to lamp 0; QEMU tells of lamps with `-trace led_change_intensity`.

use alertbus::message::ResetCause;
use cortex_m::Peripherals;
use cortex_m::peripheral::NVIC;

use super::chosen::{MAP, hold_stack};
use super::qemu::{SLOWNESS, start_clock};
use super::{DefaultHandler, Vector};
use crate::device::cmsdk_uart::Cmsdk;
use crate::device::cmsdk_watchdog::Watchdog;
use crate::device::fpga_io::FpgaIo;
use crate::device::uart;
use crate::fault;

pub use crate::device::fpga_io::Lamp as OutputPin;

/// A line of the board.
pub type Uart = uart::Uart<Cmsdk>;

/// Where a board has its devices.
pub(super) struct Map {
    /// The clock of core and devices, in ticks a millisecond.
    pub(super) ticks_per_ms: u32,
    pub(super) uarts: [usize; 2],
    pub(super) watchdog: usize,
    pub(super) fpga_io: usize,
    /// The number of the first UART's interrupt for what it has received; behind it come that for what it has sent, and
    /// both of the second.
    pub(super) first_interrupt: u16,
}

const TICKS_PER_MS: u32 = MAP.ticks_per_ms;

/// A UART's clock over 115,200 baud.
const DIVIDER: u32 = TICKS_PER_MS * 1_000 / 115_200;

/// The loop takes milliseconds; an erase is the longest that it may be away, 85 ms on an nRF52840 and 400 ms on the
/// flash beside an RP2040.
const WATCHDOG_MS: u32 = 2_000;

// SAFETY: the board's map has UART 0 there.
static UPLINK: Uart = unsafe { Uart::at(MAP.uarts[0]) };
// SAFETY: the board's map has UART 1 there.
static BENCH: Uart = unsafe { Uart::at(MAP.uarts[1]) };
// SAFETY: the board's map has the watchdog there.
static WATCHDOG: Watchdog = unsafe { Watchdog::at(MAP.watchdog) };
// SAFETY: the board's map has the registers of the FPGA there.
static FPGA_IO: FpgaIo = unsafe { FpgaIo::at(MAP.fpga_io) };

/// What a program has of the board.
pub struct Board {
    /// The line to the gateway.
    pub uplink: &'static Uart,
    /// The line to a test rig.
    pub bench: &'static Uart,
    /// What a siren sounds with.
    pub horn: OutputPin,
    /// What shows a technician how it is.
    pub lamp: OutputPin,
    /// Why the board started.
    pub reset_cause: ResetCause,
}

/// Holds the end of the stack, where the program does not start the board.
pub fn guard_stack() {
    if let Some(mut core) = Peripherals::take() {
        hold_stack(&mut core);
    }
}

/// Turns the board on: stack, clock, lines, watchdog. None a second time.
#[must_use]
pub fn start() -> Option<Board> {
    let mut core = Peripherals::take()?;
    hold_stack(&mut core);
    let reset_cause = fault::take_cause(ResetCause::PowerOn);
    start_clock(&mut core, TICKS_PER_MS);
    for uart in [&UPLINK, &BENCH] {
        uart.start(DIVIDER);
    }
    WATCHDOG.start((WATCHDOG_MS * TICKS_PER_MS).saturating_mul(SLOWNESS));
    for interrupt in Interrupt::ALL {
        // SAFETY: the handlers are in the table below, and use nothing but what masks them.
        unsafe { NVIC::unmask(interrupt) };
    }
    let [horn, lamp] = [0, 1].map(|number| OutputPin::new(&FPGA_IO, number));
    Some(Board { uplink: &UPLINK, bench: &BENCH, horn, lamp, reset_cause })
}

/// Waits for an interrupt; the next tick of the clock is one. The watchdog is told that the loop turns.
pub fn wait() {
    feed();
    cortex_m::asm::wfi();
}

/// Tells the watchdog that the loop turns.
pub fn feed() {
    WATCHDOG.feed();
}

/// The interrupts in use.
#[derive(Clone, Copy)]
enum Interrupt {
    Uart0Receive,
    Uart0Transmit,
    Uart1Receive,
    Uart1Transmit,
}

impl Interrupt {
    const ALL: [Self; 4] = [Self::Uart0Receive, Self::Uart0Transmit, Self::Uart1Receive, Self::Uart1Transmit];
}

// SAFETY: each number is that of one interrupt of this board, and stays it.
unsafe impl cortex_m::interrupt::InterruptNumber for Interrupt {
    fn number(self) -> u16 {
        let at = match self {
            Self::Uart0Receive => 0,
            Self::Uart0Transmit => 1,
            Self::Uart1Receive => 2,
            Self::Uart1Transmit => 3,
        };
        MAP.first_interrupt.saturating_add(at)
    }
}

extern "C" fn uart_0_receive() {
    UPLINK.handle_receive();
}

extern "C" fn uart_0_transmit() {
    UPLINK.handle_transmit();
}

extern "C" fn uart_1_receive() {
    BENCH.handle_receive();
}

extern "C" fn uart_1_transmit() {
    BENCH.handle_transmit();
}

// SAFETY: the runtime's linker script places this behind the exceptions, and wants an entry at least.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the runtime has no other symbol of this name where its feature `device` is on.
#[unsafe(no_mangle)]
#[allow(clippy::as_conversions, reason = "a number of 16 bits fits")]
static __INTERRUPTS: Vectors = Vectors {
    before: [DefaultHandler; MAP.first_interrupt as usize],
    used: [uart_0_receive, uart_0_transmit, uart_1_receive, uart_1_transmit],
    behind: DefaultHandler,
};

/// The part of the vector table that is the board's own.
#[repr(C)]
#[allow(clippy::as_conversions, reason = "a number of 16 bits fits")]
struct Vectors {
    before: [Vector; MAP.first_interrupt as usize],
    used: [Vector; Interrupt::ALL.len()],
    behind: Vector,
}
