//! What must come of rules: tests and their expectations, with every name in them found.

use std::path::PathBuf;

use glob::Pattern;

use crate::document::{Cursor, Findings, quoted};
use crate::scenario::{Date, Faults, Scenario};

use super::compile::Compiler;
use super::facts::Facts;
use super::file::{ExpectSpec, Matchers, TestSpec, When};
use super::index::Alternative;
use super::load::seen_from;
use super::rules::{Route, Rules};
use super::words::{Count, Seeds};

/// A scenario to play, and what must come of it.
#[derive(Clone, Debug)]
pub struct Test {
    /// Its name; of one without, its number in the file.
    pub name: String,
    /// The scenario, as it can be opened.
    pub play: String,
    /// Seeds to play it with.
    pub seeds: Seeds,
    /// Only incidents from this day on.
    pub from: Option<Date>,
    /// Only incidents up to and with this day.
    pub until: Option<Date>,
    /// Only incidents whose id, site or kind fits.
    pub only: Option<Pattern>,
    /// Faults in the place of the scenario's own.
    pub faults: Option<Faults>,
    /// Names of sinks that never answer.
    pub down: Vec<String>,
    /// What must come of it.
    pub expect: Vec<Expectation>,
    /// A file with every destination of every alert.
    pub snapshot: Option<PathBuf>,
}

/// What must come of a run.
#[derive(Clone, Debug)]
pub struct Expectation {
    /// Place of the sink that it is about.
    pub sink: usize,
    /// Only what the route at this place has sent there.
    pub route: Option<usize>,
    /// Each is acknowledged within this time of its detection, in milliseconds.
    pub within_ms: Option<u64>,
    /// Half of all are, over all seeds.
    pub p50_ms: Option<u64>,
    /// Ninety-nine of a hundred are.
    pub p99_ms: Option<u64>,
    /// How many come there in each run.
    pub count: Option<Count>,
    /// None comes there.
    pub never: bool,
    /// All of it in words.
    pub text: String,
    incident: Option<Pattern>,
    when: Option<Vec<Alternative>>,
}

impl Expectation {
    /// Whether it says which alerts it is about. If not, it is about those that rules send to its sink.
    #[must_use]
    pub const fn has_filter(&self) -> bool {
        self.incident.is_some() || self.when.is_some()
    }

    /// Whether it is about this alert of this incident; a summary is of none.
    #[must_use]
    pub fn is_about(&self, incident: Option<&str>, facts: &Facts) -> bool {
        let fits = |pattern: &Pattern| incident.is_some_and(|id| pattern.matches(id));
        self.incident.as_ref().is_none_or(fits)
            && self.when.as_ref().is_none_or(|tables| tables.iter().any(|table| table.fits(facts)))
    }

    /// Whether rules as they stand send this alert to its sink, whatever else is under way.
    #[must_use]
    pub fn is_sent(&self, rules: &Rules, facts: &Facts, now_ms: u64) -> bool {
        rules.matching(facts, now_ms).any(|taken| {
            self.route.is_none_or(|route| route == taken.route)
                && rules.routes[taken.route].to.contains(&self.sink)
        })
    }
}

/// Reads the tests of a file. Whatever names nothing, or says nothing, is noted.
pub(super) fn tests(
    compiler: &mut Compiler<'_, '_>,
    specs: &[TestSpec],
    rules: &Rules,
    tree: Cursor<'_>,
) -> Vec<Test> {
    let named = |spec: &TestSpec, at: usize| spec.name.clone().unwrap_or_else(|| format!("test {}", at + 1));
    let names: Vec<String> = specs.iter().enumerate().map(|(at, spec)| named(spec, at)).collect();
    compiler.unique(names.iter(), "test", tree);
    let mut tests = Vec::new();
    for ((at, spec), name) in specs.iter().enumerate().zip(names) {
        tests.push(test(compiler, spec, name, rules, tree.index(at)));
    }
    tests
}

fn test(
    compiler: &mut Compiler<'_, '_>,
    spec: &TestSpec,
    name: String,
    rules: &Rules,
    tree: Cursor<'_>,
) -> Test {
    if spec.expect.is_empty() && spec.snapshot.is_none() {
        let message = format!("test {} expects nothing", quoted(&name));
        compiler.findings.add(tree.span(), message, "needed: `expect`, or a `snapshot`");
    }
    if let (Some(from), Some(until)) = (spec.from, spec.until)
        && from > until
    {
        let message = format!("no day lies between: `from` {from} is after `until` {until}");
        compiler.findings.add(tree.key("until").span(), message, "allowed: a day not before `from`");
    }
    let play = spec.play.as_deref().map_or_else(
        || rules.scenario.clone(),
        |play| {
            let play = seen_from(&rules.folder, play);
            if let Err(invalid) = Scenario::open(&play) {
                let why = invalid.diagnostics().first().map(|first| first.message.clone());
                let message = format!("the scenario cannot be played: {}", why.unwrap_or_default());
                let more = "`host-sim check` of the scenario says more";
                compiler.findings.add(tree.key("play").span(), message, more);
            }
            play
        },
    );
    for (at, sink) in spec.down.iter().enumerate() {
        compiler.sink(sink, tree.key("down").index(at).span());
    }
    let mut expect = Vec::new();
    for (at, spec) in spec.expect.iter().enumerate() {
        expect.extend(expectation(compiler, spec, &rules.routes, tree.key("expect").index(at)));
    }
    Test {
        name,
        play,
        seeds: spec.seeds.unwrap_or(Seeds { first: 1, last: 1 }),
        from: spec.from,
        until: spec.until,
        only: pattern(spec.only.as_deref(), tree.key("only"), compiler.findings),
        faults: spec.faults,
        down: spec.down.clone(),
        expect,
        snapshot: spec.snapshot.as_ref().map(|path| rules.folder.join(path)),
    }
}

fn expectation(
    compiler: &mut Compiler<'_, '_>,
    spec: &ExpectSpec,
    routes: &[Route],
    tree: Cursor<'_>,
) -> Option<Expectation> {
    let asks = spec.within.is_some() || spec.p50.is_some() || spec.p99.is_some() || spec.count.is_some();
    if !asks && !spec.never {
        let needed = "needed: `within`, `p50`, `p99`, `count` or `never = true`";
        compiler.findings.add(tree.span(), "this expects nothing", needed);
    }
    if asks && spec.never {
        let message = "`never` stands beside something that has to come";
        compiler.findings.add(tree.key("never").span(), message, "allowed: one of them");
    }
    if let Some(when) = &spec.when {
        compiler.refuse_quorum(when, tree.key("when"));
    }
    let sink = compiler.sink(&spec.sink, tree.key("sink").span())?;
    let route = spec.route.as_ref().and_then(|name| {
        let found = compiler.route_named(routes, name, tree.key("route").span())?;
        let route = &routes[found];
        let leads = route.to.contains(&sink)
            || route.escalation.as_ref().is_some_and(|escalation| escalation.to.contains(&sink));
        if !leads {
            let message = format!("route {} does not lead to {}", quoted(name), quoted(&spec.sink));
            let allowed = "allowed: a sink of its `to`, or to which it escalates";
            compiler.findings.add(tree.key("route").span(), message, allowed);
        }
        Some(found)
    });
    Some(Expectation {
        sink,
        route,
        within_ms: spec.within.map(|span| span.ms),
        p50_ms: spec.p50.map(|span| span.ms),
        p99_ms: spec.p99.map(|span| span.ms),
        count: spec.count,
        never: spec.never,
        text: words(spec),
        incident: pattern(spec.incident.as_deref(), tree.key("incident"), compiler.findings),
        when: spec.when.as_ref().map(|when| compiler.when(0, when, tree.key("when"))),
    })
}

fn pattern(text: Option<&str>, tree: Cursor<'_>, findings: &mut Findings<'_>) -> Option<Pattern> {
    match Pattern::new(text?) {
        Ok(pattern) => Some(pattern),
        Err(error) => {
            let message = format!("{} is no pattern: {error}", quoted(text?));
            findings.add(tree.span(), message, "allowed: for example `2020-*` or `*-camp-taji`");
            None
        }
    }
}

/// An expectation as one line.
fn words(spec: &ExpectSpec) -> String {
    let mut parts = Vec::new();
    parts.extend(spec.within.map(|span| format!("within {span}")));
    parts.extend(spec.p50.map(|span| format!("p50 within {span}")));
    parts.extend(spec.p99.map(|span| format!("p99 within {span}")));
    parts.extend(spec.count.map(|count| format!("count {count}")));
    if spec.never {
        parts.push("never".into());
    }
    let mut text = format!("{} {}", spec.sink, parts.join(", "));
    if let Some(route) = &spec.route {
        text.push_str(&format!(", by {route}"));
    }
    if let Some(incident) = &spec.incident {
        text.push_str(&format!(", incident {incident}"));
    }
    if let Some(when) = &spec.when {
        text.push_str(&format!(", {}", when.words()));
    }
    text
}

fn matchers(table: &Matchers) -> String {
    let of_field = |(name, expression): (&String, &super::file::Expression)| {
        let text = expression.text();
        let has_operator = text.trim_start().starts_with(['=', '!', '<', '>']);
        if has_operator { format!("{name} {}", text.trim()) } else { format!("{name} = {}", text.trim()) }
    };
    let quorum =
        table.quorum.map(|quorum| format!("{} of {} within {}", quorum.needs, quorum.of, quorum.within));
    table.fields.iter().map(of_field).chain(quorum).collect::<Vec<_>>().join(", ")
}

impl When {
    /// As one line.
    #[must_use]
    pub fn words(&self) -> String {
        self.tables().iter().map(matchers).collect::<Vec<_>>().join(" or ")
    }
}
