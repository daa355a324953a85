//! `host-sim explain`: why an alert goes where it goes, route by route, and what happens when nobody answers.

mod account;
mod subject;

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::encode::fields;
use super::{Voice, rules_file, values};
use crate::route::{Facts, RouteTrace, Rules};
use crate::scenario::Scenario;

use account::Account;

/// Why an alert goes where it goes: every route in turn, which matcher does not hold, and what follows
///
/// For an incident of the scenario of the rules by its id (`host-sim incidents` lists them), or for an alert of your
/// own: its kind, its node and its fields. What happens next is told as if nobody answered, so that every timer shows.
#[derive(Debug, clap::Args)]
#[command(after_long_help = fields::help())]
pub struct Args {
    /// The id of an incident, or a kind of alert
    #[arg(value_name = "INCIDENT|KIND")]
    subject: String,
    /// Of a kind: what the alert says, for example `weapon=rocket severity=extreme`; --help lists all fields
    #[arg(value_name = "FIELD=VALUE")]
    fields: Vec<String>,
    #[arg(long, value_name = "RULES", default_value = Rules::DEFAULT, env = "HOST_SIM_RULES",
          help = rules_file::help())]
    rules: String,
    /// Of a kind: path of the node that raises it, for example `camp-taji/launch-detector`
    #[arg(long, value_name = "NODE")]
    node: Option<String>,
    /// Of a kind: when, RFC 3339 with its offset; opening hours and silences depend on it [default: when the first
    /// incident of the scenario happens]
    #[arg(long, value_name = "TIME")]
    at: Option<String>,
    /// Of a kind: as part of an exercise
    #[arg(long)]
    exercise: bool,
    /// Of an incident: shapes what is reconstructed or not known to the hour
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// One JSON object a line: each alert with every route, then what happens
    #[arg(long)]
    json: bool,
}

/// An alert, and when it arrives.
struct Subject {
    title: String,
    at_ms: u64,
    facts: Facts,
}

/// An alert as a line of JSON.
#[derive(Serialize)]
struct AlertLine<'a> {
    #[serde(rename = "type")]
    sort: &'static str,
    alert: String,
    title: &'a str,
    time: String,
    routes: &'a [RouteTrace],
}

/// Prints the explanation to standard output.
///
/// # Errors
/// The rules are invalid, there is no such incident or node, a field is wrong, or standard output cannot be written.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let rules = rules_file::open(&args.rules, voice)?;
    let scenario = Scenario::open(rules.scenario())?;
    let subjects = subject::subjects(args, &rules, &scenario)?;
    let account = Account::new(&rules, scenario.file().utc_offset_min);
    let mut out = anstream::stdout().lock();
    for subject in &subjects {
        let traces = rules.trace(&subject.facts, subject.at_ms);
        if args.json {
            let line = AlertLine {
                sort: "alert",
                alert: subject.facts.id.to_string(),
                title: &subject.title,
                time: account.time(subject.at_ms),
                routes: &traces,
            };
            serde_json::to_writer(&mut out, &line)?;
            writeln!(out)?;
        } else {
            write!(out, "{}", account.routes(subject, &traces))?;
        }
    }
    let happenings = account.happenings(&subjects);
    if args.json {
        for happening in &happenings {
            serde_json::to_writer(&mut out, happening)?;
            writeln!(out)?;
        }
    } else {
        write!(out, "{}", account.follows(&subjects, &happenings))?;
    }
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
