//! Bodies to the byte, held to what the core makes of them.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alertbus::Precedence;
use alertbus::limits::BODY_LEN_MAX;
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{
    Ack, AckItem, AlertDraft, Command, CommandId, CommandResult, Epoch, NodeId, Order, split_body,
};
use alertbus::place::SiteId;
use alertbus::time::EventTime;
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
    assert_eq!(at(&[3, 1]), Some((0, Some(3))));
    assert_eq!(at(&[]), Some((0, None)));

    let answer = Acted { id: ID, result: CommandResult::Refused }.encode();
    assert_eq!(at(&answer), None);
    for len in 1..answer.len() {
        assert_eq!(at(&answer[..len]), Some((len, None)), "{len} bytes");
    }
    assert_eq!(at(&[&answer[..], &[5]].concat()), Some((7, Some(5))));
}

const ID: CommandId = CommandId { epoch_low: 0xab, counter: 0x0300_0504 };

fn command(order: Order) -> Vec<u8> {
    let mut room = [0; BODY_LEN_MAX];
    let len = Command { echo: 1_000, id: ID, order }.encode(&mut room);
    room[..len].to_vec()
}

fn orders() -> [Order; 7] {
    [
        Order::Warn { zone: SiteId(259), kind: 2, duration_s: 300 },
        Order::Clear([ID, CommandId { epoch_low: 4, counter: 17 }].into_iter().collect()),
        Order::Test { duration_s: 10 },
        Order::Time(EventTime::new(1_578_445_200_123, ClockQuality::Second)),
        Order::NextEpoch(Epoch(0x1ff)),
        Order::Locate { duration_s: 30 },
        Order::Unknown { code: 200 },
    ]
}

#[test]
fn the_first_wrong_byte_of_a_command_is_named() {
    let at = |bytes: &[u8]| wrong(Class::Command, bytes);
    for order in orders() {
        let whole = command(order.clone());
        assert_eq!(at(&whole), None, "{order:?}");
        let shorter_is_whole =
            |len: usize| matches!(order, Order::Clear(_)) && len >= 10 && (len - 10).is_multiple_of(5);
        for len in (0..whole.len()).filter(|len| !shorter_is_whole(*len)) {
            assert_eq!(at(&whole[..len]), Some((len, None)), "{len} bytes of {order:?}");
        }
        let longer = [&*whole, &[7, 8]].concat();
        match order {
            Order::Unknown { .. } => assert_eq!(at(&longer), None, "an unknown order is no mistake"),
            // There is room for a third warning, of which two bytes are there.
            Order::Clear(_) => assert_eq!(at(&longer), Some((longer.len(), None))),
            _ => assert_eq!(at(&longer), Some((whole.len(), Some(7))), "{order:?}"),
        }
    }
    let full = command(Order::Clear([ID; 3].into_iter().collect()));
    assert_eq!((full.len(), at(&full)), (25, None));
    assert_eq!(at(&[&*full, &[9]].concat()), Some((25, Some(9))), "a fourth warning");
    let wrong = read(Class::Command, &[&*full, &[9]].concat()).wrong.unwrap();
    assert_eq!(wrong.allowed, "0 or 5 or 10 or 15 bytes behind the order");
}

/// Offset in the body, length, name and value of every field.
fn fields(class: Class, bytes: &[u8]) -> Vec<(usize, usize, &'static str, Value)> {
    let found = read(class, bytes);
    assert_eq!(found.wrong, None);
    let field = |field: Field| (field.offset - OFFSET, field.bytes.len(), field.name, field.value);
    found.body.into_iter().map(field).collect()
}

#[test]
fn every_field_of_a_command_stands_in_its_bytes() {
    let expected = [
        vec![
            (10, 2, "zone", 259.into()),
            (12, 1, "kind", "cram-engagement".into()),
            (13, 2, "duration-s", 300.into()),
        ],
        vec![(10, 5, "warning", "171/3/1284".into()), (15, 5, "warning", "4/0/17".into())],
        vec![(10, 1, "duration-s", 10.into())],
        vec![(10, 6, "clock-quality", "second".into()), (10, 6, "time", "2020-01-08T01:00:00.123Z".into())],
        vec![(10, 4, "next-epoch", 0x1ff.into())],
        vec![(10, 1, "duration-s", 30.into())],
        vec![(10, 3, "fields", "010203".into())],
    ];
    let names = ["warn", "clear", "test", "time", "next-epoch", "locate"].map(Value::from);
    let names = names.into_iter().chain([200.into()]);
    for ((order, name), behind) in orders().into_iter().zip(names).zip(expected) {
        let mut bytes = command(order.clone());
        if matches!(order, Order::Unknown { .. }) {
            bytes.extend([1, 2, 3]);
        }
        let head =
            [(0, 4, "echo", 1_000.into()), (4, 5, "id", "171/3/1284".into()), (9, 1, "order", name)].to_vec();
        assert_eq!(fields(Class::Command, &bytes), [head, behind].concat(), "{order:?}");
    }
    let uptime = Order::Time(EventTime::new(5, ClockQuality::Uptime));
    assert_eq!(fields(Class::Command, &command(uptime))[4], (10, 6, "uptime-ms", 5.into()));
    let new_kind = Order::Warn { zone: SiteId(1), kind: 200, duration_s: 1 };
    assert_eq!(fields(Class::Command, &command(new_kind))[4], (12, 1, "kind", 200.into()));
}

#[test]
fn every_field_of_an_answer_stands_in_its_bytes() {
    for &result in CommandResult::ALL {
        let expected = [
            (0, 1, "report-kind", 2.into()),
            (1, 5, "id", "171/3/1284".into()),
            (6, 1, "result", result.name().into()),
        ];
        assert_eq!(fields(Class::Report, &Acted { id: ID, result }.encode()), expected);
    }
}

/// What the core makes of the same bytes.
fn core_reads(class: Class, bytes: &[u8]) -> bool {
    match class {
        Class::Alert => split_body(bytes).and_then(|(_, content)| Alert::decode(content)).is_ok(),
        Class::Report => Heartbeat::decode(bytes).is_ok() || Acted::decode(bytes).is_ok(),
        Class::Ack => Ack::decode(bytes).is_ok(),
        Class::Command => Command::decode(bytes).is_ok(),
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
                bytes[0] = if bytes.len() < 20 { Acted::KIND } else { Heartbeat::KIND };
            }
            if let (Class::Command, Some(order)) = (class, bytes.get_mut(9)) {
                *order &= 0b111;
            }
        }
        let found = read(class, &bytes);
        prop_assert_eq!(found.wrong.is_none(), core_reads(class, &bytes));
        let fields: usize = found.body.iter().map(Field::end).max().unwrap_or(OFFSET);
        prop_assert_eq!(fields, OFFSET + bytes.len(), "every byte is shown");
    }
}
