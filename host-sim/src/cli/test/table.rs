//! The result for people.

use anstyle::{AnsiColor, Style};

use super::Summary;
use super::again::{Again, seeds};
use crate::cli::fault_options::FaultOptions;
use crate::report::count;
use crate::route::Span;
use crate::trial::{Outcome, Run, Trial, Verdict};

/// Width of an expectation before its figures.
const WIDTH: usize = 64;

/// What is played, above everything.
pub(super) fn banner(rules: &str, trial: &Trial, options: &FaultOptions) -> String {
    let tests = count(trial.tests().len() as u64, "test");
    let runs = count(trial.len(), "run");
    let options = options.typed();
    let faults = if options.is_empty() { String::new() } else { format!(", {}", options.join(" ")) };
    format!("SIMULATION  {rules}: {tests}, {runs}, {}{faults}", seeds(trial.runs()))
}

/// One line an expectation, more where it does not hold, and what it comes to.
pub(super) fn table(summary: &Summary, outcomes: &[Outcome], again: &Again<'_>, runs: &[Run]) -> String {
    let mut text = String::new();
    if summary.interrupted {
        text.push_str("INTERRUPTED: what follows is judged by the runs up to then.\n\n");
    }
    let mut test = "";
    for outcome in outcomes {
        if outcome.test != test {
            test = &outcome.test;
            text.push_str(&format!("{test}\n"));
        }
        text.push_str(&line(outcome));
        if outcome.verdict == Verdict::Passed {
            continue;
        }
        if outcome.failing_runs > 0 {
            let named: Vec<_> = outcome.failing_seeds.iter().map(u64::to_string).collect();
            let more = if outcome.failing_runs > named.len() as u64 { ", …" } else { "" };
            let failing = count(outcome.failing_runs, "run");
            text.push_str(&format!("      {failing} of {}: seed {}{more}\n", outcome.runs, named.join(", ")));
        }
        text.extend(outcome.example.iter().map(|example| format!("      {example}\n")));
        let commands = again.commands(outcome, runs);
        for (label, command) in ["again:", "watch:"].iter().zip(commands) {
            text.push_str(&format!("      {label}  {command}\n"));
        }
    }
    let Summary { passed, failed, undecided, run_hash, .. } = summary;
    text.push_str(&format!(
        "\n{passed} passed, {failed} failed, {undecided} undecided; {}  run-hash {run_hash}\n",
        count(summary.runs, "run")
    ));
    text
}

fn line(outcome: &Outcome) -> String {
    let (word, style) = match outcome.verdict {
        Verdict::Passed => ("ok", AnsiColor::Green.on_default()),
        Verdict::Undecided => ("UNDECIDED", AnsiColor::Yellow.on_default().bold()),
        Verdict::Failed => ("FAILED", AnsiColor::Red.on_default().bold()),
    };
    let style: Style = style;
    let mut figures = vec![count(outcome.alerts, "alert")];
    let time = |ms: Option<u64>| ms.map(|ms| Span { ms: ms.max(1) }.to_string());
    figures.extend(time(outcome.p50_ms).map(|time| format!("p50 {time}")));
    figures.extend(time(outcome.p99_ms).map(|time| format!("p99 {time}")));
    if let (Some(worst), Some(seed)) = (time(outcome.worst_ms), outcome.worst_seed) {
        figures.push(format!("worst {worst} (seed {seed})"));
    }
    let (text, figures) = (&outcome.expectation, figures.join(", "));
    format!("  {style}{word:<9}{style:#}  {text:<WIDTH$}  {figures}\n")
}
