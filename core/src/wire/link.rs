//! What a link can carry. The receiver's link, never the packet, fixes the length of the tag.

use crate::limits;
use crate::time::Duration;

/// Length of the authentication tag.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum TagLength {
    /// 8 bytes, on small radio links.
    Short,
    /// 16 bytes, on UART, IP and radio links of 59 bytes and more.
    Long,
}

impl TagLength {
    /// Bytes.
    #[must_use]
    pub const fn bytes(self) -> usize {
        match self {
            Self::Short => limits::TAG_LEN_SHORT,
            Self::Long => limits::TAG_LEN_LONG,
        }
    }

    /// The byte that stands under the tag, so that a long tag cut short is never taken for a short one.
    pub(super) const fn associated(self) -> u8 {
        match self {
            Self::Short => 8,
            Self::Long => 16,
        }
    }
}

/// One of a node's or gateway's links: its number and what it can carry.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Link {
    /// Number of the link, chosen by its owner.
    pub number: u8,
    /// Length of the tag in both directions.
    pub tag: TagLength,
    /// Time a packet takes on the link before its first byte, in microseconds.
    pub airtime_base_us: u32,
    /// Time each byte of a packet takes, in microseconds.
    pub airtime_byte_us: u32,
    /// Share of the time this sender may be on the air, in thousandths; 1,000 where there is no such limit.
    pub duty_permille: u16,
    /// Time between two reports on this link.
    pub report_interval: Duration,
}

impl Link {
    /// Packets of at most 51 bytes on LoRa at SF7, 125 kHz, coding rate 4/5: 104 ms at most (Semtech AN1200.13, its
    /// steps of seven bits smoothed to their upper edge), under the 1 % duty cycle of EN 300 220 on 868.0–868.6 MHz.
    #[must_use]
    pub const fn small_radio(number: u8) -> Self {
        Self {
            number,
            tag: TagLength::Short,
            airtime_base_us: 28_770,
            airtime_byte_us: 1_463,
            duty_permille: 10,
            report_interval: Duration::from_millis(limits::REPORT_INTERVAL_RADIO_MS),
        }
    }

    /// A UART at 115,200 baud or anything faster: 63 bytes take 6 ms at most. No duty limit.
    #[must_use]
    pub const fn stream(number: u8) -> Self {
        Self {
            number,
            tag: TagLength::Long,
            airtime_base_us: 348,
            airtime_byte_us: 87,
            duty_permille: 1_000,
            report_interval: Duration::from_millis(limits::REPORT_INTERVAL_STREAM_MS),
        }
    }

    /// Longest packet this link carries, in bytes.
    #[must_use]
    pub const fn packet_len_max(&self) -> usize {
        match self.tag {
            TagLength::Short => limits::PACKET_LEN_MAX_RADIO,
            TagLength::Long => limits::PACKET_LEN_MAX,
        }
    }

    /// Time that a packet of `len` bytes takes, in microseconds.
    #[must_use]
    pub fn airtime_us(&self, len: usize) -> u32 {
        let len = u32::try_from(len).unwrap_or(u32::MAX);
        self.airtime_base_us.saturating_add(self.airtime_byte_us.saturating_mul(len))
    }

    /// Longest time a packet takes, rounded up; the first retry waits for three of them.
    #[must_use]
    pub fn airtime_max(&self) -> Duration {
        Duration::from_millis(self.airtime_us(self.packet_len_max()).div_ceil(1_000))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn airtimes_are_no_shorter_than_the_formula_gives() {
        // Lengths and milliseconds of the LoRa formula at SF7, as the data sheet's calculator rounds them up.
        for (len, formula_ms) in [(20, 57), (32, 72), (43, 88), (51, 103)] {
            let us = Link::small_radio(0).airtime_us(len);
            // The formula goes up five symbols of 1,024 µs at a time.
            assert!(us >= (formula_ms - 1) * 1_000 && us <= formula_ms * 1_000 + 5_120, "{len}: {us}");
        }
        assert_eq!(Link::small_radio(0).airtime_max().as_millis(), 104);
        assert_eq!(Link::stream(0).airtime_max().as_millis(), 6);
    }
}
