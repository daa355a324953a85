//! ARM's MPS2+ with the image AN505, as QEMU plays it, in its secure state: its devices are spoken to where they stand
//! for that state, which is all that the board's controllers of security allow before anybody sets them.

use cortex_m::Peripherals;

use super::mps2::Map;

/// Application Note 505, 2.2 and tables 3-4 and 3-5; the watchdog is that of the SSE-200 (101104, 3.3).
pub(super) const MAP: Map = Map {
    ticks_per_ms: 20_000,
    uarts: [0x5020_0000, 0x5020_1000],
    watchdog: 0x5008_1000,
    fpga_io: 0x5030_2000,
    first_interrupt: 32,
};

/// The runtime has told the core where the stack ends, and the core checks it.
pub(super) fn hold_stack(_core: &mut Peripherals) {}
