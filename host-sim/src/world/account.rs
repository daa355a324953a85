//! What became of every planned alert and every frame.

use alertbus::Precedence;
use alertbus::ledger::Outcome;
use alertbus::limits::PACKET_LEN_MAX;

/// How far a planned alert has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Its moment has not come.
    Planned,
    /// A node has it and the gateway has not.
    Open,
    /// The gateway has delivered it. What the node learns of that changes nothing any more.
    Delivered {
        /// From the moment it was raised, in milliseconds on the run's clock.
        latency_ms: u64,
    },
    /// The node handed it back.
    Refused,
    /// The node has counted it into a summary, which is itself an alert.
    Merged,
    /// The node had it already, byte for byte.
    Duplicate,
    /// It was in its node's memory only when the power failed.
    CutOff,
    /// It left the node undelivered, for this reason.
    Ended(Outcome),
}

/// Counts of one precedence.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct PrecedenceAccount {
    /// Alerts whose moment has not come.
    pub planned: u64,
    /// Alerts that were raised.
    pub raised: u64,
    /// Of these delivered.
    pub delivered: u64,
    /// Delivered after their time to live.
    pub late: u64,
    /// Handed back by their node.
    pub refused: u64,
    /// Gave way to a higher precedence.
    pub displaced: u64,
    /// Their time to live ran out.
    pub expired: u64,
    /// Their attempts ran out.
    pub undelivered: u64,
    /// Counted into summaries.
    pub merged: u64,
    /// Replaced by newer ones, withdrawn, or there already.
    pub replaced: u64,
    /// In their node's memory only when its power failed.
    pub cut_off: u64,
    /// Still kept by their node at the end.
    pub open: u64,
    /// Latencies of those delivered, in milliseconds, sorted.
    pub latencies_ms: Vec<u64>,
}

impl PrecedenceAccount {
    /// Counts an alert of `precedence` that has come so far.
    pub(super) fn count(&mut self, precedence: Precedence, fate: Fate) {
        if fate == Fate::Planned {
            self.planned += 1;
            return;
        }
        self.raised += 1;
        match fate {
            Fate::Delivered { latency_ms } => {
                self.delivered += 1;
                self.late += u64::from(latency_ms > time_to_live_ms(precedence));
                self.latencies_ms.push(latency_ms);
            }
            Fate::Refused => self.refused += 1,
            Fate::Ended(Outcome::Displaced) => self.displaced += 1,
            Fate::Ended(Outcome::Expired) => self.expired += 1,
            Fate::Ended(Outcome::Superseded | Outcome::Cancelled) | Fate::Duplicate => self.replaced += 1,
            Fate::Merged => self.merged += 1,
            Fate::CutOff => self.cut_off += 1,
            Fate::Ended(_) => self.undelivered += 1,
            Fate::Planned | Fate::Open => self.open += 1,
        }
    }

    /// Alerts that were raised, did not arrive, and were neither counted into a summary nor replaced.
    #[must_use]
    pub const fn lost(&self) -> u64 {
        self.raised - self.delivered - self.merged - self.replaced
    }

    /// Whether every alert is in exactly one column.
    #[must_use]
    pub const fn is_accounted(&self) -> bool {
        let lost = self.refused + self.displaced + self.expired + self.undelivered + self.cut_off + self.open;
        self.lost() == lost
    }

    /// The latency that `percent` of the delivered did not exceed, in milliseconds (nearest rank).
    #[must_use]
    pub fn latency_ms(&self, percent: usize) -> Option<u64> {
        let rank = (self.latencies_ms.len() * percent).div_ceil(100).max(1);
        self.latencies_ms.get(rank - 1).copied()
    }
}

const fn time_to_live_ms(precedence: Precedence) -> u64 {
    use alertbus::limits;
    (match precedence {
        Precedence::Flash => limits::TIME_TO_LIVE_FLASH_MS,
        Precedence::Immediate => limits::TIME_TO_LIVE_IMMEDIATE_MS,
        Precedence::Priority => limits::TIME_TO_LIVE_PRIORITY_MS,
        Precedence::Routine => limits::TIME_TO_LIVE_ROUTINE_MS,
    }) as u64
}

/// Counts of frames, over all hops of all links in both directions.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FrameAccount {
    /// Sent.
    pub sent: u64,
    /// Lost on the way, in bursts too.
    pub dropped: u64,
    /// Lost because the line was cut, the node out of reach, its power off, or the gateway dead.
    pub cut: u64,
    /// Of these in bursts.
    pub burst: u64,
    /// Arrived later than their time on the way.
    pub delayed: u64,
    /// Arrived twice.
    pub duplicated: u64,
    /// Held back.
    pub reordered: u64,
    /// Arrived with a flipped bit.
    pub corrupted: u64,
    /// What a deframer found to be no frame.
    pub noise: u64,
    /// What a node or the gateway did not take: bad tags, replays and the like.
    pub rejected: u64,
    /// Reports that reached the gateway.
    pub reports: u64,
}

/// What befell units and gateway, and what was tried against them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Incidents {
    /// Resets.
    pub reboots: u64,
    /// Power failures in the middle of a write.
    pub brown_outs: u64,
    /// Times that a line was cut.
    pub partitions: u64,
    /// Times that the gateway was killed.
    pub gateway_kills: u64,
    /// Epochs begun by command.
    pub epochs: u64,
    /// Alarms that a node was silent.
    pub silent: u64,
    /// Other alarms of the gateway: bad tags, clones, an old copy of itself.
    pub alarms: u64,
    /// Warnings that a siren has begun to sound.
    pub warnings: u64,
    /// Nodes that lost their counters, and fell silent. Never by a power cut.
    pub counters_lost: u64,
    /// Acknowledgements of what no disk has. Zero, or something is broken.
    pub acked_unstored: u64,
    /// Steps at which a siren sounded though nobody had told it to, or kept still though somebody had. Zero, or
    /// something is broken.
    pub sirens_wrong: u64,
    /// Live Flash alerts handed back for want of room by a node that had some. Zero, or something is broken.
    pub refused_unduly: u64,
}

/// Where the live Flash alerts of a run went: each is in exactly one column.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FlashAccount {
    /// Submitted to their nodes.
    pub raised: u64,
    /// On the gateway's disk.
    pub stored: u64,
    /// Replaced by an update.
    pub superseded: u64,
    /// Withdrawn by their source.
    pub cancelled: u64,
    /// Counted into a summary that is on the gateway's disk.
    pub merged: u64,
    /// There already, byte for byte.
    pub duplicate: u64,
    /// Handed back.
    pub refused: u64,
    /// Cut off by a power failure before they were Durable, which is when the guarantee begins.
    pub cut_off: u64,
    /// Still with their node.
    pub open: u64,
    /// None of these. The guarantee is broken.
    pub lost: u64,
    /// Summaries on the gateway's disk whose count or kinds are not those of what was counted into them. Zero, or
    /// something is broken.
    pub miscounted: u64,
    /// From raised to received, in milliseconds, the longest.
    pub latency_ms_max: u64,
}

/// How many sealed packets had which length: exact, in fixed memory.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PacketLengths {
    counts: [u64; PACKET_LEN_MAX + 1],
}

impl PacketLengths {
    pub(super) const fn new() -> Self {
        Self { counts: [0; PACKET_LEN_MAX + 1] }
    }

    pub(super) fn count(&mut self, len: usize) {
        if let Some(count) = self.counts.get_mut(len) {
            *count += 1;
        }
    }

    /// Packets counted.
    #[must_use]
    pub fn total(&self) -> u64 {
        self.counts.iter().sum()
    }

    /// The longest, in bytes; 0 where there was none.
    #[must_use]
    pub fn longest(&self) -> usize {
        self.counts.iter().rposition(|&count| count > 0).unwrap_or(0)
    }

    /// The median (the lower of two middle ones), in bytes; 0 where there was none.
    #[must_use]
    pub fn median(&self) -> usize {
        let half = self.total().div_ceil(2).max(1);
        let mut sum = 0;
        self.counts
            .iter()
            .position(|&count| {
                sum += count;
                sum >= half
            })
            .unwrap_or(0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn medians_and_longest() {
        let mut lengths = PacketLengths::new();
        assert_eq!((lengths.longest(), lengths.median(), lengths.total()), (0, 0, 0));
        for len in [40, 37, 39, 37, 38] {
            lengths.count(len);
        }
        assert_eq!((lengths.longest(), lengths.median(), lengths.total()), (40, 38, 5));
    }

    #[test]
    fn every_alert_is_in_one_column() {
        let mut account = PrecedenceAccount::default();
        let fates = [
            Fate::Planned,
            Fate::Open,
            Fate::Refused,
            Fate::Ended(Outcome::Expired),
            Fate::Ended(Outcome::Displaced),
            Fate::Ended(Outcome::Undelivered),
            Fate::Ended(Outcome::Superseded),
            Fate::Merged,
            Fate::Duplicate,
            Fate::CutOff,
            Fate::Delivered { latency_ms: 7 },
            Fate::Delivered { latency_ms: 600_001 },
        ];
        for fate in fates {
            account.count(Precedence::Flash, fate);
        }
        assert!(account.is_accounted());
        assert_eq!((account.planned, account.raised, account.open), (1, 11, 1));
        assert_eq!((account.delivered, account.late, account.lost()), (2, 1, 6));
        assert_eq!((account.latency_ms(50), account.latency_ms(99)), (Some(7), Some(600_001)));
        assert_eq!(PrecedenceAccount::default().latency_ms(50), None);
    }
}
