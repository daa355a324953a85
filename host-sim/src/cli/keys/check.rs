//! `host-sim keys check`: whether a key directory is in order.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::line;
use crate::cli::USAGE;
use crate::keyring::{Audit, Finding, audit};
use crate::report::count;

/// Read everything in the key directory and hold it against everything else
///
/// Modes, checks, network, epochs, keys of blobs, copies. It changes nothing. Exit code 2 where something is wrong.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

#[derive(Serialize)]
struct FindingObject<'f> {
    r#type: &'static str,
    finding: &'f str,
}

#[derive(Serialize)]
struct AuditObject<'a> {
    r#type: &'static str,
    network: Option<u32>,
    master_key: Option<&'a str>,
    nodes: usize,
    blobs: usize,
    findings: usize,
}

pub(super) fn run(keys: &super::Args, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let Audit { network, nodes, blobs, findings } = audit(&keys.dir);
    for Finding(finding) in &findings {
        if keys.json {
            line(&FindingObject { r#type: "finding", finding }, out)?;
        } else {
            writeln!(out, "{finding}")?;
        }
    }
    if keys.json {
        let object = AuditObject {
            r#type: "check",
            network: network.as_ref().map(|(network, _)| *network),
            master_key: network.as_ref().map(|(_, key)| &**key),
            nodes,
            blobs,
            findings: findings.len(),
        };
        line(&object, out)?;
    } else if let Some((network, key)) = network {
        let counted = format!("{}, {}", count(nodes as u64, "node"), count(blobs as u64, "blob"));
        let verdict =
            if findings.is_empty() { "in order".into() } else { count(findings.len() as u64, "finding") };
        writeln!(out, "network {network}, master key {key}: {counted}; {verdict}")?;
    }
    Ok(if findings.is_empty() { ExitCode::SUCCESS } else { ExitCode::from(USAGE) })
}
