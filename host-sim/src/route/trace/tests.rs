//! The index against the trace, and both against a matcher that reads the rules as text and shares nothing with them.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::path::Path;
use std::sync::Arc;

use alertbus::message::kind::{Airframe, ConvoyIed, DroneSighting, RocketLaunch, Tamper, Target, Weapon};
use alertbus::message::{AlertDraft, Seq, Severity};
use alertbus::role::gateway::Standing;
use alertbus::{AlertId, Body, NodeId, Precedence};
use proptest::prelude::*;
use proptest::sample::select;

use super::*;
use crate::document::{Cursor, Findings, table};
use crate::route::compile::compile;
use crate::route::facts::KINDS;
use crate::route::file::File;
use crate::route::words::FORMATS;
use crate::scenario::Scenario;

fn places() -> Arc<Places> {
    Arc::new(Places::of(&Scenario::embedded(Scenario::DEFAULT).unwrap().unwrap()))
}

/// A field with expressions that can stand behind it.
fn matcher() -> impl Strategy<Value = (&'static str, String)> {
    let word = |values: &'static [&'static str]| {
        let several = prop::collection::vec(select(values), 1..4).prop_map(|values| values.join("|"));
        (select(&["", "= ", "!= "][..]), several).prop_map(|(operator, values)| format!("{operator}{values}"))
    };
    let ordered = |values: &'static [&'static str]| {
        (select(&["< ", "<= ", "> ", ">= ", "= ", "!= "][..]), select(values))
            .prop_map(|(operator, value)| format!("{operator}{value}"))
    };
    let number = || {
        let one = (select(&["<", "<= ", ">", ">= ", "", "!="][..]), 0..6_u8)
            .prop_map(|(operator, value)| format!("{operator}{value}"));
        prop::collection::vec(one, 1..3).prop_map(|terms| terms.join(", "))
    };
    let of = |field: &'static str, values: BoxedStrategy<String>| {
        values.prop_map(move |text| (field, text)).boxed()
    };
    prop_oneof![
        of("kind", word(&["rocket-launch", "drone-sighting", "convoy-ied", "tamper", "unknown"]).boxed()),
        of("precedence", ordered(&["routine", "priority", "immediate", "flash"]).boxed()),
        of("severity", ordered(&["minor", "moderate", "severe", "extreme"]).boxed()),
        of("severity", word(&["minor", "moderate", "severe", "extreme", "unknown"]).boxed()),
        of("site", word(&["embassy", "camp-*", "*", "iraq", "base-9", "unnamed-base-?"]).boxed()),
        of("node", word(&["embassy/*", "**", "*/launch-detector", "camp-taji/launch-detector"]).boxed()),
        of("weapon", word(&["rocket", "ballistic-missile", "unknown"]).boxed()),
        of("rounds", number().boxed()),
        of("target", word(&["un", "diplomatic", "unknown"]).boxed()),
        of("killed", number().boxed()),
        of("airframe", word(&["multirotor", "fixed-wing", "unknown"]).boxed()),
        of("late", word(&["yes", "no"]).boxed()),
        of("exercise", word(&["yes", "no"]).boxed()),
    ]
}

type Table = Vec<(&'static str, String)>;

fn route() -> impl Strategy<Value = (Vec<Table>, bool)> {
    let table =
        prop::collection::btree_map(select(&[0_u8, 1, 2, 3][..]), matcher(), 0..4).prop_map(|found| {
            let mut table: Table = found.into_values().collect();
            table.sort_by_key(|(field, _)| *field);
            table.dedup_by_key(|(field, _)| *field);
            table
        });
    (prop::collection::vec(table, 1..4), prop::bool::weighted(0.15))
}

fn facts(places: Arc<Places>) -> impl Strategy<Value = Facts> {
    let bodies = prop_oneof![
        (select(Weapon::ALL), 0..7_u8).prop_map(|(weapon, rounds)| {
            Some(Body::from(RocketLaunch { weapon, rounds, ..RocketLaunch::default() }))
        }),
        select(Airframe::ALL)
            .prop_map(|airframe| Some(DroneSighting { airframe, ..DroneSighting::default() }.into())),
        (select(Target::ALL), 0..7_u8)
            .prop_map(|(target, killed)| Some(ConvoyIed { target, killed, ..ConvoyIed::default() }.into())),
        Just(Some(Tamper::default().into())),
        Just(None),
    ];
    let nodes: Vec<NodeId> = places.nodes().iter().map(|node| node.number).chain([NodeId(999)]).collect();
    (bodies, select(nodes), select(Severity::ALL), 0..4_usize, any::<bool>(), any::<bool>()).prop_map(
        move |(body, node, severity, level, late, exercise)| {
            let precedence = Precedence::ALL[level];
            let flash = precedence == Precedence::Flash;
            let id = AlertId { node, exercise, flash, seq: Seq::new(1).unwrap() };
            let alert = body.map(|body| AlertDraft { severity, ..AlertDraft::new(body) }.onset(0));
            Facts::of(id, precedence, Standing { late, ..Standing::default() }, alert, &places)
        },
    )
}

/// What an alert says of a field, as text: nothing where it has no such field.
fn says(field: &str, facts: &Facts, places: &Places) -> Option<String> {
    let unknown = || "unknown".to_owned();
    let truth = |truth: bool| Some((if truth { "yes" } else { "no" }).to_owned());
    let body = facts.alert.map(|alert| alert.body);
    let of_body = |read: fn(&Body) -> Option<String>| body.as_ref().and_then(read);
    match field {
        "kind" => Some(KINDS[facts.kind()].to_owned()),
        "precedence" => Some(facts.precedence.name().to_owned()),
        "severity" => Some(facts.alert.map_or_else(unknown, |alert| alert.severity.name().to_owned())),
        "site" => Some(facts.site.map_or_else(unknown, |site| places.sites()[usize::from(site)].id.clone())),
        "node" => Some(facts.node.map_or_else(unknown, |node| places.nodes()[usize::from(node)].id.clone())),
        "late" => truth(facts.standing.late),
        "exercise" => truth(facts.id.exercise),
        "weapon" => of_body(|body| match body {
            Body::RocketLaunch(launch) => Some(launch.weapon.name().to_owned()),
            _ => None,
        }),
        "rounds" => of_body(|body| match body {
            Body::RocketLaunch(RocketLaunch { rounds: 0, .. }) => Some("unknown".to_owned()),
            Body::RocketLaunch(launch) => Some(launch.rounds.to_string()),
            _ => None,
        }),
        "target" => of_body(|body| match body {
            Body::ConvoyIed(device) => Some(device.target.name().to_owned()),
            _ => None,
        }),
        "killed" => of_body(|body| match body {
            Body::ConvoyIed(device) => Some(device.killed.to_string()),
            _ => None,
        }),
        "airframe" => of_body(|body| match body {
            Body::DroneSighting(drone) => Some(drone.airframe.name().to_owned()),
            _ => None,
        }),
        other => panic!("{other}"),
    }
}

/// A pattern of places, by hand: `*` stays within a part of a path, `**` does not, `?` is one letter.
fn is_like(pattern: &[u8], text: &[u8]) -> bool {
    match (pattern, text) {
        ([], []) => true,
        ([b'*', b'*', rest @ ..], _) => (0..=text.len()).any(|at| is_like(rest, &text[at..])),
        ([b'*', rest @ ..], _) => {
            let part = text.iter().position(|byte| *byte == b'/').unwrap_or(text.len());
            (0..=part).any(|at| is_like(rest, &text[at..]))
        }
        ([b'?', rest @ ..], [letter, tail @ ..]) => *letter != b'/' && is_like(rest, tail),
        ([letter, rest @ ..], [same, tail @ ..]) => letter == same && is_like(rest, tail),
        _ => false,
    }
}

fn rank(field: &str, value: &str) -> Option<u64> {
    let list: &[&str] = match field {
        "precedence" => &["routine", "priority", "immediate", "flash"],
        "severity" => &["minor", "moderate", "severe", "extreme"],
        _ => return value.parse().ok(),
    };
    list.iter().position(|known| *known == value).map(|at| at as u64)
}

/// Whether an alert fits an expression, by the words of the format's description.
fn fits(field: &str, expression: &str, facts: &Facts, places: &Places) -> bool {
    let Some(said) = says(field, facts, places) else { return false };
    expression.split(',').map(str::trim).all(|term| {
        let digits = term.trim_start_matches(['<', '>', '=', '!']);
        let (operator, values) = (&term[..term.len() - digits.len()], digits.trim());
        let equals = |value: &str| {
            let is_place = ["site", "node"].contains(&field) && said != "unknown";
            if is_place { is_like(value.as_bytes(), said.as_bytes()) } else { value == said }
        };
        let than = |holds: fn(u64, u64) -> bool| match (rank(field, &said), rank(field, values)) {
            (Some(said), Some(value)) => holds(said, value),
            _ => false,
        };
        match operator {
            "" | "=" => values.split('|').any(equals),
            "!=" => !values.split('|').any(equals),
            "<" => than(|said, value| said < value),
            "<=" => than(|said, value| said <= value),
            ">" => than(|said, value| said > value),
            _ => than(|said, value| said >= value),
        }
    })
}

/// These routes as a file.
fn text(routes: &[(Vec<Table>, bool)]) -> String {
    let mut text = "schema = 1\ndefault = \"log\"\n".to_owned();
    for (number, (tables, is_final)) in routes.iter().enumerate() {
        let tables = tables.iter().map(|table| {
            let matchers: Vec<_> =
                table.iter().map(|(field, value)| format!("{field} = {value:?}")).collect();
            format!("{{ {} }}", matchers.join(", "))
        });
        let tables: Vec<_> = tables.collect();
        text.push_str(&format!(
            "[[route]]\nname = \"r{number}\"\nto = [\"log\"]\nfinal = {is_final}\nwhen = [{}]\n",
            tables.join(", ")
        ));
    }
    text
}

/// Compiled without the checks that refuse routes which nothing reaches; none where a table contradicts itself.
fn compiled(text: &str, places: &Arc<Places>) -> Option<Rules> {
    let mut findings = Findings::new("random", text);
    let shape = crate::document::Shape::new(Rules::schema(), &FORMATS);
    let tree = table(text, &shape, &mut findings).unwrap_or_else(|| panic!("{text}"));
    let file: File = toml::from_str(text).unwrap();
    let (folder, cursor) = ((Path::new(""), String::new()), Cursor::of(tree.get_ref()));
    let rules = compile("random", folder, file, Arc::clone(places), cursor, &mut findings);
    findings.is_empty().then_some(rules)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 96, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn the_index_the_trace_and_the_text_agree(
        mut routes in prop::collection::vec(route(), 1..24),
        alerts in prop::collection::vec(facts(places()), 32),
    ) {
        let places = places();
        routes.retain(|route| compiled(&text(std::slice::from_ref(route)), &places).is_some());
        let text = text(&routes);
        let rules = compiled(&text, &places).unwrap();
        for facts in &alerts {
            let by_index: Vec<_> = rules.matching(facts, 0).collect();
            let traced = rules.trace(facts, 0);
            let by_trace: Vec<_> = traced.iter().flat_map(RouteTrace::matches).collect();
            prop_assert_eq!(&by_index, &by_trace, "{:?}\n{}", facts, text);
            let mut by_text = Vec::new();
            for (route, (tables, is_final)) in routes.iter().enumerate() {
                let before = by_text.len();
                let fitting = tables.iter().enumerate().filter(|(_, table)| {
                    table.iter().all(|(field, expression)| fits(field, expression, facts, &places))
                });
                by_text.extend(fitting.map(|(table, _)| Match { route, table }));
                if *is_final && by_text.len() > before {
                    break;
                }
            }
            prop_assert_eq!(&by_index, &by_text, "{:?}\n{}", facts, text);
        }
    }
}
