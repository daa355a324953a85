//! Packets on a byte stream: COBS between zero bytes, with a CRC-16 to tell noise from attack.
//!
//! The check is no security. It stands outside the tag so that a noisy line is counted as noise and only what
//! arrives intact, and still does not authenticate, is counted as an attack.

use cobs::{DecodeResult, DecoderState};
use crc::{CRC_16_IBM_SDLC, Crc, Table};

use crate::limits::{FRAME_CHECK_LEN, PACKET_LEN_MAX};

/// CRC-16/IBM-SDLC, the frame check sequence of HDLC and PPP (RFC 1662, appendix C.2). Its table takes 512 bytes of flash
/// and saves 2,600 of what would be 13,000 instructions from an alert to its frame.
static CHECK: Crc<u16, Table<1>> = Crc::<u16, Table<1>>::new(&CRC_16_IBM_SDLC);

const DELIMITER: u8 = 0;

/// Frames `packet` into the front of `out`: stuffed packet and check, then the delimiter.
///
/// None where `out` is too short; [`FRAME_LEN_MAX`](crate::limits::FRAME_LEN_MAX) bytes are enough for every packet. Send a single zero byte
/// before the first frame after opening a line, so that noise before it is closed off.
///
/// ```
/// use alertbus::wire::frame::{self, Deframer, Fed};
/// let mut out = [0; 16];
/// let framed = frame::encode(&[1, 0, 2], &mut out).unwrap();
/// let mut deframer = Deframer::<16>::new();
/// let mut found = 0;
/// for &byte in framed {
///     if let Some(Fed::Packet(packet)) = deframer.feed(byte) {
///         assert_eq!(packet, [1, 0, 2]);
///         found += 1;
///     }
/// }
/// assert_eq!(found, 1);
/// ```
#[must_use]
pub fn encode<'o>(packet: &[u8], out: &'o mut [u8]) -> Option<&'o [u8]> {
    let check = CHECK.checksum(packet).to_be_bytes();
    let (_, room) = out.split_last_mut()?;
    let mut stuffer = cobs::CobsEncoder::new(room);
    stuffer.push(packet).ok()?;
    stuffer.push(&check).ok()?;
    let stuffed = stuffer.finalize();
    let frame = out.get_mut(..stuffed.checked_add(1)?)?;
    *frame.last_mut()? = DELIMITER;
    Some(frame)
}

/// Why bytes between two delimiters are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Noise {
    /// More bytes than the longest frame; all of them up to the next delimiter are dropped.
    TooLong,
    /// Not validly stuffed.
    Stuffing,
    /// The check does not fit, or there is no room for one.
    Check,
}

/// What a byte completed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fed<'f> {
    /// A whole packet whose check fits.
    Packet(&'f [u8]),
    /// Bytes that are no packet.
    Noise(Noise),
}

#[cfg(feature = "defmt")]
impl defmt::Format for Fed<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        match self {
            Self::Packet(packet) => defmt::write!(f, "packet of {=usize} bytes", packet.len()),
            Self::Noise(noise) => defmt::write!(f, "{}", noise),
        }
    }
}

/// Finds packets in a stream, however it starts, breaks off or is disturbed.
///
/// After anything that is no frame it takes nothing until the next delimiter: the tail of a frame that was too
/// long is never taken for a frame. `N` bytes hold the longest packet and its check; [`StreamDeframer`] has enough for
/// all.
#[derive(Debug)]
pub struct Deframer<const N: usize> {
    /// Unstuffed as they come, so that a delimiter costs the check alone.
    bytes: [u8; N],
    len: usize,
    stuffing: DecoderState,
    discarding: bool,
}

/// A [`Deframer`] for every packet there is.
pub type StreamDeframer = Deframer<{ PACKET_LEN_MAX + FRAME_CHECK_LEN }>;

impl<const N: usize> Deframer<N> {
    /// Ready for the first byte.
    #[must_use]
    pub const fn new() -> Self {
        Self { bytes: [0; N], len: 0, stuffing: DecoderState::Idle, discarding: false }
    }

    /// Takes one byte; answers when a delimiter completes something. Nothing at all between two delimiters is
    /// no event. Cost: constant but for the delimiter, which costs the length of the frame.
    pub fn feed(&mut self, byte: u8) -> Option<Fed<'_>> {
        if self.discarding {
            self.discarding = byte != DELIMITER;
            return (!self.discarding).then_some(Fed::Noise(Noise::TooLong));
        }
        match self.stuffing.feed(byte) {
            Ok(DecodeResult::NoData) => None,
            Ok(DecodeResult::DataStart) => {
                self.len = 0;
                None
            }
            Ok(DecodeResult::DataContinue(byte)) => {
                match self.bytes.get_mut(self.len) {
                    Some(room) => {
                        *room = byte;
                        self.len = self.len.saturating_add(1);
                    }
                    None => {
                        self.stuffing = DecoderState::Idle;
                        self.discarding = true;
                    }
                }
                None
            }
            Ok(DecodeResult::DataComplete) => Some(checked(self.bytes.get(..self.len).unwrap_or(&[]))),
            Err(_) => Some(Fed::Noise(Noise::Stuffing)),
        }
    }
}

// What it holds may be part of a body's ciphertext: nobody's business in a log.
#[cfg(feature = "defmt")]
impl<const N: usize> defmt::Format for Deframer<N> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=usize} of {=usize} bytes of a frame", self.len, N);
    }
}

impl<const N: usize> Default for Deframer<N> {
    fn default() -> Self {
        Self::new()
    }
}

fn checked(bytes: &[u8]) -> Fed<'_> {
    match bytes.split_last_chunk::<FRAME_CHECK_LEN>() {
        Some((packet, check)) if CHECK.checksum(packet) == u16::from_be_bytes(*check) => Fed::Packet(packet),
        _ => Fed::Noise(Noise::Check),
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::limits::FRAME_LEN_MAX;
    use std::vec::Vec;

    fn feed<const N: usize>(deframer: &mut Deframer<N>, bytes: &[u8]) -> Vec<Result<Vec<u8>, Noise>> {
        let mut found = Vec::new();
        for &byte in bytes {
            match deframer.feed(byte) {
                Some(Fed::Packet(packet)) => found.push(Ok(packet.to_vec())),
                Some(Fed::Noise(noise)) => found.push(Err(noise)),
                None => {}
            }
        }
        found
    }

    #[test]
    fn every_length_and_many_zeros() {
        let mut deframer = StreamDeframer::new();
        for len in 0..=PACKET_LEN_MAX {
            for fill in [0, 1, 0xff] {
                let packet = std::vec![fill; len];
                let mut out = [0; FRAME_LEN_MAX];
                let framed = encode(&packet, &mut out).unwrap();
                assert!(framed.len() <= len + 4 && !framed[..framed.len() - 1].contains(&0));
                assert_eq!(feed(&mut deframer, framed), [Ok(packet)]);
            }
        }
    }

    #[test]
    fn the_tail_of_an_oversize_frame_is_no_frame() {
        let mut out = [0; FRAME_LEN_MAX];
        let good = encode(&[1, 2, 3], &mut out).unwrap().to_vec();
        let mut deframer = Deframer::<8>::new();
        let mut oversize = std::vec![0x55; 9];
        oversize.extend(&good);
        assert_eq!(feed(&mut deframer, &oversize), [Err(Noise::TooLong)]);
        assert_eq!(feed(&mut deframer, &good), [Ok(std::vec![1, 2, 3])]);
    }

    #[test]
    fn noise_costs_at_most_the_frame_it_touches() {
        let mut out = [0; FRAME_LEN_MAX];
        let good = encode(&[7; 40], &mut out).unwrap().to_vec();
        for at in 0..good.len() {
            for bit in 0..8 {
                let mut line = good.clone();
                line[at] ^= 1 << bit;
                line.extend(&good);
                line.extend(&good);
                let found = feed(&mut StreamDeframer::new(), &line);
                assert_eq!(found.last(), Some(&Ok(std::vec![7; 40])), "byte {at} bit {bit}");
                assert!(found.iter().flatten().all(|packet| packet == &[7; 40]), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_short_buffer_is_refused() {
        assert_eq!(encode(&[1, 2, 3], &mut []), None);
        for room in 0..7 {
            assert_eq!(encode(&[1, 2, 3], &mut [0; 7][..room]), None, "{room} bytes");
        }
        assert!(encode(&[1, 2, 3], &mut [0; 7]).is_some());
    }
}
