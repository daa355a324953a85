//! Nordic's nRF52840-DK, PCA10056.
//!
//! | what | where |
//! | --- | --- |
//! | uplink | the USB port of the debugger, which is a serial line too: P0.06 sends, P0.08 receives |
//! | launch detector | button 1, P0.11, to ground; a detector's relay goes between the same pin and ground |
//! | lamp | LED 1, P0.13 |
//! | flash | the chip's own, whose last five pages of 4 KiB are the blob's and the store's; an erase stops the program for 85 ms (nRF52840 Product Specification 1.8, 4.3.9) |

use alertbus::driver::annunciator::{Annunciator, Switch};
use alertbus::driver::contact::Contact;
use alertbus::message::ResetCause;
use alertbus::store::Layout;
use cortex_m::singleton;
use embassy_nrf::buffered_uarte::{BufferedUarte, BufferedUarteRx, BufferedUarteTx, InterruptHandler};
use embassy_nrf::config::{Config, LfclkSource};
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::nvmc::{Nvmc, PAGE_SIZE};
use embassy_nrf::pac::POWER;
use embassy_nrf::peripherals::UARTE0;
use embassy_nrf::wdt::{self, WatchdogHandle};
use embassy_nrf::{bind_interrupts, uarte};

use super::Parts;
use super::real::{BLOB, RING_LEN, WATCHDOG_S, guard_stack, launch};
use crate::fault;

/// Where the store lies on the flash: behind the page with the blob, which holds the mark.
pub const STORE: Layout = Layout { used: BLOB + super::USED, base: BLOB + super::len(PAGE_SIZE), pages: 4 };

/// Below the memory there is nothing from here on (Product Specification, 4.2.2), for as many bytes as two has to this
/// power.
const NOTHING: (u32, u32) = (0x1800_0000, 27);

/// The board's flash.
pub type Flash = Nvmc<'static>;
/// The line from the gateway.
pub type Receiver = BufferedUarteRx<'static>;
/// The line to the gateway.
pub type Sender = BufferedUarteTx<'static>;
/// What the node sees with: a launch detector.
pub type Senses = Contact<Input<'static>>;
/// What the lamp hangs on.
pub type Light = Switch<Output<'static>>;

/// The board's watchdog, which runs.
pub struct Watchdog(WatchdogHandle);

bind_interrupts!(struct Handlers {
    UARTE0 => InterruptHandler<UARTE0>;
});

/// Turns the board on. None a second time.
#[must_use]
pub fn parts() -> Option<Parts> {
    guard_stack(NOTHING);
    let reset_cause = fault::take_cause(chip_cause());
    let mut config = Config::default();
    // The kit has a crystal, and the clock of a node is what its gateway reckons ages with.
    config.lfclk_source = LfclkSource::ExternalXtal;
    let board = embassy_nrf::init(config);
    let uplink = BufferedUarte::new(
        board.UARTE0,
        board.TIMER0,
        board.PPI_CH0,
        board.PPI_CH1,
        board.PPI_GROUP0,
        board.P0_08,
        board.P0_06,
        Handlers,
        // 115,200 baud, eight bits, no parity.
        uarte::Config::default(),
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
    );
    let (receiver, sender) = uplink.split();
    let mut patience = wdt::Config::default();
    // A program that a debugger holds does not hang.
    patience.action_during_debug_halt = wdt::HaltConfig::Pause;
    // Of a clock of 32,768 Hz.
    patience.timeout_ticks = u32::from(WATCHDOG_S) * 32_768;
    let (_, [watchdog]) = wdt::Watchdog::try_new(board.WDT, patience).ok()?;
    Some(Parts {
        flash: Some(Nvmc::new(board.NVMC)),
        receiver,
        sender,
        senses: Contact::new(Input::new(board.P0_11, Pull::Up), launch(false)).ok()?,
        lamp: Annunciator::new(Switch {
            pin: Output::new(board.P0_13, Level::High, OutputDrive::Standard),
            active_high: false,
        }),
        watchdog: Watchdog(watchdog),
        reset_cause,
    })
}

/// What the chip knows of its last reset (Product Specification, 5.3.7.10): no bit means that power came on.
fn chip_cause() -> ResetCause {
    let register = POWER.resetreas();
    let why = register.read();
    // Bits stay until they are written.
    register.write_value(why);
    match () {
        () if why.dog() => ResetCause::Watchdog,
        () if why.lockup() => ResetCause::Fault,
        () if why.sreq() => ResetCause::Software,
        () if why.resetpin() => ResetCause::Pin,
        () if why.0 == 0 => ResetCause::PowerOn,
        () => ResetCause::Unknown,
    }
}

impl Watchdog {
    /// The loop turns.
    pub fn feed(&mut self) {
        self.0.pet();
    }
}
