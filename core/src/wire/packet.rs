//! One packet: eight bytes in clear, an encrypted body, a tag over both.
//!
//! The order of reading is the point of this module. [`parse`] reads the header and judges nothing by it;
//! [`Sealed::open`] checks the tag; a body exists only behind that check. Identity, precedence, exercise and
//! length of the tag all stand under the tag, so none can be changed unseen.

use core::fmt;

use ascon_aead::aead::consts::{U8, U16};
use ascon_aead::aead::inout::InOutBuf;
use ascon_aead::aead::{AeadInOut, KeyInit};
use ascon_aead::{AsconAead128, TruncatedAsconAead128};

use crate::limits::{BODY_LEN_MAX, HEADER_LEN, PACKET_LEN_MAX};
use crate::message::NodeId;
use crate::precedence::Precedence;
use crate::wire::keys::{Direction, LinkKey};
use crate::wire::link::TagLength;

/// Room for every packet on every link: what the roles seal into cannot be too short.
pub type PacketBuffer = [u8; PACKET_LEN_MAX];

/// The version this crate speaks. There is one, and no negotiation.
pub const VERSION: u8 = 1;

/// What a packet is for, which also says which way it goes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Class {
    /// An alert, up.
    Alert = 0,
    /// A report, up.
    Report = 1,
    /// An acknowledgement, down.
    Ack = 2,
    /// A command, down.
    Command = 3,
}

impl Class {
    /// Which way packets of this class go.
    #[must_use]
    pub const fn direction(self) -> Direction {
        match self {
            Self::Alert | Self::Report => Direction::Up,
            Self::Ack | Self::Command => Direction::Down,
        }
    }

    const fn bits(self) -> u8 {
        match self {
            Self::Alert => 0,
            Self::Report => 1,
            Self::Ack => 2,
            Self::Command => 3,
        }
    }

    const fn from_bits(bits: u8) -> Self {
        match bits & 0b11 {
            0 => Self::Alert,
            1 => Self::Report,
            2 => Self::Ack,
            _ => Self::Command,
        }
    }
}

/// The part of a packet that travels in clear, under the tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Header {
    /// What the packet is for.
    pub class: Class,
    /// In clear so that a relay without keys can honour it.
    pub precedence: Precedence,
    /// Whether it belongs to an exercise.
    pub exercise: bool,
    /// Low 8 bits of the key epoch.
    pub epoch_low: u8,
    /// Source when it goes up, destination when it goes down.
    pub node: NodeId,
    /// Number of this packet, never used twice under one key.
    pub counter: u32,
}

impl Header {
    const fn first_byte(&self) -> u8 {
        let exercise = if self.exercise { 0b10 } else { 0 };
        VERSION << 6 | self.class.bits() << 4 | self.precedence.bits() << 2 | exercise
    }

    /// The eight bytes.
    #[must_use]
    pub const fn encode(&self) -> [u8; HEADER_LEN] {
        let [node_high, node_low] = self.node.0.to_be_bytes();
        let [c0, c1, c2, c3] = self.counter.to_be_bytes();
        [self.first_byte(), self.epoch_low, node_high, node_low, c0, c1, c2, c3]
    }

    fn decode(bytes: [u8; HEADER_LEN]) -> Result<Self, ParseError> {
        let [first, epoch_low, node_high, node_low, c0, c1, c2, c3] = bytes;
        if first >> 6 != VERSION {
            return Err(ParseError::Version { got: first >> 6 });
        }
        if first & 1 != 0 {
            return Err(ParseError::ReservedBit);
        }
        Ok(Self {
            class: Class::from_bits(first >> 4),
            precedence: Precedence::from_bits(first >> 2),
            exercise: first >> 1 & 1 == 1,
            epoch_low,
            node: NodeId(u16::from_be_bytes([node_high, node_low])),
            counter: u32::from_be_bytes([c0, c1, c2, c3]),
        })
    }

    /// Unique for every packet under every key: the header's bits, the whole epoch, the node and the counter.
    fn nonce(&self, key: &LinkKey) -> [u8; 16] {
        let [e0, e1, e2, e3] = key.epoch().0.to_be_bytes();
        let [n0, n1, n2, n3] = u32::from(self.node.0).to_be_bytes();
        let [c0, c1, c2, c3] = self.counter.to_be_bytes();
        [b'A', b'B', b'1', self.first_byte(), e0, e1, e2, e3, n0, n1, n2, n3, c0, c1, c2, c3]
    }

    fn associated_data(&self, tag: TagLength) -> [u8; HEADER_LEN + 1] {
        let [h0, h1, h2, h3, h4, h5, h6, h7] = self.encode();
        [h0, h1, h2, h3, h4, h5, h6, h7, tag.associated()]
    }

    /// Whether `key` was derived for packets like this one.
    fn fits(&self, key: &LinkKey) -> bool {
        self.class.direction() == key.direction()
            && self.exercise == key.is_exercise()
            && self.epoch_low == key.epoch().low()
    }
}

/// Why a body could not be sealed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SealError {
    /// The body is longer than [`BODY_LEN_MAX`].
    BodyTooLong {
        /// Bytes of the body.
        got: usize,
    },
    /// The output buffer is too short.
    NoRoom {
        /// Bytes the packet takes.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// The key was derived for another direction, epoch, or for exercise instead of live.
    WrongKey,
}

/// Why bytes are no packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum ParseError {
    /// Fewer bytes than header and tag take.
    TooShort {
        /// Bytes a packet has at least.
        needed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// More bytes than the longest body allows.
    TooLong {
        /// Bytes a packet has at most.
        allowed: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Another version of the format.
    Version {
        /// The version's number.
        got: u8,
    },
    /// The reserved bit is set.
    ReservedBit,
}

/// The tag does not fit: not from who it says, changed on the way, or sealed under another key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct BadTag;

/// Seals `body` behind `header` into the front of `out` and returns the packet.
///
/// The caller owes a counter that this key has never seen. Cost: the cipher's, 6,680 instructions for 28 bytes of
/// body on a Cortex-M4 at `opt-level = "s"`.
///
/// # Errors
/// The body is too long, `out` too short, or `key` was derived for other packets than `header` describes.
///
/// ```
/// use alertbus::wire::keys::{Direction, Epoch, MasterKey};
/// use alertbus::wire::link::TagLength;
/// use alertbus::wire::packet::{self, Class, Header};
/// use alertbus::{NodeId, Precedence};
///
/// let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12)).link_key(Direction::Up, false, Epoch(1));
/// let header = Header {
///     class: Class::Report,
///     precedence: Precedence::Routine,
///     exercise: false,
///     epoch_low: 1,
///     node: NodeId(12),
///     counter: 1,
/// };
/// let mut out = [0; 51];
/// let sealed = packet::seal(&key, &header, b"hello", TagLength::Short, &mut out).unwrap();
/// assert_eq!(sealed.len(), 8 + 5 + 8);
///
/// let mut body = [0; 35];
/// let parsed = packet::parse(sealed, TagLength::Short).unwrap();
/// assert_eq!(parsed.header(), &header);
/// assert_eq!(parsed.open(&key, &mut body).unwrap(), b"hello");
/// ```
pub fn seal<'o>(
    key: &LinkKey,
    header: &Header,
    body: &[u8],
    tag: TagLength,
    out: &'o mut [u8],
) -> Result<&'o [u8], SealError> {
    if body.len() > BODY_LEN_MAX {
        return Err(SealError::BodyTooLong { got: body.len() });
    }
    if !header.fits(key) {
        return Err(SealError::WrongKey);
    }
    let needed = HEADER_LEN.saturating_add(body.len()).saturating_add(tag.bytes());
    let got = out.len();
    let packet = out.get_mut(..needed).ok_or(SealError::NoRoom { needed, got })?;
    let (head, rest) = packet.split_at_mut(HEADER_LEN);
    let (ciphertext, tag_out) = rest.split_at_mut(body.len());
    head.copy_from_slice(&header.encode());

    let nonce = header.nonce(key);
    let associated_data = header.associated_data(tag);
    let too_long = SealError::BodyTooLong { got: body.len() };
    let text = InOutBuf::new(body, ciphertext).map_err(|_| too_long)?;
    let sealed = match tag {
        TagLength::Short => Short::new(key.expose().into())
            .encrypt_inout_detached((&nonce).into(), &associated_data, text)
            .map(|full| tag_out.copy_from_slice(&full)),
        TagLength::Long => AsconAead128::new(key.expose().into())
            .encrypt_inout_detached((&nonce).into(), &associated_data, text)
            .map(|full| tag_out.copy_from_slice(&full)),
    };
    // The cipher refuses only lengths beyond its limit, which lies far above a packet.
    sealed.map_err(|_| too_long)?;
    Ok(packet)
}

type Short = TruncatedAsconAead128<U8>;
const _: () = assert!(size_of::<ascon_aead::Tag<TruncatedAsconAead128<U16>>>() == 16);

/// Reads the header of `packet`, which a link with tags of length `tag` has received.
///
/// Nothing of it is authentic yet.
///
/// # Errors
/// The length cannot be that of a packet, or it is of another version.
pub fn parse(packet: &[u8], tag: TagLength) -> Result<Sealed<'_>, ParseError> {
    let needed = HEADER_LEN.saturating_add(tag.bytes());
    let allowed = needed.saturating_add(BODY_LEN_MAX);
    let got = packet.len();
    if got > allowed {
        return Err(ParseError::TooLong { allowed, got });
    }
    let (head, rest) = packet.split_first_chunk().ok_or(ParseError::TooShort { needed, got })?;
    let body_len = rest.len().checked_sub(tag.bytes()).ok_or(ParseError::TooShort { needed, got })?;
    let (ciphertext, tag_bytes) = rest.split_at(body_len);
    Ok(Sealed { header: Header::decode(*head)?, ciphertext, tag_bytes, tag })
}

/// A packet whose header is read and whose tag is not yet checked.
#[derive(Clone, Copy)]
pub struct Sealed<'p> {
    header: Header,
    ciphertext: &'p [u8],
    tag_bytes: &'p [u8],
    tag: TagLength,
}

impl Sealed<'_> {
    /// The header, as claimed.
    #[must_use]
    pub const fn header(&self) -> &Header {
        &self.header
    }

    /// Checks the tag and decrypts the body into the front of `out`.
    ///
    /// On failure `out` holds no plaintext. Time does not depend on where a wrong tag differs.
    ///
    /// # Errors
    /// The tag does not fit, or `key` was derived for other packets.
    pub fn open<'o>(&self, key: &LinkKey, out: &'o mut [u8; BODY_LEN_MAX]) -> Result<&'o [u8], BadTag> {
        if !self.header.fits(key) {
            return Err(BadTag);
        }
        let body = out.get_mut(..self.ciphertext.len()).ok_or(BadTag)?;
        let text = InOutBuf::new(self.ciphertext, body).map_err(|_| BadTag)?;
        let nonce = self.header.nonce(key);
        let associated_data = self.header.associated_data(self.tag);
        let opened = match self.tag {
            TagLength::Short => Short::new(key.expose().into()).decrypt_inout_detached(
                (&nonce).into(),
                &associated_data,
                text,
                self.tag_bytes.try_into().map_err(|_| BadTag)?,
            ),
            TagLength::Long => AsconAead128::new(key.expose().into()).decrypt_inout_detached(
                (&nonce).into(),
                &associated_data,
                text,
                self.tag_bytes.try_into().map_err(|_| BadTag)?,
            ),
        };
        match opened {
            Ok(()) => Ok(body),
            Err(_) => {
                body.fill(0);
                Err(BadTag)
            }
        }
    }
}

// The body is ciphertext here, and still nobody's business in a log.
impl fmt::Debug for Sealed<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Sealed").field("header", &self.header).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Sealed<'_> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.header);
    }
}

impl fmt::Display for ParseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::TooShort { needed, got } => write!(f, "{got} bytes; a packet has at least {needed}"),
            Self::TooLong { allowed, got } => write!(f, "{got} bytes; a packet has at most {allowed}"),
            Self::Version { got } => write!(f, "version {got}; only version {VERSION} is known"),
            Self::ReservedBit => f.write_str("the reserved bit is set"),
        }
    }
}

impl fmt::Display for SealError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BodyTooLong { got } => write!(f, "a body of {got} bytes; at most {BODY_LEN_MAX} fit"),
            Self::NoRoom { needed, got } => write!(f, "the packet takes {needed} bytes, there are {got}"),
            Self::WrongKey => f.write_str("the key was derived for another direction, epoch or purpose"),
        }
    }
}

impl fmt::Display for BadTag {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the tag does not fit")
    }
}

impl core::error::Error for ParseError {}
impl core::error::Error for SealError {}
impl core::error::Error for BadTag {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::PACKET_LEN_MAX_RADIO;
    use crate::wire::keys::{Epoch, MasterKey, NodeKey};

    fn node_key() -> NodeKey {
        MasterKey::from_bytes([1; 16]).node_key(9, NodeId(0x0102))
    }

    fn header() -> Header {
        Header {
            class: Class::Alert,
            precedence: Precedence::Flash,
            exercise: false,
            epoch_low: 5,
            node: NodeId(0x0102),
            counter: 0x0304_0506,
        }
    }

    #[test]
    fn the_header_bit_for_bit() {
        assert_eq!(header().encode(), [0b0100_1100, 5, 1, 2, 3, 4, 5, 6]);
        let ack = Header { class: Class::Ack, precedence: Precedence::Routine, exercise: true, ..header() };
        assert_eq!(ack.encode()[0], 0b0110_0010);
        for header in [header(), ack] {
            assert_eq!(Header::decode(header.encode()), Ok(header));
        }
    }

    #[test]
    fn no_two_headers_share_a_nonce() {
        let key = node_key().link_key(Direction::Up, false, Epoch(0x0a0b_0c05));
        assert_eq!(
            header().nonce(&key),
            [b'A', b'B', b'1', 0x4c, 0x0a, 0x0b, 0x0c, 5, 0, 0, 1, 2, 3, 4, 5, 6]
        );
    }

    #[test]
    fn a_key_for_other_packets_neither_seals_nor_opens() {
        let (up, epoch) = (Direction::Up, Epoch(5));
        let key = node_key().link_key(up, false, epoch);
        let mut out = [0; PACKET_LEN_MAX];
        let packet = seal(&key, &header(), &[9; 35], TagLength::Long, &mut out).unwrap();
        let sealed = parse(packet, TagLength::Long).unwrap();
        let mut body = [0; BODY_LEN_MAX];
        assert_eq!(sealed.open(&key, &mut body), Ok(&[9; 35][..]));
        for wrong in [
            node_key().link_key(Direction::Down, false, epoch),
            node_key().link_key(up, true, epoch),
            node_key().link_key(up, false, Epoch(6)),
            // The low bits agree, the epoch does not: only the tag can tell.
            node_key().link_key(up, false, Epoch(5 + 256)),
        ] {
            let mut body = [0; BODY_LEN_MAX];
            assert_eq!(sealed.open(&wrong, &mut body), Err(BadTag));
            assert_eq!(body, [0; BODY_LEN_MAX]);
            let mut out = [0; PACKET_LEN_MAX];
            let fits = wrong.epoch().low() == 5 && !wrong.is_exercise() && wrong.direction() == up;
            assert_eq!(seal(&wrong, &header(), &[9; 35], TagLength::Long, &mut out).is_ok(), fits);
        }
    }

    #[test]
    fn a_long_tag_cut_short_is_no_short_tag() {
        let key = node_key().link_key(Direction::Up, false, Epoch(5));
        let mut out = [0; PACKET_LEN_MAX];
        let packet = seal(&key, &header(), b"body", TagLength::Long, &mut out).unwrap();
        let cut = &packet[..packet.len() - 8];
        assert_eq!(parse(cut, TagLength::Short).unwrap().open(&key, &mut [0; BODY_LEN_MAX]), Err(BadTag));
    }

    #[test]
    fn lengths_and_versions_are_judged_first() {
        let err = |bytes: &[u8], tag| parse(bytes, tag).map(|_| ()).unwrap_err();
        assert_eq!(err(&[0x40; 15], TagLength::Short), ParseError::TooShort { needed: 16, got: 15 });
        assert_eq!(err(&[0x40; 3], TagLength::Long), ParseError::TooShort { needed: 24, got: 3 });
        assert_eq!(err(&[0x40; 52], TagLength::Short), ParseError::TooLong { allowed: 51, got: 52 });
        assert_eq!(err(&[0x80; 16], TagLength::Short), ParseError::Version { got: 2 });
        assert_eq!(err(&[0x41; 16], TagLength::Short), ParseError::ReservedBit);
        let key = node_key().link_key(Direction::Up, false, Epoch(5));
        let sealed = |body: &[u8], room: usize| {
            seal(&key, &header(), body, TagLength::Short, &mut [0; 99][..room]).map(<[u8]>::len)
        };
        assert_eq!(sealed(&[0; 36], 99), Err(SealError::BodyTooLong { got: 36 }));
        assert_eq!(sealed(&[0; 35], 50), Err(SealError::NoRoom { needed: 51, got: 50 }));
        assert_eq!(sealed(&[0; 35], 51), Ok(PACKET_LEN_MAX_RADIO));
    }
}
