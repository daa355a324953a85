//! The scenario file as it is written: one type a table, every range where the field is.
//!
//! The JSON schema derives from these types, and the loader checks a file against that schema before anything
//! is read into them. So what an editor refuses, what the loader refuses and what these comments say is one
//! thing. A field's range stands in its `schemars` attribute and nowhere else.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use alertbus::message::{Certainty, Severity, Urgency};

use super::base::Base;
use super::body::{BodySpec, FillInBody};
use super::calendar::{Date, Quarter};
use super::faults::Faults;
use super::layout::{Node, Siren, Site, Spread, Umbrella};
use super::words::Word;

/// A scenario: places, sensor nodes, what happened, and what a replay fills in.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Scenario", extend("anyOf" = [
    { "required": ["base"] },
    { "required": ["source", "site", "node"] },
]))]
pub struct File {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u8,
    /// Name of the scenario, kebab-case.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What it is about, in a sentence or two. May have several lines, as every `description` and `note` may.
    #[schemars(length(min = 1, max = 2000))]
    pub description: String,
    /// Local time minus universal time in minutes; all dates of the file are local.
    #[schemars(range(min = -720, max = 840))]
    pub utc_offset_min: i16,
    /// A scenario that this one is laid over: its tables come before those of this file.
    pub base: Option<Base>,
    /// Default faults, not those of the base; an option of the same name on the command line replaces each.
    #[serde(default)]
    pub faults: Faults,
    /// What the data come from. Needed without a base.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub source: Vec<Source>,
    /// Places. Needed without a base.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1000))]
    pub site: Vec<Site>,
    /// Sensor nodes. Needed without a base.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1000))]
    pub node: Vec<Node>,
    /// Sirens.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub siren: Vec<Siren>,
    /// Which sites have active defences; left out, that of the base, else not known.
    pub umbrella: Option<Umbrella>,
    /// Where fill-ins lie that have no place of their own.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub spread: Vec<Spread>,
    /// What is known to have happened.
    #[serde(default)]
    #[schemars(length(max = 10000))]
    pub incident: Vec<DocumentedIncident>,
    /// What is shown on the time line but raises no alert.
    #[serde(default)]
    #[schemars(length(max = 10000))]
    pub context: Vec<ContextEvent>,
    /// What a source counts by quarter.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub tally: Vec<Tally>,
    /// Limits that the sources put on what may be filled in.
    #[serde(default)]
    #[schemars(length(max = 100))]
    pub bound: Vec<Bound>,
    /// How counted but undated incidents are filled in.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub fill_in: Vec<FillIn>,
}

/// A document that the data come from, as far as it names itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Source {
    /// Short name, used in every `sources` list.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// Title, where the document has one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub title: Option<String>,
    /// Authors, where the document names them.
    #[serde(default)]
    pub authors: Vec<String>,
    /// What it is.
    pub description: String,
    /// When it was written.
    pub written: String,
}

/// How exactly a date is known.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Precision {
    /// To the day: `from` and `until` are the same.
    Day,
    /// To the month: the window lies in one.
    Month,
    /// To the season: the window is at most 93 days long.
    Season,
    /// To the quarter: the window lies in one.
    Quarter,
    /// To the year: the window is at most 366 days long.
    Year,
}

impl Precision {
    /// The word as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Month => "month",
            Self::Season => "season",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }
}

/// Name of a count that a source keeps.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum TallyName {
    /// Attacks on logistical convoys.
    Convoys,
    /// Rocket and drone attacks.
    RocketsAndDrones,
}

impl TallyName {
    /// The word as written.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Convoys => "convoys",
            Self::RocketsAndDrones => "rockets-and-drones",
        }
    }
}

/// An incident that a source states, or a drill, of which all is modelled. `stated`, `inferred` and `modelled` name each of its fields once, except
/// `id`, `sources`, `note` and the alerts, which have lists of their own.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DocumentedIncident {
    /// Name in this file, kebab-case, unique.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// What happened, as a headline.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What is known to have come of it.
    pub outcome: Option<String>,
    /// Who says so.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// Where it happened.
    pub site: String,
    /// How exactly the date is known.
    pub precision: Precision,
    /// First day it may have been. Where the window is longer than a day, the seed chooses one.
    pub from: Date,
    /// Last day it may have been.
    pub until: Date,
    /// The count it is part of.
    pub tally: Option<TallyName>,
    /// Fields that a source states.
    pub stated: Vec<String>,
    /// Fields that follow from a source or from general knowledge.
    pub inferred: Vec<String>,
    /// Fields invented so that a replay can run.
    pub modelled: Vec<String>,
    /// What a reader should know about it.
    pub note: Option<String>,
    /// The alerts it raises.
    #[schemars(length(min = 1, max = 16))]
    pub alert: Vec<DocumentedAlert>,
}

impl DocumentedIncident {
    /// Whether all of it and of its alerts is modelled: a drill, of which no source says anything.
    #[must_use]
    pub fn is_modelled(&self) -> bool {
        let invented = |alert: &DocumentedAlert| alert.stated.is_empty() && alert.inferred.is_empty();
        self.stated.is_empty() && self.inferred.is_empty() && self.alert.iter().all(invented)
    }
}

/// An alert of a documented incident. `stated`, `inferred` and `modelled` name each of its fields once.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct DocumentedAlert {
    /// The node that raises it. Its site is the place of the alert.
    pub node: String,
    /// Seconds after the incident began.
    #[serde(default)]
    #[schemars(range(max = 86_400))]
    pub after_s: u32,
    /// How often it is raised, one after the other; left out, once.
    pub repeat: Option<Repeat>,
    /// How bad it is, in the words of the Common Alerting Protocol.
    pub severity: Word<Severity>,
    /// How soon to act, in the words of the Common Alerting Protocol.
    pub urgency: Word<Urgency>,
    /// How sure it is, in the words of the Common Alerting Protocol.
    pub certainty: Word<Certainty>,
    /// Fields that a source states.
    pub stated: Vec<String>,
    /// Fields that follow from a source or from general knowledge.
    pub inferred: Vec<String>,
    /// Fields invented so that a replay can run.
    pub modelled: Vec<String>,
    /// What it says. Its fields are named in the three lists as if they stood beside them.
    pub body: BodySpec,
}

/// One alert raised again and again, as a detector does in a storm.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Repeat {
    /// How often in all.
    #[schemars(range(min = 2, max = 10_000))]
    pub count: u32,
    /// Milliseconds from each to the next.
    #[schemars(range(min = 1, max = 600_000))]
    pub every_ms: u32,
}

/// Something that happened and raises no alert. `stated`, `inferred` and `modelled` name each of its fields
/// once, except `id`, `sources` and `note`.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ContextEvent {
    /// Name in this file, kebab-case, unique.
    #[schemars(length(min = 1, max = 64))]
    pub id: String,
    /// What happened, as a headline.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// What is known to have come of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    /// Who says so.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// How exactly the date is known.
    pub precision: Precision,
    /// First day it may have been.
    pub from: Date,
    /// Last day it may have been.
    pub until: Date,
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

/// A count that a source states for a quarter.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Tally {
    /// What is counted.
    pub name: TallyName,
    /// The quarter, written `2020-Q1`.
    pub quarter: Quarter,
    /// The count. Documented incidents and fill-ins must add up to it.
    #[schemars(range(max = 10_000))]
    pub count: u32,
    /// Who says so.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// What a reader should know about it.
    pub note: Option<String>,
}

/// What a [`Bound`] forbids.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum BoundRule {
    /// No fill-in at all.
    NoFillIn,
    /// No fill-in with anyone killed.
    NoneKilled,
    /// No fill-in with anyone wounded or killed.
    NoCasualties,
}

/// A limit that the sources put on what may be filled in, held by the loader.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Bound {
    /// What is forbidden.
    pub rule: BoundRule,
    /// First day on which it holds.
    pub from: Date,
    /// Last day on which it holds.
    pub until: Date,
    /// Who says so.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// What the sources state, and what was made of it.
    pub note: String,
}

/// Incidents that a source counts and does not date. All of each is modelled from the seed, but that it
/// counts in its tally.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct FillIn {
    /// Name in this file, kebab-case, unique; a number is put behind it for each incident.
    #[schemars(length(min = 1, max = 60))]
    pub id: String,
    /// What happened, as a headline.
    #[schemars(length(min = 1, max = 200))]
    pub title: String,
    /// The count it is part of.
    pub tally: TallyName,
    /// The quarter, written `2020-Q1`.
    pub quarter: Quarter,
    /// How many.
    #[schemars(range(min = 1, max = 10_000))]
    pub count: u32,
    /// First day on which they may lie.
    pub from: Date,
    /// Last day on which they may lie.
    pub until: Date,
    /// Sites among which the seed chooses; each needs a node that raises this kind.
    #[schemars(length(min = 1, max = 100))]
    pub sites: Vec<String>,
    /// How bad they are, in the words of the Common Alerting Protocol.
    pub severity: Word<Severity>,
    /// How soon to act, in the words of the Common Alerting Protocol.
    pub urgency: Word<Urgency>,
    /// How sure they are, in the words of the Common Alerting Protocol.
    pub certainty: Word<Certainty>,
    /// Who gives the count and the traits.
    #[schemars(length(min = 1, max = 16))]
    pub sources: Vec<String>,
    /// Which traits the sources give, and what was made of them.
    pub note: String,
    /// What they say.
    pub body: FillInBody,
}

impl FillIn {
    /// Name of its incident `number`, counted from 1.
    #[must_use]
    pub fn incident_id(&self, number: u32) -> String {
        format!("{}-{number:02}", self.id)
    }
}
