//! Every destination of every alert, kept in a file beside the rules.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use crate::route::{KINDS, Rules};

use super::outcome::{Outcome, Verdict};
use super::record::Record;

/// What every file begins with.
const HEAD: &str = "# Where every alert goes. Written by `host-sim test --update`; look at the difference before it is kept.\n";

/// Where every alert of a test goes, as text.
pub struct Snapshot {
    test: String,
    path: PathBuf,
    pub(super) run: usize,
    text: String,
    runs: u64,
    lines: u64,
}

impl Snapshot {
    pub(super) fn new(test: &str, run: usize, path: PathBuf) -> Self {
        Self { test: test.to_owned(), path, run, text: HEAD.to_owned(), runs: 0, lines: 0 }
    }

    /// One line an alert: times are left out, so that only another destination is a difference.
    pub(super) fn add(&mut self, rules: &Rules, record: &Record) {
        self.runs += 1;
        self.text.push_str(&format!("\nseed {}\n", record.seed));
        for played in &record.alerts {
            self.lines += 1;
            let incident = played.incident.as_deref().unwrap_or("summary");
            let mut sinks: Vec<&str> = Vec::new();
            sinks.extend(
                played.visits.iter().filter_map(|visit| rules.sink(visit.sink)).map(|sink| &*sink.name),
            );
            sinks.sort_unstable();
            let to = if sinks.is_empty() { format!("({})", played.fate) } else { sinks.join(" ") };
            let (time, kind) = (&played.time, KINDS[played.facts.kind()]);
            let precedence = played.facts.precedence.name();
            self.text.push_str(&format!("{time}  {incident}  {precedence}  {kind}  ->  {to}\n"));
        }
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Writes the file; false where it is the same already.
    ///
    /// # Errors
    /// It cannot be written.
    pub fn update(&self) -> io::Result<bool> {
        if fs::read_to_string(&self.path).is_ok_and(|before| before == self.text) {
            return Ok(false);
        }
        fs::write(&self.path, &self.text).map(|()| true)
    }

    /// Holds what was played against the file.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        let example = match fs::read_to_string(&self.path) {
            Err(error) => Some(format!("{error}; `host-sim test --update` writes it")),
            Ok(kept) => difference(&kept, &self.text),
        };
        Outcome {
            sort: "expectation",
            test: self.test.clone(),
            expectation: format!("snapshot {}", self.path.display()),
            verdict: if example.is_none() { Verdict::Passed } else { Verdict::Failed },
            runs: self.runs,
            alerts: self.lines,
            arrived: self.lines,
            p50_ms: None,
            p99_ms: None,
            worst_ms: None,
            worst_seed: None,
            failing_seeds: Vec::new(),
            failing_runs: 0,
            example,
            again_seed: None,
            run: self.run,
        }
    }
}

/// The first line in which two texts differ, and how many do.
fn difference(kept: &str, played: &str) -> Option<String> {
    if kept == played {
        return None;
    }
    let (before, after): (Vec<&str>, Vec<&str>) = (kept.lines().collect(), played.lines().collect());
    let longest = before.len().max(after.len());
    let differs = (0..longest).filter(|&at| before.get(at) != after.get(at));
    let count = differs.clone().count();
    let first = differs.min().unwrap_or(0);
    let line = |lines: &[&str]| lines.get(first).map_or("(nothing)", |line| *line).to_owned();
    Some(format!(
        "line {} was\n        {}\n      and is\n        {}\n      {count} lines differ; `host-sim test --update` keeps what is",
        first + 1,
        line(&before),
        line(&after)
    ))
}
