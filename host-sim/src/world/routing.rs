//! From an alert that has arrived to the sinks that its rules name.

use std::sync::Arc;

use alertbus::limits::TIME_TO_LIVE_FLASH_MS;
use alertbus::message::Phase;
use alertbus::place::SiteId;
use alertbus::role::gateway::ReceivedAlert;
use alertbus::{AlertId, NodeId};

use crate::route::{Dispatch, Facts, Node, Places, RouterEvent, Rules, SinkSpec, Siren, Site};

use super::disk::ToRoute;
use super::host::Warning;
use super::plan::UnitPlan;
use super::{Occurrence, World};

/// How long a siren sounds for one alert where its sink does not say, in seconds.
const WARNING_S: u16 = 90;

/// An alert that has come to a sink of sirens, and those that are not heard yet.
pub(super) struct Awaited {
    id: AlertId,
    sink: Arc<str>,
    repeats: Vec<AlertId>,
    sirens: Vec<NodeId>,
    since_ms: u64,
}

/// Each site's own sirens, for the units of a plan that has no rules.
pub(super) fn own_sirens(nodes: &[UnitPlan], sirens: &[UnitPlan], sites: &[String]) -> Rules {
    let sites = sites.iter().zip(1..).map(|(id, number)| Site { id: id.clone(), number: SiteId(number) });
    let nodes = nodes.iter().map(|unit| Node {
        id: unit.id.clone(),
        number: unit.node,
        site: unit.site.clone(),
        detects: Vec::new(),
    });
    let sirens =
        sirens.iter().map(|unit| Siren { id: unit.id.clone(), number: unit.node, site: unit.site.clone() });
    Rules::own_sirens(Places::new(sites.collect(), nodes.collect(), sirens.collect()))
}

impl World {
    /// Hands an alert to the router. It is owed to its sinks until they have it, whatever befalls the gateway.
    pub(super) fn route(&mut self, received: &ReceivedAlert) {
        let facts = Facts::new(received, self.host.router.rules().places());
        self.host.disk.write_to_route(ToRoute { facts, since_ms: self.medium.now_ms });
        let calendar_ms = self.calendar_ms();
        self.host.router.handle_alert(calendar_ms, &facts);
        self.serve_router();
    }

    /// When the router wants to be called next, calendar time.
    pub(super) fn router_ms(&self) -> Option<u64> {
        self.host.router.poll_timeout().filter(|_| self.host.is_up())
    }

    pub(super) fn router_timeout(&mut self) {
        let calendar_ms = self.calendar_ms();
        self.host.router.handle_timeout(calendar_ms);
        self.serve_router();
        self.serve_gateway();
    }

    /// Does what the router says.
    pub(super) fn serve_router(&mut self) {
        while let Some(event) = self.host.router.poll_event() {
            match event {
                RouterEvent::Dispatch(dispatch) => self.dispatch(dispatch),
                RouterEvent::Settled(id) => self.host.disk.write_routed(id),
                RouterEvent::Held { alert, route, until_ms }
                | RouterEvent::Deferred { alert, route, until_ms } => {
                    self.tell(Occurrence::Waits { alert, route, until_ms });
                }
                RouterEvent::DeadlineMissed { alert, route, sink } => {
                    self.tell(Occurrence::DeadlineMissed { alert, route, sink });
                }
                RouterEvent::Unacknowledged { alert, sink } => {
                    self.tell(Occurrence::Unacknowledged { alert, sink });
                }
            }
        }
    }

    fn dispatch(&mut self, dispatch: Dispatch) {
        let (facts, sink) = (dispatch.facts, Arc::clone(&dispatch.sink().name));
        let is_down = self.down.iter().any(|down| **down == *sink);
        self.tell(Occurrence::Routed {
            facts,
            sink: Arc::clone(&sink),
            route: dispatch.route().map(|route| Arc::clone(&route.name)),
            cause: dispatch.cause.clone(),
            repeats: dispatch.repeats.clone(),
        });
        let SinkSpec::Siren { zone, duration, .. } = &dispatch.sink().spec else {
            // What takes an alert from a machine that is up has it at once.
            if !is_down {
                self.host.router.acknowledged(facts.id, &sink);
                self.tell_reached(facts.id, &sink, &dispatch.repeats);
            }
            return;
        };
        if is_down {
            return;
        }
        let now_ms = self.medium.now_ms;
        if facts.alert.is_some_and(|alert| matches!(alert.phase, Phase::Cancel | Phase::Clear)) {
            self.host.clear(now_ms, &facts, &sink);
            return self.tell_reached(facts.id, &sink, &dispatch.repeats);
        }
        let places = dispatch.rules().places();
        let site = match zone {
            Some(zone) => places.site(zone),
            None => facts.site,
        };
        let site = site.and_then(|site| places.sites().get(usize::from(site)));
        let sirens: Vec<NodeId> = match site {
            Some(site) => places.sirens_at(&site.id).map(|siren| siren.number).collect(),
            None => Vec::new(),
        };
        let zone = site.map_or(SiteId::UNKNOWN, |site| site.number);
        let duration_s =
            duration.map_or(WARNING_S, |span| u16::try_from(span.ms.div_ceil(1_000)).unwrap_or(u16::MAX));
        self.host.warn(now_ms, &Warning { sirens: &sirens, zone, duration_s }, &facts, &sink);
        self.await_sirens(facts.id, &sink, dispatch.repeats, sirens);
    }

    /// The alert has come to its sink once each of these is heard.
    fn await_sirens(&mut self, id: AlertId, sink: &Arc<str>, repeats: Vec<AlertId>, mut sirens: Vec<NodeId>) {
        let sounds = |siren: &NodeId| {
            self.by_address.get(siren).is_some_and(|&unit| self.units[unit].sounds_warning())
        };
        let has_sirens = !sirens.is_empty();
        sirens.retain(|siren| !sounds(siren));
        if sirens.is_empty() && has_sirens {
            self.tell_reached(id, sink, &repeats);
        } else if has_sirens {
            let since_ms = self.medium.now_ms;
            self.awaited.push(Awaited { id, sink: Arc::clone(sink), repeats, sirens, since_ms });
        }
    }

    /// A siren sounds a warning: what waited for it alone has come to its sink. What is older than its time to live has
    /// not: that siren sounds for something else.
    pub(super) fn note_sounds(&mut self, siren: NodeId) {
        let now_ms = self.medium.now_ms;
        let mut still = Vec::new();
        for mut awaited in std::mem::take(&mut self.awaited) {
            awaited.sirens.retain(|other| *other != siren);
            if now_ms > awaited.since_ms + u64::from(TIME_TO_LIVE_FLASH_MS) {
                continue;
            }
            if awaited.sirens.is_empty() {
                self.tell_reached(awaited.id, &awaited.sink, &awaited.repeats);
            } else {
                still.push(awaited);
            }
        }
        self.awaited = still;
    }

    fn tell_reached(&mut self, id: AlertId, sink: &Arc<str>, repeats: &[AlertId]) {
        for &id in repeats.iter().chain([&id]) {
            let after_ms = self
                .planned(id)
                .map(|number| self.medium.now_ms.saturating_sub(self.books.alerts[number].raised_run_ms));
            self.tell(Occurrence::Reached { id, sink: Arc::clone(sink), after_ms });
        }
    }

    /// The place in the plan of an alert that has arrived; none for a summary.
    #[must_use]
    pub fn planned(&self, id: AlertId) -> Option<usize> {
        self.books.named(id).filter(|number| *number < self.planned)
    }
}
