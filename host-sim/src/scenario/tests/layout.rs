//! Sirens, the umbrella, convoys out of coverage, and alerts raised again and again.

use super::*;

const BEACON: &str = "number = 11\nsite = \"basra\"\ndetects = [\"convoy-ied\"]\nmobile = true";
const SIREN: &str = "number = 101\nsite = \"embassy\"";
const UMBRELLA: &str = "[umbrella]\nsites = [\"embassy\"]\nsources = [\"B\"]\nnote = \"n\"\n\n[[source]]";

#[test]
fn sirens_have_addresses_of_their_own() {
    let sirens: Vec<_> = iraq().sirens().iter().map(|siren| (siren.id.clone(), siren.number)).collect();
    assert_eq!(sirens.len(), 5);
    assert_eq!(sirens[0], ("embassy/siren".into(), 101));
    let number = |number: &str| SIREN.replace("101", number);
    refuses(SIREN, &number("16"), "16", "duplicate number `16` of a node or siren", "no other has");
    refuses(SIREN, &number("0"), "0", "`number` is `0`", "1 to 65535");
    refuses(SIREN, "number = 101\nsite = \"embasy\"", "\"embasy", "unknown site `embasy`", "mean `embassy`?");
    refuses(
        "id = \"embassy/siren\"",
        "id = \"embassy/c-ram\"",
        "\"embassy",
        "duplicate id `embassy/c-ram` of a node or siren",
        "no other has",
    );
    refuses("id = \"embassy/siren\"", "id = \"embassy//siren\"", "\"", "`id` is", "joined by `/`");
}

#[test]
fn the_umbrella_has_defences_and_sirens_and_no_convoys() {
    let under = |umbrella: &str| TEXT.replacen("[[source]]", umbrella, 1);
    let scenario = Scenario::parse("s", &under(UMBRELLA)).unwrap();
    assert!(scenario.is_under_umbrella("embassy") && !scenario.is_under_umbrella("camp-taji"));
    assert!(!iraq().is_under_umbrella("embassy"), "not known is not covered");
    assert_eq!(scenario.timeline(1), iraq().timeline(1), "who does not engage raises nothing");

    let sites = |sites: &str| UMBRELLA.replace("[\"embassy\"]", sites);
    let under_it = |umbrella: &str, mark: &str, message: &str, allowed: &str| {
        refuses("[[source]]", umbrella, mark, message, allowed);
    };
    under_it(&sites("[\"embasy\"]"), "\"embasy", "unknown site `embasy`", "mean `embassy`?");
    under_it(
        &sites("[\"camp-taji\"]"),
        "\"camp-taji",
        "no node at site `camp-taji` raises `cram-engagement`",
        "with such a node",
    );
    under_it(&UMBRELLA.replace("\"B\"", "\"C\""), "\"C\"", "unknown source `C`", "`A`, `B`");
    let soon = UMBRELLA.replace("note", "engages-after-s = 0\nnote");
    under_it(&soon, "0\n", "`engages-after-s` is `0`", "1 to 600");

    let unwarned = under(UMBRELLA).replace(
        "id = \"embassy/siren\"\nnumber = 101\nsite = \"embassy\"",
        "id = \"embassy/siren\"\nnumber = 101\nsite = \"basra\"",
    );
    let invalid = Scenario::parse("s", &unwarned).unwrap_err();
    assert_eq!(invalid.diagnostics().len(), 1, "{invalid}");
    assert!(invalid.to_string().contains("no siren stands at site `embassy`"), "{invalid}");

    let convoy = under(UMBRELLA).replace(BEACON, &BEACON.replace("basra", "embassy"));
    let invalid = Scenario::parse("s", &convoy).unwrap_err();
    let found = invalid.diagnostics().iter().find(|found| found.message.contains("is mobile")).unwrap();
    assert!(found.allowed.contains("it covers no convoys"), "{invalid}");
}

#[test]
fn who_engages_is_heard_after_every_reconstructed_launch_and_no_other() {
    let engages = UMBRELLA.replace("note", "engages-after-s = 8\nnote");
    let scenario = Scenario::parse("s", &TEXT.replacen("[[source]]", &engages, 1)).unwrap();
    let mut engagements = 0;
    for (before, after) in iraq().timeline(1).iter().zip(scenario.timeline(1)) {
        let launch = before.site == "embassy" && before.alerts[0].kind() == "rocket-launch";
        let added = after.alerts.len() - before.alerts.len();
        assert_eq!(added == 1, launch && before.mark == Mark::Reconstructed, "{}", before.id);
        assert_eq!(before.alerts[..], after.alerts[..before.alerts.len()]);
        if let [_, engagement] = &after.alerts[..]
            && added == 1
        {
            engagements += 1;
            assert_eq!(engagement.at_ms - after.at_ms, 8_000);
            assert_eq!((engagement.kind(), &*engagement.node_id), ("cram-engagement", "embassy/c-ram"));
            let provenance = &engagement.provenance;
            assert!(provenance.stated.is_empty() && provenance.inferred.is_empty());
            for field in engagement.spec.body.fields().keys() {
                assert_eq!(provenance.of(field), Some("modelled"), "{field}");
            }
        }
    }
    assert!(engagements > 5, "{engagements}");
}

#[test]
fn only_convoys_leave_coverage() {
    let gap = "coverage-gap = { before-s = 60, after-s = 120 }";
    let with = BEACON.to_owned() + "\n" + gap;
    let scenario = Scenario::parse("s", &TEXT.replacen(BEACON, &with, 1)).unwrap();
    let incidents = scenario.timeline(1);
    assert!(iraq().coverage_gaps(&incidents).is_empty());
    let at_ms = incidents.iter().find(|incident| incident.id == "oil-convoys-basra-2019").unwrap().at_ms;
    let gaps: Vec<_> = scenario.coverage_gaps(&incidents).into_iter().collect();
    assert_eq!(gaps, [(NodeId(11), vec![(at_ms - 60_000, at_ms + 120_000)])]);

    let fixed = with.replace("\nmobile = true", "");
    refuses(BEACON, &fixed, "{ before", "has a `coverage-gap` and is not mobile", "`mobile = true`");
    refuses(BEACON, &with.replace("120", "0"), "0 }", "`after-s` is `0`", "1 to 86400");
    refuses(BEACON, &with.replace("60", "86401"), "86401", "`before-s` is `86401`", "0 to 86400");
    refuses(BEACON, &with.replace("before-s = 60, ", ""), "{ after", "`before-s` is missing", "");
}

#[test]
fn gaps_that_meet_are_one() {
    let convoy = Scenario::embedded("convoy").unwrap().unwrap();
    for seed in 1..=50 {
        let incidents = convoy.timeline(seed);
        let gaps = convoy.coverage_gaps(&incidents);
        assert_eq!(gaps.len(), 6, "every convoy leaves coverage");
        for gaps in gaps.values() {
            assert!(gaps.iter().all(|(from_ms, until_ms)| from_ms < until_ms));
            assert!(gaps.windows(2).all(|pair| pair[0].1 < pair[1].0), "{gaps:?}");
        }
        for alert in incidents.iter().flat_map(|incident| &incident.alerts) {
            let inside = |&(from_ms, until_ms): &(u64, u64)| from_ms < alert.at_ms && alert.at_ms < until_ms;
            assert!(gaps[&alert.node].iter().any(inside));
        }
    }
}

#[test]
fn gaps_of_one_node_that_overlap() {
    // The convoys of the data set lie days apart; a storm on one node does not.
    let alert = "node = \"basra/convoy-beacon\"\n";
    let text = TEXT
        .replacen(alert, &format!("{alert}repeat = {{ count = 3, every-ms = 100000 }}\n"), 1)
        .replacen("stated = [\"state\", \"target\"]\ninferred = [\"kind\", \"severity\", \"urgency\", \"certainty\"]\n\
                   modelled = [\"node\"]",
                  "stated = [\"state\", \"target\"]\ninferred = [\"kind\", \"severity\", \"urgency\", \"certainty\"]\n\
                   modelled = [\"node\", \"repeat\"]", 1)
        .replacen(BEACON, &format!("{BEACON}\ncoverage-gap = {{ before-s = 50, after-s = 60 }}"), 1);
    let scenario = Scenario::parse("s", &text).unwrap_or_else(|invalid| panic!("{invalid}"));
    let incidents = scenario.timeline(1);
    let at_ms = incidents.iter().find(|incident| incident.id == "oil-convoys-basra-2019").unwrap().at_ms;
    assert_eq!(scenario.coverage_gaps(&incidents)[&NodeId(11)], [(at_ms - 50_000, at_ms + 260_000)]);
}

#[test]
fn an_alert_is_raised_again_and_again() {
    let flood = include_str!("../../../scenarios/flood.toml");
    let storm = "repeat = { count = 240, every-ms = 500 }";
    let read = |by: &str| Scenario::parse("s", &flood.replacen(storm, by, 1));
    let incident = read(storm).unwrap().timeline(1).remove(0);
    let gate: Vec<_> =
        incident.alerts.iter().filter(|a| a.node.0 == 1 && a.kind() == "drone-sighting").collect();
    assert_eq!(gate.len(), 240);
    assert!(gate.windows(2).all(|pair| pair[1].at_ms - pair[0].at_ms == 500));
    assert!(incident.alerts.is_sorted_by_key(|alert| alert.at_ms));
    assert_eq!(gate[0].provenance.of("after-s"), None);
    assert_eq!(gate[1].provenance.of("after-s"), Some("modelled"));
    for (by, message) in [
        ("repeat = { count = 1, every-ms = 500 }", "`count` is `1`"),
        ("repeat = { count = 10001, every-ms = 500 }", "`count` is `10001`"),
        ("repeat = { count = 2, every-ms = 0 }", "`every-ms` is `0`"),
        ("repeat = { count = 2 }", "`every-ms` is missing"),
        ("repeat = 3", "`repeat` is `3`"),
    ] {
        let invalid = read(by).unwrap_err();
        assert!(invalid.diagnostics().len() == 1 && invalid.to_string().contains(message), "{invalid}");
    }
    // Not all at once: 25 alerts of ten thousand each are one storm too many.
    let alert = flood.split("[[incident.alert]]").nth(1).unwrap().replace("240", "10000");
    let alerts = |count: usize| format!("[[incident.alert]]{alert}").repeat(count);
    let head = flood.split("[[incident]]").next().unwrap();
    let one = flood.split("[[incident]]").nth(1).unwrap().split("[[incident.alert]]").next().unwrap();
    let two = format!(
        "{head}[[incident]]{one}{}[[incident]]{}{}",
        alerts(15),
        one.replace("salvo", "other"),
        alerts(11)
    );
    let invalid = Scenario::parse("s", &two).unwrap_err();
    assert_eq!(invalid.diagnostics().len(), 1, "{invalid}");
    assert!(invalid.to_string().contains("there are 260000 alerts"), "{invalid}");
}

#[test]
fn a_drill_is_no_event_and_counts_in_no_tally() {
    let flood = Scenario::embedded("flood").unwrap().unwrap();
    assert!(flood.timeline(1).iter().all(|incident| incident.mark == Mark::Modelled));
    let text = include_str!("../../../scenarios/flood.toml");
    let one = "sources = [\"drill\"]\nsite = \"camp\"\n";
    let counted = text.replacen(one, &format!("{one}tally = \"convoys\"\n"), 1).replacen(
        "modelled = [\"title\", ",
        "modelled = [\"tally\", \"title\", ",
        1,
    ) + "\n[[tally]]\nname = \"convoys\"\nquarter = \"2020-Q4\"\ncount = 1\nsources = [\"drill\"]\n";
    let invalid = Scenario::parse("s", &counted).unwrap_err();
    assert!(invalid.to_string().contains("`salvo-in-a-storm` is modelled, and a tally counts"), "{invalid}");
    assert_eq!(invalid.diagnostics().len(), 1, "{invalid}");
}
