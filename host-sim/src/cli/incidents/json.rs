//! One JSON object a line: every incident with its alerts, and context events where asked.

use std::collections::BTreeMap;
use std::io::{self, Write};

use serde::Serialize;
use serde_json::Value;

use super::{View, kinds};
use crate::scenario::{ContextEvent, Incident, PlannedAlert, Provenance};

/// An incident as it is written. Times are RFC 3339, `*_ms` milliseconds since 1970, universal time.
#[derive(Serialize)]
struct IncidentObject<'i> {
    r#type: &'static str,
    id: &'i str,
    title: &'i str,
    outcome: Option<&'i str>,
    mark: &'static str,
    kinds: Vec<&'static str>,
    site: &'i str,
    site_name: &'i str,
    tally: Option<&'static str>,
    quarter: Option<String>,
    window: Window,
    time: String,
    time_ms: u64,
    sources: &'i [String],
    note: Option<&'i str>,
    provenance: Provenance,
    alerts: Vec<AlertObject<'i>>,
}

/// When it may have been: local days, both included.
#[derive(Serialize)]
struct Window {
    precision: &'static str,
    from: String,
    until: String,
}

#[derive(Serialize)]
struct AlertObject<'i> {
    kind: &'static str,
    precedence: &'static str,
    node: &'i str,
    node_number: u16,
    after_s: u64,
    site: &'i str,
    latitude: f64,
    longitude: f64,
    accuracy_km: f64,
    time: String,
    time_ms: u64,
    severity: &'static str,
    urgency: &'static str,
    certainty: &'static str,
    /// What its kind says, without what is not known.
    fields: BTreeMap<String, Value>,
    provenance: Provenance,
}

#[derive(Serialize)]
struct ContextObject<'e> {
    r#type: &'static str,
    id: &'e str,
    title: &'e str,
    outcome: Option<&'e str>,
    mark: &'static str,
    window: Window,
    sources: &'e [String],
    note: Option<&'e str>,
    provenance: Provenance,
}

pub(super) fn print(view: &View<'_>, context: &[ContextEvent], out: &mut impl Write) -> io::Result<()> {
    for one in &view.incidents {
        incident(view, one, out)?;
    }
    for event in context {
        context_event(event, out)?;
    }
    Ok(())
}

pub(super) fn incident(view: &View<'_>, incident: &Incident, out: &mut impl Write) -> io::Result<()> {
    let object = IncidentObject {
        r#type: "incident",
        id: &incident.id,
        title: &incident.title,
        outcome: incident.outcome.as_deref(),
        mark: incident.mark.name(),
        kinds: kinds(incident),
        site: &incident.site,
        site_name: view.scenario.site(&incident.site).map_or("", |site| &site.name),
        tally: incident.tally.map(|tally| tally.name()),
        quarter: incident.quarter.map(|quarter| quarter.to_string()),
        window: Window {
            precision: incident.precision.name(),
            from: incident.from.to_string(),
            until: incident.until.to_string(),
        },
        time: view.time(incident.at_ms),
        time_ms: incident.at_ms,
        sources: &incident.sources,
        note: incident.note.as_deref(),
        provenance: snake_case(&incident.provenance),
        alerts: incident.alerts.iter().map(|alert| alert_object(view, incident, alert)).collect(),
    };
    line(&object, out)
}

pub(super) fn context_event(event: &ContextEvent, out: &mut impl Write) -> io::Result<()> {
    let object = ContextObject {
        r#type: "context",
        id: &event.id,
        title: &event.title,
        outcome: event.outcome.as_deref(),
        mark: "context",
        window: Window {
            precision: event.precision.name(),
            from: event.from.to_string(),
            until: event.until.to_string(),
        },
        sources: &event.sources,
        note: event.note.as_deref(),
        provenance: snake_case(&event.provenance()),
    };
    line(&object, out)
}

fn alert_object<'i>(view: &View<'i>, incident: &Incident, alert: &'i PlannedAlert) -> AlertObject<'i> {
    let site = view.scenario.site(&alert.site);
    let mut fields = alert.spec.body.fields();
    // The kind stands outside, where every alert has it.
    fields.remove("kind");
    AlertObject {
        kind: alert.kind(),
        precedence: alert.precedence().name(),
        node: &alert.node_id,
        node_number: alert.node.0,
        after_s: (alert.at_ms - incident.at_ms) / 1_000,
        site: &alert.site,
        latitude: site.map_or(0.0, |site| site.latitude.to_f64()),
        longitude: site.map_or(0.0, |site| site.longitude.to_f64()),
        accuracy_km: site.map_or(0.0, |site| site.accuracy_km.to_f64()),
        time: view.time(alert.at_ms),
        time_ms: alert.at_ms,
        severity: alert.spec.severity.name(),
        urgency: alert.spec.urgency.name(),
        certainty: alert.spec.certainty.name(),
        fields: fields.iter().map(|(name, value)| (snake(name), value.clone())).collect(),
        provenance: snake_case(&alert.provenance),
    }
}

/// Names as JSON keys are written here.
fn snake_case(provenance: &Provenance) -> Provenance {
    let names = |list: &[String]| list.iter().map(|name| snake(name)).collect();
    Provenance {
        stated: names(&provenance.stated),
        inferred: names(&provenance.inferred),
        modelled: names(&provenance.modelled),
    }
}

fn snake(name: &str) -> String {
    name.replace('-', "_")
}

fn line(object: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)?;
    Ok(())
}
