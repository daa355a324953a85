//! Provisioning: the 64 bytes that make a blank board one node of one network.
//!
//! A host derives the node's key, writes a [`Blob`] and has it flashed to the start of a flash page that is the blob's
//! own, which the flashing erases as a whole; the board says which page. Everything is big-endian:
//!
//! | offset | bytes | field |
//! | ---: | ---: | --- |
//! | 0 | 4 | `ABPV` in ASCII |
//! | 4 | 1 | version of this format, 1 |
//! | 5 | 1 | reserved, 0 |
//! | 6 | 2 | node, 1 … 65,535 |
//! | 8 | 4 | network |
//! | 12 | 4 | key epoch, from 1 |
//! | 16 | 4 | first Flash number the node may use, 1 … 2³¹ − 2 |
//! | 20 | 4 | first other number the node may use, 1 … 2³¹ − 2 |
//! | 24 | 16 | node key |
//! | 40 | 20 | reserved, 0 |
//! | 60 | 4 | CRC-32/ISO-HDLC over the 60 bytes before it |
//!
//! Behind the blob, at [`USED_MARK_OFFSET`], stands the `used` mark: erased (`0xFF`) until the node has written its
//! first counters and read them back, programmed from then on. A node whose mark is programmed and whose counters are
//! gone has lost its state and must not send. So a blob is flashed once: a second time, it would erase the mark
//! together with the page, and the same key would seal under the same counters again.
//!
//! ```
//! use alertbus::provision::{Blob, BlobError};
//! use alertbus::wire::keys::{Epoch, MasterKey};
//! use alertbus::NodeId;
//!
//! let key = MasterKey::from_bytes([7; 16]).node_key(9, NodeId(12));
//! let blob = Blob { network: 9, node: NodeId(12), key, epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
//! let bytes = blob.encode()?;
//! let read = Blob::decode(bytes.expose())?;
//! assert_eq!((read.node, read.epoch), (NodeId(12), Epoch(1)));
//! assert_eq!(read.expect_network(7).unwrap_err().to_string(),
//!     "for network 9, this is network 7: take the blob that was made for this network");
//! # Ok::<(), BlobError>(())
//! ```

use core::fmt;

use crc::{CRC_32_ISO_HDLC, Crc, NoTable};
use zeroize::Zeroize;

use crate::limits::{BLOB_LEN, SEQ_MAX};
use crate::message::{Epoch, NodeId};
use crate::wire::keys::{KEY_LEN, NodeKey};

/// Where the `used` mark stands behind the blob, in bytes from the start of the page. A multiple of the program unit
/// of every flash this is meant for (up to 64 bytes), so that it can be programmed without touching the blob.
pub const USED_MARK_OFFSET: usize = BLOB_LEN;

/// What every blob begins with, in clear.
pub const MAGIC: [u8; 4] = *b"ABPV";
const VERSION: u8 = 1;
const ERASED: u8 = 0xff;
const RESERVED_LEN: usize = 20;
const CHECKSUM_LEN: usize = 4;

// The mark begins where the blob ends, and the fields fill the blob.
const _: () = assert!(USED_MARK_OFFSET == 64 && BLOB_LEN == 24 + KEY_LEN + RESERVED_LEN + CHECKSUM_LEN);

/// The check of Ethernet and zip. It tells a blob that was damaged or cut off; it is no security.
const CHECK: Crc<u32, NoTable> = Crc::<u32, NoTable>::new(&CRC_32_ISO_HDLC);

/// What a node is told before its first start.
#[derive(Debug)]
pub struct Blob {
    /// The network it belongs to.
    pub network: u32,
    /// Its address in there.
    pub node: NodeId,
    /// Its secret.
    pub key: NodeKey,
    /// The key epoch it begins in, which nobody has used before with this key.
    pub epoch: Epoch,
    /// The first number its Flash alerts may have: above every one that an earlier life of this node may have used.
    pub flash_seq: u32,
    /// The same for all its other alerts.
    pub other_seq: u32,
}

/// A blob's bytes. They hold a key: they are wiped when dropped, and never printed.
pub struct BlobBytes([u8; BLOB_LEN]);

impl BlobBytes {
    /// The bytes, to be written where the blob belongs and nowhere else.
    #[must_use]
    pub const fn expose(&self) -> &[u8; BLOB_LEN] {
        &self.0
    }
}

impl Drop for BlobBytes {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl fmt::Debug for BlobBytes {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BlobBytes(secret)")
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for BlobBytes {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "BlobBytes(secret)");
    }
}

impl Blob {
    /// The bytes to flash.
    ///
    /// # Errors
    /// [`BlobError::OutOfRange`], so that no blob is written that a node would refuse.
    pub fn encode(&self) -> Result<BlobBytes, BlobError> {
        self.check()?;
        let mut bytes = BlobBytes([0; BLOB_LEN]);
        let mut rest = bytes.0.as_mut_slice();
        let mut put = |field: &[u8]| {
            if let Some((room, behind)) = core::mem::take(&mut rest).split_at_mut_checked(field.len()) {
                room.copy_from_slice(field);
                rest = behind;
            }
        };
        put(&MAGIC);
        put(&[VERSION, 0]);
        put(&self.node.0.to_be_bytes());
        for number in [self.network, self.epoch.0, self.flash_seq, self.other_seq] {
            put(&number.to_be_bytes());
        }
        put(self.key.expose());
        if let Some((fields, check)) = bytes.0.split_last_chunk_mut::<CHECKSUM_LEN>() {
            *check = CHECK.checksum(fields).to_be_bytes();
        }
        Ok(bytes)
    }

    /// Reads the first [`BLOB_LEN`] bytes of the blob's page.
    ///
    /// # Errors
    /// Nothing of a blob that is refused is used; each error says what to do.
    pub fn decode(bytes: &[u8]) -> Result<Self, BlobError> {
        let Ok(blob) = <&[u8; BLOB_LEN]>::try_from(bytes) else {
            return Err(BlobError::WrongLength { expected: BLOB_LEN, got: bytes.len() });
        };
        let mut reader = Reader(blob);
        let magic = reader.take();
        if magic == [ERASED; 4] {
            return Err(BlobError::Erased);
        }
        if magic != MAGIC {
            return Err(BlobError::BadMagic { expected: MAGIC, got: magic });
        }
        let [version, reserved] = reader.take();
        if version != VERSION {
            return Err(BlobError::UnsupportedVersion { expected: VERSION, got: version });
        }
        let (fields, check) = blob.split_last_chunk::<CHECKSUM_LEN>().unwrap_or((&[], &[0; CHECKSUM_LEN]));
        let (expected, got) = (CHECK.checksum(fields), u32::from_be_bytes(*check));
        if expected != got {
            return Err(BlobError::BadChecksum { expected, got });
        }
        let read = Self {
            node: NodeId(u16::from_be_bytes(reader.take())),
            network: reader.number(),
            epoch: Epoch(reader.number()),
            flash_seq: reader.number(),
            other_seq: reader.number(),
            key: NodeKey::from_bytes(reader.take()),
        };
        if reserved != 0 || reader.take() != [0; RESERVED_LEN] {
            return Err(BlobError::ReservedSet);
        }
        read.check()?;
        Ok(read)
    }

    /// That it is for `network`: whoever holds nodes of several networks flashes the wrong one some day.
    ///
    /// # Errors
    /// [`BlobError::OtherNetwork`].
    pub const fn expect_network(&self, network: u32) -> Result<(), BlobError> {
        if self.network == network {
            Ok(())
        } else {
            Err(BlobError::OtherNetwork { expected: network, got: self.network })
        }
    }

    fn check(&self) -> Result<(), BlobError> {
        let out_of_range = |field, got| BlobError::OutOfRange { field, got };
        // The last number is never used: what reserves it would have to reserve its successor.
        let seqs = 1..SEQ_MAX;
        if self.node.0 == 0 {
            Err(out_of_range(BlobField::Node, 0))
        } else if self.epoch.0 == 0 {
            Err(out_of_range(BlobField::Epoch, 0))
        } else if !seqs.contains(&self.flash_seq) {
            Err(out_of_range(BlobField::FlashSeq, self.flash_seq))
        } else if !seqs.contains(&self.other_seq) {
            Err(out_of_range(BlobField::OtherSeq, self.other_seq))
        } else {
            Ok(())
        }
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Blob {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(
            f,
            "blob of node {=u16}, network {=u32}, epoch {=u32}",
            self.node.0,
            self.network,
            self.epoch.0
        );
    }
}

/// A field of a blob that not every number may stand in.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum BlobField {
    /// The node's address.
    Node,
    /// The key epoch.
    Epoch,
    /// The first Flash number.
    FlashSeq,
    /// The first other number.
    OtherSeq,
}

impl BlobField {
    /// Its name, and the largest number that may stand in it; the least is 1.
    const fn range(self) -> (&'static str, u32) {
        match self {
            Self::Node => ("node", 65_535),
            Self::Epoch => ("epoch", u32::MAX),
            Self::FlashSeq => ("first Flash number", SEQ_MAX.saturating_sub(1)),
            Self::OtherSeq => ("first other number", SEQ_MAX.saturating_sub(1)),
        }
    }
}

/// Why bytes are no blob for this node. None of them tells anything of a key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BlobError {
    /// Too few bytes, or too many.
    WrongLength {
        /// Bytes of a blob.
        expected: usize,
        /// Bytes there are.
        got: usize,
    },
    /// Nothing was flashed here.
    Erased,
    /// Something else than a blob.
    BadMagic {
        /// How a blob begins.
        expected: [u8; 4],
        /// How this begins.
        got: [u8; 4],
    },
    /// A blob in a format that is not known here.
    UnsupportedVersion {
        /// The version that is known.
        expected: u8,
        /// The version of the blob.
        got: u8,
    },
    /// Damaged, or written by half.
    BadChecksum {
        /// The check of these bytes.
        expected: u32,
        /// The check that they carry.
        got: u32,
    },
    /// A reserved byte is not zero: something is in there that is not understood here.
    ReservedSet,
    /// A number that its field must not have.
    OutOfRange {
        /// Which field.
        field: BlobField,
        /// What stands in it.
        got: u32,
    },
    /// A sound blob for somebody else.
    OtherNetwork {
        /// This network.
        expected: u32,
        /// The network of the blob.
        got: u32,
    },
}

impl fmt::Display for BlobError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            Self::WrongLength { expected, got } => {
                write!(f, "a blob has {expected} bytes and this has {got}: make a new one")
            }
            Self::Erased => f.write_str("the page is erased: flash the node's blob into it"),
            Self::BadMagic { expected, got } => {
                let [expected, got] = [expected, got].map(u32::from_be_bytes);
                write!(
                    f,
                    "begins with {got:08x} and a blob with {expected:08x}: this is another file, or another page"
                )
            }
            Self::UnsupportedVersion { expected, got } => write!(
                f,
                "format version {got}, and only {expected} is known: make the blob with the tools of this version"
            ),
            Self::BadChecksum { expected, got } => write!(
                f,
                "its checksum is {got:08x} and should be {expected:08x}: the blob is damaged, make a new one"
            ),
            Self::ReservedSet => {
                f.write_str("a reserved byte is not 0: make the blob with the tools of this version")
            }
            Self::OutOfRange { field, got } => {
                let (name, last) = field.range();
                write!(f, "{name} is {got}; allowed: 1 to {last}")
            }
            Self::OtherNetwork { expected, got } => write!(
                f,
                "for network {got}, this is network {expected}: take the blob that was made for this network"
            ),
        }
    }
}

impl core::error::Error for BlobError {}

/// Fields one after the other; the constant assertion above holds that they fit.
struct Reader<'b>(&'b [u8]);

impl Reader<'_> {
    fn take<const N: usize>(&mut self) -> [u8; N] {
        let Some((field, rest)) = self.0.split_first_chunk() else { return [0; N] };
        self.0 = rest;
        *field
    }

    fn number(&mut self) -> u32 {
        u32::from_be_bytes(self.take())
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::wire::keys::MasterKey;
    use std::format;
    use std::string::ToString;
    use std::vec::Vec;

    /// The master key, network and node of the packet that `WIRE.md` works through.
    fn worked() -> Blob {
        let master = MasterKey::from_bytes(core::array::from_fn(|at| 0xa0 + at as u8));
        let (network, node) = (7, NodeId(12));
        let key = master.node_key(network, node);
        Blob { network, node, key, epoch: Epoch(5), flash_seq: 0x0100_0001, other_seq: 0x0200_0001 }
    }

    /// Frozen: a change here makes every blob that was ever flashed unreadable.
    const WORKED: &str = "41425056 01 00 000c 00000007 00000005 01000001 02000001 \
                          022b2efe3e6fa83e1d13a265ff08b9a0 0000000000000000000000000000000000000000 ";

    fn hex(text: &str) -> Vec<u8> {
        let digits: Vec<u8> =
            text.chars().filter_map(|digit| digit.to_digit(16)).map(|digit| digit as u8).collect();
        digits.chunks(2).map(|pair| pair[0] << 4 | pair[1]).collect()
    }

    /// The check bit by bit, as RFC 1952 has it, without the crate that the code uses.
    fn crc32(bytes: &[u8]) -> u32 {
        !bytes.iter().fold(!0, |crc, &byte| {
            (0..8).fold(crc ^ u32::from(byte), |crc, _| (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg()))
        })
    }

    /// With the check that fits whatever stands before it.
    fn checked(mut bytes: [u8; BLOB_LEN]) -> [u8; BLOB_LEN] {
        let check = crc32(&bytes[..60]);
        bytes[60..].copy_from_slice(&check.to_be_bytes());
        bytes
    }

    fn error(bytes: &[u8]) -> BlobError {
        Blob::decode(bytes).map(|_| "a blob").unwrap_err()
    }

    #[test]
    fn the_worked_blob_is_written_and_read_byte_by_byte() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
        let bytes = worked().encode().unwrap();
        assert_eq!(bytes.expose()[..60], hex(WORKED));
        assert_eq!(bytes.expose(), &checked(*bytes.expose()));
        let read = Blob::decode(bytes.expose()).unwrap();
        assert_eq!((read.network, read.node, read.epoch), (7, NodeId(12), Epoch(5)));
        assert_eq!((read.flash_seq, read.other_seq), (0x0100_0001, 0x0200_0001));
        assert_eq!(read.key.expose(), worked().key.expose());
        assert_eq!(read.encode().unwrap().expose(), bytes.expose());
    }

    #[test]
    fn no_changed_bit_passes() {
        let good = *worked().encode().unwrap().expose();
        for at in 0..BLOB_LEN {
            for bit in 0..8 {
                let mut changed = good;
                changed[at] ^= 1 << bit;
                let error = error(&changed);
                match at {
                    0..4 => assert!(matches!(error, BlobError::BadMagic { .. }), "{at}: {error}"),
                    4 => assert!(matches!(error, BlobError::UnsupportedVersion { .. }), "{error}"),
                    _ => assert!(matches!(error, BlobError::BadChecksum { .. }), "{at}: {error}"),
                }
            }
        }
    }

    #[test]
    fn no_other_length_passes() {
        let mut long = worked().encode().unwrap().expose().to_vec();
        long.extend([0xff; 4]);
        for len in (0..long.len()).filter(|len| *len != BLOB_LEN) {
            assert_eq!(error(&long[..len]), BlobError::WrongLength { expected: BLOB_LEN, got: len });
        }
    }

    #[test]
    fn what_is_reserved_stays_zero() {
        for at in core::iter::once(5).chain(40..60) {
            let mut changed = *worked().encode().unwrap().expose();
            changed[at] = 1;
            assert_eq!(error(&checked(changed)), BlobError::ReservedSet, "byte {at}");
        }
    }

    #[test]
    fn a_number_out_of_its_range_is_neither_written_nor_read() {
        for (field, at, got) in [
            (BlobField::Node, 4, 0),
            (BlobField::Epoch, 12, 0),
            (BlobField::FlashSeq, 16, 0),
            (BlobField::FlashSeq, 16, SEQ_MAX),
            (BlobField::OtherSeq, 20, 0),
            (BlobField::OtherSeq, 20, u32::MAX),
        ] {
            let refused = BlobError::OutOfRange { field, got };
            let mut blob = worked();
            match field {
                BlobField::Node => blob.node = NodeId(0),
                BlobField::Epoch => blob.epoch = Epoch(0),
                BlobField::FlashSeq => blob.flash_seq = got,
                BlobField::OtherSeq => blob.other_seq = got,
            }
            assert_eq!(blob.encode().map(|_| "bytes").unwrap_err(), refused);

            let mut bytes = *worked().encode().unwrap().expose();
            // A node has two bytes only, behind version and reserved byte.
            let skip = if field == BlobField::Node { 2 } else { 0 };
            bytes[at + skip..at + 4].copy_from_slice(&got.to_be_bytes()[skip..]);
            assert_eq!(error(&checked(bytes)), refused);
        }
        let last = Blob {
            node: NodeId(u16::MAX),
            epoch: Epoch(u32::MAX),
            flash_seq: SEQ_MAX - 1,
            other_seq: SEQ_MAX - 1,
            ..worked()
        };
        assert!(Blob::decode(last.encode().unwrap().expose()).is_ok());
    }

    #[test]
    fn every_error_says_what_to_do() {
        let mut bytes = *worked().encode().unwrap().expose();
        assert_eq!(error(&[0xff; BLOB_LEN]), BlobError::Erased);
        bytes[4] = 2;
        for (error, words) in [
            (error(&bytes[..9]), "a blob has 64 bytes and this has 9: make a new one"),
            (error(&[0xff; BLOB_LEN]), "flash the node's blob"),
            (error(&[0x11; BLOB_LEN]), "begins with 11111111 and a blob with 41425056: this is another file"),
            (error(&bytes), "format version 2, and only 1 is known: make the blob"),
            (
                BlobError::BadChecksum { expected: 1, got: 2 },
                "is 00000002 and should be 00000001: the blob is",
            ),
            (BlobError::ReservedSet, "make the blob with the tools of this version"),
            (BlobError::OutOfRange { field: BlobField::Node, got: 0 }, "node is 0; allowed: 1 to 65535"),
            (worked().expect_network(9).unwrap_err(), "for network 7, this is network 9: take the blob that"),
        ] {
            assert!(error.to_string().contains(words), "{words} in {error}");
        }
        assert_eq!(worked().expect_network(7), Ok(()));
    }

    #[test]
    fn a_blob_never_prints_its_key() {
        let blob = worked();
        let printed = format!("{blob:?} {:?}", blob.encode().unwrap());
        assert!(printed.contains("NodeKey(secret)") && printed.contains("BlobBytes(secret)"), "{printed}");
        // The key's first byte, in either notation of a byte that Debug knows.
        assert!(!printed.contains("[2, 43") && !printed.contains("022b"), "{printed}");
    }
}
