//! Days and quarters as a scenario file writes them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use jiff::civil;
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A day of the calendar, 1971 … 2099, local time of the scenario. Written `2020-01-08`, in quotes or not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Date(pub civil::Date);

impl Date {
    /// Days from this one to `later`; negative where that is earlier.
    #[must_use]
    pub fn days_until(self, later: Self) -> i32 {
        // Two days of the years 1971 to 2099: the difference has no other units and no end that overflows.
        self.0.until(later.0).map_or(0, |span| span.get_days())
    }
}

impl Date {
    /// The day `days` later; the last day there is where that would be beyond it.
    #[must_use]
    pub fn plus_days(self, days: u32) -> Self {
        Self(self.0.saturating_add(jiff::Span::new().days(days.min(100_000))))
    }

    /// Milliseconds from the beginning of 1970, universal time, to the beginning of this day where local time
    /// is `utc_offset_min` minutes ahead of it.
    #[must_use]
    pub fn unix_ms(self, utc_offset_min: i16) -> u64 {
        let days = Self(civil::date(1970, 1, 1)).days_until(self);
        let minutes = i64::from(days) * 24 * 60 - i64::from(utc_offset_min);
        // Dates begin with 1971, so this is positive whatever the offset.
        u64::try_from(minutes * 60_000).unwrap_or(0)
    }

    /// The local day in which a moment lies, given as [`Date::unix_ms`] gives it.
    #[must_use]
    pub fn of_unix_ms(unix_ms: u64, utc_offset_min: i16) -> Self {
        let local_min =
            i64::try_from(unix_ms / 60_000).unwrap_or(i64::MAX).saturating_add(utc_offset_min.into());
        let days = u32::try_from(local_min.div_euclid(24 * 60)).unwrap_or(0);
        Self(civil::date(1970, 1, 1)).plus_days(days)
    }
}

impl FromStr for Date {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = |why: &str| format!("`{text}` is {why}; allowed: YYYY-MM-DD, for example 2020-09-15");
        let date: civil::Date = text.parse().map_err(|_| refuse("not a day of the calendar"))?;
        if text.len() != "2020-01-08".len() || !(1971..2100).contains(&date.year()) {
            return Err(refuse("not a day of the years 1971 to 2099"));
        }
        Ok(Self(date))
    }
}

impl fmt::Display for Date {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

impl Serialize for Date {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Date {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        // TOML has dates of its own; quoted ones are as welcome. Both forms read as toml's date or as text.
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Toml(toml::value::Datetime),
            Text(String),
        }
        let text = match Either::deserialize(deserializer)? {
            Either::Toml(date) => date.to_string(),
            Either::Text(text) => text,
        };
        text.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Date {
    fn schema_name() -> Cow<'static, str> {
        "Date".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "date" })
    }
}

/// A moment, given in milliseconds since 1970, universal time, as RFC 3339 has it where local time is
/// `utc_offset_min` minutes ahead: `2020-01-08T01:34:00.000+03:00`.
#[must_use]
pub fn local_time(unix_ms: u64, utc_offset_min: i16) -> String {
    let (hours, minutes) = (utc_offset_min.unsigned_abs() / 60, utc_offset_min.unsigned_abs() % 60);
    let sign = if utc_offset_min < 0 { '-' } else { '+' };
    let local_ms =
        i64::try_from(unix_ms).unwrap_or(i64::MAX).saturating_add(i64::from(utc_offset_min) * 60_000);
    // Shown as if it were universal time, then marked with the offset it has.
    let clock = jiff::Timestamp::from_millisecond(local_ms).unwrap_or(jiff::Timestamp::MAX);
    format!("{}{sign}{hours:02}:{minutes:02}", clock.strftime("%Y-%m-%dT%H:%M:%S.%3f"))
}

/// A quarter of a year. Written `2020-Q1`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Quarter {
    /// The year, 1971 … 2099.
    pub year: i16,
    /// The quarter, 1 … 4.
    pub number: i8,
}

impl Quarter {
    /// The quarter that holds this day.
    #[must_use]
    pub fn of(date: Date) -> Self {
        Self { year: date.0.year(), number: (date.0.month() - 1) / 3 + 1 }
    }
}

impl FromStr for Quarter {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let refuse = || format!("`{text}` is not a quarter of the years 1971 to 2099");
        let (year, number) = text.split_once("-Q").ok_or_else(refuse)?;
        let quarter =
            Self { year: year.parse().map_err(|_| refuse())?, number: number.parse().map_err(|_| refuse())? };
        let sound = (1971..2100).contains(&quarter.year) && (1..=4).contains(&quarter.number);
        (sound && text == quarter.to_string()).then_some(quarter).ok_or_else(refuse)
    }
}

impl fmt::Display for Quarter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{}-Q{}", self.year, self.number))
    }
}

impl Serialize for Quarter {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Quarter {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        Cow::<str>::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

impl JsonSchema for Quarter {
    fn schema_name() -> Cow<'static, str> {
        "Quarter".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "format": "quarter", "pattern": "^(19|20)[0-9]{2}-Q[1-4]$" })
    }
}
