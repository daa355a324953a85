//! The data set's counts, bounds and determinism, and every kind of bad input with its place.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

mod base;
mod contradictions;
mod data_set;
mod files;
mod layout;
mod shipped;
mod values;

use super::*;
use crate::document::Diagnostic;

const TEXT: &str = EMBEDDED[0].1;

fn iraq() -> Scenario {
    Scenario::embedded("iraq-2019-2020").unwrap().unwrap_or_else(|invalid| panic!("{invalid}"))
}

/// What the loader says about the embedded scenario after one passage was replaced.
#[track_caller]
fn refused(passage: &str, by: &str) -> Vec<Diagnostic> {
    assert!(TEXT.contains(passage), "{passage}");
    let text = TEXT.replacen(passage, by, 1);
    Scenario::parse("s.toml", &text).expect_err("accepted").diagnostics().to_vec()
}

/// Holds that replacing `passage` by `by` is refused once, where `mark` stands in the new text, with these
/// words.
#[track_caller]
fn refuses(passage: &str, by: &str, mark: &str, message: &str, allowed: &str) {
    let found = refused(passage, by);
    assert_eq!(found.len(), 1, "{found:#?}");
    let text = TEXT.replacen(passage, by, 1);
    let start = TEXT.find(passage).unwrap() + by.find(mark).unwrap();
    let line = text[..start].matches('\n').count() + 1;
    let column = text[..start].rsplit('\n').next().unwrap().chars().count() + 1;
    assert_eq!((found[0].line, found[0].column), (line, column), "{found:#?}");
    assert!(found[0].message.contains(message), "{found:#?}");
    assert!(found[0].allowed.contains(allowed), "{found:#?}");
}
