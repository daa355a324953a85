//! Inputs of golden vectors that go through the words and the edges of one field after the other.

use crate::inventory::{Inventory, alert_fields, given};
use crate::spec_body::{
    AIRFRAME, CERTAINTY, CHARGE, CLOCK, ENGAGEMENT, IED, PAYLOAD, SEVERITY, SIGHTING, TAMPERING, TARGET,
    TRIGGER, URGENCY, WEAPON,
};
use crate::vector::{AlertFields, Given, KindFields, Message};

/// Every word of every list, one vector each.
pub(crate) fn words(inventory: &mut Inventory) {
    each(inventory, "severity", &SEVERITY, |alert, word| alert.severity = word);
    each(inventory, "urgency", &URGENCY, |alert, word| alert.urgency = word);
    each(inventory, "certainty", &CERTAINTY, |alert, word| alert.certainty = word);
    each(inventory, "clock", &CLOCK, |alert, word| alert.clock = word);
    each(inventory, "weapon", &WEAPON, |alert, weapon| {
        alert.kind = KindFields::RocketLaunch {
            weapon,
            calibre_mm: 122,
            bearing_deg: Some(1),
            rounds: 1,
            impact_site: 1,
            time_to_impact_ds: Some(1),
        };
    });
    each(inventory, "cram-engagement state", &ENGAGEMENT, |alert, state| {
        alert.kind = KindFields::CramEngagement {
            engaged: 1,
            destroyed: 1,
            leaked: 0,
            state,
            debris_radius_m: 1,
            guarded_site: 1,
        };
    });
    each(inventory, "airframe", &AIRFRAME, |alert, word| alert.kind = sighting(&word, "in-flight", "none"));
    each(inventory, "drone-sighting state", &SIGHTING, |alert, word| {
        alert.kind = sighting("other", &word, "none");
    });
    each(inventory, "payload", &PAYLOAD, |alert, word| alert.kind = sighting("other", "in-flight", &word));
    each(inventory, "convoy-ied state", &IED, |alert, word| {
        alert.kind = device(&word, "remote", "efp", "un");
    });
    each(inventory, "trigger", &TRIGGER, |alert, word| alert.kind = device("found", &word, "efp", "un"));
    each(inventory, "charge", &CHARGE, |alert, word| alert.kind = device("found", "remote", &word, "un"));
    each(inventory, "target", &TARGET, |alert, word| alert.kind = device("found", "remote", "efp", &word));
}

/// Every word of the kind that came last, at its own precedence, under both tags.
pub(crate) fn tampers(inventory: &mut Inventory) {
    for what in TAMPERING {
        let kind = KindFields::Tamper { what: what.into() };
        let message = Message::Alert(AlertFields { kind, ..alert_fields() });
        let given = Given { precedence: "immediate".into(), message, ..given() };
        inventory.both(&format!("tamper {what}"), given);
    }
}

fn each(inventory: &mut Inventory, field: &str, words: &[&str], set: impl Fn(&mut AlertFields, String)) {
    for word in words.iter().filter(|word| !word.is_empty()) {
        inventory.alert(&format!("{field} {word}"), |alert| set(alert, (*word).into()));
    }
}

fn sighting(airframe: &str, state: &str, payload: &str) -> KindFields {
    KindFields::DroneSighting {
        airframe: airframe.into(),
        state: state.into(),
        payload: payload.into(),
        equivalent_calibre_mm: 1,
        count: 1,
        altitude_m: Some(1),
        course_deg: Some(1),
        speed_m_s: Some(1),
    }
}

fn device(state: &str, trigger: &str, charge: &str, target: &str) -> KindFields {
    KindFields::ConvoyIed {
        state: state.into(),
        trigger: trigger.into(),
        charge: charge.into(),
        array_count: 1,
        target: target.into(),
        vehicles: 1,
        wounded: 1,
        killed: 1,
    }
}

/// Every numeric field of every kind at its smallest, at its largest, and not known.
pub(crate) fn extremes(inventory: &mut Inventory) {
    for (name, count, span_s, kinds) in [
        ("smallest", 0, 0, 0),
        ("largest", u16::MAX, u16::MAX, u32::MAX),
        ("kind 31 and above", 1, 0, 1 << 31),
    ] {
        inventory.alert(&format!("summary, {name}"), |alert| {
            alert.kind = KindFields::Summary { count, span_s, kinds };
        });
    }
    rocket_launches(inventory);
    for (name, rounds, debris_radius_m, guarded_site) in
        [("smallest", 0, 0, 0), ("largest", u8::MAX, 16_383, u16::MAX)]
    {
        inventory.alert(&format!("cram-engagement, {name}"), |alert| {
            alert.kind = KindFields::CramEngagement {
                engaged: rounds,
                destroyed: rounds,
                leaked: rounds,
                state: "unknown".into(),
                debris_radius_m,
                guarded_site,
            };
        });
    }
    drone_sightings(inventory);
    for (name, array_count, people) in [("smallest", 0, 0), ("largest", 15, u8::MAX)] {
        inventory.alert(&format!("convoy-ied, {name}"), |alert| {
            alert.kind = KindFields::ConvoyIed {
                state: "found".into(),
                trigger: "unknown".into(),
                charge: "unknown".into(),
                array_count,
                target: "unknown".into(),
                vehicles: people,
                wounded: people,
                killed: people,
            };
        });
    }
}

fn rocket_launches(inventory: &mut Inventory) {
    for (name, calibre_mm, bearing_deg, rounds, impact_site, time_to_impact_ds) in [
        ("nothing known", 0, None, 0, 0, None),
        ("smallest", 1, Some(0), 1, 1, Some(0)),
        ("largest in use", 1_023, Some(359), 254, u16::MAX, Some(65_534)),
        ("largest in the field", 1_023, Some(510), 255, u16::MAX, Some(65_534)),
    ] {
        inventory.alert(&format!("rocket-launch, {name}"), |alert| {
            alert.kind = KindFields::RocketLaunch {
                weapon: "unknown".into(),
                calibre_mm,
                bearing_deg,
                rounds,
                impact_site,
                time_to_impact_ds,
            };
        });
    }
}

fn drone_sightings(inventory: &mut Inventory) {
    for (name, equivalent_calibre_mm, count, altitude_m, course_deg, speed_m_s) in [
        ("nothing known", 0, 0, None, None, None),
        ("smallest", 1, 1, Some(0), Some(0), Some(0)),
        ("largest in use", 1_023, 254, Some(16_382), Some(359), Some(510)),
        ("largest in the field", 1_023, 255, Some(16_382), Some(510), Some(510)),
        ("altitude not known", 60, 1, None, Some(90), Some(20)),
        ("course not known", 60, 1, Some(90), None, Some(20)),
        ("speed not known", 60, 1, Some(90), Some(20), None),
    ] {
        inventory.alert(&format!("drone-sighting, {name}"), |alert| {
            alert.kind = KindFields::DroneSighting {
                airframe: "unknown".into(),
                state: "unknown".into(),
                payload: "unknown".into(),
                equivalent_calibre_mm,
                count,
                altitude_m,
                course_deg,
                speed_m_s,
            };
        });
    }
}
