//! ST's NUCLEO-F429ZI.
//!
//! | what | where |
//! | --- | --- |
//! | uplink | the USB port of the debugger, which is a serial line too: PD8 sends, PD9 receives |
//! | launch detector | the blue button, PC13, to 3.3 V; a detector's relay goes between the same pin and 3.3 V |
//! | lamp | LD1, PB0 |
//! | flash | the chip's second bank, while the program runs from the first: four sectors of 16 KiB for the store, one of 64 KiB for the blob; an erase keeps the loop for 400 ms, 800 ms at most (STM32F429 data sheet, table 48); interrupts go on, and one of them looks at the pin |

use alertbus::driver::annunciator::{Annunciator, Switch};
use alertbus::driver::contact::Contact;
use alertbus::message::ResetCause;
use alertbus::store::Layout;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::singleton;
use cortex_m_rt::exception;
use embassy_stm32::exti::{self, ExtiInput};
use embassy_stm32::flash::{self, Blocking, Error};
use embassy_stm32::gpio::{Flex, Level, Output, Pull, Speed};
use embassy_stm32::mode::Async;
use embassy_stm32::pac::gpio::vals::Idr;
use embassy_stm32::pac::{GPIOC, RCC};
use embassy_stm32::peripherals::{IWDG, USART3};
use embassy_stm32::rcc::{APBPrescaler, Hse, HseMode, Pll, PllMul, PllPDiv, PllPreDiv, PllSource, Sysclk};
use embassy_stm32::time::Hertz;
use embassy_stm32::usart::{self, BufferedInterruptHandler, BufferedUart, BufferedUartRx, BufferedUartTx};
use embassy_stm32::wdg::IndependentWatchdog;
use embassy_stm32::{Config, bind_interrupts, interrupt};
use embedded_storage::nor_flash::{ErrorType, NorFlash, ReadNorFlash};

use super::Parts;
use super::real::{self, BAUD, LOOKS, RING_LEN, WATCHDOG_S, guard_stack, launch, now};
use crate::fault;
use crate::senses::{Looks, Watched};

/// Length of the sectors that the store has, in bytes.
const SECTOR_LEN: usize = 16 * 1024;

/// The sector with the blob, from the flash's beginning, which is at this address.
const BLOB: u32 = real::BLOB - 0x0800_0000;

/// Where the store lies on the flash: before the sector with the blob, at the beginning of the second bank.
pub const STORE: Layout =
    Layout { used: BLOB + super::USED, base: BLOB - 4 * super::len(SECTOR_LEN), pages: 4 };

/// Below the memory there is nothing from here on but the option bytes (RM0090, 2.3), which nobody reads, for as many
/// bytes as two has to this power.
const NOTHING: (u32, u32) = (0x1fff_8000, 15);

/// The button's number, on port C.
const BUTTON: usize = 13;

/// The core's clock, in ticks a millisecond.
const TICKS_PER_MS: u32 = 48_000;

/// The line from the gateway.
pub type Receiver = BufferedUartRx<'static>;
/// The line to the gateway.
pub type Sender = BufferedUartTx<'static>;
/// What the node sees with: a launch detector.
pub type Senses = Watched<ExtiInput<'static, Async>, &'static Looks>;
/// What the lamp hangs on.
pub type Light = Switch<Output<'static>>;

/// The board's flash. Its sectors differ in length; those that are erased here are of one.
pub struct Flash {
    device: flash::Flash<'static, Blocking>,
    /// Comes each millisecond of an erase, and at no other time.
    tick: SYST,
}

/// The board's watchdog, which runs.
pub struct Watchdog(IndependentWatchdog<'static, IWDG>);

bind_interrupts!(struct Handlers {
    USART3 => BufferedInterruptHandler<USART3>;
    EXTI15_10 => exti::InterruptHandler<interrupt::typelevel::EXTI15_10>;
});

/// Turns the board on. None a second time.
#[must_use]
pub fn parts() -> Option<Parts> {
    let core = guard_stack(NOTHING)?;
    let reset_cause = fault::take_cause(chip_cause());
    // Before anything that may wait for ever, as a clock that never comes lets one. Its own it starts itself (RM0090,
    // "Watchdog clock").
    // SAFETY: nobody else has it: whoever turns the board on comes here once.
    let device = unsafe { IWDG::steal() };
    let mut watchdog = IndependentWatchdog::new(device, u32::from(WATCHDOG_S) * 1_000_000);
    watchdog.unleash();
    let board = embassy_stm32::init(clocks());
    // Revisions before 3 read the second bank wrongly while this pin moves (errata ES0206, 2.2.11), so it is held.
    let mut held = Flex::new(board.PA12);
    held.set_low();
    held.set_as_input_output_pull(Speed::Low, Pull::Down);
    core::mem::forget(held);
    let mut config = usart::Config::default();
    config.baudrate = BAUD;
    let uplink = BufferedUart::new(
        board.USART3,
        board.PD9,
        board.PD8,
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
        singleton!(: [u8; RING_LEN] = [0; RING_LEN])?,
        Handlers,
        config,
    );
    let (sender, receiver) = uplink.ok()?.split();
    let button = ExtiInput::new(board.PC13, board.EXTI13, Pull::Down, Handlers);
    Some(Parts {
        flash: Some(Flash { device: flash::Flash::new_blocking(board.FLASH), tick: tick(core.SYST) }),
        receiver,
        sender,
        senses: Watched { contact: Contact::new(button, launch(true)).ok()?, lookout: &LOOKS },
        lamp: Annunciator::new(Switch {
            pin: Output::new(board.PB0, Level::Low, Speed::Low),
            active_high: true,
        }),
        watchdog: Watchdog(watchdog),
        reset_cause,
    })
}

/// A clock that is off, and comes each millisecond when it is on.
fn tick(mut tick: SYST) -> SYST {
    tick.set_clock_source(SystClkSource::Core);
    tick.set_reload(TICKS_PER_MS - 1);
    tick.enable_interrupt();
    tick
}

/// Looks at the button, in an erase.
#[exception]
fn SysTick() {
    LOOKS.look(now(), GPIOC.idr().read().idr(BUTTON) == Idr::HIGH);
}

/// 48 MHz from the 8 MHz that the debugger gives the chip: exact, and no more than a timer of milliseconds can divide.
fn clocks() -> Config {
    let mut config = Config::default();
    config.rcc.hsi = false;
    config.rcc.hse = Some(Hse { freq: Hertz(8_000_000), mode: HseMode::Bypass });
    config.rcc.pll_src = PllSource::HSE;
    config.rcc.pll = Some(Pll {
        prediv: PllPreDiv::DIV4,
        mul: PllMul::MUL96,
        divp: Some(PllPDiv::DIV4),
        divq: None,
        divr: None,
    });
    config.rcc.sys = Sysclk::PLL1_P;
    config.rcc.apb1_pre = APBPrescaler::DIV2;
    config
}

/// What the chip knows of its last reset (RM0090, 7.3.21).
fn chip_cause() -> ResetCause {
    let why = RCC.csr().read();
    // Bits stay until they are cleared.
    RCC.csr().modify(|register| register.set_rmvf(true));
    match () {
        () if why.wdgrstf() || why.wwdgrstf() => ResetCause::Watchdog,
        () if why.sftrstf() => ResetCause::Software,
        () if why.porrstf() => ResetCause::PowerOn,
        () if why.borrstf() => ResetCause::BrownOut,
        // Every reset shows at the pin, so it tells nothing beside another.
        () if why.padrstf() => ResetCause::Pin,
        () => ResetCause::Unknown,
    }
}

impl Watchdog {
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
        self.device.blocking_read(offset, into)
    }

    fn capacity(&self) -> usize {
        self.device.capacity()
    }
}

impl NorFlash for Flash {
    const WRITE_SIZE: usize = flash::WRITE_SIZE;
    const ERASE_SIZE: usize = SECTOR_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Error> {
        self.tick.clear_current();
        self.tick.enable_counter();
        let erased = self.device.blocking_erase(from, to);
        self.tick.disable_counter();
        erased
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Error> {
        self.device.blocking_write(offset, bytes)
    }
}
