//! GeoJSON (RFC 7946): one feature an incident, longitude before latitude.

use std::io::{self, Write};

use serde_json::{Value, json};

use super::{View, date};
use crate::scenario::Incident;

pub(super) fn print(view: &View<'_>, out: &mut impl Write) -> io::Result<()> {
    let features: Vec<_> = view.incidents.iter().map(|incident| feature(view, incident)).collect();
    serde_json::to_writer(&mut *out, &json!({ "type": "FeatureCollection", "features": features }))?;
    writeln!(out)?;
    Ok(())
}

fn feature(view: &View<'_>, incident: &Incident) -> Value {
    let mut sites: Vec<&str> = incident.alerts.iter().map(|alert| &*alert.site).collect();
    sites.dedup();
    let known: Vec<_> = sites.iter().filter_map(|id| view.scenario.site(id)).collect();
    let points: Vec<_> =
        known.iter().map(|site| json!([site.longitude.to_f64(), site.latitude.to_f64()])).collect();
    let geometry = match &*points {
        [point] => json!({ "type": "Point", "coordinates": point }),
        _ => json!({ "type": "MultiPoint", "coordinates": points }),
    };
    let accuracy_km = known.iter().map(|site| site.accuracy_km.to_f64()).fold(0.0, f64::max);
    json!({
        "type": "Feature",
        "id": incident.id,
        "geometry": geometry,
        "properties": {
            "title": incident.title,
            "mark": incident.mark.name(),
            "kinds": incident.alerts.iter().map(|alert| alert.kind()).collect::<Vec<_>>(),
            "sites": sites,
            "accuracy_km": accuracy_km,
            "date": date(incident),
            "from": incident.from.to_string(),
            "until": incident.until.to_string(),
            "time": view.time(incident.at_ms),
            "time_provenance": "modelled",
            "tally": incident.tally.map(|tally| tally.name()),
            "sources": incident.sources,
        },
    })
}
