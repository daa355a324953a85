//! The sinks of a rules file, and to whom each escalates.

use crate::document::{Cursor, Findings, one_of, quoted};

use super::file::{File, SinkSpec, UnlessAcked};
use super::places::Places;
use super::rules::{Escalation, Sink};

/// The name of the console that is always there.
const LOG: &str = "log";

/// How long a sink may take to acknowledge unless it says otherwise, in milliseconds.
const ACK_MS: u64 = 30_000;

/// The sinks, with the console that is always there, sorted by name.
pub(super) fn sinks(
    file: &File,
    tree: Cursor<'_>,
    places: &Places,
    findings: &mut Findings<'_>,
) -> Vec<Sink> {
    let mut specs = file.sinks.clone();
    specs.entry(LOG.to_owned()).or_insert(SinkSpec::Console { unless_acked: None });
    let names: Vec<&str> = specs.keys().map(String::as_str).collect();
    let mut sinks = Vec::new();
    for (name, spec) in &specs {
        let at = tree.key(name);
        if name.is_empty()
            || name.len() > 64
            || !name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '-')
        {
            findings.add(
                at.span(),
                format!("a sink is called {}", quoted(name)),
                "allowed: 1 to 64 small letters, digits and hyphens",
            );
        }
        if let SinkSpec::Siren { zone: Some(zone), .. } = spec
            && places.site(zone).is_none()
        {
            let sites: Vec<_> = places.sites().iter().map(|site| site.id.as_str()).collect();
            let message = format!("`zone` is {}, which is no site of the scenario", quoted(zone));
            findings.add(at.key("zone").span(), message, one_of(zone, &sites));
        }
        let escalation = spec.unless_acked().map(|unless| {
            let to = tree.key(name).key("unless-acked").key("to");
            let to = unless.to.iter().enumerate().filter_map(|(number, target)| {
                let found = names.binary_search(&target.as_str()).ok();
                if found.is_none() {
                    findings.add(
                        to.index(number).span(),
                        format!("no sink is called {}", quoted(target)),
                        one_of(target, &names),
                    );
                }
                found
            });
            Escalation { after_ms: unless.after.ms, to: to.collect() }
        });
        sinks.push(Sink {
            name: name.as_str().into(),
            spec: spec.clone(),
            ack_ms: spec.ack_ms(),
            escalation,
        });
    }
    sinks
}

impl SinkSpec {
    /// Where an alert goes that it has not acknowledged.
    #[must_use]
    pub const fn unless_acked(&self) -> Option<&UnlessAcked> {
        match self {
            Self::Siren { unless_acked, .. }
            | Self::Console { unless_acked }
            | Self::Jsonl { unless_acked, .. }
            | Self::Webhook { unless_acked, .. } => unless_acked.as_ref(),
        }
    }

    fn ack_ms(&self) -> u64 {
        match self {
            Self::Siren { ack, .. } | Self::Webhook { ack, .. } => ack.map_or(ACK_MS, |ack| ack.ms),
            Self::Console { .. } | Self::Jsonl { .. } => ACK_MS,
        }
    }

    /// The word as written.
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Siren { .. } => "siren",
            Self::Console { .. } => "console",
            Self::Jsonl { .. } => "jsonl",
            Self::Webhook { .. } => "webhook",
        }
    }
}
