//! The rules file as it is written: one type a table, every range where the field is.
//!
//! As with scenarios the JSON schema derives from these types, and a file is held against it before anything is read.

use std::borrow::Cow;
use std::collections::BTreeMap;

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde::Deserialize;
use serde_json::{Map, Value};

use crate::scenario::{Date, Faults};

use super::field::{Field, Values};
use super::words::{Count, Level, Moment, Quorum, Seeds, Span, TimeOfDay};

/// Routing rules: which alert goes where, what happens when nobody answers, and what must come of it in a test.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
#[schemars(rename = "Rules")]
pub struct File {
    /// Version of this format: 1.
    #[schemars(range(min = 1, max = 1))]
    pub schema: u8,
    /// The sink for every alert that no route takes, and for whatever a silence or an inhibition holds back: no alert
    /// goes nowhere. `log`, which is the console, need not be among the sinks.
    #[schemars(length(min = 1, max = 64))]
    pub default: String,
    /// The scenario whose sites, nodes and sirens the rules name: one that the program carries, or a file, seen from
    /// this one. Left out, `iraq-2019-2020`.
    #[schemars(length(min = 1, max = 1000))]
    pub scenario: Option<String>,
    /// Where alerts go, each by its name.
    #[serde(default)]
    pub sinks: BTreeMap<String, SinkSpec>,
    /// Which alert goes where. Every route that matches fires.
    #[serde(default)]
    #[schemars(length(max = 100_000))]
    pub route: Vec<RouteSpec>,
    /// Alerts that hold others back.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub inhibit: Vec<InhibitSpec>,
    /// Alerts that are held back for a time.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub silence: Vec<SilenceSpec>,
    /// What must come of these rules.
    #[serde(default)]
    #[schemars(length(max = 1_000))]
    pub test: Vec<TestSpec>,
}

/// Where alerts go.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "kebab-case", rename_all_fields = "kebab-case", deny_unknown_fields)]
pub enum SinkSpec {
    /// The sirens of a site. They never sound for what is late, overtaken or an exercise.
    Siren {
        /// The site that is warned; left out, that of the alert.
        #[schemars(length(min = 1, max = 64))]
        zone: Option<String>,
        /// How long it sounds for one alert; left out, 90 s.
        duration: Option<Span>,
        /// How soon each of its sirens has to answer; then it counts as not acknowledged. Left out, 30 s.
        ack: Option<Span>,
        /// Where an alert goes that was not acknowledged here.
        unless_acked: Option<UnlessAcked>,
    },
    /// Lines for people, on standard output.
    Console {
        /// Where an alert goes that was not acknowledged here.
        unless_acked: Option<UnlessAcked>,
    },
    /// JSON lines in a file.
    Jsonl {
        /// The file, seen from this one. What it holds stays: lines are added.
        #[schemars(length(min = 1, max = 1000))]
        path: String,
        /// Where an alert goes that was not acknowledged here.
        unless_acked: Option<UnlessAcked>,
    },
    /// A JSON object by HTTP POST.
    Webhook {
        /// To whom. A redirection is never followed.
        #[schemars(length(min = 1, max = 2000))]
        url: String,
        /// How long one try may take; left out, 5 s.
        timeout: Option<Span>,
        /// The environment variable that holds a bearer token.
        #[schemars(length(min = 1, max = 64))]
        token_env: Option<String>,
        /// How soon the receiver has to answer; then it counts as not acknowledged. Left out, 30 s.
        ack: Option<Span>,
        /// Where an alert goes that was not acknowledged here.
        unless_acked: Option<UnlessAcked>,
    },
}

/// Where an alert goes that nobody has acknowledged.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct UnlessAcked {
    /// How long after it was sent.
    pub after: Span,
    /// Sinks.
    #[schemars(length(min = 1, max = 16))]
    pub to: Vec<String>,
}

/// Which alerts go where.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct RouteSpec {
    /// Its name, unique in this file.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// Which alerts: all matchers of a table must hold, and of several tables one. Left out, all alerts.
    #[serde(default)]
    pub when: Option<When>,
    /// Sinks.
    #[schemars(length(min = 1, max = 16))]
    pub to: Vec<String>,
    /// Within this time of its detection an alert has to be acknowledged by every sink of `to`.
    pub deadline: Option<Span>,
    /// Where it goes when a sink of `to` has not acknowledged it.
    pub unless_acked: Option<UnlessAcked>,
    /// Whether routes behind this one are left out for what it takes.
    #[serde(default, rename = "final")]
    pub is_final: bool,
    /// Fields in which alerts are the same event, of which repeats wait for each other.
    #[schemars(length(min = 1, max = 8))]
    pub group_by: Option<Vec<String>>,
    /// How often repeats are sent, all that there are by then at once. The first alert and a rise in severity or
    /// precedence are never held back.
    pub every: Option<Span>,
    /// When in the day and week it holds.
    pub hours: Option<Hours>,
}

/// Hours of the day, on some days of the week.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Hours {
    /// From this minute on.
    pub from: TimeOfDay,
    /// Up to this minute, of the next day where that is not later.
    pub until: TimeOfDay,
    /// Days on which it begins; left out, every day.
    #[serde(default)]
    #[schemars(length(min = 1, max = 7))]
    pub days: Vec<Day>,
    /// Time zone of the IANA database.
    #[schemars(extend("format" = "time-zone"))]
    pub zone: String,
}

/// A day of the week.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Day {
    /// Monday.
    Mon,
    /// Tuesday.
    Tue,
    /// Wednesday.
    Wed,
    /// Thursday.
    Thu,
    /// Friday.
    Fri,
    /// Saturday.
    Sat,
    /// Sunday.
    Sun,
}

/// Alerts that hold others back: those go to the default sink alone. What has more severity or precedence than what
/// holds it back is not held back.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct InhibitSpec {
    /// Its name, unique in this file.
    #[schemars(length(min = 1, max = 64))]
    pub name: String,
    /// What holds back.
    pub source: When,
    /// What is held back.
    pub target: When,
    /// Fields in which both have to be the same.
    #[schemars(length(min = 1, max = 8))]
    pub same: Vec<String>,
    /// How long, unless what holds back is over earlier.
    #[serde(rename = "for")]
    pub lasts: Span,
}

/// Alerts that are held back for a time: they go to the default sink alone.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct SilenceSpec {
    /// Which alerts.
    pub when: When,
    /// From this moment on; left out, always before its end.
    pub from: Option<Moment>,
    /// Up to this moment. There is no silence without an end.
    pub until: Moment,
    /// The highest precedence that is held back; left out, priority.
    pub up_to: Option<Level>,
    /// Why.
    #[schemars(length(min = 1, max = 1000))]
    pub reason: String,
    /// Who says so.
    #[schemars(length(min = 1, max = 200))]
    pub by: String,
}

/// A scenario to play, and what must come of it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct TestSpec {
    /// Its name, unique in this file.
    #[schemars(length(min = 1, max = 64))]
    pub name: Option<String>,
    /// The scenario, one that the program carries or a file, seen from this one; left out, that of the rules.
    #[schemars(length(min = 1, max = 1000))]
    pub play: Option<String>,
    /// Seeds to play it with, unless an option says otherwise; left out, 1.
    pub seeds: Option<Seeds>,
    /// Only incidents from this day on, local time of the scenario.
    pub from: Option<Date>,
    /// Only incidents up to and with this day.
    pub until: Option<Date>,
    /// Only incidents whose id, site or kind fits the pattern.
    #[schemars(length(min = 1, max = 200))]
    pub only: Option<String>,
    /// Faults in the place of the scenario's own; an option of the same name replaces each.
    pub faults: Option<Faults>,
    /// Sinks that never answer.
    #[serde(default)]
    #[schemars(length(min = 1, max = 100))]
    pub down: Vec<String>,
    /// What must come of it.
    #[serde(default)]
    #[schemars(length(min = 1, max = 1_000))]
    pub expect: Vec<ExpectSpec>,
    /// A file with every destination of every alert, which `test --update` writes, seen from this one.
    #[schemars(length(min = 1, max = 1000))]
    pub snapshot: Option<String>,
}

/// What must come of a run.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct ExpectSpec {
    /// Which sink it is about.
    #[schemars(length(min = 1, max = 64))]
    pub sink: String,
    /// Only what this route has sent there.
    #[schemars(length(min = 1, max = 64))]
    pub route: Option<String>,
    /// Only alerts of incidents whose id fits the pattern.
    #[schemars(length(min = 1, max = 200))]
    pub incident: Option<String>,
    /// Only such alerts.
    pub when: Option<When>,
    /// Each of them is acknowledged by the sink within this time of its detection.
    pub within: Option<Span>,
    /// Half of all of them, over all seeds, are.
    pub p50: Option<Span>,
    /// Ninety-nine of a hundred are.
    pub p99: Option<Span>,
    /// How many come there in each run.
    pub count: Option<Count>,
    /// None comes there.
    #[serde(default)]
    pub never: bool,
}

/// One table of matchers, or several of which one must hold.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, JsonSchema)]
#[serde(untagged)]
pub enum When {
    /// All of these.
    All(Matchers),
    /// One of these.
    Any(#[schemars(length(min = 1, max = 64))] Vec<Matchers>),
}

impl When {
    /// The tables of which one must hold.
    #[must_use]
    pub fn tables(&self) -> &[Matchers] {
        match self {
            Self::All(table) => std::slice::from_ref(table),
            Self::Any(tables) => tables,
        }
    }
}

/// Matchers by field, and a quorum.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub struct Matchers {
    /// So many nodes of one site have to agree.
    pub quorum: Option<Quorum>,
    /// Expressions by the name of the field.
    #[serde(flatten)]
    pub fields: BTreeMap<String, Expression>,
}

/// What stands behind a field: an expression, or a value as TOML has it.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(untagged)]
pub enum Expression {
    /// An expression.
    Text(String),
    /// A number.
    Number(u64),
    /// Yes or no.
    Truth(bool),
}

impl Expression {
    /// As an expression.
    #[must_use]
    pub fn text(&self) -> Cow<'_, str> {
        match self {
            Self::Text(text) => text.into(),
            Self::Number(number) => number.to_string().into(),
            Self::Truth(truth) => (if *truth { "yes" } else { "no" }).into(),
        }
    }
}

impl JsonSchema for Matchers {
    fn schema_name() -> Cow<'static, str> {
        "Matchers".into()
    }

    fn json_schema(generator: &mut SchemaGenerator) -> Schema {
        let mut properties = Map::new();
        for field in Field::all() {
            let (types, what): (Value, String) = match field.values() {
                Values::Words { words, ordered } => {
                    let names: Vec<_> = words.iter().map(|(name, _)| *name).collect();
                    let truth = if names == ["no", "yes"] { &["string", "boolean"][..] } else { &["string"] };
                    let order = if ordered { ", lowest first" } else { "" };
                    (truth.into(), format!("One of {}{order}.", names.join(", ")))
                }
                Values::Numbers(most) => {
                    (["string", "integer"][..].into(), format!("A whole number, 0 to {most}, or `unknown`."))
                }
                Values::Sites => (["string"][..].into(), "Name of a site, or a pattern with `*`.".into()),
                Values::Nodes => {
                    (["string"][..].into(), "Path of a node, or a pattern with `*` and `**`.".into())
                }
            };
            properties.insert(field.name().into(), serde_json::json!({ "type": types, "description": what }));
        }
        properties.insert("quorum".into(), generator.subschema_for::<Quorum>().to_value());
        json_schema!({
            "description": "Matchers by field: `= != < <= > >=` before a value, `|` between several, a comma between what must all hold.",
            "type": "object",
            "properties": properties,
            "additionalProperties": false,
        })
    }
}
