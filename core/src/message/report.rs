//! A node's report home: it lives, what it has heard, and where its alerts went.

use crate::limits::{HEARTBEAT_LEN, LEDGER_VALUES_PER_REPORT};
use crate::message::words::words;
use crate::message::{Undecodable, take};

words! {
    /// Why the node started last.
    ResetCause: 8 bits {
        /// Power came on.
        PowerOn = 0 "power-on",
        /// The supply voltage dipped.
        BrownOut = 1 "brown-out",
        /// The reset pin.
        Pin = 2 "pin",
        /// The program asked for it.
        Software = 3 "software",
        /// The watchdog ran out.
        Watchdog = 4 "watchdog",
        /// A panic or a fault.
        Fault = 5 "fault",
        /// Not known.
        Unknown = 255 "unknown",
    } else Unknown
}

/// The regular report, [`HEARTBEAT_LEN`] bytes, in which silence and loss show.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Heartbeat {
    /// Starts of this node, modulo 2^16.
    pub boot: u16,
    /// Why it started last.
    pub reset_cause: ResetCause,
    /// Milliseconds since then, at most 2^48 - 1.
    pub uptime_ms: u64,
    /// The down counter opened last, 0 before any: proof of having heard a gateway.
    pub heard: u32,
    /// Every Flash alert below this number is settled.
    pub flash_floor: u32,
    /// Live Flash alerts handed back to their caller since boot, modulo 2^16.
    pub flash_refused: u16,
    /// Errors of detectors and annunciators since boot, modulo 2^16.
    pub driver_errors: u16,
    /// Number of the first ledger value below, as [`crate::ledger::Ledger::report_values`] counts them.
    pub ledger_index: u8,
    /// Ledger values, modulo 2^16.
    pub ledger: [u16; LEDGER_VALUES_PER_REPORT],
}

impl Heartbeat {
    /// Number of this report kind on the wire.
    pub const KIND: u8 = 1;

    /// Writes the body: fixed fields, big-endian.
    #[must_use]
    pub fn encode(&self) -> [u8; HEARTBEAT_LEN] {
        let [_, _, uptime @ ..] = self.uptime_ms.min(UPTIME_MS_MAX).to_be_bytes();
        let mut body = [0; HEARTBEAT_LEN];
        let mut rest = body.as_mut_slice();
        put(&mut rest, &[Self::KIND]);
        put(&mut rest, &self.boot.to_be_bytes());
        put(&mut rest, &[self.reset_cause.bits()]);
        put(&mut rest, &uptime);
        put(&mut rest, &self.heard.to_be_bytes());
        put(&mut rest, &self.flash_floor.to_be_bytes());
        put(&mut rest, &self.flash_refused.to_be_bytes());
        put(&mut rest, &self.driver_errors.to_be_bytes());
        put(&mut rest, &[self.ledger_index]);
        for value in self.ledger {
            put(&mut rest, &value.to_be_bytes());
        }
        debug_assert!(rest.is_empty(), "HEARTBEAT_LEN is the length of all fields");
        body
    }

    /// Reads what [`Heartbeat::encode`] wrote.
    ///
    /// # Errors
    /// Another report kind, or not exactly [`HEARTBEAT_LEN`] bytes.
    pub fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let (&kind, mut rest) = body.split_first().ok_or(Undecodable::Truncated)?;
        if kind != Self::KIND {
            return Err(Undecodable::UnknownReport { got: kind });
        }
        let heartbeat = Self {
            boot: u16::from_be_bytes(take(&mut rest)?),
            reset_cause: ResetCause::from_bits(u8::from_be_bytes(take(&mut rest)?)),
            uptime_ms: {
                let [a, b, c, d, e, f] = take(&mut rest)?;
                u64::from_be_bytes([0, 0, a, b, c, d, e, f])
            },
            heard: u32::from_be_bytes(take(&mut rest)?),
            flash_floor: u32::from_be_bytes(take(&mut rest)?),
            flash_refused: u16::from_be_bytes(take(&mut rest)?),
            driver_errors: u16::from_be_bytes(take(&mut rest)?),
            ledger_index: u8::from_be_bytes(take(&mut rest)?),
            ledger: {
                let mut ledger = [0; LEDGER_VALUES_PER_REPORT];
                for value in &mut ledger {
                    *value = u16::from_be_bytes(take(&mut rest)?);
                }
                ledger
            },
        };
        match rest.len() {
            0 => Ok(heartbeat),
            extra => Err(Undecodable::TrailingBytes { extra }),
        }
    }
}

/// Writes a field to the front of what is left.
fn put(rest: &mut &mut [u8], field: &[u8]) {
    if let Some((place, behind)) = core::mem::take(rest).split_at_mut_checked(field.len()) {
        place.copy_from_slice(field);
        *rest = behind;
    }
}

const UPTIME_MS_MAX: u64 = (1 << 48) - 1;

#[cfg(test)]
mod tests {
    use super::*;

    const HEARTBEAT: Heartbeat = Heartbeat {
        boot: 0x0102,
        reset_cause: ResetCause::Watchdog,
        uptime_ms: 0x0304_0506_0708,
        heard: 0x090a_0b0c,
        flash_floor: 0x0d0e_0f10,
        flash_refused: 0x1112,
        driver_errors: 0x1314,
        ledger_index: 0x15,
        ledger: [0x1617, 0x1819, 0x1a1b, 0x1c1d, 0x1e1f],
    };

    #[test]
    fn fields_in_their_places() {
        let expected: [u8; HEARTBEAT_LEN] = core::array::from_fn(|k| match k {
            0 => 1,
            1 | 2 => k as u8,
            3 => 4,
            _ => k as u8 - 1,
        });
        assert_eq!(HEARTBEAT.encode(), expected);
        assert_eq!(Heartbeat::decode(&expected), Ok(HEARTBEAT));
    }

    #[test]
    fn other_lengths_and_kinds_are_refused() {
        let body = HEARTBEAT.encode();
        for len in 0..HEARTBEAT_LEN {
            assert_eq!(Heartbeat::decode(&body[..len]), Err(Undecodable::Truncated));
        }
        let mut long = [0; HEARTBEAT_LEN + 1];
        long[..HEARTBEAT_LEN].copy_from_slice(&body);
        assert_eq!(Heartbeat::decode(&long), Err(Undecodable::TrailingBytes { extra: 1 }));
        assert_eq!(Heartbeat::decode(&[2]), Err(Undecodable::UnknownReport { got: 2 }));
    }
}
