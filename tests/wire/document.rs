//! `WIRE.md` against the crate and the golden vectors: what it shows is what is sent.

use alertbus::limits;
use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, ConvoyIedState, CramEngagement, CramEngagementState, DroneSighting,
    DroneSightingState, Kind, Payload, RocketLaunch, Summary, Target, Trigger, Weapon,
};
use alertbus::message::{Certainty, Phase, ResetCause, Severity, Urgency};

use crate::golden;
use crate::hex::Hex;
use crate::spec::PRECEDENCE;
use crate::spec_body::CLOCK;
use crate::vector::Vector;

const DOCUMENT: &str = include_str!("../../core/WIRE.md");

fn vector(name: &str) -> Vector {
    assert!(DOCUMENT.contains(&format!("`{name}`")), "the page names {name}");
    golden::vectors().into_iter().find(|vector| vector.name == name).unwrap()
}

/// The hex behind `label` at the start of a line, up to the equals sign that explains it.
fn hex(label: &str) -> Hex {
    let line = DOCUMENT.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix("  ")).unwrap();
    Hex::parse(line.split('=').next().unwrap()).unwrap()
}

fn joined(labels: &[&str]) -> Hex {
    Hex(labels.iter().flat_map(|label| hex(label).0).collect())
}

#[test]
fn the_worked_packet_is_the_golden_vector() {
    let Vector { given, derived, .. } = vector("rocket-launch, every field");
    assert_eq!(hex("master key"), given.master_key);
    assert_eq!(hex("node key"), derived.node_key);
    assert_eq!(hex("link key"), derived.link_key);
    assert_eq!(hex("nonce"), derived.nonce);
    assert_eq!(hex("associated data"), derived.associated_data);
    assert_eq!(joined(&["seq", "head", "kind", "when", "where", "payload"]), derived.body);
    let parts = ["first byte", "epoch", "node", "counter", "body", "tag"];
    assert_eq!(joined(&parts), derived.packet);
    assert_eq!(Some(hex("frame")), vector("rocket-launch, every field, long tag").derived.frame);
}

/// `0 unknown · 1 minor …`, as the tables have it.
#[track_caller]
fn lists<'w>(field: &str, words: impl IntoIterator<Item = (u8, &'w str)>) {
    let words: Vec<String> = words.into_iter().map(|(number, word)| format!("{number} {word}")).collect();
    let listed = words.join(" · ");
    let mut rows = DOCUMENT.lines().filter(|line| line.contains(&format!("| {field} |")));
    assert!(rows.any(|row| row.contains(&format!("| {listed} |"))), "no row of {field} has {listed}");
}

#[test]
fn the_tables_list_every_word() {
    lists("severity", Severity::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("urgency", Urgency::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("certainty", Certainty::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("phase", Phase::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("clock quality", (0..).zip(CLOCK));
    lists("precedence", (0..).zip(PRECEDENCE));
    lists("reset cause", ResetCause::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("weapon", Weapon::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", CramEngagementState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("airframe", Airframe::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", DroneSightingState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("payload", Payload::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", ConvoyIedState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("trigger", Trigger::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("charge", Charge::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("target", Target::ALL.iter().map(|word| (word.bits(), word.name())));
}

#[track_caller]
fn has_kind<K: Kind>() {
    let row = format!("| {} | {} | {} |", K::CODE, K::NAME, K::LEN);
    assert!(DOCUMENT.contains(&row), "no row {row}");
    // Its own table, whose bits fill the payload's bytes.
    let heading = format!("| {} | bits | content |", K::NAME);
    let rows =
        DOCUMENT.lines().skip_while(|line| **line != *heading).skip(2).take_while(|line| !line.is_empty());
    let bits: usize = rows.map(|row| row.split('|').nth(2).unwrap().trim().parse::<usize>().unwrap()).sum();
    assert_eq!(bits.div_ceil(8), K::LEN, "{}: {bits} bits", K::NAME);
}

#[test]
fn the_tables_have_every_kind() {
    has_kind::<Summary>();
    has_kind::<RocketLaunch>();
    has_kind::<CramEngagement>();
    has_kind::<DroneSighting>();
    has_kind::<ConvoyIed>();
}

#[test]
fn the_numbers_of_the_page_are_those_of_the_crate() {
    assert!(DOCUMENT.starts_with("# Wire format, version 1\n"));
    assert!(DOCUMENT.contains("n is 0 to 35") && limits::BODY_LEN_MAX == 35);
    assert!(
        DOCUMENT.contains("longer than 43 bytes and tag") && limits::HEADER_LEN + limits::BODY_LEN_MAX == 43
    );
    assert!(DOCUMENT.contains("a packet of 51 bytes") && limits::PACKET_LEN_MAX_RADIO == 51);
    assert!(DOCUMENT.contains("of 59 bytes under the long one") && limits::PACKET_LEN_MAX == 59);
    assert!(DOCUMENT.contains("has 33 bytes") && limits::HEARTBEAT_LEN == 33);
    assert!(DOCUMENT.contains("4 each, up to seven") && limits::ACK_ITEMS_MAX == 7);
    assert!(DOCUMENT.contains("64 counters\non a node") && limits::NODE_WINDOW_WORDS == 1);
    assert!(DOCUMENT.contains("four gateways heard last") && limits::GATEWAYS_PER_NODE == 4);
    assert!(DOCUMENT.contains("1,024 on a gateway") && 64 * limits::GATEWAY_WINDOW_WORDS == 1_024);
    assert!(DOCUMENT.contains("third-last report") && limits::ECHO_AGE_REPORTS_MAX == 3);
    assert!(DOCUMENT.contains("at 2³¹ a node stops") && limits::UP_COUNTER_MAX == 1 << 31);
    assert!(DOCUMENT.contains("ending before 2²⁴ − 1") && limits::DOWN_COUNTER_MAX == (1 << 24) - 1);
}
