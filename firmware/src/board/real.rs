//! What boards that are no emulators have in common.

use alertbus::driver::contact::ContactConfig;
use alertbus::message::AlertDraft;
use alertbus::message::kind::RocketLaunch;
use alertbus::time::{Duration, Instant};
use cortex_m::Peripherals;

use crate::device::guard;
#[cfg(not(feature = "raspberry-pi-pico"))]
use crate::senses::Looks;

/// Where the blob is, as an address: the memory map says so.
pub(super) const BLOB: u32 = match u32::from_str_radix(env!("BLOB"), 16) {
    Ok(address) => address,
    Err(_) => panic!("the memory map has no number for `_blob`"),
};

/// The uplink's speed.
#[cfg(not(feature = "nrf52840-dk"))]
pub(super) const BAUD: u32 = 115_200;

/// Bytes that wait between the uplink's interrupts and the loop, each way: two frames of the longest sort.
pub(super) const RING_LEN: usize = 128;

/// The loop takes milliseconds; the longest erase of these boards is away for 800 ms.
pub(super) const WATCHDOG_S: u8 = 4;

/// How long the button must have been pressed.
pub(super) const DEBOUNCE: Duration = Duration::from_millis(20);

/// What is seen of the button while a page is erased.
#[cfg(not(feature = "raspberry-pi-pico"))]
pub(super) static LOOKS: Looks = Looks::new(DEBOUNCE);

/// Now.
#[must_use]
pub fn now() -> Instant {
    Instant::from_millis(embassy_time::Instant::now().as_millis())
}

/// Tells a person who watches: a board has nothing for that but its log, which takes two pieces a line.
pub fn tell(pieces: &[&str]) {
    let mut pieces = pieces.iter().copied();
    while let Some(_first) = pieces.next() {
        let _second = pieces.next().unwrap_or_default();
        log!(error, "{=str}{=str}", _first, _second);
    }
}

/// Holds the end of the stack: from `base` on there is nothing, for as many bytes as two has to the power `size_log2`.
/// What else the core has is the board's; none a second time.
pub(super) fn guard_stack((base, size_log2): (u32, u32)) -> Option<Peripherals> {
    let mut core = Peripherals::take()?;
    guard::forbid(&mut core.MPU, base, size_log2);
    Some(core)
}

/// What the board's button, or the detector's relay in its place, says.
pub(super) fn launch(active_high: bool) -> ContactConfig {
    let draft = AlertDraft::new(RocketLaunch::default());
    ContactConfig { active_high, debounce: DEBOUNCE, ..ContactConfig::launch_detector(draft) }
}
