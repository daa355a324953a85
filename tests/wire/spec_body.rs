//! The bodies written a second time, as strings of bits.

use crate::spec::number;
use crate::vector::{
    AckFields, ActedFields, AlertFields, CommandFields, CommandIdFields, HeartbeatFields, KindFields,
    Message, OrderFields, ReferenceFields,
};

pub(crate) const SEVERITY: [&str; 5] = ["unknown", "minor", "moderate", "severe", "extreme"];
pub(crate) const URGENCY: [&str; 5] = ["unknown", "past", "future", "expected", "immediate"];
pub(crate) const CERTAINTY: [&str; 5] = ["unknown", "unlikely", "possible", "likely", "observed"];
pub(crate) const PHASE: [&str; 4] = ["onset", "update", "cancel", "clear"];
pub(crate) const CLOCK: [&str; 8] =
    ["uptime", "unknown", "hour", "minute", "second", "decisecond", "centisecond", "millisecond"];
pub(crate) const WEAPON: [&str; 4] = ["rocket", "mortar", "ballistic-missile", "unknown"];
/// Number 2 is not given out.
pub(crate) const ENGAGEMENT: [&str; 4] = ["engaging", "complete", "", "unknown"];
pub(crate) const AIRFRAME: [&str; 4] = ["multirotor", "fixed-wing", "other", "unknown"];
pub(crate) const SIGHTING: [&str; 4] = ["in-flight", "attacked", "found-on-ground", "unknown"];
pub(crate) const PAYLOAD: [&str; 4] = ["none", "explosive", "other", "unknown"];
pub(crate) const IED: [&str; 2] = ["found", "detonated"];
pub(crate) const TRIGGER: [&str; 5] = ["pressure", "command-wire", "remote", "passive-infrared", "unknown"];
pub(crate) const CHARGE: [&str; 4] = ["blast", "efp", "efp-array", "unknown"];
/// Numbers 5 and 6 are not given out.
pub(crate) const TARGET: [&str; 8] =
    ["logistics", "diplomatic", "un", "oil-company", "military", "", "", "unknown"];
pub(crate) const TAMPERING: [&str; 4] = ["enclosure", "moved", "cable", "unknown"];
pub(crate) const RESET_CAUSE: [&str; 6] = ["power-on", "brown-out", "pin", "software", "watchdog", "fault"];
pub(crate) const RESULT: [&str; 4] = ["done", "refused", "unsupported", "failed"];

/// Fields as value and width, first one first, padded with zero bits to whole bytes.
pub(crate) fn bits(fields: &[(u64, usize)]) -> Vec<u8> {
    let mut digits = String::new();
    for &(value, width) in fields {
        let field = format!("{value:0width$b}");
        assert_eq!(field.len(), width, "{value} does not fit {width} bits");
        digits.push_str(&field);
    }
    while !digits.len().is_multiple_of(8) {
        digits.push('0');
    }
    (0..digits.len() / 8).map(|at| u8::from_str_radix(&digits[8 * at..8 * at + 8], 2).unwrap()).collect()
}

pub(crate) fn body(message: &Message) -> Vec<u8> {
    match message {
        Message::Alert(alert) => alert_body(alert),
        Message::Heartbeat(heartbeat) => heartbeat_body(heartbeat),
        Message::Ack(ack) => ack_body(ack),
        Message::Command(command) => command_body(command),
        Message::Acted(acted) => acted_body(acted),
        Message::Bytes(bytes) => bytes.0.clone(),
    }
}

fn alert_body(alert: &AlertFields) -> Vec<u8> {
    let head = bits(&[
        (number(&SEVERITY, &alert.severity), 3),
        (number(&URGENCY, &alert.urgency), 3),
        (number(&CERTAINTY, &alert.certainty), 3),
        (number(&CLOCK, &alert.clock), 3),
        (accuracy_step(alert.accuracy_m), 4),
    ]);
    let other_sequence = matches!(alert.reference, Some(ReferenceFields::Other(_)));
    let when = bits(&[
        (number(&PHASE, &alert.phase), 2),
        (u64::from(other_sequence), 1),
        (u64::from(alert.boot), 3),
        (alert.time_ms, 42),
    ]);
    let place = bits(&[(latitude_step(alert.latitude_e7), 24), (longitude_step(alert.longitude_e7), 24)]);
    let reference = match &alert.reference {
        None => Vec::new(),
        Some(ReferenceFields::AllOfKind) => varint(0),
        Some(ReferenceFields::Back(distance)) => varint(*distance),
        Some(ReferenceFields::Other(seq)) => varint(*seq),
    };
    assert_eq!(
        alert.phase == "onset",
        alert.reference.is_none(),
        "an onset refers to nothing, all others do"
    );
    let (code, payload) = kind(&alert.kind);
    [varint(alert.seq), head, vec![code], when, place, reference, payload].concat()
}

/// Seven bits a byte, lowest first; the top bit says that more follow.
pub(crate) fn varint(mut value: u32) -> Vec<u8> {
    let mut bytes = Vec::new();
    while value >= 128 {
        bytes.push(u8::try_from(value % 128).unwrap() + 128);
        value /= 128;
    }
    bytes.push(u8::try_from(value).unwrap());
    bytes
}

/// Radius 5 m is step 1, every step doubles it; not known is 0.
fn accuracy_step(radius_m: Option<u32>) -> u64 {
    let Some(radius_m) = radius_m else { return 0 };
    (1..=15).find(|&step| 5 << (step - 1) == radius_m).unwrap_or_else(|| panic!("{radius_m} m is no step"))
}

/// South pole 0, north pole 2^24 - 1, halves up.
pub(crate) fn latitude_step(latitude_e7: i32) -> u64 {
    let from_south_pole = i128::from(latitude_e7) + 900_000_000;
    nearest(from_south_pole * 16_777_215, 1_800_000_000)
}

/// 180° W is 0, a whole turn 2^24, which is 0 again, halves up.
pub(crate) fn longitude_step(longitude_e7: i32) -> u64 {
    let from_date_line = i128::from(longitude_e7) + 1_800_000_000;
    nearest(from_date_line * 16_777_216, 3_600_000_000) % 16_777_216
}

fn nearest(dividend: i128, divisor: i128) -> u64 {
    u64::try_from((2 * dividend + divisor).div_euclid(2 * divisor)).unwrap()
}

/// An optional field says "not known" with its largest value.
fn optional(value: Option<u16>, width: usize) -> (u64, usize) {
    let unknown = (1 << width) - 1;
    let value = value.map_or(unknown, u64::from);
    (value, width)
}

fn kind(kind: &KindFields) -> (u8, Vec<u8>) {
    match kind {
        KindFields::Summary { count, span_s, kinds } => {
            (0, bits(&[(u64::from(*count), 16), (u64::from(*span_s), 16), (u64::from(*kinds), 32)]))
        }
        KindFields::RocketLaunch {
            weapon,
            calibre_mm,
            bearing_deg,
            rounds,
            impact_site,
            time_to_impact_ds,
        } => {
            let fields = [
                (number(&WEAPON, weapon), 2),
                (u64::from(*calibre_mm), 10),
                optional(*bearing_deg, 9),
                (u64::from(*rounds), 8),
                (u64::from(*impact_site), 16),
                optional(*time_to_impact_ds, 16),
            ];
            (1, padded(bits(&fields), 8))
        }
        KindFields::CramEngagement { engaged, destroyed, leaked, state, debris_radius_m, guarded_site } => {
            let fields = [
                (u64::from(*engaged), 8),
                (u64::from(*destroyed), 8),
                (u64::from(*leaked), 8),
                (number(&ENGAGEMENT, state), 2),
                (u64::from(*debris_radius_m), 14),
                (u64::from(*guarded_site), 16),
            ];
            (2, padded(bits(&fields), 7))
        }
        KindFields::DroneSighting { .. } => (3, padded(drone_sighting(kind), 7)),
        KindFields::ConvoyIed { .. } => (4, padded(convoy_ied(kind), 5)),
        KindFields::Tamper { what } => (6, padded(bits(&[(number(&TAMPERING, what), 2)]), 1)),
        KindFields::Unknown { code, payload } => (*code, payload.0.clone()),
    }
}

fn drone_sighting(kind: &KindFields) -> Vec<u8> {
    let KindFields::DroneSighting { airframe, state, payload, .. } = kind else { unreachable!() };
    let KindFields::DroneSighting { equivalent_calibre_mm, count, altitude_m, course_deg, speed_m_s, .. } =
        kind
    else {
        unreachable!()
    };
    bits(&[
        (number(&AIRFRAME, airframe), 2),
        (number(&SIGHTING, state), 2),
        (number(&PAYLOAD, payload), 2),
        (u64::from(*equivalent_calibre_mm), 10),
        (u64::from(*count), 8),
        optional(*altitude_m, 14),
        optional(*course_deg, 9),
        optional(*speed_m_s, 9),
    ])
}

fn convoy_ied(kind: &KindFields) -> Vec<u8> {
    let KindFields::ConvoyIed { state, trigger, charge, array_count, target, vehicles, wounded, killed } =
        kind
    else {
        unreachable!()
    };
    bits(&[
        (number(&IED, state), 1),
        (number(&TRIGGER, trigger), 3),
        (number(&CHARGE, charge), 2),
        (u64::from(*array_count), 4),
        (number(&TARGET, target), 3),
        (u64::from(*vehicles), 8),
        (u64::from(*wounded), 8),
        (u64::from(*killed), 8),
    ])
}

/// The length a kind states, checked rather than made.
fn padded(payload: Vec<u8>, len: usize) -> Vec<u8> {
    assert_eq!(payload.len(), len);
    payload
}

fn heartbeat_body(heartbeat: &HeartbeatFields) -> Vec<u8> {
    let mut fields = vec![
        (1, 8),
        (u64::from(heartbeat.boot), 16),
        (number_or_255(&RESET_CAUSE, &heartbeat.reset_cause), 8),
        (heartbeat.uptime_ms, 48),
        (u64::from(heartbeat.heard), 32),
        (u64::from(heartbeat.flash_floor), 32),
        (u64::from(heartbeat.flash_refused), 16),
        (u64::from(heartbeat.driver_errors), 16),
        (u64::from(heartbeat.ledger_index), 8),
    ];
    fields.extend(heartbeat.ledger.map(|value| (u64::from(value), 16)));
    padded(bits(&fields), 33)
}

fn ack_body(ack: &AckFields) -> Vec<u8> {
    let mut fields = vec![(u64::from(ack.echo), 32)];
    for stored in &ack.stored {
        fields.extend([(u64::from(stored.flash), 1), (u64::from(stored.seq), 31)]);
    }
    bits(&fields)
}

fn command_body(command: &CommandFields) -> Vec<u8> {
    let echo = bits(&[(u64::from(command.echo), 32)]);
    let (code, fields) = order(&command.order);
    [echo, command_id(command.id), vec![code], fields].concat()
}

fn command_id(id: CommandIdFields) -> Vec<u8> {
    bits(&[(u64::from(id.epoch_low), 8), (u64::from(id.counter), 32)])
}

fn order(order: &OrderFields) -> (u8, Vec<u8>) {
    match order {
        OrderFields::Warn { zone, kind, duration_s } => {
            let fields = [(u64::from(*zone), 16), (u64::from(*kind), 8), (u64::from(*duration_s), 16)];
            (1, padded(bits(&fields), 5))
        }
        OrderFields::Clear { ids } => {
            assert!(ids.len() <= 3, "one command clears three warnings at most");
            (2, ids.iter().flat_map(|id| command_id(*id)).collect())
        }
        OrderFields::Test { duration_s } => (3, vec![*duration_s]),
        OrderFields::Time { clock, time_ms } => {
            (4, padded(bits(&[(number(&CLOCK, clock), 3), (0, 3), (*time_ms, 42)]), 6))
        }
        OrderFields::NextEpoch { epoch } => (5, bits(&[(u64::from(*epoch), 32)])),
        OrderFields::Locate { duration_s } => (6, vec![*duration_s]),
        OrderFields::Unknown { code, fields } => (*code, fields.0.clone()),
    }
}

fn acted_body(acted: &ActedFields) -> Vec<u8> {
    let result = number_or_255(&RESULT, &acted.result);
    padded([vec![2], command_id(acted.id), bits(&[(result, 8)])].concat(), 7)
}

/// A list of words whose "unknown" stands apart from the others.
fn number_or_255(words: &[&str], word: &str) -> u64 {
    if word == "unknown" { 255 } else { number(words, word) }
}
