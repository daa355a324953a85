//! The first Raspberry Pi Pico, with an RP2040.
//!
//! | what | where |
//! | --- | --- |
//! | uplink | GP0 (pin 1) sends, GP1 (pin 2) receives: to the serial side of a debug probe, or of a USB adapter for 3.3 V |
//! | launch detector | a button, or a detector's relay, between GP15 (pin 20) and ground (pin 18) |
//! | lamp | the board's LED, GP25 |
//! | flash | the chip beside the RP2040, whose last five sectors of 4 KiB are the blob's and the store's; an erase stops the program for 45 ms, 400 ms at most (Winbond W25Q16JV, 9.6), and bytes that come meanwhile are lost; a state machine of the chip's PIO looks at the pin for itself |

use alertbus::driver::annunciator::{Annunciator, Switch};
use alertbus::driver::contact::Contact;
use alertbus::message::ResetCause;
use alertbus::store::Layout;
use alertbus::time::Instant;
use cortex_m::singleton;
use embassy_rp::bind_interrupts;
use embassy_rp::flash::{self, Blocking, ERASE_SIZE};
use embassy_rp::gpio::{Input, Level, Output, Pull};
use embassy_rp::pac::{PIO0, VREG_AND_CHIP_RESET, WATCHDOG};
use embassy_rp::peripherals::{self, FLASH, UART0};
use embassy_rp::pio::program::pio_asm;
use embassy_rp::pio_programs::clock_divider::calculate_pio_clock_divider;
use embassy_rp::uart::{self, BufferedInterruptHandler, BufferedUart, BufferedUartRx, BufferedUartTx};
use embassy_rp::watchdog;
use embassy_time::Duration;

use super::Parts;
use super::real::{self, BAUD, DEBOUNCE, RING_LEN, WATCHDOG_S, guard_stack, launch};
use crate::fault;
use crate::senses::{Lookout, Watched};

/// Length of the flash, in bytes.
const FLASH_LEN: usize = 2 * 1024 * 1024;

/// The sector with the blob, from the flash's beginning, which is at this address.
const BLOB: u32 = real::BLOB - 0x1000_0000;

/// Where the store lies on the flash: behind the sector with the blob, which holds the mark.
pub const STORE: Layout = Layout { used: BLOB + super::USED, base: BLOB + super::len(ERASE_SIZE), pages: 4 };

/// Below the memory there is nothing from here on (datasheet, 2.2), for as many bytes as two has to this power.
const NOTHING: (u32, u32) = (0x1c00_0000, 26);

/// The button's number.
const BUTTON: u8 = 15;

/// The board's flash.
pub type Flash = flash::Flash<'static, FLASH, Blocking, FLASH_LEN>;
/// The line from the gateway.
pub type Receiver = BufferedUartRx;
/// The line to the gateway.
pub type Sender = BufferedUartTx;
/// What the node sees with: a launch detector.
pub type Senses = Watched<Input<'static>, StateMachine>;
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
    guard_stack(NOTHING)?;
    let reset_cause = fault::take_cause(chip_cause());
    // Before anything that may wait for ever, as a crystal that does not swing lets one.
    let watchdog = Watchdog::start();
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
    hold();
    Some(Parts {
        flash: Some(Flash::new_blocking(board.FLASH)),
        receiver,
        sender,
        senses: Watched {
            contact: Contact::new(Input::new(board.PIN_15, Pull::Up), launch(false)).ok()?,
            lookout: StateMachine,
        },
        lamp: Annunciator::new(Switch { pin: Output::new(board.PIN_25, Level::Low), active_high: true }),
        watchdog,
        reset_cause,
    })
}

/// Has a state machine look at the button, each millisecond and always: neither an erase nor the program stops it. Where
/// the pin is low for so many looks that they span the debounce time, it says so in flag 0.
fn hold() {
    const { assert!(DEBOUNCE.as_millis() == 20, "the program says how many looks") };
    // Each look takes two ticks.
    const TICKS_HZ: u32 = 2_000;
    let program = pio_asm!(
        ".wrap_target",
        "begin:",
        "    set x, 20",
        "look:",
        "    jmp pin begin",
        "    jmp x-- look",
        "    irq set 0",
        ".wrap",
    );
    let program = program.program;
    for (at, instruction) in program.code.iter().enumerate() {
        PIO0.instr_mem(at).write(|register| register.set_instr_mem(*instruction));
    }
    let machine = PIO0.sm(0);
    machine.clkdiv().write(|register| register.0 = calculate_pio_clock_divider(TICKS_HZ).to_bits() << 8);
    machine.execctrl().write(|register| {
        register.set_jmp_pin(BUTTON);
        register.set_wrap_bottom(program.wrap.target);
        register.set_wrap_top(program.wrap.source);
    });
    // It begins at the first instruction, where `init` has left it.
    PIO0.ctrl().write(|register| register.set_sm_enable(1));
}

/// The one that looks at the button.
pub struct StateMachine;

impl Lookout for StateMachine {
    /// Its word alone counts, because it alone has looked all the time: a level that the loop has seen twice may have been
    /// another between.
    fn report(&mut self, now: Instant, mut tell: impl FnMut(Instant, bool)) {
        let has_held = PIO0.irq().read().irq() & 1 != 0;
        if !has_held {
            return tell(now, false);
        }
        PIO0.irq().write(|register| register.set_irq(1));
        // As late as it can have been: where that is behind the end of an event, it is another.
        let since = Instant::from_millis(now.as_millis().saturating_sub(DEBOUNCE.as_millis().into()));
        tell(since, false);
        tell(since, true);
        tell(now, true);
    }
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
    /// Until the crystal swings it counts by the chip's ring oscillator, which is slower, so that it waits longer.
    fn start() -> Self {
        // SAFETY: nobody else has it: whoever turns the board on comes here once.
        let mut watchdog = watchdog::Watchdog::new(unsafe { peripherals::WATCHDOG::steal() });
        watchdog.enable_tick_generation(12);
        watchdog.start(Self::patience());
        Self(watchdog)
    }

    /// The loop turns.
    pub fn feed(&mut self) {
        self.0.feed(Self::patience());
    }

    fn patience() -> Duration {
        Duration::from_secs(WATCHDOG_S.into())
    }
}
