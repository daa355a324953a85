//! Commands and the reports that answer them, field by field.

use alertbus::limits::{ACTED_LEN, BODY_LEN_MAX};
use alertbus::message::{Acted, Command, CommandId, Order};
use alertbus::time::{ClockQuality, EventTime};
use serde_json::Value;

use super::body::{check_len, echo, payload_of};
use super::dissection::{Field, Span, Wrong};
use super::{hex, moment};

const ECHO_LEN: usize = 4;
const ID_LEN: usize = 5;
const TIME_LEN: usize = 6;
/// Echo, id and order, which every command has.
const HEAD_LEN: usize = ECHO_LEN + ID_LEN + 1;

/// Reads a command.
pub(super) fn command(body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    let got = body.bytes.len();
    let code = body.bytes.get(HEAD_LEN - 1).copied().unwrap_or_default();
    let lengths = lengths(code);
    let whole = lengths.iter().find(|len| **len >= got).or_else(|| lengths.last());
    let whole = whole.copied().unwrap_or(HEAD_LEN);
    // What is there of it is shown even where it ends early: the core reads it filled up with zeros.
    let mut filled = [0; BODY_LEN_MAX];
    for (room, byte) in filled.iter_mut().zip(body.bytes) {
        *room = *byte;
    }
    let read = Command::decode(filled.get(..whole).unwrap_or(&filled));
    if let Ok(command) = &read {
        let _all = command_fields(body, command, fields);
    }
    if got < HEAD_LEN {
        let allowed = format!("at least {HEAD_LEN}, which are echo, id and order");
        return Err(body.wrong(got, format!("the body ends after {}", hex::count(got)), allowed));
    }
    let name = read.as_ref().map_or("the command", |command| name(&command.order));
    let allowed: Vec<_> = lengths.iter().map(|len| (len - HEAD_LEN).to_string()).collect();
    let allowed = format!("{} bytes behind the order", allowed.join(" or "));
    match (got.checked_sub(whole), got - HEAD_LEN) {
        (Some(0), _) => Ok(()),
        (Some(extra), _) => {
            Err(body.wrong(whole, format!("{} too many behind {name}", hex::count(extra)), allowed))
        }
        (None, behind) => {
            let message = format!("{name} ends after {} behind the order", hex::count(behind));
            Err(body.wrong(got, message, allowed))
        }
    }
}

/// How long a command of this order may be, in bytes. Tried out, so that no second table of lengths can differ from
/// the core's.
fn lengths(code: u8) -> Vec<usize> {
    let mut body = [0; BODY_LEN_MAX];
    body[HEAD_LEN - 1] = code;
    let readable = |len: &usize| body.get(..*len).is_some_and(|body| Command::decode(body).is_ok());
    (HEAD_LEN..=BODY_LEN_MAX).filter(readable).collect()
}

const fn name(order: &Order) -> &'static str {
    match order {
        Order::Warn { .. } => "warn",
        Order::Clear(_) => "clear",
        Order::Test { .. } => "test",
        Order::Time(_) => "time",
        Order::NextEpoch(_) => "next-epoch",
        Order::Locate { .. } => "locate",
        Order::Unknown { .. } => "an order not known",
    }
}

/// The fields whose bytes are there.
fn command_fields(body: Span<'_>, read: &Command, fields: &mut Vec<Field>) -> Option<()> {
    let (span, rest) = body.split(ECHO_LEN)?;
    fields.push(echo(span, read.echo));
    let (span, rest) = rest.split(ID_LEN)?;
    fields.push(id("id", span, read.id));
    let (span, rest) = rest.split(1)?;
    let name = name(&read.order);
    fields.push(match read.order {
        Order::Unknown { code } => {
            span.field("order", code, format!("{code}, not known to this build: answered as unsupported"))
        }
        _ => span.field("order", name, name),
    });
    match &read.order {
        Order::Warn { zone, kind, duration_s } => {
            let (span, rest) = rest.split(2)?;
            fields.push(span.field("zone", zone.0, format!("site {}", zone.0)));
            let (span, rest) = rest.split(1)?;
            fields.push(match payload_of(*kind) {
                Some((name, _)) => span.field("kind", name, name),
                None => span.field("kind", *kind, format!("{kind}, not known to this build")),
            });
            let (span, _) = rest.split(2)?;
            fields.push(duration(span, *duration_s));
        }
        Order::Clear(ids) => {
            let mut rest = rest;
            for cleared in ids {
                let (span, behind) = rest.split(ID_LEN)?;
                fields.push(id("warning", span, *cleared));
                rest = behind;
            }
        }
        Order::Test { duration_s } | Order::Locate { duration_s } => {
            let (span, _) = rest.split(1)?;
            fields.push(duration(span, u16::from(*duration_s)));
        }
        Order::Time(time) => {
            let (span, _) = rest.split(TIME_LEN)?;
            fields.extend(calendar(span, *time));
        }
        Order::NextEpoch(epoch) => {
            let (span, _) = rest.split(4)?;
            let words = format!("{}, of which packets carry {:02x}", epoch.0, epoch.low());
            fields.push(span.field("next-epoch", epoch.0, words));
        }
        Order::Unknown { .. } => {
            if !rest.bytes.is_empty() {
                let words = format!("{}, as they came", hex::count(rest.bytes.len()));
                fields.push(rest.field("fields", hex::text(rest.bytes), words));
            }
        }
    }
    Some(())
}

fn id(name: &'static str, span: Span<'_>, id: CommandId) -> Field {
    let (gateway, packet) = (id.counter >> 24, id.counter & 0xff_ffff);
    let words = format!(
        "{id}: first sent as packet {packet} of gateway {gateway}, in an epoch that ends in {:02x}",
        id.epoch_low
    );
    span.field(name, id.to_string(), words)
}

fn duration(span: Span<'_>, duration_s: u16) -> Field {
    span.field("duration-s", duration_s, format!("{duration_s} s"))
}

/// The two that share the bytes of a time.
fn calendar(span: Span<'_>, time: EventTime) -> [Field; 2] {
    let (quality, millis) = (time.quality(), time.millis());
    let words = format!("{}: {}", moment::name(quality), moment::meaning(quality));
    let moment = if quality == ClockQuality::Uptime {
        span.field("uptime-ms", millis, format!("{millis} ms, which set no calendar"))
    } else {
        let time = moment::rfc3339(millis);
        let words = format!("{time}, {}", moment::meaning(quality));
        span.field("time", Value::from(time), words)
    };
    [span.field("clock-quality", moment::name(quality), words), moment]
}

/// Reads the report that answers a command.
pub(super) fn acted(body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    let mut filled = [0; ACTED_LEN];
    for (room, byte) in filled.iter_mut().zip(body.bytes) {
        *room = *byte;
    }
    if let Ok(read) = Acted::decode(&filled) {
        let _all = acted_fields(body, &read, fields);
    }
    check_len(body, ACTED_LEN, "the answer")
}

/// The fields whose bytes are there.
fn acted_fields(body: Span<'_>, read: &Acted, fields: &mut Vec<Field>) -> Option<()> {
    let (span, rest) = body.split(1)?;
    fields.push(span.field("report-kind", Acted::KIND, "2, the answer to a command"));
    let (span, rest) = rest.split(ID_LEN)?;
    fields.push(id("id", span, read.id));
    let (span, _) = rest.split(1)?;
    fields.push(span.field("result", read.result.name(), read.result.name()));
    Some(())
}
