//! Nordic's nRF52840-DK, PCA10056.
//!
//! | what | where |
//! | --- | --- |
//! | uplink | the USB port of the debugger, which is a serial line too: P0.06 sends, P0.08 receives |
//! | launch detector | button 1, P0.11, to ground; a detector's relay goes between the same pin and ground |
//! | lamp | LED 1, P0.13 |
//! | flash | the chip's own, whose last five pages of 4 KiB are the blob's and the store's; an erase keeps the loop for 85 ms (nRF52840 Product Specification 1.8, 4.3.9), in slices of 4 ms, between which the pin is looked at and interrupts are answered |

use alertbus::driver::annunciator::{Annunciator, Switch};
use alertbus::driver::contact::Contact;
use alertbus::message::ResetCause;
use alertbus::store::Layout;
use cortex_m::singleton;
use embassy_nrf::buffered_uarte::{BufferedUarte, BufferedUarteRx, BufferedUarteTx, InterruptHandler};
use embassy_nrf::config::{Config, LfclkSource};
use embassy_nrf::gpio::{Input, Level, Output, OutputDrive, Pull};
use embassy_nrf::nvmc::{Error, FLASH_SIZE, Nvmc, PAGE_SIZE};
use embassy_nrf::pac::nvmc::vals::Wen;
use embassy_nrf::pac::{NVMC, P0, POWER};
use embassy_nrf::peripherals::{UARTE0, WDT};
use embassy_nrf::wdt::{self, WatchdogHandle};
use embassy_nrf::{bind_interrupts, uarte};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashErrorKind, ReadNorFlash, check_erase};

use super::Parts;
use super::real::{BLOB, LOOKS, RING_LEN, WATCHDOG_S, guard_stack, launch, now};
use crate::fault;
use crate::senses::{Looks, Watched};

/// Where the store lies on the flash: behind the page with the blob, which holds the mark.
pub const STORE: Layout = Layout { used: BLOB + super::USED, base: BLOB + super::len(PAGE_SIZE), pages: 4 };

/// Below the memory there is nothing from here on (Product Specification, 4.2.2), for as many bytes as two has to this
/// power.
const NOTHING: (u32, u32) = (0x1800_0000, 27);

/// The button's number, on port 0.
const BUTTON: usize = 11;

/// The erase of a page, and one slice of it, in milliseconds. All slices together are to last at least as long as the
/// erase (Product Specification, 4.3, "Partial erase of a page in flash"), by a clock that may be 8 % fast.
const ERASE_MS: u8 = 85;
const SLICE_MS: u8 = 4;
const SLICES: u8 = (ERASE_MS + ERASE_MS / 8).div_ceil(SLICE_MS);

/// The line from the gateway.
pub type Receiver = BufferedUarteRx<'static>;
/// The line to the gateway.
pub type Sender = BufferedUarteTx<'static>;
/// What the node sees with: a launch detector.
pub type Senses = Watched<Input<'static>, &'static Looks>;
/// What the lamp hangs on.
pub type Light = Switch<Output<'static>>;

/// The board's flash. Its pages are erased in slices, so that the button is looked at meanwhile.
pub struct Flash(Nvmc<'static>);

/// The board's watchdog, which runs.
pub struct Watchdog(WatchdogHandle);

bind_interrupts!(struct Handlers {
    UARTE0 => InterruptHandler<UARTE0>;
});

/// Turns the board on. None a second time.
#[must_use]
pub fn parts() -> Option<Parts> {
    guard_stack(NOTHING)?;
    let reset_cause = fault::take_cause(chip_cause());
    // Before anything that may wait for ever, as a crystal that does not swing lets one.
    let watchdog = Watchdog::start()?;
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
    Some(Parts {
        flash: Some(Flash(Nvmc::new(board.NVMC))),
        receiver,
        sender,
        senses: Watched {
            contact: Contact::new(Input::new(board.P0_11, Pull::Up), launch(false)).ok()?,
            lookout: &LOOKS,
        },
        lamp: Annunciator::new(Switch {
            pin: Output::new(board.P0_13, Level::High, OutputDrive::Standard),
            active_high: false,
        }),
        watchdog,
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
    /// It needs no clock but its own, which it starts itself (Product Specification, "WDT").
    fn start() -> Option<Self> {
        let mut patience = wdt::Config::default();
        // A program that a debugger holds does not hang.
        patience.action_during_debug_halt = wdt::HaltConfig::Pause;
        // Of a clock of 32,768 Hz.
        patience.timeout_ticks = u32::from(WATCHDOG_S) * 32_768;
        // SAFETY: nobody else has it: whoever turns the board on comes here once.
        let device = unsafe { WDT::steal() };
        let (_, [watchdog]) = wdt::Watchdog::try_new(device, patience).ok()?;
        Some(Self(watchdog))
    }

    /// The loop turns.
    pub fn feed(&mut self) {
        self.0.pet();
    }
}

impl ErrorType for Flash {
    type Error = Error;
}

impl ReadNorFlash for Flash {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), Error> {
        self.0.read(offset, into)
    }

    fn capacity(&self) -> usize {
        FLASH_SIZE
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = <Nvmc<'_> as NorFlash>::WRITE_SIZE;
    const ERASE_SIZE: usize = PAGE_SIZE;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        check_erase(self, from, to).map_err(|kind| match kind {
            NorFlashErrorKind::NotAligned => Error::Unaligned,
            _ => Error::OutOfBounds,
        })?;
        NVMC.erasepagepartialcfg().write(|register| register.set_duration(SLICE_MS));
        for page in (from..to).step_by(PAGE_SIZE) {
            for _ in 0..SLICES {
                LOOKS.look(now(), !P0.in_().read().pin(BUTTON));
                erase_slice(page);
            }
        }
        LOOKS.look(now(), !P0.in_().read().pin(BUTTON));
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        self.0.write(offset, bytes)
    }
}

/// The processor stands still meanwhile, because it runs from this flash.
fn erase_slice(page: u32) {
    let ready = || while !NVMC.ready().read().ready() {};
    NVMC.config().write(|register| register.set_wen(Wen::Een));
    ready();
    NVMC.erasepagepartial().write_value(page);
    ready();
    NVMC.config().write(|register| register.set_wen(Wen::Ren));
    ready();
}
