//! Times and how far they may be believed, in words.

use alertbus::time::ClockQuality;

/// All qualities with their words, as WIRE.md has them.
pub(in crate::cli) const QUALITIES: [(ClockQuality, &str); 8] = [
    (ClockQuality::Uptime, "uptime"),
    (ClockQuality::Unknown, "unknown"),
    (ClockQuality::Hour, "hour"),
    (ClockQuality::Minute, "minute"),
    (ClockQuality::Second, "second"),
    (ClockQuality::Decisecond, "decisecond"),
    (ClockQuality::Centisecond, "centisecond"),
    (ClockQuality::Millisecond, "millisecond"),
];

/// The word for a quality.
pub(super) fn name(quality: ClockQuality) -> &'static str {
    QUALITIES.iter().find(|(known, _)| *known == quality).map_or("unknown", |(_, name)| name)
}

/// What a quality says of a time.
pub(super) const fn meaning(quality: ClockQuality) -> &'static str {
    match quality {
        ClockQuality::Uptime => "no calendar: counted from the node's start",
        ClockQuality::Unknown => "perhaps off by more than an hour",
        ClockQuality::Hour => "within an hour",
        ClockQuality::Minute => "within a minute",
        ClockQuality::Second => "within a second",
        ClockQuality::Decisecond => "within 100 ms",
        ClockQuality::Centisecond => "within 10 ms",
        ClockQuality::Millisecond => "within 1 ms",
    }
}

/// Universal time, to the millisecond.
pub(super) fn rfc3339(unix_ms: u64) -> String {
    let millis = i64::try_from(unix_ms).unwrap_or(i64::MAX);
    let time = jiff::Timestamp::from_millisecond(millis).unwrap_or(jiff::Timestamp::MAX);
    time.strftime("%Y-%m-%dT%H:%M:%S.%3fZ").to_string()
}
