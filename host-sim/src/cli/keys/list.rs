//! `host-sim keys list` and `host-sim keys show`: what the register says.

use std::io::Write;
use std::process::ExitCode;

use alertbus::message::NodeId;

use super::{advise, print};
use crate::cli::{Voice, values};
use crate::keyring::{Keyring, audit};

/// Show every node that was ever provisioned
#[derive(Debug, clap::Args)]
pub(super) struct ListArgs {}

/// Show one node: its epoch, where its numbers begin, and its blob
#[derive(Debug, clap::Args)]
pub(super) struct ShowArgs {
    /// Number of the node
    #[arg(value_name = "NODE", allow_negative_numbers = true,
          value_parser = values::number("the number of a node", 1..=u16::MAX))]
    node: u16,
}

pub(super) fn list(keys: &super::Args, voice: Voice, out: &mut impl Write) -> anyhow::Result<ExitCode> {
    let keyring = Keyring::open(&keys.dir)?;
    print(keys, &keyring, keyring.entries(), out)?;
    remark(keys, voice);
    if !keys.json {
        let nodes = crate::report::count(keyring.entries().count() as u64, "node");
        writeln!(out, "\n{nodes} of network {}, master key {}", keyring.network(), keyring.fingerprint())?;
    }
    Ok(ExitCode::SUCCESS)
}

pub(super) fn show(
    keys: &super::Args,
    args: &ShowArgs,
    voice: Voice,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let keyring = Keyring::open(&keys.dir)?;
    let entry = keyring.entry(NodeId(args.node))?;
    print(keys, &keyring, std::iter::once(entry), out)?;
    remark(keys, voice);
    if keys.json {
        return Ok(ExitCode::SUCCESS);
    }
    if let Some(next) = entry.next_epoch {
        writeln!(
            out,
            "\non its way to epoch {}: {} when it is there",
            next.0,
            keys.hint(&format!("roll --done {}", args.node))
        )?;
    }
    for path in keyring.outdated(entry)? {
        writeln!(out, "\noutdated, to be deleted: {}", path.display())?;
    }
    Ok(ExitCode::SUCCESS)
}

/// A blob that is not in order is not shown: whoever misses it is told where to look.
fn remark(keys: &super::Args, voice: Voice) {
    if !audit(&keys.dir).findings.is_empty() {
        advise(voice, &format!("not all is in order: {} says what", keys.hint("check")));
    }
}
