//! Which module may know which.
//!
//! In core a module imports from lower levels only, and within a level modules do not know each other; files
//! in one folder do, but for the pairs in [`STRANGERS`]. In host-sim a table says what each folder may import.
//! The crate roots stand above everything, and so does what is under `#[cfg(test)]`.

use crate::source::Source;

/// The levels of core, lowest first.
const LEVELS: [&[&str]; 6] = [
    &["limits", "time", "precedence"],
    &["ledger", "place"],
    &["message"],
    &["wire", "queue", "store"],
    &["role", "provision"],
    &["driver", "bus"],
];

/// Files of one folder that know nothing of each other, in neither direction.
const STRANGERS: [(&str, &[&str]); 2] =
    [("role", &["node", "gateway", "siren", "relay"]), ("wire", &["frame", "packet"])];

/// What a folder or file of host-sim may import from host-sim, and whether from `alertbus`. `cli` and `main`,
/// which may import all of it, are not listed.
const HOST_SIM: [(&str, &[&str], bool); 19] = [
    ("document", &[], false),
    ("guest", &[], false),
    ("keyring", &[], true),
    ("draw", &[], false),
    ("workers", &[], false),
    ("scenario", &["document", "draw"], true),
    ("world", &["scenario", "route", "draw"], true),
    ("replay", &["scenario", "route", "world", "sink", "report", "clock"], true),
    ("trial", &["scenario", "route", "world", "replay", "document", "workers"], true),
    ("soak", &["scenario", "route", "world", "draw", "workers"], true),
    ("live", &["clock", "transport", "outbox", "route", "sink"], true),
    ("route", &["document", "scenario"], true),
    ("outbox", &[], true),
    ("transport", &[], false),
    ("sink", &[], true),
    ("record", &[], true),
    ("report", &[], false),
    ("screen", &["report"], true),
    ("clock", &[], false),
];

/// What `world/` must not have: its bytes depend on the scenario and the seed alone.
const NOT_IN_WORLD: [&[&str]; 6] = [
    &["tokio"],
    &["std", "::", "time"],
    &["std", "::", "thread"],
    &["HashMap"],
    &["HashSet"],
    &["RandomState"],
];

fn check_core(source: &Source) -> Vec<String> {
    let Some(here) = place(source, "core/src/") else { return Vec::new() };
    let Some(level) = level(&here[0]) else {
        return vec![source.violation(1, &format!("module `{}` stands in no level", here[0]))];
    };
    let mut violations = Vec::new();
    for (line, path) in imports(source, &here) {
        let Some(top) = path.first() else { continue };
        let from = here.join("/");
        let what = match self::level(top) {
            _ if *top == here[0] && are_strangers(&here, &path) => {
                format!("{from} must not know {}", path[..2].join("/"))
            }
            _ if *top == here[0] => continue,
            None => format!("`crate::{top}` is in no level: name the module that it comes from"),
            Some(other) if other > level => {
                format!("{from} (level {level}) must not know {top} (level {other})")
            }
            Some(other) if other == level => {
                format!("{from} and {top} are of one level and do not know each other")
            }
            Some(_) => continue,
        };
        violations.push(source.violation(line, &what));
    }
    violations
}

fn level(module: &str) -> Option<usize> {
    LEVELS.iter().position(|modules| modules.contains(&module))
}

fn are_strangers(here: &[String], path: &[String]) -> bool {
    let [folder, file, ..] = here else { return false };
    let Some(other) = path.get(1) else { return false };
    let apart = |names: &[&str]| names.contains(&file.as_str()) && names.contains(&other.as_str());
    file != other && STRANGERS.iter().any(|(room, names)| room == folder && apart(names))
}

fn check_host_sim(source: &Source) -> Vec<String> {
    let Some(here) = place(source, "host-sim/src/") else { return Vec::new() };
    let top = here[0].as_str();
    let mut violations = Vec::new();
    if top != "clock" {
        for at in ["Instant", "SystemTime", "Timestamp", "Zoned"]
            .iter()
            .flat_map(|kind| source.find(&[kind, "::", "now"]).collect::<Vec<_>>())
        {
            let token = &source.tokens[at];
            if !source.is_test(token.line) {
                let what = format!("{}::now belongs in clock.rs alone", token.text);
                violations.push(source.violation(token.line, &what));
            }
        }
    }
    if ["cli", "main"].contains(&top) {
        return violations;
    }
    let Some((_, allowed, bus)) = HOST_SIM.iter().find(|(name, ..)| *name == top) else {
        violations.push(source.violation(1, &format!("module `{top}` is not in the table of layers")));
        return violations;
    };
    for (line, path) in imports(source, &here) {
        let other = path.first().map_or("the crate's root", String::as_str);
        if other != top && !allowed.contains(&other) {
            violations.push(source.violation(line, &format!("{top} must not know {other}")));
        }
    }
    let mut banned: Vec<&[&str]> = if top == "world" { NOT_IN_WORLD.to_vec() } else { Vec::new() };
    if !bus {
        banned.push(&["alertbus", "::"]);
    }
    for words in banned {
        for at in source.find(words) {
            let line = source.tokens[at].line;
            if !source.is_test(line) {
                violations.push(source.violation(line, &format!("{top} must not use {}", words.concat())));
            }
        }
    }
    violations
}

/// The module that a file below `root` is, as a path; the crate root itself is none.
fn place(source: &Source, root: &str) -> Option<Vec<String>> {
    let path = source.path.strip_prefix(root)?.strip_suffix(".rs")?;
    let mut parts: Vec<String> = path.split('/').map(String::from).collect();
    if parts.last().is_some_and(|last| last == "mod") {
        parts.pop();
    }
    (parts != ["lib"]).then_some(parts)
}

/// Every path from `crate`, `self` or `super` outside tests, resolved to begin at the crate's root.
fn imports(source: &Source, here: &[String]) -> Vec<(usize, Vec<String>)> {
    let mut found = Vec::new();
    for start in ["crate", "super", "self"] {
        for at in source.find(&[start, "::"]) {
            let token = &source.tokens[at];
            let follows_path = at > 0 && source.tokens[at - 1].text == "::";
            // `pub(in crate::a)` grants, it imports nothing.
            let grants = at > 0 && source.tokens[at - 1].text == "in";
            if source.is_test(token.line) || follows_path || grants {
                continue;
            }
            let base = match start {
                "crate" => Vec::new(),
                // A module written inside the file is one step further down.
                "self" => here.to_vec(),
                _ => {
                    here[..(here.len() + source.depth(token.line)).saturating_sub(1).min(here.len())].to_vec()
                }
            };
            tree(source, at + 2, base, &mut found);
        }
    }
    found
}

/// Reads a path, or a use tree, that goes on at token `at`; returns the token after it.
fn tree(
    source: &Source,
    mut at: usize,
    mut path: Vec<String>,
    found: &mut Vec<(usize, Vec<String>)>,
) -> usize {
    while let Some(token) = source.tokens.get(at) {
        match token.text.as_str() {
            "{" => {
                at += 1;
                while source.tokens.get(at).is_some_and(|token| token.text != "}") {
                    at = tree(source, at, path.clone(), found);
                    while source.tokens.get(at).is_some_and(|token| token.text != "," && token.text != "}") {
                        at += 1;
                    }
                    if source.tokens.get(at).is_some_and(|token| token.text == ",") {
                        at += 1;
                    }
                }
                return at + 1;
            }
            "super" => {
                path.pop();
            }
            "self" => {}
            name => path.push(name.to_string()),
        }
        at += 1;
        if source.tokens.get(at).is_none_or(|next| next.text != "::") {
            found.push((token.line, path));
            return at;
        }
        at += 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sources;

    #[test]
    fn core_imports_from_lower_levels_only() {
        crate::hold(&sources(&["core/src/"]).iter().flat_map(check_core).collect::<Vec<_>>());
    }

    #[test]
    fn host_sim_imports_what_its_table_says() {
        crate::hold(&sources(&["host-sim/src/"]).iter().flat_map(check_host_sim).collect::<Vec<_>>());
    }

    fn core(path: &str, text: &str) -> Vec<String> {
        check_core(&Source::parse(&format!("core/src/{path}"), text).unwrap())
    }

    fn host_sim(path: &str, text: &str) -> Vec<String> {
        check_host_sim(&Source::parse(&format!("host-sim/src/{path}"), text).unwrap())
    }

    #[test]
    fn a_climb_in_core_is_found_however_it_is_written() {
        assert_eq!(
            core("wire/frame.rs", "//! Doc.\nuse crate::role::node::Node;\n"),
            ["core/src/wire/frame.rs:2: wire/frame (level 3) must not know role (level 4)"]
        );
        for text in [
            "use crate::{limits, role::Node};",
            "use crate::{limits::{A, B}, role::{Node as N}, time};",
            "use super::role::Node;",
            "use super::*;",
            "fn f() { crate::role::node::f(); }",
            "fn f() { assert!(crate::role::node::f()); }",
            "pub(crate) use crate::role;",
            "mod inner { use super::super::role::Node; }",
            "use crate::Node;",
        ] {
            assert_eq!(core("queue.rs", text).len(), 1, "{text}: {:?}", core("queue.rs", text));
        }
    }

    #[test]
    fn neighbours_and_strangers_in_core_are_found() {
        assert!(core("queue.rs", "use crate::store::Store;")[0].contains("are of one level"));
        assert!(core("role/node/mod.rs", "use crate::role::gateway::Peer;")[0].contains("must not know"));
        assert!(core("role/gateway.rs", "use super::node::Node;")[0].contains("must not know role/node"));
        assert_eq!(core("wire/frame.rs", "use crate::wire::{link, packet::seal};").len(), 1);
        assert!(core("clever.rs", "")[0].contains("`clever` stands in no level"));
    }

    #[test]
    fn what_core_may_import_is_left_alone() {
        for (path, text) in [
            ("lib.rs", "pub use role::Node; use crate::wire::packet;"),
            ("wire/packet.rs", "use crate::wire::keys::Key; use super::link::Link; use crate::limits;"),
            ("role/node/mod.rs", "mod timers; use self::timers::T; use crate::queue::Lane; use super::Side;"),
            ("role/node/timers.rs", "use super::Node; use crate::role::node::State;"),
            (
                "queue.rs",
                "/// [`crate::role::Node`]\nfn f() {} #[cfg(test)]\nmod tests { use crate::role::Node; }",
            ),
            ("queue.rs", "mod inner { use super::Lane; } pub(in crate::queue) fn f() {}"),
        ] {
            assert_eq!(core(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }

    #[test]
    fn a_forbidden_import_in_host_sim_is_found() {
        for (path, text) in [
            ("world/link.rs", "use crate::sink::Sink;"),
            ("world/mod.rs", "use tokio::time::sleep;"),
            ("world/mod.rs", "use std::collections::HashMap;"),
            ("world/mod.rs", "use std::time::Duration;"),
            ("world/mod.rs", "fn f() { std::thread::yield_now(); }"),
            ("scenario/mod.rs", "use crate::world::World;"),
            ("sink/console.rs", "use crate::report::Report;"),
            ("report/table.rs", "use crate::world::World;"),
            ("report/table.rs", "use alertbus::Precedence;"),
            ("transport/tcp.rs", "use crate::clock;"),
            ("cli/replay.rs", "fn f() { std::time::Instant::now(); }"),
            ("live/mod.rs", "fn f() { let t = tokio::time::Instant::now(); }"),
            ("clever.rs", ""),
        ] {
            assert_eq!(host_sim(path, text).len(), 1, "{path}: {text}: {:?}", host_sim(path, text));
        }
    }

    #[test]
    fn what_host_sim_may_import_is_left_alone() {
        for (path, text) in [
            ("main.rs", "use crate::cli::run; use host_sim::world::World;"),
            ("cli/replay.rs", "use crate::world::World; use crate::clock; use tokio::runtime::Runtime;"),
            ("clock.rs", "fn now() -> std::time::Instant { std::time::Instant::now() }"),
            ("world/mod.rs", "use crate::scenario::Scenario; use alertbus::Alert; use self::link::Link;"),
            ("sink/mod.rs", "use alertbus::Alert; use tokio::sync::mpsc;"),
        ] {
            assert_eq!(host_sim(path, text), Vec::<String>::new(), "{path}: {text}");
        }
    }
}
