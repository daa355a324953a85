//! Values that stand as one text in a rules file: spans of time, quorums, counts, ranges of seeds.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use alertbus::Precedence;
use jiff::{SignedDuration, Timestamp, civil};
use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer};

use crate::document::Format;

/// The longest span of time in rules: a week, in milliseconds.
const SPAN_MS_MAX: u64 = 7 * 24 * 3_600_000;

/// Nodes that a quorum counts at most.
const QUORUM_MAX: u8 = 16;

/// Seeds that one test plays at most.
const SEEDS_MAX: u64 = 1_000_000;

/// A span of time: `500ms`, `2s`, `1m 30s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Span {
    /// Milliseconds, 1 … a week.
    pub ms: u64,
}

/// So many of so many nodes within a span of time: `2 of 3 within 10s`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Quorum {
    /// Nodes that have to raise it.
    pub needs: u8,
    /// Of so many.
    pub of: u8,
    /// From the first to the last.
    pub within: Span,
}

/// How often something happens: `2`, `>= 2`, `< 10`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Count {
    /// The least.
    pub least: u64,
    /// The most.
    pub most: u64,
}

/// Seeds, both ends included: `7` or `1..=200`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seeds {
    /// The first.
    pub first: u64,
    /// The last.
    pub last: u64,
}

/// A level of precedence by its name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Level(pub Precedence);

/// A moment with its offset from universal time, `2020-09-16T00:00:00+03:00`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Moment {
    /// Milliseconds since 1970, universal time.
    pub unix_ms: u64,
}

/// A time of day, `06:30`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeOfDay(pub civil::Time);

/// The formats of these texts, for whoever holds a file against its schema.
pub(super) const FORMATS: [Format; 7] = [
    Format {
        name: "span",
        allowed: "allowed: a span of time such as \"500ms\", \"2s\" or \"1m 30s\", up to a week",
        numbers: false,
        check: refusal::<Span>,
    },
    Format {
        name: "quorum",
        allowed: "allowed: a quorum such as \"2 of 3 within 10s\"",
        numbers: false,
        check: refusal::<Quorum>,
    },
    Format {
        name: "count",
        allowed: "allowed: a number, or a bound such as \">= 2\"",
        numbers: false,
        check: refusal::<Count>,
    },
    Format {
        name: "seeds",
        allowed: "allowed: a seed, or a range such as \"1..=200\"",
        numbers: false,
        check: refusal::<Seeds>,
    },
    Format {
        name: "date-time",
        allowed: "allowed: a moment such as 2020-09-16T00:00:00+03:00",
        numbers: false,
        check: refusal::<Moment>,
    },
    Format {
        name: "time-of-day",
        allowed: "allowed: a time of day such as \"06:30\"",
        numbers: false,
        check: refusal::<TimeOfDay>,
    },
    Format {
        name: "time-zone",
        allowed: "allowed: a time zone of the IANA database such as \"Asia/Baghdad\", or \"UTC\"",
        numbers: false,
        check: zone_refusal,
    },
];

fn refusal<T: FromStr<Err = &'static str>>(text: &str) -> Result<(), &'static str> {
    text.parse::<T>().map(drop)
}

fn zone_refusal(text: &str) -> Result<(), &'static str> {
    zone(text).map(drop).ok_or("")
}

/// The time zone of this name, from the database that the program carries: the machine's own may be another.
pub(super) fn zone(name: &str) -> Option<jiff::tz::TimeZone> {
    jiff::tz::TimeZoneDatabase::bundled().get(name).ok()
}

impl FromStr for Span {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let span: SignedDuration = text.parse().map_err(|_| "")?;
        let ms = u64::try_from(span.as_millis()).map_err(|_| "")?;
        match ms {
            0 => Err(", which is less than a millisecond"),
            ms if ms > SPAN_MS_MAX => Err(", which is more than a week"),
            ms => Ok(Self { ms }),
        }
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let units = [(3_600_000, "h"), (60_000, "m"), (1_000, "s"), (1, "ms")];
        let mut left = self.ms;
        let mut separator = "";
        for (length_ms, unit) in units {
            let number = left / length_ms;
            left %= length_ms;
            if number > 0 {
                write!(f, "{separator}{number}{unit}")?;
                separator = " ";
            }
        }
        Ok(())
    }
}

impl FromStr for Quorum {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (nodes, within) = text.split_once(" within ").ok_or("")?;
        let (needs, of) = nodes.split_once(" of ").ok_or("")?;
        let number = |text: &str| text.trim().parse::<u8>().map_err(|_| "");
        let (needs, of) = (number(needs)?, number(of)?);
        if needs < 2 {
            return Err(", but every alert has one node already");
        }
        if needs > of {
            return Err(", which can never be met");
        }
        if of > QUORUM_MAX {
            return Err(", of more than 16 nodes");
        }
        Ok(Self { needs, of, within: within.trim().parse()? })
    }
}

impl FromStr for Count {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let text = text.trim();
        let signs = [">=", "<=", ">", "<", "="];
        let found = signs.iter().find_map(|sign| Some((*sign, text.strip_prefix(sign)?)));
        let (sign, number) = found.unwrap_or(("=", text));
        let number: u64 = number.trim().parse().map_err(|_| "")?;
        let bounds = match sign {
            ">=" => Some((number, u64::MAX)),
            "<=" => Some((0, number)),
            ">" => number.checked_add(1).map(|least| (least, u64::MAX)),
            "<" => number.checked_sub(1).map(|most| (0, most)),
            _ => Some((number, number)),
        };
        let (least, most) = bounds.ok_or(", which nothing is")?;
        Ok(Self { least, most })
    }
}

impl Count {
    /// Whether so many are as many as that.
    #[must_use]
    pub const fn holds(self, number: u64) -> bool {
        self.least <= number && number <= self.most
    }
}

impl fmt::Display for Count {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.least, self.most) {
            (least, most) if least == most => write!(f, "{least}"),
            (least, u64::MAX) => write!(f, "at least {least}"),
            (_, most) => write!(f, "at most {most}"),
        }
    }
}

impl FromStr for Seeds {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let number = |text: &str| text.trim().parse::<u64>().map_err(|_| "");
        let (first, last) = match text.split_once("..=") {
            Some((first, last)) => (number(first)?, number(last)?),
            None => (number(text)?, number(text)?),
        };
        if first > last {
            return Err(", which begins behind its end");
        }
        if last - first >= SEEDS_MAX {
            return Err(", which are more than a million");
        }
        Ok(Self { first, last })
    }
}

impl fmt::Display for Seeds {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.first == self.last {
            write!(f, "{}", self.first)
        } else {
            write!(f, "{}..={}", self.first, self.last)
        }
    }
}

impl Seeds {
    /// Each of them.
    #[must_use]
    pub const fn all(self) -> std::ops::RangeInclusive<u64> {
        self.first..=self.last
    }

    /// How many there are.
    #[must_use]
    pub const fn count(self) -> u64 {
        self.last - self.first + 1
    }
}

impl FromStr for Moment {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let moment: Timestamp =
            text.parse().map_err(|_| ", which is no moment with its offset from universal time")?;
        let unix_ms = u64::try_from(moment.as_millisecond()).map_err(|_| ", which is before 1970")?;
        Ok(Self { unix_ms })
    }
}

impl FromStr for TimeOfDay {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, &'static str> {
        let (hour, minute) = text.split_once(':').ok_or("")?;
        let number = |text: &str| text.parse::<i8>().ok().filter(|_| text.len() == 2).ok_or("");
        civil::Time::new(number(hour)?, number(minute)?, 0, 0).map(Self).map_err(|_| "")
    }
}

macro_rules! texts {
    ($($name:ident $format:literal),+) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Text::deserialize(deserializer)?;
                text.0.parse().map_err(|why| D::Error::custom(format!("`{}`{why}", text.0)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": "string", "format": $format })
            }
        })+
    };
}

texts! { Span "span", Quorum "quorum", Moment "date-time", TimeOfDay "time-of-day" }

/// A text, or a number or moment as TOML has them.
struct Text(String);

impl<'de> Deserialize<'de> for Text {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(untagged)]
        enum Either {
            Moment(toml::value::Datetime),
            Number(u64),
            Text(String),
        }
        Ok(Self(match Either::deserialize(deserializer)? {
            Either::Moment(moment) => moment.to_string(),
            Either::Number(number) => number.to_string(),
            Either::Text(text) => text,
        }))
    }
}

macro_rules! numbers {
    ($($name:ident $format:literal),+) => {
        $(impl<'de> Deserialize<'de> for $name {
            fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
                let text = Text::deserialize(deserializer)?;
                text.0.parse().map_err(|why| D::Error::custom(format!("`{}`{why}", text.0)))
            }
        }

        impl JsonSchema for $name {
            fn schema_name() -> Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(_: &mut SchemaGenerator) -> Schema {
                json_schema!({ "type": ["string", "integer"], "format": $format, "minimum": 0 })
            }
        })+
    };
}

numbers! { Count "count", Seeds "seeds" }

impl<'de> Deserialize<'de> for Level {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let level = Precedence::ALL.into_iter().find(|level| level.name() == text);
        level.map(Self).ok_or_else(|| D::Error::custom(format!("`{text}` is no precedence")))
    }
}

impl JsonSchema for Level {
    fn schema_name() -> Cow<'static, str> {
        "Precedence".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "enum": Precedence::ALL.map(Precedence::name) })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn spans_are_read_and_shown() {
        for (text, ms, shown) in [
            ("500ms", 500, "500ms"),
            ("2s", 2_000, "2s"),
            ("90s", 90_000, "1m 30s"),
            ("1h30m", 5_400_000, "1h 30m"),
        ] {
            assert_eq!(text.parse(), Ok(Span { ms }), "{text}");
            assert_eq!(Span { ms }.to_string(), shown);
        }
        for text in ["0s", "-2s", "2", "", "8d", "169h", "soon", "1000000000000000000h"] {
            assert!(text.parse::<Span>().is_err(), "{text}");
        }
    }

    #[test]
    fn quorums_counts_and_seeds_are_read() {
        let within = Span { ms: 10_000 };
        assert_eq!("2 of 3 within 10s".parse(), Ok(Quorum { needs: 2, of: 3, within }));
        for text in [
            "1 of 3 within 10s",
            "4 of 3 within 10s",
            "2 of 17 within 10s",
            "2 of 3",
            "two of 3 within 1s",
            "2 of 3 within 0s",
        ] {
            assert!(text.parse::<Quorum>().is_err(), "{text}");
        }
        for (text, least, most) in [
            ("2", 2, 2),
            (">= 2", 2, u64::MAX),
            ("> 2", 3, u64::MAX),
            ("<= 2", 0, 2),
            ("<2", 0, 1),
            ("= 0", 0, 0),
        ] {
            let count: Count = text.parse().expect("a count");
            assert_eq!((count.least, count.most), (least, most), "{text}");
            assert!(count.holds(least) && count.holds(most));
            assert!(least == 0 || !count.holds(least - 1));
            assert!(most == u64::MAX || !count.holds(most + 1));
        }
        assert!("< 0".parse::<Count>().is_err() && "many".parse::<Count>().is_err());
        assert_eq!("1..=200".parse(), Ok(Seeds { first: 1, last: 200 }));
        assert_eq!("7".parse(), Ok(Seeds { first: 7, last: 7 }));
        for text in ["2..=1", "1..2", "0..=1000000", "-1", ""] {
            assert!(text.parse::<Seeds>().is_err(), "{text}");
        }
    }

    #[test]
    fn moments_times_and_zones_are_read() {
        assert_eq!("1970-01-01T03:00:01+03:00".parse(), Ok(Moment { unix_ms: 1_000 }));
        assert!("2020-09-16T00:00:00".parse::<Moment>().is_err(), "of which zone?");
        assert!("06:30".parse::<TimeOfDay>().is_ok() && "6:30".parse::<TimeOfDay>().is_err());
        assert!("24:00".parse::<TimeOfDay>().is_err());
        assert!(zone("Asia/Baghdad").is_some() && zone("UTC").is_some() && zone("Asia/Bagdad").is_none());
    }
}
