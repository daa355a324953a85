//! The explanation in words.

use std::sync::Arc;

use anstyle::{AnsiColor, Style};
use serde::Serialize;

use super::Subject;
use crate::route::{Cause, Facts, RouteTrace, RouteVerdict, Router, RouterEvent, Rules, Span};
use crate::scenario::local_time;

/// Steps that are told; rules may go on for a week.
const HAPPENINGS_MAX: usize = 200;

/// Tells what rules make of alerts.
pub(super) struct Account<'r> {
    rules: &'r Arc<Rules>,
    utc_offset_min: i16,
}

/// Something that happens.
#[derive(Serialize)]
pub(super) struct Happening {
    #[serde(rename = "type")]
    sort: &'static str,
    alert: String,
    /// From the arrival of the first alert, in milliseconds.
    after_ms: u64,
    what: String,
}

impl<'r> Account<'r> {
    pub(super) const fn new(rules: &'r Arc<Rules>, utc_offset_min: i16) -> Self {
        Self { rules, utc_offset_min }
    }

    pub(super) fn time(&self, at_ms: u64) -> String {
        local_time(at_ms, self.utc_offset_min)
    }

    /// Every route and what it makes of an alert.
    pub(super) fn routes(&self, subject: &Subject, traces: &[RouteTrace]) -> String {
        let Subject { title, at_ms, facts } = subject;
        let time = self.time(*at_ms);
        let time = time.get(..19).unwrap_or(&time).replace('T', " ");
        let (id, precedence) = (facts.id, facts.precedence.name());
        let mut text = format!("{id}  {title}\n{time}  {precedence}\n\n");
        let width = traces.iter().map(|trace| trace.name.chars().count()).max().unwrap_or(0);
        let (takes, not) = (AnsiColor::Green.on_default().bold(), Style::new().dimmed());
        for trace in traces {
            let name = &trace.name;
            let line = match &trace.verdict {
                RouteVerdict::Takes { .. } => {
                    format!("  {takes}takes{takes:#}  {name:<width$}  {}", self.way(trace.route))
                }
                RouteVerdict::Closed => {
                    format!("  {not}no{not:#}     {name:<width$}  it matches, but not at this hour")
                }
                RouteVerdict::LeftOut { by } => {
                    format!("  {not}no{not:#}     {name:<width$}  it matches, but `{by}` before it is final")
                }
                RouteVerdict::DoesNotMatch { mismatches } => {
                    let why = mismatches.iter().map(|mismatch| {
                        format!("{} is {}, not {}", mismatch.field, mismatch.found, mismatch.wanted)
                    });
                    let why: Vec<_> = why.collect();
                    format!("  {not}no{not:#}     {name:<width$}  {}", why.join("; and "))
                }
            };
            text.push_str(line.trim_end());
            text.push('\n');
        }
        text.push('\n');
        text
    }

    /// Where a route leads, and the timers that it starts.
    fn way(&self, route: usize) -> String {
        let Some(route) = self.rules.routes().get(route) else { return String::new() };
        let mut parts = vec![format!("to {}", self.sinks(&route.to))];
        parts.extend(route.deadline_ms.map(|ms| format!("deadline {}", Span { ms })));
        if let Some(escalation) = &route.escalation {
            let after = Span { ms: escalation.after_ms };
            parts.push(format!("unless acknowledged within {after} to {}", self.sinks(&escalation.to)));
        }
        parts.extend(
            route.grouping.as_ref().map(|group| format!("repeats every {}", Span { ms: group.every_ms })),
        );
        if route.is_final {
            parts.push("final".to_owned());
        }
        parts.join("; ")
    }

    fn sinks(&self, sinks: &[usize]) -> String {
        let names = sinks.iter().filter_map(|sink| self.rules.sink(*sink)).map(|sink| &*sink.name);
        names.collect::<Vec<_>>().join(", ")
    }

    /// What happens if nobody ever answers.
    pub(super) fn happenings(&self, subjects: &[Subject]) -> Vec<Happening> {
        let mut router = Router::new(Arc::clone(self.rules));
        let Some(first_ms) = subjects.first().map(|subject| subject.at_ms) else { return Vec::new() };
        let mut happenings = Vec::new();
        let mut waiting = subjects.iter().peekable();
        while happenings.len() < HAPPENINGS_MAX {
            let alert_ms = waiting.peek().map(|subject| subject.at_ms);
            let now_ms = match (alert_ms, router.poll_timeout()) {
                (Some(alert_ms), due_ms) if due_ms.is_none_or(|due_ms| alert_ms <= due_ms) => {
                    if let Some(Subject { facts, .. }) = waiting.next() {
                        router.handle_alert(alert_ms, facts);
                    }
                    alert_ms
                }
                (_, Some(due_ms)) => {
                    router.handle_timeout(due_ms);
                    due_ms
                }
                (_, None) => break,
            };
            while let Some(event) = router.poll_event() {
                happenings.extend(happening(&event, now_ms - first_ms));
            }
        }
        happenings
    }

    /// The same in words.
    pub(super) fn follows(&self, subjects: &[Subject], happenings: &[Happening]) -> String {
        let alert = if subjects.len() == 1 { "it arrives" } else { "the first arrives" };
        let mut text = format!("From when {alert}, if nobody ever answers:\n\n");
        for happening in happenings {
            let after = if happening.after_ms == 0 {
                "at once".to_owned()
            } else {
                format!("after {}", Span { ms: happening.after_ms })
            };
            let alert = if subjects.len() == 1 { String::new() } else { format!("{}  ", happening.alert) };
            text.push_str(&format!("  {after:<14}  {alert}{}\n", happening.what));
        }
        if happenings.len() >= HAPPENINGS_MAX {
            text.push_str("  …\n");
        }
        text
    }
}

fn happening(event: &RouterEvent, after_ms: u64) -> Option<Happening> {
    let (alert, what) = match event {
        RouterEvent::Dispatch(dispatch) => {
            let Facts { id, .. } = dispatch.facts;
            let route = dispatch.route().map_or_else(String::new, |route| format!(" by {}", route.name));
            (id, format!("to {}{route}: {}", dispatch.sink().name, why(&dispatch.cause)))
        }
        RouterEvent::Held { alert, route, .. } => (*alert, format!("waits in {route} for other nodes")),
        RouterEvent::Deferred { alert, route, .. } => {
            (*alert, format!("waits in {route}: it repeats what was sent"))
        }
        RouterEvent::DeadlineMissed { alert, route, sink } => {
            (*alert, format!("the deadline of {route} has passed, and {sink} has not acknowledged"))
        }
        RouterEvent::Unacknowledged { alert, sink } => {
            (*alert, format!("{sink} has not acknowledged in its time"))
        }
        RouterEvent::Settled(_) => return None,
    };
    Some(Happening { sort: "happening", alert: alert.to_string(), after_ms, what })
}

fn why(cause: &Cause) -> String {
    match cause {
        Cause::Matched => "it matches".into(),
        Cause::Confirmed { nodes } => format!("{nodes} nodes agree"),
        Cause::Unconfirmed { nodes, needs } => {
            format!("unconfirmed: {nodes} of {needs} nodes, and no more can agree in time")
        }
        Cause::Repeated => "the last of several repeats".into(),
        Cause::Escalated { unacknowledged } => format!("{unacknowledged} has not acknowledged"),
        Cause::Follows => "what it updates or ends went there".into(),
        Cause::NoRoute => "no route takes it".into(),
        Cause::Silenced { reason, by } => format!("silenced by {by}: {reason}"),
        Cause::Inhibited { by, name } => format!("{by} holds it back by {name}"),
        Cause::Withdrawn => "it was cancelled while it waited".into(),
    }
}
