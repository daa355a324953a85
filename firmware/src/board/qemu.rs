//! What all boards have in common that QEMU plays: a flash that is a file of the host, input pins that a bench moves, a
//! clock, and a line to whoever watches.

use alertbus::store::Layout;
use alertbus::time::Instant;
use cortex_m::Peripherals;
use cortex_m::peripheral::SCB;
use cortex_m::peripheral::scb::SystemHandler;

use crate::device::host_file::{HostFile, PAGE_LEN};
use crate::device::level::Level;
use crate::device::{console, ticks};

pub use crate::device::host_file::cut_power_after;

/// How many of its milliseconds those of this program last.
pub(super) const SLOWNESS: u32 = if cfg!(feature = "slow-clock") { 600 } else { 1 };

/// One with what it was provisioned with, two of counters, two of journal.
const FLASH_PAGES: usize = 5;

/// Where the store lies on the flash: behind the page with the blob, which holds the mark.
pub const STORE: Layout =
    Layout { used: super::USED, base: super::len(PAGE_LEN), pages: super::len(FLASH_PAGES - 1) };

/// The board's flash.
pub type Flash = HostFile<FLASH_PAGES>;

/// Nothing is seen yet: no launch, a whole wire, a closed lid.
static INPUTS: [Level; 3] = [Level::new(true), Level::new(false), Level::new(false)];

/// The least urgent of an interrupt's priorities.
const LAST: u8 = 0xff;

/// A pin for a detector.
pub type InputPin = &'static Level;

/// Starts the clock, where that of the core has so many ticks in a millisecond.
pub(super) fn start_clock(core: &mut Peripherals, ticks_per_ms: u32) {
    ticks::start(&mut core.SYST, SLOWNESS * ticks_per_ms);
    // SAFETY: it is not on yet, and no critical section goes by priority.
    unsafe { core.SCB.set_priority(SystemHandler::PendSV, LAST) };
}

/// From now on `PendSV` comes each millisecond, and at each edge of an input pin; the program answers it.
pub fn watch_pins() {
    ticks::follow();
}

/// The input pins, in the order of [`Sensor`](crate::watch::Sensor).
#[must_use]
pub fn input_pins() -> [InputPin; 3] {
    INPUTS.each_ref()
}

/// Moves an input pin, for a bench. False where there is no such pin.
pub fn set_input(number: u8, is_high: bool) -> bool {
    let input = INPUTS.get(usize::from(number));
    if let Some(input) = input {
        input.set(is_high);
        SCB::set_pendsv();
    }
    input.is_some()
}

/// The flash; none where the host has no file for it.
#[must_use]
pub fn flash() -> Option<Flash> {
    Flash::open().ok()
}

/// Now.
#[must_use]
pub fn now() -> Instant {
    ticks::now()
}

/// Tells a person who watches, in a line that is made of these pieces.
pub fn tell(pieces: &[&str]) {
    console::line(pieces);
}
