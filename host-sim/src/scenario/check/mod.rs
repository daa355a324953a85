//! What the shape of a file cannot say: names that must be unique or exist, windows, sums, provenance.
//!
//! Each check goes through the whole file and notes all it finds; hardly any relies on another having passed.

mod layout;
mod names;
mod provenance;
mod tallies;
mod windows;

use super::file::File;
use crate::document::Cursor;
use crate::document::Findings;

/// Notes every inconsistency of `file`, which was read from `tree`.
pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    tallies::check(file, tree, findings);
    windows::check(file, tree, findings);
    // Above the bound on incidents, going through them all would take longer than anyone waits.
    if file.fill_in.iter().map(|fill_in| u64::from(fill_in.count)).sum::<u64>() <= tallies::INCIDENTS_MAX {
        names::check(file, tree, findings);
    }
    layout::check(file, tree, findings);
    provenance::check(file, tree, findings);
}
