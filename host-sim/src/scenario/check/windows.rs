//! Windows of days: in order, and no longer than their precision says.

use crate::document::Cursor;
use crate::document::Findings;
use crate::scenario::calendar::{Date, Quarter};
use crate::scenario::file::{File, Precision};

pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for (i, incident) in file.incident.iter().enumerate() {
        let at = tree.key("incident").index(i);
        fits(incident.precision, incident.from, incident.until, at, findings);
    }
    for (i, event) in file.context.iter().enumerate() {
        let at = tree.key("context").index(i);
        fits(event.precision, event.from, event.until, at, findings);
    }
    for (i, bound) in file.bound.iter().enumerate() {
        in_order(bound.from, bound.until, tree.key("bound").index(i), findings);
    }
    for (i, fill_in) in file.fill_in.iter().enumerate() {
        in_order(fill_in.from, fill_in.until, tree.key("fill-in").index(i), findings);
    }
}

fn in_order(from: Date, until: Date, at: Cursor<'_>, findings: &mut Findings<'_>) -> bool {
    if until < from {
        let message = format!("`until` is `{until}`, before `from`");
        findings.add(at.key("until").span(), message, format!("allowed: {from} or later"));
    }
    from <= until
}

fn fits(precision: Precision, from: Date, until: Date, at: Cursor<'_>, findings: &mut Findings<'_>) {
    if !in_order(from, until, at, findings) {
        return;
    }
    let days = from.days_until(until) + 1;
    let month = |date: Date| (date.0.year(), date.0.month());
    let (holds, allowed) = match precision {
        Precision::Day => (days == 1, "the same day"),
        Precision::Month => (month(from) == month(until), "a day of the same month"),
        Precision::Season => (days <= 93, "at most 93 days"),
        Precision::Quarter => (Quarter::of(from) == Quarter::of(until), "a day of the same quarter"),
        Precision::Year => (days <= 366, "at most 366 days"),
    };
    if !holds {
        let message =
            format!("`{from}` to `{until}` is {days} days, more than precision `{}`", precision.name());
        findings.add(at.key("until").span(), message, format!("allowed: {allowed}"));
    }
}
