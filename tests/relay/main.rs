//! A relay between nodes and a gateway, and one that meets everything that can go wrong on the air.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod air;
mod cases;
mod model;
mod random;
mod way;
