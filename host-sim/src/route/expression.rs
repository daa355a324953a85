//! What stands behind a field in a matcher: `>= immediate`, `rocket-launch|drone-sighting`, `> 2, < 10`.
//!
//! ```text
//! expression = term { "," term }                     all must hold
//! term       = [ "=" | "!=" | "<" | "<=" | ">" | ">=" ] value { "|" value }
//! ```
//!
//! What an alert does not know fits `unknown`, and `!=` of anything else; it is neither more nor less than anything.

use std::ops::Range;

use glob::{MatchOptions, Pattern};

use crate::document::{near_miss, one_of, quoted};

use super::field::{Field, UNKNOWN_WORD, Values};
use super::places::Places;

/// Length of an expression, in bytes.
const EXPRESSION_LEN_MAX: usize = 4_096;

/// The values that a matcher lets through.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Test {
    pub(super) allowed: Allowed,
    /// Whether it lets through what is not known.
    pub(super) unknown: bool,
}

/// A set of numbers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Allowed {
    /// Words, each as its bit.
    Words(u64),
    /// Numbers, places of sites or of nodes: ranges with both ends, in order and apart.
    Ranges(Vec<(u32, u32)>),
}

/// Why an expression is refused, and where in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) span: Range<usize>,
    pub(super) message: String,
    pub(super) allowed: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Operator {
    Equal,
    NotEqual,
    Less,
    LessOrEqual,
    Greater,
    GreaterOrEqual,
}

/// Longest first, so that `<=` is not read as `<`.
const OPERATORS: [(&str, Operator); 6] = [
    ("!=", Operator::NotEqual),
    ("<=", Operator::LessOrEqual),
    (">=", Operator::GreaterOrEqual),
    ("<", Operator::Less),
    (">", Operator::Greater),
    ("=", Operator::Equal),
];

impl Test {
    /// Reads what stands behind `field`.
    pub(super) fn read(field: Field, text: &str, places: &Places) -> Result<Self, Refusal> {
        if text.len() > EXPRESSION_LEN_MAX {
            let message = format!("`{}` has an expression of {} bytes", field.name(), text.len());
            return Err(Refusal {
                span: 0..text.len(),
                message,
                allowed: format!("allowed: at most {EXPRESSION_LEN_MAX} bytes"),
            });
        }
        let reader = Reader { field, values: field.values(), places };
        let mut whole: Option<Self> = None;
        for span in split(text, 0..text.len(), ',') {
            let term = reader.term(text, span)?;
            whole = Some(match whole {
                Some(before) => before.and(&term),
                None => term,
            });
        }
        let whole = whole.unwrap_or(Self { allowed: Allowed::Words(0), unknown: false });
        if whole.is_empty() {
            let message =
                format!("`{}` contradicts itself: nothing is {}", field.name(), quoted(text.trim()));
            return Err(Refusal {
                span: 0..text.len(),
                message,
                allowed: "allowed: what some alert can fit".into(),
            });
        }
        Ok(whole)
    }

    /// Whether it lets this number through.
    pub(super) fn allows(&self, number: u32) -> bool {
        match &self.allowed {
            Allowed::Words(mask) => number < 64 && mask >> number & 1 == 1,
            Allowed::Ranges(ranges) => ranges.iter().any(|&(least, most)| (least..=most).contains(&number)),
        }
    }

    /// Whether it lets nothing through.
    pub(super) fn is_empty(&self) -> bool {
        !self.unknown
            && match &self.allowed {
                Allowed::Words(mask) => *mask == 0,
                Allowed::Ranges(ranges) => ranges.is_empty(),
            }
    }

    /// What both let through.
    pub(super) fn and(&self, other: &Self) -> Self {
        let allowed = match (&self.allowed, &other.allowed) {
            (Allowed::Words(left), Allowed::Words(right)) => Allowed::Words(left & right),
            (Allowed::Ranges(left), Allowed::Ranges(right)) => Allowed::Ranges(common(left, right)),
            // Two expressions on one field are of one sort.
            _ => Allowed::Words(0),
        };
        Self { allowed, unknown: self.unknown && other.unknown }
    }

    /// Whether everything that `other` lets through it lets through as well.
    pub(super) fn covers(&self, other: &Self) -> bool {
        self.and(other) == *other
    }
}

/// What is in a range of both lists.
fn common(left: &[(u32, u32)], right: &[(u32, u32)]) -> Vec<(u32, u32)> {
    let mut both = Vec::new();
    let (mut at, mut other) = (0, 0);
    while let (Some(&(from, until)), Some(&(other_from, other_until))) = (left.get(at), right.get(other)) {
        let overlap = (from.max(other_from), until.min(other_until));
        if overlap.0 <= overlap.1 {
            both.push(overlap);
        }
        if until < other_until { at += 1 } else { other += 1 }
    }
    both
}

/// These numbers as ranges.
pub(super) fn ranges(mut numbers: Vec<u32>) -> Vec<(u32, u32)> {
    numbers.sort_unstable();
    let mut ranges: Vec<(u32, u32)> = Vec::new();
    for number in numbers {
        match ranges.last_mut() {
            Some((_, until)) if number <= until.saturating_add(1) => *until = number.max(*until),
            _ => ranges.push((number, number)),
        }
    }
    ranges
}

/// The parts of `text[span]` between `separator`, without blanks around them.
fn split(text: &str, span: Range<usize>, separator: char) -> Vec<Range<usize>> {
    let mut parts = Vec::new();
    let mut start = span.start;
    for part in text[span].split(separator) {
        let blank = part.len() - part.trim_start().len();
        let from = start + blank;
        parts.push(from..from + part.trim().len());
        start += part.len() + separator.len_utf8();
    }
    parts
}

struct Reader<'p> {
    field: Field,
    values: Values,
    places: &'p Places,
}

impl Reader<'_> {
    fn term(&self, text: &str, span: Range<usize>) -> Result<Test, Refusal> {
        let term = &text[span.clone()];
        let found = OPERATORS.iter().find(|(sign, _)| term.starts_with(sign));
        let (operator, after) =
            found.map_or((Operator::Equal, 0), |(sign, operator)| (*operator, sign.len()));
        let values = split(text, span.start + after..span.end, '|');
        if matches!(operator, Operator::Equal | Operator::NotEqual) {
            return self.equal(text, &values, operator == Operator::Equal);
        }
        if let [value] = values.as_slice() {
            return self.compared(operator, value.clone(), &text[value.clone()]);
        }
        let message = format!("`{}`: {} compares with several values", self.field.name(), quoted(term));
        Err(Refusal {
            span,
            message,
            allowed: "allowed: one value behind <, <=, > or >=; commas between several".into(),
        })
    }

    /// One of these values, or none of them.
    fn equal(&self, text: &str, values: &[Range<usize>], is: bool) -> Result<Test, Refusal> {
        let mut numbers = Vec::new();
        let mut unknown = false;
        for span in values {
            let value = &text[span.clone()];
            if value == "unknown" && !matches!(self.values, Values::Words { .. }) {
                unknown = true;
            } else {
                numbers.extend(self.numbers(span.clone(), value)?);
            }
        }
        let last = match &self.values {
            Values::Words { words, .. } => {
                let named = numbers.iter().fold(0_u64, |mask, number| mask | 1 << number);
                let all = words.iter().fold(0_u64, |mask, (_, number)| mask | 1 << number);
                let mask = if is { named } else { all & !named };
                // An alert that cannot be read says no words at all: it is as if it said `unknown`.
                let unknown = if words.iter().any(|(_, number)| *number == UNKNOWN_WORD) {
                    mask >> UNKNOWN_WORD & 1 == 1
                } else {
                    !is
                };
                return Ok(Test { allowed: Allowed::Words(mask), unknown });
            }
            Values::Numbers(most) => *most,
            Values::Sites | Values::Nodes => u32::from(u16::MAX),
        };
        let named = ranges(numbers);
        let allowed = if is { named } else { outside(&named, last) };
        Ok(Test { allowed: Allowed::Ranges(allowed), unknown: unknown == is })
    }

    /// More or less than a value.
    fn compared(&self, operator: Operator, span: Range<usize>, value: &str) -> Result<Test, Refusal> {
        let fits = |number: u32, bound: u32| match operator {
            Operator::Less => number < bound,
            Operator::LessOrEqual => number <= bound,
            Operator::Greater => number > bound,
            Operator::GreaterOrEqual => number >= bound,
            Operator::Equal | Operator::NotEqual => false,
        };
        match &self.values {
            Values::Words { words, ordered: true } => {
                let bound = self.word(span.clone(), value, words)?;
                if bound == UNKNOWN_WORD {
                    let message = format!("`{}`: nothing is more or less than unknown", self.field.name());
                    return Err(Refusal {
                        span,
                        message,
                        allowed: "allowed: `unknown` or `!= unknown`".into(),
                    });
                }
                let known = words.iter().map(|(_, number)| *number).filter(|number| *number != UNKNOWN_WORD);
                let mask =
                    known.filter(|number| fits(*number, bound)).fold(0, |mask, number| mask | 1 << number);
                Ok(Test { allowed: Allowed::Words(mask), unknown: false })
            }
            Values::Numbers(most) => {
                let bound = self.number(span, value, *most)?;
                let (least, most) = match operator {
                    Operator::Less => (Some(0), bound.checked_sub(1)),
                    Operator::LessOrEqual => (Some(0), Some(bound)),
                    Operator::Greater => (bound.checked_add(1), Some(*most)),
                    _ => (Some(bound), Some(*most)),
                };
                let range = least.zip(most).filter(|(least, most)| least <= most);
                Ok(Test { allowed: Allowed::Ranges(range.into_iter().collect()), unknown: false })
            }
            _ => {
                let message = format!(
                    "`{}` has no order: nothing is more or less than {}",
                    self.field.name(),
                    quoted(value)
                );
                Err(Refusal { span, message, allowed: "allowed: = or !=".into() })
            }
        }
    }

    /// The numbers that a value stands for.
    fn numbers(&self, span: Range<usize>, value: &str) -> Result<Vec<u32>, Refusal> {
        match &self.values {
            Values::Words { words, .. } => Ok(vec![self.word(span, value, words)?]),
            Values::Numbers(most) => Ok(vec![self.number(span, value, *most)?]),
            Values::Sites => {
                let sites = self.places.sites();
                let places = self.named(span, value, "site", sites.iter().map(|site| site.id.as_str()))?;
                // What an alert says of a site is its number on the wire; where its node stands is a place in the list.
                let on_wire = self.field != Field::Site;
                let number = |place: u32| match usize::try_from(place).ok().and_then(|at| sites.get(at)) {
                    Some(site) if on_wire => site.number.0.into(),
                    _ => place,
                };
                Ok(places.into_iter().map(number).collect())
            }
            Values::Nodes => {
                self.named(span, value, "node", self.places.nodes().iter().map(|node| node.id.as_str()))
            }
        }
    }

    fn word(&self, span: Range<usize>, value: &str, words: &[(&'static str, u32)]) -> Result<u32, Refusal> {
        words.iter().find(|(word, _)| *word == value).map(|(_, number)| *number).ok_or_else(|| {
            let names: Vec<_> = words.iter().map(|(word, _)| *word).collect();
            let message = format!("`{}` is {}", self.field.name(), quoted(value));
            Refusal { span, message, allowed: one_of(value, &names) }
        })
    }

    fn number(&self, span: Range<usize>, value: &str, most: u32) -> Result<u32, Refusal> {
        value.parse().ok().filter(|number| *number <= most).ok_or_else(|| {
            let message = format!("`{}` is {}", self.field.name(), quoted(value));
            Refusal { span, message, allowed: format!("allowed: a whole number, 0 to {most}, or `unknown`") }
        })
    }

    /// Places of the names that fit a pattern, or of the one name. Something has to.
    fn named<'a>(
        &self,
        span: Range<usize>,
        value: &str,
        what: &str,
        names: impl Iterator<Item = &'a str> + Clone,
    ) -> Result<Vec<u32>, Refusal> {
        let refuse = |message: String, allowed: String| Err(Refusal { span: span.clone(), message, allowed });
        let field = self.field.name();
        if !value.contains('*') {
            let at = (0..).zip(names.clone()).find(|(_, name)| *name == value);
            return match at {
                Some((at, _)) => Ok(vec![at]),
                None => {
                    let known: Vec<_> = names.collect();
                    refuse(
                        format!("`{field}` is {}, which is no {what} of the scenario", quoted(value)),
                        named_of(value, &known),
                    )
                }
            };
        }
        // Brackets and question marks are no part of the language: they stand for themselves.
        let escaped = value.replace('[', "[[]").replace('?', "[?]");
        let pattern = match Pattern::new(&escaped) {
            Ok(pattern) => pattern,
            Err(error) => {
                return refuse(
                    format!("`{field}` is {}: {}", quoted(value), error.msg),
                    "allowed: `*` within a step of a path, `**` for any steps, as `camp-taji/*` or `**/launch-detector`".into(),
                );
            }
        };
        let options = MatchOptions { require_literal_separator: true, ..MatchOptions::new() };
        let places: Vec<u32> = (0..)
            .zip(names)
            .filter(|(_, name)| pattern.matches_with(name, options))
            .map(|(at, _)| at)
            .collect();
        if places.is_empty() {
            return refuse(
                format!("no {what} of the scenario fits {}", quoted(value)),
                format!("allowed: a pattern that some {what} fits"),
            );
        }
        Ok(places)
    }
}

/// What is allowed where there may be many names.
fn named_of(value: &str, names: &[&str]) -> String {
    match near_miss(value, names.iter().copied()) {
        Some(_) => one_of(value, names),
        None => one_of("", names),
    }
}

/// What no range covers, up to `last`.
fn outside(ranges: &[(u32, u32)], last: u32) -> Vec<(u32, u32)> {
    let mut outside = Vec::new();
    let mut next = Some(0);
    for &(from, until) in ranges {
        if let Some(start) = next.filter(|start| *start < from) {
            outside.push((start, from - 1));
        }
        next = until.checked_add(1);
    }
    outside.extend(next.filter(|start| *start <= last).map(|start| (start, last)));
    outside
}
