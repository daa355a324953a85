//! What stands where: sites, sensor nodes, sirens, and which sites are defended.

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
    /// Path of the node, for example `camp-taji/launch-detector`, unique among nodes and sirens.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// Number on the wire, unique among nodes and sirens.
    #[schemars(range(min = 1, max = 65535))]
    pub number: u16,
    /// Where it stands.
    pub site: String,
    /// Kinds of alert it raises.
    #[schemars(length(min = 1, max = 16))]
    pub detects: Vec<KindName>,
    /// Seconds by which it raises its alerts later than a detector would: somebody has to see and to press a button.
    #[serde(default)]
    #[schemars(range(max = 3_600))]
    pub detects_after_s: u32,
    /// Path of a node of the base whose place it takes: it raises that one's alerts.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(length(min = 1, max = 128))]
    pub instead_of: Option<String>,
    /// Whether it rides in a convoy, which no umbrella covers.
    #[serde(default)]
    pub mobile: bool,
    /// When it is out of radio coverage; only a mobile node can be.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub coverage_gap: Option<CoverageGap>,
}

/// How long a convoy's node is out of radio coverage around each of its alerts: it has to store and forward them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct CoverageGap {
    /// Seconds before the alert from which on it is out of coverage.
    #[schemars(range(max = 86_400))]
    pub before_s: u32,
    /// Seconds after the alert at which coverage is back.
    #[schemars(range(min = 1, max = 86_400))]
    pub after_s: u32,
}

/// A siren. The sources name none: all sirens are modelled.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Siren {
    /// Path of the siren, for example `camp-taji/siren`, unique among nodes and sirens.
    #[schemars(length(min = 1, max = 128))]
    pub id: String,
    /// Number on the wire, unique among nodes and sirens.
    #[schemars(range(min = 1, max = 65535))]
    pub number: u16,
    /// The site it warns.
    pub site: String,
}

/// The sites with active defences. Under it stands what stands at one of them; convoys do not.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Umbrella {
    /// The sites; each needs a node that raises `cram-engagement`, and a siren.
    #[schemars(length(min = 1, max = 1000))]
    pub sites: Vec<String>,
    /// Seconds after each reconstructed rocket launch there at which the site's C-RAM engages; left out, no
    /// engagement is added. Documented incidents are told as their sources tell them: nothing is added to them.
    #[serde(skip_serializing_if = "Option::is_none")]
    #[schemars(range(min = 1, max = 600))]
    pub engages_after_s: Option<u32>,
    /// Who speaks of active defences.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// What the sources state, and what was made of it.
    pub note: String,
}

/// Where fill-ins lie in this layout that are else at a site of which no more than the country is known. Moment and
/// body stay as they are; the seed chooses the site.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Spread {
    /// The site from which they are taken.
    pub site: String,
    /// Sites among which the seed chooses; each needs a node that raises their kind.
    #[schemars(length(min = 1, max = 1000))]
    pub over: Vec<String>,
}
