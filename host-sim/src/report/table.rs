//! The report as people read it.

use std::fmt;

use super::{Failures, PrecedenceRow, Summary, WarningRow};

/// A column: its head, and what stands in it.
type Column = (&'static str, fn(&PrecedenceRow) -> u64);

/// Why an alert did not arrive by itself.
const REASONS: [Column; 8] = [
    ("merged", |row| row.merged),
    ("replaced", |row| row.replaced),
    ("refused", |row| row.refused),
    ("displaced", |row| row.displaced),
    ("expired", |row| row.expired),
    ("undelivered", |row| row.undelivered),
    ("cut-off", |row| row.cut_off),
    ("open", |row| row.open),
];

impl fmt::Display for Summary {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.interrupted {
            writeln!(f, "\nINTERRUPTED: what follows is the state at that moment.")?;
        }
        self.tallies(f)?;
        self.precedences(f)?;
        self.warnings(f)?;
        self.totals(f)?;
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
        let rows = || self.precedences.iter().filter(|row| row.raised > 0);
        // Of the reasons why something did not arrive by itself only those that there were.
        let reasons: Vec<_> = REASONS.iter().filter(|(_, count)| rows().any(|row| count(row) > 0)).collect();
        write!(f, "\nprecedence  raised  delivered  late")?;
        for (name, _) in &reasons {
            write!(f, "  {name}")?;
        }
        writeln!(f, "  {:>10}  {:>10}  {:>10}", "p50", "p99", "worst")?;
        for row in rows() {
            let PrecedenceRow { precedence, raised, delivered, late, .. } = row;
            write!(f, "{precedence:<10}  {raised:>6}  {delivered:>9}  {late:>4}")?;
            for (name, count) in &reasons {
                write!(f, "  {:>1$}", count(row), name.len())?;
            }
            writeln!(
                f,
                "  {:>10}  {:>10}  {:>10}",
                latency(row.latency_ms_p50),
                latency(row.latency_ms_p99),
                latency(row.latency_ms_max)
            )?;
        }
        Ok(())
    }

    fn totals(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "\n{}, {}: {} delivered, {} lost, {} delivered twice, {} forged",
            count(self.incidents, "incident"),
            count(self.alerts, "alert"),
            self.delivered,
            self.lost,
            self.duplicates_delivered,
            self.forged_delivered
        )?;
        if self.not_played > 0 {
            write!(f, ", {} not played", self.not_played)?;
        }
        writeln!(f)
    }

    /// From detection to siren, then what no siren follows.
    fn warnings(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.warnings.is_empty() {
            return Ok(());
        }
        // Where nobody says which sites have active defences there is nothing to tell apart.
        let umbrella = self.warnings.iter().any(|row| row.umbrella);
        let width = self.warnings.iter().map(|row| row.site.len()).max().unwrap_or(0).max(30);
        let (head, column) = ("from detection to siren", if umbrella { "  umbrella" } else { "" });
        writeln!(f, "\n{head:<width$}{column}  sirens  alerts  warned         p50       worst")?;
        for row in self.warnings.iter().filter(|row| !row.convoy) {
            row.line(f, width, umbrella)?;
        }
        if self.warnings.iter().any(|row| row.convoy) {
            writeln!(f, "{}", if umbrella { "convoys, outside the umbrella" } else { "convoys" })?;
            for row in self.warnings.iter().filter(|row| row.convoy) {
                row.line(f, width, umbrella)?;
            }
        }
        Ok(())
    }

    fn frames(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(
            f,
            "bytes    {} at most, {} in the median: sealed packets of the small radio profile, first transmission",
            self.bytes_max, self.bytes_median
        )?;
        writeln!(
            f,
            "frames   {} sent, {} dropped, {} duplicated, {} reordered, {} corrupted, {} rejected; {}, {} of \
             nodes received",
            self.frames_sent,
            self.frames_dropped,
            self.frames_duplicated,
            self.frames_reordered,
            self.frames_corrupted,
            self.frames_rejected,
            retries(self.retries),
            count(self.reports, "report")
        )?;
        self.failures(f)?;
        writeln!(
            f,
            "time     {} played; {} of quiet between incidents skipped",
            span(self.played_ms),
            span(self.quiet_skipped_ms)
        )
    }

    /// Nothing where nothing befell anybody.
    fn failures(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Failures { reboots, brown_outs, partitions, gateway_kills, .. } = self.failures;
        if reboots + brown_outs + partitions + gateway_kills > 0 {
            writeln!(
                f,
                "failures {}, {}, {}, {}",
                count(reboots, "reboot"),
                count(brown_outs, "brown-out"),
                count(partitions, "cut line"),
                count(gateway_kills, "gateway kill")
            )?;
        }
        let Failures { forgeries_tried, replays_tried, replays_accepted, .. } = self.failures;
        if forgeries_tried + replays_tried > 0 {
            let taken = self.forged_delivered + replays_accepted;
            writeln!(
                f,
                "attacks  {forgeries_tried} forgeries and {replays_tried} replays tried, {taken} accepted"
            )?;
        }
        Ok(())
    }
}

impl WarningRow {
    fn line(&self, f: &mut fmt::Formatter<'_>, width: usize, umbrella: bool) -> fmt::Result {
        write!(f, "{:<width$}", self.site)?;
        if umbrella {
            write!(f, "  {:<8}", if self.umbrella { "yes" } else { "no" })?;
        }
        writeln!(
            f,
            "  {:>6}  {:>6}  {:>6}  {:>10}  {:>10}",
            self.sirens,
            self.alerts,
            self.warned,
            latency(self.warning_ms_p50),
            latency(self.warning_ms_max)
        )
    }
}

fn retries(number: u64) -> String {
    if number == 1 { "1 retry".into() } else { format!("{number} retries") }
}

/// `1 alert`, `2 alerts`.
#[must_use]
pub fn count(number: u64, noun: &str) -> String {
    format!("{number} {noun}{}", if number == 1 { "" } else { "s" })
}

fn latency(ms: Option<u64>) -> String {
    ms.map_or_else(|| "-".into(), |ms| format!("{}.{:03} s", ms / 1_000, ms % 1_000))
}

/// `448 d 3 h`, `43 h 20 min`: two units are enough.
fn span(ms: u64) -> String {
    let minutes = ms / 60_000;
    let (days, hours) = (minutes / (24 * 60), minutes / 60 % 24);
    match (days, hours) {
        (0, 0) => format!("{minutes} min"),
        (0, _) => format!("{hours} h {} min", minutes % 60),
        _ => format!("{days} d {hours} h"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_and_latencies() {
        assert_eq!(span(26 * 60 * 60_000), "1 d 2 h");
        assert_eq!((span(61 * 60_000), span(19 * 60_000)), ("1 h 1 min".into(), "19 min".into()));
        assert_eq!((count(1, "alert"), count(0, "alert")), ("1 alert".into(), "0 alerts".into()));
        assert_eq!((latency(None), latency(Some(1_053))), ("-".into(), "1.053 s".into()));
    }
}
