//! What an opened body says, field by field, and where it stops making sense.
//!
//! Values are read by the core. It reads a message whole or not at all, so what remains to be done here is to walk
//! along the same bytes, to show what stands before a mistake, and to name it. Tests hold the two to one verdict.

use alertbus::limits::{
    ACK_ITEMS_MAX, HEAD_LEN, KIND_LEN_MAX, SEQ_MAX, VARINT_U32_LEN_MAX, WHEN_LEN, WHERE_LEN,
};
use alertbus::message::{Acted, Alert, Body, Heartbeat, Phase, Seq, Undecodable};
use alertbus::time::ClockQuality;
use alertbus::wire::packet::{Class, Header};
use serde_json::Value;

use super::dissection::{Dissection, Field, Span, Wrong};
use super::{command, heartbeat, hex, kinds, moment};

/// A kind that no build knows: what is read under it does not depend on the payload.
const NO_KIND: u8 = 255;
/// Severity to place: what every alert has between its number and its reference, in bytes.
const FIXED_LEN: usize = HEAD_LEN + 1 + WHEN_LEN + WHERE_LEN;
const OTHER_SEQUENCE: u8 = 0b10_0000;
const REPORT_KINDS: &str = "0x01, a heartbeat, or 0x02, the answer to a command";

/// Reads the body of a packet that has proven authentic.
pub(super) fn dissect(header: &Header, body: Span<'_>, found: &mut Dissection) {
    let wrong = match header.class {
        Class::Alert => alert(header, body, &mut found.body),
        Class::Report => report(body, &mut found.body),
        Class::Ack => ack(body, &mut found.body),
        Class::Command => command::command(body, &mut found.body),
    };
    if wrong.is_err() {
        let read = found.body.last().map_or(0, |last| last.end().saturating_sub(body.offset));
        if let Some((_, rest)) = body.split(read).filter(|(_, rest)| !rest.bytes.is_empty()) {
            let words = format!("{}, not read", hex::count(rest.bytes.len()));
            found.body.push(rest.field("rest", hex::text(rest.bytes), words));
        }
    }
    found.blame(wrong.err());
}

fn alert(header: &Header, body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    let (seq, span, content) = number(body)?;
    fields.push(span.field("seq", seq, seq.to_string()));
    check_seq(seq, span)?;

    let (fixed, _) = content.split(content.bytes.len().min(FIXED_LEN)).unwrap_or((content, content));
    let mut probe = [0; FIXED_LEN + 1];
    for (room, byte) in probe.iter_mut().zip(fixed.bytes) {
        *room = *byte;
    }
    probe[HEAD_LEN] = NO_KIND;
    // The byte behind the fixed part serves as the shortest reference where one is due.
    let Ok(read) = Alert::decode(&probe) else {
        return Err(fixed.wrong(0, "these bytes cannot be read", "the fields of an alert"));
    };
    let _all = fixed_fields(header, content, &read, fields);
    let Some((_, rest)) = content.split(FIXED_LEN) else {
        let len = fixed.bytes.len();
        let message = format!("the body ends after {len} of the {FIXED_LEN} bytes behind its number");
        return Err(fixed.wrong(len, message, "severity to place, in full"));
    };
    let payload = match read.phase {
        Phase::Onset => rest,
        _ => {
            let other = fixed.bytes.get(HEAD_LEN + 1).is_some_and(|when| when & OTHER_SEQUENCE != 0);
            reference(rest, other, fields)?
        }
    };
    match Alert::decode(content.bytes) {
        Ok(alert) => {
            kinds::fields(&alert.body, payload, fields);
            Ok(())
        }
        Err(error) => Err(wrong_payload(error, content, payload)),
    }
}

/// Shows the fields whose bytes are there; none where some are missing.
fn fixed_fields(header: &Header, content: Span<'_>, read: &Alert, fields: &mut Vec<Field>) -> Option<()> {
    let (head, rest) = content.split(HEAD_LEN)?;
    fields.push(head.field("severity", read.severity.name(), read.severity.name()));
    fields.push(head.field("urgency", read.urgency.name(), read.urgency.name()));
    fields.push(head.field("certainty", read.certainty.name(), read.certainty.name()));
    let quality = read.time.quality();
    let words = format!("{}: {}", moment::name(quality), moment::meaning(quality));
    fields.push(head.field("clock-quality", moment::name(quality), words));
    let radius_m = read.place.accuracy().radius_m();
    let radius_km = radius_m.map(|radius| f64::from(radius) / 1_000.0);
    let words = radius_km.map_or_else(|| "place not known".into(), |radius| format!("within {radius} km"));
    fields.push(head.field("accuracy-km", radius_km.map_or(Value::Null, Value::from), words));

    let (kind, rest) = rest.split(1)?;
    let code = kind.bytes.first().copied().unwrap_or(NO_KIND);
    fields.push(kinds::kind(code, kind, header.precedence, content));

    let (when, rest) = rest.split(WHEN_LEN)?;
    fields.push(when.field("phase", read.phase.name(), read.phase.name()));
    let boot = format!("{}, the low three bits of the node's count of starts", read.boot);
    fields.push(when.field("boot", read.boot, boot));
    let millis = read.time.millis();
    fields.push(if quality == ClockQuality::Uptime {
        when.field("uptime-ms", millis, format!("{millis} ms after that start"))
    } else {
        let time = moment::rfc3339(millis);
        when.field("time", &*time, format!("{time}, {}", moment::meaning(quality)))
    });

    let (place, _) = rest.split(WHERE_LEN)?;
    let mut coordinate = |name, e7: i32, positive, negative| {
        let degrees = f64::from(e7) / 1e7;
        let words = format!("{:.5} degrees {}", degrees.abs(), if e7 < 0 { negative } else { positive });
        fields.push(if read.place.is_known() {
            place.field(name, degrees, words)
        } else {
            place.field(name, Value::Null, "not known")
        });
    };
    coordinate("latitude", read.place.latitude_e7(), "north", "south");
    coordinate("longitude", read.place.longitude_e7(), "east", "west");
    Some(())
}

/// Reads the reference of an alert that is no onset, and returns what stands behind it.
fn reference<'b>(rest: Span<'b>, other: bool, fields: &mut Vec<Field>) -> Result<Span<'b>, Wrong> {
    let (number, span, payload) = number(rest)?;
    let (value, words) = match (number, other) {
        (0, _) => ("all".into(), "all alerts of this kind that the node has open".into()),
        (back, false) => (format!("back:{back}"), format!("the alert {back} numbers before this one")),
        (seq, true) => (format!("other:{seq}"), format!("number {seq} in the node's other sequence")),
    };
    fields.push(span.field("reference", value, words));
    if other && number != 0 {
        check_seq(number, span)?;
    }
    Ok(payload)
}

fn wrong_payload(error: Undecodable, content: Span<'_>, payload: Span<'_>) -> Wrong {
    let code = content.bytes.get(HEAD_LEN).copied().unwrap_or(NO_KIND);
    let (name, len) = payload_of(code).unwrap_or(("a kind not known", KIND_LEN_MAX));
    let got = payload.bytes.len();
    let allowed =
        if name == "a kind not known" { format!("at most {len} bytes") } else { format!("{len} bytes") };
    match error {
        Undecodable::Truncated => {
            payload.wrong(got, format!("the payload of {name} ends after {}", hex::count(got)), allowed)
        }
        Undecodable::TrailingBytes { extra } => {
            let at = got.saturating_sub(extra);
            payload.wrong(at, format!("{} too many behind the payload of {name}", hex::count(extra)), allowed)
        }
        other => payload.wrong(0, other.to_string(), allowed),
    }
}

/// Name and length in bytes of the payload of a kind that this build knows. Tried out, so that no second table of
/// lengths can differ from the core's.
pub(super) fn payload_of(code: u8) -> Option<(&'static str, usize)> {
    let mut content = [0; FIXED_LEN + KIND_LEN_MAX];
    content[HEAD_LEN] = code;
    (0..=KIND_LEN_MAX).find_map(|len| {
        let alert = Alert::decode(content.get(..FIXED_LEN + len)?).ok()?;
        (!matches!(alert.body, Body::Unknown(_))).then_some((alert.body.name(), len))
    })
}

fn report(body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    let Some((kind, _)) = body.split(1) else {
        return Err(body.wrong(0, "the body is empty", REPORT_KINDS));
    };
    match kind.bytes.first().copied().unwrap_or_default() {
        Heartbeat::KIND => heartbeat::heartbeat(body, fields),
        Acted::KIND => command::acted(body, fields),
        code => {
            fields.push(kind.field("report-kind", code, format!("{code}, not known")));
            Err(body.wrong(0, format!("report kind {code} is not known"), REPORT_KINDS))
        }
    }
}

/// Blames the first byte that is missing or too many in a message of one length.
pub(super) fn check_len(body: Span<'_>, len: usize, what: &str) -> Result<(), Wrong> {
    let got = body.bytes.len();
    let allowed = format!("{len} bytes");
    match got.checked_sub(len) {
        Some(0) => Ok(()),
        Some(extra) => Err(body.wrong(len, format!("{} too many behind {what}", hex::count(extra)), allowed)),
        None => Err(body.wrong(got, format!("{what} ends after {}", hex::count(got)), allowed)),
    }
}

/// The field with which everything that comes down begins.
pub(super) fn echo(span: Span<'_>, counter: u32) -> Field {
    span.field("echo", counter, format!("{counter}, the highest counter opened from the node"))
}

fn ack(body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    let word = |span: Span<'_>| span.bytes.iter().fold(0, |word, byte| word << 8 | u32::from(*byte));
    let short = |rest: Span<'_>| {
        let got = rest.bytes.len();
        rest.wrong(got, format!("the body ends after {}", hex::count(got)), "four bytes")
    };
    let (dated, mut rest) = body.split(4).ok_or_else(|| short(body))?;
    fields.push(echo(dated, word(dated)));
    for _ in 0..ACK_ITEMS_MAX {
        if rest.bytes.is_empty() {
            return Ok(());
        }
        let (item, behind) = rest.split(4).ok_or_else(|| short(rest))?;
        let (flash, seq) = (word(item) > SEQ_MAX, word(item) & SEQ_MAX);
        let sequence = if flash { "flash" } else { "other" };
        fields.push(item.field("stored", format!("{sequence}:{seq}"), format!("{sequence} alert {seq}")));
        check_seq(seq, item)?;
        rest = behind;
    }
    if rest.bytes.is_empty() {
        return Ok(());
    }
    let message = format!("{} too many behind {ACK_ITEMS_MAX} alerts", hex::count(rest.bytes.len()));
    Err(rest.wrong(0, message, format!("at most {ACK_ITEMS_MAX} alerts")))
}

fn check_seq(number: u32, span: Span<'_>) -> Result<(), Wrong> {
    match Seq::new(number) {
        Some(_) => Ok(()),
        None => Err(span.wrong(0, format!("number {number} begins here"), format!("1 to {SEQ_MAX}"))),
    }
}

/// A varint, the bytes it stands in, and what is behind it.
fn number(span: Span<'_>) -> Result<(u32, Span<'_>, Span<'_>), Wrong> {
    let mut number = 0;
    for at in 0..VARINT_U32_LEN_MAX {
        let Some(&byte) = span.bytes.get(at) else {
            return Err(span.wrong(at, "the body ends within a number", "a byte below 0x80 as the last"));
        };
        let last = at + 1 == VARINT_U32_LEN_MAX;
        // Four bytes carry 28 bits; four more remain.
        if last && byte > 0x0f {
            return Err(span.wrong(at, "the number that ends here has more than 32 bits", "0x00 to 0x0f"));
        }
        number |= u32::from(byte & 0x7f) << (7 * at);
        if let (true, Some((bytes, rest))) = (byte < 0x80, span.split(at + 1)) {
            return Ok((number, bytes, rest));
        }
    }
    Err(span.wrong(0, "a number of more than five bytes begins here", "one to five bytes"))
}

#[cfg(test)]
mod tests;
