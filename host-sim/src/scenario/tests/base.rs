//! Scenarios laid over another: what they take, what they change, and what does not fit.

use super::*;

/// A file over the data set, with `rest` behind its head.
fn over(rest: &str) -> String {
    format!(
        "schema = 1\nname = \"over\"\ndescription = \"Over.\"\nutc-offset-min = 180\n[base]\n\
         scenario = \"iraq-2019-2020\"\n{rest}\n"
    )
}

#[track_caller]
fn laid(rest: &str) -> Scenario {
    Scenario::parse("over.toml", &over(rest)).unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// Holds that a file over the data set is refused once, where `mark` stands, with these words.
#[track_caller]
fn refuses_over(text: &str, mark: &str, message: &str, allowed: &str) {
    let invalid = Scenario::parse("over.toml", text).expect_err("accepted");
    let found = invalid.diagnostics();
    assert_eq!(found.len(), 1, "{invalid}");
    let start = text.rfind(mark).unwrap();
    let line = text[..start].matches('\n').count() + 1;
    let column = text[..start].rsplit('\n').next().unwrap().chars().count() + 1;
    assert_eq!((found[0].line, found[0].column), (line, column), "{invalid}");
    assert!(found[0].message.contains(message) && found[0].allowed.contains(allowed), "{invalid}");
}

#[test]
fn nothing_changes_by_itself() {
    let scenario = laid("");
    assert_eq!(scenario.timeline(3), iraq().timeline(3));
    assert_eq!(scenario.file().name, "over");
    assert_eq!(scenario.file().context.len(), iraq().file().context.len());
    assert_eq!(scenario.tallies(&scenario.timeline(3)), iraq().tallies(&iraq().timeline(3)));
    // The faults are the file's own, not those of the base.
    let over_attacker = over("").replace("iraq-2019-2020", "attacker");
    assert_eq!(Scenario::parse("s", &over_attacker).unwrap().faults(), Faults::default());
}

#[test]
fn a_part_of_the_base_is_taken_with_the_tallies_that_still_add_up() {
    let convoys = laid("only = \"convoy-ied\"");
    let incidents = convoys.timeline(1);
    assert_eq!(incidents.len(), 69);
    assert!(incidents.iter().flat_map(|incident| &incident.alerts).all(|alert| alert.kind() == "convoy-ied"));
    let tallies = convoys.tallies(&incidents);
    assert!(tallies.len() == 3 && tallies.iter().all(TallyRow::matches), "{tallies:?}");
    assert!(convoys.nodes().iter().all(|node| node.detects == [KindName::ConvoyIed]));
    assert!(convoys.sirens().is_empty(), "no node is left that stands where a siren is");
    // Same names, same moments: to leave others out shifts none.
    let all = iraq().timeline(1);
    assert!(incidents.iter().all(|incident| all.contains(incident)));
    // Documented incidents alone fill no tally: it is gone, and so is the field that named it.
    let taji = laid("only = \"camp-taji*\"");
    let incidents = taji.timeline(1);
    assert_eq!((incidents.len(), taji.nodes().len(), taji.sirens().len()), (2, 1, 1));
    assert!(taji.file().tally.is_empty() && incidents.iter().all(|incident| incident.tally.is_none()));
    assert!(incidents.iter().all(|incident| incident.provenance.of("tally").is_none()));
    assert_eq!(incidents[0].provenance.of("site"), Some("stated"));
}

#[test]
fn a_part_that_does_not_add_up_is_refused() {
    // Eleven of eleven are whole; seventeen of nineteen are not.
    assert_eq!(laid("only = \"rockets-2020-q2\"").timeline(1).len(), 11);
    let part = over("only = \"rockets-2020-q1\"");
    refuses_over(&part, "\"rockets", "and not all of its tally", "all that their tally counts");
    let quarter = over("only = \"rockets-2020-q3\"");
    refuses_over(&quarter, "\"rockets", "takes `rockets-2020-q3` and not all", "");
    let nothing = over("only = \"no-such-*\"");
    refuses_over(&nothing, "\"no-such", "leaves no incident of the base", "fits some");
    let broken = over("only = \"camp-[\"");
    refuses_over(&broken, "\"camp-[", "`only` is `camp-[`: ", "such as `camp-*`");
}

#[test]
fn names_that_the_base_does_not_have() {
    let base = over("").replace("iraq-2019-2020", "iraq-2019-2021");
    refuses_over(
        &base,
        "\"iraq",
        "no scenario `iraq-2019-2021` is carried",
        "did you mean `iraq-2019-2020`?",
    );
    // Never a file: what is carried leads nowhere else.
    let file = over("").replace("iraq-2019-2020", "/etc/passwd");
    refuses_over(&file, "\"/etc", "no scenario `/etc/passwd` is carried", "`six-sites`");
    let without = over("without = [\"camp-taji/siren\", \"camp-taji/sirne\"]");
    refuses_over(&without, "\"camp-taji/sirne", "unknown node or siren `camp-taji/sirne`", "allowed: ");
    let node = over(
        "[[node]]\nid = \"basra/watch-post\"\nnumber = 90\nsite = \"basra\"\ndetects = [\"convoy-ied\"]\n\
         instead-of = \"basra/convoy-beacn\"",
    );
    refuses_over(&node, "\"basra/convoy", "unknown node `basra/convoy-beacn`", "mean `basra/convoy-beacon`?");
    let hour = over("").replace("180", "0");
    refuses_over(&hour, "0\n[base]", "days of the base are local too", "allowed: 180");
}

#[test]
fn what_is_wrong_is_shown_in_the_file_and_what_the_base_brought_at_its_name() {
    // The numbers of the base are taken.
    let node = "[[node]]\nid = \"basra/a\"\nnumber = 16\nsite = \"basra\"\ndetects = [\"convoy-ied\"]";
    refuses_over(&over(node), "16\nsite", "duplicate number `16` of a node", "no other has");
    let site = over(&node.replace("16", "90").replace("site = \"basra\"", "site = \"bassra\""));
    refuses_over(&site, "\"bassra\"", "unknown site `bassra`", "`embassy`");
    // An alert of the base that nobody raises any more has no place in this file but the base's name.
    let text = over("without = [\"embassy/c-ram\"]");
    refuses_over(&text, "\"iraq-2019-2020\"", "unknown node `embassy/c-ram`", "");
    // A second file's incident with a name of the base.
    let id = over(
        "[[context]]\nid = \"camp-taji-2020-03-11\"\ntitle = \"t\"\nsources = [\"A\"]\nprecision = \"day\"\n\
         from = 2020-03-11\nuntil = 2020-03-11\nstated = [\"title\", \"precision\", \"from\", \"until\"]\n\
         inferred = []\nmodelled = []",
    );
    refuses_over(&id, "\"camp-taji", "duplicate id `camp-taji-2020-03-11`", "");
}

#[test]
fn a_node_takes_the_place_of_another() {
    let scenario = laid(
        "[[node]]\nid = \"camp-taji/watch-post\"\nnumber = 90\nsite = \"camp-taji\"\n\
         detects = [\"rocket-launch\"]\ndetects-after-s = 40\ninstead-of = \"camp-taji/launch-detector\"",
    );
    assert!(scenario.nodes().iter().all(|node| node.id != "camp-taji/launch-detector"));
    let (before, after) = (iraq().timeline(1), scenario.timeline(1));
    assert_eq!(before.len(), after.len());
    let mut moved = 0;
    for (before, after) in before.iter().zip(&after) {
        assert_eq!((&before.id, before.at_ms, &before.site), (&after.id, after.at_ms, &after.site));
        for (before, after) in before.alerts.iter().zip(&after.alerts) {
            let late = after.node_id == "camp-taji/watch-post";
            assert_eq!(late, before.node_id == "camp-taji/launch-detector");
            assert_eq!(after.at_ms - before.at_ms, if late { 40_000 } else { 0 });
            assert_eq!(after.spec, before.spec);
            assert_eq!(
                after.provenance.of("after-s") == Some("modelled"),
                after.at_ms > before.at_ms || before.provenance.of("after-s").is_some()
            );
            moved += u32::from(late);
        }
    }
    assert!(moved > 2, "documented ones and reconstructed ones");
}

#[test]
fn without_a_base_a_file_needs_tables_of_its_own() {
    let text = over("").replace("[base]\nscenario = \"iraq-2019-2020\"\n", "");
    let invalid = Scenario::parse("s", &text).unwrap_err();
    let missing: Vec<_> = invalid.diagnostics().iter().map(|found| &*found.message).collect();
    for key in ["source", "site", "node"] {
        assert!(
            missing.iter().any(|message| message.starts_with(&format!("`{key}` is missing"))),
            "{invalid}"
        );
    }
    let instead = "number = 11\nsite = \"basra\"";
    refuses(
        instead,
        &format!("{instead}\ninstead-of = \"basra/other\""),
        "\"basra/other",
        "takes the place of one, but there is no base",
        "in a file with a base",
    );
}
