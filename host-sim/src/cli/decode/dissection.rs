//! What a packet is found to hold, and the first byte that is wrong with it. Knows nothing of how it is shown.

use serde_json::Value;

/// A packet taken apart.
#[derive(Clone, Debug, Default)]
pub(super) struct Dissection {
    /// The packet's bytes, without the frame.
    pub(super) packet: Vec<u8>,
    /// Whether it came in a frame.
    pub(super) framed: bool,
    /// Length of the tag in bytes, as asked for or judged.
    pub(super) tag_len: usize,
    /// What was assumed, and why.
    pub(super) assumed: Vec<String>,
    /// Whether the tag fits; none where there was no key to try or no whole packet.
    pub(super) authentic: Option<bool>,
    /// What the eight bytes in clear say.
    pub(super) header: Vec<Field>,
    /// The tag and what became of it, and the body where it stays sealed.
    pub(super) seal: Vec<Field>,
    /// What the body says.
    pub(super) body: Vec<Field>,
    /// Why the body is not shown, and what would help.
    pub(super) advice: Option<&'static str>,
    /// The first byte that is wrong.
    pub(super) wrong: Option<Wrong>,
}

impl Dissection {
    /// Keeps `wrong` unless something before it is wrong already. Of two about one byte the later knows more.
    pub(super) fn blame(&mut self, wrong: impl Into<Option<Wrong>>) {
        let order = |wrong: &Wrong| (wrong.of, wrong.offset);
        if let Some(wrong) = wrong.into()
            && self.wrong.as_ref().is_none_or(|first| order(&wrong) <= order(first))
        {
            self.wrong = Some(wrong);
        }
    }
}

/// One field of a packet. Several may share their bytes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Field {
    /// Where it begins in the packet.
    pub(super) offset: usize,
    /// The bytes it stands in; of a body, in clear.
    pub(super) bytes: Vec<u8>,
    /// As WIRE.md, or as `encode` takes it.
    pub(super) name: &'static str,
    /// For programs; null is not known.
    pub(super) value: Value,
    /// For people, with its unit.
    pub(super) words: String,
}

impl Field {
    /// Where it ends in the packet.
    pub(super) const fn end(&self) -> usize {
        self.offset + self.bytes.len()
    }
}

/// Bytes of a packet and where they begin in it.
#[derive(Clone, Copy, Debug)]
pub(super) struct Span<'b> {
    /// Where they begin.
    pub(super) offset: usize,
    /// The bytes.
    pub(super) bytes: &'b [u8],
}

impl Span<'_> {
    /// The field of this name in these bytes.
    pub(super) fn field(
        self,
        name: &'static str,
        value: impl Into<Value>,
        words: impl Into<String>,
    ) -> Field {
        let bytes = self.bytes.to_vec();
        Field { offset: self.offset, bytes, name, value: value.into(), words: words.into() }
    }

    /// The first `len` of them, and the rest; none where there are fewer.
    pub(super) fn split(self, len: usize) -> Option<(Self, Self)> {
        let (bytes, rest) = self.bytes.split_at_checked(len)?;
        Some((Self { offset: self.offset, bytes }, Self { offset: self.offset + len, bytes: rest }))
    }

    /// A mistake at byte `at` of these, which is missing where they end before it.
    pub(super) fn wrong(self, at: usize, message: impl Into<String>, allowed: impl Into<String>) -> Wrong {
        Wrong {
            of: Of::Packet,
            offset: self.offset + at,
            byte: self.bytes.get(at).copied(),
            message: message.into(),
            allowed: allowed.into(),
        }
    }
}

/// What a byte's offset counts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Of {
    /// The frame, which is looked at first.
    Frame,
    /// The packet.
    Packet,
}

/// A byte that must not be there, or is not there.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Wrong {
    /// What the offset counts in.
    pub(super) of: Of,
    /// Where, from 0.
    pub(super) offset: usize,
    /// The byte; none where it is missing.
    pub(super) byte: Option<u8>,
    /// What is wrong with it.
    pub(super) message: String,
    /// What would be right.
    pub(super) allowed: String,
}
