//! Counts, bounds and determinism of the data set, and every kind of bad input with the place it is reported at.

use std::collections::BTreeMap;

use super::*;

const TEXT: &str = EMBEDDED[0].1;

fn iraq() -> Scenario {
    Scenario::embedded("iraq-2019-2020").unwrap().unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// What the loader says about the embedded scenario after one passage was replaced.
#[track_caller]
fn refused(passage: &str, by: &str) -> Vec<Diagnostic> {
    assert!(TEXT.contains(passage), "{passage}");
    let text = TEXT.replacen(passage, by, 1);
    Scenario::parse("s.toml", &text).expect_err("accepted").diagnostics().to_vec()
}

/// Holds that replacing `passage` by `by` is refused once, where `mark` stands in the new text, in these words.
#[track_caller]
fn refuses(passage: &str, by: &str, mark: &str, message: &str, allowed: &str) {
    let found = refused(passage, by);
    assert_eq!(found.len(), 1, "{found:#?}");
    let text = TEXT.replacen(passage, by, 1);
    let start = TEXT.find(passage).unwrap() + by.find(mark).unwrap();
    let line = text[..start].matches('\n').count() + 1;
    let column = text[..start].rsplit('\n').next().unwrap().chars().count() + 1;
    assert_eq!((found[0].line, found[0].column), (line, column), "{found:#?}");
    assert!(found[0].message.contains(message), "{found:#?}");
    assert!(found[0].allowed.contains(allowed), "{found:#?}");
}

#[test]
fn the_counts_of_the_sources_are_met() {
    let incidents = iraq().timeline(1);
    let documented: Vec<_> = incidents.iter().filter(|i| i.mark == Mark::Documented).collect();
    let alerts = |incidents: &[&Incident]| incidents.iter().map(|i| i.alerts.len()).sum::<usize>();
    assert_eq!((incidents.len(), alerts(&incidents.iter().collect::<Vec<_>>())), (130, 132));
    assert_eq!((documented.len(), alerts(&documented)), (12, 14));

    let rows: Vec<_> = iraq().tallies(&incidents).iter().map(|row| {
        assert!(row.matches());
        (row.tally.name(), row.quarter.to_string(), row.documented, row.reconstructed, row.source_total)
    }).collect();
    let row = |name, quarter: &str, documented, reconstructed, total| {
        (name, quarter.to_owned(), documented, reconstructed, total)
    };
    assert_eq!(rows, [
        row("convoys", "2020-Q1", 0, 14, 14),
        row("convoys", "2020-Q2", 0, 27, 27),
        row("convoys", "2020-Q3", 0, 25, 25),
        row("rockets-and-drones", "2020-Q1", 2, 17, 19),
        row("rockets-and-drones", "2020-Q2", 0, 11, 11),
        row("rockets-and-drones", "2020-Q3", 3, 24, 27),
    ]);
}

#[test]
fn whatever_the_seed_the_bounds_hold() {
    let scenario = iraq();
    let offset_min = scenario.file().utc_offset_min;
    let day = |text: &str| text.parse::<Date>().unwrap();
    for seed in 1..=200 {
        let incidents = scenario.timeline(seed);
        assert_eq!(incidents.len(), 130);
        for incident in &incidents {
            let date = Date::of_unix_ms(incident.at_ms, offset_min);
            assert!(incident.from <= date && date <= incident.until, "{seed} {}", incident.id);
            for alert in &incident.alerts {
                assert!(alert.at_ms >= incident.at_ms);
                assert_eq!(alert.draft.time.millis(), alert.at_ms);
                assert!(scenario.nodes().iter().any(|node| node.number == alert.node.0 && node.site == alert.site));
            }
            if incident.mark == Mark::Reconstructed {
                assert!(date < day("2020-01-04") || date > day("2020-01-23"), "{seed} {}", incident.id);
                assert!(date < day("2020-09-20") && Quarter::of(date) == incident.quarter);
                for alert in &incident.alerts {
                    let fields = alert.spec.body.fields();
                    for key in ["wounded", "killed"] {
                        assert_eq!(fields.get(key).and_then(|count| count.as_u64()).unwrap_or(0), 0);
                    }
                    if fields.get("charge").is_some_and(|charge| charge == "efp-array") {
                        assert!(date >= day("2020-09-13"));
                    }
                    if fields.get("trigger").is_some_and(|trigger| trigger == "passive-infrared") {
                        assert!(date >= day("2020-07-01"));
                    }
                }
            }
        }
    }
}

#[test]
fn the_seed_decides_and_nothing_else() {
    let scenario = iraq();
    assert_eq!(scenario.timeline(7), scenario.timeline(7));
    let by_id = |seed| scenario.timeline(seed).into_iter().map(|i| (i.id.clone(), i)).collect::<BTreeMap<_, _>>();
    let (one, other) = (by_id(1), by_id(2));
    assert!(one.keys().eq(other.keys()));
    let mut moved = 0;
    for (one, other) in one.values().zip(other.values()) {
        moved += usize::from(one.at_ms != other.at_ms);
        if one.mark == Mark::Documented {
            let said = |incident: &Incident| incident.alerts.iter().map(|a| a.spec.clone()).collect::<Vec<_>>();
            assert_eq!((&one.provenance, &one.site, said(one)), (&other.provenance, &other.site, said(other)));
        }
    }
    assert_eq!(moved, 130, "hours are modelled for all");
}

#[test]
fn adding_a_fill_in_shifts_no_other() {
    let text = TEXT
        .replacen("quarter = \"2020-Q2\"\ncount = 11", "quarter = \"2020-Q2\"\ncount = 12", 1)
        .replacen("quarter = \"2020-Q2\"\ncount = 11", "quarter = \"2020-Q2\"\ncount = 12", 1);
    let more = Scenario::parse("more", &text).unwrap().timeline(5);
    assert_eq!(more.len(), 131);
    let rest: Vec<_> = more.into_iter().filter(|incident| incident.id != "rockets-2020-q2-12").collect();
    assert_eq!(rest, iraq().timeline(5));
}

#[test]
fn every_field_of_every_incident_has_one_provenance() {
    for incident in iraq().timeline(3) {
        assert_eq!(incident.provenance.of("time-of-day"), Some("modelled"), "{}", incident.id);
        for alert in &incident.alerts {
            let lists = &alert.provenance;
            let named = [&lists.stated, &lists.inferred, &lists.modelled].map(Vec::len).iter().sum::<usize>();
            let mut fields: Vec<_> = alert.spec.body.fields().into_keys().collect();
            fields.extend(["node", "severity", "urgency", "certainty"].map(String::from));
            assert!(fields.iter().all(|field| lists.of(field).is_some()), "{} {lists:?}", incident.id);
            assert!(named == fields.len() || (named == fields.len() + 1 && lists.of("after-s").is_some()));
        }
    }
}

#[test]
fn places_are_as_exact_as_they_are_known() {
    let scenario = iraq();
    assert!(scenario.site("camp-taji").unwrap().place().is_known());
    assert!(!scenario.site("unnamed-base-1").unwrap().place().is_known());
    let salvo = scenario.timeline(1).into_iter().find(|i| i.id == "embassy-salvo-2020-09-15").unwrap();
    assert_eq!(salvo.alerts[1].at_ms - salvo.alerts[0].at_ms, 8_000);
    assert_eq!(salvo.alerts[0].draft.place.accuracy().radius_m(), Some(2_560));
}

#[test]
fn numbers_out_of_range() {
    refuses("latitude = 33.305", "latitude = 91", "91", "`latitude` is `91`", "-90 to 90");
    refuses("latitude = 33.305", "latitude = nan", "nan", "`latitude` is `nan`", "-90 to 90");
    refuses("longitude = 44.39", "longitude = -180.5", "-180.5", "`longitude` is `-180.5`", "-180 to 180");
    refuses("rounds = { min = 1, max = 6 }", "rounds = { min = -1, max = 6 }", "-1", "`min` is `-1`", "1 to 255");
    refuses("rounds = { min = 1, max = 6 }", "rounds = { min = 7, max = 6 }", "6", "below `min`", "at least 7");
    refuses("vehicles = 1", "vehicles = -1", "-1", "`vehicles` is `-1`", "0 to 255");
    refuses("vehicles = 1", "vehicles = 0x100", "0x100", "`vehicles` is `256`", "0 to 255");
    refuses("vehicles = 1", "vehicles = 99999999999999999999999999", "9999", "`vehicles` is", "0 to 255");
    refuses("number = 16", "number = 0", "0", "`number` is `0`", "1 to 65535");
    refuses("accuracy-km = 25", "accuracy-km = 0", "0", "`accuracy-km` is `0`", "0.001 to 2000");
    refuses("schema = 1", "schema = 2", "2", "`schema` is `2`", "a whole number, 1");
}

#[test]
fn days_that_are_none() {
    let one = "from = 2020-01-08\nuntil = 2020-01-08";
    refuses(one, "from = 2020-02-30\nuntil = 2020-03-01", "2020-02-30", "invalid date", "");
    refuses(one, "from = \"2020-02-30\"\nuntil = 2020-03-01", "\"2020-02-30", "not a day of the calendar", "2020-01-08");
    refuses(one, "from = 1850-01-08\nuntil = 2020-01-08", "1850", "1971 to 2099", "such as 2020-01-08");
    refuses(one, "from = 2020-01-08T10:00:00\nuntil = 2020-01-08", "2020-01-08T", "", "a day of the calendar");
    refuses(one, "from = 2020-01-08\nuntil = 2020-01-07", "2020-01-07", "before `from`", "2020-01-08 or later");
    refuses(one, "from = 2020-01-08\nuntil = 2020-01-09", "2020-01-09", "is 2 days", "the same day");
    refuses("quarter = \"2020-Q1\"", "quarter = \"2020-Q5\"", "\"2020-Q5", "`2020-Q5` is not a quarter", "\"2020-Q1\"");
}

#[test]
fn quoted_days_are_as_good() {
    let text = TEXT.replace("from = 2020-01-08\n", "from = \"2020-01-08\"\n");
    assert_eq!(Scenario::parse("quoted", &text).unwrap().timeline(1), iraq().timeline(1));
}

#[test]
fn words_and_keys_that_are_none() {
    refuses("kind = \"cram-engagement\"", "kind = \"cram-engagment\"", "\"cram-eng", "`kind` is `cram-engagment`",
        "did you mean `cram-engagement`?");
    refuses("weapon = \"ballistic-missile\"", "weapon = \"slingshot\"", "\"sling", "`weapon` is `slingshot`", "`mortar`");
    refuses("precision = \"season\"", "precision = \"saeson\"", "\"saeson", "`precision` is", "did you mean `season`?");
    refuses("utc-offset-min = 180", "utc-offset-min = 180\ncolour = 3", "colour", "unknown key `colour` in the file", "");
    // A misspelt key is also a missing one: both are said.
    let found = refused("accuracy-km = 25\n", "acuracy-km = 25\n");
    let messages: Vec<_> = found.iter().map(|found| &*found.message).collect();
    assert_eq!(messages, ["`accuracy-km` is missing in `site`", "unknown key `acuracy-km` in `site`"]);
    assert!(found[1].allowed.starts_with("did you mean `accuracy-km`?"));
}

#[test]
fn wrong_types() {
    refuses("number = 16", "number = \"16\"", "\"16", "`number` is `16`, of type string", "a whole number, 1 to 65535");
    refuses("number = 16", "number = 1.5", "1.5", "`number` is `1.5`, of type float", "a whole number");
    refuses("number = 16", "number = [1]", "[1]", "`number` is a list of 1", "a whole number");
    refuses("name = \"Basra\"", "name = true", "true", "`name` is `true`, of type boolean", "a text, 1 to 200 characters");
    refuses("name = \"Basra\"", "name = \"\"", "\"\"", "`name` has 0 characters", "1 to 200");
    refuses("sources = [\"A\"]", "sources = []", "[]", "`sources` has 0 elements", "1 to 16");
    refuses("kind = \"cram-engagement\"", "kind = 3", "3", "`kind` is `3`", "`cram-engagement`");
}

#[test]
fn names_given_twice_or_not_at_all() {
    refuses("id = \"basra\"", "id = \"camp-taji\"", "", "", "");
}
