//! What a test rig says: read as it was written, and nothing else.

use proptest::collection::vec;
use proptest::prelude::*;

use alertbus::driver::bench::{BadStimulus, Stimulus};
use alertbus::limits::{FRAME_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::message::kind::{Body, Kind, RocketLaunch, Summary};
use alertbus::message::{Alert, EventKey, Phase, Undecodable};
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::{AlertDraft, Precedence};

fn encode(stimulus: &Stimulus) -> Vec<u8> {
    stimulus.encode(&mut [0; STIMULUS_LEN_MAX]).to_vec()
}

/// Whatever a packet can say, known kind or not.
fn draft() -> impl Strategy<Value = AlertDraft> {
    let content = (any::<[u8; 14]>(), prop_oneof![0_u8..8, any::<u8>()], any::<[u8; 8]>());
    let marks = (any::<Option<u16>>(), 0_u8..4, any::<bool>());
    (content, marks).prop_map(|((fields, code, payload), (key, precedence, exercise))| {
        let (head, rest) = fields.split_at(2);
        let mut bytes = [head, &[code], rest].concat();
        // The top two bits behind the kind are the phase.
        bytes[3] &= 0b0011_1111;
        let read = |len: usize| Alert::decode(&[&bytes, &payload[..len]].concat());
        let alert = (0..=8).rev().find_map(|len| read(len).ok()).unwrap();
        AlertDraft {
            body: alert.body,
            severity: alert.severity,
            urgency: alert.urgency,
            certainty: alert.certainty,
            place: alert.place,
            time: alert.time,
            key: key.map(EventKey),
            precedence_min: Precedence::from_bits(precedence),
            exercise,
        }
    })
}

fn stimulus() -> impl Strategy<Value = Stimulus> {
    prop_oneof![
        3 => (0_u8..4, draft())
            .prop_map(|(phase, draft)| Stimulus::Sighting { phase: Phase::from_bits(phase), draft }),
        1 => any::<(u8, bool)>().prop_map(|(pin, high)| Stimulus::Pin { pin, high }),
        1 => any::<u16>().prop_map(|after_operations| Stimulus::PowerCut { after_operations }),
    ]
}

proptest! {
    #[test]
    fn what_is_written_is_read(stimulus in stimulus()) {
        prop_assert_eq!(Stimulus::decode(&encode(&stimulus)), Ok(stimulus));
    }

    #[test]
    fn it_travels_in_a_frame(stimulus in stimulus()) {
        let mut line = [0; FRAME_LEN_MAX];
        let framed = frame::encode(&encode(&stimulus), &mut line).unwrap();
        let mut deframer = StreamDeframer::new();
        let (last, before) = framed.split_last().unwrap();
        prop_assert!(before.iter().all(|&byte| deframer.feed(byte).is_none()));
        let Some(Fed::Packet(bytes)) = deframer.feed(*last) else { panic!("no packet") };
        prop_assert_eq!(Stimulus::decode(bytes), Ok(stimulus));
    }

    #[test]
    fn a_byte_more_or_less_is_refused(stimulus in stimulus(), more in any::<u8>()) {
        // The payload of an unknown kind may have any length, so what is cut from it cannot be noticed.
        let unknown = matches!(stimulus, Stimulus::Sighting { draft, .. } if draft.body.name() == "unknown");
        let whole = encode(&stimulus);
        for len in 0..whole.len() {
            let cut = Stimulus::decode(&whole[..len]);
            prop_assert!(unknown && len >= 21 || cut.is_err(), "{} of {} bytes: {:?}", len, whole.len(), cut);
        }
        if !unknown {
            prop_assert!(Stimulus::decode(&[whole, vec![more]].concat()).is_err());
        }
    }

    #[test]
    fn any_bytes_are_answered(bytes in vec(any::<u8>(), 0..64), sort in 0_u8..5) {
        for bytes in [bytes.clone(), [&[sort], &bytes[..]].concat()] {
            if let Ok(stimulus) = Stimulus::decode(&bytes) {
                // Bits of no meaning and words of no name aside, only one row of bytes says a thing.
                let again = encode(&stimulus);
                prop_assert_eq!(again.len(), bytes.len());
                prop_assert_eq!(Stimulus::decode(&again), Ok(stimulus));
            }
        }
    }
}

#[test]
fn the_bytes_are_those_of_the_table() {
    let draft = AlertDraft {
        key: Some(EventKey(0x0102)),
        precedence_min: Precedence::Immediate,
        exercise: true,
        ..AlertDraft::new(RocketLaunch::default())
    };
    let bytes = encode(&Stimulus::Sighting { phase: Phase::Cancel, draft });
    assert_eq!(bytes[..6], [1, 2, 1, 1, 2, 0b110]);
    assert_eq!(bytes[6..], *draft.onset(0).content().as_slice());
    assert_eq!(bytes.len(), 6 + 15 + RocketLaunch::LEN);
    assert_eq!(encode(&Stimulus::Pin { pin: 7, high: true }), [2, 7, 1]);
    assert_eq!(encode(&Stimulus::Pin { pin: 255, high: false }), [2, 255, 0]);
    assert_eq!(encode(&Stimulus::PowerCut { after_operations: 0x0102 }), [3, 1, 2]);
}

#[test]
fn what_is_wrong_is_named() {
    let draft = AlertDraft::new(Summary::default());
    let good = encode(&Stimulus::Sighting { phase: Phase::Onset, draft });
    let with = |at: usize, byte: u8| {
        let mut bytes = good.clone();
        bytes[at] = byte;
        Stimulus::decode(&bytes)
    };
    let value = |at, got| Err(BadStimulus::Value { at, got });
    assert_eq!(with(1, 4), value(1, 4));
    assert_eq!(with(2, 2), value(2, 2));
    // A key without the mark that there is one.
    assert_eq!(with(3, 9), value(3, 9));
    assert_eq!(with(4, 9), value(4, 9));
    assert_eq!(with(5, 8), value(5, 8));
    assert_eq!(
        Stimulus::decode(&[&good[..], &[0]].concat()),
        Err(BadStimulus::Content(Undecodable::TrailingBytes { extra: 1 }))
    );
    assert_eq!(Stimulus::decode(&good[..6]), Err(BadStimulus::Content(Undecodable::Truncated)));
    assert_eq!(Stimulus::decode(&good[..5]), Err(BadStimulus::Length { expected: 6, got: 5 }));
    assert_eq!(Stimulus::decode(&[]), Err(BadStimulus::Length { expected: 1, got: 0 }));
    assert_eq!(Stimulus::decode(&[2, 1]), Err(BadStimulus::Length { expected: 3, got: 2 }));
    assert_eq!(Stimulus::decode(&[2, 1, 2]), value(2, 2));
    assert_eq!(Stimulus::decode(&[3, 1, 2, 3]), Err(BadStimulus::Length { expected: 3, got: 4 }));
    assert_eq!(Stimulus::decode(&[0]), Err(BadStimulus::UnknownSort { got: 0 }));
    assert_eq!(Stimulus::decode(&[4, 1, 2]), Err(BadStimulus::UnknownSort { got: 4 }));
    assert_eq!(BadStimulus::Value { at: 5, got: 8 }.to_string(), "byte 5 is 8, which means nothing there");
}

#[test]
fn the_content_of_a_clear_is_not_taken_for_an_onset() {
    let draft = AlertDraft::new(RocketLaunch::default());
    let mut bytes = encode(&Stimulus::Sighting { phase: Phase::Clear, draft });
    let mut alert = Alert::decode(&bytes[6..]).unwrap();
    alert.phase = Phase::Clear;
    bytes.truncate(6);
    bytes.extend_from_slice(alert.content().as_slice());
    assert_eq!(Stimulus::decode(&bytes), Err(BadStimulus::Phase { got: Phase::Clear }));
    assert!(matches!(draft.body, Body::RocketLaunch(_)));
}
