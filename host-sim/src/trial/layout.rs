//! From tests to runs: which scenario is played with which seeds under which faults, and who looks at it.

use std::collections::BTreeMap;
use std::sync::Arc;

use glob::Pattern;

use crate::document::Invalid;
use crate::replay::{Filter, Story};
use crate::route::{Rules, Seeds, Test};
use crate::scenario::{Faults, Scenario};
use crate::workers;
use crate::world::TooLarge;

use super::judge::{Judge, Subject};
use super::outcome::Outcome;
use super::record::Record;
use super::snapshot::Snapshot;

/// What is asked for beside what the tests say.
pub struct Demands<'d> {
    /// Other seeds than theirs.
    pub seeds: Option<Seeds>,
    /// Only tests whose name fits.
    pub only: Option<&'d Pattern>,
    /// Changes their faults.
    pub faults: &'d dyn Fn(Faults) -> Faults,
}

/// A scenario with seeds and faults.
#[derive(Clone, Debug)]
pub struct Run {
    /// The scenario, as it can be opened.
    pub play: String,
    /// The scenario's own faults.
    pub own_faults: Faults,
    /// The faults that it is played with.
    pub faults: Faults,
    /// Its seeds.
    pub seeds: Seeds,
    /// What of it is played.
    pub filter: Filter,
    /// Names of sinks that never answer.
    pub down: Vec<String>,
    scenario: Arc<Scenario>,
}

/// Tests, laid out to be played.
pub struct Trial {
    rules: Arc<Rules>,
    runs: Vec<Run>,
    judges: Vec<Judge>,
    snapshots: Vec<Snapshot>,
    /// Names of the tests.
    tests: Vec<String>,
}

/// What has come of a trial.
pub struct Judged {
    /// Of every expectation and every deadline.
    pub outcomes: Vec<Outcome>,
    /// Of every snapshot, still to be compared or kept.
    pub snapshots: Vec<Snapshot>,
    /// What was played.
    pub runs: Vec<Run>,
}

impl Trial {
    /// The tests of `rules`.
    ///
    /// # Errors
    /// A scenario that one plays cannot be used.
    pub fn new(rules: &Arc<Rules>, demands: &Demands<'_>) -> Result<Self, Invalid> {
        let mut trial = Self {
            rules: Arc::clone(rules),
            runs: Vec::new(),
            judges: Vec::new(),
            snapshots: Vec::new(),
            tests: Vec::new(),
        };
        let mut scenarios: BTreeMap<&str, Arc<Scenario>> = BTreeMap::new();
        let tests = rules.tests().iter();
        for test in tests.filter(|test| demands.only.is_none_or(|only| only.matches(&test.name))) {
            let scenario = match scenarios.get(&*test.play) {
                Some(scenario) => Arc::clone(scenario),
                None => {
                    let scenario = Arc::new(Scenario::open(&test.play)?);
                    scenarios.insert(&test.play, Arc::clone(&scenario));
                    scenario
                }
            };
            trial.add(test, scenario, demands);
        }
        Ok(trial)
    }

    fn add(&mut self, test: &Test, scenario: Arc<Scenario>, demands: &Demands<'_>) {
        let own_faults = scenario.faults();
        let as_written = test.faults.unwrap_or(own_faults);
        let run = Run {
            play: test.play.clone(),
            own_faults,
            faults: (demands.faults)(as_written),
            seeds: demands.seeds.unwrap_or(test.seeds),
            filter: Filter { from: test.from, until: test.until, only: test.only.clone() },
            down: test.down.clone(),
            scenario,
        };
        let is_as_written = run.faults == as_written && run.seeds == test.seeds;
        let number = self.run(run);
        let down: Vec<usize> = test.down.iter().filter_map(|name| self.rules.sink_named(name)).collect();
        for expectation in &test.expect {
            let subject = Subject::Expectation(expectation.clone());
            self.judges.push(Judge::new(&self.rules, &test.name, number, subject));
        }
        for (route, with) in self.rules.routes().iter().enumerate() {
            if let Some(deadline_ms) = with.deadline_ms {
                let subject = Subject::Deadline { route, deadline_ms, down: down.clone() };
                self.judges.push(Judge::new(&self.rules, &test.name, number, subject));
            }
        }
        if let Some(path) = test.snapshot.as_ref().filter(|_| is_as_written) {
            self.snapshots.push(Snapshot::new(&test.name, number, path.clone()));
        }
        self.tests.push(test.name.clone());
    }

    /// The place of a run, which several tests may share.
    fn run(&mut self, run: Run) -> usize {
        let same = |other: &Run| {
            (&other.play, other.faults, other.seeds, &other.filter, &other.down)
                == (&run.play, run.faults, run.seeds, &run.filter, &run.down)
        };
        match self.runs.iter().position(same) {
            Some(number) => number,
            None => {
                self.runs.push(run);
                self.runs.len() - 1
            }
        }
    }

    /// Names of the tests, in the order of the file.
    #[must_use]
    pub fn tests(&self) -> &[String] {
        &self.tests
    }

    /// What is played.
    #[must_use]
    pub fn runs(&self) -> &[Run] {
        &self.runs
    }

    /// So many runs, each with its seed.
    #[must_use]
    pub fn len(&self) -> u64 {
        self.runs.iter().map(|run| run.seeds.count()).sum()
    }

    /// Whether there is nothing to play.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.runs.is_empty()
    }

    /// Plays everything on `threads` threads, and judges it. Each record is handed to `told` with the place of its run,
    /// in order; false from there ends it, and what is left over is undecided.
    ///
    /// # Errors
    /// A scenario has more units than a world holds.
    pub fn play(
        mut self,
        threads: usize,
        mut told: impl FnMut(usize, &Record) -> bool,
    ) -> Result<Judged, TooLarge> {
        let (runs, rules) = (std::mem::take(&mut self.runs), Arc::clone(&self.rules));
        let mut jobs = Vec::new();
        for (number, run) in runs.iter().enumerate() {
            jobs.extend(run.seeds.all().map(|seed| (number, seed)));
        }
        let work = |job: u64| {
            let (number, seed) = jobs[usize::try_from(job).unwrap_or(usize::MAX)];
            (number, runs[number].play(&rules, seed))
        };
        let mut broken = None;
        workers::in_order(jobs.len() as u64, threads, work, |(number, record)| {
            let record = match record {
                Ok(record) => record,
                Err(error) => {
                    broken = Some(error);
                    return false;
                }
            };
            self.judges.iter_mut().filter(|judge| judge.run == number).for_each(|judge| judge.add(&record));
            let snapshots = self.snapshots.iter_mut().filter(|snapshot| snapshot.run == number);
            snapshots.for_each(|snapshot| snapshot.add(&rules, &record));
            told(number, &record)
        });
        match broken {
            Some(error) => Err(error),
            None => {
                let outcomes = self.judges.into_iter().map(Judge::outcome).collect();
                Ok(Judged { outcomes, snapshots: self.snapshots, runs })
            }
        }
    }
}

impl Run {
    fn play(&self, rules: &Arc<Rules>, seed: u64) -> Result<Record, TooLarge> {
        let story = Story::new(&self.scenario, seed, self.faults, &self.filter);
        Record::play(&story.with_rules(Arc::clone(rules), self.down.clone()), rules, seed)
    }
}
