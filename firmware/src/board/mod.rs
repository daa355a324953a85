//! The board that is chosen by its feature: one file each, and its memory map in `memory/`.
//!
//! A board with two lines, a flash and a clock has these, and a program asks for no more: `start` and what it answers,
//! two output pins among it; `flash` and where the store lies on it, `now`, `wait`, `tell`. Every board of QEMU has
//! `guard_stack`.
//!
//! For the asynchronous main loop a board has `parts`, which turns it on, and the types of those parts.

#[cfg(feature = "mps2")]
mod mps2;
#[cfg(feature = "nrf52840-dk")]
mod nrf52840_dk;
#[cfg(feature = "nucleo-f429zi")]
mod nucleo_f429zi;
#[cfg(feature = "embassy")]
mod parts;
#[cfg(feature = "qemu")]
mod qemu;
#[cfg(feature = "qemu-microbit")]
mod qemu_microbit;
#[cfg(any(feature = "qemu-mps2-an385", feature = "qemu-mps2-an386"))]
mod qemu_mps2_an386;
#[cfg(feature = "qemu-mps2-an505")]
mod qemu_mps2_an505;
#[cfg(all(feature = "mps2", feature = "embassy"))]
mod qemu_mps2_embassy;
#[cfg(feature = "raspberry-pi-pico")]
mod raspberry_pi_pico;
#[cfg(all(feature = "embassy", not(feature = "qemu")))]
mod real;

#[cfg(feature = "nrf52840-dk")]
pub use nrf52840_dk::*;
#[cfg(feature = "nucleo-f429zi")]
pub use nucleo_f429zi::*;
#[cfg(feature = "embassy")]
pub use parts::Parts;
#[cfg(feature = "qemu")]
pub use qemu::*;
#[cfg(feature = "qemu-microbit")]
pub use qemu_microbit::*;
#[cfg(any(feature = "qemu-mps2-an385", feature = "qemu-mps2-an386"))]
use qemu_mps2_an386 as chosen;
#[cfg(feature = "qemu-mps2-an505")]
use qemu_mps2_an505 as chosen;
#[cfg(all(feature = "mps2", feature = "embassy"))]
pub use qemu_mps2_embassy::*;
#[cfg(feature = "raspberry-pi-pico")]
pub use raspberry_pi_pico::*;
#[cfg(all(feature = "embassy", not(feature = "qemu")))]
pub use real::{now, tell};

#[cfg(feature = "mps2")]
pub use mps2::*;

/// An interrupt's entry in the vector table.
#[cfg(feature = "qemu")]
type Vector = unsafe extern "C" fn();

#[cfg(feature = "qemu")]
unsafe extern "C" {
    /// What answers an exception or interrupt for which there is no other handler.
    fn DefaultHandler();
}

/// Where the mark stands that says that numbers have been used, from the blob on.
#[cfg(feature = "board")]
#[allow(clippy::as_conversions, reason = "64 fits")]
pub(crate) const USED: u32 = alertbus::provision::USED_MARK_OFFSET as u32;

/// A length on a flash, which 32 bits address.
#[cfg(feature = "board")]
#[allow(clippy::as_conversions, reason = "a microcontroller's lengths have 32 bits")]
const fn len(len: usize) -> u32 {
    len as u32
}
