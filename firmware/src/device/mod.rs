//! What boards are made of, each device in a file of its own. Those of real boards are in their makers' crates.

#[cfg(all(feature = "mps2", feature = "embassy"))]
mod alarm;
#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_uart;
#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_watchdog;
#[cfg(feature = "qemu")]
pub(crate) mod console;
#[cfg(feature = "mps2")]
pub(crate) mod fpga_io;
#[cfg(not(any(feature = "qemu-mps2-an505", feature = "qemu-microbit")))]
pub(crate) mod guard;
#[cfg(feature = "qemu")]
pub(crate) mod host_file;
#[cfg(feature = "qemu")]
pub(crate) mod level;
#[cfg(feature = "qemu-microbit")]
pub(crate) mod nrf51_uart;
#[cfg(feature = "qemu")]
mod register;
#[cfg(feature = "qemu")]
mod ring;
#[cfg(feature = "qemu")]
pub(crate) mod ticks;
#[cfg(feature = "qemu")]
pub(crate) mod uart;
#[cfg(all(feature = "mps2", feature = "embassy"))]
mod waiting;
