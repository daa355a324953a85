//! The first Raspberry Pi Pico, with an RP2040.
//!
//! | what | where |
//! | --- | --- |
//! | uplink | GP0 (pin 1) sends, GP1 (pin 2) receives: to the serial side of a debug probe, or of a USB adapter for 3.3 V |
//! | launch detector | a button, or a detector's relay, between GP15 (pin 20) and ground (pin 18) |
//! | lamp | the board's LED, GP25 |
//! | flash | the chip beside the RP2040, whose last five sectors of 4 KiB are the blob's and the store's; an erase stops the program for 45 ms, 400 ms at most (Winbond W25Q16JV, 9.6), and bytes that come meanwhile are lost |

use alertbus::driver::annunciator::{Annunciator, Switch};
use alertbus::driver::contact::Contact;
use alertbus::message::ResetCause;
use alertbus::store::Layout;
use cortex_m::singleton;
use embassy_rp::bind_interrupts;
use embassy_rp::flash::{self, Blocking, ERASE_SIZE};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::pac::{VREG_AND_CHIP_RESET, WATCHDOG};
use embassy_rp::peripherals::{FLASH, UART0};
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart, BufferedUartRx, BufferedUartTx};
use embassy_rp::watchdog;
use embassy_time::Duration;

use super::Parts;
use super::real::{self, BAUD, RING_LEN, WATCHDOG_S, guard_stack, launch};
use crate::fault;

/// Length of the flash, in bytes.
const FLASH_LEN: usize = 2 * 1024 * 1024;

/// The sector with the blob, from the flash's beginning, which is at this address.
const BLOB: u32 = real::BLOB - 0x1000_0000;

/// Where the store lies on the flash: behind the sector with the blob, which holds the mark.
pub const STORE: Layout = Layout { used: BLOB + super::USED, base: BLOB + super::len(ERASE_SIZE), pages: 4 };

/// Below the memory there is nothing from here on (datasheet, 2.2), for as many bytes as two has to this power.
const NOTHING: (u32, u32) = (0x1c00_0000, 26);

/// The board's flash.
pub type Flash = flash::Flash<'static, FLASH, Blocking, FLASH_LEN>;
/// The line from the gateway.
pub type Receiver = BufferedUartRx;
/// The line to the gateway.
pub type Sender = BufferedUartTx;
/// What the node sees with: a launch detector.
pub type Senses = Contact<Input<'static>>;
/// What the lamp hangs on.
pub type Light = Switch<Output<'static>>;

/// The board's watchdog, which runs.
pub struct Watchdog(watchdog::Watchdog);

bind_interrupts!(struct Handlers {
    UART0_IRQ => BufferedInterruptHandler<UART0>;
});

/// Turns the board on. None a second time.
#[must_use]
pub fn parts() -> Option<Parts> {
    guard_stack(NOTHING);
    let reset_cause = fault::take_cause(chip_cause());
    let board = embassy_rp::init(embassy_rp::config::Config::default());
    let mut config = uart::Config::default();
    config.baudrate = BAUD;
    let uplink = BufferedUart::new(
        board.UART0,
        board.PIN_0,
        board.PIN_1,
        Handlers,
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
        config,
    );
    let (sender, receiver) = uplink.split();
    let mut watchdog = Watchdog(watchdog::Watchdog::new(board.WATCHDOG));
    watchdog.0.start(Watchdog::patience());
    Some(Parts {
        flash: Some(Flash::new_blocking(board.FLASH)),
        receiver,
        sender,
        senses: Contact::new(Input::new(board.PIN_15, Pull::Up), launch(false)).ok()?,
        lamp: Annunciator::new(Switch { pin: Output::new(board.PIN_25, Level::Low), active_high: true }),
        watchdog,
        reset_cause,
    })
}

/// What the chip knows of its last reset (datasheet, 2.8.4 and 4.7). A dip of the supply it takes for power that came on.
fn chip_cause() -> ResetCause {
    let (watchdog, chip) = (WATCHDOG.reason().read(), VREG_AND_CHIP_RESET.chip_reset().read());
    match () {
        () if watchdog.timer() => ResetCause::Watchdog,
        () if watchdog.force() => ResetCause::Software,
        () if chip.had_por() => ResetCause::PowerOn,
        () if chip.had_run() => ResetCause::Pin,
        () => ResetCause::Unknown,
    }
}

impl Watchdog {
    /// The loop turns.
    pub fn feed(&mut self) {
        self.0.feed(Self::patience());
    }

    fn patience() -> Duration {
        Duration::from_secs(WATCHDOG_S.into())
    }
}
