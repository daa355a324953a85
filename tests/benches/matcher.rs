//! What it costs to hold an alert against rules: `cargo bench -p alertbus-tests --bench matcher`.
//!
//! The goal is 150 ns for 100 rules and 1 µs for 10,000, without allocation. Each rule asks for a kind, a precedence, a
//! site of two hundred, and a severity; alerts come from all sites in turn. `take` reads every match, `trace` is the same
//! without the index.

use std::path::Path;

use alertbus::message::kind::{ConvoyIed, DroneSighting, RocketLaunch};
use alertbus::message::{AlertDraft, Body, NodeId, Seq, Severity};
use alertbus::role::gateway::Standing;
use alertbus::{AlertId, Precedence, SiteId};
use divan::{AllocProfiler, Bencher, black_box};
use host_sim::route::{Facts, Node, Places, Rules, Site};

#[global_allocator]
static ALLOCATIONS: AllocProfiler = AllocProfiler::system();

const SITES: u16 = 200;
const KINDS: [&str; 3] = ["rocket-launch", "drone-sighting", "convoy-ied"];
const SEVERITIES: [&str; 4] = ["minor", "moderate", "severe", "extreme"];

fn main() {
    divan::main();
}

fn places() -> Places {
    let sites = (1..=SITES).map(|number| Site { id: format!("site-{number}"), number: SiteId(number) });
    let nodes = (1..=SITES).map(|number| Node {
        id: format!("site-{number}/detector"),
        number: NodeId(number),
        site: format!("site-{number}"),
        detects: KINDS.map(str::to_owned).into(),
    });
    Places::new(sites.collect(), nodes.collect(), Vec::new())
}

/// So many rules, no two of them the same.
fn rules(count: usize) -> Rules {
    let mut text = "schema = 1\ndefault = \"log\"\n[sinks]\n".to_owned();
    // Each round over all sites, kinds and severities has a sink of its own.
    let round = usize::from(SITES) * KINDS.len() * SEVERITIES.len();
    for sink in 0..=count / round {
        text.push_str(&format!("desk-{sink} = {{ kind = \"console\" }}\n"));
    }
    for number in 0..count {
        let (site, rest) = (number % usize::from(SITES) + 1, number / usize::from(SITES));
        let (kind, rest) = (KINDS[rest % KINDS.len()], rest / KINDS.len());
        let (severity, sink) = (SEVERITIES[rest % SEVERITIES.len()], rest / SEVERITIES.len());
        text.push_str(&format!(
            "[[route]]\nname = \"r{number}\"\nto = [\"desk-{sink}\"]\nwhen = {{ kind = \"{kind}\", site = \
             \"site-{site}\", precedence = \">= priority\", severity = \"{severity}\" }}\n"
        ));
    }
    match Rules::parse_for("bench.toml", &text, Path::new(""), places()) {
        Ok((rules, _)) => rules,
        Err(invalid) => panic!("{invalid}"),
    }
}

/// Alerts of every site and kind.
fn alerts(rules: &Rules) -> Vec<Facts> {
    let mut alerts = Vec::new();
    for node in 1..=SITES {
        let bodies: [Body; 3] =
            [RocketLaunch::default().into(), DroneSighting::default().into(), ConvoyIed::default().into()];
        for body in bodies {
            let draft = AlertDraft { severity: Severity::Severe, ..AlertDraft::new(body) };
            let Some(seq) = Seq::new(1) else { continue };
            let id = AlertId { node: NodeId(node), exercise: false, flash: true, seq };
            let (flash, said) = (Precedence::Flash, Some(draft.onset(0)));
            alerts.push(Facts::of(id, flash, Standing::default(), said, rules.places()));
        }
    }
    alerts
}

#[divan::bench(args = [100, 10_000])]
fn take(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    let alerts = alerts(&rules);
    let mut next = 0;
    bencher.bench_local(move || {
        next = (next + 7) % alerts.len();
        rules.matching(black_box(&alerts[next]), 0).map(|taken| taken.route).sum::<usize>()
    });
}

#[divan::bench(args = [100, 10_000])]
fn trace(bencher: Bencher<'_, '_>, count: usize) {
    let rules = rules(count);
    let alerts = alerts(&rules);
    let mut next = 0;
    bencher.bench_local(move || {
        next = (next + 7) % alerts.len();
        rules.trace(black_box(&alerts[next]), 0).len()
    });
}
