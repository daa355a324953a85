//! What stands where: sites, sensor nodes, sirens.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::body::KindName;
use super::words::Decimal;

/// A place.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Site {
    /// Name in this file, kebab-case, unique.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// Number on the wire, unique.
    #[schemars(range(min = 1, max = 65535))]
    pub number: u16,
    /// Name for people.
    #[schemars(length(min = 1, max = 200))]
    pub name: String,
    /// Latitude in degrees, north positive.
    #[schemars(with = "f64", range(min = -90.0, max = 90.0))]
    pub latitude: Decimal<7>,
    /// Longitude in degrees, east positive.
    #[schemars(with = "f64", range(min = -180.0, max = 180.0))]
    pub longitude: Decimal<7>,
    /// How far the true place may lie from there, in kilometres; beyond 81.92 the wire says "not known".
    #[schemars(with = "f64", range(min = 0.001, max = 2000.0))]
    pub accuracy_km: Decimal<3>,
    /// Fields that a source states.
    pub stated: Vec<String>,
    /// Fields that follow from a source or from general knowledge.
    pub inferred: Vec<String>,
    /// Fields invented so that a replay can run.
    pub modelled: Vec<String>,
    /// What a reader should know about it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
}

/// A sensor node. The sources name no sensors: all nodes are modelled.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Node {
    /// Path of the node, for example `camp-taji/launch-detector`, unique.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// Number on the wire, unique.
    #[schemars(range(min = 1, max = 65535))]
    pub number: u16,
    /// Where it stands.
    pub site: String,
    /// Kinds of alert it raises.
    #[schemars(length(min = 1, max = 16))]
    pub detects: Vec<KindName>,
}
