//! What must come of rules: their tests, played over many seeds through the whole world, and judged.
//!
//! A [`Trial`] is laid out from rules (`layout`): tests that play the same scenario under the same faults share their
//! runs. Each run becomes a [`Record`] of where every alert went and when (`record`); runs are played on several
//! threads, and judged in the order of their seeds, so that the result does not depend on the threads (`judge`). What
//! comes out is an [`Outcome`] for each expectation, the deadlines of routes and snapshots among them.

mod judge;
mod latencies;
mod layout;
mod outcome;
mod record;
mod snapshot;

pub use layout::{Demands, Judged, Run, Trial};
pub use outcome::{Outcome, Verdict};
pub use record::{Played, Record, Visit};
pub use snapshot::Snapshot;
