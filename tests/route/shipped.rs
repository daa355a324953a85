//! The rules that the program carries.

use std::collections::BTreeSet;
use std::fs;

use serde_json::Value;

use super::{Folder, host_sim, json};

fn text() -> String {
    fs::read_to_string(alertbus_tests::root().join("host-sim/rules/iraq-2019-2020.toml")).unwrap()
}

/// The same without the route of this name.
fn without(name: &str) -> String {
    let text = text();
    let begins = text.find(&format!("[[route]]\nname = \"{name}\"")).unwrap();
    let length = text[begins..].find("\n\n").unwrap();
    format!("{}{}", &text[..begins], &text[begins + length..])
}

#[test]
fn they_hold_what_they_say_of_themselves_under_loss() {
    let (code, lines) = json(&["test", "--seeds", "1..=20", "--drop", "20%"]);
    let expectations = lines.iter().filter(|line| line["type"] == "expectation");
    let failed: Vec<_> = expectations.filter(|line| line["verdict"] != "passed").collect();
    assert_eq!((code, failed.len()), (0, 0), "{failed:#?}");
    assert!(lines.len() > 80, "twenty seeds of three scenarios and thirty expectations: {}", lines.len());
}

#[test]
fn without_any_one_route_a_test_fails() {
    let folder = Folder::new("without_a_route");
    let rules: toml::Table = text().parse().unwrap();
    let routes = rules["route"].as_array().unwrap();
    assert!(routes.len() > 8);
    for route in routes {
        let name = route["name"].as_str().unwrap();
        let path = folder.write("rules.toml", &without(name));
        let (code, out, err) = host_sim(&["test", &path]);
        // A route that an expectation names is missed before anything is played.
        let is_missed = (code == 1 && out.contains("FAILED")) || (code == 2 && err.contains(name));
        assert!(is_missed, "nothing fails without {name}: {code}\n{out}\n{err}");
    }
}

#[test]
fn every_documented_incident_and_every_sink_has_an_expectation() {
    let rules: toml::Table = text().parse().unwrap();
    let expectations =
        rules["test"].as_array().unwrap().iter().flat_map(|test| test["expect"].as_array().unwrap());
    let field = |name: &str| -> BTreeSet<String> {
        let found = expectations.clone().filter_map(|expectation| expectation.get(name)?.as_str());
        found.map(str::to_owned).collect()
    };
    let (sinks, patterns) = (field("sink"), field("incident"));
    for sink in rules["sinks"].as_table().unwrap().keys().map(String::as_str).chain(["log"]) {
        assert!(sinks.contains(sink), "{sink}");
    }
    let (_, incidents) = json(&["incidents", "--documented"]);
    let mut count = 0;
    for id in
        incidents.iter().filter(|line| line["type"] == "incident").filter_map(|line| line["id"].as_str())
    {
        count += 1;
        let fits = |pattern: &String| match pattern.split_once('*') {
            Some((before, after)) => id.starts_with(before) && id.ends_with(after),
            None => id == pattern,
        };
        assert!(patterns.iter().any(fits), "{id}");
    }
    assert_eq!(count, 12);
}

#[test]
fn a_replay_and_a_test_of_one_seed_have_one_hash() {
    let hash = |lines: &[Value], sort: &str| {
        let found = lines.iter().find(|line| line["type"] == sort).unwrap();
        found["run_hash"].as_str().unwrap().to_owned()
    };
    for faults in [&[][..], &["--drop", "20%", "--gateway-kill", "40000"]] {
        let test = [&["test", "--filter", "every-alert", "--seeds", "7"], faults].concat();
        let tested = json(&test).1;
        assert_eq!(json(&[&test[..], &["--threads", "1"]].concat()).1, tested, "threads change nothing");
        let replay = [&["replay", "--rules", "iraq-2019-2020", "--seed", "7"], faults].concat();
        assert_eq!(hash(&json(&replay).1, "summary"), hash(&tested, "run"));
        let other = [&["replay", "--seed", "7"], faults].concat();
        assert_ne!(hash(&json(&other).1, "summary"), hash(&tested, "run"), "other rules, other decisions");
    }
}

#[test]
fn a_replay_by_rules_says_where_each_alert_goes() {
    let (code, out, _) =
        host_sim(&["replay", "--rules", "iraq-2019-2020", "--only", "embassy-salvo-2020-09-15"]);
    assert_eq!(code, 0);
    assert_eq!(out.matches("  sirens embassy-desk joint-operations  ").count(), 2, "{out}");
    let arguments = ["replay", "--rules", "iraq-2019-2020", "--only", "embassy-salvo-2020-09-15"];
    let (_, lines) = json(&arguments);
    assert_eq!(lines[0]["to"], serde_json::json!(["sirens", "embassy-desk", "joint-operations"]));
    let (_, lines) = json(&["replay", "--only", "embassy-salvo-2020-09-15"]);
    assert!(lines[0].get("to").is_none(), "without rules there is no such column");
    let (code, _, err) = host_sim(&[&arguments[..], &["--down", "embassy-desks"]].concat());
    assert_eq!(code, 2);
    assert!(err.contains("did you mean `embassy-desk`?"), "{err}");
}
