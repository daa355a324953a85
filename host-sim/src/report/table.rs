//! The report as people read it.

use std::fmt;

use super::{PrecedenceRow, Summary};

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "\nINTERRUPTED: what follows is the state at that moment.")?;
        }
        self.tallies(f)?;
        self.precedences(f)?;
        self.frames(f)?;
        writeln!(f, "\nseed {}  run-hash {}", self.seed, self.run_hash)
    }
}

impl Summary {
    fn tallies(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.tallies.is_empty() {
            return Ok(());
        }
        writeln!(f, "\n{:<18}  quarter  documented  reconstructed  total  source", "tally")?;
        for row in &self.tallies {
            let verdict = if row.matches { "matches" } else { "differs" };
            writeln!(
                f,
                "{:<18}  {:<7}  {:>10}  {:>13}  {:>5}  {:>6}  {verdict}",
                row.tally, row.quarter, row.documented, row.reconstructed, row.total, row.source_total
            )?;
        }
        Ok(())
    }

    fn precedences(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "\nprecedence  raised  delivered  late  refused  displaced  expired  undelivered  open        p50        \
             p99      worst"
        )?;
        for row in self.precedences.iter().filter(|row| row.raised > 0) {
            let PrecedenceRow { precedence, raised, delivered, late, refused, displaced, .. } = row;
            let PrecedenceRow { expired, undelivered, open, .. } = row;
            writeln!(
                f,
                "{precedence:<10}  {raised:>6}  {delivered:>9}  {late:>4}  {refused:>7}  {displaced:>9}  \
                 {expired:>7}  {undelivered:>11}  {open:>4}  {:>9}  {:>9}  {:>9}",
                latency(row.latency_ms_p50),
                latency(row.latency_ms_p99),
                latency(row.latency_ms_max)
            )?;
        }
        writeln!(
            f,
            "\n{} incidents, {} alerts: {} delivered, {} lost, {} delivered twice, {} forged",
            self.incidents,
            self.alerts,
            self.delivered,
            self.lost,
            self.duplicates_delivered,
            self.forged_delivered
        )
    }

    fn frames(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "bytes    {} at most, {} in the median: sealed packets of the small radio profile, first transmission",
            self.bytes_max, self.bytes_median
        )?;
        writeln!(
            f,
            "frames   {} sent, {} dropped, {} duplicated, {} reordered, {} corrupted, {} rejected; {} retries, {} \
             reports received",
            self.frames_sent,
            self.frames_dropped,
            self.frames_duplicated,
            self.frames_reordered,
            self.frames_corrupted,
            self.frames_rejected,
            self.retries,
            self.reports
        )?;
        writeln!(
            f,
            "time     {} played; {} of quiet between incidents skipped",
            span(self.played_ms),
            span(self.quiet_skipped_ms)
        )
    }
}

fn latency(ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".into(), |ms| format!("{}.{:03} s", ms / 1_000, ms % 1_000))
}

/// `448 d 3 h`, `43 h 20 min`: two units are enough.
fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
    if days > 0 { format!("{days} d {hours} h") } else { format!("{hours} h {} min", minutes % 60) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_latencies() {
        assert_eq!(span(26 * 60 * 60_000), "1 d 2 h");
        assert_eq!(span(61 * 60_000), "1 h 1 min");
        assert_eq!((latency(None), latency(Some(1_053))), ("-".into(), "1.053 s".into()));
    }
}
