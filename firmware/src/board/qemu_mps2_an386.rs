//! ARM's MPS2 with the images AN385 and AN386, as QEMU plays it: two boards that differ in their core only.

use cortex_m::Peripherals;

use super::mps2::Map;
use crate::device::guard;

/// Application Note 386, 2.3 and tables 3-1, 4-1 and 5-1.
pub(super) const MAP: Map = Map {
    ticks_per_ms: 25_000,
    uarts: [0x4000_4000, 0x4000_5000],
    watchdog: 0x4000_8000,
    fpga_io: 0x4002_8000,
    first_interrupt: 0,
};

/// Below the memory there is nothing (Application Note 386, table 3-1), for as many bytes as two has to this power.
const NOTHING: (u32, u32) = (0x1800_0000, 27);

pub(super) fn hold_stack(core: &mut Peripherals) {
    let (nothing, size_log2) = NOTHING;
    guard::forbid(&mut core.MPU, nothing, size_log2);
}
