//! How soon an alert can be anywhere at all: what no deadline can be shorter than.

use alertbus::limits::{HEAD_LEN, HEADER_LEN, TAG_LEN_SHORT, WHEN_LEN, WHERE_LEN};
use alertbus::wire::link::Link;

use super::file::SinkSpec;
use super::rules::Rules;

/// The shortest body of an alert: a sequence number of one byte, head, kind, when, where, and a payload of one byte.
const ALERT_LEN: usize = 1 + HEAD_LEN + 1 + WHEN_LEN + WHERE_LEN + 1;

/// The shortest body of a warning: an echo of four bytes, what to do, zone, kind and seconds of one byte each.
const WARNING_LEN: usize = 4 + 1 + 1 + 1 + 1;

/// Airtime of a packet with such a body on the small radio profile, as every world plays it, in milliseconds.
fn airtime_ms(body_len: usize) -> u64 {
    u64::from(Link::small_radio(0).airtime_us(HEADER_LEN + body_len + TAG_LEN_SHORT)) / 1_000
}

impl Rules {
    /// The least time in which every sink of a route can have acknowledged an alert, in milliseconds from its
    /// detection.
    #[must_use]
    pub fn best_time_ms(&self, route: usize) -> u64 {
        let sinks = self.routes.get(route).map(|route| route.to.as_slice()).unwrap_or_default();
        sinks
            .iter()
            .filter_map(|sink| self.sinks.get(*sink))
            .map(|sink| best_time_ms(&sink.spec))
            .max()
            .unwrap_or(0)
    }
}

/// The least time in which such a sink can have acknowledged an alert.
fn best_time_ms(spec: &SinkSpec) -> u64 {
    match spec {
        SinkSpec::Siren { .. } => airtime_ms(ALERT_LEN) + airtime_ms(WARNING_LEN),
        SinkSpec::Console { .. } | SinkSpec::Jsonl { .. } | SinkSpec::Webhook { .. } => airtime_ms(ALERT_LEN),
    }
}
