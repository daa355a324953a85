//! The golden packets as a table that a microcontroller can hold: of each what is given, in bytes, and what comes out.

use std::fmt::Write;

/// The file that the project's other tests read, from this package's folder.
pub(crate) const FILE: &str = "../tests/golden/wire_v1.json";

/// The table as Rust source: an array of `Vector`, which whoever includes it defines. The file has one vector a line,
/// with hex where there are bytes, so that a line can be read without knowing what JSON is.
///
/// # Errors
/// The line that is not as it should be.
pub(crate) fn table(text: &str) -> Result<String, String> {
    let mut rows = String::new();
    let mut count = 0;
    for (at, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with(r#"{"name":"#)) {
        let row = row(line).ok_or_else(|| format!("{FILE}:{}: not a golden vector: {line}", at + 1))?;
        rows.push_str(&row);
        count += 1;
    }
    if count == 0 || count != text.matches(r#""derived":"#).count() {
        return Err(format!("{FILE} has {count} vectors on lines of their own, and others"));
    }
    Ok(format!("static GOLDEN: [Vector; {count}] = [\n{rows}];\n"))
}

fn row(line: &str) -> Option<String> {
    let (given, derived) = line.split_once(r#""derived":"#)?;
    let mut row = String::from("    Vector { ");
    for name in ["network", "epoch", "tag_len"] {
        write!(row, "{name}: {}, ", number(given, name)?).ok()?;
    }
    write!(row, "master_key: {:?}, ", bytes(given, "master_key")?).ok()?;
    for name in ["body", "packet"] {
        write!(row, "{name}: &{:?}, ", bytes(derived, name)?).ok()?;
    }
    // Only what travels on a byte stream has one.
    let frame = if derived.contains(r#""frame":"#) { bytes(derived, "frame")? } else { Vec::new() };
    writeln!(row, "frame: &{frame:?} }},").ok()?;
    Some(row)
}

fn number(object: &str, name: &str) -> Option<u32> {
    let value = value(object, name)?;
    value.split(|character: char| !character.is_ascii_digit()).next()?.parse().ok()
}

fn bytes(object: &str, name: &str) -> Option<Vec<u8>> {
    let (hex, _) = value(object, name)?.strip_prefix('"')?.split_once('"')?;
    let digit = |at: usize| hex.get(at..at + 2).and_then(|pair| u8::from_str_radix(pair, 16).ok());
    (0..hex.len()).step_by(2).map(digit).collect()
}

/// What follows the first field of this name.
fn value<'o>(object: &'o str, name: &str) -> Option<&'o str> {
    object.split_once(&format!(r#""{name}":"#)).map(|(_, value)| value)
}
