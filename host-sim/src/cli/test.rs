//! `host-sim test`: plays what rules say of themselves over many seeds, and judges it.

mod again;
mod junit;
mod progress;
mod table;

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context as _, bail};
use glob::Pattern;
use serde::Serialize;

use super::fault_options::FaultOptions;
use super::interrupt::Interrupt;
use super::{EXPECTATION_FAILED, INTERRUPTED, UNDECIDED, Voice, rules_file, values};
use crate::route::{Rules, Seeds};
use crate::trial::{Demands, Judged, Outcome, Run, Snapshot, Trial, Verdict};
use crate::workers::{self, Fold};

use again::Again;
use progress::Progress;

/// Prove what rules say of themselves: play their `[[test]]` blocks over seeds and faults, and judge them
///
/// Every alert goes through the whole world, sealed packets, links, gateway and sirens, before it is judged. The result
/// is the same on any number of threads. Exit code 1 where an expectation fails, 4 where runs ended before one could
/// be told, 2 where the rules are invalid.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(value_name = "RULES", default_value = Rules::DEFAULT, help = rules_file::help())]
    rules: String,
    /// Play with these seeds, in place of those of the tests: `7`, or `1..=200`
    #[arg(long, value_name = "SEEDS", env = "HOST_SIM_SEEDS", allow_hyphen_values = true,
          value_parser = values::seeds)]
    seeds: Option<Seeds>,
    /// Only tests whose name fits the pattern, for example `convoys-*`
    #[arg(long, value_name = "GLOB", value_parser = values::test_pattern)]
    filter: Option<Pattern>,
    /// Write the snapshots of the tests anew, in place of comparing them
    #[arg(long, conflicts_with_all = ["seeds", "drop", "duplicate", "reorder", "corrupt", "delay", "burst",
          "partition", "reboot", "brown_out", "clock_drift", "gateway_kill", "attacker"])]
    update: bool,
    /// Threads; as many as there are cores unless said otherwise
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number of threads", 1..=1_024_u16))]
    threads: Option<u16>,
    /// One JSON object a line on standard output: each run with its hash, each expectation, then the result
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Also write the result to this file as JUnit XML, in place of what the file held
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    junit: Option<PathBuf>,
    #[command(flatten)]
    faults: FaultOptions,
}

/// A run as a line of JSON.
#[derive(Serialize)]
struct RunLine<'r> {
    #[serde(rename = "type")]
    sort: &'static str,
    scenario: &'r str,
    seed: u64,
    run_hash: &'r str,
}

/// The result as a line of JSON.
#[derive(Debug, Serialize)]
struct Summary {
    #[serde(rename = "type")]
    sort: &'static str,
    rules: String,
    interrupted: bool,
    tests: u64,
    runs: u64,
    passed: u64,
    failed: u64,
    undecided: u64,
    /// Over the hashes of all runs, in their order.
    run_hash: String,
}

/// What has come of a trial.
struct Ended {
    outcomes: Vec<Outcome>,
    runs: Vec<Run>,
    updated: Vec<PathBuf>,
    played: u64,
    run_hash: String,
    interrupted: bool,
}

/// Plays, and prints to standard output.
///
/// # Errors
/// The rules are invalid, no test is left, or an output is lost.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let rules = rules_file::open(&args.rules, voice)?;
    let faults = |faults| args.faults.over(faults);
    let demands = Demands { seeds: args.seeds, only: args.filter.as_ref(), faults: &faults };
    let trial = Trial::new(&rules, &demands)?;
    if trial.is_empty() {
        bail!(none_left(&rules, args.filter.as_ref()));
    }
    let tests = trial.tests().to_vec();
    let mut out = anstream::stdout().lock();
    if !args.json {
        writeln!(out, "{}\n", table::banner(rules.name(), &trial, &args.faults))?;
        out.flush()?;
    }
    let Ended { outcomes, runs, updated, played, run_hash, interrupted } =
        play(args, trial, &mut out, voice)?;
    let count = |verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count() as u64;
    let summary = Summary {
        sort: "test",
        rules: rules.name().to_owned(),
        interrupted,
        tests: tests.len() as u64,
        runs: played,
        passed: count(Verdict::Passed),
        failed: count(Verdict::Failed),
        undecided: count(Verdict::Undecided),
        run_hash,
    };
    let again = Again { rules: &args.rules, options: &args.faults };
    if let Some(path) = &args.junit {
        let text = junit::report(&summary, &tests, &outcomes, &again, &runs)?;
        fs::write(path, text).with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if args.json {
        outcomes.iter().try_for_each(|outcome| say(&mut out, outcome))?;
        say(&mut out, &summary)?;
    } else {
        for path in updated {
            writeln!(out, "written: {}", path.display())?;
        }
        write!(out, "{}", table::table(&summary, &outcomes, &again, &runs))?;
    }
    out.flush()?;
    Ok(exit_code(&summary))
}

/// Plays and judges everything, in the order of the tests.
fn play(args: &Args, trial: Trial, out: &mut impl Write, voice: Voice) -> anyhow::Result<Ended> {
    let threads = args.threads.map_or_else(workers::cores, usize::from);
    let (mut fold, mut played, mut written) = (Fold::default(), 0, Ok(()));
    let progress = Progress::new(trial.len(), voice);
    let interrupt = Interrupt::listen();
    let tests = trial.tests().to_vec();
    let scenarios: Vec<String> = trial.runs().iter().map(|run| run.play.clone()).collect();
    let Judged { mut outcomes, snapshots, runs } = trial.play(threads, |run, record| {
        fold.add(&record.run_hash);
        played += 1;
        if args.json {
            let (scenario, run_hash) = (&scenarios[run], &record.run_hash);
            written = say(out, &RunLine { sort: "run", scenario, seed: record.seed, run_hash });
        }
        progress.told(played);
        written.is_ok() && !interrupt.happened()
    })?;
    written?;
    progress.finish();
    let interrupted = interrupt.happened();
    let mut updated = Vec::new();
    if !interrupted {
        if args.update {
            updated = update(&snapshots)?;
        }
        outcomes.extend(snapshots.iter().map(Snapshot::outcome));
    }
    outcomes.sort_by_key(|outcome| tests.iter().position(|test| *test == outcome.test));
    Ok(Ended { outcomes, runs, updated, played, run_hash: fold.digest(), interrupted })
}

fn exit_code(summary: &Summary) -> ExitCode {
    if summary.failed > 0 {
        ExitCode::from(EXPECTATION_FAILED)
    } else if summary.interrupted {
        ExitCode::from(INTERRUPTED)
    } else if summary.undecided > 0 {
        ExitCode::from(UNDECIDED)
    } else {
        ExitCode::SUCCESS
    }
}

/// Writes the snapshots that are not as they were.
fn update(snapshots: &[Snapshot]) -> anyhow::Result<Vec<PathBuf>> {
    let mut updated = Vec::new();
    for snapshot in snapshots {
        let path = snapshot.path();
        if snapshot.update().with_context(|| format!("cannot write `{}`", path.display()))? {
            updated.push(path.to_owned());
        }
    }
    Ok(updated)
}

fn none_left(rules: &Arc<Rules>, filter: Option<&Pattern>) -> String {
    let names: Vec<_> = rules.tests().iter().map(|test| &*test.name).collect();
    match filter {
        Some(filter) if !names.is_empty() => {
            format!("no test is called `{filter}`; {} has: {}", rules.name(), names.join(", "))
        }
        _ => format!(
            "{} has no tests: nothing says what must come of its rules; add a `[[test]]`",
            rules.name()
        ),
    }
}

fn say(out: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, what)?;
    writeln!(out)?;
    out.flush()
}
