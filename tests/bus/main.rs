//! The bus inside a node: against the obvious model, from many threads at once, and in front of a real node.
//!
//! A host has no interrupts; threads that fight for the same lock stand for them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod cases;
mod hand_off;
mod random;
mod threads;
mod word;
