//! Matchers that cannot hold together.

use crate::document::{Cursor, Findings, quoted};

use super::facts::KINDS;
use super::field::{EVERY_KIND, Field};
use super::index::Alternative;
use super::places::Places;

/// Matchers each of which can hold and that cannot hold together.
pub(super) fn contradictions(
    table: &Alternative,
    places: &Places,
    tree: Cursor<'_>,
    findings: &mut Findings<'_>,
) {
    let test = |wanted| table.matchers.iter().find(|(field, _)| *field == wanted).map(|(_, test)| test);
    let kinds = test(Field::Kind).map_or(EVERY_KIND, |test| {
        (0..8).filter(|kind| test.allows(*kind)).fold(0, |kinds, kind| kinds | 1 << kind) & EVERY_KIND
    });
    let mut left = kinds;
    for (field, _) in &table.matchers {
        if left & field.kinds() == 0 {
            let name = field.name();
            let having = listed(field.kinds());
            let message = if kinds & field.kinds() == 0 {
                format!("no alert of kind {} has a field `{name}`", listed(kinds))
            } else {
                format!("no kind of alert has `{name}` beside the other fields of this matcher")
            };
            return findings.add(tree.key(name).span(), message, format!("`{name}` is a field of {having}"));
        }
        left &= field.kinds();
    }
    let (Some(sites), Some(nodes)) = (test(Field::Site), test(Field::Node)) else { return };
    let nodes_at = (0_u16..).zip(places.nodes()).map(|(at, _)| at);
    let mut both = nodes_at.filter(|at| {
        nodes.allows((*at).into()) && places.site_of(*at).is_some_and(|site| sites.allows(site.into()))
    });
    if both.next().is_none() && !(sites.unknown && nodes.unknown) {
        let message = "no node that fits `node` stands at a site that fits `site`";
        findings.add(
            tree.key("node").span(),
            message,
            "allowed: a node of that site; its path names it already",
        );
    }
}

/// Names of these kinds.
fn listed(kinds: u8) -> String {
    let names = KINDS.iter().enumerate().filter(|(at, _)| kinds >> at & 1 == 1);
    names.map(|(_, name)| quoted(name)).collect::<Vec<_>>().join(", ")
}
