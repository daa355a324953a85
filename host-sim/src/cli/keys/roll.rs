//! `host-sim keys roll`: nodes on their way to the next key epoch.

use std::io::Write;
use std::process::ExitCode;

use super::nodes::{self, Nodes};
use super::{advise, print, warn_of_outdated};
use crate::cli::Voice;
use crate::keyring::Writer;

/// Enter that nodes are to go on to their next key epoch
///
/// The next epoch is the current one and 1, always: a node follows no command to another. It counts as used from
/// now on. The command itself goes out from the gateway.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Numbers of nodes, such as 12 or 1..=40
    #[arg(required = true, value_name = "NODE", value_parser = nodes::nodes)]
    nodes: Vec<Nodes>,
    /// The gateway has heard them in their next epoch: it is the current one now
    #[arg(long)]
    done: bool,
}

pub(super) fn run(
    keys: &super::Args,
    args: &Args,
    voice: Voice,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let nodes = nodes::each(&args.nodes)?;
    let mut writer = Writer::open(&keys.dir)?;
    let changed = if args.done { writer.end_roll(&nodes) } else { writer.begin_roll(&nodes) }?;
    print(keys, writer.keyring(), changed.iter().map(|(entry, _)| entry), out)?;
    out.flush()?;
    for (entry, _) in changed.iter().filter(|(_, is_new)| !is_new) {
        advise(voice, &format!("node {} was on its way to its next epoch already", entry.node.0));
    }
    if args.done {
        for (entry, _) in &changed {
            warn_of_outdated(voice, writer.keyring(), entry)?;
        }
        advise(voice, "next: copy the register away.");
    } else {
        let done = keys.hint("roll --done");
        advise(
            voice,
            &format!(
                "next: copy the register away, command the next epoch from the gateway, and when it has heard the nodes\n\
                 there, {done} with the same nodes."
            ),
        );
    }
    Ok(ExitCode::SUCCESS)
}
