//! Why an alert goes where it goes: every route held against it, one matcher after the other, in the order of the file.
//!
//! This is the slow way, without the index; a test holds that both come to the same.

use serde::Serialize;

use super::expression::{Allowed, Test};
use super::facts::Facts;
use super::field::{Field, Reading, Values};
use super::index::{Alternative, holds};
use super::places::Places;
use super::rules::{Match, Rules};

/// Values of a matcher that are named.
const NAMED_MAX: usize = 8;

/// A route, and why it takes an alert or does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RouteTrace {
    /// Place of the route.
    #[serde(skip)]
    pub route: usize,
    /// Its name.
    pub name: String,
    /// Whether it takes it.
    #[serde(flatten)]
    pub verdict: RouteVerdict,
}

/// Whether a route takes an alert.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(tag = "verdict", rename_all = "kebab-case")]
pub enum RouteVerdict {
    /// Yes, through its tables at these places.
    Takes {
        /// Counted from 0.
        tables: Vec<usize>,
    },
    /// No: of each table the first matcher that does not hold.
    DoesNotMatch {
        /// One a table.
        mismatches: Vec<Mismatch>,
    },
    /// It would, at another hour.
    Closed,
    /// It would, but a route with `final` has taken it before.
    LeftOut {
        /// Name of that route.
        by: String,
    },
}

/// A matcher that does not hold.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Mismatch {
    /// Its field.
    pub field: &'static str,
    /// What it lets through.
    pub wanted: String,
    /// What the alert says.
    pub found: String,
}

impl Rules {
    /// Every route held against an alert at this calendar time, in the order of the file.
    #[must_use]
    pub fn trace(&self, facts: &Facts, now_ms: u64) -> Vec<RouteTrace> {
        let mut last: Option<&str> = None;
        let mut traces = Vec::new();
        for (at, route) in self.routes.iter().enumerate() {
            let (first, end) = route.alternatives;
            let tables = self.alternatives.get(first..end).unwrap_or_default();
            let mut mismatches = Vec::new();
            let mut fitting = Vec::new();
            for (number, table) in tables.iter().enumerate() {
                match mismatch(table, facts, &self.places) {
                    Some(found) => mismatches.push(found),
                    None => fitting.push(number),
                }
            }
            let is_open = route.hours.as_ref().is_none_or(|hours| hours.contain(now_ms));
            let verdict = if fitting.is_empty() {
                RouteVerdict::DoesNotMatch { mismatches }
            } else if !is_open {
                RouteVerdict::Closed
            } else if let Some(by) = last {
                RouteVerdict::LeftOut { by: by.to_owned() }
            } else {
                if route.is_final {
                    last = Some(&route.name);
                }
                RouteVerdict::Takes { tables: fitting }
            };
            traces.push(RouteTrace { route: at, name: route.name.to_string(), verdict });
        }
        traces
    }
}

impl RouteTrace {
    /// The ways through which it takes the alert.
    pub fn matches(&self) -> impl Iterator<Item = Match> {
        let tables = match &self.verdict {
            RouteVerdict::Takes { tables } => &tables[..],
            _ => &[],
        };
        tables.iter().map(|&table| Match { route: self.route, table })
    }
}

/// The first matcher of a table that does not hold.
fn mismatch(table: &Alternative, facts: &Facts, places: &Places) -> Option<Mismatch> {
    let (field, test) = table.matchers.iter().find(|(field, test)| !holds(*field, test, facts))?;
    let found = match field.read(facts) {
        Reading::Lacking => "no such field".to_owned(),
        Reading::Unknown => "unknown".to_owned(),
        Reading::Value(number) => word(*field, number, places),
    };
    Some(Mismatch { field: field.name(), wanted: wanted(*field, test, places), found })
}

/// What a test lets through, in words.
fn wanted(field: Field, test: &Test, places: &Places) -> String {
    let mut words: Vec<String> = match (&test.allowed, field.values()) {
        (Allowed::Words(_), Values::Words { words, .. }) => words
            .iter()
            .filter(|(_, number)| test.allows(*number))
            .map(|(name, _)| (*name).to_owned())
            .collect(),
        (Allowed::Ranges(ranges), Values::Numbers(_)) => ranges.iter().map(range).collect(),
        (Allowed::Ranges(ranges), _) => {
            let numbers = ranges.iter().flat_map(|&(from, until)| from..=until).take(NAMED_MAX + 1);
            numbers.map(|number| word(field, number, places)).collect()
        }
        (Allowed::Words(_), _) => Vec::new(),
    };
    if words.len() > NAMED_MAX {
        words.truncate(NAMED_MAX);
        words.push("…".to_owned());
    }
    if test.unknown {
        words.push("unknown".to_owned());
    }
    words.join(" or ")
}

fn range(&(from, until): &(u32, u32)) -> String {
    match (from, until) {
        (from, until) if from == until => from.to_string(),
        (0, until) => format!("at most {until}"),
        (from, u32::MAX) => format!("at least {from}"),
        (from, until) => format!("{from} to {until}"),
    }
}

/// What stands for a number in this field.
fn word(field: Field, number: u32, places: &Places) -> String {
    let at = usize::try_from(number).unwrap_or(usize::MAX);
    let found = match field.values() {
        Values::Words { words, .. } => {
            words.iter().find(|(_, known)| *known == number).map(|(name, _)| (*name).to_owned())
        }
        Values::Numbers(_) => None,
        Values::Nodes => places.nodes().get(at).map(|node| node.id.clone()),
        Values::Sites if field == Field::Site => places.sites().get(at).map(|site| site.id.clone()),
        Values::Sites => {
            let site = places.sites().iter().find(|site| u32::from(site.number.0) == number);
            site.map(|site| site.id.clone())
        }
    };
    found.unwrap_or_else(|| number.to_string())
}

#[cfg(test)]
mod tests;
