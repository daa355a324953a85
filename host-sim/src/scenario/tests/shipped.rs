//! Every scenario that the program carries.

use super::*;

fn shipped(name: &str) -> Scenario {
    Scenario::embedded(name).unwrap().unwrap_or_else(|invalid| panic!("{invalid}"))
}

#[test]
fn each_has_its_name_and_can_be_read_and_adds_up() {
    let names: Vec<_> = Scenario::embedded_names().collect();
    assert_eq!(names, ["iraq-2019-2020", "six-sites", "fourteen-sites", "convoy", "flood", "attacker"]);
    assert_eq!(names[0], Scenario::DEFAULT);
    for name in names {
        let scenario = shipped(name);
        assert_eq!(scenario.file().name, name);
        let incidents = scenario.timeline(1);
        assert!(
            !incidents.is_empty() && scenario.tallies(&incidents).iter().all(TallyRow::matches),
            "{name}"
        );
        // No two stations of the air have one address, and every alert is raised by one that is there.
        let mut numbers: Vec<_> = scenario.nodes().iter().map(|node| node.number).collect();
        numbers.extend(scenario.sirens().iter().map(|siren| siren.number));
        let count = numbers.len();
        numbers.sort_unstable();
        numbers.dedup();
        assert_eq!(numbers.len(), count, "{name}");
        for alert in incidents.iter().flat_map(|incident| &incident.alerts) {
            assert!(scenario.nodes().iter().any(|node| node.id == alert.node_id && node.site == alert.site));
        }
    }
}

#[test]
fn the_layouts_have_the_same_incidents() {
    for seed in 1..=20 {
        let base = iraq().timeline(seed);
        for layout in ["six-sites", "fourteen-sites"] {
            let incidents = shipped(layout).timeline(seed);
            assert_eq!(incidents.len(), base.len());
            for (base, laid) in base.iter().zip(&incidents) {
                assert_eq!((&base.id, base.at_ms, base.mark), (&laid.id, laid.at_ms, laid.mark));
                assert_eq!((&base.title, base.tally, base.quarter), (&laid.title, laid.tally, laid.quarter));
                if base.mark == Mark::Documented {
                    assert_eq!((&base.site, base.alerts.len()), (&laid.site, laid.alerts.len()));
                    assert_eq!(base.provenance, laid.provenance);
                } else if base.site != "iraq" {
                    assert_eq!(base.site, laid.site);
                } else {
                    assert_ne!(laid.site, "iraq", "spread over the sites");
                }
                let rounds =
                    |incident: &Incident| incident.alerts[0].spec.body.fields().get("rounds").cloned();
                assert_eq!(rounds(base), rounds(laid), "{}", base.id);
            }
        }
    }
}

#[test]
fn six_sites_are_all_defended_and_of_fourteen_one() {
    let watched = |scenario: &Scenario| -> Vec<String> {
        let launches = |node: &&Node| node.detects.contains(&KindName::RocketLaunch) && node.site != "iraq";
        scenario.nodes().iter().filter(launches).map(|node| node.site.clone()).collect()
    };
    let six = shipped("six-sites");
    let sites = watched(&six);
    assert_eq!(sites.len(), 6);
    for site in &sites {
        assert!(
            six.is_under_umbrella(site) && six.sirens().iter().any(|siren| siren.site == *site),
            "{site}"
        );
    }
    let fourteen = shipped("fourteen-sites");
    let sites = watched(&fourteen);
    assert_eq!(sites.len(), 14);
    let defended: Vec<_> = sites.iter().filter(|site| fourteen.is_under_umbrella(site)).collect();
    assert_eq!(defended, ["embassy"]);
    assert_eq!(fourteen.sirens().len(), 2);
    for scenario in [&six, &fourteen] {
        let convoys: Vec<_> = scenario.nodes().iter().filter(|node| node.mobile).collect();
        assert_eq!(convoys.len(), 6);
        assert!(convoys.iter().all(|node| !scenario.is_under_umbrella(&node.site)));
        // What is not stated says so: the sites without a name have their place from nobody.
        for site in scenario.sites().iter().filter(|site| site.id.starts_with("site-")) {
            assert!(site.stated.is_empty() && site.inferred.is_empty() && !site.place().is_known());
        }
    }
    // Defended, the same launches are answered; undefended, they are seen late.
    let count = |scenario: &Scenario, kind: &str| {
        let incidents = scenario.timeline(1);
        incidents.iter().flat_map(|i| &i.alerts).filter(|alert| alert.kind() == kind).count()
    };
    assert_eq!(count(&six, "rocket-launch"), count(&fourteen, "rocket-launch"));
    assert_eq!(count(&six, "cram-engagement"), 50, "one documented, one for each reconstructed launch");
    assert!(count(&fourteen, "cram-engagement") < 50);
    let late = |incident: &Incident| incident.alerts[0].at_ms - incident.at_ms;
    for incident in fourteen.timeline(1) {
        let seen_by_people = incident.alerts[0].node_id.ends_with("/watch-post");
        assert_eq!(late(&incident), if seen_by_people { 40_000 } else { 0 }, "{}", incident.id);
    }
    assert!(six.timeline(1).iter().all(|incident| late(incident) == 0));
}

#[test]
fn the_attacker_meets_what_is_documented_to_the_day() {
    let attacker = shipped("attacker");
    let incidents = attacker.timeline(1);
    assert_eq!(incidents.len(), 8);
    let dated =
        |incident: &Incident| incident.mark == Mark::Documented && incident.precision == Precision::Day;
    assert!(incidents.iter().all(dated));
    let faults = attacker.faults();
    assert_eq!((faults.attacker.millionths(), faults.loss.millionths()), (200_000, 100_000));
    assert!(faults.delay_ms > 0 && faults.duplicate > Probability::NEVER);
}

#[test]
fn the_flood_is_more_than_a_node_holds_with_a_salvo_in_the_middle() {
    let flood = shipped("flood");
    let incident = flood.timeline(1).remove(0);
    let count = |precedence| incident.alerts.iter().filter(|alert| alert.precedence() == precedence).count();
    assert_eq!((count(alertbus::Precedence::Priority), count(alertbus::Precedence::Flash)), (480, 13));
    let salvo = incident.alerts.iter().position(|alert| alert.kind() == "rocket-launch").unwrap();
    assert!((200..300).contains(&salvo), "{salvo}");
}
