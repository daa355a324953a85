//! One incident or context event, field by field, with what each field rests on.

use std::io::{self, Write};

use super::table::aligned;
use super::{View, json};
use crate::document::{near_miss, quoted};
use crate::scenario::{ContextEvent, Date, Incident, PlannedAlert, Precision, Provenance};

/// Prints the event `id`. One that does not exist is a usage error.
pub(super) fn show(view: &View<'_>, id: &str, as_json: bool, out: &mut impl Write) -> anyhow::Result<()> {
    if let Some(one) = view.incidents.iter().find(|incident| incident.id == id) {
        if as_json {
            json::incident(view, one, out)?;
        } else {
            incident(view, one, out)?;
        }
    } else if let Some(event) = view.scenario.file().context.iter().find(|event| event.id == id) {
        if as_json {
            json::context_event(event, out)?;
        } else {
            context_event(view, event, out)?;
        }
    } else {
        let documented = view.scenario.file().incident.iter().map(|incident| &*incident.id);
        let context = view.scenario.file().context.iter().map(|event| &*event.id);
        match near_miss(id, documented.chain(context)) {
            Some(near) => anyhow::bail!("no incident {}; did you mean `{near}`?", quoted(id)),
            None => anyhow::bail!(
                "no incident {}; `host-sim incidents --context` with the same scenario lists them",
                quoted(id)
            ),
        }
    }
    Ok(())
}

fn incident(view: &View<'_>, incident: &Incident, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} ({})", incident.id, incident.mark.name())?;
    let mut fields = common(
        &incident.title,
        incident.outcome.as_deref(),
        incident.precision,
        incident.from,
        incident.until,
    );
    let site = view.scenario.site(&incident.site);
    fields.push(("site", site.map_or_else(String::new, |site| format!("{} ({})", site.id, site.name))));
    if let (Some(tally), Some(quarter)) = (incident.tally, incident.quarter) {
        fields.push(("tally", format!("{} {quarter}", tally.name())));
    }
    let time = view.time(incident.at_ms);
    fields.push(("day", time.get(..10).unwrap_or_default().into()));
    fields.push(("time-of-day", time.get(11..).unwrap_or_default().into()));
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    listing(&fields, &incident.provenance, out)?;
    sources(view, &incident.sources, incident.note.as_deref(), out)?;
    for (number, alert) in incident.alerts.iter().enumerate() {
        planned_alert(incident, number + 1, alert, out)?;
    }
    Ok(())
}

fn planned_alert(
    incident: &Incident,
    number: usize,
    alert: &PlannedAlert,
    out: &mut impl Write,
) -> io::Result<()> {
    writeln!(out, "\nalert {number} of {}: {}, {}", incident.alerts.len(), alert.kind(), alert.precedence())?;
    let mut fields = vec![("node".to_owned(), format!("{} (number {})", alert.node_id, alert.node.0))];
    if alert.at_ms > incident.at_ms {
        fields.push(("after-s".into(), ((alert.at_ms - incident.at_ms) / 1_000).to_string()));
    }
    fields.push(("severity".into(), alert.spec.severity.name().into()));
    fields.push(("urgency".into(), alert.spec.urgency.name().into()));
    fields.push(("certainty".into(), alert.spec.certainty.name().into()));
    let mut said = alert.spec.body.fields();
    // What it is comes before what is known about it.
    for (name, value) in said.remove_entry("kind").into_iter().chain(said) {
        fields.push((name, value.as_str().map_or_else(|| value.to_string(), String::from)));
    }
    listing(&fields, &alert.provenance, out)
}

fn context_event(view: &View<'_>, event: &ContextEvent, out: &mut impl Write) -> io::Result<()> {
    writeln!(out, "{} (context, raises no alert)", event.id)?;
    let fields = common(&event.title, event.outcome.as_deref(), event.precision, event.from, event.until);
    let fields: Vec<_> = fields.into_iter().map(|(name, value)| (name.to_owned(), value)).collect();
    listing(&fields, &event.provenance(), out)?;
    sources(view, &event.sources, event.note.as_deref(), out)
}

fn common(
    title: &str,
    outcome: Option<&str>,
    precision: Precision,
    from: Date,
    until: Date,
) -> Vec<(&'static str, String)> {
    let mut fields = vec![("title", title.to_owned())];
    fields.extend(outcome.map(|outcome| ("outcome", outcome.to_owned())));
    fields.extend([
        ("precision", precision.name().to_owned()),
        ("from", from.to_string()),
        ("until", until.to_string()),
    ]);
    fields
}

fn listing(fields: &[(String, String)], provenance: &Provenance, out: &mut impl Write) -> io::Result<()> {
    // A day that is known is part of the window and needs no line of its own.
    let known = fields.iter().filter_map(|(name, value)| Some((name, provenance.of(name)?, value)));
    let rows: Vec<_> = known
        .map(|(name, rests_on, value)| [format!("  {name}"), rests_on.to_owned(), value.clone()])
        .collect();
    aligned(&rows, &[], out)
}

fn sources(view: &View<'_>, ids: &[String], note: Option<&str>, out: &mut impl Write) -> io::Result<()> {
    if let Some(note) = note {
        writeln!(out, "\nnote: {}", sentence(note))?;
    }
    for source in view.scenario.file().source.iter().filter(|source| ids.contains(&source.id)) {
        let title = source.title.as_deref().unwrap_or("no title");
        let authors =
            if source.authors.is_empty() { "no author named".into() } else { source.authors.join(", ") };
        writeln!(
            out,
            "source {}: {title}, {authors}; {} Written {}",
            source.id,
            sentence(&source.description),
            sentence(&source.written)
        )?;
    }
    Ok(())
}

/// A text with the full stop that its author may have left out.
fn sentence(text: &str) -> String {
    let text = text.trim_end();
    let stop = if text.is_empty() || text.ends_with(['.', '!', '?', '"', '”', ')']) { "" } else { "." };
    format!("{text}{stop}")
}
