//! A scenario laid over one that the program carries: the same incidents, other places, nodes, sirens, faults.
//!
//! Everything of the base is kept and everything of the file added to it, but for what `only`, `without` and
//! `instead-of` say. What the base brought has no place in the file that is read: messages about it point to
//! the base's name.

use std::collections::{BTreeMap, BTreeSet};

use glob::Pattern;
use schemars::JsonSchema;
use serde::Deserialize;

use super::body::KindName;
use super::calendar::Quarter;
use super::file::{DocumentedIncident, File, FillIn, TallyName};
use super::layout::Spread;
use crate::document::{Cursor, Inherited};
use crate::document::{Findings, one_of, quoted};

/// The scenario that this one is laid over.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub struct Base {
    /// Name of a scenario that the program carries.
    #[schemars(length(min = 1, max = 64))]
    pub scenario: String,
    /// Only incidents whose id, site or kind fits this pattern, fill-ins whose id or kind does, and context events
    /// whose id does; with them the nodes that raise them, and the tallies that still add up. Left out: all.
    #[schemars(length(min = 1, max = 200))]
    pub only: Option<String>,
    /// Paths of its nodes and sirens that do not stand here.
    #[serde(default)]
    #[schemars(length(max = 1000))]
    pub without: Vec<String>,
}

/// Lays `own` over `base`, and says how much of each table came from there. `tree` is what `own` was read from.
pub(super) fn lay_over(
    mut own: File,
    mut base: File,
    tree: Cursor<'_>,
    findings: &mut Findings<'_>,
) -> (File, Inherited) {
    if let Some(settings) = &own.base {
        cut(&mut base, settings, tree.key("base"), findings);
        leave_out(&mut base, settings, tree.key("base"), findings);
    }
    for (i, node) in own.node.iter().enumerate() {
        if let Some(former) = &node.instead_of {
            let at = tree.key("node").index(i).key("instead-of");
            replace_node(&mut base, former, &node.id, at, findings);
        }
    }
    if own.utc_offset_min != base.utc_offset_min {
        let message =
            format!("`utc-offset-min` is `{}`, but days of the base are local too", own.utc_offset_min);
        let allowed = format!("allowed: {}, as in the base", base.utc_offset_min);
        findings.add(tree.key("utc-offset-min").span(), message, allowed);
    }
    let mut inherited = Inherited::at(tree.key("base").key("scenario").span());
    macro_rules! put_before {
        ($($table:ident $name:literal)+) => {
            $(
                inherited.count($name, base.$table.len());
                base.$table.append(&mut own.$table);
                own.$table = base.$table;
            )+
        };
    }
    put_before! {
        source "source"
        site "site"
        node "node"
        siren "siren"
        spread "spread"
        incident "incident"
        context "context"
        tally "tally"
        bound "bound"
        fill_in "fill-in"
    }
    own.umbrella = own.umbrella.or(base.umbrella);
    (own, inherited)
}

/// Leaves of `base` what `only` says.
fn cut(base: &mut File, settings: &Base, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let Some(text) = &settings.only else { return };
    let pattern = match Pattern::new(text) {
        Ok(pattern) => pattern,
        Err(error) => {
            let message = format!("`only` is {}: {error}", quoted(text));
            findings.add(at.key("only").span(), message, "allowed: a pattern such as `camp-*`");
            return;
        }
    };
    let counted_in_whole = counted(base);
    base.incident.retain(|incident| {
        let kinds = incident.alert.iter().any(|alert| pattern.matches(alert.body.kind().name()));
        pattern.matches(&incident.id) || pattern.matches(&incident.site) || kinds
    });
    base.fill_in
        .retain(|fill_in| pattern.matches(&fill_in.id) || pattern.matches(fill_in.body.kind().name()));
    base.context.retain(|event| pattern.matches(&event.id));
    if base.incident.is_empty() && base.fill_in.is_empty() {
        let message = format!("`only` is {}, which leaves no incident of the base", quoted(text));
        findings.add(
            at.key("only").span(),
            message,
            "allowed: a pattern that fits some of their ids, sites or kinds",
        );
    }
    // A part of the data adds up to nothing that a source counts.
    let counted = counted(base);
    base.tally.retain(|tally| {
        let key = (tally.name, tally.quarter);
        counted.contains_key(&key) && counted.get(&key) == counted_in_whole.get(&key)
    });
    let counts = |name: TallyName, quarter| {
        base.tally.iter().any(|tally| (tally.name, tally.quarter) == (name, quarter))
    };
    for incident in &mut base.incident {
        incident.tally = incident.tally.filter(|name| counts(*name, Quarter::of(incident.from)));
        if incident.tally.is_none() {
            for list in [&mut incident.stated, &mut incident.inferred, &mut incident.modelled] {
                list.retain(|field| field != "tally");
            }
        }
    }
    if let Some(fill_in) = base.fill_in.iter().find(|fill_in| !counts(fill_in.tally, fill_in.quarter)) {
        let message =
            format!("`only` is {}, which takes `{}` and not all of its tally", quoted(text), fill_in.id);
        findings.add(at.key("only").span(), message, "allowed: fill-ins with all that their tally counts");
    }
    let nodes: BTreeSet<&str> =
        base.incident.iter().flat_map(|incident| &incident.alert).map(|alert| &*alert.node).collect();
    let (fill_ins, spreads, umbrella) = (&base.fill_in, &base.spread, &base.umbrella);
    base.node.retain(|node| {
        let may_raise = |fill_in: &FillIn| {
            let spread =
                |spread: &Spread| fill_in.sites.contains(&spread.site) && spread.over.contains(&node.site);
            let lies_there = fill_in.sites.contains(&node.site) || spreads.iter().any(spread);
            lies_there && node.detects.contains(&fill_in.body.kind())
        };
        let engages = umbrella.as_ref().is_some_and(|umbrella| umbrella.sites.contains(&node.site))
            && node.detects.contains(&KindName::CramEngagement);
        nodes.contains(&*node.id) || engages || fill_ins.iter().any(may_raise)
    });
    let nodes = &base.node;
    base.siren.retain(|siren| nodes.iter().any(|node| node.site == siren.site));
}

/// How many incidents each tally counts.
fn counted(file: &File) -> BTreeMap<(TallyName, Quarter), u64> {
    let documented = |incident: &DocumentedIncident| Some((incident.tally?, Quarter::of(incident.from)));
    let documented = file.incident.iter().filter_map(documented).map(|key| (key, 1));
    let fill_ins =
        file.fill_in.iter().map(|fill_in| ((fill_in.tally, fill_in.quarter), fill_in.count.into()));
    let mut counted = BTreeMap::new();
    for (key, count) in documented.chain(fill_ins) {
        *counted.entry(key).or_default() += count;
    }
    counted
}

/// Leaves nodes and sirens of `base` out.
fn leave_out(base: &mut File, settings: &Base, at: Cursor<'_>, findings: &mut Findings<'_>) {
    for (i, id) in settings.without.iter().enumerate() {
        let nodes = base.node.iter().map(|node| &node.id);
        let paths: Vec<_> = nodes.chain(base.siren.iter().map(|siren| &siren.id)).map(|id| &**id).collect();
        if !paths.contains(&&**id) {
            let message = format!("unknown node or siren {} of the base", quoted(id));
            findings.add(at.key("without").index(i).span(), message, one_of(id, &paths));
        }
        base.node.retain(|node| node.id != *id);
        base.siren.retain(|siren| siren.id != *id);
    }
}

/// Hands the alerts of `former` to the node that takes its place.
fn replace_node(base: &mut File, former: &str, node: &str, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let count = base.node.len();
    base.node.retain(|known| known.id != former);
    if base.node.len() == count {
        let nodes: Vec<_> = base.node.iter().map(|node| &*node.id).collect();
        findings.add(
            at.span(),
            format!("unknown node {} of the base", quoted(former)),
            one_of(former, &nodes),
        );
    }
    for alert in base.incident.iter_mut().flat_map(|incident| &mut incident.alert) {
        if alert.node == former {
            node.clone_into(&mut alert.node);
        }
    }
}
