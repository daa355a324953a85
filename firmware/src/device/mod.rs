//! What boards are made of, each device in a file of its own. Those of real boards are in their makers' crates.

#[cfg(all(feature = "mps2", feature = "embassy"))]
mod alarm;
#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_uart;
#[cfg(feature = "mps2")]
pub(crate) mod cmsdk_watchdog;
#[cfg(feature = "mps2")]
pub(crate) mod console;
#[cfg(feature = "mps2")]
pub(crate) mod fpga_io;
#[cfg(not(feature = "qemu-mps2-an505"))]
pub(crate) mod guard;
#[cfg(feature = "mps2")]
pub(crate) mod host_file;
#[cfg(feature = "mps2")]
pub(crate) mod level;
#[cfg(feature = "mps2")]
mod register;
#[cfg(feature = "mps2")]
mod ring;
#[cfg(feature = "mps2")]
pub(crate) mod ticks;
#[cfg(all(feature = "mps2", feature = "embassy"))]
mod waiting;
