//! The time line of a scenario under one seed: every incident with its moment and its alerts.

use alertbus::message::kind::CramEngagementState;
use alertbus::message::{AlertDraft, Certainty, Severity, Urgency};
use alertbus::{NodeId, Precedence};
use serde::Serialize;

use crate::draw::Draw;

use super::body::{BodySpec, KindName};
use super::calendar::{Date, Quarter};
use super::draft::draft;
use super::file::{ContextEvent, DocumentedAlert, DocumentedIncident, File, FillIn, Precision, TallyName};
use super::fill_in::{FilledIn, fill_in, moment};
use super::layout::Node;
use super::words::Word;

/// Whether a source states an incident, or only counts it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Mark {
    /// A source states it.
    Documented,
    /// A source counts it; all else is modelled from the seed. Never to be shown as a documented event.
    Reconstructed,
    /// Invented as a drill: of none of its fields a source says anything. Never to be shown as an event.
    Modelled,
}

impl Mark {
    /// The word as shown.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Documented => "documented",
            Self::Reconstructed => "reconstructed",
            Self::Modelled => "modelled",
        }
    }
}

/// Where the fields of something come from; the three lists name each field once.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Provenance {
    /// Fields that a source states.
    pub stated: Vec<String>,
    /// Fields that follow from a source or from general knowledge.
    pub inferred: Vec<String>,
    /// Fields invented so that a replay can run.
    pub modelled: Vec<String>,
}

impl Provenance {
    /// `stated`, `inferred` or `modelled`; none where the field is not known here.
    #[must_use]
    pub fn of(&self, field: &str) -> Option<&'static str> {
        let lists = [("stated", &self.stated), ("inferred", &self.inferred), ("modelled", &self.modelled)];
        lists.into_iter().find(|(_, fields)| fields.iter().any(|name| name == field)).map(|(name, _)| name)
    }
}

impl ContextEvent {
    /// Where its fields come from.
    #[must_use]
    pub fn provenance(&self) -> Provenance {
        let [stated, inferred, modelled] = [&self.stated, &self.inferred, &self.modelled].map(Clone::clone);
        Provenance { stated, inferred, modelled }
    }
}

/// An incident and its moment under one seed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Incident {
    /// Its name, unique in the scenario.
    pub id: String,
    /// What happened, as a headline.
    pub title: String,
    /// What is known to have come of it.
    pub outcome: Option<String>,
    /// Name of the site where it happened.
    pub site: String,
    /// When a replay plays it, milliseconds since 1970, universal time. The hour is always modelled.
    pub at_ms: u64,
    /// Documented, reconstructed or modelled.
    pub mark: Mark,
    /// The count it is part of.
    pub tally: Option<TallyName>,
    /// The quarter in which it was; none where its window lies in several.
    pub quarter: Option<Quarter>,
    /// How exactly the date is known.
    pub precision: Precision,
    /// First day it may have been, local time.
    pub from: Date,
    /// Last day it may have been, local time.
    pub until: Date,
    /// Who says so.
    pub sources: Vec<String>,
    /// Where its fields come from. `day` (where the window is longer) and `time-of-day` are modelled.
    pub provenance: Provenance,
    /// What a reader should know about it.
    pub note: Option<String>,
    /// What it raises, in the order of time; at least one.
    pub alerts: Vec<PlannedAlert>,
}

impl Incident {
    /// Whether its id, or the site or kind of one of its alerts, fits the pattern.
    #[must_use]
    pub fn fits(&self, pattern: &glob::Pattern) -> bool {
        let alert_fits = |alert: &PlannedAlert| pattern.matches(alert.kind()) || pattern.matches(&alert.site);
        pattern.matches(&self.id) || pattern.matches(&self.site) || self.alerts.iter().any(alert_fits)
    }
}

/// An alert that a node will raise.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PlannedAlert {
    /// Number of the node that raises it.
    pub node: NodeId,
    /// Its path.
    pub node_id: String,
    /// Name of the site where the node stands; its position is the alert's place.
    pub site: String,
    /// When, milliseconds since 1970, universal time.
    pub at_ms: u64,
    /// What it says, in the words of the scenario.
    pub spec: AlertSpec,
    /// What the node raises.
    pub draft: AlertDraft,
    /// Where its fields come from.
    pub provenance: Provenance,
}

impl PlannedAlert {
    /// The precedence at which it will travel.
    #[must_use]
    pub fn precedence(&self) -> Precedence {
        self.draft.precedence()
    }

    /// Name of its kind.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        self.spec.body.kind().name()
    }
}

/// What an alert says, in the words of the scenario.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AlertSpec {
    /// How bad it is.
    pub severity: Severity,
    /// How soon to act.
    pub urgency: Urgency,
    /// How sure it is.
    pub certainty: Certainty,
    /// What happened.
    pub body: BodySpec,
}

/// All incidents of `file` under `seed`, in the order of time, and of the name where times are the same.
pub(super) fn timeline(file: &File, seed: u64) -> Vec<Incident> {
    let documented = file.incident.iter().map(|incident| documented(file, incident, seed));
    let reconstructed = file.fill_in.iter().flat_map(|fill_in| {
        (1..=fill_in.count).filter_map(move |number| reconstructed(file, fill_in, number, seed))
    });
    let mut incidents: Vec<_> = documented.chain(reconstructed).collect();
    incidents.sort_by(|a, b| (a.at_ms, &a.id).cmp(&(b.at_ms, &b.id)));
    incidents
}

fn documented(file: &File, incident: &DocumentedIncident, seed: u64) -> Incident {
    let at_ms =
        moment(&mut Draw::new(seed, &incident.id), incident.from, incident.until, file.utc_offset_min);
    let mut alerts: Vec<_> =
        incident.alert.iter().flat_map(|alert| documented_alerts(file, alert, at_ms)).collect();
    alerts.sort_by_key(|alert| alert.at_ms);
    let mut modelled = incident.modelled.clone();
    if incident.from != incident.until {
        modelled.push("day".into());
    }
    modelled.push("time-of-day".into());
    Incident {
        id: incident.id.clone(),
        title: incident.title.clone(),
        outcome: incident.outcome.clone(),
        site: incident.site.clone(),
        at_ms,
        mark: if incident.is_modelled() { Mark::Modelled } else { Mark::Documented },
        tally: incident.tally,
        quarter: Some(Quarter::of(incident.from)).filter(|quarter| *quarter == Quarter::of(incident.until)),
        precision: incident.precision,
        from: incident.from,
        until: incident.until,
        sources: incident.sources.clone(),
        provenance: Provenance {
            stated: incident.stated.clone(),
            inferred: incident.inferred.clone(),
            modelled,
        },
        note: incident.note.clone(),
        alerts,
    }
}

/// The alert as often as it is raised.
fn documented_alerts<'f>(
    file: &'f File,
    alert: &'f DocumentedAlert,
    incident_at_ms: u64,
) -> impl Iterator<Item = PlannedAlert> + 'f {
    let node = file.node.iter().find(|node| node.id == alert.node);
    let site = node.map_or("", |node| &node.site);
    let late_s = node.map_or(0, |node| node.detects_after_s);
    let first_at_ms = incident_at_ms + (u64::from(alert.after_s) + u64::from(late_s)) * 1_000;
    let (count, every_ms) = alert.repeat.map_or((1, 0), |repeat| (repeat.count, repeat.every_ms));
    (0..count).map(move |number| {
        let at_ms = first_at_ms + u64::from(number) * u64::from(every_ms);
        let spec = AlertSpec {
            severity: alert.severity.0,
            urgency: alert.urgency.0,
            certainty: alert.certainty.0,
            body: alert.body.clone(),
        };
        let mut modelled = alert.modelled.clone();
        if alert.after_s == 0 && at_ms > incident_at_ms {
            modelled.push("after-s".into());
        }
        PlannedAlert {
            node: NodeId(node.map_or(0, |node| node.number)),
            node_id: alert.node.clone(),
            site: site.to_owned(),
            at_ms,
            draft: draft(file, &spec, site, at_ms),
            spec,
            provenance: Provenance {
                stated: alert.stated.clone(),
                inferred: alert.inferred.clone(),
                modelled,
            },
        }
    })
}

fn reconstructed(file: &File, from: &FillIn, number: u32, seed: u64) -> Option<Incident> {
    let drawn = fill_in(file, from, number, seed)?;
    let site = drawn.node.site.clone();
    let engagement = engagement(file, from, &drawn);
    let late_ms = u64::from(drawn.node.detects_after_s) * 1_000;
    let mut alerts = vec![invented_alert(file, from, drawn.node, drawn.at_ms + late_ms, drawn.body)];
    if late_ms > 0 {
        alerts.iter_mut().for_each(|alert| alert.provenance.modelled.push("after-s".into()));
    }
    alerts.extend(engagement);
    alerts.sort_by_key(|alert| alert.at_ms);
    Some(Incident {
        id: from.incident_id(number),
        title: from.title.clone(),
        outcome: None,
        site,
        at_ms: drawn.at_ms,
        mark: Mark::Reconstructed,
        tally: Some(from.tally),
        quarter: Some(from.quarter),
        precision: Precision::Quarter,
        from: from.from,
        until: from.until,
        sources: from.sources.clone(),
        provenance: Provenance {
            stated: vec!["tally".into(), "precision".into()],
            inferred: vec!["from".into(), "until".into()],
            modelled: ["title", "site", "day", "time-of-day"].map(String::from).into(),
        },
        note: Some(from.note.clone()),
        alerts,
    })
}

/// What the active defences of the site say of a reconstructed launch, where the umbrella says that they engage.
fn engagement(file: &File, from: &FillIn, drawn: &FilledIn<'_>) -> Option<PlannedAlert> {
    let umbrella = file.umbrella.as_ref().filter(|umbrella| umbrella.sites.contains(&drawn.node.site))?;
    let BodySpec::RocketLaunch { rounds, .. } = &drawn.body else { return None };
    let raises =
        |node: &&Node| node.site == drawn.node.site && node.detects.contains(&KindName::CramEngagement);
    let body = BodySpec::CramEngagement {
        state: Some(Word(CramEngagementState::Engaging)),
        engaged: *rounds,
        destroyed: None,
        leaked: None,
        debris_radius_m: None,
        guarded_site: Some(drawn.node.site.clone()),
    };
    let at_ms = drawn.at_ms + u64::from(umbrella.engages_after_s?) * 1_000;
    let mut alert = invented_alert(file, from, file.node.iter().find(raises)?, at_ms, body);
    alert.provenance.modelled.push("after-s".into());
    Some(alert)
}

/// An alert of which all is modelled.
fn invented_alert(file: &File, from: &FillIn, node: &Node, at_ms: u64, body: BodySpec) -> PlannedAlert {
    let spec =
        AlertSpec { severity: from.severity.0, urgency: from.urgency.0, certainty: from.certainty.0, body };
    let mut modelled: Vec<String> = ["node", "severity", "urgency", "certainty"].map(String::from).into();
    modelled.extend(spec.body.fields().into_keys());
    PlannedAlert {
        node: NodeId(node.number),
        node_id: node.id.clone(),
        site: node.site.clone(),
        at_ms,
        draft: draft(file, &spec, &node.site, at_ms),
        spec,
        provenance: Provenance { modelled, ..Provenance::default() },
    }
}
