//! The documented incidents through the whole program: the same twice, whole under faults, accounted for when lost.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod program;
mod sweep;
mod world;
