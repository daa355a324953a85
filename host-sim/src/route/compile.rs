//! From a file as it was read to rules that can be held against alerts. Notes whatever names nothing or fits nothing.

use std::collections::BTreeMap;
use std::ops::Range;
use std::path::Path;
use std::sync::Arc;

use alertbus::Precedence;
use jiff::civil::Weekday;

use crate::document::{Cursor, Findings, one_of, quoted};

use super::contradiction::contradictions;
use super::expect;
use super::expression::Test;
use super::field::Field;
use super::file::{Day, File, Hours, InhibitSpec, Matchers, RouteSpec, SilenceSpec, When};
use super::index::{Alternative, Index};
use super::places::Places;
use super::rules::{Escalation, Grouping, Inhibition, OpeningHours, Route, Rules, Silence, Sink, by_name};
use super::sinks::sinks;
use super::words::{Span, zone};

/// Tables of matchers in one file.
const TABLES_MAX: usize = 200_000;

/// Compiles `file`, which stands at `tree`. What comes back is of use only where nothing was found to be wrong.
pub(super) fn compile(
    name: &str,
    (folder, scenario): (&Path, String),
    file: File,
    places: Arc<Places>,
    tree: Cursor<'_>,
    findings: &mut Findings<'_>,
) -> Rules {
    let sinks = sinks(&file, tree.key("sinks"), &places, findings);
    let mut compiler =
        Compiler { places: &places, sinks: &sinks, by_name: by_name(&sinks), findings, tables: 0 };
    let default = compiler.sink(&file.default, tree.key("default").span());
    let mut rules = Rules {
        name: name.to_owned(),
        folder: folder.to_owned(),
        scenario,
        places: Arc::clone(&places),
        sinks: Vec::new(),
        default: default.unwrap_or(0),
        routes: Vec::new(),
        alternatives: Vec::new(),
        index: Index::default(),
        inhibitions: Vec::new(),
        silences: Vec::new(),
        tests: Vec::new(),
    };
    compiler.unique(file.route.iter().map(|route| &route.name), "route", tree.key("route"));
    compiler.unique(file.inhibit.iter().map(|inhibit| &inhibit.name), "inhibit", tree.key("inhibit"));
    for (at, route) in file.route.iter().enumerate() {
        if compiler.findings.is_full() {
            break;
        }
        compiler.route(&mut rules, route, tree.key("route").index(at));
    }
    for (at, inhibit) in file.inhibit.iter().enumerate() {
        rules.inhibitions.push(compiler.inhibition(inhibit, tree.key("inhibit").index(at)));
    }
    for (at, silence) in file.silence.iter().enumerate() {
        rules.silences.push(compiler.silence(silence, tree.key("silence").index(at)));
    }
    rules.tests = expect::tests(&mut compiler, &file.test, &rules, tree.key("test"));
    rules.index = Index::new(&rules.alternatives, &places);
    rules.sinks = sinks;
    rules
}

pub(super) struct Compiler<'c, 'f> {
    places: &'c Places,
    sinks: &'c [Sink],
    by_name: BTreeMap<&'c str, usize>,
    pub(super) findings: &'c mut Findings<'f>,
    tables: usize,
}

impl Compiler<'_, '_> {
    fn route(&mut self, rules: &mut Rules, spec: &RouteSpec, tree: Cursor<'_>) {
        let number = u32::try_from(rules.routes.len()).unwrap_or(u32::MAX);
        let first = rules.alternatives.len();
        let mut quorums = Vec::new();
        match &spec.when {
            None => {
                rules.alternatives.push(Alternative { route: number, matchers: Vec::new() });
                quorums.push(None);
            }
            Some(when) => {
                quorums.extend(when.tables().iter().map(|table| table.quorum));
                rules.alternatives.extend(self.when(number, when, tree.key("when")));
            }
        }
        let to = self.sinks_of(&spec.to, tree.key("to"));
        let escalation = spec.unless_acked.as_ref().map(|unless| {
            let targets = tree.key("unless-acked").key("to");
            for (at, target) in unless.to.iter().enumerate().filter(|(_, target)| spec.to.contains(target)) {
                let message = format!(
                    "route {} escalates to {}, where the alert went in the first place",
                    quoted(&spec.name),
                    quoted(target)
                );
                self.findings.add(targets.index(at).span(), message, "allowed: sinks that are not in `to`");
            }
            Escalation { after_ms: unless.after.ms, to: self.sinks_of(&unless.to, targets) }
        });
        rules.routes.push(Route {
            name: spec.name.as_str().into(),
            when: spec.when.as_ref().map_or_else(|| "every alert".into(), |when| when.words().into()),
            to,
            deadline_ms: spec.deadline.map(|deadline| deadline.ms),
            escalation,
            is_final: spec.is_final,
            grouping: self.grouping(spec, tree),
            hours: spec.hours.as_ref().and_then(|hours| self.hours(hours, tree.key("hours"))),
            alternatives: (first, rules.alternatives.len()),
            quorums,
        });
    }

    fn grouping(&mut self, spec: &RouteSpec, tree: Cursor<'_>) -> Option<Grouping> {
        match (&spec.group_by, spec.every) {
            (None, None) => None,
            (Some(names), Some(Span { ms })) => {
                Some(Grouping { by: self.fields(names, tree.key("group-by")), every_ms: ms })
            }
            (Some(_), None) => {
                let message = format!("route {} has `group-by` without `every`", quoted(&spec.name));
                self.findings.add(
                    tree.key("group-by").span(),
                    message,
                    "needed: how often repeats are sent, as `every = \"5m\"`",
                );
                None
            }
            (None, Some(_)) => {
                let message = format!("route {} has `every` without `group-by`", quoted(&spec.name));
                self.findings.add(
                    tree.key("every").span(),
                    message,
                    "needed: what makes alerts repeats of each other, as `group-by = [\"site\", \"kind\"]`",
                );
                None
            }
        }
    }

    fn hours(&mut self, hours: &Hours, tree: Cursor<'_>) -> Option<OpeningHours> {
        if hours.from == hours.until {
            let message = "`from` and `until` are the same minute";
            self.findings.add(
                tree.span(),
                message,
                "allowed: two times of day; the whole day needs no `hours`",
            );
        }
        let days = hours.days.iter().map(|day| match day {
            Day::Mon => Weekday::Monday,
            Day::Tue => Weekday::Tuesday,
            Day::Wed => Weekday::Wednesday,
            Day::Thu => Weekday::Thursday,
            Day::Fri => Weekday::Friday,
            Day::Sat => Weekday::Saturday,
            Day::Sun => Weekday::Sunday,
        });
        let days = days.collect();
        // The schema has held the name against the same database.
        let zone = zone(&hours.zone)?;
        Some(OpeningHours { from: hours.from.0, until: hours.until.0, days, zone })
    }

    fn inhibition(&mut self, spec: &InhibitSpec, tree: Cursor<'_>) -> Inhibition {
        self.refuse_quorum(&spec.source, tree.key("source"));
        self.refuse_quorum(&spec.target, tree.key("target"));
        Inhibition {
            name: spec.name.as_str().into(),
            source: self.when(0, &spec.source, tree.key("source")),
            target: self.when(0, &spec.target, tree.key("target")),
            same: self.fields(&spec.same, tree.key("same")),
            lasts_ms: spec.lasts.ms,
        }
    }

    fn silence(&mut self, spec: &SilenceSpec, tree: Cursor<'_>) -> Silence {
        self.refuse_quorum(&spec.when, tree.key("when"));
        for (key, text) in [("reason", &spec.reason), ("by", &spec.by)] {
            if text.trim().is_empty() {
                self.findings.add(
                    tree.key(key).span(),
                    format!("`{key}` says nothing"),
                    "needed: whoever reads the log has to know",
                );
            }
        }
        let from_ms = spec.from.map_or(0, |from| from.unix_ms);
        if from_ms >= spec.until.unix_ms {
            self.findings.add(
                tree.key("until").span(),
                "the silence ends before it begins",
                "allowed: a moment after `from`",
            );
        }
        let up_to = spec.up_to.map_or(Precedence::Priority, |level| level.0);
        if up_to == Precedence::Flash {
            self.findings.warn(
                tree.key("up-to").span(),
                "this silence holds back Flash alerts: no siren sounds for them",
                "",
            );
        }
        Silence {
            reason: spec.reason.as_str().into(),
            by: spec.by.as_str().into(),
            when: self.when(0, &spec.when, tree.key("when")),
            from_ms,
            until_ms: spec.until.unix_ms,
            up_to,
        }
    }

    /// Who holds others back, or is held back, waits for nobody.
    pub(super) fn refuse_quorum(&mut self, when: &When, tree: Cursor<'_>) {
        for (at, table) in when.tables().iter().enumerate() {
            if table.quorum.is_some() {
                let tree = if let When::All(_) = when { tree } else { tree.index(at) };
                self.findings.add(
                    tree.key("quorum").span(),
                    "a quorum can be asked for in a route only",
                    "allowed: matchers",
                );
            }
        }
    }

    /// The tables of `when`, each of them read.
    pub(super) fn when(&mut self, route: u32, when: &When, tree: Cursor<'_>) -> Vec<Alternative> {
        let mut alternatives = Vec::new();
        for (at, table) in when.tables().iter().enumerate() {
            self.tables += 1;
            if self.tables == TABLES_MAX + 1 {
                self.findings.add(tree.span(), format!("more than {TABLES_MAX} tables of matchers"), "");
            }
            if self.tables <= TABLES_MAX {
                let tree = if let When::All(_) = when { tree } else { tree.index(at) };
                alternatives.push(self.table(route, table, tree));
            }
        }
        alternatives
    }

    fn table(&mut self, route: u32, table: &Matchers, tree: Cursor<'_>) -> Alternative {
        let mut matchers = Vec::new();
        for (name, expression) in &table.fields {
            // The schema knows every field.
            let Some(field) = Field::of(name) else { continue };
            match Test::read(field, &expression.text(), self.places) {
                Ok(test) => matchers.push((field, test)),
                Err(refusal) => {
                    let value = tree.key(name);
                    let span = within(value.span(), value.text().len(), &refusal.span);
                    self.findings.add(span, refusal.message, refusal.allowed);
                }
            }
        }
        matchers.sort_by_key(|(field, _)| *field);
        let alternative = Alternative { route, matchers };
        contradictions(&alternative, self.places, tree, self.findings);
        alternative
    }

    fn sinks_of(&mut self, names: &[String], tree: Cursor<'_>) -> Vec<usize> {
        let mut sinks = Vec::new();
        for (at, name) in names.iter().enumerate() {
            let span = tree.index(at).span();
            match self.sink(name, span.clone()) {
                Some(sink) if sinks.contains(&sink) => {
                    self.findings.add(
                        span,
                        format!("sink {} stands here twice", quoted(name)),
                        "allowed: each once",
                    );
                }
                Some(sink) => sinks.push(sink),
                None => {}
            }
        }
        sinks
    }

    pub(super) fn sink(&mut self, name: &str, span: Range<usize>) -> Option<usize> {
        let found = self.by_name.get(name).copied();
        if found.is_none() {
            let names: Vec<_> = self.sinks.iter().map(|sink| &*sink.name).collect();
            self.findings.add(span, format!("no sink is called {}", quoted(name)), one_of(name, &names));
        }
        found
    }

    /// The route of this name.
    pub(super) fn route_named(&mut self, routes: &[Route], name: &str, span: Range<usize>) -> Option<usize> {
        let found = routes.iter().position(|route| &*route.name == name);
        if found.is_none() {
            let names: Vec<_> = routes.iter().map(|route| &*route.name).collect();
            self.findings.add(span, format!("no route is called {}", quoted(name)), one_of(name, &names));
        }
        found
    }

    fn fields(&mut self, names: &[String], tree: Cursor<'_>) -> Vec<Field> {
        let mut fields = Vec::new();
        for (at, name) in names.iter().enumerate() {
            match Field::of(name) {
                Some(field) => fields.push(field),
                None => {
                    let known: Vec<_> = Field::all().map(Field::name).collect();
                    let span = tree.index(at).span();
                    self.findings.add(
                        span,
                        format!("no field is called {}", quoted(name)),
                        one_of(name, &known),
                    );
                }
            }
        }
        fields
    }

    pub(super) fn unique<'n>(
        &mut self,
        names: impl Iterator<Item = &'n String>,
        what: &str,
        tree: Cursor<'_>,
    ) {
        let mut first: BTreeMap<&str, usize> = BTreeMap::new();
        for (at, name) in names.enumerate() {
            match first.get(name.as_str()) {
                None => drop(first.insert(name, at)),
                Some(&before) => {
                    let also = (tree.index(before).key("name").span(), "the first".to_owned());
                    let message = format!("a second {what} is called {}", quoted(name));
                    self.findings.add_with(
                        tree.index(at).key("name").span(),
                        message,
                        "allowed: a name of its own",
                        Some(also),
                    );
                }
            }
        }
    }
}

/// Bytes of the file for a part of an expression: all of it where it was not written as it reads.
fn within(value: Range<usize>, written_len: usize, part: &Range<usize>) -> Range<usize> {
    if value.len() == written_len + 2 && !part.is_empty() {
        value.start + 1 + part.start..value.start + 1 + part.end
    } else {
        value
    }
}
