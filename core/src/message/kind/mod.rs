//! The kinds of alert, one file each, and the one table that numbers them.
//!
//! To add a kind: write its file beside the others, then one line in the table below. Its number is a promise
//! for as long as packets of it may be in the air; numbers are never used twice. The number travels as a plain
//! byte and the payload behind it, so that an older reader keeps identity, precedence, time and place of an
//! alert whose kind it does not know ([`Body::Unknown`]).

mod convoy_ied;
mod cram_engagement;
mod drone_sighting;
mod rocket_launch;
mod summary;
mod tamper;

use crate::limits::KIND_LEN_MAX;
use crate::message::Undecodable;
use crate::message::bits::{BitReader, BitWriter};
use crate::precedence::Precedence;

pub use convoy_ied::{Charge, ConvoyIed, ConvoyIedState, Target, Trigger};
pub use cram_engagement::{CramEngagement, CramEngagementState};
pub use drone_sighting::{Airframe, DroneSighting, DroneSightingState, Payload};
pub use rocket_launch::{RocketLaunch, Weapon};
pub use summary::Summary;
pub use tamper::{Tamper, Tampering};

/// What every kind states about itself.
pub trait Kind: Copy {
    /// Number on the wire, never reused.
    const CODE: u8;
    /// Name in files and on screens, kebab-case.
    const NAME: &'static str;
    /// Packed length in bytes, at most [`KIND_LEN_MAX`].
    const LEN: usize;

    /// The precedence such an alert has unless its source sets a higher one.
    fn precedence(&self) -> Precedence;
}

/// Packing, kept from the public trait: bits are this crate's own affair.
pub(crate) trait Pack: Kind {
    fn pack(&self) -> BitWriter;
    fn unpack(bits: BitReader) -> Self;
}

macro_rules! kinds {
    ($($kind:ident),+ $(,)?) => {
        /// The payload of an alert: one of the known kinds, or the bytes of an unknown one.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Body {
            $(#[doc = concat!("See [`", stringify!($kind), "`].")] $kind($kind),)+
            /// A kind that this build does not know. It is still routed at the precedence it carries.
            Unknown(Opaque),
        }

        impl Body {
            /// Names of all known kinds, in the order of their numbers.
            pub const NAMES: &'static [&'static str] = &[$($kind::NAME),+];

            /// Number on the wire.
            #[must_use]
            pub const fn code(&self) -> u8 {
                match self { $(Self::$kind(_) => $kind::CODE,)+ Self::Unknown(opaque) => opaque.code }
            }

            /// Name in files and on screens; `unknown` for a kind that this build does not know.
            #[must_use]
            pub const fn name(&self) -> &'static str {
                match self { $(Self::$kind(_) => $kind::NAME,)+ Self::Unknown(_) => "unknown" }
            }

            /// The precedence such an alert has unless its source sets a higher one.
            #[must_use]
            pub fn precedence(&self) -> Precedence {
                match self { $(Self::$kind(kind) => kind.precedence(),)+ Self::Unknown(_) => Precedence::Routine }
            }

            /// The packed payload.
            pub(crate) fn pack(&self) -> Packed {
                match self {
                    $(Self::$kind(kind) => {
                        const { assert!($kind::LEN <= KIND_LEN_MAX) };
                        Packed { bytes: kind.pack().bytes(), len: $kind::LEN }
                    })+
                    Self::Unknown(opaque) => opaque.payload,
                }
            }

            /// Reads the payload of kind `code`. An unknown kind is no error; a wrong length of a known one is.
            pub(crate) fn unpack(code: u8, payload: &[u8]) -> Result<Self, Undecodable> {
                $(if code == $kind::CODE {
                    let packed = exact::<{ $kind::LEN }>(payload)?;
                    return Ok(Self::$kind($kind::unpack(BitReader::new(packed))));
                })+
                Ok(Self::Unknown(Opaque { code, payload: Packed::new(payload)? }))
            }
        }

        $(impl From<$kind> for Body {
            fn from(kind: $kind) -> Self { Self::$kind(kind) }
        }

        // Bodies never appear in a log: the name of the kind does.
        #[cfg(feature = "defmt")]
        impl defmt::Format for $kind {
            fn format(&self, f: defmt::Formatter<'_>) { defmt::write!(f, "{=str}", $kind::NAME); }
        })+

        const _: () = assert!(ascending(&[$($kind::CODE),+]), "a kind's number is taken or out of order");
    };
}

// The table. A new kind goes at the end, under the next number.
kinds! { Summary, RocketLaunch, CramEngagement, DroneSighting, ConvoyIed, Tamper }

/// The payload of a kind that this build does not know, as received.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Opaque {
    code: u8,
    payload: Packed,
}

impl Opaque {
    /// The kind's number.
    #[must_use]
    pub const fn code(&self) -> u8 {
        self.code
    }

    /// The payload, at most [`KIND_LEN_MAX`] bytes.
    #[must_use]
    pub fn payload(&self) -> &[u8] {
        self.payload.as_slice()
    }
}

/// Up to [`KIND_LEN_MAX`] packed bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Packed {
    bytes: [u8; KIND_LEN_MAX],
    len: usize,
}

impl Packed {
    fn new(payload: &[u8]) -> Result<Self, Undecodable> {
        let mut bytes = [0; KIND_LEN_MAX];
        let extra = payload.len().saturating_sub(KIND_LEN_MAX);
        bytes.get_mut(..payload.len()).ok_or(Undecodable::TrailingBytes { extra })?.copy_from_slice(payload);
        Ok(Self { bytes, len: payload.len() })
    }

    pub(crate) fn as_slice(&self) -> &[u8] {
        self.bytes.get(..self.len).unwrap_or(&self.bytes)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Body {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=str}", self.name());
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Opaque {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "kind {=u8}", self.code);
    }
}

/// No number twice, and the table in the order of its numbers.
const fn ascending(mut codes: &[u8]) -> bool {
    while let [first, rest @ ..] = codes {
        match rest {
            [second, ..] if *first >= *second => return false,
            _ => codes = rest,
        }
    }
    true
}

fn exact<const LEN: usize>(payload: &[u8]) -> Result<&[u8; LEN], Undecodable> {
    payload.try_into().map_err(|_| match payload.len().checked_sub(LEN) {
        Some(extra) => Undecodable::TrailingBytes { extra },
        None => Undecodable::Truncated,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_unknown_kind_keeps_its_bytes() {
        let body = Body::unpack(200, &[1, 2, 3]).unwrap();
        assert_eq!(body.code(), 200);
        assert_eq!(body.name(), "unknown");
        assert_eq!(body.pack().as_slice(), [1, 2, 3]);
        assert_eq!(Body::unpack(200, &[0; 9]), Err(Undecodable::TrailingBytes { extra: 1 }));
    }

    #[test]
    fn a_known_kind_has_exactly_its_length() {
        assert_eq!(Body::unpack(RocketLaunch::CODE, &[0; 7]), Err(Undecodable::Truncated));
        assert_eq!(Body::unpack(RocketLaunch::CODE, &[0; 9]), Err(Undecodable::TrailingBytes { extra: 1 }));
        for code in 0..5 {
            // Any bytes of the right length are some alert: nothing a peer sends can be refused for its values.
            for byte in 0..=u8::MAX {
                let len = [
                    Summary::LEN,
                    RocketLaunch::LEN,
                    CramEngagement::LEN,
                    DroneSighting::LEN,
                    ConvoyIed::LEN,
                ];
                let body = Body::unpack(code, &[byte; KIND_LEN_MAX][..len[usize::from(code)]]).unwrap();
                assert_eq!(Body::unpack(code, body.pack().as_slice()).unwrap(), body);
            }
        }
    }
}
