//! `host-sim diff`: which alerts go elsewhere by other rules.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::bail;
use glob::Pattern;
use serde::Serialize;

use super::fault_options::FaultOptions;
use super::{EXPECTATION_FAILED, Voice, rules_file, values};
use crate::replay::{Filter, Story};
use crate::report::count;
use crate::route::{KINDS, Rules};
use crate::scenario::Scenario;
use crate::trial::{Played, Record};

/// Show which alerts of a scenario go elsewhere by other rules
///
/// Plays the scenario by both, with the same seed and faults, and compares where every alert goes, at once and later.
/// Exit code 0 whether they differ or not, unless `--exit-code` asks.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rules as they were
    #[arg(value_name = "OLD")]
    old: String,
    /// Rules as they are to be
    #[arg(value_name = "NEW")]
    new: String,
    #[arg(long = "replay", value_name = "SCENARIO", default_value = Scenario::DEFAULT,
          value_parser = values::ScenarioName, hide_possible_values = true, help = values::scenario_help())]
    scenario: String,
    /// Seed of all chance
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// Only incidents whose id, site or kind fits the pattern, for example `camp-*`
    #[arg(long, value_name = "GLOB", value_parser = values::pattern)]
    only: Option<Pattern>,
    /// Exit code 1 where an alert goes elsewhere
    #[arg(long)]
    exit_code: bool,
    /// One JSON object a line: each alert that goes elsewhere, then the sums
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    faults: FaultOptions,
}

/// An alert that goes elsewhere.
#[derive(Serialize)]
struct Change<'a> {
    #[serde(rename = "type")]
    sort: &'static str,
    time: &'a str,
    incident: Option<&'a str>,
    kind: &'static str,
    precedence: &'static str,
    /// Sinks that it went to and goes to no more.
    vanishes: Vec<&'a str>,
    /// Sinks that it goes to and did not go to.
    appears: Vec<&'a str>,
}

/// The sums as a line of JSON.
#[derive(Serialize)]
struct Summary {
    #[serde(rename = "type")]
    sort: &'static str,
    seed: u64,
    alerts: usize,
    changed: usize,
}

/// Prints the differences to standard output.
///
/// # Errors
/// Rules or scenario are invalid, nothing is left to play, or standard output cannot be written.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let (old, new) = (rules_file::open(&args.old, voice)?, rules_file::open(&args.new, voice)?);
    let scenario = Scenario::open(&args.scenario)?;
    let (before, after) = (play(args, &scenario, &old)?, play(args, &scenario, &new)?);
    let changes: Vec<Change<'_>> = before
        .alerts
        .iter()
        .zip(&after.alerts)
        .filter_map(|(before, after)| change((&old, before), (&new, after)))
        .collect();
    let summary =
        Summary { sort: "diff", seed: args.seed, alerts: before.alerts.len(), changed: changes.len() };
    let mut out = anstream::stdout().lock();
    if args.json {
        for change in &changes {
            serde_json::to_writer(&mut out, change)?;
            writeln!(out)?;
        }
        serde_json::to_writer(&mut out, &summary)?;
        writeln!(out)?;
    } else {
        changes.iter().try_for_each(|change| writeln!(out, "{}", change.line()))?;
        let blank = if changes.is_empty() { "" } else { "\n" };
        let alerts = count(summary.alerts as u64, "alert");
        writeln!(out, "{blank}{} of {alerts} change where they go, seed {}", summary.changed, args.seed)?;
    }
    out.flush()?;
    let is_told = args.exit_code && !changes.is_empty();
    Ok(if is_told { ExitCode::from(EXPECTATION_FAILED) } else { ExitCode::SUCCESS })
}

fn play(args: &Args, scenario: &Scenario, rules: &Arc<Rules>) -> anyhow::Result<Record> {
    let filter = Filter { only: args.only.clone(), ..Filter::default() };
    let story = Story::new(scenario, args.seed, args.faults.over(scenario.faults()), &filter);
    if story.is_empty() {
        let only: Vec<String> = args.only.iter().map(|only| format!("`--only {only}`")).collect();
        bail!(values::none_left("play", &args.scenario, scenario.timeline(args.seed).len(), &only));
    }
    Ok(Record::play(&story.with_rules(Arc::clone(rules), Vec::new()), rules, args.seed)?)
}

fn change<'a>(old: (&'a Rules, &'a Played), new: (&'a Rules, &'a Played)) -> Option<Change<'a>> {
    let sinks = |(rules, played): (&'a Rules, &'a Played)| -> BTreeSet<&'a str> {
        played.visits.iter().filter_map(|visit| rules.sink(visit.sink)).map(|sink| &*sink.name).collect()
    };
    let (before, after) = (sinks(old), sinks(new));
    let played = new.1;
    (before != after).then(|| Change {
        sort: "change",
        time: &played.time,
        incident: played.incident.as_deref(),
        kind: KINDS[played.facts.kind()],
        precedence: played.facts.precedence.name(),
        vanishes: before.difference(&after).copied().collect(),
        appears: after.difference(&before).copied().collect(),
    })
}

impl Change<'_> {
    fn line(&self) -> String {
        let time = self.time.get(..19).unwrap_or(self.time).replace('T', " ");
        let signed = |sign: char, sinks: &[&str]| -> Vec<String> {
            sinks.iter().map(|sink| format!("{sign}{sink}")).collect()
        };
        let sinks = [signed('-', &self.vanishes), signed('+', &self.appears)].concat().join(" ");
        let incident = self.incident.unwrap_or("summary");
        format!("{time}  {:<10} {:<15}  {incident:<28}  {sinks}", self.precedence, self.kind)
    }
}
