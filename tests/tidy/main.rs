//! The rules of this code that a compiler does not know, each as a test.
//!
//! A rule prints `path:line: what is wrong` for everything it finds, and has a test of its own that shows it
//! finding a violation made up for it: a rule that cannot fail holds nothing.
//!
//! - `layers`: which module may know which.
//! - `size`: how long a file and a function may be.
//! - `words`: what must not stand in a file at all.
//! - `formats`: every public type of core can be logged, and no secret by it.

#![cfg(test)]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod formats;
mod layers;
mod size;
mod source;
mod words;

/// Fails with every violation on a line of its own.
fn hold(violations: &[String]) {
    assert!(violations.is_empty(), "\n{}\n", violations.join("\n"));
}
