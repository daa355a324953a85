//! Bodies to the byte, held to what the core makes of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alertbus::Precedence;
use alertbus::limits::BODY_LEN_MAX;
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{Ack, AckItem, AlertDraft, Heartbeat, NodeId, split_body};
use proptest::prelude::*;

use super::*;

const OFFSET: usize = 8;

fn header(class: Class) -> Header {
    let precedence = Precedence::Flash;
    Header { class, precedence, exercise: false, epoch_low: 1, node: NodeId(1), counter: 1 }
}

fn read(class: Class, bytes: &[u8]) -> Dissection {
    let mut found = Dissection::default();
    dissect(&header(class), Span { offset: OFFSET, bytes }, &mut found);
    found
}

/// Where the first wrong byte is in the body, and the byte.
fn wrong(class: Class, bytes: &[u8]) -> Option<(usize, Option<u8>)> {
    read(class, bytes).wrong.map(|wrong| (wrong.offset - OFFSET, wrong.byte))
}

/// An onset: one byte of number, fifteen that every alert has, eight of payload.
fn launch() -> Vec<u8> {
    let mut room = [0; BODY_LEN_MAX];
    let len = AlertDraft::new(RocketLaunch::default()).onset(1).content().body(Seq::FIRST, &mut room);
    room[..len].to_vec()
}

#[test]
fn the_first_wrong_byte_of_an_alert_is_named() {
    let whole = launch();
    let at = |bytes: &[u8]| wrong(Class::Alert, bytes);
    assert_eq!((whole.len(), at(&whole)), (24, None));
    for len in 0..whole.len() {
        assert_eq!(at(&whole[..len]), Some((len, None)), "{len} bytes");
    }
    assert_eq!(at(&[&*whole, &[7, 8]].concat()), Some((24, Some(7))));
    assert_eq!(at(&[&[0], &whole[1..]].concat()), Some((0, Some(0))), "number 0");
    assert_eq!(at(&[0xff, 0xff, 0xff, 0xff, 0x0f]), Some((0, Some(0xff))), "a number above 31 bits");
    assert_eq!(at(&[0xff, 0xff, 0xff, 0xff, 0x10]), Some((4, Some(0x10))), "a number above 32 bits");
    let mut unknown = whole.clone();
    unknown[3] = 200;
    assert_eq!(at(&unknown), None, "an unknown kind is no mistake");
    unknown.push(9);
    assert_eq!(at(&unknown), Some((24, Some(9))), "nine bytes of an unknown kind");
}

#[test]
fn what_stands_before_a_mistake_is_shown() {
    let names = |len: usize| -> Vec<_> {
        read(Class::Alert, &launch()[..len]).body.iter().map(|field| field.name).collect()
    };
    let head = ["seq", "severity", "urgency", "certainty", "clock-quality", "accuracy-km"];
    assert_eq!(names(1), ["seq"]);
    assert_eq!(names(2), ["seq", "rest"]);
    assert_eq!(names(3), head);
    assert_eq!(names(6), [&head[..], &["kind", "rest"]].concat());
    let rest = ["kind", "phase", "boot", "uptime-ms", "latitude", "longitude", "rest"];
    assert_eq!(names(20), [&head[..], &rest].concat());
}

#[test]
fn references_are_told_apart() {
    let reference = |reference| {
        let onset = AlertDraft::new(RocketLaunch::default()).onset(1);
        let alert = Alert { phase: Phase::Update, reference: Some(reference), ..onset };
        let mut room = [0; BODY_LEN_MAX];
        let len = alert.content().body(Seq::FIRST, &mut room);
        let found = read(Class::Alert, &room[..len]);
        assert_eq!(found.wrong, None);
        found.body.iter().find(|field| field.name == "reference").unwrap().value.clone()
    };
    use alertbus::message::Reference::{AllOfKind, Back, Other};
    assert_eq!(reference(AllOfKind), "all");
    assert_eq!(reference(Back(300)), "back:300");
    assert_eq!(reference(Other(Seq::new(SEQ_MAX).unwrap())), "other:2147483647");
}

#[test]
fn the_first_wrong_byte_of_an_acknowledgement_is_named() {
    let mut ack = Ack::new(9);
    for number in 1..=7 {
        assert!(ack.push(AckItem { flash: number == 1, seq: Seq::new(number).unwrap() }));
    }
    let mut room = [0; BODY_LEN_MAX];
    let len = ack.encode(&mut room);
    let whole = &room[..len];
    let at = |bytes: &[u8]| wrong(Class::Ack, bytes);
    assert_eq!((len, at(whole)), (32, None));
    assert_eq!(at(&whole[..30]), Some((30, None)));
    assert_eq!(at(&[whole, &[1, 2]].concat()), Some((32, Some(1))));
    assert_eq!(at(&[0, 0, 0, 1, 0x80, 0, 0, 0]), Some((4, Some(0x80))), "number 0");
    let stored: Vec<_> = read(Class::Ack, whole).body.iter().map(|field| field.words.clone()).collect();
    assert_eq!(stored[1..3], ["flash alert 1", "other alert 2"]);
}

#[test]
fn the_first_wrong_byte_of_a_report_is_named() {
    let mut whole = [0; 33];
    whole[0] = Heartbeat::KIND;
    let at = |bytes: &[u8]| wrong(Class::Report, bytes);
    assert_eq!(at(&whole), None);
    assert_eq!(at(&whole[..20]), Some((20, None)));
    assert_eq!(at(&[&whole[..], &[5]].concat()), Some((33, Some(5))));
    assert_eq!(at(&[2, 1]), Some((0, Some(2))));
    assert_eq!(at(&[]), Some((0, None)));
}

#[test]
fn a_command_is_blamed_on_its_class() {
    let found = read(Class::Command, &[1, 2, 3]);
    assert_eq!(found.wrong.map(|wrong| (wrong.offset, wrong.byte)), Some((0, Some(0x7c))));
}

/// What the core makes of the same bytes.
fn core_reads(class: Class, bytes: &[u8]) -> bool {
    match class {
        Class::Alert => split_body(bytes).and_then(|(_, content)| Alert::decode(content)).is_ok(),
        Class::Report => Heartbeat::decode(bytes).is_ok(),
        Class::Ack => Ack::decode(bytes).is_ok(),
        Class::Command => false,
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn no_body_panics_and_the_core_agrees(
        class in prop::sample::select(vec![Class::Alert, Class::Report, Class::Ack, Class::Command]),
        bytes in prop::collection::vec(any::<u8>(), 0..=BODY_LEN_MAX),
        small in any::<bool>(),
    ) {
        // Random bytes are seldom a whole message; of known kinds with short numbers some are.
        let mut bytes = bytes;
        if small && bytes.len() > 3 {
            bytes[0] &= 0x7f;
            bytes[3] &= 0b111;
            if class == Class::Report {
                bytes[0] = 1;
            }
        }
        let found = read(class, &bytes);
        prop_assert_eq!(found.wrong.is_none(), core_reads(class, &bytes));
        let fields: usize = found.body.iter().map(Field::end).max().unwrap_or(OFFSET);
        prop_assert_eq!(fields, OFFSET + bytes.len(), "every byte is shown");
    }
}
