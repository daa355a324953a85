//! One line an alert, for people.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};

use super::{Delivery, Sink};

/// Writes aligned lines; colour only repeats what the words say.
pub struct Console<W> {
    out: W,
    titles_written: bool,
    /// There is a column for where each alert goes.
    has_destinations: bool,
}

impl<W: Write> Console<W> {
    /// A console on `out`.
    pub const fn new(out: W) -> Self {
        Self { out, titles_written: false, has_destinations: false }
    }

    /// The same with a column for where each alert goes.
    #[must_use]
    pub fn with_destinations(self) -> Self {
        Self { has_destinations: true, ..self }
    }

    fn destinations(&self, to: &str) -> String {
        if self.has_destinations { format!("{to:<46}  ") } else { String::new() }
    }
}

impl<W: Write + Send + 'static> Sink for Console<W> {
    fn name(&self) -> &str {
        "console"
    }

    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()> {
        if !self.titles_written {
            self.titles_written = true;
            let to = self.destinations("to");
            writeln!(
                self.out,
                "{:<19}  {:<9}  {:<15}  {:<23}  {:>5}  {:>10}  {:<13}  {to}headline",
                "time", "precedence", "kind", "site", "bytes", "latency", "mark"
            )?;
        }
        let Delivery { precedence, kind, site, mark, headline, .. } = delivery;
        let style = style(precedence);
        let time = delivery.time.get(..19).unwrap_or(&delivery.time).replace('T', " ");
        let bytes = delivery.bytes.map_or_else(|| "-".to_owned(), |bytes| bytes.to_string());
        let latency = delivery.latency_ms.map_or_else(|| delivery.outcome.to_owned(), seconds);
        let to = self.destinations(&delivery.to.join(" "));
        writeln!(
            self.out,
            "{time}  {style}{precedence:<10}{style:#}  {kind:<15}  {site:<23}  {bytes:>5}  {latency:>10}  {mark:<13}  \
             {to}{headline}"
        )
    }

    fn flush(&mut self) -> io::Result<()> {
        self.out.flush()
    }
}

fn style(precedence: &str) -> Style {
    match precedence {
        "flash" => AnsiColor::Red.on_default().bold(),
        "immediate" => AnsiColor::Yellow.on_default(),
        "priority" => AnsiColor::Cyan.on_default(),
        _ => Style::new(),
    }
}

/// `0.153 s`: milliseconds matter to a warning, and nobody converts them in a hurry.
fn seconds(ms: u64) -> String {
    format!("{}.{:03} s", ms / 1_000, ms % 1_000)
}
