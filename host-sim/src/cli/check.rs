//! `host-sim check`: everything that is wrong with rules and scenarios, underlined.

use std::io::{self, Write};
use std::path::Path;
use std::process::ExitCode;

use schemars::Schema;
use serde::Serialize;

use super::{USAGE, rules_file};
use crate::document::{self, Invalid, Level, Report};
use crate::report::count;
use crate::route::Rules;
use crate::scenario::Scenario;

/// Find everything that is wrong with rules files and scenario files
///
/// Which of the two a file is, its keys tell. Exit code 2 where one cannot be used. What is only worth a remark is
/// shown and changes nothing, unless `--strict` says so.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Rules files, scenario files, folders with rules.toml, or what the program carries by its name
    #[arg(value_name = "FILE", required = true)]
    files: Vec<String>,
    /// Take remarks for errors
    #[arg(long)]
    strict: bool,
    /// Print the routes and sinks of the rules as a graph for Graphviz, in place of a line a file
    #[arg(long, conflicts_with = "json")]
    dot: bool,
    /// One JSON object a line: each finding, then each file
    #[arg(long)]
    json: bool,
}

/// A file that was looked at.
struct Checked {
    name: String,
    result: Result<(What, Report), Invalid>,
}

/// What a file is.
enum What {
    Rules(Box<Rules>),
    Scenario(Box<Scenario>),
}

/// A finding as a line of JSON.
#[derive(Serialize)]
struct Finding<'f> {
    #[serde(rename = "type")]
    sort: &'static str,
    file: &'f str,
    level: &'static str,
    line: usize,
    column: usize,
    message: &'f str,
    allowed: &'f str,
}

/// A file as a line of JSON.
#[derive(Serialize)]
struct Verdict<'f> {
    #[serde(rename = "type")]
    sort: &'static str,
    file: &'f str,
    errors: usize,
    warnings: usize,
}

/// Prints what is wrong to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let mut out = anstream::stdout().lock();
    let mut is_wrong = false;
    for checked in args.files.iter().flat_map(|name| look_at(name)) {
        let (errors, warnings) = (checked.count(Level::Error), checked.count(Level::Warning));
        is_wrong |= errors > 0 || (args.strict && warnings > 0);
        if args.json {
            checked.as_json(&mut out)?;
        } else if args.dot {
            match &checked.result {
                Ok((What::Rules(rules), _)) => write!(out, "{}", rules.dot())?,
                Ok((What::Scenario(_), _)) => {
                    anstream::eprintln!("{}: a scenario has no routes to draw", checked.name);
                }
                Err(invalid) => anstream::eprintln!("{}", invalid.render(true)),
            }
        } else {
            checked.as_text(&mut out)?;
        }
    }
    out.flush()?;
    Ok(if is_wrong { ExitCode::from(USAGE) } else { ExitCode::SUCCESS })
}

/// A name that the program carries may stand for rules and for a scenario: both are looked at.
fn look_at(name: &str) -> Vec<Checked> {
    let rules = || Checked {
        name: name.to_owned(),
        result: match rules_file::read(name) {
            Ok((rules, report)) => Ok((What::Rules(Box::new(rules)), report)),
            Err(invalid) => Err(invalid),
        },
    };
    let scenario = || Checked {
        name: name.to_owned(),
        result: Scenario::open(name)
            .map(|scenario| (What::Scenario(Box::new(scenario)), Report::nothing(name))),
    };
    let (are_rules, is_scenario) = (
        Rules::embedded_names().any(|known| known == name),
        Scenario::embedded_names().any(|known| known == name),
    );
    match (are_rules, is_scenario) {
        (true, true) => vec![rules(), scenario()],
        (true, false) => vec![rules()],
        (false, true) => vec![scenario()],
        (false, false) if has_keys_of_scenario(Path::new(name)) => vec![scenario()],
        (false, false) => vec![rules()],
    }
}

/// Whether a file has more keys that only a scenario has than keys that only rules have.
fn has_keys_of_scenario(path: &Path) -> bool {
    let known = |schema: &Schema, key: &str| {
        schema.get("properties").and_then(|properties| properties.get(key)).is_some()
    };
    let (scenario, rules) = (Scenario::schema(), Rules::schema());
    let keys = document::top_keys(path);
    let of = |own: &Schema, other: &Schema| {
        keys.iter().filter(|key| known(own, key) && !known(other, key)).count()
    };
    of(&scenario, &rules) > of(&rules, &scenario)
}

impl Checked {
    fn report(&self) -> &Report {
        match &self.result {
            Ok((_, report)) => report,
            Err(invalid) => invalid.report(),
        }
    }

    fn count(&self, level: Level) -> usize {
        self.report().count(level)
    }

    fn as_text(&self, out: &mut impl Write) -> io::Result<()> {
        let report = self.report();
        if !report.is_empty() {
            writeln!(out, "{}\n", report.render(true))?;
        }
        match &self.result {
            Ok((What::Rules(rules), _)) => {
                let counts = [
                    count(rules.routes().len() as u64, "route"),
                    count(rules.sinks().len() as u64, "sink"),
                    count(rules.tests().len() as u64, "test"),
                ];
                writeln!(out, "{}: rules for {}, {}", rules.name(), rules.scenario(), counts.join(", "))
            }
            Ok((What::Scenario(scenario), _)) => {
                let counts = [
                    count(scenario.sites().len() as u64, "site"),
                    count(scenario.nodes().len() as u64, "node"),
                    count(scenario.sirens().len() as u64, "siren"),
                    count(scenario.timeline(1).len() as u64, "incident"),
                ];
                writeln!(out, "{}: a scenario, {}", self.name, counts.join(", "))
            }
            Err(_) => Ok(()),
        }
    }

    fn as_json(&self, out: &mut impl Write) -> io::Result<()> {
        for diagnostic in self.report().diagnostics() {
            let finding = Finding {
                sort: "finding",
                file: &self.name,
                level: if diagnostic.level == Level::Error { "error" } else { "warning" },
                line: diagnostic.line,
                column: diagnostic.column,
                message: &diagnostic.message,
                allowed: &diagnostic.allowed,
            };
            serde_json::to_writer(&mut *out, &finding)?;
            writeln!(out)?;
        }
        let (errors, warnings) = (self.count(Level::Error), self.count(Level::Warning));
        serde_json::to_writer(&mut *out, &Verdict { sort: "file", file: &self.name, errors, warnings })?;
        writeln!(out)
    }
}
