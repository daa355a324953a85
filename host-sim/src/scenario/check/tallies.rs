//! Sums: documented incidents and fill-ins add up to the source's count, and fill-ins keep to the bounds.

use std::collections::BTreeMap;

use crate::document::Cursor;
use crate::document::Findings;
use crate::scenario::body::{Between, FillInBody};
use crate::scenario::calendar::Quarter;
use crate::scenario::file::{BoundRule, File, FillIn, TallyName};

/// Incidents that a replay may hold; a gateway's tables and a person's patience end about there.
pub(super) const INCIDENTS_MAX: u64 = 100_000;

/// Alerts that a replay may hold: each is kept in memory, with its words.
const ALERTS_MAX: u64 = 250_000;

pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    sums(file, tree, findings);
    repeats(file, tree, findings);
    for (i, fill_in) in file.fill_in.iter().enumerate() {
        let at = tree.key("fill-in").index(i);
        inside_quarter(fill_in, at, findings);
        ranges(fill_in, at, findings);
        bounds(file, fill_in, at, findings);
    }
}

fn sums(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut counted = BTreeMap::<(TallyName, Quarter), (u64, u64)>::new();
    for (i, tally) in file.tally.iter().enumerate() {
        if counted.insert((tally.name, tally.quarter), (0, 0)).is_some() {
            let message = format!("a second tally of `{}` for `{}`", tally.name.name(), tally.quarter);
            let span = tree.key("tally").index(i).key("quarter").span();
            findings.add(span, message, "allowed: one for each name and quarter");
        }
    }
    for (i, incident) in file.incident.iter().enumerate() {
        let Some(name) = incident.tally else { continue };
        let quarter = Quarter::of(incident.from);
        let at = tree.key("incident").index(i).key("tally");
        if incident.is_modelled() {
            let message = format!("`{}` is modelled, and a tally counts what a source does", incident.id);
            findings.add(at.span(), message, "allowed: no `tally` where all fields are modelled");
        }
        match counted.get_mut(&(name, quarter)) {
            Some((documented, _)) if Quarter::of(incident.until) == quarter => *documented += 1,
            Some(_) => {
                let message = format!("a tally counts by quarter, and `{}` may lie in several", incident.id);
                findings.add(at.span(), message, "allowed: a window within one quarter");
            }
            None => no_tally(name, quarter, at, findings),
        }
    }
    let mut total = u64::try_from(file.incident.len()).unwrap_or(u64::MAX);
    for (i, fill_in) in file.fill_in.iter().enumerate() {
        total = total.saturating_add(u64::from(fill_in.count));
        let at = tree.key("fill-in").index(i);
        match counted.get_mut(&(fill_in.tally, fill_in.quarter)) {
            Some((_, filled_in)) => *filled_in += u64::from(fill_in.count),
            None => no_tally(fill_in.tally, fill_in.quarter, at.key("tally"), findings),
        }
        if total > INCIDENTS_MAX {
            let message = format!("with `count` = `{}` there are {total} incidents", fill_in.count);
            findings.add(at.key("count").span(), message, format!("allowed: {INCIDENTS_MAX} in all"));
        }
    }
    for (i, tally) in file.tally.iter().enumerate() {
        let (documented, filled_in) = counted.get(&(tally.name, tally.quarter)).copied().unwrap_or_default();
        if documented + filled_in != u64::from(tally.count) {
            let message = format!(
                "`count` of `{}` in `{}` is `{}`, but {documented} documented and {filled_in} filled in",
                tally.name.name(),
                tally.quarter,
                tally.count
            );
            let span = tree.key("tally").index(i).key("count").span();
            findings.add(span, message, format!("allowed: their sum, {}", documented + filled_in));
        }
    }
}

/// Alerts that are raised again and again are bounded in all, as incidents are.
fn repeats(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut total = 0;
    for (i, incident) in file.incident.iter().enumerate() {
        for (j, alert) in incident.alert.iter().enumerate() {
            total += alert.repeat.map_or(1, |repeat| u64::from(repeat.count));
            if let Some(repeat) = alert.repeat.filter(|_| total > ALERTS_MAX) {
                let message = format!("with `count` = `{}` there are {total} alerts", repeat.count);
                let at = tree.key("incident").index(i).key("alert").index(j).key("repeat").key("count");
                findings.add(at.span(), message, format!("allowed: at most {ALERTS_MAX} in all"));
                return;
            }
        }
    }
}

fn no_tally(name: TallyName, quarter: Quarter, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let message = format!("there is no tally of `{}` for `{quarter}`", name.name());
    findings.add(at.span(), message, "allowed: a name and quarter that a [[tally]] counts");
}

fn inside_quarter(fill_in: &FillIn, at: Cursor<'_>, findings: &mut Findings<'_>) {
    for (key, date) in [("from", fill_in.from), ("until", fill_in.until)] {
        if Quarter::of(date) != fill_in.quarter {
            let message = format!("`{key}` is `{date}`, outside `{}`", fill_in.quarter);
            findings.add(at.key(key).span(), message, "allowed: a day of the quarter");
        }
    }
}

fn ranges(fill_in: &FillIn, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut ordered = |key: &str, range: Option<(u8, u8)>| {
        if let Some((min, max)) = range
            && max < min
        {
            let span = at.key("body").key(key).key("max").span();
            findings.add(
                span,
                format!("`max` of `{key}` is `{max}`, below `min`"),
                format!("allowed: at least {min}"),
            );
        }
    };
    match &fill_in.body {
        FillInBody::RocketLaunch { rounds, .. } => ordered("rounds", rounds.map(Between::ends)),
        FillInBody::DroneSighting { count, .. } => ordered("count", count.map(Between::ends)),
        FillInBody::ConvoyIed { array_count, vehicles, wounded, killed, .. } => {
            ordered("array-count", array_count.map(Between::ends));
            ordered("vehicles", vehicles.map(Between::ends));
            ordered("wounded", wounded.map(Between::ends));
            ordered("killed", killed.map(Between::ends));
        }
    }
}

fn bounds(file: &File, fill_in: &FillIn, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let some = |range: &Option<Between<0, 255>>| range.is_some_and(|range| range.max > 0);
    let (wounded, killed) = match &fill_in.body {
        FillInBody::ConvoyIed { wounded, killed, .. } => (some(wounded), some(killed)),
        _ => (false, false),
    };
    for bound in file.bound.iter().filter(|bound| bound.from <= fill_in.until && fill_in.from <= bound.until)
    {
        let days = format!("{} to {}", bound.from, bound.until);
        if bound.rule == BoundRule::NoFillIn {
            let message = format!("`{}` to `{}` reaches into {days}", fill_in.from, fill_in.until);
            findings.add(
                at.key("from").span(),
                message,
                "allowed: days that no bound with `no-fill-in` covers",
            );
        }
        if killed && bound.rule != BoundRule::NoFillIn {
            let message = format!("`killed` may be above 0, but a bound says nobody from {days}");
            findings.add(at.key("body").key("killed").span(), message, "allowed: 0");
        }
        if wounded && bound.rule == BoundRule::NoCasualties {
            let message = format!("`wounded` may be above 0, but a bound says nobody from {days}");
            findings.add(at.key("body").key("wounded").span(), message, "allowed: 0");
        }
    }
}
