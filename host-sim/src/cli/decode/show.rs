//! A packet taken apart, as a table for people or as one JSON object.

use std::io::{self, Write};

use anstyle::{AnsiColor, Style};
use serde::Serialize;
use serde_json::Value;

use super::dissection::{Dissection, Field, Of, Wrong};
use super::hex;

/// Bytes shown on one line of the table.
const BYTES_PER_LINE: usize = 8;
const DIM: Style = Style::new().dimmed();
const BOLD: Style = Style::new().bold();
const WRONG: Style = AnsiColor::Red.on_default().bold();

/// Writes the table. Colours are taken out again where they are not wanted.
pub(super) fn text(number: u64, found: &Dissection, out: &mut impl Write) -> io::Result<()> {
    let verdict = match found.authentic {
        Some(true) => ", authentic",
        Some(false) => ", NOT AUTHENTIC",
        None => "",
    };
    writeln!(out, "{BOLD}packet {number}: {}{verdict}{BOLD:#}", hex::count(found.packet.len()))?;
    for assumed in &found.assumed {
        writeln!(out, "  taken for {assumed}")?;
    }
    let all = || [&found.header, &found.seal, &found.body].into_iter().flatten();
    let width = all().map(|field| field.name.len()).max().unwrap_or(0);
    rows(&found.header, width, out)?;
    rows(&found.seal, width, out)?;
    if !found.body.is_empty() {
        writeln!(out, "body in clear")?;
        rows(&found.body, width, out)?;
    }
    if let Some(wrong) = &found.wrong {
        writeln!(out, "{WRONG}first wrong byte:{WRONG:#} {}", sentence(wrong))?;
    }
    if let Some(advice) = found.advice {
        writeln!(out, "{advice}")?;
    }
    Ok(())
}

/// Bytes that several fields share are written once.
fn rows(fields: &[Field], width: usize, out: &mut impl Write) -> io::Result<()> {
    let column = 3 * BYTES_PER_LINE - 1;
    let mut before = None;
    for field in fields {
        let place = (field.offset, field.bytes.len());
        let mut lines = field.bytes.chunks(BYTES_PER_LINE);
        let (offset, bytes) = if before == Some(place) {
            (String::new(), String::new())
        } else {
            (field.offset.to_string(), lines.next().map(hex::spaced).unwrap_or_default())
        };
        let Field { name, words, .. } = field;
        writeln!(out, "{DIM}{offset:>4}{DIM:#}  {bytes:column$}  {name:width$}  {words}")?;
        if before != Some(place) {
            for bytes in lines {
                writeln!(out, "      {}", hex::spaced(bytes))?;
            }
        }
        before = Some(place);
    }
    Ok(())
}

fn sentence(wrong: &Wrong) -> String {
    let Wrong { of, offset, byte, message, allowed } = wrong;
    let of = match of {
        Of::Frame => " of the frame",
        Of::Packet => "",
    };
    let byte = byte.map_or_else(|| "missing".into(), |byte| format!("0x{byte:02x}"));
    format!("{offset}{of} is {byte}: {message}; allowed: {allowed}")
}

/// Writes one object on one line.
pub(super) fn json(number: u64, found: &Dissection, out: &mut impl Write) -> io::Result<()> {
    let part = |part: &'static str, fields: &'_ [Field]| -> Vec<FieldObject> {
        let object = |field: &Field| FieldObject {
            part,
            offset: field.offset,
            bytes: hex::text(&field.bytes),
            name: field.name,
            value: field.value.clone(),
            words: field.words.clone(),
        };
        fields.iter().map(object).collect()
    };
    let object = PacketObject {
        r#type: "packet",
        number,
        length: found.packet.len(),
        framed: found.framed,
        tag_length: (found.tag_len > 0).then_some(found.tag_len),
        authentic: found.authentic,
        assumed: &found.assumed,
        fields: [part("header", &found.header), part("seal", &found.seal), part("body", &found.body)]
            .concat(),
        wrong: found.wrong.as_ref().map(WrongObject::new),
        advice: found.advice,
    };
    serde_json::to_writer(&mut *out, &object)?;
    writeln!(out)
}

#[derive(Serialize)]
struct PacketObject<'d> {
    r#type: &'static str,
    number: u64,
    length: usize,
    framed: bool,
    tag_length: Option<usize>,
    /// Null where no key was tried, or there is no whole packet.
    authentic: Option<bool>,
    assumed: &'d [String],
    fields: Vec<FieldObject>,
    wrong: Option<WrongObject<'d>>,
    advice: Option<&'static str>,
}

#[derive(Clone, Serialize)]
struct FieldObject {
    part: &'static str,
    offset: usize,
    bytes: String,
    name: &'static str,
    value: Value,
    words: String,
}

#[derive(Serialize)]
struct WrongObject<'d> {
    of: &'static str,
    offset: usize,
    /// Null where it is missing.
    byte: Option<u8>,
    message: &'d str,
    allowed: &'d str,
}

impl<'d> WrongObject<'d> {
    fn new(wrong: &'d Wrong) -> Self {
        Self {
            of: match wrong.of {
                Of::Frame => "frame",
                Of::Packet => "packet",
            },
            offset: wrong.offset,
            byte: wrong.byte,
            message: &wrong.message,
            allowed: &wrong.allowed,
        }
    }
}
