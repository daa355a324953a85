//! The inputs of all golden vectors. New ones go at the end: a vector's counter is its place in the list.

use crate::hex::Hex;
use crate::inventory_commands;
use crate::inventory_words;
use crate::spec;
use crate::vector::{
    AckFields, AlertFields, Given, HeartbeatFields, KindFields, Message, ReferenceFields, StoredFields,
    Vector,
};

pub(crate) const SEQ_MAX: u32 = 0x7fff_ffff;

pub(crate) struct Inventory {
    pub(crate) vectors: Vec<Vector>,
}

impl Inventory {
    /// A vector of `given`. A counter left at 0 becomes one that no other vector has.
    pub(crate) fn push(&mut self, name: &str, mut given: Given) {
        if given.counter == 0 {
            given.counter = u32::try_from(1_000 + self.vectors.len()).unwrap();
        }
        given.direction =
            if matches!(given.class.as_str(), "ack" | "command") { "down" } else { "up" }.into();
        self.vectors.push(spec::vector(name, given));
    }

    /// The same under both lengths of the tag.
    pub(crate) fn both(&mut self, name: &str, given: Given) {
        self.push(&format!("{name}, long tag"), Given { tag_len: 16, ..given.clone() });
        self.push(name, given);
    }

    /// The first vector's alert with something changed.
    pub(crate) fn alert(&mut self, name: &str, change: impl FnOnce(&mut AlertFields)) {
        let mut alert = alert_fields();
        change(&mut alert);
        self.push(name, Given { message: Message::Alert(alert), ..given() });
    }

    fn header(&mut self, name: &str, change: impl FnOnce(&mut Given)) {
        let mut given = given();
        change(&mut given);
        self.push(name, given);
    }
}

pub(crate) fn all() -> Vec<Vector> {
    let mut inventory = Inventory { vectors: Vec::new() };
    inventory.both("rocket-launch, every field", given());
    kinds(&mut inventory);
    headers(&mut inventory);
    identities(&mut inventory);
    inventory_words::words(&mut inventory);
    inventory_words::extremes(&mut inventory);
    references(&mut inventory);
    places_and_times(&mut inventory);
    down(&mut inventory);
    reports(&mut inventory);
    unknown_kinds(&mut inventory);
    lengths(&mut inventory);
    inventory_commands::commands(&mut inventory);
    inventory_commands::answers(&mut inventory);
    inventory_words::tampers(&mut inventory);
    inventory.vectors
}

pub(crate) fn given() -> Given {
    Given {
        master_key: Hex((0xa0..0xb0).collect()),
        network: 7,
        node: 12,
        epoch: 5,
        class: "alert".into(),
        direction: String::new(),
        precedence: "flash".into(),
        exercise: false,
        counter: 0,
        tag_len: 8,
        message: Message::Alert(alert_fields()),
    }
}

pub(crate) fn alert_fields() -> AlertFields {
    AlertFields {
        seq: 77,
        severity: "extreme".into(),
        urgency: "immediate".into(),
        certainty: "observed".into(),
        clock: "second".into(),
        accuracy_m: Some(20),
        phase: "onset".into(),
        boot: 5,
        time_ms: 1_578_445_200_123,
        latitude_e7: 333_000_000,
        longitude_e7: 443_900_000,
        reference: None,
        kind: KindFields::RocketLaunch {
            weapon: "rocket".into(),
            calibre_mm: 107,
            bearing_deg: Some(215),
            rounds: 18,
            impact_site: 3,
            time_to_impact_ds: Some(94),
        },
    }
}

/// Every kind with every field set, under the precedence it has by itself.
fn kinds(inventory: &mut Inventory) {
    let summary = KindFields::Summary { count: 300, span_s: 59, kinds: 0b10010 };
    let engagement = KindFields::CramEngagement {
        engaged: 14,
        destroyed: 11,
        leaked: 3,
        state: "complete".into(),
        debris_radius_m: 1_250,
        guarded_site: 0x0102,
    };
    let sighting = KindFields::DroneSighting {
        airframe: "fixed-wing".into(),
        state: "in-flight".into(),
        payload: "explosive".into(),
        equivalent_calibre_mm: 120,
        count: 2,
        altitude_m: Some(180),
        course_deg: Some(271),
        speed_m_s: Some(38),
    };
    let device = KindFields::ConvoyIed {
        state: "detonated".into(),
        trigger: "command-wire".into(),
        charge: "efp-array".into(),
        array_count: 3,
        target: "logistics".into(),
        vehicles: 2,
        wounded: 1,
        killed: 0,
    };
    for (name, precedence, kind) in [
        ("summary", "flash", summary),
        ("cram-engagement", "flash", engagement),
        ("drone-sighting", "immediate", sighting),
        ("convoy-ied", "flash", device),
    ] {
        let alert = AlertFields { kind, ..alert_fields() };
        let given = Given { precedence: precedence.into(), message: Message::Alert(alert), ..given() };
        inventory.both(&format!("{name}, every field"), given);
    }
}

/// Every first byte that version 1 has.
fn headers(inventory: &mut Inventory) {
    for class in spec::CLASS {
        for precedence in spec::PRECEDENCE {
            for (purpose, exercise) in [("live", false), ("exercise", true)] {
                inventory.header(&format!("first byte: {class}, {precedence}, {purpose}"), |given| {
                    (given.class, given.precedence) = (class.into(), precedence.into());
                    given.exercise = exercise;
                    given.message = match class {
                        "alert" => Message::Alert(alert_fields()),
                        "report" => Message::Heartbeat(heartbeat_fields()),
                        "ack" => Message::Ack(ack_fields(2)),
                        _ => Message::Bytes(Hex(vec![0, 1, 2, 3, 0xff])),
                    };
                });
            }
        }
    }
}

/// Keys, addresses, epochs and counters at their edges.
fn identities(inventory: &mut Inventory) {
    for epoch in [0, 1, 254, 255, 256, 257, 511, 512, 0x0102_0304, u32::MAX] {
        inventory.header(&format!("epoch {epoch}"), |given| given.epoch = epoch);
    }
    for node in [1, 0xff, 0x100, 0x102, u16::MAX] {
        inventory.header(&format!("node {node}"), |given| given.node = node);
    }
    for network in [0, 1, 0x0102_0304, u32::MAX] {
        inventory.header(&format!("network {network}"), |given| given.network = network);
    }
    for (name, byte) in [("zeros", 0), ("ones", 0xff)] {
        inventory.header(&format!("master key of {name}"), |given| given.master_key = Hex(vec![byte; 16]));
    }
    for counter in [1, 2, 64, 0xff, 0x100, 0xffff, 0x1_0000, 0x0102_0304, 0x7fff_ffff] {
        inventory.header(&format!("up counter {counter}"), |given| given.counter = counter);
    }
    for counter in [1, 0x00ff_ffff, 0x0100_0001, 0x0203_0405, 0xff00_0001, 0xffff_fffe] {
        inventory.header(&format!("down counter {counter}"), |given| {
            (given.class, given.counter) = ("ack".into(), counter);
            given.message = Message::Ack(ack_fields(1));
        });
    }
}

fn references(inventory: &mut Inventory) {
    use ReferenceFields::{AllOfKind, Back, Other};
    for phase in ["update", "cancel", "clear"] {
        for (name, reference) in [
            ("all of its kind", AllOfKind),
            ("the one before", Back(1)),
            ("127 before", Back(127)),
            ("128 before", Back(128)),
            ("16384 before", Back(16_384)),
            ("as far before as can be", Back(u32::MAX)),
            ("the first of the other sequence", Other(1)),
            ("the last of the other sequence", Other(SEQ_MAX)),
        ] {
            inventory.alert(&format!("{phase} of {name}"), |alert| {
                (alert.phase, alert.reference) = (phase.into(), Some(reference));
            });
        }
    }
    for seq in [1, 127, 128, 16_383, 16_384, 2_097_151, 2_097_152, 268_435_455, 268_435_456, SEQ_MAX] {
        inventory.alert(&format!("seq {seq}"), |alert| alert.seq = seq);
    }
}

fn places_and_times(inventory: &mut Inventory) {
    for (name, latitude_e7, longitude_e7) in [
        ("south pole and date line", -900_000_000, -1_800_000_000),
        ("north pole and last step east", 900_000_000, 1_799_999_999),
        ("equator and prime meridian", 0, 0),
        ("one step north and east", 107, 215),
        ("half a step north and east", 54, 108),
        ("one step south and west", -107, -215),
        ("south and west", -338_688_000, -1_512_093_000),
        ("east of the date line", -180_000_000, 1_800_000_000),
    ] {
        inventory.alert(&format!("place: {name}"), |alert| {
            (alert.latitude_e7, alert.longitude_e7) = (latitude_e7, longitude_e7);
        });
    }
    for step in 0..=15_u32 {
        let accuracy_m = step.checked_sub(1).map(|doublings| 5 << doublings);
        let name = accuracy_m.map_or_else(|| "unknown".into(), |metres| format!("{metres} m"));
        inventory.alert(&format!("accuracy {name}"), |alert| alert.accuracy_m = accuracy_m);
    }
    for time_ms in [0, 1, 0xffff_ffff, 0x1_0000_0000, (1 << 42) - 1] {
        inventory.alert(&format!("time {time_ms} ms"), |alert| alert.time_ms = time_ms);
    }
    for boot in 0..8 {
        inventory.alert(&format!("boot {boot}, uptime"), |alert| {
            (alert.boot, alert.clock, alert.time_ms) = (boot, "uptime".into(), 86_400_000);
        });
    }
}

fn ack_fields(count: u32) -> AckFields {
    let stored = (0..count).map(|k| StoredFields { flash: k % 2 == 0, seq: 77 + 1_000 * k }).collect();
    AckFields { echo: 1_000, stored }
}

fn down(inventory: &mut Inventory) {
    for count in 0..=7 {
        let message = Message::Ack(ack_fields(count));
        inventory.both(&format!("ack of {count}"), Given { class: "ack".into(), message, ..given() });
    }
    for (name, flash, seq) in [
        ("flash, smallest", true, 1),
        ("flash, largest", true, SEQ_MAX),
        ("other, smallest", false, 1),
        ("other, largest", false, SEQ_MAX),
    ] {
        inventory.header(&format!("ack of {name}"), |given| {
            given.class = "ack".into();
            let stored = vec![StoredFields { flash, seq }];
            given.message = Message::Ack(AckFields { echo: u32::MAX, stored });
        });
    }
    for len in [0, 1, 17, 35] {
        let message = Message::Bytes(Hex((0..len).collect()));
        inventory
            .both(&format!("command of {len} bytes"), Given { class: "command".into(), message, ..given() });
    }
}

fn heartbeat_fields() -> HeartbeatFields {
    HeartbeatFields {
        boot: 41,
        reset_cause: "watchdog".into(),
        uptime_ms: 86_400_123,
        heard: 0x0100_0007,
        flash_floor: 78,
        flash_refused: 0,
        driver_errors: 2,
        ledger_index: 10,
        ledger: [0, 1, 258, 65_535, 7],
    }
}

fn reports(inventory: &mut Inventory) {
    let zero = HeartbeatFields {
        boot: 0,
        reset_cause: "power-on".into(),
        uptime_ms: 0,
        heard: 0,
        flash_floor: 0,
        flash_refused: 0,
        driver_errors: 0,
        ledger_index: 0,
        ledger: [0; 5],
    };
    let full = HeartbeatFields {
        boot: u16::MAX,
        reset_cause: "unknown".into(),
        uptime_ms: (1 << 48) - 1,
        heard: u32::MAX,
        flash_floor: u32::MAX,
        flash_refused: u16::MAX,
        driver_errors: u16::MAX,
        ledger_index: u8::MAX,
        ledger: [u16::MAX; 5],
    };
    let report = |heartbeat| Given {
        class: "report".into(),
        precedence: "routine".into(),
        message: Message::Heartbeat(heartbeat),
        ..given()
    };
    inventory.both("heartbeat", report(heartbeat_fields()));
    inventory.both("heartbeat of zeros", report(zero));
    inventory.both("heartbeat of ones", report(full));
    for cause in ["power-on", "brown-out", "pin", "software", "watchdog", "fault", "unknown"] {
        let heartbeat = HeartbeatFields { reset_cause: cause.into(), ..heartbeat_fields() };
        inventory.push(&format!("reset cause {cause}"), report(heartbeat));
    }
}

/// What a reader of version 1 may meet from a newer sender.
fn unknown_kinds(inventory: &mut Inventory) {
    for (code, len) in (0..=8).map(|len| (200, len)).chain([(5, 6), (255, 8)]) {
        inventory.alert(&format!("kind {code} with {len} bytes"), |alert| {
            alert.kind = KindFields::Unknown { code, payload: Hex((0xf0..0xf0 + len).collect()) };
        });
    }
}

/// The longest alert, and the longest packet on either kind of link.
fn lengths(inventory: &mut Inventory) {
    let mut alert = alert_fields();
    (alert.seq, alert.phase) = (SEQ_MAX, "clear".into());
    alert.reference = Some(ReferenceFields::Back(u32::MAX));
    inventory.both("longest alert", Given { message: Message::Alert(alert), ..given() });
    for (name, byte) in [("zeros", 0), ("ones", 0xff)] {
        let message = Message::Bytes(Hex(vec![byte; 35]));
        inventory
            .both(&format!("longest body, {name}"), Given { class: "command".into(), message, ..given() });
    }
}
