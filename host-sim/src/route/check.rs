//! What is wrong with rules each of which is right: routes that nothing reaches, escalations in a circle, deadlines
//! that nobody can keep.

use std::ops::Range;

use crate::document::{Cursor, Findings, quoted};

use super::field::Field;
use super::index::Alternative;
use super::places::Places;
use super::rules::Rules;

/// Pairs of tables that are held against each other at most: more than a million routes' worth of mistakes is no use
/// to anybody, and what is not compared is said.
const PAIRS_MAX: usize = 20_000_000;

/// Notes all of it. `tree` is where the rules stand.
pub(super) fn check(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    deadlines(rules, tree, findings);
    circles(rules, tree, findings);
    shadows(rules, tree, findings);
    detectors(rules, tree, findings);
    quorums(rules, tree, findings);
    unused(rules, tree, findings);
}

fn deadlines(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for (at, route) in rules.routes.iter().enumerate() {
        let best_ms = rules.best_time_ms(at);
        if route.deadline_ms.is_some_and(|deadline_ms| deadline_ms < best_ms) {
            let message = format!("route {} has a deadline that no alert can keep", quoted(&route.name));
            let allowed = format!("allowed: at least {best_ms}ms, the best time of the link to its sinks");
            findings.add(tree.key("route").index(at).key("deadline").span(), message, allowed);
        }
    }
}

/// Sinks that escalate to each other, all the way round.
fn circles(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut is_done = vec![false; rules.sinks.len()];
    for start in 0..rules.sinks.len() {
        let mut way: Vec<(usize, usize)> = Vec::new();
        let mut next = Some(start);
        // A walk into the depth that keeps its own stack: a chain may be as long as there are sinks.
        while next.is_some() || !way.is_empty() {
            if let Some(sink) = next.take().filter(|sink| !is_done[*sink]) {
                if let Some(from) = way.iter().position(|(on_way, _)| *on_way == sink) {
                    let mut names: Vec<_> =
                        way[from..].iter().map(|(on_way, _)| quoted(&rules.sinks[*on_way].name)).collect();
                    names.push(quoted(&rules.sinks[sink].name));
                    let span = tree.key("sinks").key(&rules.sinks[sink].name).key("unless-acked").span();
                    let message = format!("escalation goes in a circle: {}", names.join(" to "));
                    findings.add(span, message, "allowed: an escalation that comes to an end");
                    return;
                }
                way.push((sink, 0));
            }
            let Some((sink, taken)) = way.last_mut() else { break };
            let to = rules.sinks[*sink].escalation.as_ref().and_then(|escalation| escalation.to.get(*taken));
            *taken += 1;
            match to {
                Some(to) => next = Some(*to),
                None => {
                    is_done[*sink] = true;
                    way.pop();
                }
            }
        }
    }
}

/// Routes that an earlier one with `final` leaves nothing, and routes that add nothing to an earlier one.
fn shadows(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut pairs = 0_usize;
    let finals: Vec<usize> =
        (0..rules.routes.len()).filter(|at| is_plain(rules, *at) && rules.routes[*at].is_final).collect();
    let span = |at: usize| tree.key("route").index(at).key("name").span();
    for at in 0..rules.routes.len() {
        let route = &rules.routes[at];
        let tables = tables(rules, at);
        for &before in finals.iter().take_while(|before| **before < at) {
            pairs += tables.len() * self::tables(rules, before).len();
            if pairs > PAIRS_MAX {
                findings.warn(
                    span(at),
                    "from here on it was not looked whether an earlier route leaves nothing",
                    "there are too many routes with `final`",
                );
                return;
            }
            if tables.iter().all(|table| self::tables(rules, before).iter().any(|wide| covers(wide, table))) {
                let name = quoted(&rules.routes[before].name);
                let message = format!(
                    "route {} is never reached: {name} is final and takes everything first",
                    quoted(&route.name)
                );
                let also = Some((span(before), "this takes everything first".to_owned()));
                findings.add_with(
                    span(at),
                    message,
                    "allowed: in front of it, or with matchers that leave something",
                    also,
                );
                break;
            }
        }
    }
    repeated(rules, &span, findings);
}

/// Routes with the same tables and sinks as an earlier one, which is a mistake whatever else they say.
fn repeated(rules: &Rules, span: &impl Fn(usize) -> Range<usize>, findings: &mut Findings<'_>) {
    let mut seen = std::collections::BTreeMap::new();
    for (at, route) in rules.routes.iter().enumerate() {
        let matchers: Vec<_> =
            tables(rules, at).iter().map(|table| format!("{:?}", table.matchers)).collect();
        let hours = format!("{:?} {:?} {:?}", route.hours, route.quorums, route.to);
        match seen.get(&(matchers.clone(), hours.clone())) {
            None => drop(seen.insert((matchers, hours), at)),
            Some(&before) => {
                let earlier: &super::rules::Route = &rules.routes[before];
                let message = format!(
                    "route {} is shadowed by {}: both take the same alerts to the same sinks",
                    quoted(&route.name),
                    quoted(&earlier.name)
                );
                findings.add_with(
                    span(at),
                    message,
                    "allowed: each once",
                    Some((span(before), "the same".to_owned())),
                );
            }
        }
    }
}

/// Whether a route takes whatever fits its matchers, at any hour.
fn is_plain(rules: &Rules, at: usize) -> bool {
    rules.routes[at].hours.is_none()
}

fn tables(rules: &Rules, at: usize) -> &[Alternative] {
    let (first, end) = rules.routes[at].alternatives;
    rules.alternatives.get(first..end).unwrap_or_default()
}

/// Whether everything that fits `narrow` fits `wide`.
fn covers(wide: &Alternative, narrow: &Alternative) -> bool {
    wide.matchers.iter().all(|(field, test)| {
        narrow.matchers.iter().any(|(other, narrow)| other == field && test.covers(narrow))
    })
}

/// Tables that no node of the scenario can ever fit.
fn detectors(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for (at, route) in rules.routes.iter().enumerate() {
        for (number, table) in tables(rules, at).iter().enumerate() {
            if !is_detected(table, &rules.places) {
                let when = tree.key("route").index(at).key("when");
                let span = if tables(rules, at).len() > 1 { when.index(number).span() } else { when.span() };
                let message = format!(
                    "route {} is never reached: no node of the scenario raises such an alert",
                    quoted(&route.name)
                );
                findings.add(span, message, "allowed: a kind that some node of that site detects");
            }
        }
    }
}

/// Whether some node raises alerts of the kinds that a table asks for, where it asks for them.
fn is_detected(table: &Alternative, places: &Places) -> bool {
    let test = |wanted| table.matchers.iter().find(|(field, _)| *field == wanted).map(|(_, test)| test);
    let kinds = table.matchers.iter().fold(u8::MAX, |kinds, (field, _)| kinds & field.kinds());
    // Summaries come from any node, tampering is noticed by any enclosure, and what is unknown may come from anywhere.
    let asks = test(Field::Kind).is_some() || kinds & super::field::EVERY_KIND != super::field::EVERY_KIND;
    if !asks || places.nodes().is_empty() {
        return true;
    }
    let fits = |kind: &str| {
        let number =
            super::facts::KINDS.iter().position(|known| *known == kind).and_then(|at| u32::try_from(at).ok());
        number.is_some_and(|number| {
            kinds >> number & 1 == 1 && test(Field::Kind).is_none_or(|test| test.allows(number))
        })
    };
    if ["summary", "tamper", "unknown"].into_iter().any(fits) {
        return true;
    }
    places.nodes().iter().zip(0_u16..).any(|(node, at)| {
        let stands = |field, place: Option<u16>| {
            test(field).is_none_or(|test| place.map_or(test.unknown, |place| test.allows(place.into())))
        };
        stands(Field::Node, Some(at))
            && stands(Field::Site, places.site_of(at))
            && (node.detects.is_empty() || node.detects.iter().any(|kind| fits(kind)))
    })
}

/// Quorums that the scenario has too few nodes for: such alerts do not wait.
fn quorums(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for (at, route) in rules.routes.iter().enumerate() {
        for (number, table) in tables(rules, at).iter().enumerate() {
            let Some(quorum) = route.quorum(number) else { continue };
            let most = nodes_together(table, &rules.places);
            if most < usize::from(quorum.needs) {
                let when = tree.key("route").index(at).key("when");
                let when = if tables(rules, at).len() > 1 { when.index(number) } else { when };
                let message = format!(
                    "route {} asks for {} nodes that agree, and no site of the scenario has more than {most}",
                    quoted(&route.name),
                    quorum.needs
                );
                findings.warn(when.key("quorum").span(), message, "its alerts do not wait for others");
            }
        }
    }
}

/// The greatest number of nodes at one site that can fit a table.
fn nodes_together(table: &Alternative, places: &Places) -> usize {
    let test = |wanted| table.matchers.iter().find(|(field, _)| *field == wanted).map(|(_, test)| test);
    let mut together = vec![0_usize; places.sites().len()];
    for (node, at) in places.nodes().iter().zip(0_u16..) {
        let Some(site) = places.site_of(at) else { continue };
        let fits = |kind: &String| {
            let number = super::facts::KINDS
                .iter()
                .position(|known| known == kind)
                .and_then(|at| u32::try_from(at).ok());
            test(Field::Kind).is_none_or(|test| number.is_some_and(|number| test.allows(number)))
        };
        if test(Field::Site).is_none_or(|test| test.allows(site.into()))
            && test(Field::Node).is_none_or(|test| test.allows(at.into()))
            && node.detects.iter().any(fits)
        {
            together[usize::from(site)] += 1;
        }
    }
    together.into_iter().max().unwrap_or(0)
}

/// Sinks to which nothing leads.
fn unused(rules: &Rules, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut is_used = vec![false; rules.sinks.len()];
    let of_routes = rules
        .routes
        .iter()
        .flat_map(|route| route.to.iter().chain(route.escalation.iter().flat_map(|way| &way.to)));
    let of_sinks = rules.sinks.iter().filter_map(|sink| sink.escalation.as_ref()).flat_map(|way| &way.to);
    for &sink in of_routes.chain(of_sinks).chain([&rules.default]) {
        is_used[sink] = true;
    }
    for (sink, _) in rules.sinks.iter().zip(is_used).filter(|(_, is_used)| !is_used) {
        let at = tree.key("sinks");
        if at.has(&sink.name) {
            findings.warn(
                at.key(&sink.name).span(),
                format!("no route leads to sink {}", quoted(&sink.name)),
                "",
            );
        }
    }
}
