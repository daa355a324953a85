//! What is explained: an incident's alerts, or one from the command line.

use alertbus::message::Seq;
use alertbus::role::gateway::Standing;
use alertbus::{AlertId, Body, NodeId, Precedence};
use anyhow::{Context as _, bail};
use jiff::Timestamp;

use super::{Args, Subject};
use crate::cli::encode::alert;
use crate::cli::encode::fields::Fields;
use crate::document::{near_miss, one_of};
use crate::route::{Facts, Rules};
use crate::scenario::Scenario;

/// The alerts that are asked for, in the order of time.
pub(super) fn subjects(args: &Args, rules: &Rules, scenario: &Scenario) -> anyhow::Result<Vec<Subject>> {
    if Body::NAMES.contains(&args.subject.as_str()) {
        return Ok(vec![of_kind(args, rules, scenario)?]);
    }
    if !args.fields.is_empty() || args.node.is_some() || args.at.is_some() || args.exercise {
        bail!(
            "`{}` is no kind of alert, and only an alert of your own has fields, a node and a time; {}",
            args.subject,
            one_of(&args.subject, Body::NAMES)
        );
    }
    let timeline = scenario.timeline(args.seed);
    let Some(incident) = timeline.iter().find(|incident| incident.id == args.subject) else {
        let ids = timeline.iter().map(|incident| incident.id.as_str()).chain(Body::NAMES.iter().copied());
        let meant = near_miss(&args.subject, ids);
        let meant = meant.map_or_else(String::new, |near| format!("did you mean `{near}`? "));
        bail!(
            "no incident of {} is called `{}`; {meant}`host-sim incidents {}` lists all, and kinds are: {}",
            scenario.file().name,
            args.subject,
            rules.scenario(),
            Body::NAMES.join(", ")
        );
    };
    let mut subjects = Vec::new();
    for (alert, number) in incident.alerts.iter().zip(1..) {
        let id = name(alert.node, alert.draft.exercise, alert.precedence(), number)?;
        let said = Some(alert.draft.onset(0));
        let facts = Facts::of(id, alert.precedence(), Standing::default(), said, rules.places());
        let title = format!("{}, {} from {}", incident.title, alert.kind(), alert.node_id);
        subjects.push(Subject { title, at_ms: alert.at_ms, facts });
    }
    subjects.sort_by_key(|subject| subject.at_ms);
    Ok(subjects)
}

fn of_kind(args: &Args, rules: &Rules, scenario: &Scenario) -> anyhow::Result<Subject> {
    let mut fields = Fields::parse(&args.fields)?;
    let alert = alert::alert(&args.subject, &mut fields)?;
    fields.finish(&args.subject)?;
    let Some(path) = &args.node else {
        bail!(
            "`--node` is missing: rules ask where an alert is from; for example `--node {}`",
            example(args, rules)
        );
    };
    let places = rules.places();
    let Some(node) = places.nodes().iter().find(|node| node.id == *path) else {
        let known: Vec<&str> = places.nodes().iter().map(|node| node.id.as_str()).collect();
        bail!("no node of {} is called `{path}`; {}", rules.scenario(), one_of(path, &known));
    };
    let at_ms = match &args.at {
        Some(text) => moment(text)?,
        None => scenario.timeline(1).first().map_or(0, |incident| incident.at_ms),
    };
    let precedence = alert.body.precedence();
    let id = name(node.number, args.exercise, precedence, 1)?;
    let facts = Facts::of(id, precedence, Standing::default(), Some(alert), places);
    Ok(Subject { title: format!("{} from {path}", args.subject), at_ms, facts })
}

/// A node that raises alerts of this kind.
fn example<'r>(args: &Args, rules: &'r Rules) -> &'r str {
    let nodes = rules.places().nodes();
    let detects = nodes.iter().find(|node| node.detects.contains(&args.subject));
    detects.or_else(|| nodes.first()).map_or("camp/launch-detector", |node| &node.id)
}

fn moment(text: &str) -> anyhow::Result<u64> {
    let at = text.parse::<Timestamp>().ok().and_then(|at| u64::try_from(at.as_millisecond()).ok());
    at.with_context(|| format!("`--at` is `{text}`; allowed: a time such as 2020-01-08T01:34:00+03:00"))
}

fn name(node: NodeId, exercise: bool, precedence: Precedence, number: u32) -> anyhow::Result<AlertId> {
    let seq = Seq::new(number).context("an incident has fewer alerts")?;
    Ok(AlertId { node, exercise, flash: precedence == Precedence::Flash, seq })
}
