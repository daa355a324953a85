//! Rules that have passed every check, ready to be held against alerts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use alertbus::Precedence;
use jiff::civil::{Time, Weekday};
use jiff::tz::TimeZone;
use jiff::{Timestamp, Zoned};

use super::expect::Test;
use super::facts::Facts;
use super::field::{Field, Reading};
use super::file::SinkSpec;
use super::index::{Alternative, Candidates, Index};
use super::places::Places;
use super::words::Quorum;

/// Rules that have passed every check, ready to be held against alerts.
#[derive(Clone, Debug)]
pub struct Rules {
    pub(super) name: String,
    /// From where the files that they name are seen.
    pub(super) folder: PathBuf,
    /// The scenario that the names are of, as it can be opened.
    pub(super) scenario: String,
    pub(super) places: Arc<Places>,
    pub(super) sinks: Vec<Sink>,
    /// Place of the default sink.
    pub(super) default: usize,
    pub(super) routes: Vec<Route>,
    pub(super) alternatives: Vec<Alternative>,
    pub(super) index: Index,
    pub(super) inhibitions: Vec<Inhibition>,
    pub(super) silences: Vec<Silence>,
    pub(super) tests: Vec<Test>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Sink {
    /// Its name.
    pub name: Arc<str>,
    /// What it is.
    pub spec: SinkSpec,
    /// How long it may take to acknowledge, in milliseconds.
    pub ack_ms: u64,
    /// Where an alert goes that it has not acknowledged.
    pub escalation: Option<Escalation>,
}

/// Where an alert goes that nobody has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Escalation {
    /// After so long, in milliseconds.
    pub after_ms: u64,
    /// Places of sinks.
    pub to: Vec<usize>,
}

/// A route.
#[derive(Clone, Debug)]
pub struct Route {
    /// Its name.
    pub name: Arc<str>,
    /// Which alerts it takes, in words.
    pub when: Arc<str>,
    /// Places of its sinks.
    pub to: Vec<usize>,
    /// From detection to acknowledgement, in milliseconds.
    pub deadline_ms: Option<u64>,
    /// When a sink of `to` does not acknowledge.
    pub escalation: Option<Escalation>,
    /// Whether it leaves nothing to the routes behind it.
    pub is_final: bool,
    /// Which repeats wait for each other.
    pub grouping: Option<Grouping>,
    /// When it holds.
    pub hours: Option<OpeningHours>,
    /// Places of its first alternative and of the one behind its last.
    pub(super) alternatives: (usize, usize),
    /// Quorum of each alternative.
    pub(super) quorums: Vec<Option<Quorum>>,
}

/// Which repeats wait for each other, and how long.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grouping {
    /// Alerts that say the same of these.
    pub by: Vec<Field>,
    /// In milliseconds.
    pub every_ms: u64,
}

/// Hours of the day on days of the week, in some zone.
#[derive(Clone, Debug, PartialEq)]
pub struct OpeningHours {
    pub(super) from: Time,
    pub(super) until: Time,
    pub(super) days: Vec<Weekday>,
    pub(super) zone: TimeZone,
}

/// Alerts that hold others back.
#[derive(Clone, Debug)]
pub struct Inhibition {
    /// Its name.
    pub name: Arc<str>,
    pub(super) source: Vec<Alternative>,
    pub(super) target: Vec<Alternative>,
    pub(super) same: Vec<Field>,
    pub(super) lasts_ms: u64,
}

/// Alerts that are held back for a time.
#[derive(Clone, Debug)]
pub struct Silence {
    /// Why.
    pub reason: Arc<str>,
    /// Who says so.
    pub by: Arc<str>,
    pub(super) when: Vec<Alternative>,
    pub(super) from_ms: u64,
    /// Its end, milliseconds since 1970, universal time.
    pub until_ms: u64,
    pub(super) up_to: Precedence,
}

/// A route that takes an alert, and through which of its tables.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Match {
    /// Place of the route.
    pub route: usize,
    /// Place of the table among the route's own.
    pub table: usize,
}

impl Rules {
    /// What messages call them.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The scenario that names are of: one that the program carries, or a path.
    #[must_use]
    pub fn scenario(&self) -> &str {
        &self.scenario
    }

    /// Everything that has a name.
    #[must_use]
    pub const fn places(&self) -> &Arc<Places> {
        &self.places
    }

    /// The sinks, sorted by name.
    #[must_use]
    pub fn sinks(&self) -> &[Sink] {
        &self.sinks
    }

    /// The sink at this place.
    #[must_use]
    pub fn sink(&self, at: usize) -> Option<&Sink> {
        self.sinks.get(at)
    }

    /// Place of the sink of this name.
    #[must_use]
    pub fn sink_named(&self, name: &str) -> Option<usize> {
        self.sinks.iter().position(|sink| &*sink.name == name)
    }

    /// Place of the route of this name.
    #[must_use]
    pub fn route_named(&self, name: &str) -> Option<usize> {
        self.routes.iter().position(|route| &*route.name == name)
    }

    /// Place of the default sink.
    #[must_use]
    pub const fn default_sink(&self) -> usize {
        self.default
    }

    /// The routes, in the order of the file.
    #[must_use]
    pub fn routes(&self) -> &[Route] {
        &self.routes
    }

    /// What must come of them.
    #[must_use]
    pub fn tests(&self) -> &[Test] {
        &self.tests
    }

    /// The routes that take an alert at this calendar time, in the order of the file, each with every table that fits.
    /// Allocates nothing.
    ///
    /// Costs a few nanoseconds for each table that names the alert's kind, precedence and site or leaves them open, and
    /// nothing for the others.
    #[must_use]
    pub fn matching<'r>(&'r self, facts: &'r Facts, now_ms: u64) -> Matching<'r> {
        Matching { rules: self, facts, now_ms, candidates: self.index.candidates(facts), last: None }
    }
}

/// The routes that take an alert.
pub struct Matching<'r> {
    rules: &'r Rules,
    facts: &'r Facts,
    now_ms: u64,
    candidates: Candidates<'r>,
    /// The last route with `final` that has taken it.
    last: Option<u32>,
}

impl Iterator for Matching<'_> {
    type Item = Match;

    fn next(&mut self) -> Option<Match> {
        for found in self.candidates.by_ref() {
            let at = usize::try_from(found.number).ok()?;
            let alternative = self.rules.alternatives.get(at)?;
            if self.last.is_some_and(|last| last != alternative.route) {
                return None;
            }
            if !alternative.fits_else(found, self.facts) {
                continue;
            }
            let route = usize::try_from(alternative.route).ok()?;
            let taken = self.rules.routes.get(route)?;
            if taken.hours.as_ref().is_some_and(|hours| !hours.contain(self.now_ms)) {
                continue;
            }
            if taken.is_final {
                self.last = Some(alternative.route);
            }
            return Some(Match { route, table: at - taken.alternatives.0 });
        }
        None
    }
}

impl Route {
    /// The quorum of one of its tables.
    #[must_use]
    pub fn quorum(&self, table: usize) -> Option<Quorum> {
        self.quorums.get(table).copied().flatten()
    }
}

impl OpeningHours {
    /// Whether a moment is in them.
    #[must_use]
    pub fn contain(&self, unix_ms: u64) -> bool {
        let Some(moment) = i64::try_from(unix_ms).ok().and_then(|ms| Timestamp::from_millisecond(ms).ok())
        else {
            return false;
        };
        let local: Zoned = moment.to_zoned(self.zone.clone());
        let (time, today) = (local.time(), local.weekday());
        let begins = |day| self.days.is_empty() || self.days.contains(&day);
        if self.from < self.until {
            return begins(today) && self.from <= time && time < self.until;
        }
        (begins(today) && self.from <= time) || (begins(today.previous()) && time < self.until)
    }
}

impl Silence {
    /// Whether it holds an alert back now.
    pub(super) fn holds_back(&self, facts: &Facts, now_ms: u64) -> bool {
        facts.precedence <= self.up_to
            && (self.from_ms..self.until_ms).contains(&now_ms)
            && self.when.iter().any(|table| table.fits(facts))
    }
}

/// What alerts say of some fields, so that they can be compared.
pub(super) fn values_of(fields: &[Field], facts: &Facts) -> Vec<Option<u32>> {
    let value = |field: &Field| match field.read(facts) {
        Reading::Value(value) => Some(value),
        Reading::Lacking | Reading::Unknown => None,
    };
    fields.iter().map(value).collect()
}

/// Sinks by name, for whoever has to find many.
pub(super) fn by_name(sinks: &[Sink]) -> BTreeMap<&str, usize> {
    sinks.iter().enumerate().map(|(at, sink)| (&*sink.name, at)).collect()
}
