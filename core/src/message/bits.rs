//! Packing of small fields, most significant bit first, into at most 64 bits.

/// Collects fields; what does not fit its field is written as the field's largest value.
///
/// Saturating is deliberate: a warning must not be refused because a count in it is implausibly large.
#[derive(Clone, Copy, Default)]
pub(crate) struct BitWriter {
    fields: u64,
    bits: u32,
}

impl BitWriter {
    pub(crate) const fn new() -> Self {
        Self { fields: 0, bits: 0 }
    }

    #[inline(always)]
    pub(crate) fn put(self, value: impl Into<u64>, bits: u32) -> Self {
        let value = value.into().min(mask(bits));
        Self {
            fields: self.fields.checked_shl(bits).unwrap_or(0) | value,
            bits: self.bits.saturating_add(bits),
        }
    }

    /// An optional value: the field's largest value says "not known".
    pub(crate) fn put_optional(self, value: Option<u16>, bits: u32) -> Self {
        let unknown = mask(bits);
        self.put(value.map_or(unknown, |value| u64::from(value).min(unknown.saturating_sub(1))), bits)
    }

    /// The fields, first one first, padded with zero bits at the end.
    #[inline(always)]
    pub(crate) fn bytes<const LEN: usize>(self) -> [u8; LEN] {
        let left_aligned = self.fields.checked_shl(64_u32.saturating_sub(self.bits)).unwrap_or(0);
        let mut bytes = [0; LEN];
        for (place, byte) in bytes.iter_mut().zip(left_aligned.to_be_bytes()) {
            *place = byte;
        }
        bytes
    }
}

/// Takes fields out again in the same order; past the end it reads zeros.
#[derive(Clone, Copy)]
pub(crate) struct BitReader {
    fields: u64,
}

impl BitReader {
    pub(crate) fn new<const LEN: usize>(bytes: &[u8; LEN]) -> Self {
        const { assert!(LEN <= 8, "at most 64 bits") };
        let mut all = [0; 8];
        for (place, byte) in all.iter_mut().zip(bytes) {
            *place = *byte;
        }
        Self { fields: u64::from_be_bytes(all) }
    }

    #[inline(always)]
    pub(crate) fn take(&mut self, bits: u32) -> u64 {
        let value = self.fields.checked_shr(64_u32.saturating_sub(bits)).unwrap_or(0);
        self.fields = self.fields.checked_shl(bits).unwrap_or(0);
        value
    }

    pub(crate) fn take_u8(&mut self, bits: u32) -> u8 {
        u8::try_from(self.take(bits)).unwrap_or(u8::MAX)
    }

    pub(crate) fn take_u16(&mut self, bits: u32) -> u16 {
        u16::try_from(self.take(bits)).unwrap_or(u16::MAX)
    }

    pub(crate) fn take_u32(&mut self, bits: u32) -> u32 {
        u32::try_from(self.take(bits)).unwrap_or(u32::MAX)
    }

    pub(crate) fn take_optional(&mut self, bits: u32) -> Option<u16> {
        let value = self.take(bits);
        (value != mask(bits)).then(|| u16::try_from(value).unwrap_or(u16::MAX))
    }
}

const fn mask(bits: u32) -> u64 {
    match 1_u64.checked_shl(bits) {
        Some(end) => end.wrapping_sub(1),
        None => u64::MAX,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn first_field_first_and_left_aligned() {
        let packed = BitWriter::new().put(0b1_u8, 1).put(0b0_u8, 1).put(0x3ff_u16, 10);
        assert_eq!(packed.bytes::<2>(), [0b1011_1111, 0b1111_0000]);
        assert_eq!(BitWriter::new().bytes::<1>(), [0]);
    }

    #[test]
    fn too_large_saturates_and_unknown_stays_apart() {
        assert_eq!(BitWriter::new().put(300_u16, 8).bytes::<1>(), [255]);
        let packed = BitWriter::new().put_optional(Some(900), 8).put_optional(None, 8).bytes::<2>();
        assert_eq!(packed, [254, 255]);
        let mut reader = BitReader::new(&packed);
        assert_eq!((reader.take_optional(8), reader.take_optional(8)), (Some(254), None));
        assert_eq!(reader.take(64), 0);
    }
}
