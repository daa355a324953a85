//! Lines for whoever watches a board in QEMU, on QEMU's standard error: standard output belongs to the log.
//!
//! Pieces are written as they are, without the formatting of the standard library: that would be a quarter of a node's
//! image, and could panic.

use core::cell::Cell;

use cortex_m_semihosting::hio::{self, HostStream};
use critical_section::Mutex;

/// Opened for the first line, and kept.
static STREAM: Mutex<Cell<Option<HostStream>>> = Mutex::new(Cell::new(None));

/// Writes a line that is made of these pieces. Where nobody listens, nobody is told.
pub(crate) fn line(pieces: &[&str]) {
    let kept = critical_section::with(|masked| STREAM.borrow(masked).get());
    let Some(mut stream) = kept.or_else(|| hio::hstderr().ok()) else { return };
    critical_section::with(|masked| STREAM.borrow(masked).set(Some(stream)));
    for piece in pieces.iter().chain(&["\n"]) {
        if stream.write_all(piece.as_bytes()).is_err() {
            return;
        }
    }
}
