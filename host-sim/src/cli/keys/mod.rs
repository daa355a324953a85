//! `host-sim keys`: the keys of a network of real nodes, and what is flashed onto each.

mod check;
mod list;
mod new;
mod nodes;
mod provision;
mod roll;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::Subcommand;
use serde::Serialize;

use super::Voice;
use super::incidents::table::aligned;
use crate::keyring::{Entry, Keyring};

/// The directory where none is named.
const DEFAULT_DIR: &str = "alertbus-keys";

/// Make the keys of a network, and the blob that is flashed onto each of its nodes
///
/// A directory holds one network's master key, the register of its nodes and their blobs, for the owner's eyes only.
/// Nothing is ever overwritten, and no command shows a key. docs/keys.md is the guide.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The key directory
    #[arg(
        long,
        global = true,
        value_name = "DIR",
        default_value = DEFAULT_DIR,
        env = "HOST_SIM_KEYS_DIR"
    )]
    dir: PathBuf,
    /// One JSON object a line
    #[arg(long, global = true)]
    json: bool,
    #[command(subcommand)]
    command: Command,
}

impl Args {
    /// A command on the same directory, as it can be typed.
    fn hint(&self, words: &str) -> String {
        let dir = self.dir.display();
        if self.dir == Path::new(DEFAULT_DIR) {
            format!("`host-sim keys {words}`")
        } else {
            format!("`host-sim keys --dir '{dir}' {words}`")
        }
    }
}

#[derive(Debug, Subcommand)]
enum Command {
    New(new::Args),
    Provision(provision::Args),
    Roll(roll::Args),
    List(list::ListArgs),
    Show(list::ShowArgs),
    Check(check::Args),
}

/// Does what is asked for and says on standard output what it did; what to do next stands on standard error.
///
/// # Errors
/// The directory is not in order, somebody asks for what is not allowed, or an output cannot be written.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let mut out = BufWriter::new(io::stdout().lock());
    let code = match &args.command {
        Command::New(new) => new::run(args, new, voice, &mut out),
        Command::Provision(provision) => provision::run(args, provision, voice, &mut out),
        Command::Roll(roll) => roll::run(args, roll, voice, &mut out),
        Command::List(_) => list::list(args, voice, &mut out),
        Command::Show(show) => list::show(args, show, voice, &mut out),
        Command::Check(_) => check::run(args, &mut out),
    }?;
    out.flush()?;
    Ok(code)
}

/// Says what to do next, unless nobody wants to hear it.
fn advise(voice: Voice, advice: &str) {
    if !voice.quiet {
        anstream::eprintln!("{advice}");
    }
}

/// Says which blobs must not be flashed any more.
fn warn_of_outdated(voice: Voice, keyring: &Keyring, entry: &Entry) -> anyhow::Result<()> {
    for path in keyring.outdated(entry)? {
        let why = "flashed again, it would repeat packet counters";
        advise(voice, &format!("delete `{}`: {why}", path.display()));
    }
    Ok(())
}

/// A node as it is written.
#[derive(Serialize)]
struct NodeObject {
    r#type: &'static str,
    network: u32,
    node: u16,
    epoch: u32,
    next_epoch: Option<u32>,
    flash_floor: u32,
    other_floor: u32,
    blob: Option<String>,
}

/// One line a node: a table, or objects.
fn print<'e>(
    args: &Args,
    keyring: &Keyring,
    entries: impl Iterator<Item = &'e Entry>,
    out: &mut impl Write,
) -> io::Result<()> {
    let objects = entries.map(|entry| NodeObject {
        r#type: "node",
        network: keyring.network(),
        node: entry.node.0,
        epoch: entry.epoch.0,
        next_epoch: entry.next_epoch.map(|epoch| epoch.0),
        flash_floor: entry.flash_floor,
        other_floor: entry.other_floor,
        blob: keyring.blob(entry.node, entry.epoch).map(|path| path.display().to_string()),
    });
    if args.json {
        return objects.into_iter().try_for_each(|object| line(&object, out));
    }
    let mut rows = vec![["node", "epoch", "next", "flash from", "other from", "blob"].map(String::from)];
    rows.extend(objects.map(|object| {
        [
            object.node.to_string(),
            object.epoch.to_string(),
            object.next_epoch.map_or_else(|| "-".into(), |epoch| epoch.to_string()),
            object.flash_floor.to_string(),
            object.other_floor.to_string(),
            object.blob.unwrap_or_else(|| "-".into()),
        ]
    }));
    aligned(&rows, &[0, 1, 2, 3, 4], out)
}

fn line(object: &impl Serialize, out: &mut impl Write) -> io::Result<()> {
    serde_json::to_writer(&mut *out, object)?;
    writeln!(out)
}
