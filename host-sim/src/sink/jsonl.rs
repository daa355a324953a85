//! One JSON object a line, for programs.

use std::io::{self, Write};

use super::{Delivery, Sink};

/// Writes JSON lines.
pub struct JsonLines<W> {
    name: String,
    out: W,
}

impl<W: Write> JsonLines<W> {
    /// JSON lines on `out`, which messages call `name`.
    pub const fn new(name: String, out: W) -> Self {
        Self { name, out }
    }
}

impl<W: Write + Send + 'static> Sink for JsonLines<W> {
    fn name(&self) -> &str {
        &self.name
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        serde_json::to_writer(&mut self.out, delivery)?;
        self.out.write_all(b"\n")
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}
