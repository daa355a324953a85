//! Names and numbers: unique where they are given, known where they are used.

use std::collections::BTreeSet;

use crate::document::Cursor;
use crate::document::{Findings, one_of, quoted};
use crate::scenario::body::{BodySpec, KindName};
use crate::scenario::file::{DocumentedAlert, DocumentedIncident, File, FillIn};
use crate::scenario::layout::Node;

pub(super) fn check(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    given(file, tree, findings);
    let known = Known::of(file);
    for (i, node) in file.node.iter().enumerate() {
        known.site(&node.site, tree.key("node").index(i).key("site"), findings);
    }
    for (i, siren) in file.siren.iter().enumerate() {
        known.site(&siren.site, tree.key("siren").index(i).key("site"), findings);
    }
    if let Some(umbrella) = &file.umbrella {
        let at = tree.key("umbrella");
        known.sources(&umbrella.sources, at, findings);
        for (i, site) in umbrella.sites.iter().enumerate() {
            let at = at.key("sites").index(i);
            if known.site(site, at, findings) {
                known.watched(site, KindName::CramEngagement, at, findings);
            }
        }
    }
    for (i, incident) in file.incident.iter().enumerate() {
        let at = tree.key("incident").index(i);
        known.site(&incident.site, at.key("site"), findings);
        known.sources(&incident.sources, at, findings);
        known.place(incident, at.key("site"), findings);
        for (j, alert) in incident.alert.iter().enumerate() {
            let at = at.key("alert").index(j);
            known.node(&alert.node, alert.body.kind(), at.key("node"), findings);
            known.body(&alert.body, at.key("body"), findings);
        }
    }
    for (i, event) in file.context.iter().enumerate() {
        known.sources(&event.sources, tree.key("context").index(i), findings);
    }
    for (i, tally) in file.tally.iter().enumerate() {
        known.sources(&tally.sources, tree.key("tally").index(i), findings);
    }
    for (i, bound) in file.bound.iter().enumerate() {
        known.sources(&bound.sources, tree.key("bound").index(i), findings);
    }
    for (i, fill_in) in file.fill_in.iter().enumerate() {
        let at = tree.key("fill-in").index(i);
        known.sources(&fill_in.sources, at, findings);
        for (j, site) in fill_in.sites.iter().enumerate() {
            let at = at.key("sites").index(j);
            // Where what lies there is spread, its new sites are looked at.
            let is_spread = file.spread.iter().any(|spread| spread.site == *site);
            if known.site(site, at, findings) && !is_spread {
                known.watched(site, fill_in.body.kind(), at, findings);
            }
        }
    }
    for (i, spread) in file.spread.iter().enumerate() {
        let at = tree.key("spread").index(i);
        known.site(&spread.site, at.key("site"), findings);
        let here = |fill_in: &&FillIn| fill_in.sites.contains(&spread.site);
        let kinds: BTreeSet<_> = file.fill_in.iter().filter(here).map(|f| f.body.kind()).collect();
        for (j, site) in spread.over.iter().enumerate() {
            let at = at.key("over").index(j);
            if known.site(site, at, findings) {
                kinds.iter().for_each(|kind| known.watched(site, *kind, at, findings));
            }
        }
    }
}

/// Names and numbers where they are given.
fn given(file: &File, tree: Cursor<'_>, findings: &mut Findings<'_>) {
    let mut sources = Unique::new("a source");
    for (i, source) in file.source.iter().enumerate() {
        sources.claim("id", source.id.clone(), tree.key("source").index(i), findings);
    }
    let mut sites = Unique::new("a site");
    for (i, site) in file.site.iter().enumerate() {
        let at = tree.key("site").index(i);
        kebab(&site.id, false, at, findings);
        sites.claim("id", site.id.clone(), at, findings);
        sites.claim("number", site.number.to_string(), at, findings);
    }
    // On the air a siren is one more address.
    let mut stations = Unique::new("a node");
    for (i, node) in file.node.iter().enumerate() {
        let at = tree.key("node").index(i);
        kebab(&node.id, true, at, findings);
        stations.claim("id", node.id.clone(), at, findings);
        stations.claim("number", node.number.to_string(), at, findings);
    }
    stations.what = "a node or siren";
    for (i, siren) in file.siren.iter().enumerate() {
        let at = tree.key("siren").index(i);
        kebab(&siren.id, true, at, findings);
        stations.claim("id", siren.id.clone(), at, findings);
        stations.claim("number", siren.number.to_string(), at, findings);
    }
    // All that stands on the time line shares one set of names.
    let mut events = Unique::new("an incident");
    for (i, incident) in file.incident.iter().enumerate() {
        let at = tree.key("incident").index(i);
        kebab(&incident.id, false, at, findings);
        events.claim("id", incident.id.clone(), at, findings);
    }
    for (i, event) in file.context.iter().enumerate() {
        let at = tree.key("context").index(i);
        kebab(&event.id, false, at, findings);
        events.claim("id", event.id.clone(), at, findings);
    }
    for (i, fill_in) in file.fill_in.iter().enumerate() {
        let at = tree.key("fill-in").index(i);
        kebab(&fill_in.id, false, at, findings);
        for number in 1..=fill_in.count {
            events.claim("id", fill_in.incident_id(number), at, findings);
        }
    }
}

/// Refuses what is given twice.
struct Unique {
    what: &'static str,
    taken: BTreeSet<(&'static str, String)>,
}

impl Unique {
    fn new(what: &'static str) -> Self {
        Self { what, taken: BTreeSet::new() }
    }

    fn claim(&mut self, key: &'static str, value: String, at: Cursor<'_>, findings: &mut Findings<'_>) {
        let message = format!("duplicate {key} {} of {}", quoted(&value), self.what);
        if !self.taken.insert((key, value)) {
            findings.add(at.key(key).span(), message, "allowed: one that no other has");
        }
    }
}

/// What the file declares.
struct Known<'f> {
    sources: Vec<&'f str>,
    sites: Vec<&'f str>,
    nodes: &'f [Node],
}

impl<'f> Known<'f> {
    fn of(file: &'f File) -> Self {
        Self {
            sources: file.source.iter().map(|source| &*source.id).collect(),
            sites: file.site.iter().map(|site| &*site.id).collect(),
            nodes: &file.node,
        }
    }

    fn site(&self, id: &str, at: Cursor<'_>, findings: &mut Findings<'_>) -> bool {
        let known = self.sites.contains(&id);
        if !known {
            findings.add(at.span(), format!("unknown site {}", quoted(id)), one_of(id, &self.sites));
        }
        known
    }

    /// An incident is where at least one of its alerts comes from.
    fn place(&self, incident: &DocumentedIncident, at: Cursor<'_>, findings: &mut Findings<'_>) {
        let site_of = |alert: &DocumentedAlert| {
            let node = self.nodes.iter().find(|node| node.id == alert.node)?;
            self.sites.contains(&&*node.site).then_some(&*node.site)
        };
        let sites: Option<Vec<&str>> = incident.alert.iter().map(site_of).collect();
        // Where a node or its site is unknown, that is said already.
        let Some(sites) = sites.filter(|_| self.sites.contains(&&*incident.site)) else { return };
        if !sites.contains(&&*incident.site) {
            let message = format!("`site` is {}, but no alert is raised there", quoted(&incident.site));
            findings.add(at.span(), message, one_of("", &sites));
        }
    }

    fn sources(&self, ids: &[String], at: Cursor<'_>, findings: &mut Findings<'_>) {
        for (i, id) in ids.iter().enumerate() {
            if !self.sources.contains(&&**id) {
                let span = at.key("sources").index(i).span();
                findings.add(span, format!("unknown source {}", quoted(id)), one_of(id, &self.sources));
            }
        }
    }

    fn node(&self, id: &str, kind: KindName, at: Cursor<'_>, findings: &mut Findings<'_>) {
        match self.nodes.iter().find(|node| node.id == id) {
            Some(node) if node.detects.contains(&kind) => {}
            Some(node) => {
                let detects: Vec<_> = node.detects.iter().map(|kind| kind.name()).collect();
                let message = format!("node {} does not raise `{}`", quoted(id), kind.name());
                findings.add(at.span(), message, one_of(kind.name(), &detects));
            }
            None => {
                let nodes: Vec<_> = self.nodes.iter().map(|node| &*node.id).collect();
                findings.add(at.span(), format!("unknown node {}", quoted(id)), one_of(id, &nodes));
            }
        }
    }

    fn watched(&self, site: &str, kind: KindName, at: Cursor<'_>, findings: &mut Findings<'_>) {
        if !self.nodes.iter().any(|node| node.site == site && node.detects.contains(&kind)) {
            let message = format!("no node at site {} raises `{}`", quoted(site), kind.name());
            findings.add(at.span(), message, "allowed: a site with such a node");
        }
    }

    fn body(&self, body: &BodySpec, at: Cursor<'_>, findings: &mut Findings<'_>) {
        match body {
            BodySpec::RocketLaunch { impact_site: Some(site), .. } => {
                self.site(site, at.key("impact-site"), findings);
            }
            BodySpec::CramEngagement { engaged, destroyed, leaked, guarded_site, .. } => {
                if let Some(site) = guarded_site {
                    self.site(site, at.key("guarded-site"), findings);
                }
                let accounted = u16::from(destroyed.unwrap_or(0)) + u16::from(leaked.unwrap_or(0));
                if engaged.is_some_and(|engaged| accounted > u16::from(engaged)) {
                    let rounds = if accounted == 1 { "round" } else { "rounds" };
                    let message = format!("{accounted} {rounds} destroyed or leaked, but fewer engaged");
                    findings.add(at.key("engaged").span(), message, format!("allowed: at least {accounted}"));
                }
            }
            _ => {}
        }
    }
}

fn kebab(id: &str, path: bool, at: Cursor<'_>, findings: &mut Findings<'_>) {
    let sound = |part: &str| {
        let letter = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-';
        !part.is_empty() && part.bytes().all(letter)
    };
    if !(if path { id.split('/').all(sound) } else { sound(id) }) {
        let slash = if path { ", parts joined by `/`" } else { "" };
        let message = format!("`id` is {}", quoted(id));
        findings.add(at.key("id").span(), message, format!("allowed: a-z, 0-9 and `-`{slash}"));
    }
}
