//! The firmware in QEMU. `cargo verify qemu` runs this; a plain `cargo test` does not, for want of an emulator.
//!
//! - `baud`: what arrives of bytes at the wrong speed.
//! - `boards`: the images for boards that can be bought, and what they take.
//! - `budget`: what the firmware costs, and may.
//! - `debugger`: what breaks a guest on purpose.
//! - `desk`: the gateway here, and what it has heard.
//! - `embassy`: what only the asynchronous main loop has.
//! - `guest`: an image in QEMU, from its start to its end, whichever comes.
//! - `joined`: `host-sim qemu` as a person runs it.
//! - `kills`: a node that loses its power a hundred times.
//! - `link`: a node in QEMU and a gateway here, over a line that loses frames, and through faults.
//! - `masked`: how long the bus masks interrupts.
//! - `ordeals`: lines that are cut, noisy or at the wrong speed; gateways that are absent, dead, or of another epoch.
//! - `person`: what a person at it types and reads.
//! - `pins`: detectors on a node's pins.
//! - `plug`: a guest and its two lines.
//! - `relay`: a relay in QEMU between a gateway and a node here, over lines with loss, and through restarts.
//! - `site`: what both ends of such a line have in common.
//! - `siren`: a siren in QEMU that a gateway here commands, and what its pins do.
//! - `small`: a whole node on a Cortex-M0 with 16 KiB of memory.
//! - `stack`: how deep the stack of a node is.
//! - `programs`: every program below `firmware/src/test/` says on every board what stands in the file beside it.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod baud;
mod boards;
mod budget;
mod debugger;
mod desk;
mod embassy;
mod guest;
mod joined;
mod kills;
mod link;
mod masked;
mod ordeals;
mod person;
mod pins;
mod plug;
mod programs;
mod relay;
mod siren;
mod site;
mod small;
mod stack;
