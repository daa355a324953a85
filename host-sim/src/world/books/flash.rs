//! Where the live Flash alerts of a run went, each into one column.

use std::collections::BTreeMap;

use alertbus::Precedence;
use alertbus::ledger::Outcome;
use alertbus::message::{EventKey, Phase};

use super::{Alert, Books};
use crate::world::account::{Fate, FlashAccount};
use crate::world::plan::AlertPlan;

/// What an alert says of an event: node, key, exercise, phase.
#[derive(PartialEq, Eq, PartialOrd, Ord)]
struct Replaces(usize, EventKey, bool, u8);

impl Replaces {
    fn of(alert: &Alert, phase: Phase) -> Option<Self> {
        let AlertPlan { node, draft, .. } = alert.plan;
        Some(Self(node, draft.key?, draft.exercise, phase.bits()))
    }
}

impl Books {
    /// Where the live Flash alerts among the first `raised` went.
    pub(in crate::world) fn flash(&self, raised: usize) -> FlashAccount {
        let miscounted = self.alerts.iter().filter(|alert| self.is_miscounted(alert)).count() as u64;
        let mut account = FlashAccount { miscounted, ..FlashAccount::default() };
        let replacers = self.replacers(raised);
        let live_flash =
            |alert: &&Alert| alert.precedence() == Precedence::Flash && !alert.plan.draft.exercise;
        for (number, alert) in self.alerts[..raised].iter().enumerate().filter(|(_, alert)| live_flash(alert))
        {
            account.raised += 1;
            *self.column(&mut account, number, alert, &replacers) += 1;
            if let Fate::Delivered { latency_ms } = alert.fate {
                account.latency_ms_max = account.latency_ms_max.max(latency_ms);
            }
        }
        account
    }

    /// Whether a summary that is stored says something else than what was counted into it. A power failure may have cut
    /// off what was counted last, or its answer.
    fn is_miscounted(&self, alert: &Alert) -> bool {
        let Some(said) = alert.said.filter(|_| alert.stored) else { return false };
        let is_certain = |&&number: &&usize| self.alerts[number].fate == Fate::Merged;
        let kind = |&number: &usize| 1 << self.alerts[number].plan.draft.body.code().min(31);
        let certain = alert.counted.iter().filter(is_certain);
        let kinds = certain.clone().map(kind).fold(0, |kinds, kind: u32| kinds | kind);
        let most = alert.counted.len() + alert.perhaps_counted;
        !(certain.count()..=most).contains(&usize::from(said.count)) || kinds & !said.kinds != 0
    }

    /// The last of the first `raised` alerts by what it says of which event: only by such a one can another be replaced.
    fn replacers(&self, raised: usize) -> BTreeMap<Replaces, usize> {
        let replaces =
            |(number, alert): (usize, &Alert)| Some((Replaces::of(alert, alert.plan.phase)?, number));
        self.alerts[..raised].iter().enumerate().filter_map(replaces).collect()
    }

    fn column<'a>(
        &self,
        account: &'a mut FlashAccount,
        number: usize,
        alert: &Alert,
        replacers: &BTreeMap<Replaces, usize>,
    ) -> &'a mut u64 {
        let replacer = |phase| {
            let replacer = Replaces::of(alert, phase).and_then(|replaces| replacers.get(&replaces));
            replacer.filter(|&&replacer| replacer >= number)
        };
        let is_replaced = |phase| replacer(phase).is_some();
        let is_freed = |phase| replacer(phase).is_some_and(|&replacer| self.alerts[replacer].stored);
        let summary = alert.merged_into.map(|into| &self.alerts[into]);
        match alert.fate {
            Fate::Merged if summary.is_some_and(|summary| summary.stored) => &mut account.merged,
            _ if alert.stored => &mut account.stored,
            Fate::Ended(Outcome::Superseded) if is_replaced(Phase::Update) => &mut account.superseded,
            Fate::Ended(Outcome::Cancelled) if is_replaced(Phase::Cancel) => &mut account.cancelled,
            Fate::Duplicate => &mut account.duplicate,
            Fate::Refused => &mut account.refused,
            Fate::CutOff => &mut account.cut_off,
            // Its node was without power and its moment is put off.
            Fate::Planned => &mut account.open,
            _ if self.is_resident(alert.plan.node, number) => &mut account.open,
            // What takes its place is stored: its node let it go, and lost its power before it could say so.
            Fate::Open if is_freed(Phase::Update) => &mut account.superseded,
            Fate::Open if is_freed(Phase::Cancel) => &mut account.cancelled,
            Fate::Open | Fate::Merged | Fate::Delivered { .. } | Fate::Ended(_) => &mut account.lost,
        }
    }
}
