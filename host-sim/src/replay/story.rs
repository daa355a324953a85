//! What is played: the incidents of a scenario that pass a filter, and the words for what becomes of them.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use glob::Pattern;

use alertbus::ledger::Outcome;
use alertbus::message::Phase;
use alertbus::message::kind::{ConvoyIed, Kind as _};
use alertbus::time::EventTime;
use alertbus::{AlertDraft, NodeId};

use crate::report::{Failures, PrecedenceRow, Summary, TallyRow, WarningRow, count};
use crate::route::Rules;
use crate::scenario::{Date, Faults, Incident, PlannedAlert, Scenario, local_time};
use crate::sink::Delivery;
use crate::world::{AlertPlan, Occurrence, Plan, Play, UnitPlan, World};

/// Quiet between two alerts that one node sees is cut to this, in milliseconds of the scenario.
const QUIET_MS_MAX: u64 = 600_000;

/// Which incidents are played.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Filter {
    /// From this day on, local time.
    pub from: Option<Date>,
    /// Up to and with this day, local time.
    pub until: Option<Date>,
    /// Those whose id, site or kind fits.
    pub only: Option<Pattern>,
}

/// A scenario under one seed, cut to what is to be played.
pub struct Story {
    name: String,
    utc_offset_min: i16,
    plan: Plan,
    incidents: Vec<Incident>,
    /// For each alert of the plan its incident, and its place there.
    alerts: Vec<(usize, usize)>,
    tallies: Vec<TallyRow>,
    /// Sites with active defences.
    umbrella: BTreeSet<String>,
}

impl Story {
    /// What `filter` leaves of `scenario`.
    #[must_use]
    pub fn new(scenario: &Scenario, seed: u64, faults: Faults, filter: &Filter) -> Self {
        let utc_offset_min = scenario.file().utc_offset_min;
        let mut incidents = scenario.timeline(seed);
        let whole = incidents.len();
        incidents.retain(|incident| filter.keeps(incident, utc_offset_min));
        // A part of the data adds up to nothing that a source counts.
        let tallies = if incidents.len() == whole { tallies(scenario, &incidents) } else { Vec::new() };

        let mut gaps_ms = scenario.coverage_gaps(&incidents);
        let mut unit = |id: &String, number, site: &String| {
            let node = NodeId(number);
            let gaps_ms = gaps_ms.remove(&node).unwrap_or_default();
            UnitPlan { id: id.clone(), node, site: site.clone(), gaps_ms }
        };
        let nodes: Vec<UnitPlan> =
            scenario.nodes().iter().map(|node| unit(&node.id, node.number, &node.site)).collect();
        let sirens: Vec<UnitPlan> =
            scenario.sirens().iter().map(|siren| unit(&siren.id, siren.number, &siren.site)).collect();
        let umbrella = scenario.sites().iter().filter(|site| scenario.is_under_umbrella(&site.id));
        let umbrella = umbrella.map(|site| site.id.clone()).collect();
        let mut planned = Vec::new();
        for (number, incident) in incidents.iter().enumerate() {
            for (place, alert) in incident.alerts.iter().enumerate() {
                let node = nodes.iter().position(|node| node.node == alert.node).unwrap_or(0);
                let plan = AlertPlan { node, at_ms: alert.at_ms, phase: Phase::Onset, draft: alert.draft };
                planned.push((plan, (number, place)));
            }
        }
        planned.sort_by_key(|(plan, place)| (plan.at_ms, *place));
        let (alerts, places) = planned.into_iter().unzip();
        Self {
            name: scenario.file().name.clone(),
            utc_offset_min,
            plan: Plan {
                seed,
                faults,
                nodes,
                sirens,
                alerts,
                play: Play::AroundAlerts,
                rules: None,
                down: Vec::new(),
                epoch_s: 0,
            },
            incidents,
            alerts: places,
            tallies,
            umbrella,
        }
    }

    /// The same by these rules, with sinks of these names that never answer.
    #[must_use]
    pub fn with_rules(mut self, rules: Arc<Rules>, down: Vec<String>) -> Self {
        self.plan.rules = Some(rules);
        self.plan.down = down;
        self
    }

    /// Whether rules say what goes where.
    #[must_use]
    pub const fn has_rules(&self) -> bool {
        self.plan.rules.is_some()
    }

    /// What the world is made of.
    #[must_use]
    pub fn plan(&self) -> Plan {
        self.plan.clone()
    }

    /// Alerts to be played.
    #[must_use]
    pub fn len(&self) -> usize {
        self.alerts.len()
    }

    /// Whether nothing is left to play.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.alerts.is_empty()
    }

    /// All of it as one node sees it, each alert with the quiet before it, in milliseconds of the scenario, cut to ten
    /// minutes. None has a date: of 2020 it would be late, so the node dates it as it takes it.
    #[must_use]
    pub fn for_one_node(&self, exercise: bool) -> Vec<(u64, AlertDraft)> {
        let mut before_ms = None;
        let seen = self.plan.alerts.iter().map(|alert| {
            let quiet_ms = alert.at_ms.saturating_sub(before_ms.replace(alert.at_ms).unwrap_or(alert.at_ms));
            let draft = AlertDraft { exercise, time: EventTime::default(), ..alert.draft };
            (quiet_ms.min(QUIET_MS_MAX), draft)
        });
        seen.collect()
    }

    /// For the top of the screen: what is played, and the faults it is played under, where there are any.
    #[must_use]
    pub fn banner(&self) -> String {
        let day = |incident: Option<&Incident>| {
            incident.map_or_else(String::new, |incident| self.time(incident.at_ms).chars().take(10).collect())
        };
        format!(
            "SIMULATION  {}  seed {}  {}, {}, {} to {}",
            self.name,
            self.plan.seed,
            count(self.incidents.len() as u64, "incident"),
            count(self.alerts.len() as u64, "alert"),
            day(self.incidents.first()),
            day(self.incidents.last())
        ) + &self.faults()
    }

    fn faults(&self) -> String {
        let named = self.plan.faults.named();
        if named.is_empty() { String::new() } else { format!("\nfaults      {}", named.join(", ")) }
    }

    /// Name of a node or siren.
    #[must_use]
    pub fn unit(&self, node: NodeId) -> &str {
        let units = self.plan.nodes.iter().chain(&self.plan.sirens);
        units.into_iter().find(|unit| unit.node == node).map_or("an unknown node", |unit| &unit.id)
    }

    /// A calendar time in the scenario's local time, RFC 3339.
    #[must_use]
    pub fn time(&self, calendar_ms: u64) -> String {
        local_time(calendar_ms, self.utc_offset_min)
    }

    /// The line for what has happened, if it is one about an alert.
    #[must_use]
    pub fn delivery(&self, occurrence: &Occurrence) -> Option<Delivery> {
        Some(match occurrence {
            Occurrence::Delivered { alert, received, latency_ms, packet_len } => Delivery {
                id: Some(received.id.to_string()),
                precedence: received.precedence.name(),
                bytes: Some(*packet_len),
                latency_ms: Some(*latency_ms),
                ..self.undelivered(*alert, "delivered")?
            },
            other => {
                let (alert, fate) = fate(other)?;
                self.undelivered(alert, fate)?
            }
        })
    }

    /// What became of everything, at the end or where the run was broken off.
    #[must_use]
    pub fn summary(&self, world: &World, interrupted: bool) -> Summary {
        let precedences = world.precedences();
        let sum = |count: fn(&crate::world::PrecedenceAccount) -> u64| {
            precedences.iter().map(|(_, account)| count(account)).sum::<u64>()
        };
        let rows = precedences.iter().rev().map(|(precedence, account)| PrecedenceRow {
            precedence: precedence.name(),
            raised: account.raised,
            delivered: account.delivered,
            late: account.late,
            refused: account.refused,
            displaced: account.displaced,
            expired: account.expired,
            undelivered: account.undelivered,
            merged: account.merged,
            replaced: account.replaced,
            cut_off: account.cut_off,
            open: account.open,
            latency_ms_p50: account.latency_ms(50),
            latency_ms_p99: account.latency_ms(99),
            latency_ms_max: account.latency_ms(100),
        });
        let (frames, lengths, incidents) = (world.frames(), world.packet_lengths(), world.incidents());
        Summary {
            sort: "summary",
            exercise: true,
            scenario: self.name.clone(),
            interrupted,
            incidents: self.incidents.len() as u64,
            alerts: self.alerts.len() as u64,
            not_played: sum(|account| account.planned),
            delivered: sum(|account| account.delivered),
            lost: sum(|account| account.lost()),
            duplicates_delivered: world.duplicates_delivered(),
            forged_delivered: world.forged_delivered(),
            bytes_max: lengths.longest() as u64,
            bytes_median: lengths.median() as u64,
            frames_sent: frames.sent,
            frames_dropped: frames.dropped,
            frames_duplicated: frames.duplicated,
            frames_reordered: frames.reordered,
            frames_corrupted: frames.corrupted,
            frames_rejected: frames.rejected + frames.noise,
            retries: world.retries(),
            reports: frames.reports,
            played_ms: world.run_ms(),
            quiet_skipped_ms: world.quiet_skipped_ms(),
            precedences: rows.collect(),
            failures: Failures {
                reboots: incidents.reboots,
                brown_outs: incidents.brown_outs,
                partitions: incidents.partitions,
                gateway_kills: incidents.gateway_kills,
                forgeries_tried: world.attempts().forgeries,
                replays_tried: world.attempts().replays,
                replays_accepted: world.breaches().replays_accepted,
            },
            warnings: self.warnings(world),
            // What was broken off adds up to nothing that a source counts.
            tallies: if interrupted { Vec::new() } else { self.tallies.clone() },
            seed: self.plan.seed,
            run_hash: world.run_hash(),
        }
    }

    /// From detection to siren, by site; convoys apart, wherever they are: no umbrella covers them.
    fn warnings(&self, world: &World) -> Vec<WarningRow> {
        if self.plan.sirens.is_empty() {
            return Vec::new();
        }
        let mut by_place: BTreeMap<(bool, &str), Vec<Option<u64>>> = BTreeMap::new();
        for number in 0..self.alerts.len() {
            let (Some((_, planned)), Some(warned_ms)) = (self.alert(number), world.warning_ms(number)) else {
                continue;
            };
            let convoy = planned.kind() == ConvoyIed::NAME;
            by_place.entry((convoy, &planned.site)).or_default().push(warned_ms);
        }
        by_place
            .into_iter()
            .map(|((convoy, site), warned_ms)| {
                let mut times_ms: Vec<u64> = warned_ms.iter().copied().flatten().collect();
                times_ms.sort_unstable();
                WarningRow {
                    site: site.to_owned(),
                    convoy,
                    umbrella: !convoy && self.umbrella.contains(site),
                    sirens: world.sirens_at(site) as u64,
                    alerts: warned_ms.len() as u64,
                    warned: times_ms.len() as u64,
                    warning_ms_p50: times_ms.get(times_ms.len().div_ceil(2).saturating_sub(1)).copied(),
                    warning_ms_max: times_ms.last().copied(),
                }
            })
            .collect()
    }

    fn undelivered(&self, alert: usize, outcome: &'static str) -> Option<Delivery> {
        let (incident, planned) = self.alert(alert)?;
        Some(Delivery {
            sort: "alert",
            exercise: true,
            time: self.time(planned.at_ms),
            headline: format!("REPLAY {}", incident.title),
            incident: Some(incident.id.clone()),
            mark: incident.mark.name(),
            precedence: planned.precedence().name(),
            kind: planned.kind(),
            site: planned.site.clone(),
            node: planned.node_id.clone(),
            id: None,
            outcome,
            bytes: None,
            latency_ms: None,
            to: Vec::new(),
        })
    }

    /// The incident that an alert of the plan belongs to, and the alert itself.
    #[must_use]
    pub fn alert(&self, number: usize) -> Option<(&Incident, &PlannedAlert)> {
        let &(incident, place) = self.alerts.get(number)?;
        let incident = self.incidents.get(incident)?;
        Some((incident, incident.alerts.get(place)?))
    }
}

impl Filter {
    fn keeps(&self, incident: &Incident, utc_offset_min: i16) -> bool {
        let day = Date::of_unix_ms(incident.at_ms, utc_offset_min);
        self.from.is_none_or(|from| day >= from)
            && self.until.is_none_or(|until| day <= until)
            && self.only.as_ref().is_none_or(|pattern| incident.fits(pattern))
    }
}

/// What `incidents`, a time line of `scenario`, adds up to beside each of the source's counts, as it is shown.
#[must_use]
pub fn tallies(scenario: &Scenario, incidents: &[Incident]) -> Vec<TallyRow> {
    let row = |row: &crate::scenario::TallyRow| TallyRow {
        tally: row.tally.name(),
        quarter: row.quarter.to_string(),
        documented: row.documented,
        reconstructed: row.reconstructed,
        total: row.total(),
        source_total: row.source_total,
        matches: row.matches(),
    };
    scenario.tallies(incidents).iter().map(row).collect()
}

/// What became of an alert of the plan that did not arrive, as one word.
#[must_use]
pub const fn fate(occurrence: &Occurrence) -> Option<(usize, &'static str)> {
    Some(match occurrence {
        Occurrence::Refused(alert, _) => (*alert, "refused"),
        Occurrence::Ended(alert, outcome) => (*alert, word(*outcome)),
        Occurrence::Merged(alert) => (*alert, "merged"),
        Occurrence::CutOff(alert) => (*alert, "cut-off"),
        Occurrence::Open(alert) => (*alert, "open"),
        _ => return None,
    })
}

const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Acked => "acked",
        Outcome::Superseded => "superseded",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
        Outcome::Displaced => "displaced",
        _ => "undelivered",
    }
}
