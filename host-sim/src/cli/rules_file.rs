//! Rules as commands open them.

use std::path::Path;
use std::sync::Arc;

use anyhow::bail;

use super::Voice;
use crate::document::{Invalid, Report, one_of};
use crate::route::Rules;

/// The file in a folder that has rules.
pub(super) const FILE_NAME: &str = "rules.toml";

/// Opens the rules that the program carries under this name, a file, or `rules.toml` in a folder. What is worth a
/// remark is said, unless less was asked for.
///
/// # Errors
/// The rules are invalid.
pub(super) fn open(name_or_path: &str, voice: Voice) -> anyhow::Result<Arc<Rules>> {
    let (rules, report) = read(name_or_path)?;
    if !voice.quiet && !report.is_empty() {
        anstream::eprintln!("{}\n", report.render(true));
    }
    Ok(Arc::new(rules))
}

/// The same, with what is worth a remark.
///
/// # Errors
/// The rules are invalid.
pub(super) fn read(name_or_path: &str) -> Result<(Rules, Report), Invalid> {
    let path = Path::new(name_or_path);
    if !Rules::embedded_names().any(|name| name == name_or_path) && path.is_dir() {
        return Rules::load(&path.join(FILE_NAME));
    }
    Rules::open(name_or_path)
}

/// Refuses names of sinks that the rules do not have.
///
/// # Errors
/// Names the first, and those that there are.
pub(super) fn know_sinks(rules: &Rules, option: &str, names: &[String]) -> anyhow::Result<()> {
    let known: Vec<&str> = rules.sinks().iter().map(|sink| &*sink.name).collect();
    match names.iter().find(|name| !known.contains(&name.as_str())) {
        Some(name) => bail!("`{option} {name}`: {} has no such sink; {}", rules.name(), one_of(name, &known)),
        None => Ok(()),
    }
}

/// What an option or argument that takes rules says of itself.
pub(super) fn help() -> String {
    let names: Vec<_> = Rules::embedded_names().collect();
    format!(
        "A rules file, a folder with {FILE_NAME}, or rules that the program carries: {}",
        names.join(", ")
    )
}
