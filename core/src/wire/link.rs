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
    /// Longest time one packet takes on the link; the first retry waits for three of them.
    pub airtime_max: Duration,
    /// Time between two reports on this link.
    pub report_interval: Duration,
}

impl Link {
    /// Packets of at most 51 bytes on LoRa at SF7, 125 kHz, coding rate 4/5: 103 ms at most.
    #[must_use]
    pub const fn small_radio(number: u8) -> Self {
        Self {
            number,
            tag: TagLength::Short,
            airtime_max: Duration::from_millis(103),
            report_interval: Duration::from_millis(limits::REPORT_INTERVAL_RADIO_MS),
        }
    }

    /// A UART at 115,200 baud or anything faster: 63 bytes take 6 ms at most.
    #[must_use]
    pub const fn stream(number: u8) -> Self {
        Self {
            number,
            tag: TagLength::Long,
            airtime_max: Duration::from_millis(6),
            report_interval: Duration::from_millis(limits::REPORT_INTERVAL_STREAM_MS),
        }
    }
}
