//! Probabilities as a scenario file and the command line write them.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::{Error, Visitor};
use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A probability in millionths, 0 … 1,000,000. Written `"10%"`, `"0.1"` or `0.1`.
///
/// ```
/// use host_sim::scenario::Probability;
/// assert_eq!("12.5%".parse::<Probability>().map(Probability::millionths), Ok(125_000));
/// assert!("101%".parse::<Probability>().is_err());
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Probability(u32);

impl Probability {
    /// It never happens.
    pub const NEVER: Self = Self(0);
    /// It always happens.
    pub const ALWAYS: Self = Self(1_000_000);

    /// The probability in millionths, 0 … 1,000,000.
    #[must_use]
    pub const fn millionths(self) -> u32 {
        self.0
    }

    /// From millionths, or none above 1,000,000.
    #[must_use]
    pub const fn from_millionths(millionths: u32) -> Option<Self> {
        if millionths <= Self::ALWAYS.0 { Some(Self(millionths)) } else { None }
    }
}

/// A text that is no probability.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is not a probability: allowed are 0% to 100% or 0 to 1, with at most six decimals of 1")]
pub struct NotAProbability(String);

impl FromStr for Probability {
    type Err = NotAProbability;

    fn from_str(text: &str) -> Result<Self, NotAProbability> {
        let refuse = || NotAProbability(text.to_owned());
        // Digits, not floating point: 0.1 is exactly 100,000 millionths on every machine.
        let (digits, scale) = match text.trim().strip_suffix('%') {
            Some(percent) => (percent.trim_end(), 4),
            None => (text.trim(), 6),
        };
        let (whole, decimals) = digits.split_once('.').unwrap_or((digits, ""));
        let decimals = decimals.trim_end_matches('0');
        let all_digits = |text: &str| text.bytes().all(|byte| byte.is_ascii_digit());
        if whole.is_empty()
            || whole.len() > 3
            || decimals.len() > scale
            || !all_digits(whole)
            || !all_digits(decimals)
        {
            return Err(refuse());
        }
        let millionths = format!("{whole}{decimals:0<scale$}").parse().map_err(|_| refuse())?;
        Self::from_millionths(millionths).ok_or_else(refuse)
    }
}

impl fmt::Display for Probability {
    /// In per cent, without needless zeros: `12.5%`.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let decimals = format!("{:04}", self.0 % 10_000);
        let decimals = decimals.trim_end_matches('0');
        let point = if decimals.is_empty() { "" } else { "." };
        f.pad(&format!("{}{point}{decimals}%", self.0 / 10_000))
    }
}

impl Serialize for Probability {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Probability {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct TextOrNumber;
        impl Visitor<'_> for TextOrNumber {
            type Value = Probability;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a probability: \"0%\" to \"100%\", or 0 to 1")
            }
            fn visit_str<E: Error>(self, text: &str) -> Result<Probability, E> {
                text.parse().map_err(E::custom)
            }
            fn visit_f64<E: Error>(self, number: f64) -> Result<Probability, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_i64<E: Error>(self, number: i64) -> Result<Probability, E> {
                number.to_string().parse().map_err(E::custom)
            }
            fn visit_u64<E: Error>(self, number: u64) -> Result<Probability, E> {
                number.to_string().parse().map_err(E::custom)
            }
        }
        deserializer.deserialize_any(TextOrNumber)
    }
}

impl JsonSchema for Probability {
    fn schema_name() -> Cow<'static, str> {
        "Probability".into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "description": "A probability: \"0%\" to \"100%\", or 0 to 1.",
            "type": ["string", "number"],
            "format": "probability",
            "minimum": 0,
            "maximum": 1,
        })
    }
}
