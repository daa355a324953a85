//! Firmware in QEMU: the image, the process, and what its log says.
//!
//! QEMU ends with this program however that ends, where the system can see to it; and it holds the lock of its folder
//! for as long as it lives, so that no two boards ever have one flash.

mod image;
mod log;
mod process;

pub use image::{Image, ImageError};
pub use log::{Level, LogLine};
pub use process::{Emulator, Guest, GuestError, GuestTold, QEMU, Start};
