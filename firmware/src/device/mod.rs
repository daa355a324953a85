//! What boards are made of, each device in a file of its own.

#[cfg(feature = "embassy")]
mod alarm;
pub(crate) mod cmsdk_uart;
pub(crate) mod cmsdk_watchdog;
pub(crate) mod console;
pub(crate) mod guard;
pub(crate) mod host_file;
mod register;
mod ring;
pub(crate) mod ticks;
#[cfg(feature = "embassy")]
mod waiting;
