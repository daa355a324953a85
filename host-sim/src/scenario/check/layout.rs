//! What stands where: nothing missing, convoys outside the umbrella, gaps in coverage for convoys only.

use std::collections::BTreeSet;

use crate::document::Cursor;
use crate::document::{Findings, quoted};
use crate::scenario::file::File;

pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let tables =
        [("source", file.source.is_empty()), ("site", file.site.is_empty()), ("node", file.node.is_empty())];
    for (key, is_empty) in tables {
        if is_empty {
            let message = format!("`{key}` is missing in the file, which has no base that brings one");
            findings.add(
                tree.key(key).span(),
                message,
                format!("allowed: at least one [[{key}]], or a base"),
            );
        }
    }
    umbrella(file, tree, findings);
    nodes(file, tree, findings);
    let mut spread_once = BTreeSet::new();
    for (i, spread) in file.spread.iter().enumerate() {
        if !spread_once.insert(&spread.site) {
            let message = format!("site {} is spread a second time", quoted(&spread.site));
            let span = tree.key("spread").index(i).key("site").span();
            findings.add(span, message, "allowed: one [[spread]] for each site");
        }
    }
}

fn umbrella(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let Some(umbrella) = &file.umbrella else { return };
    let at = tree.key("umbrella").key("sites");
    for (i, site) in umbrella.sites.iter().enumerate() {
        let known = file.site.iter().any(|known| known.id == *site);
        if known && !file.siren.iter().any(|siren| siren.site == *site) {
            let message = format!("no siren stands at site {}, which has active defences", quoted(site));
            findings.add(at.index(i).span(), message, "allowed: a site with a [[siren]]");
        }
    }
    for (i, node) in file.node.iter().enumerate() {
        if node.mobile && umbrella.sites.contains(&node.site) {
            let message = format!("node {} is mobile, but its site is under the umbrella", quoted(&node.id));
            let span = tree.key("node").index(i).key("mobile").span();
            findings.add(
                span,
                message,
                "allowed: a site of which `umbrella` says nothing; it covers no convoys",
            );
        }
    }
}

fn nodes(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for (i, node) in file.node.iter().enumerate() {
        let at = tree.key("node").index(i);
        if node.coverage_gap.is_some() && !node.mobile {
            let message = format!("node {} has a `coverage-gap` and is not mobile", quoted(&node.id));
            findings.add(at.key("coverage-gap").span(), message, "allowed: with `mobile = true`");
        }
        // With a base, an unknown node is refused where the two are laid together.
        if node.instead_of.is_some() && file.base.is_none() {
            let message = format!("node {} takes the place of one, but there is no base", quoted(&node.id));
            findings.add(at.key("instead-of").span(), message, "allowed: in a file with a base");
        }
    }
}
