//! What a record of the journal says, and its bytes.

use embedded_storage::nor_flash::NorFlash;

use super::area::Area;
use super::{Journalled, StoreError};
use crate::limits::CONTENT_LEN_MAX;
use crate::message::{Content, EventKey, Seq};

/// What a record says.
pub(super) enum Entry {
    /// Everything live has been carried over into this half.
    Complete,
    /// This alert is settled.
    Outcome(Seq),
    /// This alert is live.
    Alert(Journalled),
    /// This alert is live, and was so in the other half.
    Carried(Journalled),
}

/// Generation, number, key, kind, length of the content, content.
pub(super) const PAYLOAD_LEN: usize = 4 + 4 + 2 + 1 + 1 + CONTENT_LEN_MAX;

const COMPLETE: u8 = 1;
const OUTCOME: u8 = 2;
const ALERT: u8 = 3;
const CARRIED: u8 = 4;
/// Added to the kind of an alert that has a key.
const KEYED: u8 = 0x80;

impl Entry {
    /// The alert it is about.
    pub(super) const fn seq(&self) -> Option<Seq> {
        match self {
            Self::Complete => None,
            Self::Outcome(seq) => Some(*seq),
            Self::Alert(alert) | Self::Carried(alert) => Some(alert.seq),
        }
    }

    /// Writes it, and reads it back; as of [`Area::put`].
    pub(super) fn put<F: NorFlash>(
        &self,
        flash: &mut F,
        area: &Area,
        slot: u32,
        generation: u32,
    ) -> Result<bool, StoreError> {
        let (kind, seq, alert) = match self {
            Self::Complete => (COMPLETE, 0, None),
            Self::Outcome(seq) => (OUTCOME, seq.number(), None),
            Self::Alert(alert) => (ALERT, alert.seq.number(), Some(alert)),
            Self::Carried(alert) => (CARRIED, alert.seq.number(), Some(alert)),
        };
        let key = alert.and_then(|alert| alert.key);
        let keyed = if key.is_some() { KEYED } else { 0 };
        let content = alert.map_or(&[][..], |alert| alert.content.as_slice());
        let fields: [&[u8]; 5] = [
            &generation.to_be_bytes(),
            &seq.to_be_bytes(),
            &key.map_or(0, |key| key.0).to_be_bytes(),
            &[kind | keyed, u8::try_from(content.len()).unwrap_or(u8::MAX)],
            content,
        ];
        area.put(flash, slot, &fields)
    }

    /// The generation and what is said; none where this build does not know it.
    pub(super) fn decode(payload: &[u8]) -> Option<(u32, Self)> {
        let (generation, rest) = payload.split_first_chunk()?;
        let (seq, rest) = rest.split_first_chunk()?;
        let (key, rest) = rest.split_first_chunk()?;
        let ([kind, len], rest) = rest.split_first_chunk()?;
        let seq = Seq::new(u32::from_be_bytes(*seq));
        let key = (kind & KEYED != 0).then_some(EventKey(u16::from_be_bytes(*key)));
        let alert = || {
            Some(Journalled { seq: seq?, key, content: Content::from_slice(rest.get(..usize::from(*len))?)? })
        };
        let entry = match kind & !KEYED {
            COMPLETE => Self::Complete,
            OUTCOME => Self::Outcome(seq?),
            ALERT => Self::Alert(alert()?),
            CARRIED => Self::Carried(alert()?),
            _ => return None,
        };
        Some((u32::from_be_bytes(*generation), entry))
    }
}
