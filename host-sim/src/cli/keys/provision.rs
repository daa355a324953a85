//! `host-sim keys provision`: blobs for nodes.

use std::io::Write;
use std::process::ExitCode;

use alertbus::limits::SEQ_MAX;
use alertbus::message::Epoch;

use super::nodes::{self, Nodes};
use super::{advise, print, warn_of_outdated};
use crate::cli::{Voice, values};
use crate::keyring::{Request, Writer};

/// The last number that a floor can be.
const FLOOR_MAX: u32 = SEQ_MAX - 1;

/// Make the blobs of nodes, which are flashed onto them
///
/// A node that is provisioned again always gets a new epoch and higher first numbers for its alerts.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Numbers of nodes, such as 12 or 1..=40
    #[arg(required = true, value_name = "NODE", value_parser = nodes::nodes)]
    nodes: Vec<Nodes>,
    /// Also those that have been provisioned already: they are not heard until the new blob is flashed. Never one that
    /// was stolen: it would get the key back that the thief has
    #[arg(long)]
    again: bool,
    /// Key epoch [default: the one after the last; 1 for a new node]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number", 1..=u32::MAX))]
    epoch: Option<u32>,
    /// First number of Flash alerts, above every one that the node may have used [default: 2^24 above the last such
    /// floor; 1 for a new node]
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number", 1..=FLOOR_MAX))]
    flash_floor: Option<u32>,
    /// First number of all other alerts, in the same way
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number", 1..=FLOOR_MAX))]
    other_floor: Option<u32>,
}

pub(super) fn run(
    keys: &super::Args,
    args: &Args,
    voice: Voice,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let request = Request {
        nodes: nodes::each(&args.nodes)?,
        again: args.again,
        epoch: args.epoch.map(Epoch),
        flash_floor: args.flash_floor,
        other_floor: args.other_floor,
    };
    let mut writer = Writer::open(&keys.dir)?;
    let provisioned = writer.provision(&request)?;
    let keyring = writer.keyring();
    print(keys, keyring, provisioned.iter().map(|node| &node.entry), out)?;
    out.flush()?;
    advise(
        voice,
        "next: on each node's flash erase the blob's page, write the blob there, once, and delete the file. Copy the register away.",
    );
    for node in &provisioned {
        warn_of_outdated(voice, keyring, &node.entry)?;
    }
    Ok(ExitCode::SUCCESS)
}
