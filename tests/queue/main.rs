//! The precedence queue against the obvious one: a list that is searched from end to end for every question.
//!
//! `model` says what is right in as few words as possible, `pair` runs both and compares all that can be seen.
//! Small queues meet every sequence of operations there is, large ones long random ones; the two promises of the
//! queue's documentation are tested once more without the model, so that a mistake in the model can't hide one.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on should stop where it stands")]

mod exhaustive;
mod model;
mod pair;
mod promises;
mod random;
