//! A node's regular report, with the names of the ledger values it carries.

use alertbus::ledger::{Row, VALUES};
use alertbus::limits::{HEARTBEAT_LEN, LEDGER_VALUES_PER_REPORT};
use alertbus::message::Heartbeat;

use super::body::check_len;
use super::dissection::{Field, Span, Wrong};

/// The counts of a row, in the order in which reports carry them.
const COUNTS: [&str; 12] = [
    "offered",
    "duplicate",
    "merged",
    "refused",
    "accepted",
    "acked",
    "superseded",
    "cancelled",
    "expired",
    "displaced",
    "undelivered",
    "resident",
];

// Every value of the ledger has a name.
const _: () = assert!(COUNTS.len() * Row::ALL.len() == VALUES);

/// Reads a heartbeat, whose kind is seen already.
pub(super) fn heartbeat(body: Span<'_>, fields: &mut Vec<Field>) -> Result<(), Wrong> {
    // What is there of it is shown even where it ends early: the core reads it filled up with zeros.
    let mut whole = [0; HEARTBEAT_LEN];
    for (room, byte) in whole.iter_mut().zip(body.bytes) {
        *room = *byte;
    }
    if let Ok(heartbeat) = Heartbeat::decode(&whole) {
        let _all = heartbeat_fields(body, &heartbeat, fields);
    }
    check_len(body, HEARTBEAT_LEN, "the heartbeat")
}

/// The fields whose bytes are there.
fn heartbeat_fields(body: Span<'_>, read: &Heartbeat, fields: &mut Vec<Field>) -> Option<()> {
    let (span, rest) = body.split(1)?;
    fields.push(span.field("report-kind", Heartbeat::KIND, "1, a heartbeat"));
    let (span, rest) = rest.split(2)?;
    fields.push(span.field("boot", read.boot, format!("start number {}, modulo 65536", read.boot)));
    let (span, rest) = rest.split(1)?;
    fields.push(span.field("reset-cause", read.reset_cause.name(), read.reset_cause.name()));
    let (span, rest) = rest.split(6)?;
    let (ms, s) = (read.uptime_ms, read.uptime_ms / 1_000);
    let words = format!("{ms} ms, which are {} h {} min {} s", s / 3_600, s / 60 % 60, s % 60);
    fields.push(span.field("uptime-ms", ms, words));
    let (span, rest) = rest.split(4)?;
    let words = match read.heard {
        0 => "no gateway yet".into(),
        heard => {
            format!("packet {} of gateway {}, the down counter opened last", heard & 0xff_ffff, heard >> 24)
        }
    };
    fields.push(span.field("heard", read.heard, words));
    let (span, rest) = rest.split(4)?;
    let words = format!("every flash alert below {} is settled", read.flash_floor);
    fields.push(span.field("flash-floor", read.flash_floor, words));
    let (span, rest) = rest.split(2)?;
    let words = format!("{} live flash alerts handed back since start", read.flash_refused);
    fields.push(span.field("flash-refused", read.flash_refused, words));
    let (span, rest) = rest.split(2)?;
    let words = format!("{} of detectors and annunciators since start", read.driver_errors);
    fields.push(span.field("driver-errors", read.driver_errors, words));
    let (span, mut rest) = rest.split(1)?;
    let first = usize::from(read.ledger_index);
    let words = match first % LEDGER_VALUES_PER_REPORT {
        0 if first < VALUES => {
            format!("values {first} to {} of {VALUES}", first + LEDGER_VALUES_PER_REPORT - 1)
        }
        _ => format!("{first}; reports begin at 0, 5, … {}", VALUES - LEDGER_VALUES_PER_REPORT),
    };
    fields.push(span.field("ledger-index", read.ledger_index, words));
    for (number, value) in (first..).zip(read.ledger) {
        let (span, behind) = rest.split(2)?;
        fields.push(span.field("ledger", value, format!("{}: {value}, modulo 65536", ledger_name(number))));
        rest = behind;
    }
    Some(())
}

/// What the ledger counts under this number.
fn ledger_name(number: usize) -> String {
    let row = match Row::ALL.get(number / COUNTS.len()) {
        Some(Row::Live(precedence)) => format!("live {precedence}"),
        Some(Row::Exercise) => "exercise".into(),
        None => return format!("value {number}, which the ledger does not have"),
    };
    format!("{row} {}", COUNTS.get(number % COUNTS.len()).copied().unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use alertbus::Precedence;
    use alertbus::ledger::{Ledger, Outcome};

    use super::*;

    #[test]
    fn ledger_values_have_the_names_under_which_they_are_counted() {
        let mut ledger = Ledger::new();
        ledger.accept(Row::Live(Precedence::Flash));
        ledger.settle(Row::Live(Precedence::Flash), Outcome::Displaced);
        ledger.refuse(Row::Exercise);
        let values = (0..12).flat_map(|report| ledger.report_values(report * 5));
        let counted: Vec<_> =
            (0..).zip(values).filter(|(_, value)| *value > 0).map(|(n, _)| ledger_name(n)).collect();
        let flash = ["live flash offered", "live flash accepted", "live flash displaced"];
        assert_eq!(counted, [&flash[..], &["exercise offered", "exercise refused"]].concat());
        assert!(ledger_name(60).contains("does not have"));
        assert!(ledger_name(usize::MAX).contains("does not have"));
    }
}
