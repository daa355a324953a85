//! Lines for whoever watches a board in QEMU, on QEMU's standard error: standard output belongs to the log.
//!
//! Pieces are written as they are, without the formatting of the standard library: that would be a quarter of a node's
//! image, and could panic.

use cortex_m_semihosting::hio;

/// Writes a line that is made of these pieces. Where nobody listens, nobody is told.
pub(crate) fn line(pieces: &[&str]) {
    let Ok(mut stream) = hio::hstderr() else { return };
    for piece in pieces.iter().chain(&["\n"]) {
        if stream.write_all(piece.as_bytes()).is_err() {
            return;
        }
    }
}
