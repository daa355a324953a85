//! Tables for people: the time line, and the counts beside those of the sources.

use std::io::{self, Write};
use std::process::ExitCode;

use super::{View, date, date_of_event, kinds};
use crate::cli::EXPECTATION_FAILED;
use crate::replay::tallies;
use crate::report;
use crate::scenario::{ContextEvent, Date, Mark};

/// The time line, oldest first, with context events among the incidents.
pub(super) fn print(view: &View<'_>, context: &[ContextEvent], out: &mut impl Write) -> io::Result<()> {
    let mut rows: Vec<(u64, [String; 7])> = Vec::new();
    for incident in &view.incidents {
        // Milliseconds say too much of an hour that is modelled.
        let played = view.time(incident.at_ms).get(..16).unwrap_or_default().replace('T', " ");
        rows.push((
            incident.at_ms,
            [
                date(incident),
                played,
                incident.mark.name().into(),
                kinds(incident).join("+"),
                incident.site.clone(),
                incident.id.clone(),
                incident.title.clone(),
            ],
        ));
    }
    for event in context {
        let row = [date_of_event(event), "-".into(), "context".into(), "-".into(), "-".into()];
        let [when, played, mark, kind, site] = row;
        let at_ms = Date::unix_ms(event.from, view.utc_offset_min());
        rows.push((at_ms, [when, played, mark, kind, site, event.id.clone(), event.title.clone()]));
    }
    rows.sort();
    let head = ["date", "played", "mark", "kind", "site", "id", "title"].map(String::from);
    let lines: Vec<_> = std::iter::once(head).chain(rows.into_iter().map(|(_, row)| row)).collect();
    aligned(&lines, &[], out)?;

    let alerts: usize = view.incidents.iter().map(|incident| incident.alerts.len()).sum();
    let marked = |mark| view.incidents.iter().filter(|incident| incident.mark == mark).count();
    let modelled = match marked(Mark::Modelled) {
        0 => String::new(),
        drills => format!(", {drills} modelled"),
    };
    writeln!(
        out,
        "\n{} with {}: {} documented, {} reconstructed{modelled}. `played` comes from seed {}: hours always, days \
         where `date` is no day.",
        report::count(view.incidents.len() as u64, "incident"),
        report::count(alerts as u64, "alert"),
        marked(Mark::Documented),
        marked(Mark::Reconstructed),
        view.seed
    )
}

/// One line a tally, in the order of the file.
pub(super) fn tally(view: &View<'_>, json: bool, out: &mut impl Write) -> io::Result<ExitCode> {
    let rows = tallies(view.scenario, &view.incidents);
    let mut lines =
        vec![["tally", "quarter", "documented", "reconstructed", "total", "source", ""].map(String::from)];
    for line in &rows {
        if json {
            serde_json::to_writer(&mut *out, line)?;
            writeln!(out)?;
        }
        let verdict = if line.matches { "matches" } else { "DIFFERS" };
        lines.push([
            line.tally.into(),
            line.quarter.clone(),
            line.documented.to_string(),
            line.reconstructed.to_string(),
            line.total.to_string(),
            line.source_total.to_string(),
            verdict.into(),
        ]);
    }
    if !json && rows.is_empty() {
        writeln!(out, "the scenario has no tally: there is nothing to compare its incidents with")?;
    } else if !json {
        aligned(&lines, &[2, 3, 4, 5], out)?;
    }
    Ok(if rows.iter().all(|row| row.matches) {
        ExitCode::SUCCESS
    } else {
        ExitCode::from(EXPECTATION_FAILED)
    })
}

/// Writes rows in columns as wide as their widest cell; the columns in `right` are aligned to the right.
pub(in crate::cli) fn aligned<const N: usize>(
    rows: &[[String; N]],
    right: &[usize],
    out: &mut impl Write,
) -> io::Result<()> {
    let mut widths = [0; N];
    for row in rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.chars().count().max(*width);
        }
    }
    for row in rows {
        let mut line = String::new();
        for (column, (cell, width)) in row.iter().zip(widths).enumerate() {
            let cell =
                if right.contains(&column) { format!("{cell:>width$}") } else { format!("{cell:width$}") };
            line.push_str(&cell);
            line.push_str("  ");
        }
        writeln!(out, "{}", line.trim_end())?;
    }
    Ok(())
}
