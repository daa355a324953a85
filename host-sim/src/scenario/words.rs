//! Values that stand as one word in a scenario file: core's closed lists and decimal numbers.

use std::borrow::Cow;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::de::Error;
use serde::{Deserialize, Deserializer, Serialize, Serializer};

use alertbus::message::kind::{
    Airframe, Charge, ConvoyIedState, CramEngagementState, DroneSightingState, Payload, Tampering, Target,
    Trigger, Weapon,
};
use alertbus::message::{Certainty, Severity, Urgency};

/// A closed list of words that core owns: what may be written is exactly what core can say.
pub trait Words: Copy + 'static {
    /// What the list is called in the JSON schema.
    const LIST: &'static str;
    /// Every word of the list.
    fn all() -> &'static [Self];
    /// The word as written, kebab-case.
    fn name(self) -> &'static str;
}

macro_rules! core_words {
    ($($list:ident)+) => {
        $(impl Words for $list {
            const LIST: &'static str = stringify!($list);
            fn all() -> &'static [Self] {
                Self::ALL
            }
            fn name(self) -> &'static str {
                Self::name(self)
            }
        })+
    };
}

core_words! {
    Severity Urgency Certainty Weapon CramEngagementState Airframe DroneSightingState Payload
    ConvoyIedState Trigger Charge Target Tampering
}

/// One word of a list of core's, as it stands in a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Word<T>(pub T);

impl<T: Words> Serialize for Word<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.0.name())
    }
}

impl<'de, T: Words> Deserialize<'de> for Word<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = Cow::<str>::deserialize(deserializer)?;
        let word = T::all().iter().copied().find(|word| word.name() == text);
        word.map(Self).ok_or_else(|| D::Error::custom(format!("`{text}` is not in the list {}", T::LIST)))
    }
}

impl<T: Words> JsonSchema for Word<T> {
    fn schema_name() -> Cow<'static, str> {
        T::LIST.into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let names: Vec<_> = T::all().iter().map(|word| word.name()).collect();
        json_schema!({ "type": "string", "enum": names })
    }
}

/// A coordinate or a distance that a file writes as a decimal number, kept as a whole number of 10⁻ᴰ.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Decimal<const DIGITS: usize>(pub i32);

impl<const DIGITS: usize> Decimal<DIGITS> {
    /// The number as written, for showing only: nothing is decided by it.
    #[must_use]
    pub fn to_f64(self) -> f64 {
        f64::from(self.0) / 10_f64.powi(i32::try_from(DIGITS).unwrap_or(0))
    }
}

impl<const DIGITS: usize> Serialize for Decimal<DIGITS> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_f64(self.to_f64())
    }
}

impl<'de, const DIGITS: usize> Deserialize<'de> for Decimal<DIGITS> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let number = f64::deserialize(deserializer)?;
        // The decimal text of a float is exact, and so is the whole number that is left without its point.
        let digits = format!("{number:.DIGITS$}").replace('.', "");
        digits.parse().map(Self).map_err(|_| D::Error::custom(format!("{number} is out of range")))
    }
}
