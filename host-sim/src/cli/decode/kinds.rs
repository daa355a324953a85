//! What each kind of alert says, under the names that scenarios and `encode` use, with units.

use alertbus::message::Alert;
use alertbus::message::kind::{ConvoyIed, CramEngagement, DroneSighting, RocketLaunch, Summary, Tamper};
use alertbus::{Body, Precedence, SiteId};
use serde_json::Value;

use super::body::payload_of;
use super::dissection::{Field, Span};
use super::hex;
use crate::scenario::Words;

/// The field that names the kind. `content` begins with the head of the alert.
pub(super) fn kind(code: u8, span: Span<'_>, carried: Precedence, content: Span<'_>) -> Field {
    let Some((name, _)) = payload_of(code) else {
        return span.field(
            "kind",
            code,
            format!("{code}, not known to this build: its payload is kept as it came"),
        );
    };
    // A gateway delivers at whichever is higher, so the difference is worth a word.
    let own = Alert::decode(content.bytes).ok().map(|alert| alert.body.precedence());
    let words = match own {
        Some(own) if own > carried => format!("{name}, which is {own} by itself and is delivered as that"),
        _ => name.into(),
    };
    span.field("kind", name, words)
}

/// The fields of a payload, all of which stand in `span`.
pub(super) fn fields(body: &Body, span: Span<'_>, fields: &mut Vec<Field>) {
    let mut payload = Payload { span, fields };
    match body {
        Body::Summary(summary) => payload.summary(summary),
        Body::RocketLaunch(launch) => payload.rocket_launch(launch),
        Body::CramEngagement(engagement) => payload.cram_engagement(engagement),
        Body::DroneSighting(sighting) => payload.drone_sighting(sighting),
        Body::ConvoyIed(ied) => payload.convoy_ied(ied),
        Body::Tamper(Tamper { what }) => payload.word("what", *what),
        // Unknown to the core, or newer than this file.
        _ => {
            let words = format!("{}, as they came", hex::count(span.bytes.len()));
            payload.fields.push(span.field("payload", hex::text(span.bytes), words));
        }
    }
}

/// What a kind says, in a line: the fields that are known.
pub(in crate::cli) fn brief(body: &Body) -> String {
    let mut found = Vec::new();
    fields(body, Span { offset: 0, bytes: &[] }, &mut found);
    let known = found.iter().filter(|field| !field.value.is_null() && field.words != "unknown");
    known.map(|field| format!("{} {}", field.name, field.words)).collect::<Vec<_>>().join(", ")
}

/// The number of the kind with this name.
pub(in crate::cli) fn code_of(name: &str) -> Option<u8> {
    (0..=u8::MAX).find(|code| payload_of(*code).is_some_and(|(known, _)| known == name))
}

/// The name of the kind with this number, or the number.
pub(in crate::cli) fn name_of(code: u8) -> String {
    payload_of(code).map_or_else(|| format!("kind {code}"), |(name, _)| name.into())
}

struct Payload<'b, 'f> {
    span: Span<'b>,
    fields: &'f mut Vec<Field>,
}

impl Payload<'_, '_> {
    fn summary(&mut self, summary: &Summary) {
        self.count("count", summary.count.into(), u16::MAX.into(), "alerts");
        self.count("span-s", summary.span_s.into(), u16::MAX.into(), "s");
        let names: Vec<_> = (0..32)
            .filter(|bit| summary.kinds >> bit & 1 == 1)
            .map(|bit| match payload_of(bit) {
                Some((name, _)) => name.to_owned(),
                None if bit == 31 => "kind 31 and above".into(),
                None => format!("kind {bit}"),
            })
            .collect();
        let words = if names.is_empty() { "none".into() } else { names.join(", ") };
        self.push("kinds", summary.kinds, words);
    }

    fn rocket_launch(&mut self, launch: &RocketLaunch) {
        self.word("weapon", launch.weapon);
        self.measure("calibre-mm", launch.calibre_mm, "mm");
        self.optional("bearing-of-origin-deg", launch.bearing_deg, "degrees from true north");
        self.seen("rounds", launch.rounds, u8::MAX);
        self.site("impact-site", launch.impact_site);
        let seconds = launch.time_to_impact_ds.map(|ds| f64::from(ds) / 10.0);
        match seconds {
            Some(seconds) => self.push("time-to-impact-s", seconds, format!("{seconds} s")),
            None => self.push("time-to-impact-s", Value::Null, "not known"),
        }
    }

    fn cram_engagement(&mut self, engagement: &CramEngagement) {
        self.count("engaged", engagement.engaged.into(), 255, "rounds");
        self.count("destroyed", engagement.destroyed.into(), 255, "rounds");
        self.count("leaked", engagement.leaked.into(), 255, "rounds");
        self.word("state", engagement.state);
        self.measure("debris-radius-m", engagement.debris_radius_m, "m");
        self.site("guarded-site", engagement.guarded_site);
    }

    fn drone_sighting(&mut self, sighting: &DroneSighting) {
        self.word("airframe", sighting.airframe);
        self.word("state", sighting.state);
        self.word("payload", sighting.payload);
        self.measure("equivalent-calibre-mm", sighting.equivalent_calibre_mm, "mm");
        self.seen("count", sighting.count, u8::MAX);
        self.optional("altitude-m", sighting.altitude_m, "m above ground");
        self.optional("course-deg", sighting.course_deg, "degrees from true north");
        self.optional("speed-m-s", sighting.speed_m_s, "m/s");
    }

    fn convoy_ied(&mut self, ied: &ConvoyIed) {
        self.word("state", ied.state);
        self.word("trigger", ied.trigger);
        self.word("charge", ied.charge);
        self.seen("array-count", ied.array_count, 15);
        self.word("target", ied.target);
        self.count("vehicles", ied.vehicles.into(), 255, "damaged");
        self.count("wounded", ied.wounded.into(), 255, "people");
        self.count("killed", ied.killed.into(), 255, "people");
    }

    fn push(&mut self, name: &'static str, value: impl Into<Value>, words: impl Into<String>) {
        self.fields.push(self.span.field(name, value, words));
    }

    fn word<T: Words>(&mut self, name: &'static str, word: T) {
        self.push(name, word.name(), word.name());
    }

    /// A count that is known; its largest value means that many or more.
    fn count(&mut self, name: &'static str, count: u32, most: u32, unit: &str) {
        let more = if count == most { " or more" } else { "" };
        let unit = match unit {
            "alerts" if count == 1 => "alert",
            "rounds" if count == 1 => "round",
            "people" if count == 1 => "person",
            _ => unit,
        };
        self.push(name, count, format!("{count}{more} {unit}"));
    }

    /// A count of which 0 means not known.
    fn seen(&mut self, name: &'static str, count: u8, most: u8) {
        match count {
            0 => self.push(name, Value::Null, "not known"),
            _ if count == most => self.push(name, count, format!("{count} or more")),
            _ => self.push(name, count, count.to_string()),
        }
    }

    /// A measure of which 0 means not known.
    fn measure(&mut self, name: &'static str, measure: u16, unit: &str) {
        self.optional(name, Some(measure).filter(|measure| *measure != 0), unit);
    }

    fn optional(&mut self, name: &'static str, value: Option<u16>, unit: &str) {
        match value {
            Some(value) => self.push(name, value, format!("{value} {unit}")),
            None => self.push(name, Value::Null, "not known"),
        }
    }

    fn site(&mut self, name: &'static str, site: SiteId) {
        match site {
            SiteId::UNKNOWN => self.push(name, Value::Null, "not known"),
            SiteId(number) => self.push(name, number, format!("site {number}")),
        }
    }
}
