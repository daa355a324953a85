//! A live gateway and simulated nodes as they run: processes that talk over 127.0.0.1, are killed, lied to and starved.
//!
//! Nothing here looks at how long something took. What is waited for is waited for until it comes, or until so much
//! time is gone that it never will.
#![cfg(all(test, unix))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod alerts;
mod ends;
mod hostile;
mod kills;
mod program;
mod sirens;
mod state;
