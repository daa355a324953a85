//! An alert: what its source drafts, what a receiver reads, and the bytes between.

use core::fmt;

use serde::{Deserialize, Serialize};

use crate::limits::{BODY_LEN_MAX, CONTENT_LEN_MAX, HEAD_LEN, WHEN_LEN, WHERE_LEN};
use crate::message::Undecodable;
use crate::message::bits::{BitReader, BitWriter};
use crate::message::identity::{AlertId, EventKey, Seq};
use crate::message::kind::Body;
use crate::message::words::words;
use crate::place::{Accuracy, Place};
use crate::precedence::Precedence;
use crate::time::{ClockQuality, EventTime};

words! {
    /// How bad it is, in the words of the Common Alerting Protocol 1.2.
    Severity: 3 bits {
        /// Not known.
        Unknown = 0 "unknown",
        /// Minimal threat to life or property.
        Minor = 1 "minor",
        /// Possible threat.
        Moderate = 2 "moderate",
        /// Significant threat.
        Severe = 3 "severe",
        /// Extraordinary threat.
        Extreme = 4 "extreme",
    } else Unknown
}

words! {
    /// How soon to act, in the words of the Common Alerting Protocol 1.2.
    Urgency: 3 bits {
        /// Not known.
        Unknown = 0 "unknown",
        /// No action needed any more.
        Past = 1 "past",
        /// In the near future.
        Future = 2 "future",
        /// Within the next hour.
        Expected = 3 "expected",
        /// At once.
        Immediate = 4 "immediate",
    } else Unknown
}

words! {
    /// How sure it is, in the words of the Common Alerting Protocol 1.2.
    Certainty: 3 bits {
        /// Not known.
        Unknown = 0 "unknown",
        /// Not expected to occur.
        Unlikely = 1 "unlikely",
        /// Possible, at most even odds.
        Possible = 2 "possible",
        /// More likely than not.
        Likely = 3 "likely",
        /// Seen to have occurred or to be going on.
        Observed = 4 "observed",
    } else Unknown
}

words! {
    /// Which turn of an event an alert reports.
    Phase: 2 bits {
        /// It begins.
        Onset = 0 "onset",
        /// More is known.
        Update = 1 "update",
        /// It was raised in error.
        Cancel = 2 "cancel",
        /// It is over.
        Clear = 3 "clear",
    } else Onset
}

/// What an alert refers to when it is not an onset.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Reference {
    /// All that its node has open of this kind.
    AllOfKind,
    /// The alert this many numbers before it in the same sequence, at least 1.
    Back(u32),
    /// That number in the node's other sequence.
    Other(Seq),
}

impl Reference {
    /// The alert that one with the name `id` refers to; none where that is all of a kind, or no number.
    #[must_use]
    pub fn resolve(self, id: AlertId) -> Option<AlertId> {
        match self {
            Self::AllOfKind => None,
            Self::Back(distance) => {
                Some(AlertId { seq: Seq::new(id.seq.number().checked_sub(distance)?)?, ..id })
            }
            Self::Other(seq) => Some(AlertId { flash: !id.flash, seq, ..id }),
        }
    }
}

/// What a source fills in. Identity, phase and order are the node's work.
///
/// ```
/// use alertbus::message::kind::RocketLaunch;
/// use alertbus::message::{AlertDraft, Severity};
/// use alertbus::Precedence;
///
/// let draft = AlertDraft { severity: Severity::Extreme, ..AlertDraft::new(RocketLaunch::default()) };
/// assert_eq!(draft.precedence(), Precedence::Flash);
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct AlertDraft {
    /// What happened.
    pub body: Body,
    /// How bad it is.
    pub severity: Severity,
    /// How soon to act.
    pub urgency: Urgency,
    /// How sure it is.
    pub certainty: Certainty,
    /// Where.
    pub place: Place,
    /// When; the default says that the node dates it as it takes it.
    pub time: EventTime,
    /// What the source calls this event, if it may go on: updates, cancels and clears name it by this.
    pub key: Option<EventKey>,
    /// Raises the precedence above the kind's own; it never lowers it.
    pub precedence_min: Precedence,
    /// Marks this one alert as part of an exercise: other keys, no guarantee, a mark in every output.
    pub exercise: bool,
}

impl AlertDraft {
    /// A live draft of `body` with nothing else known.
    #[must_use]
    pub fn new(body: impl Into<Body>) -> Self {
        Self {
            body: body.into(),
            severity: Severity::Unknown,
            urgency: Urgency::Unknown,
            certainty: Certainty::Unknown,
            place: Place::UNKNOWN,
            time: EventTime::default(),
            key: None,
            precedence_min: Precedence::Routine,
            exercise: false,
        }
    }

    /// The precedence it will travel at: its kind's, or the draft's if that is higher.
    #[must_use]
    pub fn precedence(&self) -> Precedence {
        self.body.precedence().max(self.precedence_min)
    }

    /// The alert that begins this event, in the boot with the count `boot`.
    #[must_use]
    pub fn onset(&self, boot: u16) -> Alert {
        Alert {
            phase: Phase::Onset,
            reference: None,
            severity: self.severity,
            urgency: self.urgency,
            certainty: self.certainty,
            place: self.place,
            time: self.time,
            boot: low_three_bits(boot),
            body: self.body,
        }
    }
}

/// An alert as a receiver reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Alert {
    /// Which turn of the event it reports.
    pub phase: Phase,
    /// What it refers to; none exactly when it is an onset.
    pub reference: Option<Reference>,
    /// How bad it is.
    pub severity: Severity,
    /// How soon to act.
    pub urgency: Urgency,
    /// How sure it is.
    pub certainty: Certainty,
    /// Where.
    pub place: Place,
    /// When.
    pub time: EventTime,
    /// The low three bits of its node's boot count.
    pub boot: u8,
    /// What happened.
    pub body: Body,
}

/// Encoded content: an alert's body without its sequence number, at most [`CONTENT_LEN_MAX`] bytes.
///
/// It is frozen when the alert is raised; only the number in front of it may come later.
#[derive(Clone, Copy, PartialEq, Eq)]
// In whole words, because it is copied more often than anything else.
#[repr(align(4))]
pub struct Content {
    bytes: [u8; CONTENT_LEN_MAX],
    len: u8,
}

impl Content {
    /// The bytes.
    #[must_use]
    pub fn as_slice(&self) -> &[u8] {
        self.bytes.get(..usize::from(self.len)).unwrap_or(&self.bytes)
    }

    /// The content of these bytes, or none where there are more than [`CONTENT_LEN_MAX`].
    #[must_use]
    pub fn from_slice(bytes: &[u8]) -> Option<Self> {
        let mut content = Self { bytes: [0; CONTENT_LEN_MAX], len: u8::try_from(bytes.len()).ok()? };
        content.bytes.get_mut(..bytes.len())?.copy_from_slice(bytes);
        Some(content)
    }

    /// The whole body under `seq`, written to the front of `out`; its length is returned.
    #[must_use]
    pub fn body(&self, seq: Seq, out: &mut [u8; BODY_LEN_MAX]) -> usize {
        let mut body = Appender { out, len: 0 };
        body.postcard(&seq.number());
        body.bytes(self.as_slice());
        body.len
    }
}

impl Alert {
    /// Encodes everything but the sequence number. Cannot fail: `limits` proves that the largest fits.
    #[must_use]
    pub fn content(&self) -> Content {
        let (latitude, longitude) = self.place.bits();
        let head: [u8; HEAD_LEN] = BitWriter::new()
            .put(self.severity.bits(), Severity::BITS)
            .put(self.urgency.bits(), Urgency::BITS)
            .put(self.certainty.bits(), Certainty::BITS)
            .put(self.time.quality().bits(), 3)
            .put(self.place.accuracy().bits(), 4)
            .bytes();
        let when: [u8; WHEN_LEN] = BitWriter::new()
            .put(self.phase.bits(), Phase::BITS)
            .put(u8::from(matches!(self.reference, Some(Reference::Other(_)))), 1)
            .put(low_three_bits(self.boot.into()), 3)
            .put(self.time.millis(), EventTime::BITS)
            .bytes();
        let place: [u8; WHERE_LEN] =
            BitWriter::new().put(latitude, Place::BITS).put(longitude, Place::BITS).bytes();
        let mut out = [0; CONTENT_LEN_MAX];
        let mut content = Appender { out: &mut out, len: 0 };
        // As postcard writes arrays of bytes: raw.
        content.bytes(&head);
        content.bytes(&[self.body.code()]);
        content.bytes(&when);
        content.bytes(&place);
        if self.phase != Phase::Onset {
            content.postcard(&match self.reference {
                None | Some(Reference::AllOfKind) => 0,
                Some(Reference::Back(distance)) => distance,
                Some(Reference::Other(seq)) => seq.number(),
            });
        }
        content.bytes(self.body.pack().as_slice());
        let len = u8::try_from(content.len).unwrap_or(u8::MAX);
        Content { bytes: out, len }
    }

    /// Reads what [`Alert::content`] wrote.
    ///
    /// # Errors
    /// The bytes end too early, or a kind of known length has bytes left over. An unknown kind, and any value
    /// of any field, is read.
    pub fn decode(content: &[u8]) -> Result<Self, Undecodable> {
        let (head, rest) = chunk::<HEAD_LEN>(content)?;
        let (&[kind], rest) = chunk(rest)?;
        let (when, rest) = chunk::<WHEN_LEN>(rest)?;
        let (place, rest) = chunk::<WHERE_LEN>(rest)?;
        let mut head = BitReader::new(head);
        let severity = Severity::from_bits(head.take_u8(Severity::BITS));
        let urgency = Urgency::from_bits(head.take_u8(Urgency::BITS));
        let certainty = Certainty::from_bits(head.take_u8(Certainty::BITS));
        let quality = ClockQuality::from_bits(head.take_u8(3));
        let accuracy = Accuracy::from_bits(head.take_u8(4));

        let mut when = BitReader::new(when);
        let phase = Phase::from_bits(when.take_u8(Phase::BITS));
        let other_sequence = when.take(1) == 1;
        let boot = when.take_u8(3);
        let time = EventTime::new(when.take(EventTime::BITS), quality);

        let mut place = BitReader::new(place);
        let place = Place::from_bits(place.take_u32(Place::BITS), place.take_u32(Place::BITS), accuracy);

        let (reference, payload) = match phase {
            Phase::Onset => (None, rest),
            _ => {
                let (number, payload) = take::<u32>(rest)?;
                (Some(reference(number, other_sequence)?), payload)
            }
        };
        let body = Body::unpack(kind, payload)?;
        Ok(Self { phase, reference, severity, urgency, certainty, place, time, boot, body })
    }
}

/// Splits a body into sequence number and content.
///
/// # Errors
/// No readable number. Then nothing can be acknowledged either.
pub fn split_body(body: &[u8]) -> Result<(Seq, &[u8]), Undecodable> {
    let (number, content) = take::<u32>(body)?;
    Ok((Seq::new(number).ok_or(Undecodable::SeqOutOfRange { got: number })?, content))
}

fn reference(number: u32, other_sequence: bool) -> Result<Reference, Undecodable> {
    Ok(match (number, other_sequence) {
        (0, _) => Reference::AllOfKind,
        (distance, false) => Reference::Back(distance),
        (number, true) => {
            Reference::Other(Seq::new(number).ok_or(Undecodable::SeqOutOfRange { got: number })?)
        }
    })
}

fn chunk<const LEN: usize>(bytes: &[u8]) -> Result<(&[u8; LEN], &[u8]), Undecodable> {
    bytes.split_first_chunk().ok_or(Undecodable::Truncated)
}

fn take<'b, T: Deserialize<'b>>(bytes: &'b [u8]) -> Result<(T, &'b [u8]), Undecodable> {
    postcard::take_from_bytes(bytes).map_err(|_| Undecodable::Truncated)
}

const fn low_three_bits(boot: u16) -> u8 {
    let [_, low] = boot.to_be_bytes();
    low & 0b111
}

/// Writes one thing behind another. What does not fit is left out, which `limits` proves to be nothing.
struct Appender<'o> {
    out: &'o mut [u8],
    len: usize,
}

impl Appender<'_> {
    fn postcard(&mut self, value: &impl Serialize) {
        let written = postcard::to_slice(value, self.out.get_mut(self.len..).unwrap_or(&mut []));
        debug_assert!(written.is_ok(), "limits::CONTENT_LEN_MAX holds every alert");
        self.len = self.len.saturating_add(written.map_or(0, |written| written.len()));
    }

    fn bytes(&mut self, bytes: &[u8]) {
        let room = self.out.get_mut(self.len..).and_then(|rest| rest.get_mut(..bytes.len()));
        debug_assert!(room.is_some(), "limits::CONTENT_LEN_MAX holds every alert");
        if let Some(room) = room {
            room.copy_from_slice(bytes);
            self.len = self.len.saturating_add(bytes.len());
        }
    }
}

// Bodies never appear in a log: kind, phase and precedence do.
#[cfg(feature = "defmt")]
impl defmt::Format for AlertDraft {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} {}", self.body, self.precedence());
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Alert {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{} {}", self.body, self.phase);
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Content {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{=u8} bytes of content", self.len);
    }
}

impl fmt::Debug for Content {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} bytes of content", self.len)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::limits::SEQ_MAX;
    use crate::message::kind::{ConvoyIed, RocketLaunch, Summary};

    fn alert(phase: Phase, reference: Option<Reference>, body: Body) -> Alert {
        Alert {
            phase,
            reference,
            severity: Severity::Extreme,
            urgency: Urgency::Immediate,
            certainty: Certainty::Observed,
            place: Place::from_degrees_e7(335_000_000, 442_000_000, Accuracy::within_metres(2_000)),
            time: EventTime::new(1_578_445_200_123, ClockQuality::Second),
            boot: 5,
            body,
        }
    }

    #[test]
    fn what_is_written_is_read() {
        let seq = Seq::new(77).unwrap();
        for body in
            [Body::from(Summary::default()), RocketLaunch::default().into(), ConvoyIed::default().into()]
        {
            for (phase, reference) in [
                (Phase::Onset, None),
                (Phase::Update, Some(Reference::Back(3))),
                (Phase::Cancel, Some(Reference::AllOfKind)),
                (Phase::Clear, Some(Reference::Other(seq))),
            ] {
                let alert = alert(phase, reference, body);
                assert_eq!(Alert::decode(alert.content().as_slice()), Ok(alert));
            }
        }
    }

    #[test]
    fn the_largest_alert_fills_the_radio_profile_to_two_bytes() {
        let largest = alert(Phase::Clear, Some(Reference::Back(u32::MAX)), RocketLaunch::default().into());
        let mut body = [0; BODY_LEN_MAX];
        assert_eq!(largest.content().body(Seq::new(SEQ_MAX).unwrap(), &mut body), BODY_LEN_MAX - 2);
    }

    #[test]
    fn every_truncation_is_noticed() {
        let content =
            alert(Phase::Update, Some(Reference::Back(300)), RocketLaunch::default().into()).content();
        for len in 0..content.as_slice().len() {
            assert_eq!(Alert::decode(&content.as_slice()[..len]), Err(Undecodable::Truncated), "{len} bytes");
        }
    }

    #[test]
    fn seq_zero_and_seq_beyond_31_bits_are_refused() {
        assert_eq!(Seq::new(SEQ_MAX).and_then(Seq::next), None);
        assert_eq!(
            split_body(&[0x80, 0x80, 0x80, 0x80, 0x08]),
            Err(Undecodable::SeqOutOfRange { got: 0x8000_0000 })
        );
        assert_eq!(split_body(&[0]), Err(Undecodable::SeqOutOfRange { got: 0 }));
        assert_eq!(split_body(&[0xff; 6]), Err(Undecodable::Truncated));
    }
}
