//! Byte streams with noise, cut and joined frames, against the obvious way to read one: split it at its zeros.

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame::{self, Deframer, Fed, Noise};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::random::config;
use crate::{golden, spec};

type Event = Result<Vec<u8>, Noise>;

fn deframe<const N: usize>(line: &[u8]) -> Vec<Event> {
    let mut deframer = Deframer::<N>::new();
    let mut events = Vec::new();
    for &byte in line {
        match deframer.feed(byte) {
            Some(Fed::Packet(packet)) => events.push(Ok(packet.to_vec())),
            Some(Fed::Noise(noise)) => events.push(Err(noise)),
            None => {}
        }
    }
    events
}

/// What stands between two zeros is one event; nothing at all is none; what follows the last zero has to wait.
fn split(line: &[u8], room: usize) -> Vec<Event> {
    let mut parts: Vec<&[u8]> = line.split(|&byte| byte == 0).collect();
    parts.pop();
    parts.into_iter().filter(|part| !part.is_empty()).map(|part| event(part, room)).collect()
}

fn event(part: &[u8], room: usize) -> Event {
    if part.len() > room {
        return Err(Noise::TooLong);
    }
    let bytes = spec::unstuff(part).ok_or(Noise::Stuffing)?;
    let (packet, check) = bytes.split_last_chunk::<2>().ok_or(Noise::Check)?;
    if *check == spec::crc16(packet).to_be_bytes() { Ok(packet.to_vec()) } else { Err(Noise::Check) }
}

/// A stretch of line.
#[derive(Clone, Debug)]
enum Stretch {
    Frame(Vec<u8>),
    /// A frame whose beginning was missed.
    Tail(Vec<u8>, usize),
    /// A frame that breaks off; the next one follows on its heels.
    Cut(Vec<u8>, usize),
    /// A frame with one byte changed, perhaps its delimiter, so that two frames join.
    Disturbed(Vec<u8>, usize, u8),
    Noise(Vec<u8>),
}

impl Stretch {
    fn bytes(&self) -> Vec<u8> {
        match self {
            Self::Frame(packet) => spec::frame(packet),
            Self::Tail(packet, from) => {
                let framed = spec::frame(packet);
                framed[from % framed.len()..].to_vec()
            }
            Self::Cut(packet, to) => {
                let framed = spec::frame(packet);
                framed[..to % framed.len()].to_vec()
            }
            Self::Disturbed(packet, at, with) => {
                let mut framed = spec::frame(packet);
                let at = at % framed.len();
                framed[at] ^= with;
                framed
            }
            Self::Noise(noise) => noise.clone(),
        }
    }
}

fn packet() -> impl Strategy<Value = Vec<u8>> {
    prop_oneof![vec(any::<u8>(), 0..=59), vec(prop_oneof![Just(0), Just(1), Just(0xff)], 0..=59)]
}

fn stretch() -> impl Strategy<Value = Stretch> {
    prop_oneof![
        4 => packet().prop_map(Stretch::Frame),
        1 => (packet(), any::<usize>()).prop_map(|(packet, from)| Stretch::Tail(packet, from)),
        1 => (packet(), any::<usize>()).prop_map(|(packet, to)| Stretch::Cut(packet, to)),
        1 => (packet(), any::<usize>(), 1..=u8::MAX)
            .prop_map(|(packet, at, with)| Stretch::Disturbed(packet, at, with)),
        1 => vec(any::<u8>(), 0..200).prop_map(Stretch::Noise),
        1 => vec(prop_oneof![Just(0), Just(2), Just(3)], 0..30).prop_map(Stretch::Noise),
    ]
}

proptest! {
    #![proptest_config(config(2_000))]

    #[test]
    fn a_disturbed_line_reads_like_its_parts(stretches in vec(stretch(), 0..12)) {
        let line: Vec<u8> = stretches.iter().flat_map(Stretch::bytes).collect();
        // Stuffed, so few bytes are one more.
        prop_assert_eq!(deframe::<FRAME_LEN_MAX>(&line), split(&line, FRAME_LEN_MAX + 1));
        // With little room most frames are too long, and none of their tails may count.
        prop_assert_eq!(deframe::<12>(&line), split(&line, 13));
    }

    /// A frame that follows a delimiter and is whole itself is found, whatever came before.
    #[test]
    fn a_whole_frame_is_found_behind_anything(stretches in vec(stretch(), 0..6), packet in packet()) {
        let mut line: Vec<u8> = stretches.iter().flat_map(Stretch::bytes).collect();
        line.push(0);
        line.extend(spec::frame(&packet));
        prop_assert_eq!(deframe::<FRAME_LEN_MAX>(&line).pop(), Some(Ok(packet)));
    }

    #[test]
    fn framing_as_written_down(packet in packet()) {
        let mut out = [0; FRAME_LEN_MAX];
        let written = spec::frame(&packet);
        prop_assert_eq!(frame::encode(&packet, &mut out), Some(written.as_slice()));
    }
}

#[test]
fn frames_one_behind_the_other() {
    let packets: Vec<Vec<u8>> = golden::vectors().into_iter().map(|vector| vector.derived.packet.0).collect();
    let line: Vec<u8> = packets.iter().flat_map(|packet| spec::frame(packet)).collect();
    assert_eq!(deframe::<FRAME_LEN_MAX>(&line), packets.into_iter().map(Ok).collect::<Vec<_>>());
}

/// Every cut of every frame, then a whole one: joined they are noise, apart the second is found.
#[test]
fn every_cut_of_a_frame() {
    let vectors = golden::vectors();
    let framed: Vec<Vec<u8>> =
        vectors.into_iter().filter_map(|vector| vector.derived.frame).map(|frame| frame.0).collect();
    assert!(framed.len() >= 10);
    let good = spec::frame(&[1, 0, 2]);
    for frame in framed {
        for cut in 1..frame.len() - 1 {
            let joined = [&frame[..cut], &good].concat();
            assert!(matches!(deframe::<FRAME_LEN_MAX>(&joined)[..], [Err(_)]), "{cut} of {frame:02x?}");
            let apart = [&frame[..cut], &[0], &good].concat();
            assert_eq!(deframe::<FRAME_LEN_MAX>(&apart).last(), Some(&Ok(vec![1, 0, 2])));
        }
    }
}
