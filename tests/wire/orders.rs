//! What a reader makes of commands and of the reports that answer them.

use alertbus::limits::{ACTED_LEN, BODY_LEN_MAX, CLEAR_IDS_MAX, COMMAND_LEN_MAX};
use alertbus::message::{Acted, Command, CommandId, CommandResult, Heartbeat, Order, Undecodable};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::hex::Hex;
use crate::random::config;
use crate::spec_body::{self, CLOCK, RESULT};
use crate::vector::{ActedFields, CommandFields, CommandIdFields, Message, OrderFields};
use crate::{core_side, golden};

/// Echo, id and order.
const HEAD_LEN: usize = 10;
const CLEAR: u8 = 2;
const TIME: u8 = 4;

/// Bytes behind the order in every command that version 1 defines, an all-clear apart.
const FIELDS_LEN: [(u8, usize); 5] = [(1, 5), (3, 1), (TIME, 6), (5, 4), (6, 1)];

/// Whether so many bytes may stand behind an order.
fn fits(code: u8, len: usize) -> bool {
    match FIELDS_LEN.iter().find(|(order, _)| *order == code) {
        Some((_, fields)) => len == *fields,
        None => code != CLEAR || (len.is_multiple_of(5) && len / 5 <= 3),
    }
}

fn is_unknown(message: &Message) -> bool {
    matches!(message, Message::Command(CommandFields { order: OrderFields::Unknown { .. }, .. }))
}

fn written(command: &Command) -> Vec<u8> {
    let mut out = [0; BODY_LEN_MAX];
    let len = command.encode(&mut out);
    out[..len].to_vec()
}

/// Order 200 comes from the future: what it wants is lost, but not who wants it, so that he can be told.
#[test]
fn an_old_reader_meets_a_new_order() {
    for len in 0..=BODY_LEN_MAX - HEAD_LEN {
        let body = [&[0, 0, 3, 0xe8, 5, 3, 0, 0, 17, 200], vec![0xa5; len].as_slice()].concat();
        let id = CommandId { epoch_low: 5, counter: 0x0300_0011 };
        let command = Command { echo: 1_000, id, order: Order::Unknown { code: 200 } };
        assert_eq!(Command::decode(&body), Ok(command), "{len} bytes behind it");
    }
}

#[test]
fn lengths_are_frozen() {
    assert_eq!((ACTED_LEN, COMMAND_LEN_MAX, CLEAR_IDS_MAX), (7, 25, 3));
    let lengths = |sort: &str| -> Vec<usize> {
        let vectors = golden::vectors().into_iter().filter(|vector| vector.given.message.sort() == sort);
        let known = vectors.filter(|vector| !is_unknown(&vector.given.message));
        known.map(|vector| vector.derived.body.0.len()).collect()
    };
    assert_eq!(lengths("command").into_iter().max(), Some(COMMAND_LEN_MAX));
    assert!(lengths("acted").into_iter().all(|len| len == ACTED_LEN));
}

/// A byte too few or too many, for every command of the golden file.
#[test]
fn a_known_order_of_another_length_is_refused() {
    for vector in golden::vectors() {
        let Message::Command(fields) = &vector.given.message else { continue };
        if is_unknown(&vector.given.message) {
            continue;
        }
        let mut body = vector.derived.body.0.clone();
        body.push(0);
        let room = matches!(&fields.order, OrderFields::Clear { ids } if ids.len() < 3);
        let refused = if room { Undecodable::Truncated } else { Undecodable::TrailingBytes { extra: 1 } };
        assert_eq!(Command::decode(&body), Err(refused), "{}", vector.name);
        body.truncate(body.len() - 2);
        assert_eq!(Command::decode(&body), Err(Undecodable::Truncated), "{}", vector.name);
    }
}

/// Results that no word has are read as "not known"; the command they answer is known all the same.
#[test]
fn every_result_is_read_and_the_two_reports_are_told_apart() {
    for byte in 0..=u8::MAX {
        let body = [2, 5, 3, 0, 0, 17, byte];
        let id = CommandId { epoch_low: 5, counter: 0x0300_0011 };
        let word = RESULT.get(usize::from(byte)).copied().unwrap_or("unknown");
        let result = CommandResult::from_name(word).unwrap();
        assert_eq!(Acted::decode(&body), Ok(Acted { id, result }), "{byte}");
    }
    for vector in golden::vectors().into_iter().filter(|vector| vector.given.class == "report") {
        let body = vector.derived.body.0;
        let acted = matches!(vector.given.message, Message::Acted(_));
        assert_eq!((Acted::decode(&body).is_ok(), Heartbeat::decode(&body).is_ok()), (acted, !acted));
    }
}

/// Three bits in front of the milliseconds are passed over, as all filling is.
#[test]
fn every_value_of_every_byte_of_a_time_is_read() {
    let vector = golden::vectors().into_iter().find(|vector| vector.name == "command: time").unwrap();
    for at in HEAD_LEN..vector.derived.body.0.len() {
        for byte in 0..=u8::MAX {
            let mut body = vector.derived.body.0.clone();
            body[at] = byte;
            let Ok(Command { order: Order::Time(time), .. }) = Command::decode(&body) else {
                panic!("byte {at} = {byte}");
            };
            assert_eq!(time.quality().bits(), body[HEAD_LEN] >> 5);
            let millis = body[HEAD_LEN..].iter().fold(0_u64, |number, byte| number << 8 | u64::from(*byte));
            assert_eq!(time.millis(), millis & ((1 << 42) - 1));
        }
    }
}

/// What is read has one meaning: written again it reads the same, and where every bit has one it is the same.
fn check_reading(bytes: &[u8]) -> Result<bool, TestCaseError> {
    let read = Command::decode(bytes);
    if let Ok(command) = &read {
        let again = written(command);
        prop_assert_eq!(&Command::decode(&again), &read);
        match command.order {
            Order::Unknown { .. } => prop_assert_eq!(again.as_slice(), &bytes[..HEAD_LEN]),
            Order::Time(_) => prop_assert_eq!(again.len(), bytes.len()),
            _ => prop_assert_eq!(again.as_slice(), bytes),
        }
    }
    if let Ok(acted) = Acted::decode(bytes) {
        let again = acted.encode();
        prop_assert_eq!(Acted::decode(&again), Ok(acted));
        prop_assert_eq!(again[..6].as_ref(), &bytes[..6]);
    }
    Ok(read.is_ok())
}

proptest! {
    #![proptest_config(config(4_000))]

    #[test]
    fn any_bytes_are_read_or_refused(bytes in vec(any::<u8>(), 0..80)) {
        let fits = bytes.len() >= HEAD_LEN && fits(bytes[HEAD_LEN - 1], bytes.len() - HEAD_LEN);
        prop_assert_eq!(check_reading(&bytes)?, fits);
        prop_assert_eq!(Acted::decode(&bytes).is_ok(), bytes.len() == ACTED_LEN && bytes[0] == 2);
    }

    /// As above with the order right, so that its fields are reached.
    #[test]
    fn any_bytes_behind_an_order_are_read_or_refused(
        head in vec(any::<u8>(), HEAD_LEN - 1), code in 0..9_u8, fields in vec(any::<u8>(), 0..18)
    ) {
        let bytes = [head.as_slice(), &[code], fields.as_slice()].concat();
        prop_assert_eq!(check_reading(&bytes)?, fits(code, fields.len()));
        let report = [&[2], fields.as_slice()].concat();
        check_reading(&report)?;
        prop_assert_eq!(Acted::decode(&report).is_ok(), report.len() == ACTED_LEN);
    }

    /// Any valid command: both implementations write the same bytes, and the crate reads back what it was given.
    #[test]
    fn commands_there_and_back(echo in any::<u32>(), id in id(), order in order()) {
        there_and_back(&Message::Command(CommandFields { echo, id, order }))?;
    }

    #[test]
    fn answers_there_and_back(id in id(), result in 0..=RESULT.len()) {
        let result = RESULT.get(result).copied().unwrap_or("unknown").into();
        there_and_back(&Message::Acted(ActedFields { id, result }))?;
    }
}

fn there_and_back(message: &Message) -> Result<(), TestCaseError> {
    let body = spec_body::body(message);
    prop_assert_eq!(core_side::encode(message, &body), body.as_slice());
    core_side::check_decoded(message, &body);
    Ok(())
}

fn id() -> impl Strategy<Value = CommandIdFields> {
    any::<(u8, u32)>().prop_map(|(epoch_low, counter)| CommandIdFields { epoch_low, counter })
}

fn order() -> impl Strategy<Value = OrderFields> {
    use OrderFields::{Clear, Locate, NextEpoch, Test, Time, Unknown, Warn};
    let warn = any::<(u16, u8, u16)>();
    let time = (0..CLOCK.len(), 0..1_u64 << 42);
    prop_oneof![
        warn.prop_map(|(zone, kind, duration_s)| Warn { zone, kind, duration_s }),
        vec(id(), 0..=CLEAR_IDS_MAX).prop_map(|ids| Clear { ids }),
        any::<u8>().prop_map(|duration_s| Test { duration_s }),
        time.prop_map(|(clock, time_ms)| Time { clock: CLOCK[clock].into(), time_ms }),
        any::<u32>().prop_map(|epoch| NextEpoch { epoch }),
        any::<u8>().prop_map(|duration_s| Locate { duration_s }),
        (7..=u8::MAX, vec(any::<u8>(), 0..=BODY_LEN_MAX - HEAD_LEN))
            .prop_map(|(code, fields)| Unknown { code, fields: Hex(fields) }),
    ]
}
