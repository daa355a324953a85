//! Comma-separated values (RFC 4180), one line an alert, what is not known left empty.

use std::io::{self, Write};

use super::View;

const HEAD: [&str; 22] = [
    "incident",
    "title",
    "mark",
    "tally",
    "quarter",
    "precision",
    "from",
    "until",
    "time",
    "kind",
    "precedence",
    "severity",
    "urgency",
    "certainty",
    "site",
    "latitude",
    "longitude",
    "accuracy_km",
    "node",
    "node_number",
    "sources",
    "fields",
];

pub(super) fn print(view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    record(HEAD.map(String::from), out)?;
    for incident in &view.incidents {
        for alert in &incident.alerts {
            let site = view.scenario.site(&alert.site);
            let mut fields = alert.spec.body.fields();
            fields.remove("kind");
            let fields: Vec<_> = fields
                .iter()
                .map(|(name, value)| {
                    format!("{name}={}", value.as_str().map_or_else(|| value.to_string(), String::from))
                })
                .collect();
            let cells = [
                incident.id.clone(),
                incident.title.clone(),
                incident.mark.name().into(),
                incident.tally.map_or("", |tally| tally.name()).into(),
                incident.quarter.map_or_else(String::new, |quarter| quarter.to_string()),
                incident.precision.name().into(),
                incident.from.to_string(),
                incident.until.to_string(),
                view.time(alert.at_ms),
                alert.kind().into(),
                alert.precedence().name().into(),
                alert.spec.severity.name().into(),
                alert.spec.urgency.name().into(),
                alert.spec.certainty.name().into(),
                alert.site.clone(),
                site.map_or(String::new(), |site| site.latitude.to_f64().to_string()),
                site.map_or(String::new(), |site| site.longitude.to_f64().to_string()),
                site.map_or(String::new(), |site| site.accuracy_km.to_f64().to_string()),
                alert.node_id.clone(),
                alert.node.0.to_string(),
                incident.sources.join(" "),
                fields.join(" "),
            ];
            record(cells, out)?;
        }
    }
    Ok(())
}

fn record<const N: usize>(cells: [String; N], out: &mut impl Write) -> io::Result<()> {
    let cells = cells.map(|cell| {
        let plain = !cell.contains([',', '"', '\n', '\r']);
        if plain { cell } else { format!("\"{}\"", cell.replace('"', "\"\"")) }
    });
    write!(out, "{}\r\n", cells.join(","))
}
