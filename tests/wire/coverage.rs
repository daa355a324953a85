//! That the golden vectors leave nothing of the format out, asked of the crate's own lists.

use std::collections::BTreeSet;

use alertbus::message::kind::{
    Airframe, Charge, ConvoyIedState, CramEngagementState, DroneSightingState, Payload, Tampering, Target,
    Trigger, Weapon,
};
use alertbus::message::{Body, Certainty, CommandResult, Phase, ResetCause, Severity, Urgency};

use crate::golden;
use crate::spec_body::CLOCK;
use crate::vector::{Message, OrderFields};

/// Every value that stands under `key` anywhere in the vectors, as JSON text.
fn values(key: &str) -> BTreeSet<String> {
    let mut found = BTreeSet::new();
    for vector in golden::vectors() {
        collect(&serde_json::to_value(&vector.given).unwrap(), key, &mut found);
    }
    found
}

fn collect(value: &serde_json::Value, key: &str, found: &mut BTreeSet<String>) {
    let serde_json::Value::Object(fields) = value else { return };
    for (name, field) in fields {
        if name == key {
            found.insert(field.to_string());
        }
        collect(field, key, found);
    }
}

#[track_caller]
fn covers<'w>(key: &str, words: impl IntoIterator<Item = &'w str>) {
    let found = values(key);
    for word in words {
        assert!(found.contains(&format!("\"{word}\"")), "no vector has {key} {word}");
    }
}

#[test]
fn every_word_of_every_list() {
    covers("severity", Severity::ALL.iter().map(|word| word.name()));
    covers("urgency", Urgency::ALL.iter().map(|word| word.name()));
    covers("certainty", Certainty::ALL.iter().map(|word| word.name()));
    covers("clock", CLOCK);
    covers("phase", Phase::ALL.iter().map(|word| word.name()));
    covers("reset_cause", ResetCause::ALL.iter().map(|word| word.name()));
    covers("result", CommandResult::ALL.iter().map(|word| word.name()));
    covers("weapon", Weapon::ALL.iter().map(|word| word.name()));
    covers("airframe", Airframe::ALL.iter().map(|word| word.name()));
    covers("payload", Payload::ALL.iter().map(|word| word.name()));
    covers("trigger", Trigger::ALL.iter().map(|word| word.name()));
    covers("charge", Charge::ALL.iter().map(|word| word.name()));
    covers("target", Target::ALL.iter().map(|word| word.name()));
    covers("what", Tampering::ALL.iter().map(|word| word.name()));
    covers("state", CramEngagementState::ALL.iter().map(|word| word.name()));
    covers("state", DroneSightingState::ALL.iter().map(|word| word.name()));
    covers("state", ConvoyIedState::ALL.iter().map(|word| word.name()));
}

#[test]
fn every_kind_class_and_precedence() {
    let kinds = values("kind");
    for name in Body::NAMES.iter().copied().chain(["unknown"]) {
        let begins = format!("{{\"{name}\"");
        assert!(kinds.iter().any(|kind| kind.starts_with(&begins)), "no vector of kind {name}");
    }
    covers("class", ["alert", "report", "ack", "command"]);
    covers("direction", ["up", "down"]);
    covers("precedence", ["routine", "priority", "immediate", "flash"]);
    for (key, expected) in [("exercise", vec!["false", "true"]), ("tag_len", vec!["16", "8"])] {
        assert_eq!(values(key).iter().collect::<Vec<_>>(), expected, "{key}");
    }
}

/// Under both tags, live and in an exercise; an all-clear of every number of warnings.
#[test]
fn every_order_in_every_guise() {
    let names = ["warn", "clear", "test", "time", "next-epoch", "locate", "unknown"];
    for (tag_len, exercise) in [(8, false), (8, true), (16, false), (16, true)] {
        let mut orders = BTreeSet::new();
        let mut cleared = BTreeSet::new();
        for vector in golden::vectors() {
            let Message::Command(command) = &vector.given.message else { continue };
            if (vector.given.tag_len, vector.given.exercise) != (tag_len, exercise) {
                continue;
            }
            if let OrderFields::Clear { ids } = &command.order {
                cleared.insert(ids.len());
            }
            let order = serde_json::to_value(&command.order).unwrap();
            orders.extend(order.as_object().unwrap().keys().cloned());
        }
        let guise = format!("tag of {tag_len}, exercise {exercise}");
        assert_eq!(orders, names.map(String::from).into(), "{guise}");
        assert_eq!(cleared, (0..=alertbus::limits::CLEAR_IDS_MAX).collect(), "{guise}");
    }
}

#[test]
fn every_result_under_both_tags_and_always_live() {
    let mut found = BTreeSet::new();
    for vector in golden::vectors() {
        let Message::Acted(acted) = &vector.given.message else { continue };
        assert_eq!(
            (vector.given.class.as_str(), vector.given.exercise),
            ("report", false),
            "{}",
            vector.name
        );
        found.insert((vector.given.tag_len, acted.result.clone()));
    }
    let results = || CommandResult::ALL.iter().map(|result| result.name().to_string());
    let expected = results().map(|result| (8, result)).chain(results().map(|result| (16, result)));
    assert_eq!(found, expected.collect());
}

#[test]
fn the_longest_packets_of_both_links() {
    let lengths: BTreeSet<(u8, usize)> = golden::vectors()
        .iter()
        .map(|vector| (vector.given.tag_len, vector.derived.packet.0.len()))
        .collect();
    assert!(lengths.contains(&(8, alertbus::limits::PACKET_LEN_MAX_RADIO)));
    assert!(lengths.contains(&(16, alertbus::limits::PACKET_LEN_MAX)));
    assert!(lengths.contains(&(8, 16)) && lengths.contains(&(16, 24)), "no empty body");
}
