//! The wire format, version 1: known answers of the ciphers, golden packets, a second implementation to compare
//! with, and everything that must be refused.
//!
//! `golden/wire_v1.json` is for implementers in other languages too. Vectors are added, never edited: new ones
//! are written by the environment variable `ALERTBUS_GOLDEN=append`, which refuses to change one that is there.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod core_side;
mod coverage;
mod document;
mod frames;
mod golden;
mod hex;
mod inventory;
mod inventory_commands;
mod inventory_words;
mod known_answers;
mod orders;
mod random;
mod readers;
mod spec;
mod spec_body;
mod tampering;
mod vector;
mod windows;
