//! What an alert says, as a scenario writes it: one value each for what is documented, a choice for fill-ins.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::{Deserialize, Serialize};

use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, ConvoyIedState, CramEngagement, CramEngagementState, DroneSighting,
    DroneSightingState, Kind, Payload, RocketLaunch, Tamper, Tampering, Target, Trigger, Weapon,
};

use super::words::Word;

/// What an alert says. Absent is not known.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum BodySpec {
    /// Indirect fire has been launched.
    RocketLaunch {
        /// What was launched.
        #[serde(skip_serializing_if = "Option::is_none")]
        weapon: Option<Word<Weapon>>,
        /// Calibre in millimetres.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 1023))]
        calibre_mm: Option<u16>,
        /// Bearing from the node to the point of launch, degrees from true north.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 359))]
        bearing_of_origin_deg: Option<u16>,
        /// Rounds seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 255))]
        rounds: Option<u8>,
        /// The site where they are predicted to fall.
        #[serde(skip_serializing_if = "Option::is_none")]
        impact_site: Option<String>,
        /// Seconds to the first impact.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 6553))]
        time_to_impact_s: Option<u16>,
    },
    /// A C-RAM system fires.
    CramEngagement {
        /// Whether it goes on.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<Word<CramEngagementState>>,
        /// Rounds engaged.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        engaged: Option<u8>,
        /// Of these destroyed.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        destroyed: Option<u8>,
        /// Of these leaked through.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        leaked: Option<u8>,
        /// Radius in metres in which debris may fall.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 16383))]
        debris_radius_m: Option<u16>,
        /// The site that is guarded.
        #[serde(skip_serializing_if = "Option::is_none")]
        guarded_site: Option<String>,
    },
    /// A drone is in the air, has attacked or is found.
    DroneSighting {
        /// What flies.
        #[serde(skip_serializing_if = "Option::is_none")]
        airframe: Option<Word<Airframe>>,
        /// What it does.
        #[serde(skip_serializing_if = "Option::is_none")]
        state: Option<Word<DroneSightingState>>,
        /// What it carries.
        #[serde(skip_serializing_if = "Option::is_none")]
        payload: Option<Word<Payload>>,
        /// Calibre in millimetres of a mortar shell with the same effect.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 1023))]
        equivalent_calibre_mm: Option<u16>,
        /// Drones seen.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 255))]
        count: Option<u8>,
        /// Height above ground in metres.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 16382))]
        altitude_m: Option<u16>,
        /// Course over ground, degrees from true north.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 359))]
        course_deg: Option<u16>,
        /// Speed over ground in metres a second.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 510))]
        speed_m_s: Option<u16>,
    },
    /// A roadside bomb against a convoy.
    ConvoyIed {
        /// Whether it has gone off.
        state: Word<ConvoyIedState>,
        /// What sets it off.
        #[serde(skip_serializing_if = "Option::is_none")]
        trigger: Option<Word<Trigger>>,
        /// How it is built.
        #[serde(skip_serializing_if = "Option::is_none")]
        charge: Option<Word<Charge>>,
        /// Charges linked together.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(min = 1, max = 15))]
        array_count: Option<u8>,
        /// Whose convoy it is.
        #[serde(skip_serializing_if = "Option::is_none")]
        target: Option<Word<Target>>,
        /// Vehicles damaged.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        vehicles: Option<u8>,
        /// People wounded.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        wounded: Option<u8>,
        /// People killed.
        #[serde(skip_serializing_if = "Option::is_none")]
        #[schemars(range(max = 255))]
        killed: Option<u8>,
    },
    /// Somebody is at the node itself.
    Tamper {
        /// What was noticed.
        #[serde(skip_serializing_if = "Option::is_none")]
        what: Option<Word<Tampering>>,
    },
}

/// Name of a kind of alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum KindName {
    /// Indirect fire has been launched.
    RocketLaunch,
    /// A C-RAM system fires.
    CramEngagement,
    /// A drone is in the air, has attacked or is found.
    DroneSighting,
    /// A roadside bomb against a convoy.
    ConvoyIed,
    /// Somebody is at the node itself.
    Tamper,
}

impl KindName {
    /// The kind's name, kebab-case, as core has it.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::RocketLaunch => RocketLaunch::NAME,
            Self::CramEngagement => CramEngagement::NAME,
            Self::DroneSighting => DroneSighting::NAME,
            Self::ConvoyIed => ConvoyIed::NAME,
            Self::Tamper => Tamper::NAME,
        }
    }
}

impl BodySpec {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KindName {
        match self {
            Self::RocketLaunch { .. } => KindName::RocketLaunch,
            Self::CramEngagement { .. } => KindName::CramEngagement,
            Self::DroneSighting { .. } => KindName::DroneSighting,
            Self::ConvoyIed { .. } => KindName::ConvoyIed,
            Self::Tamper { .. } => KindName::Tamper,
        }
    }
}

impl BodySpec {
    /// Its fields with their values as the file writes them, `kind` among them, by name. What is not known is
    /// left out.
    #[must_use]
    pub fn fields(&self) -> BTreeMap<String, serde_json::Value> {
        match serde_json::to_value(self) {
            Ok(serde_json::Value::Object(fields)) => fields.into_iter().collect(),
            _ => BTreeMap::new(),
        }
    }
}

impl FillInBody {
    /// Its kind.
    #[must_use]
    pub const fn kind(&self) -> KindName {
        match self {
            Self::RocketLaunch { .. } => KindName::RocketLaunch,
            Self::DroneSighting { .. } => KindName::DroneSighting,
            Self::ConvoyIed { .. } => KindName::ConvoyIed,
        }
    }
}

/// What the alerts of a fill-in say: lists of words among which the seed chooses, and ranges of numbers.
/// Absent is not known.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum FillInBody {
    /// Indirect fire has been launched. It is predicted to fall on the incident's site.
    RocketLaunch {
        /// What was launched.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        weapon: Vec<Word<Weapon>>,
        /// Rounds seen.
        rounds: Option<Between<1, 255>>,
    },
    /// A drone is in the air, has attacked or is found.
    DroneSighting {
        /// What flies.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        airframe: Vec<Word<Airframe>>,
        /// What it does.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        state: Vec<Word<DroneSightingState>>,
        /// What it carries.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        payload: Vec<Word<Payload>>,
        /// Drones seen.
        count: Option<Between<1, 255>>,
    },
    /// A roadside bomb against a convoy.
    ConvoyIed {
        /// Whether it has gone off.
        #[schemars(length(min = 1, max = 16))]
        state: Vec<Word<ConvoyIedState>>,
        /// What sets it off.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        trigger: Vec<Word<Trigger>>,
        /// How it is built.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        charge: Vec<Word<Charge>>,
        /// Charges linked together.
        array_count: Option<Between<1, 15>>,
        /// Whose convoy it is.
        #[serde(default)]
        #[schemars(length(min = 1, max = 16))]
        target: Vec<Word<Target>>,
        /// Vehicles damaged.
        vehicles: Option<Between<0, 255>>,
        /// People wounded.
        wounded: Option<Between<0, 255>>,
        /// People killed.
        killed: Option<Between<0, 255>>,
    },
}

/// A whole number of at least `min` and at most `max`, both within the bounds that the field sets.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Between<const LEAST: u8, const MOST: u8> {
    /// The least.
    pub min: u8,
    /// The most.
    pub max: u8,
}

impl<const LEAST: u8, const MOST: u8> Between<LEAST, MOST> {
    /// The least and the most.
    #[must_use]
    pub const fn ends(self) -> (u8, u8) {
        (self.min, self.max)
    }
}

impl<const LEAST: u8, const MOST: u8> JsonSchema for Between<LEAST, MOST> {
    fn schema_name() -> Cow<'static, str> {
        format!("Between{LEAST}And{MOST}").into()
    }

    fn json_schema(_: &mut SchemaGenerator) -> Schema {
        let number = json_schema!({ "type": "integer", "minimum": LEAST, "maximum": MOST });
        json_schema!({
            "description": "A range of whole numbers, both ends included.",
            "type": "object",
            "properties": { "min": number, "max": number },
            "required": ["min", "max"],
            "additionalProperties": false,
        })
    }
}
