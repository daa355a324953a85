//! `host-sim keys new`: a key directory with a new master key.

use std::io::Write;
use std::process::ExitCode;

use serde::Serialize;

use super::{advise, line};
use crate::cli::{Voice, values};
use crate::keyring::{Keyring, MASTER_FILE};

/// Make a key directory with a new master key
///
/// The key comes from the operating system's random generator. A directory that has a key already is refused.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Number of the network; whoever runs several gives each its own
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("the number of a network", 0..=u32::MAX))]
    network: u32,
}

#[derive(Serialize)]
struct Object<'a> {
    r#type: &'static str,
    network: u32,
    directory: &'a str,
    master_key: &'a str,
}

pub(super) fn run(
    keys: &super::Args,
    args: &Args,
    voice: Voice,
    out: &mut impl Write,
) -> anyhow::Result<ExitCode> {
    let keyring = Keyring::create(&keys.dir, args.network)?;
    let directory = keyring.folder().display().to_string();
    let (network, master_key) = (keyring.network(), keyring.fingerprint());
    if keys.json {
        line(&Object { r#type: "network", network, directory: &directory, master_key }, out)?;
    } else {
        writeln!(out, "made {directory}/{MASTER_FILE}: network {network}, master key {master_key}")?;
    }
    // Before the advice, so that the two stand in order on a terminal.
    out.flush()?;
    advise(
        voice,
        &format!(
            "next: copy the whole of `{directory}` to two places that are offline and apart; without the master key no\n\
             node can be added, and nothing that the nodes send can be read. Then {}.",
            keys.hint("provision NODE")
        ),
    );
    Ok(ExitCode::SUCCESS)
}
