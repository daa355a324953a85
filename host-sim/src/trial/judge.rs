//! An expectation held against runs, one after the other.

use std::sync::Arc;

use crate::route::{Expectation, KINDS, Rules, Span};

use super::latencies::{Latencies, Quantile};
use super::outcome::{Outcome, Verdict};
use super::record::{Played, Record};

/// Failing seeds that are named.
const SEEDS_NAMED_MAX: usize = 20;

/// What is judged.
#[derive(Clone, Debug)]
pub(super) enum Subject {
    /// What a test expects.
    Expectation(Expectation),
    /// The deadline of the route at this place, in milliseconds, but for sinks that never answer.
    Deadline { route: usize, deadline_ms: u64, down: Vec<usize> },
}

/// A subject, and what of it was seen so far.
pub(super) struct Judge {
    rules: Arc<Rules>,
    test: String,
    pub(super) run: usize,
    subject: Subject,
    latencies: Latencies,
    /// Alerts that it is about.
    alerts: u64,
    runs: u64,
    failing: Vec<u64>,
    failing_runs: u64,
    undecided_seed: Option<u64>,
    example: Option<String>,
}

/// What one run says of a subject.
#[derive(Default)]
struct Seen {
    is_failing: bool,
    is_undecided: bool,
    example: Option<String>,
}

impl Seen {
    fn fail(&mut self, why: impl FnOnce() -> String) {
        self.is_failing = true;
        if self.example.is_none() {
            self.example = Some(why());
        }
    }
}

impl Judge {
    pub(super) fn new(rules: &Arc<Rules>, test: &str, run: usize, subject: Subject) -> Self {
        Self {
            rules: Arc::clone(rules),
            test: test.to_owned(),
            run,
            subject,
            latencies: Latencies::default(),
            alerts: 0,
            runs: 0,
            failing: Vec::new(),
            failing_runs: 0,
            undecided_seed: None,
            example: None,
        }
    }

    /// Holds it against the next run.
    pub(super) fn add(&mut self, record: &Record) {
        self.runs += 1;
        let mut seen = Seen::default();
        match self.subject.clone() {
            Subject::Expectation(expectation) => self.expectation(&expectation, record, &mut seen),
            Subject::Deadline { route, deadline_ms, down } => {
                self.deadline(route, deadline_ms, &down, record, &mut seen);
            }
        }
        if seen.is_failing {
            self.failing_runs += 1;
            if self.failing.len() < SEEDS_NAMED_MAX {
                self.failing.push(record.seed);
            }
            let seed = record.seed;
            let example = seen.example.map(|why| format!("seed {seed}: {why}"));
            self.example = self.example.take().or(example);
        } else if seen.is_undecided {
            self.undecided_seed.get_or_insert(record.seed);
        }
    }

    fn expectation(&mut self, expectation: &Expectation, record: &Record, seen: &mut Seen) {
        let (mut sent, mut arrived, mut open) = (0_u64, 0_u64, 0_u64);
        for played in &record.alerts {
            if !expectation.is_about(played.incident.as_deref(), &played.facts) {
                continue;
            }
            let visit = played.at(expectation.sink, expectation.route);
            let is_expected = self.is_expected(expectation, played);
            self.alerts += u64::from(is_expected || visit.is_some() || expectation.has_filter());
            if let Some(visit) = visit {
                sent += u64::from(!visit.is_stood_for);
                arrived += u64::from(!visit.is_stood_for && visit.after_ms.is_some());
                if expectation.never {
                    seen.fail(|| {
                        format!("{} was sent there: {}", named(played), self.way(played, expectation))
                    });
                }
            } else if played.is_open {
                open += 1;
            }
            if is_expected && !expectation.never {
                self.time(expectation, played, record, seen);
            }
        }
        if let Some(count) = expectation.count {
            // At least so many are acknowledged, and at most so many are sent.
            if arrived + open < count.least {
                seen.fail(|| format!("{arrived} came, and at least {} are expected", count.least));
            } else if sent > count.most {
                seen.fail(|| format!("{sent} were sent, and at most {} are expected", count.most));
            } else if arrived < count.least || sent + open > count.most {
                seen.is_undecided = true;
            }
        }
        seen.is_undecided |= expectation.never && open > 0;
    }

    /// Whether the sink should have an alert: one that the expectation names, or one that rules send there, or have
    /// sent there. What was held back, or was a repeat, is late or elsewhere because it is meant to be.
    fn is_expected(&self, expectation: &Expectation, played: &Played) -> bool {
        if expectation.has_filter() {
            return true;
        }
        match played.at(expectation.sink, expectation.route) {
            Some(visit) => !visit.is_repeat && !visit.is_held_back,
            None => {
                !played.visits.iter().any(|visit| visit.is_held_back)
                    && expectation.is_sent(&self.rules, &played.facts, played.at_ms)
            }
        }
    }

    fn time(&mut self, expectation: &Expectation, played: &Played, record: &Record, seen: &mut Seen) {
        let visit = played.at(expectation.sink, expectation.route);
        let after_ms = visit.and_then(|visit| visit.after_ms);
        // A run that ends while an alert is still with its node leaves open whether it comes.
        let may_come = after_ms.is_none() && played.is_open;
        match after_ms {
            Some(after_ms) => self.latencies.came(after_ms, record.seed),
            None if may_come => self.latencies.open(),
            None => self.latencies.lost(),
        }
        let Some(within_ms) = expectation.within_ms else { return };
        let ended_before = played.raised_ms.is_none_or(|raised_ms| record.end_ms < raised_ms + within_ms);
        match after_ms {
            Some(after_ms) if after_ms <= within_ms => {}
            Some(after_ms) => seen.fail(|| {
                format!("{} came {} after its detection", named(played), Span { ms: after_ms.max(1) })
            }),
            None if may_come && ended_before => seen.is_undecided = true,
            None => seen.fail(|| format!("{} {}", named(played), self.way(played, expectation))),
        }
    }

    /// What became of an alert on its way to the sink.
    fn way(&self, played: &Played, expectation: &Expectation) -> String {
        let name = |sink: usize| self.rules.sink(sink).map_or("", |sink| &sink.name);
        if let Some(visit) = played.at(expectation.sink, expectation.route) {
            let by = visit.route.and_then(|route| self.rules.routes().get(route));
            let by = by.map_or_else(String::new, |route| format!(" by route {}", route.name));
            let acked = if visit.after_ms.is_some() { "" } else { ", and was not acknowledged" };
            return format!("went to {}{by} ({}){acked}", name(visit.sink), visit.cause);
        }
        if played.visits.is_empty() {
            return format!("did not arrive at the gateway: {}", played.fate);
        }
        let visits = played.visits.iter();
        let elsewhere: Vec<_> =
            visits.map(|visit| format!("{} ({})", name(visit.sink), visit.cause)).collect();
        format!("went elsewhere: {}", elsewhere.join(", "))
    }

    fn deadline(&mut self, route: usize, deadline_ms: u64, down: &[usize], record: &Record, seen: &mut Seen) {
        let to = self.rules.routes().get(route).map_or(&[][..], |route| &route.to);
        for played in &record.alerts {
            for visit in played.visits.iter().filter(|visit| to.contains(&visit.sink)) {
                if visit.route == Some(route) && !visit.is_repeat && !down.contains(&visit.sink) {
                    self.alerts += 1;
                    match visit.after_ms {
                        Some(after_ms) => self.latencies.came(after_ms, record.seed),
                        None => self.latencies.lost(),
                    }
                }
            }
        }
        let sink_of = |sink: &usize| self.rules.sink(*sink).map_or("", |sink| &sink.name);
        for (alert, _, sink) in
            record.missed.iter().filter(|(_, by, sink)| *by == route && !down.contains(sink))
        {
            let (played, sink) = (&record.alerts[*alert], sink_of(sink));
            let deadline = Span { ms: deadline_ms };
            seen.fail(|| format!("{} was not acknowledged by {sink} within {deadline}", named(played)));
        }
    }

    pub(super) fn outcome(mut self) -> Outcome {
        let (failing, undecided) = self.over_all();
        let verdict = match (self.failing_runs > 0 || failing, self.undecided_seed.is_some() || undecided) {
            (true, _) => Verdict::Failed,
            (false, true) => Verdict::Undecided,
            (false, false) => Verdict::Passed,
        };
        let worst = self.latencies.worst();
        let ms = |quantile: Option<Quantile>| quantile.and_then(Quantile::ms);
        let again_seed = match verdict {
            Verdict::Passed => None,
            Verdict::Undecided => self.undecided_seed,
            Verdict::Failed => self.failing.first().copied().or_else(|| worst.map(|(_, seed)| seed)),
        };
        let expectation = match &self.subject {
            Subject::Expectation(expectation) => expectation.text.clone(),
            Subject::Deadline { route, deadline_ms, .. } => {
                let name = self.rules.routes().get(*route).map_or("", |route| &route.name);
                format!("deadline of {name}, {}", Span { ms: *deadline_ms })
            }
        };
        Outcome {
            sort: "expectation",
            test: self.test,
            expectation,
            verdict,
            runs: self.runs,
            alerts: self.alerts,
            arrived: self.latencies.arrived() as u64,
            p50_ms: ms(self.latencies.quantile(50, false)),
            p99_ms: ms(self.latencies.quantile(99, false)),
            worst_ms: worst.map(|(ms, _)| ms),
            worst_seed: worst.map(|(_, seed)| seed),
            failing_seeds: self.failing,
            failing_runs: self.failing_runs,
            example: self.example,
            again_seed,
            run: self.run,
        }
    }

    /// What can be told only of all runs together: whether it fails, and whether it is undecided.
    fn over_all(&mut self) -> (bool, bool) {
        let Subject::Expectation(expectation) = self.subject.clone() else { return (false, false) };
        if self.runs == 0 {
            return (false, true);
        }
        // What is about no alert at all would hold whatever the rules are.
        let judges_times =
            expectation.within_ms.is_some() || expectation.p50_ms.is_some() || expectation.p99_ms.is_some();
        if (judges_times && self.latencies.len() == 0) || (expectation.has_filter() && self.alerts == 0) {
            let nothing = "no alert of the scenario is what it is about: it would hold by any rules";
            self.example.get_or_insert_with(|| nothing.to_owned());
            return (true, false);
        }
        let (mut failing, mut undecided) = (false, false);
        for (percent, most_ms) in [(50, expectation.p50_ms), (99, expectation.p99_ms)] {
            let Some(most_ms) = most_ms else { continue };
            let is_within =
                |quantile: Option<Quantile>| quantile.is_some_and(|found| found.is_within(most_ms));
            let at_worst = self.latencies.quantile(percent, false);
            if is_within(at_worst) {
                continue;
            }
            if is_within(self.latencies.quantile(percent, true)) {
                undecided = true;
                continue;
            }
            failing = true;
            let found = at_worst.and_then(Quantile::ms);
            let found = found.map_or_else(|| "never".to_owned(), |ms| Span { ms: ms.max(1) }.to_string());
            self.example.get_or_insert_with(|| format!("p{percent} over all seeds is {found}"));
        }
        (failing, undecided)
    }
}

/// An alert as people know it.
fn named(played: &Played) -> String {
    let what = KINDS[played.facts.kind()];
    let time = played.time.get(..16).unwrap_or(&played.time).replace('T', " ");
    match &played.incident {
        Some(incident) => format!("{incident} ({what}, {time})"),
        None => format!("{} ({what}, {time})", played.facts.id),
    }
}
