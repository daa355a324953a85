//! What goes to the default sink alone: what a silence or another alert holds back.

use std::sync::Arc;

use alertbus::message::Phase;

use crate::route::facts::Facts;
use crate::route::rules::values_of;

use super::event::Cause;
use super::hold::{Inhibitor, severity};
use super::{Router, WAITING_MAX};

impl Router {
    /// Why an alert goes to the default sink alone, if it does.
    pub(super) fn held_back(&mut self, now_ms: u64, facts: &Facts) -> Option<Cause> {
        if let Some(silence) = self.rules.silences.iter().find(|silence| silence.holds_back(facts, now_ms)) {
            return Some(Cause::Silenced {
                reason: Arc::clone(&silence.reason),
                by: Arc::clone(&silence.by),
            });
        }
        self.inhibitors.retain(|inhibitor| now_ms < inhibitor.until_ms);
        for inhibition in &self.rules.inhibitions {
            if !inhibition.target.iter().any(|table| table.fits(facts)) {
                continue;
            }
            let values = values_of(&inhibition.same, facts);
            let by = self.inhibitors.iter().find(|inhibitor| {
                inhibitor.name == inhibition.name
                    && inhibitor.alert != facts.id
                    && inhibitor.values == values
                    && severity(facts) <= inhibitor.severity
                    && facts.precedence <= inhibitor.precedence
            });
            if let Some(by) = by {
                return Some(Cause::Inhibited { by: by.alert, name: Arc::clone(&inhibition.name) });
            }
        }
        None
    }

    pub(super) fn note_inhibitor(&mut self, now_ms: u64, facts: &Facts) {
        let begins = facts.alert.is_some_and(|alert| matches!(alert.phase, Phase::Onset | Phase::Update));
        if !begins || facts.standing.late {
            return;
        }
        for inhibition in &self.rules.inhibitions {
            if self.inhibitors.len() < WAITING_MAX && inhibition.source.iter().any(|table| table.fits(facts))
            {
                self.inhibitors.push(Inhibitor {
                    name: Arc::clone(&inhibition.name),
                    alert: facts.id,
                    values: values_of(&inhibition.same, facts),
                    severity: severity(facts),
                    precedence: facts.precedence,
                    until_ms: now_ms + inhibition.lasts_ms,
                });
            }
        }
    }
}
