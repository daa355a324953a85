//! Frames of a byte stream: where stuffing or check go wrong, to the byte.
//!
//! The core's deframer says whether bytes are a frame, as a receiver must; it does not say where they stop being
//! one. A test holds the two to the same verdict.

use alertbus::limits::FRAME_CHECK_LEN;
use alertbus::wire::frame;

use super::dissection::{Of, Wrong};

/// A frame taken off.
#[derive(Clone, Debug)]
pub(super) struct Unframed {
    /// What was in it, or as much as could be read.
    pub(super) packet: Vec<u8>,
    /// The first byte of the frame that is wrong.
    pub(super) wrong: Option<Wrong>,
}

/// Whether bytes are a frame by themselves: they end in the only zero, and what stands before it unstuffs.
///
/// No packet does: its first byte, 0x40 to 0x7f, would be a distance beyond its end.
pub(super) fn is_framed(bytes: &[u8]) -> bool {
    let unstuffed = unstuff(bytes);
    unstuffed.wrong.is_none() && unstuffed.data.len() >= FRAME_CHECK_LEN
}

/// How many frames follow one another, where nothing else stands between them; 0 where something does.
pub(super) fn count(bytes: &[u8]) -> usize {
    let mut frames = bytes.split_inclusive(|byte| *byte == 0).filter(|frame| **frame != [0]);
    let count = frames.clone().count();
    if frames.all(is_framed) { count } else { 0 }
}

/// Takes the frame off, as far as it goes.
pub(super) fn unframe(bytes: &[u8]) -> Unframed {
    let Unstuffed { mut data, offsets, wrong } = unstuff(bytes);
    let Some(packet_len) = data.len().checked_sub(FRAME_CHECK_LEN) else {
        let offset = bytes.len();
        let short = Wrong {
            of: Of::Frame,
            offset,
            byte: None,
            message: format!("a frame of {} has no room for its check", super::hex::count(offset)),
            allowed: "a packet, two bytes of check, stuffed, and a zero".into(),
        };
        return Unframed { packet: Vec::new(), wrong: wrong.or(Some(short)) };
    };
    let check = data.split_off(packet_len);
    let right = right_check(&data);
    let differing = check.iter().zip(&right).position(|(got, right)| got != right);
    let misfit = differing.map(|at| Wrong {
        of: Of::Frame,
        offset: offsets.get(packet_len + at).copied().unwrap_or(0),
        byte: check.get(at).copied(),
        message: "the frame's check does not fit: noise on the line, or a packet that was changed".into(),
        allowed: format!("{} as CRC-16/IBM-SDLC of these bytes", super::hex::spaced(&right)),
    });
    Unframed { packet: data, wrong: wrong.or(misfit) }
}

struct Unstuffed {
    data: Vec<u8>,
    /// Where in the frame each byte of the data came from.
    offsets: Vec<usize>,
    wrong: Option<Wrong>,
}

fn unstuff(bytes: &[u8]) -> Unstuffed {
    let wrong = |offset: usize, message: String, allowed: String| {
        let byte = bytes.get(offset).copied();
        Some(Wrong { of: Of::Frame, offset, byte, message, allowed })
    };
    // A sender may open the line with zeros.
    let begin = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let end = bytes.iter().skip(begin).position(|byte| *byte == 0).map_or(bytes.len(), |len| begin + len);
    let mut found = Unstuffed { data: Vec::new(), offsets: Vec::new(), wrong: None };
    let mut at = begin;
    while at < end {
        let distance = usize::from(bytes[at]);
        let left = end - at;
        if distance > left {
            found.wrong = wrong(
                at,
                format!(
                    "the next zero of the packet would stand {distance} bytes on, behind the frame's end"
                ),
                format!("0x01 to 0x{left:02x}"),
            );
        }
        let next = (at + distance).min(end);
        found.data.extend(&bytes[at + 1..next]);
        found.offsets.extend(at + 1..next);
        // A distance of 255 stands for 254 bytes without a zero behind them.
        if next < end && distance != 255 {
            found.data.push(0);
            found.offsets.push(next);
        }
        at = next;
    }
    if found.wrong.is_none() {
        found.wrong = match bytes.len().saturating_sub(end) {
            0 => wrong(end, "the frame has no end".into(), "0x00 behind the last byte".into()),
            1 => None,
            more => wrong(
                end,
                format!("the frame ends here, with {} behind it", super::hex::count(more - 1)),
                "one frame at a time, so a zero only at its end".into(),
            ),
        };
    }
    found
}

/// The check that belongs behind `packet`: what the core puts into a frame of it.
fn right_check(packet: &[u8]) -> Vec<u8> {
    // COBS adds a byte for every 254.
    let mut room = vec![0; packet.len() + packet.len() / 254 + 2 * FRAME_CHECK_LEN + 2];
    let framed = frame::encode(packet, &mut room).unwrap_or_default();
    let mut data = unstuff(framed).data;
    data.split_off(data.len().saturating_sub(FRAME_CHECK_LEN))
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "a test fails by panicking")]
mod tests {
    use alertbus::limits::{FRAME_LEN_MAX, PACKET_LEN_MAX};
    use alertbus::wire::frame::{Fed, StreamDeframer};
    use proptest::prelude::*;

    use super::*;

    fn framed(packet: &[u8]) -> Vec<u8> {
        let mut room = [0; FRAME_LEN_MAX];
        frame::encode(packet, &mut room).unwrap().to_vec()
    }

    #[test]
    fn the_first_wrong_byte_of_a_frame_is_named() {
        let whole = framed(&[0x4c, 5, 0, 12]);
        assert_eq!(whole[..6], [3, 0x4c, 5, 4, 12, whole[5]]);
        let at = |bytes: &[u8]| unframe(bytes).wrong.map(|wrong| (wrong.offset, wrong.byte));
        assert_eq!(at(&whole), None);
        assert_eq!(at(&[&[0, 0], &*whole].concat()), None);
        assert_eq!(at(&whole[..whole.len() - 1]), Some((whole.len() - 1, None)));
        assert_eq!(at(&[&*whole, &[1, 2]].concat()), Some((whole.len() - 1, Some(0))));
        let change = |offset: usize, byte: u8| {
            let mut bytes = whole.clone();
            bytes[offset] = byte;
            at(&bytes)
        };
        assert_eq!(change(3, 9), Some((3, Some(9))));
        assert_eq!(change(6, whole[6] ^ 1), Some((6, Some(whole[6] ^ 1))));
        assert_eq!(change(4, 0), Some((3, Some(4))));
        assert_eq!(at(&[]), Some((0, None)));
        assert_eq!(at(&[1, 0]), Some((2, None)));
    }

    proptest! {
        #[test]
        fn no_bytes_panic_and_the_core_agrees(bytes in prop::collection::vec(any::<u8>(), 0..FRAME_LEN_MAX)) {
            let mut frame = bytes;
            frame.retain(|byte| *byte != 0);
            frame.push(0);
            let mut deframer = StreamDeframer::new();
            let core = frame.iter().fold(None, |before, byte| match deframer.feed(*byte) {
                Some(Fed::Packet(packet)) => Some(packet.to_vec()),
                Some(Fed::Noise(_)) => None,
                None => before,
            });
            let found = unframe(&frame);
            prop_assert_eq!(found.wrong.is_none().then_some(found.packet), core);
        }

        #[test]
        fn every_frame_of_the_core_is_read(packet in prop::collection::vec(any::<u8>(), 0..=PACKET_LEN_MAX)) {
            let frame = framed(&packet);
            let found = unframe(&frame);
            prop_assert_eq!(found.wrong, None);
            prop_assert_eq!(found.packet, packet);
            prop_assert!(is_framed(&frame));
        }

        #[test]
        fn anything_can_be_looked_at(bytes in prop::collection::vec(any::<u8>(), 0..600)) {
            let _ = (is_framed(&bytes), unframe(&bytes));
        }
    }
}
