//! What survives a power cut: numbers that must never repeat, and open Flash alerts.
//!
//! [`Store`] is the promise of a node's memory, [`Keep`] what a siren asks for beside it:
//!
//! | store | for | over a power cut |
//! | --- | --- | --- |
//! | [`Volatile`] | nodes and sirens that get a fresh key epoch at every start | keeps nothing |
//! | [`FlashStore`] | nodes with a NOR flash | keeps numbers and live Flash alerts |
//! | [`SirenStore`] | sirens with a NOR flash | keeps numbers and the note |
//!
//! Those on flash take any device of [`embedded_storage`], and were cut at every word they write and every page they
//! erase, twice over. All of them pass one conformance suite.

mod area;
mod counter_log;
mod entry;
mod flash;
mod journal;
mod layout;
mod note;
mod siren;
mod state_log;
mod volatile;

use core::fmt;
use core::task::Poll;

use crate::message::{Content, Epoch, EventKey, Seq};

pub use counter_log::Birth;
pub use flash::FlashStore;
pub use layout::{Layout, LayoutError};
pub use note::{Keep, Note};
pub use siren::SirenStore;
pub use volatile::Volatile;

/// A series of numbers of which none may be used twice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Series {
    /// Packet counters up, from 1 in each epoch.
    UpCounter,
    /// Numbers of Flash alerts, never restarted.
    FlashSeq,
    /// Numbers of all other alerts, never restarted.
    OtherSeq,
}

/// Where a node takes up its numbers after a start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Recovered {
    /// The key epoch.
    pub epoch: Epoch,
    /// Starts of this node, this one included, modulo 2^16.
    pub boot: u16,
    /// The first packet counter that was never reserved.
    pub up_counter: u32,
    /// The first Flash number that was never reserved.
    pub flash_seq: u32,
    /// The first other number that was never reserved.
    pub other_seq: u32,
}

/// A live Flash alert in the journal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Journalled {
    /// Its number.
    pub seq: Seq,
    /// What its source calls the event, so that it can be cleared after a power cut too.
    pub key: Option<EventKey>,
    /// Its content.
    pub content: Content,
}

#[cfg(feature = "defmt")]
impl defmt::Format for Journalled {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "flash {}", self.seq);
    }
}

/// Why a store cannot do what it is asked to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum StoreError {
    /// The counters are lost. The node must not send until it is provisioned anew, with a new epoch: a counter
    /// used twice would give the key stream away.
    CounterLost,
    /// No room for another record.
    Full,
    /// The series has come to its end; only a new epoch begins another.
    Spent,
    /// The device failed to write, or what was read back differs.
    Device,
}

impl fmt::Display for StoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::CounterLost => "the counters are lost; provision the node anew, with a new epoch",
            Self::Full => "no room for another record",
            Self::Spent => "the series has come to its end",
            Self::Device => "the device failed, or reads back something else",
        })
    }
}

impl core::error::Error for StoreError {}

/// The promise of a node's memory.
///
/// Each call may answer [`Poll::Pending`] (an erase takes a second on some parts); the node asks again at its next
/// step. It may ask for something else in between, and it may not come back to an alert that is settled meanwhile.
/// There is no waker: nothing in this crate waits.
pub trait Store {
    /// Whether an alert that [`Store::append`] has taken survives a power cut.
    const DURABLE: bool;

    /// Where to go on after a start.
    ///
    /// # Errors
    /// [`StoreError::CounterLost`] where it cannot be known which numbers were used.
    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>>;

    /// Makes all numbers of `series` below `end` this boot's own: whatever happens, [`Store::recover`] answers
    /// `end` or more from now on.
    ///
    /// # Errors
    /// Then none of them may be used. [`StoreError::Spent`] where `end` lies beyond
    /// [`UP_COUNTER_MAX`](crate::limits::UP_COUNTER_MAX) or [`SEQ_MAX`](crate::limits::SEQ_MAX).
    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>>;

    /// Moves on to `epoch`, in which no packet counter has been used: [`Store::recover`] answers it, or a later one,
    /// from now on, and the series [`Series::UpCounter`] begins anew at 1. An epoch that has been reached already
    /// changes nothing.
    ///
    /// # Errors
    /// Then the node stays in its epoch.
    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>>;

    /// Journals a live Flash alert. One with the same number that is there already gives way to it.
    ///
    /// # Errors
    /// Then it need not survive a power cut; it is sent all the same. [`StoreError::Full`] where as many are live as
    /// there is room for.
    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>>;

    /// The Flash alert with this number is settled and need not be kept. One that is unknown is no error.
    ///
    /// # Errors
    /// Then it may be recovered once more after a power cut; the gateway knows it and acknowledges it again.
    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>>;

    /// The journalled alert without an outcome that has the lowest number above `after`.
    ///
    /// # Errors
    /// The device failed.
    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>>;

    /// Housekeeping ahead of need, such as erasing what is no longer used. It may take as long as one erase and
    /// answers [`Poll::Pending`] while more is left; the node calls it once after each report, when nothing else is
    /// to be done.
    ///
    /// # Errors
    /// The device failed. Nothing is lost.
    fn tidy(&mut self) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }
}
