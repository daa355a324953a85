//! `WIRE.md` against the crate and the golden vectors: what it shows is what is sent.

use alertbus::limits;
use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, ConvoyIedState, CramEngagement, CramEngagementState, DroneSighting,
    DroneSightingState, Kind, Payload, RocketLaunch, Summary, Tamper, Tampering, Target, Trigger, Weapon,
};
use alertbus::message::{
    Certainty, Command, CommandId, CommandResult, Epoch, Order, Phase, ResetCause, Severity, Urgency,
};
use alertbus::place::SiteId;
use alertbus::time::EventTime;

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

/// One section of the page: from its heading to the next.
struct Section(&'static str);

impl Section {
    fn titled(title: &str) -> Self {
        let heading = format!("\n## {title}\n");
        let (_, behind) = DOCUMENT.split_once(&heading).unwrap_or_else(|| panic!("no section {title}"));
        Self(behind.split_once("\n## ").map_or(behind, |(section, _)| section))
    }

    /// The hex behind each `label` at the start of a line, up to the equals sign that explains it.
    fn all(&self, label: &str) -> Vec<Hex> {
        let lines = self.0.lines().filter_map(|line| line.strip_prefix(label)?.strip_prefix("  "));
        lines.map(|line| Hex::parse(line.split('=').next().unwrap()).unwrap()).collect()
    }

    /// Its first.
    #[track_caller]
    fn hex(&self, label: &str) -> Hex {
        self.all(label).into_iter().next().unwrap_or_else(|| panic!("no line {label}"))
    }

    #[track_caller]
    fn joined(&self, labels: &[&str]) -> Hex {
        Hex(labels.iter().flat_map(|label| self.hex(label).0).collect())
    }
}

const PACKET: [&str; 6] = ["first byte", "epoch", "node", "counter", "body", "tag"];

#[test]
fn the_worked_packet_is_the_golden_vector() {
    let section = Section::titled("Worked packet");
    let Vector { given, derived, .. } = vector("rocket-launch, every field");
    assert_eq!(section.hex("master key"), given.master_key);
    assert_eq!(section.hex("node key"), derived.node_key);
    assert_eq!(section.hex("link key"), derived.link_key);
    assert_eq!(section.hex("nonce"), derived.nonce);
    assert_eq!(section.hex("associated data"), derived.associated_data);
    assert_eq!(section.joined(&["seq", "head", "kind", "when", "where", "payload"]), derived.body);
    assert_eq!(section.joined(&PACKET), derived.packet);
    assert_eq!(Some(section.hex("frame")), vector("rocket-launch, every field, long tag").derived.frame);
}

#[test]
fn the_worked_command_and_its_answer_are_golden_vectors() {
    let section = Section::titled("Worked command");
    let Vector { derived, .. } = vector("command: warn");
    assert_eq!(section.hex("link key"), derived.link_key);
    assert_eq!(section.hex("nonce"), derived.nonce);
    assert_eq!(section.hex("associated data"), derived.associated_data);
    assert_eq!(section.joined(&["echo", "id", "order", "zone", "kind", "duration"]), derived.body);
    assert_eq!(section.joined(&PACKET), derived.packet);

    // The answer comes behind it, with a kind and the id of its own.
    let Vector { derived, .. } = vector("acted: done");
    let second = |label| section.all(label).remove(1);
    assert_eq!(second("id"), section.hex("id"));
    assert_eq!([second("kind").0, second("id").0, section.hex("result").0].concat(), derived.body.0);
    assert_eq!(section.hex("packet"), derived.packet);

    for (label, name) in [
        ("clear", "command: clear of 3"),
        ("test", "command: test"),
        ("time", "command: time"),
        ("next-epoch", "command: next-epoch"),
        ("locate", "command: locate"),
    ] {
        assert_eq!(section.hex(label).0, vector(name).derived.body.0[10..], "{name}");
    }
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
    lists("result", CommandResult::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("weapon", Weapon::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", CramEngagementState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("airframe", Airframe::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", DroneSightingState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("payload", Payload::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("state", ConvoyIedState::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("trigger", Trigger::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("charge", Charge::ALL.iter().map(|word| (word.bits(), word.name())));
    lists("what", Tampering::ALL.iter().map(|word| (word.bits(), word.name())));
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
    has_kind::<Tamper>();
}

/// Of every order its number and how many bytes stand behind it, as the crate writes them.
#[test]
fn the_table_has_every_order() {
    let id = CommandId { epoch_low: 5, counter: 1 };
    let behind = |order: &Order| {
        let command = Command { echo: 0, id, order: order.clone() };
        command.encode(&mut [0; limits::BODY_LEN_MAX]) - 10
    };
    let table: Vec<_> = DOCUMENT.lines().skip_while(|line| !line.starts_with("| order | name |")).collect();
    let rows: Vec<_> = table.iter().skip(2).take_while(|line| !line.is_empty()).collect();
    let orders = [
        ("warn", Order::Warn { zone: SiteId(1), kind: 1, duration_s: 1 }),
        ("clear", Order::Clear([id; limits::CLEAR_IDS_MAX].into_iter().collect())),
        ("test", Order::Test { duration_s: 1 }),
        ("time", Order::Time(EventTime::default())),
        ("next-epoch", Order::NextEpoch(Epoch(2))),
        ("locate", Order::Locate { duration_s: 1 }),
    ];
    assert_eq!(rows.len(), orders.len(), "{rows:?}");
    for (row, (name, order)) in rows.into_iter().zip(orders) {
        let bytes = match &order {
            Order::Clear(_) => "0, 5, 10 or 15".to_string(),
            _ => behind(&order).to_string(),
        };
        assert!(row.starts_with(&format!("| {} | {name} | {bytes} |", order.code())), "{row}");
        assert!(behind(&order) <= 15, "the command's table says so");
    }
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
    assert!(DOCUMENT.contains("answers a command and has 7 bytes") && limits::ACTED_LEN == 7);
    assert!(DOCUMENT.contains("up to three ids of warn commands") && limits::CLEAR_IDS_MAX == 3);
    assert!(DOCUMENT.contains("| 10 | 0 to 15 | fields |") && limits::COMMAND_LEN_MAX == 10 + 15);
    assert!(DOCUMENT.contains("4 each, up to seven") && limits::ACK_ITEMS_MAX == 7);
    assert!(DOCUMENT.contains("64 counters\non a node") && limits::NODE_WINDOW_WORDS == 1);
    assert!(DOCUMENT.contains("four gateways heard last") && limits::GATEWAYS_PER_NODE == 4);
    assert!(DOCUMENT.contains("1,024 on a gateway") && 64 * limits::GATEWAY_WINDOW_WORDS == 1_024);
    assert!(DOCUMENT.contains("third-last report") && limits::ECHO_AGE_REPORTS_MAX == 3);
    assert!(DOCUMENT.contains("at 2³¹ a node stops") && limits::UP_COUNTER_MAX == 1 << 31);
    assert!(DOCUMENT.contains("ending before 2²⁴ − 1") && limits::DOWN_COUNTER_MAX == (1 << 24) - 1);
}
