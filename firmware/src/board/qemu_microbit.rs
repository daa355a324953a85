//! The BBC micro:bit, as QEMU plays it: the small end.

use super::{DefaultHandler, Vector};

/// Holds the end of the stack: there is nothing below the memory, so the bus refuses what goes there.
pub fn guard_stack() {}

// SAFETY: the runtime's linker script places this behind the exceptions, and wants an entry at least.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the runtime has no other symbol of this name where its feature `device` is on.
#[unsafe(no_mangle)]
static __INTERRUPTS: [Vector; 1] = [DefaultHandler];
