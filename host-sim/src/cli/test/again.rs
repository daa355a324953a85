//! Commands with which somebody sees a failure again.

use crate::cli::fault_options::FaultOptions;
use crate::route::Seeds;
use crate::trial::{Outcome, Run};

/// What all such commands have in common.
pub(super) struct Again<'a> {
    pub(super) rules: &'a str,
    pub(super) options: &'a FaultOptions,
}

impl Again<'_> {
    /// Judges the one seed again, and plays it with every step told.
    pub(super) fn commands(&self, outcome: &Outcome, runs: &[Run]) -> Vec<String> {
        let Some(seed) = outcome.again_seed else { return Vec::new() };
        let Some(run) = runs.get(outcome.run) else { return Vec::new() };
        let mut judge = vec!["host-sim test".to_owned(), quoted(self.rules), format!("--seeds {seed}")];
        judge.push(format!("--filter {}", quoted(&glob::Pattern::escape(&outcome.test))));
        judge.extend(self.options.typed());
        let mut play = vec!["host-sim replay".to_owned(), quoted(&run.play)];
        play.push(format!("--rules {}", quoted(self.rules)));
        play.push(format!("--seed {seed}"));
        play.extend(run.filter.from.map(|day| format!("--from {day}")));
        play.extend(run.filter.until.map(|day| format!("--until {day}")));
        play.extend(run.filter.only.as_ref().map(|only| format!("--only {}", quoted(only.as_str()))));
        play.extend(run.down.iter().map(|sink| format!("--down {}", quoted(sink))));
        play.extend(FaultOptions::leading_to(&run.faults, &run.own_faults).typed());
        play.push("-v".to_owned());
        vec![judge.join(" "), play.join(" ")]
    }
}

/// A word as shells take it.
fn quoted(word: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-_./:@%+=,".contains(c);
    if !word.is_empty() && word.chars().all(is_plain) {
        word.to_owned()
    } else {
        format!("'{}'", word.replace('\'', "'\\''"))
    }
}

/// Seeds as people read them.
pub(super) fn seeds(runs: &[Run]) -> String {
    let mut seeds: Vec<Seeds> = runs.iter().map(|run| run.seeds).collect();
    seeds.dedup();
    let [only] = seeds[..] else { return "seeds as the tests say".to_owned() };
    if only.count() == 1 { format!("seed {only}") } else { format!("seeds {only}") }
}
