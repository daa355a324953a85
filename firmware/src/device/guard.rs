//! The end of the stack, held by the memory protection unit of ARMv7-M.
//!
//! The stack lies at the lower end of memory. What is below may be nothing at all, and on some machines a write to
//! nothing is passed over in silence: then a stack that overflows loses its words, and the program goes on with zeros.

use cortex_m::peripheral::MPU;

const ENABLE: u32 = 1 << 0;
/// All else is as without the unit.
const KEEP_DEFAULT: u32 = 1 << 2;
/// Nothing is fetched, read or written there.
const NO_ACCESS: u32 = 1 << 28;

/// Forbids the 2<sup>`size_log2`</sup> bytes from `base` on, which is a multiple of that.
pub(crate) fn forbid(unit: &mut MPU, base: u32, size_log2: u32) {
    let size = size_log2.saturating_sub(1) << 1;
    // SAFETY: region 0 is nobody else's, and nothing of the program lies in what it forbids: the board says so.
    unsafe {
        unit.rnr.write(0);
    }
    // SAFETY: as above.
    unsafe {
        unit.rbar.write(base);
    }
    // SAFETY: as above.
    unsafe {
        unit.rasr.write(NO_ACCESS | size | ENABLE);
    }
    // SAFETY: as above; what no region names is as it was.
    unsafe {
        unit.ctrl.write(KEEP_DEFAULT | ENABLE);
    }
    cortex_m::asm::dsb();
    cortex_m::asm::isb();
}
