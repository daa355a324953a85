//! Counts, bounds and determinism of the embedded data set.

use std::collections::BTreeMap;

use super::*;

#[test]
fn the_counts_of_the_sources_are_met() {
    let incidents = iraq().timeline(1);
    let documented: Vec<_> = incidents.iter().filter(|i| i.mark == Mark::Documented).collect();
    let alerts = |incidents: &[&Incident]| incidents.iter().map(|i| i.alerts.len()).sum::<usize>();
    assert_eq!((incidents.len(), alerts(&incidents.iter().collect::<Vec<_>>())), (130, 132));
    assert_eq!((documented.len(), alerts(&documented)), (12, 14));

    let rows: Vec<_> = iraq()
        .tallies(&incidents)
        .iter()
        .map(|row| {
            assert!(row.matches());
            (row.tally.name(), row.quarter.to_string(), row.documented, row.reconstructed, row.source_total)
        })
        .collect();
    let row = |name, quarter: &str, documented, reconstructed, total| {
        (name, quarter.to_owned(), documented, reconstructed, total)
    };
    assert_eq!(
        rows,
        [
            row("convoys", "2020-Q1", 0, 14, 14),
            row("convoys", "2020-Q2", 0, 27, 27),
            row("convoys", "2020-Q3", 0, 25, 25),
            row("rockets-and-drones", "2020-Q1", 2, 17, 19),
            row("rockets-and-drones", "2020-Q2", 0, 11, 11),
            row("rockets-and-drones", "2020-Q3", 3, 24, 27),
        ]
    );
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
                assert!(
                    scenario
                        .nodes()
                        .iter()
                        .any(|node| node.number == alert.node.0 && node.site == alert.site)
                );
            }
            if incident.mark == Mark::Reconstructed {
                assert!(date < day("2020-01-04") || date > day("2020-01-23"), "{seed} {}", incident.id);
                assert!(date < day("2020-09-20") && Some(Quarter::of(date)) == incident.quarter);
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
    let by_id =
        |seed| scenario.timeline(seed).into_iter().map(|i| (i.id.clone(), i)).collect::<BTreeMap<_, _>>();
    let (one, other) = (by_id(1), by_id(2));
    assert!(one.keys().eq(other.keys()));
    let mut moved = 0;
    for (one, other) in one.values().zip(other.values()) {
        moved += usize::from(one.at_ms != other.at_ms);
        if one.mark == Mark::Documented {
            let said =
                |incident: &Incident| incident.alerts.iter().map(|a| a.spec.clone()).collect::<Vec<_>>();
            assert_eq!(
                (&one.provenance, &one.site, said(one)),
                (&other.provenance, &other.site, said(other))
            );
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
