//! ARM's MPS2 with the images AN385 and AN386, as QEMU plays it: two boards that differ in their core only.

use super::{DefaultHandler, Vector};

// SAFETY: the runtime's linker script places this behind the exceptions, and wants an entry at least.
#[unsafe(link_section = ".vector_table.interrupts")]
// SAFETY: the runtime has no other symbol of this name where its feature `device` is on.
#[unsafe(no_mangle)]
static __INTERRUPTS: [Vector; 1] = [DefaultHandler];
