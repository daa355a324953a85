//! What became of every alert: counts that must balance.
//!
//! Two equations hold for each row at every step, and [`Ledger::balances`] checks them:
//!
//! ```text
//! offered  = duplicate + merged + refused + accepted
//! accepted = acked + superseded + cancelled + expired + displaced + undelivered + resident
//! ```
//!
//! Counts move only by whole transitions ([`Ledger::refuse`], [`Ledger::accept`], [`Ledger::settle`]), so an
//! alert cannot be taken from one side without being written down on the other.

use crate::limits::LEDGER_VALUES_PER_REPORT;
use crate::precedence::Precedence;

/// Which alerts a row counts: the live ones of one precedence, or all of exercise together.
///
/// Exercise has no guarantee, so its losses must never show up among those of live alerts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Row {
    /// Live alerts of one precedence.
    Live(Precedence),
    /// Exercise alerts of every precedence.
    Exercise,
}

impl Row {
    /// All rows, in the order in which reports carry them.
    pub const ALL: [Self; ROWS] = [
        Self::Live(Precedence::Routine),
        Self::Live(Precedence::Priority),
        Self::Live(Precedence::Immediate),
        Self::Live(Precedence::Flash),
        Self::Exercise,
    ];

    /// The row of an alert.
    #[must_use]
    pub const fn of(precedence: Precedence, exercise: bool) -> Self {
        if exercise { Self::Exercise } else { Self::Live(precedence) }
    }
}

const ROWS: usize = 5;
const COUNTS: usize = 12;

/// How many values a whole ledger holds; reports carry [`LEDGER_VALUES_PER_REPORT`] of them in turn.
pub const VALUES: usize = ROWS * COUNTS;

// A ledger goes home in a whole number of reports.
const _: () = assert!(VALUES.is_multiple_of(LEDGER_VALUES_PER_REPORT));

/// How an accepted alert ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Outcome {
    /// A gateway has stored it and said so under its seal.
    Acked,
    /// A newer alert of the same key took its place before it was sent.
    Superseded,
    /// Its source withdrew it.
    Cancelled,
    /// Its time to live ran out. Never a live Flash alert.
    Expired,
    /// A higher precedence needed its slot. Never a live Flash alert.
    Displaced,
    /// Its attempts ran out. Routine only.
    Undelivered,
}

/// The counts of one row, cumulative since boot. They go round after 2³², as do the 16 bits of them in a report.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counts {
    /// Alerts the caller submitted, and those recovered at boot.
    pub offered: u32,
    /// Offered again under a key that was already open; dropped.
    pub duplicate: u32,
    /// Folded into a summary.
    pub merged: u32,
    /// Handed back to the caller.
    pub refused: u32,
    /// Taken into the queue.
    pub accepted: u32,
    /// See [`Outcome::Acked`].
    pub acked: u32,
    /// See [`Outcome::Superseded`].
    pub superseded: u32,
    /// See [`Outcome::Cancelled`].
    pub cancelled: u32,
    /// See [`Outcome::Expired`].
    pub expired: u32,
    /// See [`Outcome::Displaced`].
    pub displaced: u32,
    /// See [`Outcome::Undelivered`].
    pub undelivered: u32,
    /// In the queue now.
    pub resident: u32,
}

impl Counts {
    const fn balances(&self) -> bool {
        let offered =
            self.duplicate.wrapping_add(self.merged).wrapping_add(self.refused).wrapping_add(self.accepted);
        let accepted = self
            .acked
            .wrapping_add(self.superseded)
            .wrapping_add(self.cancelled)
            .wrapping_add(self.expired)
            .wrapping_add(self.displaced)
            .wrapping_add(self.undelivered)
            .wrapping_add(self.resident);
        self.offered == offered && self.accepted == accepted
    }

    /// The counts in the order in which reports carry them.
    #[must_use]
    pub const fn values(&self) -> [u32; COUNTS] {
        [
            self.offered,
            self.duplicate,
            self.merged,
            self.refused,
            self.accepted,
            self.acked,
            self.superseded,
            self.cancelled,
            self.expired,
            self.displaced,
            self.undelivered,
            self.resident,
        ]
    }
}

/// The whole account of one node since its boot.
///
/// ```
/// use alertbus::ledger::{Ledger, Outcome, Row};
/// use alertbus::Precedence;
/// let mut ledger = Ledger::new();
/// let flash = Row::Live(Precedence::Flash);
/// ledger.accept(flash);
/// ledger.settle(flash, Outcome::Acked);
/// assert!(ledger.balances());
/// assert_eq!(ledger.row(flash).acked, 1);
/// ```
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Ledger {
    live: [Counts; 4],
    exercise: Counts,
}

impl Ledger {
    /// An empty account.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// An alert was offered and handed back to the caller.
    pub fn refuse(&mut self, row: Row) {
        let counts = self.row_mut(row);
        bump(&mut counts.offered);
        bump(&mut counts.refused);
    }

    /// An alert was offered and counted into a summary.
    pub fn merge(&mut self, row: Row) {
        let counts = self.row_mut(row);
        bump(&mut counts.offered);
        bump(&mut counts.merged);
    }

    /// An alert was offered that is there already.
    pub fn duplicate(&mut self, row: Row) {
        let counts = self.row_mut(row);
        bump(&mut counts.offered);
        bump(&mut counts.duplicate);
    }

    /// An alert was offered and taken into the queue.
    pub fn accept(&mut self, row: Row) {
        let counts = self.row_mut(row);
        bump(&mut counts.offered);
        bump(&mut counts.accepted);
        bump(&mut counts.resident);
    }

    /// An alert left the queue for the reason given.
    pub fn settle(&mut self, row: Row, outcome: Outcome) {
        let counts = self.row_mut(row);
        counts.resident = counts.resident.wrapping_sub(1);
        bump(match outcome {
            Outcome::Acked => &mut counts.acked,
            Outcome::Superseded => &mut counts.superseded,
            Outcome::Cancelled => &mut counts.cancelled,
            Outcome::Expired => &mut counts.expired,
            Outcome::Displaced => &mut counts.displaced,
            Outcome::Undelivered => &mut counts.undelivered,
        });
    }

    /// The counts of one row.
    #[must_use]
    pub const fn row(&self, row: Row) -> &Counts {
        let [routine, priority, immediate, flash] = &self.live;
        match row {
            Row::Live(Precedence::Routine) => routine,
            Row::Live(Precedence::Priority) => priority,
            Row::Live(Precedence::Immediate) => immediate,
            Row::Live(Precedence::Flash) => flash,
            Row::Exercise => &self.exercise,
        }
    }

    /// Alerts in the queue now, over all rows.
    #[must_use]
    pub fn resident(&self) -> u32 {
        Row::ALL.iter().fold(0, |sum, &row| self.row(row).resident.wrapping_add(sum))
    }

    /// Whether both equations hold in every row. Cost: five rows of eleven additions.
    #[must_use]
    pub fn balances(&self) -> bool {
        Row::ALL.iter().all(|&row| self.row(row).balances())
    }

    /// The [`LEDGER_VALUES_PER_REPORT`] values from number `first` on, modulo 2^16, for a report.
    ///
    /// Values are cumulative, so a lost report loses nothing: the next round carries them again.
    #[must_use]
    pub fn report_values(&self, first: u8) -> [u16; LEDGER_VALUES_PER_REPORT] {
        let mut number = usize::from(first);
        core::array::from_fn(|_| {
            let row = Row::ALL.get(number / COUNTS);
            let value = row.and_then(|&row| self.row(row).values().get(number % COUNTS).copied());
            number = number.saturating_add(1);
            low_bits(value.unwrap_or(0))
        })
    }

    fn row_mut(&mut self, row: Row) -> &mut Counts {
        let [routine, priority, immediate, flash] = &mut self.live;
        match row {
            Row::Live(Precedence::Routine) => routine,
            Row::Live(Precedence::Priority) => priority,
            Row::Live(Precedence::Immediate) => immediate,
            Row::Live(Precedence::Flash) => flash,
            Row::Exercise => &mut self.exercise,
        }
    }
}

fn bump(count: &mut u32) {
    *count = count.wrapping_add(1);
}

#[allow(clippy::as_conversions, reason = "the low 16 bits are what a report carries")]
const fn low_bits(value: u32) -> u16 {
    (value & 0xffff) as u16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_sided_bookkeeping_is_noticed() {
        let mut ledger = Ledger::new();
        ledger.accept(Row::Exercise);
        assert!(ledger.balances());
        ledger.exercise.acked += 1;
        assert!(!ledger.balances());
        ledger.exercise.acked -= 1;
        ledger.exercise.offered += 1;
        assert!(!ledger.balances());
    }

    #[test]
    fn twelve_reports_carry_it_all() {
        let mut ledger = Ledger::new();
        for _ in 0..70_000 {
            ledger.refuse(Row::Exercise);
        }
        let carried: [u16; VALUES] = core::array::from_fn(|k| {
            ledger.report_values((k - k % LEDGER_VALUES_PER_REPORT) as u8)[k % LEDGER_VALUES_PER_REPORT]
        });
        assert_eq!(carried[48], (70_000 % 65_536) as u16);
        assert_eq!(carried[51], (70_000 % 65_536) as u16);
        assert_eq!(carried.iter().filter(|&&value| value != 0).count(), 2);
        assert_eq!(ledger.report_values(60), [0; 5]);
    }
}
