//! An acknowledgement: the gateway has stored what it names.

use heapless::Vec;

use crate::limits::{ACK_ITEMS_MAX, BODY_LEN_MAX, SEQ_MAX};
use crate::message::{Seq, Undecodable};

/// One alert of the node addressed, named by its sequence and number.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct AckItem {
    /// Which of the node's two sequences.
    pub flash: bool,
    /// The number there.
    pub seq: Seq,
}

/// Says STORED of up to [`ACK_ITEMS_MAX`] alerts, all live or all of exercise.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ack {
    /// The highest up counter opened from this node: it dates the acknowledgement.
    pub echo: u32,
    items: Vec<AckItem, ACK_ITEMS_MAX>,
}

const FLASH_BIT: u32 = SEQ_MAX.wrapping_add(1);
const WORD_LEN: usize = 4;

impl Ack {
    /// One that names nothing yet.
    #[must_use]
    pub const fn new(echo: u32) -> Self {
        Self { echo, items: Vec::new() }
    }

    /// Names one more alert; false where [`ACK_ITEMS_MAX`] are named already.
    #[must_use]
    pub fn push(&mut self, item: AckItem) -> bool {
        self.items.push(item).is_ok()
    }

    /// What is stored.
    #[must_use]
    pub fn items(&self) -> &[AckItem] {
        &self.items
    }

    /// Writes the body to the front of `out`; its length is returned.
    #[must_use]
    pub fn encode(&self, out: &mut [u8; BODY_LEN_MAX]) -> usize {
        let named = self.items.iter().map(|item| {
            let sequence = if item.flash { FLASH_BIT } else { 0 };
            sequence | item.seq.number()
        });
        let words = core::iter::once(self.echo).chain(named);
        let mut len: usize = 0;
        for (room, word) in out.chunks_exact_mut(WORD_LEN).zip(words) {
            room.copy_from_slice(&word.to_be_bytes());
            len = len.saturating_add(WORD_LEN);
        }
        len
    }

    /// Reads what [`Ack::encode`] wrote.
    ///
    /// # Errors
    /// Not a whole number of words, none at all, more than fit, or a sequence number of 0.
    pub fn decode(body: &[u8]) -> Result<Self, Undecodable> {
        let mut words = body.chunks_exact(WORD_LEN);
        if !words.remainder().is_empty() {
            return Err(Undecodable::Truncated);
        }
        let mut next = || Some(u32::from_be_bytes(<[u8; WORD_LEN]>::try_from(words.next()?).ok()?));
        let mut ack = Self::new(next().ok_or(Undecodable::Truncated)?);
        while let Some(word) = next() {
            let seq = Seq::new(word & SEQ_MAX).ok_or(Undecodable::SeqOutOfRange { got: word & SEQ_MAX })?;
            let extra = body.len().saturating_sub(WORD_LEN.saturating_mul(ACK_ITEMS_MAX.saturating_add(1)));
            if !ack.push(AckItem { flash: word & FLASH_BIT != 0, seq }) {
                return Err(Undecodable::TrailingBytes { extra });
            }
        }
        Ok(ack)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Ack {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "echo {=u32}, stored {}", self.echo, self.items());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_written_is_read() {
        let mut ack = Ack::new(0x0102_0304);
        let mut out = [0; BODY_LEN_MAX];
        assert_eq!(ack.encode(&mut out), 4);
        for number in 0..7 {
            assert!(ack.push(AckItem { flash: number % 2 == 0, seq: Seq::new(SEQ_MAX - number).unwrap() }));
        }
        let len = ack.encode(&mut out);
        assert_eq!((len, &out[..8]), (32, &[1, 2, 3, 4, 0xff, 0xff, 0xff, 0xff][..]));
        assert_eq!(Ack::decode(&out[..len]), Ok(ack));
    }

    #[test]
    fn odd_lengths_are_refused() {
        assert_eq!(Ack::decode(&[]), Err(Undecodable::Truncated));
        assert_eq!(Ack::decode(&[0; 7]), Err(Undecodable::Truncated));
        assert_eq!(Ack::decode(&[1; 36]), Err(Undecodable::TrailingBytes { extra: 4 }));
        assert_eq!(Ack::decode(&[0; 8]), Err(Undecodable::SeqOutOfRange { got: 0 }));
    }
}
