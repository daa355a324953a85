//! What a gateway orders a siren or a node to do, and what comes back of it.

use core::fmt;

use heapless::Vec;

use crate::limits::{ACTED_LEN, BODY_LEN_MAX, CLEAR_IDS_MAX};
use crate::message::bits::{BitReader, BitWriter};
use crate::message::words::words;
use crate::message::{Epoch, Undecodable, take};
use crate::place::SiteId;
use crate::time::{ClockQuality, EventTime};

/// Names a command for ever, within one network and one node: the low byte of the key epoch and the down counter of
/// its first sending. Every retry has a counter of its own and the same id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct CommandId {
    /// The low byte of the epoch.
    pub epoch_low: u8,
    /// The down counter, the gateway's number in its top byte.
    pub counter: u32,
}

impl CommandId {
    const LEN: usize = 5;

    fn bytes(self) -> [u8; Self::LEN] {
        let [a, b, c, d] = self.counter.to_be_bytes();
        [self.epoch_low, a, b, c, d]
    }

    const fn from_bytes([epoch_low, a, b, c, d]: [u8; Self::LEN]) -> Self {
        Self { epoch_low, counter: u32::from_be_bytes([a, b, c, d]) }
    }
}

impl fmt::Display for CommandId {
    /// `epoch/gateway/number`, the epoch's low byte in front: `3/0/17`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let [gateway, high, middle, low] = self.counter.to_be_bytes();
        write!(f, "{}/{gateway}/{}", self.epoch_low, u32::from_be_bytes([0, high, middle, low]))
    }
}

/// What to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Order {
    /// Warn those who hear this siren.
    Warn {
        /// The zone warned.
        zone: SiteId,
        /// Number of the alert kind, which chooses the sound.
        kind: u8,
        /// How long to sound, in seconds.
        duration_s: u16,
    },
    /// All clear: ends these warnings and no others, and refuses them from now on.
    Clear(Vec<CommandId, CLEAR_IDS_MAX>),
    /// Play the test pattern.
    Test {
        /// How long, in seconds.
        duration_s: u8,
    },
    /// Set the calendar.
    Time(EventTime),
    /// Move on to this key epoch, the current one and one.
    NextEpoch(Epoch),
    /// Show yourself to the technician on the spot: a light, not the siren.
    Locate {
        /// How long, in seconds.
        duration_s: u8,
    },
    /// Of a kind that this build does not know; it is answered as unsupported.
    Unknown {
        /// Its number.
        code: u8,
    },
}

impl Order {
    const WARN: u8 = 1;
    const CLEAR: u8 = 2;
    const TEST: u8 = 3;
    const TIME: u8 = 4;
    const NEXT_EPOCH: u8 = 5;
    const LOCATE: u8 = 6;

    /// Its number on the wire.
    #[must_use]
    pub const fn code(&self) -> u8 {
        match self {
            Self::Warn { .. } => Self::WARN,
            Self::Clear(_) => Self::CLEAR,
            Self::Test { .. } => Self::TEST,
            Self::Time(_) => Self::TIME,
            Self::NextEpoch(_) => Self::NEXT_EPOCH,
            Self::Locate { .. } => Self::LOCATE,
            Self::Unknown { code } => *code,
        }
    }

    fn fields(&self, out: &mut Vec<u8, BODY_LEN_MAX>) -> Result<(), ()> {
        let mut put = |bytes: &[u8]| out.extend_from_slice(bytes).map_err(|_| ());
        match self {
            Self::Warn { zone, kind, duration_s } => {
                put(&zone.0.to_be_bytes())?;
                put(&[*kind])?;
                put(&duration_s.to_be_bytes())
            }
            Self::Clear(ids) => ids.iter().try_for_each(|id| put(&id.bytes())),
            Self::Test { duration_s } | Self::Locate { duration_s } => put(&[*duration_s]),
            Self::Time(time) => {
                let when: [u8; TIME_LEN] = BitWriter::new()
                    .put(time.quality().bits(), 3)
                    .put(0_u8, 3)
                    .put(time.millis(), EventTime::BITS)
                    .bytes();
                put(&when)
            }
            Self::NextEpoch(epoch) => put(&epoch.0.to_be_bytes()),
            Self::Unknown { .. } => Ok(()),
        }
    }

    fn read(code: u8, rest: &mut &[u8]) -> Result<Self, Undecodable> {
        Ok(match code {
            Self::WARN => Self::Warn {
                zone: SiteId(u16::from_be_bytes(take(rest)?)),
                kind: u8::from_be_bytes(take(rest)?),
                duration_s: u16::from_be_bytes(take(rest)?),
            },
            Self::CLEAR => {
                let mut ids = Vec::new();
                while !rest.is_empty() && !ids.is_full() {
                    let id = CommandId::from_bytes(take(rest)?);
                    let kept = ids.push(id);
                    debug_assert!(kept.is_ok(), "there is room for one");
                }
                Self::Clear(ids)
            }
            Self::TEST => Self::Test { duration_s: u8::from_be_bytes(take(rest)?) },
            Self::TIME => {
                let bytes: [u8; TIME_LEN] = take(rest)?;
                let mut when = BitReader::new(&bytes);
                let quality = ClockQuality::from_bits(when.take_u8(3));
                when.take(3);
                Self::Time(EventTime::new(when.take(EventTime::BITS), quality))
            }
            Self::NEXT_EPOCH => Self::NextEpoch(Epoch(u32::from_be_bytes(take(rest)?))),
            Self::LOCATE => Self::Locate { duration_s: u8::from_be_bytes(take(rest)?) },
            code => {
                // Its fields mean nothing here; the sender is told so by its id.
                *rest = &[];
                Self::Unknown { code }
            }
        })
    }
}

const TIME_LEN: usize = 6;

// heapless' vectors have no format of their own here, and an order's number says which it is.
#[cfg(feature = "defmt")]
impl defmt::Format for Order {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "order {=u8}", self.code());
    }
}

/// An order and its name.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Command {
    /// The highest up counter opened from this node: it dates the command, and an old one is refused.
    pub echo: u32,
    /// Its name.
    pub id: CommandId,
    /// What to do.
    pub order: Order,
}

impl Command {
    /// Writes the body to the front of `out`; its length is returned.
    #[must_use]
    pub fn encode(&self, out: &mut [u8; BODY_LEN_MAX]) -> usize {
        let mut body = Vec::<u8, BODY_LEN_MAX>::new();
        let written = body
            .extend_from_slice(&self.echo.to_be_bytes())
            .and_then(|()| body.extend_from_slice(&self.id.bytes()))
            .and_then(|()| body.extend_from_slice(&[self.order.code()]));
        let written = written.is_ok() && self.order.fields(&mut body).is_ok();
        debug_assert!(written, "limits proves that the longest command fits");
        if let Some(room) = out.get_mut(..body.len()) {
            room.copy_from_slice(&body);
        }
        body.len()
    }

    /// Reads what [`Command::encode`] wrote. An order of an unknown kind is read as such.
    ///
    /// # Errors
    /// The bytes end too early, or some are left over.
    pub fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let mut rest = body;
        let echo = u32::from_be_bytes(take(&mut rest)?);
        let id = CommandId::from_bytes(take(&mut rest)?);
        let [code] = take(&mut rest)?;
        let order = Order::read(code, &mut rest)?;
        match rest.len() {
            0 => Ok(Self { echo, id, order }),
            extra => Err(Undecodable::TrailingBytes { extra }),
        }
    }
}

words! {
    /// What became of a command.
    CommandResult: 8 bits {
        /// It was obeyed, now or before.
        Done = 0 "done",
        /// It was refused: cleared before, or out of turn.
        Refused = 1 "refused",
        /// This build does not know it, or has nothing that could obey it.
        Unsupported = 2 "unsupported",
        /// What should have obeyed it has failed.
        Failed = 3 "failed",
        /// Not known.
        Unknown = 255 "unknown",
    } else Unknown
}

/// The report that answers a command, [`ACTED_LEN`] bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Acted {
    /// Which command.
    pub id: CommandId,
    /// What became of it.
    pub result: CommandResult,
}

impl Acted {
    /// Number of this report kind on the wire.
    pub const KIND: u8 = 2;

    /// Writes the body.
    #[must_use]
    pub fn encode(&self) -> [u8; ACTED_LEN] {
        let [a, b, c, d, e] = self.id.bytes();
        [Self::KIND, a, b, c, d, e, self.result.bits()]
    }

    /// Reads what [`Acted::encode`] wrote.
    ///
    /// # Errors
    /// Another report kind, or not exactly [`ACTED_LEN`] bytes.
    pub fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let mut rest = body;
        let [kind] = take(&mut rest)?;
        if kind != Self::KIND {
            return Err(Undecodable::UnknownReport { got: kind });
        }
        let id = CommandId::from_bytes(take(&mut rest)?);
        let [result] = take(&mut rest)?;
        match rest.len() {
            0 => Ok(Self { id, result: CommandResult::from_bits(result) }),
            extra => Err(Undecodable::TrailingBytes { extra }),
        }
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::limits::COMMAND_LEN_MAX;
    use std::vec;

    fn id(counter: u32) -> CommandId {
        CommandId { epoch_low: 3, counter }
    }

    fn orders() -> [Order; 7] {
        let ids = [id(1), id(0x0400_0002), id(u32::MAX)].into_iter().collect();
        [
            Order::Warn { zone: SiteId(7), kind: 1, duration_s: 90 },
            Order::Clear(ids),
            Order::Test { duration_s: 5 },
            Order::Time(EventTime::new(1_578_445_200_123, ClockQuality::Second)),
            Order::NextEpoch(Epoch(0x0102_0304)),
            Order::Locate { duration_s: 30 },
            Order::Unknown { code: 99 },
        ]
    }

    #[test]
    fn what_is_written_is_read() {
        for order in orders() {
            let command = Command { echo: 0x0102_0304, id: id(0x0400_0001), order };
            let mut out = [0; BODY_LEN_MAX];
            let len = command.encode(&mut out);
            assert_eq!(out[..10], [1, 2, 3, 4, 3, 4, 0, 0, 1, command.order.code()]);
            assert_eq!(Command::decode(&out[..len]), Ok(command));
        }
    }

    /// The bound is the true one: an all-clear of three warnings reaches it, and nothing else comes near.
    #[test]
    fn the_longest_command_is_a_full_all_clear() {
        let len = |order| Command { echo: 1, id: id(1), order }.encode(&mut [0; BODY_LEN_MAX]);
        for order in orders() {
            let full = matches!(&order, Order::Clear(ids) if ids.is_full());
            assert_eq!(len(order.clone()) == COMMAND_LEN_MAX, full, "{order:?}");
            assert!(len(order) <= COMMAND_LEN_MAX);
        }
        for count in 0..=CLEAR_IDS_MAX {
            let ids = core::iter::repeat_n(id(u32::MAX), count).collect();
            assert_eq!(COMMAND_LEN_MAX - len(Order::Clear(ids)), 5 * (CLEAR_IDS_MAX - count));
        }
    }

    #[test]
    fn other_lengths_are_refused() {
        for order in orders() {
            let unknown = matches!(order, Order::Unknown { .. });
            let whole_ids = matches!(order, Order::Clear(_));
            let command = Command { echo: 1, id: id(1), order };
            let mut out = [0; BODY_LEN_MAX];
            let len = command.encode(&mut out);
            for short in 0..len {
                let refused = Command::decode(&out[..short]) == Err(Undecodable::Truncated);
                assert_eq!(refused, short < 10 || !whole_ids || (short - 10) % 5 != 0, "{command:?} {short}");
            }
            let mut long = vec![0; len + 1];
            long[..len].copy_from_slice(&out[..len]);
            let read = Command::decode(&long);
            assert_eq!(read.is_ok(), unknown, "{read:?}");
        }
    }

    #[test]
    fn results_travel_under_the_commands_name() {
        for &result in CommandResult::ALL {
            let acted = Acted { id: id(0x0400_0001), result };
            assert_eq!(acted.encode(), [2, 3, 4, 0, 0, 1, result.bits()]);
            assert_eq!(Acted::decode(&acted.encode()), Ok(acted));
        }
        assert_eq!(Acted::decode(&[2, 0, 0, 0, 0, 0]), Err(Undecodable::Truncated));
        assert_eq!(Acted::decode(&[2; 8]), Err(Undecodable::TrailingBytes { extra: 1 }));
        assert_eq!(Acted::decode(&[1; 7]), Err(Undecodable::UnknownReport { got: 1 }));
    }
}
