//! What a siren keeps beside its numbers.

use core::task::Poll;

use super::StoreError;
use crate::limits::NOTE_LEN;

/// A siren's own words to itself: what it needs to know after a start, in a form of its own.
pub type Note = [u8; NOTE_LEN];

/// Keeps one note. A call may answer [`Poll::Pending`], as of [`Store`](super::Store).
pub trait Keep {
    /// The note that was kept last; none where there has been none.
    ///
    /// # Errors
    /// The device failed.
    fn load(&mut self) -> Poll<Result<Option<Note>, StoreError>>;

    /// Keeps this note in place of the last. A cut in between leaves one of the two, whole.
    ///
    /// # Errors
    /// Then it need not survive a power cut.
    fn keep(&mut self, note: &Note) -> Poll<Result<(), StoreError>>;
}
