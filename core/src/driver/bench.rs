//! What a test rig tells a node that has no sensors: what it sees, which level its pins have, when its power fails.
//!
//! The bytes travel in frames of [`wire::frame`](crate::wire::frame), without seal or number: a rig stands on the
//! node's own table. Never build a node for the field that listens to this.
//!
//! All numbers are big-endian. The first byte says which sort it is.
//!
//! | sort | offset | length | field |
//! | --- | --- | --- | --- |
//! | 1 sighting | 1 | 1 | phase: 0 onset, 1 update, 2 cancel, 3 clear |
//! | | 2 | 1 | 1 where the event has a key, else 0 |
//! | | 3 | 2 | the key, else 0 |
//! | | 5 | 1 | 4 in exercise, plus the least precedence, 0 Routine … 3 Flash |
//! | | 6 | 15 … 23 | content of an onset, as in a packet but without its number |
//! | 2 pin | 1 | 1 | number of the pin |
//! | | 2 | 1 | 1 high, 0 low |
//! | 3 power cut | 1 | 2 | operations on the store that still succeed |

use core::fmt;

use crate::limits::STIMULUS_LEN_MAX;
use crate::message::{Alert, AlertDraft, EventKey, Phase, Undecodable};
use crate::precedence::Precedence;
use crate::role::node::{Node, Submission};
use crate::store::Store;
use crate::time::Instant;

const SIGHTING: u8 = 1;
const PIN: u8 = 2;
const POWER_CUT: u8 = 3;
const EXERCISE: u8 = 0b100;

/// Room for any stimulus.
pub type StimulusBuffer = [u8; STIMULUS_LEN_MAX];

/// One thing that a rig tells a node.
///
/// ```
/// use alertbus::AlertDraft;
/// use alertbus::driver::bench::Stimulus;
/// use alertbus::limits::{FRAME_LEN_MAX, STIMULUS_LEN_MAX};
/// use alertbus::message::Phase;
/// use alertbus::message::kind::RocketLaunch;
/// use alertbus::wire::frame::{self, Fed, StreamDeframer};
///
/// // The rig:
/// let seen = Stimulus::Sighting { phase: Phase::Onset, draft: AlertDraft::new(RocketLaunch::default()) };
/// let mut line = [0; FRAME_LEN_MAX];
/// let frame = frame::encode(seen.encode(&mut [0; STIMULUS_LEN_MAX]), &mut line).unwrap();
///
/// // The node:
/// let mut deframer = StreamDeframer::new();
/// for &byte in frame {
///     if let Some(Fed::Packet(bytes)) = deframer.feed(byte) {
///         assert_eq!(Stimulus::decode(bytes), Ok(seen));
///     }
/// }
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Stimulus {
    /// A sensor sees something. Values too large for their field arrive as its largest, as in a packet.
    Sighting {
        /// Which turn of the event.
        phase: Phase,
        /// What it sees.
        draft: AlertDraft,
    },
    /// A pin takes a level.
    Pin {
        /// Its number on the simulated board.
        pin: u8,
        /// Whether the level is high.
        high: bool,
    },
    /// The power fails in the middle of an operation on the store.
    PowerCut {
        /// Operations on the store that still succeed; the next one is torn.
        after_operations: u16,
    },
}

/// Why bytes are no stimulus.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum BadStimulus {
    /// A sort that this build does not know.
    UnknownSort {
        /// The first byte.
        got: u8,
    },
    /// Too few or too many bytes for its sort.
    Length {
        /// How many it takes; the least, where its length varies.
        expected: usize,
        /// How many there are.
        got: usize,
    },
    /// A byte with a value that means nothing there.
    Value {
        /// Its offset.
        at: usize,
        /// Its value.
        got: u8,
    },
    /// The content of a sighting is that of another phase than an onset.
    Phase {
        /// That phase.
        got: Phase,
    },
    /// The content of a sighting cannot be read.
    Content(Undecodable),
}

impl Stimulus {
    /// Writes it to the front of `out`. Cannot fail: `limits` proves that the largest fits.
    #[must_use]
    pub fn encode<'o>(&self, out: &'o mut StimulusBuffer) -> &'o [u8] {
        let content;
        let (head, rest): (&[u8], &[u8]) = match self {
            Self::Sighting { phase, draft } => {
                let [high, low] = draft.key.map_or(0, |key| key.0).to_be_bytes();
                let exercise = if draft.exercise { EXERCISE } else { 0 };
                let marks = draft.precedence_min.bits() | exercise;
                content = draft.onset(0).content();
                (
                    &[SIGHTING, phase.bits(), u8::from(draft.key.is_some()), high, low, marks],
                    content.as_slice(),
                )
            }
            Self::Pin { pin, high } => (&[PIN, *pin, u8::from(*high)], &[]),
            Self::PowerCut { after_operations } => {
                let [high, low] = after_operations.to_be_bytes();
                (&[POWER_CUT, high, low], &[])
            }
        };
        let mut len: usize = 0;
        for (place, byte) in out.iter_mut().zip(head.iter().chain(rest)) {
            *place = *byte;
            len = len.saturating_add(1);
        }
        out.get(..len).unwrap_or(&[])
    }

    /// Reads what [`Stimulus::encode`] wrote, and nothing else: whoever sends anything more means something that this
    /// node would not do.
    ///
    /// # Errors
    /// The bytes are no stimulus; it says which byte is wrong and what it is.
    pub fn decode(bytes: &[u8]) -> Result<Self, BadStimulus> {
        match bytes {
            [SIGHTING, phase, keyed, high, low, marks, content @ ..] => {
                let phase = Phase::ALL.iter().copied().find(|known| known.bits() == *phase);
                let phase = phase.ok_or_else(|| bad(bytes, 1))?;
                let key = key(bytes, *keyed, [*high, *low])?;
                draft(bytes, *marks, key, content).map(|draft| Self::Sighting { phase, draft })
            }
            [PIN, pin, high] => Ok(Self::Pin { pin: *pin, high: flag(bytes, 2, *high)? }),
            [POWER_CUT, high, low] => {
                Ok(Self::PowerCut { after_operations: u16::from_be_bytes([*high, *low]) })
            }
            [] => Err(BadStimulus::Length { expected: 1, got: 0 }),
            [SIGHTING, ..] => Err(BadStimulus::Length { expected: 6, got: bytes.len() }),
            [PIN | POWER_CUT, ..] => Err(BadStimulus::Length { expected: 3, got: bytes.len() }),
            [got, ..] => Err(BadStimulus::UnknownSort { got: *got }),
        }
    }
}

/// Hands a sighting to the node, as its phase says.
///
/// ```
/// use alertbus::AlertDraft;
/// use alertbus::driver::bench;
/// use alertbus::message::kind::DroneSighting;
/// use alertbus::message::{Epoch, NodeId, Phase, ResetCause};
/// use alertbus::role::node::{Node, NodeConfig, Submission};
/// use alertbus::store::Volatile;
/// use alertbus::time::Instant;
/// use alertbus::wire::keys::MasterKey;
///
/// let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12));
/// let config = NodeConfig { node: NodeId(12), key, reset_cause: ResetCause::PowerOn, seed: 1 };
/// let mut node = Node::<_, 8>::start(config, Volatile::new(Epoch(1), 1), Instant::START);
/// let draft = AlertDraft::new(DroneSighting::default());
/// let submission = bench::submit(Instant::START, Phase::Onset, draft, &mut node);
/// assert!(matches!(submission, Submission::Queued { .. }));
/// ```
pub fn submit<S: Store, const N: usize>(
    now: Instant,
    phase: Phase,
    draft: AlertDraft,
    node: &mut Node<S, N>,
) -> Submission {
    match phase {
        Phase::Onset => node.raise(now, draft),
        Phase::Update => node.update(now, draft),
        Phase::Cancel => node.cancel(now, draft),
        Phase::Clear => node.clear(now, draft),
    }
}

fn key(bytes: &[u8], keyed: u8, number: [u8; 2]) -> Result<Option<EventKey>, BadStimulus> {
    match (flag(bytes, 2, keyed)?, number) {
        (true, number) => Ok(Some(EventKey(u16::from_be_bytes(number)))),
        (false, [0, 0]) => Ok(None),
        (false, [0, _]) => Err(bad(bytes, 4)),
        (false, _) => Err(bad(bytes, 3)),
    }
}

fn draft(bytes: &[u8], marks: u8, key: Option<EventKey>, content: &[u8]) -> Result<AlertDraft, BadStimulus> {
    let precedence_min = Precedence::from_bits(marks);
    let exercise = marks & EXERCISE != 0;
    if marks & !EXERCISE != precedence_min.bits() {
        return Err(bad(bytes, 5));
    }
    let Alert { phase, reference: _, severity, urgency, certainty, place, time, boot: _, body } =
        Alert::decode(content).map_err(BadStimulus::Content)?;
    if phase != Phase::Onset {
        return Err(BadStimulus::Phase { got: phase });
    }
    Ok(AlertDraft { body, severity, urgency, certainty, place, time, key, precedence_min, exercise })
}

fn flag(bytes: &[u8], at: usize, byte: u8) -> Result<bool, BadStimulus> {
    match byte {
        0 => Ok(false),
        1 => Ok(true),
        _ => Err(bad(bytes, at)),
    }
}

fn bad(bytes: &[u8], at: usize) -> BadStimulus {
    BadStimulus::Value { at, got: bytes.get(at).copied().unwrap_or(0) }
}

impl fmt::Display for BadStimulus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::UnknownSort { got } => write!(f, "sort {got}; 1 to 3 are known"),
            Self::Length { expected, got } => write!(f, "{got} bytes; {expected} are expected"),
            Self::Value { at, got } => write!(f, "byte {at} is {got}, which means nothing there"),
            Self::Phase { got } => {
                write!(f, "the content is that of phase {got}; that of an onset is expected")
            }
            Self::Content(why) => write!(f, "the content of the sighting: {why}"),
        }
    }
}

impl core::error::Error for BadStimulus {}
