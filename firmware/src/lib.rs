//! The alert bus on microcontrollers.
//!
//! Everything that decides is in [`alertbus`]; here bytes and time are moved, and a program is made of it for a board.
//! A board is a Cargo feature and a file in `board/`; without one this crate is empty, so that a workspace can be
//! checked on a host.
//!
//! | module | is |
//! | --- | --- |
//! | `board` | the one board that is chosen: its interrupts, its clock rate, what is where |
//! | `counter` | instructions, counted |
//! | `device` | what boards are made of: lines, clock, watchdog, flash |
//! | `fault` | what happens when the program cannot go on |
//! | `line` | packets on a byte stream |
//! | `lora` | a radio in the place of the UART: where another link goes |
//! | `node` | a sensor node, everything but its main loop |
//! | `provisioned` | what a board was provisioned with, and what it says where it was not |
//! | `relay` | a relay between two lines, everything but its main loop |
//! | `senses` | what a node sees with, for an asynchronous main loop |
//! | `siren` | a siren, everything but its main loop |
//! | `watch` | detectors on input pins, between an interrupt and the loop |
//! | `witness` | what a test wants to know of a node |
//! | `testing` | what the programs below `src/test/` have in common |
//!
//! # Unsafe code
//!
//! A microcontroller cannot be spoken to without it. It is allowed here and nowhere else in the workspace, in few
//! places, each with its reason.
#![no_std]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]
#![warn(clippy::undocumented_unsafe_blocks, clippy::multiple_unsafe_ops_per_block)]

#[cfg(feature = "board")]
#[macro_use]
mod log;

#[cfg(feature = "board")]
pub mod board;
#[cfg(all(feature = "mps2", feature = "testing"))]
pub mod counter;
#[cfg(feature = "board")]
pub mod device;
#[cfg(feature = "board")]
pub mod fault;
#[cfg(feature = "board")]
pub mod line;
#[cfg(feature = "lora")]
pub mod lora;
#[cfg(feature = "board")]
pub mod node;
#[cfg(feature = "board")]
pub mod provisioned;
#[cfg(feature = "mps2")]
pub mod relay;
#[cfg(feature = "embassy")]
pub mod senses;
#[cfg(feature = "mps2")]
pub mod siren;
#[cfg(all(feature = "qemu", feature = "testing"))]
pub mod testing;
#[cfg(feature = "board")]
pub mod watch;
#[cfg(feature = "witness")]
mod witness;
