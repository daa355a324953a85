//! What a reader makes of bodies: newer kinds, wrong lengths, any bytes at all, and valid alerts back and forth.

use alertbus::limits::BODY_LEN_MAX;
use alertbus::message::kind::{
    ConvoyIed, CramEngagement, DroneSighting, Kind, RocketLaunch, Summary, Tamper,
};
use alertbus::message::{Ack, Alert, Body, Content, Heartbeat, Undecodable, split_body};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::hex::Hex;
use crate::inventory::SEQ_MAX;
use crate::random::config;
use crate::spec_body::{
    self, AIRFRAME, CERTAINTY, CHARGE, CLOCK, ENGAGEMENT, IED, PAYLOAD, SEVERITY, SIGHTING, TAMPERING,
    TARGET, TRIGGER, URGENCY, WEAPON,
};
use crate::vector::{AlertFields, KindFields, Message, ReferenceFields, Vector};
use crate::{core_side, golden};

fn worked_example() -> Vector {
    golden::vectors().into_iter().find(|vector| vector.name == "rocket-launch, every field").unwrap()
}

fn fields_of_the_worked_example() -> AlertFields {
    match worked_example().given.message {
        Message::Alert(fields) => fields,
        other => panic!("{other:?}"),
    }
}

/// Kind 200 comes from the future. Identity, precedence, time and place are as good as ever; its own fields are
/// kept as bytes, so that they can be stored and passed on.
#[test]
fn an_old_reader_meets_a_new_kind() {
    let known = worked_example();
    let fields = fields_of_the_worked_example();
    for len in 0..=8_u8 {
        let payload: Vec<u8> = (1..=len).collect();
        let kind = KindFields::Unknown { code: 200, payload: Hex(payload.clone()) };
        let message = Message::Alert(AlertFields { kind, ..fields.clone() });
        let sealed = core_side::seal(&known.given, &spec_body::body(&message));
        let opened = core_side::open(&known.given, &sealed);

        let (seq, content) = split_body(&opened).unwrap();
        assert_eq!(seq.number(), fields.seq);
        let old = Alert::decode(content).unwrap();
        let same = core_side::alert(&fields).unwrap();
        assert_eq!(Alert { body: same.body, ..old }, same, "everything but the body");
        let Body::Unknown(opaque) = old.body else { panic!("{:?}", old.body) };
        assert_eq!((opaque.code(), opaque.payload()), (200, payload.as_slice()));
        assert_eq!(old.content().as_slice(), content, "passed on as it came");
    }
}

/// A known kind of another length can't be read, but its number can, so it can be stored and acknowledged.
#[test]
fn a_known_kind_of_another_length_keeps_its_number() {
    for vector in golden::vectors() {
        let Message::Alert(fields) = &vector.given.message else { continue };
        if matches!(fields.kind, KindFields::Unknown { .. }) {
            continue;
        }
        let mut body = vector.derived.body.0.clone();
        body.push(0);
        let (seq, content) = split_body(&body).unwrap();
        assert_eq!(seq.number(), fields.seq);
        assert_eq!(Alert::decode(content), Err(Undecodable::TrailingBytes { extra: 1 }), "{}", vector.name);
        body.truncate(body.len() - 2);
        let (seq, content) = split_body(&body).unwrap();
        assert_eq!(seq.number(), fields.seq);
        assert_eq!(Alert::decode(content), Err(Undecodable::Truncated), "{}", vector.name);
    }
}

/// Nobody raises alert 0, so nobody can be asked to believe that it is stored.
#[test]
fn sequence_numbers_out_of_range_are_refused() {
    for (number, readable) in
        [(0, false), (1, true), (SEQ_MAX, true), (SEQ_MAX + 1, false), (u32::MAX, false)]
    {
        let refused = Undecodable::SeqOutOfRange { got: number };
        let read = split_body(&spec_body::varint(number)).map(|(seq, rest)| (seq.number(), rest.len()));
        assert_eq!(read, if readable { Ok((number, 0)) } else { Err(refused) });
    }
    for flash in [0, 0x80] {
        assert_eq!(Ack::decode(&[0, 0, 0, 9, flash, 0, 0, 0]), Err(Undecodable::SeqOutOfRange { got: 0 }));
    }
    // Six bytes, or more than 32 bits, are no number.
    for bytes in [&[0x80, 0x80, 0x80, 0x80, 0x80, 1][..], &[0xff, 0xff, 0xff, 0xff, 0x1f], &[0x80], &[]] {
        assert!(split_body(bytes).is_err(), "{bytes:02x?}");
    }
}

#[test]
fn lengths_of_the_kinds_are_frozen() {
    assert_eq!((Summary::CODE, Summary::LEN), (0, 8));
    assert_eq!((RocketLaunch::CODE, RocketLaunch::LEN), (1, 8));
    assert_eq!((CramEngagement::CODE, CramEngagement::LEN), (2, 7));
    assert_eq!((DroneSighting::CODE, DroneSighting::LEN), (3, 7));
    assert_eq!((ConvoyIed::CODE, ConvoyIed::LEN), (4, 5));
    assert_eq!((Tamper::CODE, Tamper::LEN), (6, 1));
}

/// Numbers that no word has are read as "not known" (a device: as detonated), never refused.
#[test]
fn every_value_of_every_packed_byte_is_read() {
    let content = split_body(&worked_example().derived.body.0).unwrap().1.to_vec();
    for at in (0..content.len()).filter(|&at| at != 2) {
        for byte in 0..=u8::MAX {
            let mut changed = content.clone();
            changed[at] = byte;
            // Another phase than onset makes the payload's first byte a reference, one byte short at the end.
            let onset = changed[3] >> 6 == 0;
            assert_eq!(Alert::decode(&changed).is_ok(), onset, "byte {at} = {byte}");
        }
    }
}

/// A warning is not refused because a number in it is implausible: it is sent as the largest there is, which for
/// an optional field is the one before "not known".
#[test]
fn too_large_is_sent_as_the_largest() {
    let read = |body: Body| {
        let mut alert = core_side::alert(&fields_of_the_worked_example()).unwrap();
        (alert.body, alert.boot) = (body, 0xff);
        let read = Alert::decode(alert.content().as_slice()).unwrap();
        assert_eq!(read.boot, 7);
        read.body
    };
    let launch = RocketLaunch {
        calibre_mm: 1_024,
        bearing_deg: Some(511),
        time_to_impact_ds: Some(u16::MAX),
        ..RocketLaunch::default()
    };
    let launch_read =
        RocketLaunch { calibre_mm: 1_023, bearing_deg: Some(510), time_to_impact_ds: Some(65_534), ..launch };
    assert_eq!(read(launch.into()), launch_read.into());
    let sighting = DroneSighting {
        equivalent_calibre_mm: u16::MAX,
        altitude_m: Some(16_383),
        course_deg: Some(u16::MAX),
        speed_m_s: Some(511),
        ..DroneSighting::default()
    };
    let sighting_read = DroneSighting {
        equivalent_calibre_mm: 1_023,
        altitude_m: Some(16_382),
        course_deg: Some(510),
        speed_m_s: Some(510),
        ..sighting
    };
    assert_eq!(read(sighting.into()), sighting_read.into());
    let engagement = CramEngagement { debris_radius_m: 16_384, ..CramEngagement::default() };
    assert_eq!(read(engagement.into()), CramEngagement { debris_radius_m: 16_383, ..engagement }.into());
    let device = ConvoyIed { array_count: 16, ..ConvoyIed::default() };
    assert_eq!(read(device.into()), ConvoyIed { array_count: 15, ..device }.into());
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..80)) {
        let given = worked_example().given;
        let key = core_side::link_key(&given);
        for tag in [TagLength::Short, TagLength::Long] {
            if let Ok(sealed) = packet::parse(&bytes, tag) {
                prop_assert_eq!(&sealed.header().encode(), &bytes[..8]);
                prop_assert!(sealed.open(&key, &mut [0; BODY_LEN_MAX]).is_err());
            }
        }
        let _ = split_body(&bytes);
        prop_assert_eq!(Content::from_slice(&bytes).is_some(), bytes.len() <= 28);
        // What is read has one meaning: written again it reads the same.
        if let Ok(alert) = Alert::decode(&bytes) {
            prop_assert_eq!(Alert::decode(alert.content().as_slice()), Ok(alert));
        }
        if let Ok(ack) = Ack::decode(&bytes) {
            let mut out = [0; BODY_LEN_MAX];
            let len = ack.encode(&mut out);
            prop_assert_eq!(&out[..len], bytes.as_slice());
        }
        if let Ok(heartbeat) = Heartbeat::decode(&bytes) {
            prop_assert_eq!(Heartbeat::decode(&heartbeat.encode()), Ok(heartbeat));
        }
    }

    /// As above with the first bytes right, so that the rest is reached.
    #[test]
    fn any_bytes_behind_a_kind_are_read_or_refused(
        kind in 0..6_u8, phase in any::<u8>(), rest in vec(any::<u8>(), 0..30)
    ) {
        let bytes = [&[0, 0, kind, phase], rest.as_slice()].concat();
        if let Ok(alert) = Alert::decode(&bytes) {
            prop_assert_eq!(alert.body.code(), kind);
            prop_assert_eq!(Alert::decode(alert.content().as_slice()), Ok(alert));
        }
        let report = [&[1], rest.as_slice(), rest.as_slice()].concat();
        prop_assert_eq!(Heartbeat::decode(&report).is_ok(), report.len() == 33);
    }

    /// Any valid alert: both implementations write the same bytes, and the crate reads back what it was given.
    #[test]
    fn alerts_there_and_back(fields in alert_fields()) {
        let message = Message::Alert(fields);
        let body = spec_body::body(&message);
        prop_assert_eq!(core_side::encode(&message, &body), body.as_slice());
        core_side::check_decoded(&message, &body);
    }
}

fn word(words: &'static [&'static str]) -> impl Strategy<Value = String> {
    (0..words.len())
        .prop_map(|at| words[at].to_string())
        .prop_filter("not given out", |word| !word.is_empty())
}

fn alert_fields() -> impl Strategy<Value = AlertFields> {
    let head = (word(&SEVERITY), word(&URGENCY), word(&CERTAINTY), word(&CLOCK));
    let accuracy_m = (0..=15_u32).prop_map(|step| step.checked_sub(1).map(|doublings| 5 << doublings));
    let place = (-900_000_000..=900_000_000, -1_800_000_000..=1_800_000_000, accuracy_m);
    let when = (phase(), 0..8_u8, 0..1_u64 << 42);
    (1..=SEQ_MAX, head, when, place, kind()).prop_map(|(seq, head, when, place, kind)| {
        let (severity, urgency, certainty, clock) = head;
        let ((phase, reference), boot, time_ms) = when;
        let (latitude_e7, longitude_e7, accuracy_m) = place;
        let (latitude_e7, longitude_e7): (i32, i32) = (latitude_e7, longitude_e7);
        AlertFields {
            seq,
            severity,
            urgency,
            certainty,
            clock,
            accuracy_m,
            phase,
            boot,
            time_ms,
            latitude_e7,
            longitude_e7,
            reference,
            kind,
        }
    })
}

/// A phase with what it refers to.
fn phase() -> impl Strategy<Value = (String, Option<ReferenceFields>)> {
    let reference = prop_oneof![
        Just(ReferenceFields::AllOfKind),
        (1..=u32::MAX).prop_map(ReferenceFields::Back),
        (1..=SEQ_MAX).prop_map(ReferenceFields::Other),
    ];
    let others = (word(&["update", "cancel", "clear"]), reference.prop_map(Some));
    prop_oneof![Just(("onset".to_string(), None)), others]
}

fn known_or_not(end: u16) -> impl Strategy<Value = Option<u16>> {
    proptest::option::of(0..end)
}

fn kind() -> impl Strategy<Value = KindFields> {
    // 5 was never given out.
    let code = prop_oneof![Just(5), 7..=u8::MAX];
    let unknown = (code, vec(any::<u8>(), 0..=8))
        .prop_map(|(code, payload)| KindFields::Unknown { code, payload: Hex(payload) });
    let summary = any::<(u16, u16, u32)>().prop_map(|(count, span_s, kinds)| KindFields::Summary {
        count,
        span_s,
        kinds,
    });
    let tamper = word(&TAMPERING).prop_map(|what| KindFields::Tamper { what });
    prop_oneof![summary, rocket_launch(), cram_engagement(), drone_sighting(), convoy_ied(), tamper, unknown]
}

fn rocket_launch() -> impl Strategy<Value = KindFields> {
    (word(&WEAPON), 0..1_024_u16, known_or_not(511), any::<u8>(), any::<u16>(), known_or_not(65_535))
        .prop_map(|(weapon, calibre_mm, bearing_deg, rounds, impact_site, time_to_impact_ds)| {
            KindFields::RocketLaunch {
                weapon,
                calibre_mm,
                bearing_deg,
                rounds,
                impact_site,
                time_to_impact_ds,
            }
        })
}

fn cram_engagement() -> impl Strategy<Value = KindFields> {
    (any::<[u8; 3]>(), word(&ENGAGEMENT), 0..16_384_u16, any::<u16>()).prop_map(
        |([engaged, destroyed, leaked], state, debris_radius_m, guarded_site)| KindFields::CramEngagement {
            engaged,
            destroyed,
            leaked,
            state,
            debris_radius_m,
            guarded_site,
        },
    )
}

fn drone_sighting() -> impl Strategy<Value = KindFields> {
    let words = (word(&AIRFRAME), word(&SIGHTING), word(&PAYLOAD));
    let flight = (known_or_not(16_383), known_or_not(511), known_or_not(511));
    (words, 0..1_024_u16, any::<u8>(), flight).prop_map(|(words, equivalent_calibre_mm, count, flight)| {
        let (airframe, state, payload) = words;
        let (altitude_m, course_deg, speed_m_s) = flight;
        KindFields::DroneSighting {
            airframe,
            state,
            payload,
            equivalent_calibre_mm,
            count,
            altitude_m,
            course_deg,
            speed_m_s,
        }
    })
}

fn convoy_ied() -> impl Strategy<Value = KindFields> {
    let words = (word(&IED), word(&TRIGGER), word(&CHARGE), word(&TARGET));
    (words, 0..16_u8, any::<[u8; 3]>()).prop_map(|(words, array_count, [vehicles, wounded, killed])| {
        let (state, trigger, charge, target) = words;
        KindFields::ConvoyIed { state, trigger, charge, array_count, target, vehicles, wounded, killed }
    })
}
