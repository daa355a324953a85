//! What boards are made of, each device in a file of its own.

pub(crate) mod cmsdk_uart;
pub(crate) mod cmsdk_watchdog;
pub(crate) mod console;
pub(crate) mod fpga_io;
pub(crate) mod guard;
pub(crate) mod host_file;
pub(crate) mod level;
mod register;
mod ring;
pub(crate) mod ticks;
