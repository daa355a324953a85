//! A router on a clock of its own, alert by alert.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::path::Path;

use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{Alert, AlertDraft, Body, Reference, Seq};
use alertbus::role::gateway::Standing;
use alertbus::time::Duration;
use alertbus::{Precedence, SiteId};

use super::*;
use crate::route::places::{Node, Places, Siren, Site};

const SECOND: u64 = 1_000;
/// 2020-09-15, 12:00, universal time.
const NOON: u64 = 1_600_171_200_000;

/// One site with three launch detectors and a drone detector, and a second with one of each.
fn places() -> Places {
    let site = |id: &str, number| Site { id: id.into(), number: SiteId(number) };
    let node = |id: &str, number, site: &str, kind: &str| Node {
        id: id.into(),
        number: NodeId(number),
        site: site.into(),
        detects: vec![kind.into()],
    };
    Places::new(
        vec![site("camp", 1), site("post", 2)],
        vec![
            node("camp/north", 1, "camp", "rocket-launch"),
            node("camp/south", 2, "camp", "rocket-launch"),
            node("camp/west", 3, "camp", "rocket-launch"),
            node("camp/drones", 4, "camp", "drone-sighting"),
            node("post/launches", 5, "post", "rocket-launch"),
            node("post/drones", 6, "post", "drone-sighting"),
        ],
        vec![Siren { id: "camp/siren".into(), number: NodeId(101), site: "camp".into() }],
    )
}

struct Bench {
    router: Router,
    seq: u32,
}

/// What a router has said, in words.
fn words(router: &mut Router) -> Vec<String> {
    let mut words = Vec::new();
    while let Some(event) = router.poll_event() {
        words.push(match event {
            RouterEvent::Dispatch(dispatch) => {
                let repeats = if dispatch.repeats.is_empty() {
                    String::new()
                } else {
                    format!(" +{}", dispatch.repeats.len())
                };
                let number = dispatch.facts.id.seq.number();
                format!("{number} to {} {}{repeats}", dispatch.sink().name, dispatch.cause.name())
            }
            RouterEvent::Held { alert, until_ms, .. } => {
                format!("{} held {}", alert.seq.number(), until_ms - NOON)
            }
            RouterEvent::Deferred { alert, until_ms, .. } => {
                format!("{} deferred {}", alert.seq.number(), until_ms - NOON)
            }
            RouterEvent::DeadlineMissed { alert, sink, .. } => {
                format!("{} missed {sink}", alert.seq.number())
            }
            RouterEvent::Unacknowledged { alert, sink } => {
                format!("{} unacknowledged {sink}", alert.seq.number())
            }
            RouterEvent::Settled(alert) => format!("{} settled", alert.seq.number()),
        });
    }
    words
}

impl Bench {
    fn new(rules: &str) -> Self {
        let text = format!("schema = 1\ndefault = \"log\"\n{rules}");
        let (rules, _) = match Rules::parse_for("bench.toml", &text, Path::new(""), places()) {
            Ok(rules) => rules,
            Err(invalid) => panic!("{invalid}"),
        };
        Self { router: Router::new(Arc::new(rules)), seq: 0 }
    }

    fn facts(&mut self, node: u16, body: impl Into<Body>, change: impl FnOnce(&mut Alert)) -> Facts {
        self.seq += 1;
        let body = body.into();
        let precedence = body.precedence();
        let flash = precedence == Precedence::Flash;
        let id = AlertId { node: NodeId(node), exercise: false, flash, seq: Seq::new(self.seq).unwrap() };
        let mut alert =
            AlertDraft { severity: alertbus::message::Severity::Severe, ..AlertDraft::new(body) }.onset(0);
        change(&mut alert);
        let standing = Standing { age: Some(Duration::from_millis(0)), ..Standing::default() };
        Facts::of(id, precedence, standing, Some(alert), self.router.rules().places())
    }

    /// Hands a launch over, `after_ms` after noon.
    fn launch(&mut self, after_ms: u64, node: u16) -> Vec<String> {
        let facts = self.facts(node, RocketLaunch::default(), |_| {});
        self.hand(after_ms, &facts)
    }

    fn hand(&mut self, after_ms: u64, facts: &Facts) -> Vec<String> {
        self.router.handle_alert(NOON + after_ms, facts);
        words(&mut self.router)
    }

    /// Lets time pass up to `after_ms` after noon, timer by timer.
    fn pass(&mut self, after_ms: u64) -> Vec<String> {
        let mut said = Vec::new();
        while let Some(due_ms) = self.router.poll_timeout().filter(|due| *due <= NOON + after_ms) {
            self.router.handle_timeout(due_ms);
            said.extend(words(&mut self.router).into_iter().map(|word| format!("{}: {word}", due_ms - NOON)));
        }
        said
    }

    fn ack(&mut self, facts: &Facts, sink: &str) -> Vec<String> {
        self.router.acknowledged(facts.id, sink);
        words(&mut self.router)
    }
}

const SINKS: &str = "
[sinks]
a = { kind = \"console\" }
b = { kind = \"console\" }
c = { kind = \"console\" }
";

fn bench(routes: &str) -> Bench {
    Bench::new(&format!("{SINKS}{routes}"))
}

#[test]
fn every_route_fires_each_sink_gets_it_once_and_what_none_takes_goes_to_the_default() {
    let mut bench = bench(
        "[[route]]\nname = \"1\"\nwhen = { kind = \"rocket-launch\" }\nto = [\"a\"]\n\
         [[route]]\nname = \"2\"\nwhen = { site = \"camp\" }\nto = [\"a\", \"b\"]\n",
    );
    assert_eq!(bench.launch(0, 1), ["1 to a matched", "1 to b matched"]);
    assert_eq!(bench.launch(0, 5), ["2 to a matched"]);
    let drone = bench.facts(6, DroneSighting::default(), |_| {});
    assert_eq!(bench.hand(0, &drone), ["3 to log no-route"]);
    assert_eq!(bench.ack(&drone, "log"), ["3 settled"]);
    assert!(bench.ack(&drone, "log").is_empty(), "told once");
}

#[test]
fn final_leaves_nothing_to_those_behind_it_but_for_what_it_does_not_take() {
    let mut bench = bench(
        "[[route]]\nname = \"1\"\nwhen = { site = \"camp\" }\nfinal = true\nto = [\"a\"]\n\
         [[route]]\nname = \"2\"\nwhen = { kind = \"rocket-launch\" }\nto = [\"b\"]\n",
    );
    assert_eq!(bench.launch(0, 1), ["1 to a matched"]);
    assert_eq!(bench.launch(0, 5), ["2 to b matched"]);
}

const QUORUM: &str = "[[route]]\nname = \"q\"\nwhen = { kind = \"rocket-launch\", quorum = \"2 of 3 within 10s\" }\nto = [\"a\"]\n";

#[test]
fn a_quorum_is_met_by_as_many_nodes_as_it_asks_for() {
    let mut bench = bench(QUORUM);
    assert_eq!(bench.launch(0, 1), ["1 held 10000"]);
    assert_eq!(bench.launch(SECOND, 1), ["2 held 10000"], "the same node is no second one");
    assert_eq!(bench.launch(2 * SECOND, 2), ["1 to a confirmed", "2 to a confirmed", "3 to a confirmed"]);
    assert_eq!(bench.launch(3 * SECOND, 3), ["4 to a confirmed"], "nothing waits any more");
}

#[test]
fn a_quorum_that_can_no_longer_be_met_delays_nothing() {
    let mut bench = bench(QUORUM);
    assert_eq!(bench.launch(0, 5), ["1 to a unconfirmed"], "that site has one node");
    bench.launch(0, 1);
    assert_eq!(bench.pass(20 * SECOND), ["10000: 2 to a unconfirmed"], "its time is over");
    for silent in [2, 3] {
        bench.router.note_silent(NodeId(silent), true);
    }
    assert_eq!(bench.launch(30 * SECOND, 1), ["3 to a unconfirmed"], "the others are silent");
    bench.router.note_silent(NodeId(2), false);
    assert_eq!(bench.launch(60 * SECOND, 1), ["4 held 70000"]);
}

#[test]
fn a_quorum_waits_no_longer_than_the_deadline_leaves() {
    let mut bench = bench(&format!("{QUORUM}deadline = \"2s\"\n"));
    let held = bench.launch(0, 1);
    assert!(held[0].starts_with("1 held 19"), "{held:?}");
    let told = bench.pass(SECOND * 2);
    assert!(told[0].ends_with("1 to a unconfirmed") && told[0].starts_with("19"), "{told:?}");
}

fn ends(bench: &mut Bench, of: &Facts, phase: Phase) -> Facts {
    let back = bench.seq + 1 - of.id.seq.number();
    bench.facts(of.id.node.0, of.alert.unwrap().body, |alert| {
        alert.phase = phase;
        alert.reference = Some(Reference::Back(back));
    })
}

#[test]
fn what_is_cancelled_while_it_waits_goes_to_the_record_and_what_is_cleared_goes_on() {
    let mut bench = bench(QUORUM);
    let onset = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(0, &onset);
    let cancel = ends(&mut bench, &onset, Phase::Cancel);
    assert_eq!(bench.hand(SECOND, &cancel), ["1 to log withdrawn", "2 to a matched"]);
    assert!(bench.pass(20 * SECOND).iter().all(|word| !word.contains("to a")));
    let onset = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(60 * SECOND, &onset);
    let clear = ends(&mut bench, &onset, Phase::Clear);
    assert_eq!(bench.hand(61 * SECOND, &clear), ["3 to a unconfirmed", "4 to a matched"]);
}

const GROUP: &str =
    "[[route]]\nname = \"g\"\ngroup-by = [\"site\", \"kind\"]\nevery = \"60s\"\nto = [\"a\"]\n";

#[test]
fn repeats_wait_for_each_other_and_the_first_does_not() {
    let mut bench = bench(GROUP);
    assert_eq!(bench.launch(0, 1), ["1 to a matched"]);
    assert_eq!(bench.launch(SECOND, 1), ["2 deferred 60000"]);
    assert_eq!(bench.launch(2 * SECOND, 2), ["3 deferred 60000"]);
    assert_eq!(bench.launch(3 * SECOND, 5), ["4 to a matched"], "another site");
    let told = bench.pass(61 * SECOND);
    assert!(told.contains(&"60000: 3 to a repeated +1".to_owned()), "{told:?}");
    assert!(told.contains(&"60000: 2 settled".to_owned()), "it is told with the other: {told:?}");
    assert_eq!(bench.launch(70 * SECOND, 1), ["5 deferred 120000"], "the clock runs from the last");
}

#[test]
fn a_rise_in_severity_and_the_end_of_an_event_are_no_repeats() {
    let mut bench = bench(GROUP);
    let onset = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(0, &onset);
    let worse = bench.facts(1, RocketLaunch::default(), |alert| {
        alert.severity = alertbus::message::Severity::Extreme;
    });
    assert_eq!(bench.hand(SECOND, &worse), ["2 to a matched"]);
    assert_eq!(bench.launch(2 * SECOND, 1), ["3 deferred 60000"], "less than the last");
    let clear = ends(&mut bench, &onset, Phase::Clear);
    assert_eq!(bench.hand(3 * SECOND, &clear), ["4 to a matched"]);
}

#[test]
fn who_does_not_acknowledge_is_told_of_and_others_get_it() {
    let routes = "[[route]]\nname = \"e\"\ndeadline = \"2s\"\nto = [\"a\", \"b\"]\n\
                  unless-acked = { after = \"30s\", to = [\"c\"] }\n";
    let mut bench = bench(routes);
    let alert = bench.facts(1, RocketLaunch::default(), |_| {});
    assert_eq!(bench.hand(0, &alert), ["1 to a matched", "1 to b matched"]);
    assert!(bench.ack(&alert, "a").is_empty());
    let told = bench.pass(60 * SECOND);
    assert_eq!(
        told,
        [
            "2000: 1 missed b",
            "30000: 1 unacknowledged b",
            "30000: 1 to c escalated",
            "60000: 1 unacknowledged c"
        ]
    );
    let other = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(100 * SECOND, &other);
    bench.ack(&other, "a");
    assert_eq!(bench.ack(&other, "b"), ["2 settled"]);
    assert!(bench.pass(200 * SECOND).is_empty(), "all is acknowledged");
}

#[test]
fn a_cancelled_alert_escalates_no_more_and_a_sink_escalates_by_itself() {
    let routes = "[sinks]\na = { kind = \"console\", unless-acked = { after = \"5s\", to = [\"b\"] } }\n\
                  b = { kind = \"console\", unless-acked = { after = \"5s\", to = [\"c\"] } }\nc = { kind = \"console\" }\n\
                  [[route]]\nname = \"e\"\nto = [\"a\"]\n";
    let mut bench = Bench::new(routes);
    let alert = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(0, &alert);
    assert_eq!(bench.pass(20 * SECOND), ["5000: 1 to b escalated", "10000: 1 to c escalated"]);
    let alert = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(100 * SECOND, &alert);
    let cancel = ends(&mut bench, &alert, Phase::Cancel);
    bench.hand(101 * SECOND, &cancel);
    let told = bench.pass(120 * SECOND);
    assert!(told.iter().all(|word| !word.contains(": 2 to")), "{told:?}");
    assert!(told.contains(&"106000: 3 to b escalated".to_owned()), "the cancel itself does: {told:?}");
}

#[test]
fn what_ends_an_event_goes_wherever_the_event_went() {
    let mut bench = bench("[[route]]\nname = \"s\"\nwhen = { severity = \">= severe\" }\nto = [\"a\"]\n");
    let onset = bench.facts(1, RocketLaunch::default(), |_| {});
    assert_eq!(bench.hand(0, &onset), ["1 to a matched"]);
    let mut clear = ends(&mut bench, &onset, Phase::Clear);
    clear.alert.as_mut().unwrap().severity = alertbus::message::Severity::Minor;
    assert_eq!(bench.hand(SECOND, &clear), ["2 to a follows"]);
}

#[test]
fn a_silence_hides_up_to_its_precedence_and_until_its_end() {
    let silence = |up_to: &str| {
        format!(
            "[[route]]\nname = \"r\"\nto = [\"a\"]\n[[silence]]\nwhen = {{ site = \"camp\" }}\n\
             until = 2020-09-15T15:00:10+03:00\nup-to = \"{up_to}\"\nreason = \"work on the mast\"\nby = \"watch\"\n"
        )
    };
    let mut hidden = bench(&silence("flash"));
    assert_eq!(hidden.launch(9_999, 1), ["1 to log silenced"]);
    assert_eq!(hidden.launch(10_000, 1), ["2 to a matched"], "it is over");
    assert_eq!(hidden.launch(0, 5), ["3 to a matched"], "another site");
    let mut above = bench(&silence("immediate"));
    assert_eq!(above.launch(0, 1), ["1 to a matched"], "Flash stands above it");
}

const INHIBIT: &str = "[[route]]\nname = \"r\"\nto = [\"a\"]\n[[inhibit]]\nname = \"i\"\nsource = { kind = \"rocket-launch\" }\n\
                       target = { kind = \"drone-sighting\" }\nsame = [\"site\"]\nfor = \"60s\"\n";

#[test]
fn an_alert_holds_others_back_at_its_site_for_its_time_and_until_it_is_over() {
    let mut bench = bench(INHIBIT);
    let launch = bench.facts(1, RocketLaunch::default(), |_| {});
    assert_eq!(bench.hand(0, &launch), ["1 to a matched"]);
    let drone = |bench: &mut Bench, after_ms, node| {
        let facts = bench.facts(node, DroneSighting::default(), |_| {});
        bench.hand(after_ms, &facts)
    };
    assert_eq!(drone(&mut bench, SECOND, 4), ["2 to log inhibited"]);
    assert_eq!(drone(&mut bench, SECOND, 6), ["3 to a matched"], "another site");
    assert_eq!(drone(&mut bench, 60 * SECOND, 4), ["4 to a matched"], "its time is over");
    let launch = bench.facts(1, RocketLaunch::default(), |_| {});
    bench.hand(100 * SECOND, &launch);
    let clear = ends(&mut bench, &launch, Phase::Clear);
    bench.hand(101 * SECOND, &clear);
    assert_eq!(drone(&mut bench, 102 * SECOND, 4), ["7 to a matched"], "it is over");
}

#[test]
fn nothing_that_is_worse_is_held_back() {
    let mut bench = bench(INHIBIT);
    bench.launch(0, 1);
    let worse = bench.facts(4, DroneSighting::default(), |alert| {
        alert.severity = alertbus::message::Severity::Extreme;
    });
    assert_eq!(bench.hand(SECOND, &worse), ["2 to a matched"]);
}

#[test]
fn hours_are_of_their_zone_and_may_go_over_midnight() {
    let hours = |text: &str| bench(&format!("[[route]]\nname = \"h\"\nto = [\"a\"]\nhours = {{ {text} }}\n"));
    // Noon of that Tuesday is 15:00 in Baghdad.
    for (text, sink) in [
        ("from = \"15:00\", until = \"15:01\", zone = \"Asia/Baghdad\"", "a"),
        ("from = \"14:00\", until = \"15:00\", zone = \"Asia/Baghdad\"", "log"),
        ("from = \"12:00\", until = \"13:00\", zone = \"UTC\"", "a"),
        ("from = \"22:00\", until = \"16:00\", zone = \"Asia/Baghdad\"", "a"),
        ("from = \"22:00\", until = \"16:00\", zone = \"Asia/Baghdad\", days = [\"mon\"]", "a"),
        ("from = \"22:00\", until = \"16:00\", zone = \"Asia/Baghdad\", days = [\"tue\"]", "log"),
        ("from = \"10:00\", until = \"16:00\", zone = \"Asia/Baghdad\", days = [\"tue\"]", "a"),
        ("from = \"10:00\", until = \"16:00\", zone = \"Asia/Baghdad\", days = [\"wed\"]", "log"),
    ] {
        let said = hours(text).launch(0, 1);
        assert!(said[0].starts_with(&format!("1 to {sink}")), "{text}: {said:?}");
    }
}

#[test]
fn other_rules_hold_for_what_comes_from_then_on() {
    let mut bench = bench(QUORUM);
    bench.launch(0, 1);
    let other = Bench::new("");
    bench.router.adopt(Arc::clone(other.router.rules()));
    assert_eq!(bench.launch(SECOND, 2), ["2 to log no-route"]);
    assert_eq!(bench.pass(20 * SECOND), ["10000: 1 to a unconfirmed"], "it came under the old ones");
}

#[test]
fn late_alerts_sound_no_siren_and_go_somewhere_all_the_same() {
    let mut bench = Bench::new("[sinks]\ns = { kind = \"siren\" }\n[[route]]\nname = \"r\"\nto = [\"s\"]\n");
    assert_eq!(bench.launch(0, 1), ["1 to s matched"]);
    let mut late = bench.facts(1, RocketLaunch::default(), |_| {});
    late.standing.late = true;
    assert_eq!(bench.hand(0, &late), ["2 to log no-route"]);
}
