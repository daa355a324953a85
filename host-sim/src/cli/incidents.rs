//! `host-sim incidents`: the data set as a table, as CSV, JSON or GeoJSON, and against the sources' counts.

mod csv;
mod geojson;
mod json;
mod show;
pub(super) mod table;

use std::io::{self, BufWriter, Write};
use std::process::ExitCode;

use anyhow::bail;
use glob::Pattern;

use super::values;
use crate::scenario::{
    ContextEvent, Date, Incident, Mark, PlannedAlert, Precision, Quarter, Scenario, local_time,
};

/// Show the incidents of a scenario, and whether they add up to what the sources count
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(default_value = Scenario::DEFAULT, value_parser = values::ScenarioName, hide_possible_values = true,
          help = values::scenario_help())]
    scenario: String,
    /// Shapes what is reconstructed or not known to the hour
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// Compare with the counts of the sources; exit code 1 where they differ
    #[arg(long, conflicts_with_all = ["show", "csv", "geojson", "documented", "only", "context"])]
    tally: bool,
    /// Show one incident or context event, field by field, with what each rests on
    #[arg(long, value_name = "ID", conflicts_with_all = ["csv", "geojson", "documented", "only", "context"])]
    show: Option<String>,
    /// Only what a source states, nothing reconstructed
    #[arg(long)]
    documented: bool,
    /// Only incidents whose id, site or kind fits the pattern, for example `convoys-*`
    #[arg(long, value_name = "GLOB", value_parser = values::pattern)]
    only: Option<Pattern>,
    /// Also what happened and raised no alert
    #[arg(long, conflicts_with_all = ["csv", "geojson"])]
    context: bool,
    /// Comma-separated values, one line an alert
    #[arg(long, conflicts_with_all = ["json", "geojson"])]
    csv: bool,
    /// One JSON object a line
    #[arg(long, conflicts_with = "geojson")]
    json: bool,
    /// One GeoJSON feature an incident
    #[arg(long)]
    geojson: bool,
}

/// Prints what is asked for to standard output.
///
/// # Errors
/// The scenario is invalid ([`crate::document::Invalid`]), nothing is left to show, or standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let code = print(args, &mut out)?;
    out.flush()?;
    Ok(code)
}

fn print(args: &Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let scenario = Scenario::open(&args.scenario)?;
    let view = View { incidents: scenario.timeline(args.seed), scenario: &scenario, seed: args.seed };
    if args.tally {
        return Ok(table::tally(&view, args.json, out)?);
    }
    if let Some(id) = &args.show {
        show::show(&view, id, args.json, out)?;
        return Ok(ExitCode::SUCCESS);
    }
    let whole = view.incidents.len();
    let view = view.retain(|incident| args.keeps(incident));
    let context = if args.context { &*scenario.file().context } else { &[] };
    if view.incidents.is_empty() && (whole > 0 || context.is_empty()) {
        bail!(values::none_left("show", &args.scenario, whole, &args.filters()));
    }
    if args.json {
        json::print(&view, context, out)?;
    } else if args.csv {
        csv::print(&view, out)?;
    } else if args.geojson {
        geojson::print(&view, out)?;
    } else {
        table::print(&view, context, out)?;
    }
    Ok(ExitCode::SUCCESS)
}

impl Args {
    /// The options that leave incidents out, as they were given.
    fn filters(&self) -> Vec<String> {
        let documented = self.documented.then(|| "`--documented`".to_owned());
        let only = self.only.as_ref().map(|pattern| format!("`--only {pattern}`"));
        [documented, only].into_iter().flatten().collect()
    }

    fn keeps(&self, incident: &Incident) -> bool {
        (!self.documented || incident.mark == Mark::Documented)
            && self.only.as_ref().is_none_or(|pattern| incident.fits(pattern))
    }
}

/// A scenario under one seed, as far as it is to be shown.
struct View<'s> {
    scenario: &'s Scenario,
    incidents: Vec<Incident>,
    seed: u64,
}

impl View<'_> {
    fn retain(mut self, keep: impl FnMut(&Incident) -> bool) -> Self {
        self.incidents.retain(keep);
        self
    }

    fn utc_offset_min(&self) -> i16 {
        self.scenario.file().utc_offset_min
    }

    /// A moment in local time as RFC 3339 has it, to the millisecond.
    fn time(&self, unix_ms: u64) -> String {
        local_time(unix_ms, self.utc_offset_min())
    }
}

/// A date as exactly as it is known: `2020-01-08`, `2019-09`, `2019-06..2019-08`, `2020-Q1`, `2019`.
fn date(incident: &Incident) -> String {
    known_date(incident.precision, incident.from, incident.until)
}

fn date_of_event(event: &ContextEvent) -> String {
    known_date(event.precision, event.from, event.until)
}

fn known_date(precision: Precision, from: Date, until: Date) -> String {
    let month = |date: Date| date.0.strftime("%Y-%m").to_string();
    match precision {
        Precision::Day => from.to_string(),
        Precision::Month => month(from),
        Precision::Season => format!("{}..{}", month(from), month(until)),
        Precision::Quarter => Quarter::of(from).to_string(),
        Precision::Year => from.0.strftime("%Y").to_string(),
    }
}

/// Names of the kinds an incident raises, each once, in the order in which they come.
fn kinds(incident: &Incident) -> Vec<&'static str> {
    let mut kinds = Vec::new();
    for kind in incident.alerts.iter().map(PlannedAlert::kind) {
        if !kinds.contains(&kind) {
            kinds.push(kind);
        }
    }
    kinds
}

#[cfg(test)]
mod tests;
