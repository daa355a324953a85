//! ARM's MPS2+ with the image AN505, as QEMU plays it, in its secure state.

use super::{DefaultHandler, Vector};

/// Holds the end of the stack: the runtime has told the core where that is, and the core checks it.
pub fn guard_stack() {}

// SAFETY: the runtime's linker script places this behind the exceptions, and wants an entry at least.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the runtime has no other symbol of this name where its feature `device` is on.
#[unsafe(no_mangle)]
static __INTERRUPTS: [Vector; 1] = [DefaultHandler];
