//! One step of the world: what comes next, and whom it concerns.

use alertbus::Precedence;
use alertbus::ledger::Outcome;
use alertbus::message::Phase;
use alertbus::role::node::{Refusal, Submission};

use super::account::Fate;
use super::calendar::AROUND_INCIDENT_MS;
use super::event::Event;
use super::{Occurrence, Play, SLOTS_PER_NODE, World};

/// What happens next.
pub(super) enum Next {
    /// The next alert of the plan is raised, then.
    Alert(u64),
    /// The next event, then.
    Event(u64),
    /// A route has waited long enough, then.
    Router(u64),
    /// Quiet is skipped, from then on the run's clock, up to that calendar time.
    Quiet(u64, u64),
    /// Nothing more happens: what has not arrived is told.
    End,
}

impl World {
    pub(super) fn next(&self) -> Option<Next> {
        match self.play {
            Play::AroundAlerts => self.next_around_alerts(),
            Play::Whole { run_ms, .. } => self.next_until(run_ms),
        }
    }

    /// Events beyond the stretch that is played wait until another stretch begins.
    fn next_around_alerts(&self) -> Option<Next> {
        let (alert_ms, router_ms) = (self.next_alert_ms(), self.router_ms());
        let open = self.units.iter().any(|unit| unit.resident() > 0);
        let ends_ms = self.calendar.stretch_ends_ms(open);
        let begins_ms = alert_ms.map(|at_ms| at_ms.saturating_sub(AROUND_INCIDENT_MS));
        // A stretch that goes over into the next one ends with its alert.
        let joins_ms = alert_ms.filter(|_| begins_ms.is_some_and(|begins_ms| begins_ms <= ends_ms));
        let ends_run_ms = self.calendar.run_ms(joins_ms.unwrap_or(ends_ms));
        if let Some(next) = self.next_due(ends_run_ms) {
            return Some(next);
        }
        if joins_ms.is_some() {
            return Some(Next::Alert(ends_run_ms));
        }
        // What routes wait for comes in its time, in the midst of the quiet too.
        match router_ms.filter(|&due_ms| begins_ms.is_none_or(|begins_ms| due_ms < begins_ms)) {
            Some(due_ms) => Some(Next::Quiet(ends_run_ms, due_ms)),
            None => match begins_ms {
                Some(begins_ms) => Some(Next::Quiet(ends_run_ms, begins_ms)),
                None => (!self.is_over).then_some(Next::End),
            },
        }
    }

    /// The first thing that is due up to then on the run's clock. An answer that comes in the last moment comes in time.
    fn next_due(&self, until_run_ms: u64) -> Option<Next> {
        let event = self.medium.events.next_at_ms().filter(|&at_ms| at_ms <= until_run_ms);
        let router = self.router_ms().map(|due_ms| self.calendar.run_ms(due_ms).max(self.medium.now_ms));
        let router = router.filter(|&at_ms| at_ms <= until_run_ms);
        match (event, router) {
            (Some(event), Some(router)) if router < event => Some(Next::Router(router)),
            (Some(event), _) => Some(Next::Event(event)),
            (None, router) => router.map(Next::Router),
        }
    }

    /// Everything up to the end of the run.
    fn next_until(&self, run_ms: u64) -> Option<Next> {
        let alert =
            self.next_alert_ms().map(|at_ms| self.calendar.run_ms(at_ms)).filter(|at_ms| *at_ms <= run_ms);
        let due = self.next_due(alert.unwrap_or(run_ms));
        due.or_else(|| alert.map(Next::Alert)).or_else(|| (!self.is_over).then_some(Next::End))
    }

    fn next_alert_ms(&self) -> Option<u64> {
        (self.next_alert < self.planned).then(|| self.books.alerts[self.next_alert].plan.at_ms)
    }

    /// Does the next thing; false when the run is over.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next() else { return false };
        if let Next::Alert(run_ms) | Next::Event(run_ms) | Next::Router(run_ms) | Next::Quiet(run_ms, _) =
            next
        {
            self.medium.now_ms = self.medium.now_ms.max(run_ms);
        }
        match next {
            Next::Alert(_) => self.raise_next(),
            Next::Event(_) => {
                if let Some(event) = self.medium.events.pop() {
                    self.handle(event);
                }
            }
            Next::Router(_) => self.router_timeout(),
            Next::Quiet(_, until_ms) => {
                if let Some(quiet_ms) = self.calendar.skip_to(self.medium.now_ms, until_ms) {
                    self.host.set_calendar(self.medium.now_ms, self.calendar_ms());
                    self.tell(Occurrence::QuietSkipped(quiet_ms));
                }
            }
            Next::End => self.end(),
        }
        true
    }

    /// Ends the run here: what has not arrived is told as it stands.
    pub fn break_off(&mut self) {
        if !self.is_over {
            self.end();
        }
    }

    /// Only now is it certain what never arrives: a frame of an alert that left its node may long be under way.
    fn end(&mut self) {
        self.is_over = true;
        for number in 0..self.planned {
            match self.books.alerts[number].fate {
                Fate::Ended(Outcome::Superseded | Outcome::Cancelled) => {}
                Fate::Ended(outcome) => self.tell(Occurrence::Ended(number, outcome)),
                Fate::Open => self.tell(Occurrence::Open(number)),
                Fate::CutOff => self.tell(Occurrence::CutOff(number)),
                Fate::Planned | Fate::Refused | Fate::Merged | Fate::Duplicate | Fate::Delivered { .. } => {}
            }
        }
    }

    /// What happened is told and becomes part of the run hash.
    pub(super) fn tell(&mut self, occurrence: Occurrence) {
        self.medium.decided(&format!("{occurrence:?}"));
        self.occurrences.push_back((self.calendar_ms(), occurrence));
    }

    fn raise_next(&mut self) {
        let number = self.next_alert;
        self.next_alert += 1;
        self.calendar.note_alert(self.books.alerts[number].plan.at_ms);
        self.tell(Occurrence::Raised(number));
        self.raise(number);
    }

    /// Hands an alert to its node, or, where that is without power, waits until it is on again: so does its detector.
    pub(super) fn raise(&mut self, number: usize) {
        let now_ms = self.medium.now_ms;
        let plan = self.books.alerts[number].plan;
        let unit = plan.node;
        let now = self.units[unit].local(now_ms);
        let Some(node) = self.units[unit].sensor() else {
            self.medium.events.schedule(now_ms + 1_000, Event::RaiseAgain { number });
            return;
        };
        let submission = match plan.phase {
            Phase::Onset => node.raise(now, plan.draft),
            Phase::Update => node.update(now, plan.draft),
            Phase::Cancel => node.cancel(now, plan.draft),
            Phase::Clear => node.clear(now, plan.draft),
        };
        // All but one slot hold live Flash before one is handed back for want of room.
        let has_room = node.resident() + 1 < SLOTS_PER_NODE;
        if self.units[unit].flash.is_off() {
            // The power failed in the middle of it: whatever the answer was, nobody has got it.
            self.books.cut_in_the_act(now_ms, unit, number);
            self.has_browned_out(unit);
            return;
        }
        match submission {
            Submission::Queued { handle, .. } => self.books.queued(now_ms, unit, number, handle),
            Submission::Merged { into } => {
                self.books.merged(now_ms, unit, number, into);
                self.tell(Occurrence::Merged(number));
            }
            Submission::Duplicate { .. } => self.books.alerts[number].fate = Fate::Duplicate,
            Submission::Cancelled => self.books.alerts[number].fate = Fate::Ended(Outcome::Cancelled),
            Submission::Refused { why, .. } => {
                let is_flash = plan.draft.precedence() == Precedence::Flash && !plan.draft.exercise;
                self.incidents.refused_unduly += u64::from(is_flash && why == Refusal::Full && has_room);
                self.books.alerts[number].fate = Fate::Refused;
                self.tell(Occurrence::Refused(number, why));
            }
        }
        if self.books.alerts[number].wants_warning() {
            self.unwarned[self.units[unit].site].push(number);
        }
        self.serve(unit);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::UnitTimeout { unit } => self.unit_timeout(unit),
            Event::RadioFree { unit } => self.serve(unit),
            Event::RaiseAgain { number } => self.raise(number),
            Event::AirUp { site, packet } => self.air_up(site, &packet),
            Event::LineUp { site, frame } => self.line_up(site, &frame),
            Event::LineDown { site, frame } => self.line_down(site, &frame),
            Event::AirDown { unit, packet } => self.air_down(unit, &packet),
            Event::Sync => self.sync(),
            Event::GatewayTimeout => self.gateway_timeout(),
            Event::GatewayKill => self.kill_gateway(),
            Event::GatewayStart => {
                self.host.start(self.medium.now_ms, self.calendar_ms(), &self.master);
                if self.incidents.gateway_kills > 0 {
                    self.tell(Occurrence::Started);
                }
                self.serve_router();
                self.serve_gateway();
            }
            Event::PowerOn { unit } => {
                let again = self.units[unit].started_ms > 0;
                self.units[unit].power_on(self.medium.now_ms, &self.master);
                self.ears.power_on(self.medium.now_ms, self.units[unit].node);
                if again {
                    self.tell(Occurrence::On(self.units[unit].id.clone()));
                }
                self.serve(unit);
            }
            Event::PowerOff { unit } => self.power_off(unit),
            Event::Reboot { unit } => self.reboot(unit),
            Event::BrownOut { unit } => self.brown_out(unit),
            Event::Partition { site } => self.partition(site),
            Event::NextEpoch { unit } => self.next_epoch(unit),
            Event::Heal => self.heal(),
        }
    }
}
