//! Provenance: `stated`, `inferred` and `modelled` together name each field once.

use std::collections::BTreeSet;

use crate::document::Cursor;
use crate::document::{Findings, one_of, quoted};
use crate::scenario::file::File;

/// The three lists, in the order of how far they may be believed.
const LISTS: [&str; 3] = ["stated", "inferred", "modelled"];
/// The file's own affairs, of which no source can know anything.
const OWN: [&str; 6] = ["id", "number", "sources", "note", "alert", "body"];

pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    for i in 0..file.site.len() {
        covers(tree.key("site").index(i), findings);
    }
    for i in 0..file.context.len() {
        covers(tree.key("context").index(i), findings);
    }
    for (i, incident) in file.incident.iter().enumerate() {
        let at = tree.key("incident").index(i);
        covers(at, findings);
        for j in 0..incident.alert.len() {
            covers(at.key("alert").index(j), findings);
        }
    }
}

fn covers(at: Cursor<'_>, findings: &mut Findings<'_>) {
    let own = |key: &&str| OWN.contains(key) || LISTS.contains(key);
    let fields: Vec<_> = at.keys().filter(|key| !own(key)).chain(at.key("body").keys()).collect();
    let mut named = BTreeSet::new();
    for list in LISTS {
        for element in at.key(list).elements() {
            let name = element.text();
            if !fields.contains(&name) {
                let message = format!("`{list}` names {}, which is no field here", quoted(name));
                findings.add(element.span(), message, one_of(name, &fields));
            } else if !named.insert(name) {
                let message = format!("`{list}` names {} again", quoted(name));
                findings.add(element.span(), message, "allowed: each field once in the three lists");
            }
        }
    }
    for field in fields.iter().filter(|field| !named.contains(*field)) {
        let holder = if at.key("body").has(field) { at.key("body") } else { at };
        let message = format!("`{field}` is neither stated nor inferred nor modelled");
        let allowed = "allowed: its name in one of the lists `stated`, `inferred`, `modelled`";
        findings.add(holder.key(field).span(), message, allowed);
    }
}
