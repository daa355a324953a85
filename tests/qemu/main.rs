//! The firmware in QEMU. `cargo verify qemu` runs this; a plain `cargo test` does not, for want of an emulator.
//!
//! - `boards`: the images for boards that can be bought, and what they take.
//! - `budget`: what the firmware costs, and may.
//! - `debugger`: what breaks a guest on purpose.
//! - `embassy`: what only the asynchronous main loop has.
//! - `guest`: an image in QEMU, from its start to its end, whichever comes.
//! - `link`: a node in QEMU and a gateway here, over a line that loses frames, and through power cuts and faults.
//! - `site`: what both ends of such a line have in common.
//! - `programs`: every program below `firmware/src/test/` says on every board what stands in the file beside it.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod boards;
mod budget;
mod debugger;
mod embassy;
mod guest;
mod link;
mod programs;
mod site;
