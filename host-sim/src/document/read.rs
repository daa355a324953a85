//! A file from the disk to a table, bounded, with the place of each mistake.

use std::io::Read;
use std::path::Path;

use toml::Spanned;
use toml::de::DeTable;

use super::diagnostic::{Findings, Invalid};
use super::shape::Shape;
use super::suggest::quoted;

/// A file is refused above this size in bytes: it is read as a whole.
pub const FILE_LEN_MAX: u64 = 10 * 1024 * 1024;

/// Reads the text at `path`, which is `what`. Whoever meant another one is helped by `hint`.
///
/// # Errors
/// It cannot be read, is too large, or is not UTF-8.
pub(crate) fn read(path: &Path, what: &str, hint: impl FnOnce() -> String) -> Result<String, Invalid> {
    let name = path.display().to_string();
    let mut bytes = Vec::new();
    std::fs::File::open(path).and_then(|file| file.take(FILE_LEN_MAX + 1).read_to_end(&mut bytes)).map_err(
        |error| Invalid::unread(&name, format!("cannot read {}: {error}", quoted(&name)), &hint()),
    )?;
    if u64::try_from(bytes.len()).is_ok_and(|len| len > FILE_LEN_MAX) {
        let message = format!("`{name}` is larger than {FILE_LEN_MAX} bytes");
        return Err(Invalid::unread(
            &name,
            message,
            &format!("{what} is read as a whole, so its size is bounded"),
        ));
    }
    let Err(error) = std::str::from_utf8(&bytes) else {
        return Ok(String::from_utf8(bytes).unwrap_or_default());
    };
    let at = error.valid_up_to();
    let value = bytes.get(at).copied().unwrap_or(0);
    let text = String::from_utf8_lossy(&bytes);
    let mut findings = Findings::new(&name, &text);
    // The replacement character stands where the first wrong byte stood.
    findings.add(at..at + 1, format!("byte {value:#04x} is not UTF-8"), "allowed: text in UTF-8");
    Err(findings.into_invalid())
}

/// The table that `text` is, where it has the shape; else what is wrong is noted.
pub(crate) fn table<'t>(
    text: &'t str,
    shape: &Shape,
    findings: &mut Findings<'_>,
) -> Option<Spanned<DeTable<'t>>> {
    let (table, errors) = DeTable::parse_recoverable(text);
    for error in errors {
        let span = error.span().unwrap_or(0..0);
        let (message, allowed) = in_its_field(text, span.start, error.message());
        findings.add(span, message, allowed);
    }
    if findings.is_empty() {
        shape.check(&table, findings);
    }
    findings.is_empty().then_some(table)
}

/// The keys that stand at the top of a file, however wrong the rest is; none where it cannot be read.
pub(crate) fn top_keys(path: &Path) -> Vec<String> {
    let Ok(text) = read(path, "a file", String::new) else { return Vec::new() };
    let (table, _) = DeTable::parse_recoverable(&text);
    table.get_ref().keys().map(|key| key.get_ref().to_string()).collect()
}

/// A mistake of TOML, with the field it is in where that is a day: of these TOML itself knows the calendar.
fn in_its_field(text: &str, at: usize, message: &str) -> (String, &'static str) {
    let before = text.get(..at).unwrap_or_default();
    let line = before.rsplit('\n').next().unwrap_or_default();
    match line.split_once('=') {
        Some((key, _)) if message.contains("date") => (
            format!("{}: {message}", quoted(key.trim())),
            "allowed: a day of the calendar such as 2020-01-08",
        ),
        _ => (message.to_owned(), ""),
    }
}
