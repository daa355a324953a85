//! Which alternatives can match an alert at all: by kind, precedence and site, so that the others cost nothing.

use super::expression::{Allowed, Test};
use super::facts::{Facts, KINDS};
use super::field::{Field, Reading};
use super::places::Places;

/// Kinds times precedences.
const COMBINATIONS: usize = KINDS.len() * PRECEDENCES;
const PRECEDENCES: usize = 4;

/// An alternative stands at most at so many places of the index; one that fits more stands with those of any site.
const ENTRIES_MAX: usize = 64;

/// One table of matchers, read: all of it must hold.
#[derive(Clone, Debug)]
pub(super) struct Alternative {
    /// The route that it is of, by its place.
    pub(super) route: u32,
    /// Matchers, in the order in which they are held against an alert.
    pub(super) matchers: Vec<(Field, Test)>,
}

impl Alternative {
    /// Whether an alert fits.
    pub(super) fn fits(&self, facts: &Facts) -> bool {
        self.matchers.iter().all(|(field, test)| holds(*field, test, facts))
    }

    /// The same for one that the index has found: what it is found by holds already.
    pub(super) fn fits_else(&self, found: Found, facts: &Facts) -> bool {
        let is_known = |field: Field| match field {
            Field::Kind | Field::Precedence => true,
            Field::Site => found.by_site,
            _ => false,
        };
        self.matchers.iter().all(|(field, test)| is_known(*field) || holds(*field, test, facts))
    }

    fn test(&self, field: Field) -> Option<&Test> {
        self.matchers.iter().find(|(own, _)| *own == field).map(|(_, test)| test)
    }
}

/// Whether an alert fits one matcher.
pub(super) fn holds(field: Field, test: &Test, facts: &Facts) -> bool {
    match field.read(facts) {
        Reading::Lacking => false,
        Reading::Unknown => test.unknown,
        Reading::Value(number) => test.allows(number),
    }
}

/// See the [module](self).
#[derive(Clone, Debug, Default)]
pub(super) struct Index {
    /// Alternatives of any site, by kind and precedence, in the order of the file.
    any: Vec<Vec<u32>>,
    /// Those of one site: where in `entries` each combination and site begins.
    begins: Vec<u32>,
    entries: Vec<u32>,
    sites: usize,
}

impl Index {
    /// The index of `alternatives`.
    pub(super) fn new(alternatives: &[Alternative], places: &Places) -> Self {
        let sites = places.sites().len();
        let mut any = vec![Vec::new(); COMBINATIONS];
        let mut of_site: Vec<(u32, u32)> = Vec::new();
        for (number, alternative) in (0_u32..).zip(alternatives) {
            let combinations = combinations(alternative);
            let at = sites_of(alternative, places).filter(|at| at.len() * combinations.len() <= ENTRIES_MAX);
            for combination in combinations {
                match &at {
                    None => any[combination].push(number),
                    Some(at) => of_site.extend(at.iter().filter_map(|&site| {
                        let cell = combination * sites + usize::from(site);
                        Some((u32::try_from(cell).ok()?, number))
                    })),
                }
            }
        }
        of_site.sort_unstable();
        let mut begins = vec![0_u32; COMBINATIONS * sites + 1];
        for (cell, _) in &of_site {
            if let Some(next) = usize::try_from(*cell).ok().and_then(|cell| begins.get_mut(cell + 1)) {
                *next += 1;
            }
        }
        for cell in 1..begins.len() {
            begins[cell] += begins[cell - 1];
        }
        Self { any, begins, entries: of_site.into_iter().map(|(_, number)| number).collect(), sites }
    }

    /// Alternatives that may fit, in the order of the file.
    pub(super) fn candidates(&self, facts: &Facts) -> Candidates<'_> {
        let combination = facts.kind() * PRECEDENCES + usize::from(facts.precedence.bits());
        let any = self.any.get(combination).map_or(&[][..], Vec::as_slice);
        let of_site = facts.site.and_then(|site| {
            let cell = combination * self.sites + usize::from(site);
            let from = usize::try_from(*self.begins.get(cell)?).ok()?;
            let until = usize::try_from(*self.begins.get(cell + 1)?).ok()?;
            self.entries.get(from..until)
        });
        Candidates { any, of_site: of_site.unwrap_or_default() }
    }
}

/// An alternative that may fit.
#[derive(Clone, Copy)]
pub(super) struct Found {
    /// Its number.
    pub(super) number: u32,
    /// It stands with those of one site.
    by_site: bool,
}

/// Two lists in one order.
pub(super) struct Candidates<'i> {
    any: &'i [u32],
    of_site: &'i [u32],
}

impl Iterator for Candidates<'_> {
    type Item = Found;

    fn next(&mut self) -> Option<Found> {
        let by_site = match (self.any.first(), self.of_site.first()) {
            (Some(any), Some(of_site)) => any > of_site,
            (any, _) => any.is_none(),
        };
        let list = if by_site { &mut self.of_site } else { &mut self.any };
        let (first, rest) = list.split_first()?;
        *list = rest;
        Some(Found { number: *first, by_site })
    }
}

/// Combinations of kind and precedence that an alternative can fit. A kind without one of its fields does not.
fn combinations(alternative: &Alternative) -> Vec<usize> {
    let fits = |field, number: usize| {
        let number = u32::try_from(number).unwrap_or(u32::MAX);
        alternative.test(field).is_none_or(|test| test.allows(number))
    };
    let kinds = alternative.matchers.iter().fold(u8::MAX, |kinds, (field, _)| kinds & field.kinds());
    let kinds = (0..KINDS.len()).filter(|kind| (kinds >> kind) & 1 == 1 && fits(Field::Kind, *kind));
    kinds
        .flat_map(|kind| (0..PRECEDENCES).map(move |level| (kind, level)))
        .filter(|(_, level)| fits(Field::Precedence, *level))
        .map(|(kind, level)| kind * PRECEDENCES + level)
        .collect()
}

/// The sites at which an alternative can fit; none where that is any, or unknown.
fn sites_of(alternative: &Alternative, places: &Places) -> Option<Vec<u16>> {
    let of_site = alternative.test(Field::Site).and_then(listed);
    let of_nodes = alternative.test(Field::Node).and_then(listed).map(|nodes| {
        let mut sites: Vec<_> = nodes.into_iter().filter_map(|node| places.site_of(node)).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    });
    let mut sites = match (of_site, of_nodes) {
        (Some(mut sites), Some(others)) => {
            sites.retain(|site| others.contains(site));
            sites
        }
        (sites, others) => sites.or(others)?,
    };
    // Whoever stands with a site is not held against it again.
    sites.retain(|site| alternative.test(Field::Site).is_none_or(|test| test.allows((*site).into())));
    Some(sites)
}

/// The places that a test lets through, if they are few and known.
fn listed(test: &Test) -> Option<Vec<u16>> {
    let Allowed::Ranges(ranges) = &test.allowed else { return None };
    let count: u64 = ranges.iter().map(|(from, until)| u64::from(until - from) + 1).sum();
    if test.unknown || count > 4_096 {
        return None;
    }
    ranges.iter().flat_map(|&(from, until)| from..=until).map(|number| u16::try_from(number).ok()).collect()
}
