//! One run, as where every alert went and when.

use std::collections::BTreeMap;
use std::sync::Arc;

use alertbus::message::Seq;
use alertbus::role::gateway::Standing;
use alertbus::{AlertId, Precedence};

use crate::replay::{Story, fate};
use crate::route::{Cause, Facts, Rules};
use crate::world::{Occurrence, TooLarge, World};

/// A run that has been played to its end.
#[derive(Clone, Debug)]
pub struct Record {
    /// Its seed.
    pub seed: u64,
    /// Its hash, as a replay shows it.
    pub run_hash: String,
    /// Its end on its clock, in milliseconds.
    pub end_ms: u64,
    /// Every alert of the scenario in the order of time, and behind them the summaries that arrived.
    pub alerts: Vec<Played>,
    /// Which alert a sink has not acknowledged within the deadline of a route: places of alert, route and sink.
    pub missed: Vec<(usize, usize, usize)>,
}

/// An alert, and where it went.
#[derive(Clone, Debug)]
pub struct Played {
    /// Name of its incident; none for a summary.
    pub incident: Option<String>,
    /// Its moment, local time of the scenario.
    pub time: String,
    /// The same, milliseconds since 1970, universal time.
    pub at_ms: u64,
    /// What rules see of it. Of one that never arrived, what they would have seen.
    pub facts: Facts,
    /// When it was raised on the run's clock, in milliseconds.
    pub raised_ms: Option<u64>,
    /// The run has ended, and it was still with its node.
    pub is_open: bool,
    /// Whether it arrived at the gateway, and if not, why not.
    pub fate: &'static str,
    /// Where it went.
    pub visits: Vec<Visit>,
}

/// An alert at a sink.
#[derive(Clone, Debug)]
pub struct Visit {
    /// Place of the sink.
    pub sink: usize,
    /// Place of the route that sent it there, unless it went there by default.
    pub route: Option<usize>,
    /// Why, as one word.
    pub cause: &'static str,
    /// Whether something held it back from where it would have gone.
    pub is_held_back: bool,
    /// Whether it was a repeat that waited for others.
    pub is_repeat: bool,
    /// Whether a later one went there in its stead.
    pub is_stood_for: bool,
    /// When the sink had it after it was raised, in milliseconds; none where it never did.
    pub after_ms: Option<u64>,
}

impl Record {
    /// Plays a story by rules to its end.
    ///
    /// # Errors
    /// The scenario has more units than a world holds.
    pub fn play(story: &Story, rules: &Arc<Rules>, seed: u64) -> Result<Self, TooLarge> {
        let plan = story.plan();
        let alerts = (0..story.len()).filter_map(|number| planned(story, rules, number)).collect();
        let mut world = World::new(plan)?;
        let mut record = Self { seed, run_hash: String::new(), end_ms: 0, alerts, missed: Vec::new() };
        let mut summaries = BTreeMap::new();
        while world.step() {
            while let Some((calendar_ms, occurrence)) = world.poll_occurrence() {
                record.note(&world, story, rules, &mut summaries, calendar_ms, &occurrence);
            }
        }
        record.end_ms = world.run_ms();
        record.run_hash = world.run_hash();
        Ok(record)
    }

    fn note(
        &mut self,
        world: &World,
        story: &Story,
        rules: &Rules,
        summaries: &mut BTreeMap<AlertId, usize>,
        calendar_ms: u64,
        occurrence: &Occurrence,
    ) {
        let place = |id: &AlertId| world.planned(*id).or_else(|| summaries.get(id).copied());
        match occurrence {
            Occurrence::Raised(alert) => self.alerts[*alert].raised_ms = Some(world.run_ms()),
            Occurrence::Delivered { alert, received, .. } => {
                self.alerts[*alert].facts = Facts::new(received, rules.places());
                self.alerts[*alert].fate = "delivered";
            }
            Occurrence::Routed { facts, sink, route, cause, repeats } => {
                if place(&facts.id).is_none() {
                    let at_ms = calendar_ms;
                    summaries.insert(facts.id, self.alerts.len());
                    self.alerts.push(Played::new(None, story.time(at_ms), at_ms, *facts));
                }
                let place = |id: &AlertId| world.planned(*id).or_else(|| summaries.get(id).copied());
                let Some(sink) = rules.sink_named(sink) else { return };
                let route = route.as_ref().and_then(|name| rules.route_named(name));
                for id in repeats.iter().chain([&facts.id]) {
                    let Some(alert) = place(id) else { continue };
                    self.alerts[alert].visit(sink, route, cause, *id != facts.id);
                }
            }
            Occurrence::Reached { id, sink, after_ms } => {
                let (Some(alert), Some(sink)) = (place(id), rules.sink_named(sink)) else { return };
                let visit = self.alerts[alert].visits.iter_mut().find(|visit| visit.sink == sink);
                if let Some(visit) = visit {
                    visit.after_ms = visit.after_ms.or(*after_ms).or(Some(0));
                }
            }
            Occurrence::DeadlineMissed { alert, route, sink } => {
                let alert = place(alert);
                if let (Some(alert), Some(route), Some(sink)) =
                    (alert, rules.route_named(route), rules.sink_named(sink))
                {
                    self.missed.push((alert, route, sink));
                }
            }
            other => {
                if let Some((alert, fate)) = fate(other) {
                    self.alerts[alert].fate = fate;
                    self.alerts[alert].is_open = matches!(other, Occurrence::Open(_));
                }
            }
        }
    }
}

impl Played {
    const fn new(incident: Option<String>, time: String, at_ms: u64, facts: Facts) -> Self {
        let fate = "not raised";
        Self { incident, time, at_ms, facts, raised_ms: None, is_open: false, fate, visits: Vec::new() }
    }

    /// Where it is at this sink, by this route where one is asked for.
    #[must_use]
    pub fn at(&self, sink: usize, route: Option<usize>) -> Option<&Visit> {
        let at_sink = self.visits.iter().find(|visit| visit.sink == sink);
        at_sink.filter(|visit| route.is_none() || visit.route == route)
    }

    /// A gateway that was killed may send again what it had sent; a sink knows it by its name and takes it once.
    fn visit(&mut self, sink: usize, route: Option<usize>, cause: &Cause, is_stood_for: bool) {
        if self.visits.iter().any(|visit| visit.sink == sink) {
            return;
        }
        self.visits.push(Visit {
            sink,
            route,
            cause: cause.name(),
            is_held_back: matches!(
                cause,
                Cause::Silenced { .. } | Cause::Inhibited { .. } | Cause::Withdrawn
            ),
            is_repeat: *cause == Cause::Repeated,
            is_stood_for,
            after_ms: None,
        });
    }
}

/// An alert of the scenario as rules would see it if it arrived at once.
fn planned(story: &Story, rules: &Rules, number: usize) -> Option<Played> {
    let (incident, alert) = story.alert(number)?;
    let precedence = alert.precedence();
    let id = AlertId {
        node: alert.node,
        exercise: alert.draft.exercise,
        flash: precedence == Precedence::Flash,
        seq: Seq::new(1)?,
    };
    let said = Some(alert.draft.onset(0));
    let facts = Facts::of(id, precedence, Standing::default(), said, rules.places());
    Some(Played::new(Some(incident.id.clone()), story.time(alert.at_ms), alert.at_ms, facts))
}
