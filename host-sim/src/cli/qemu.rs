//! `host-sim qemu`: firmware in QEMU, with its UARTs joined to a rig and a live gateway.

mod account;
mod ends;
mod flash;
mod floor;
mod played;
mod prompt;
mod rig;
mod room;
mod run;
mod seen;
mod teller;
mod words;

use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use alertbus::NodeId;
use anyhow::{Context, bail};

use super::{EXPECTATION_FAILED, INTERRUPTED, SINK_LOST, Voice, values};
use crate::guest::{Emulator, Image};
use crate::live::{NODES_MAX, Roll};
use crate::outbox::{Outbox, Owner};
use crate::replay::Speed;

use ends::Why;
use rig::Script;
use room::Room;
use run::Run;

/// What is played where nothing else is named.
const SCENARIO: &str = "iraq-2019-2020";

/// What stands for no scenario.
const NO_SCENARIO: &str = "none";

/// Run firmware in QEMU, its UARTs joined to a rig and a live gateway, and show its log and what it sends in one view
///
/// The rig tells the board on its second UART what its sensors see; the gateway takes what comes of it on the first,
/// stores it and acknowledges it. With a scenario it ends when everything was delivered, and says whether both ends have
/// the same packets. `cargo qemu node` builds the image and runs this. docs/qemu.md is the guide.
#[derive(Debug, clap::Args)]
#[command(
    override_usage = "host-sim qemu [OPTIONS] <IMAGE>\n       cargo qemu PROGRAM [--board BOARD] [OPTIONS]"
)]
pub struct Args {
    /// The image, an ELF file
    #[arg(value_name = "IMAGE")]
    image: PathBuf,
    /// What the node sees, in a network of its own: a file, a scenario that the program carries, or `none`: then what is
    /// typed [default: iraq-2019-2020, and none for a siren]
    #[arg(long, value_name = "SCENARIO", value_parser = values::ScenarioName, hide_possible_values = true)]
    scenario: Option<String>,
    /// Seed of the scenario's reconstructed incidents
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// How fast to play: `max`, or times real time as in `600x`; quiet of more than ten minutes is cut to that. Whatever
    /// it is, the node is never given more than it has room for
    #[arg(
        long,
        default_value = "max",
        value_name = "SPEED",
        allow_hyphen_values = true,
        env = "HOST_SIM_SPEED"
    )]
    speed: Speed,
    /// Go on when the scenario is over, until somebody says `quit`
    #[arg(long)]
    stay: bool,
    /// QEMU's name of the board, where the image does not say for which it was built
    #[arg(long, value_name = "NAME", value_parser = machine)]
    machine: Option<String>,
    /// Where flash, keys and what the gateway has stored are kept; made where it is not there. Without it all of that
    /// goes with this run
    #[arg(long, value_name = "DIR")]
    store: Option<PathBuf>,
    /// Number of the node
    #[arg(long, default_value_t = 12, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("the number of a node", 1..=u16::MAX))]
    node: u16,
    /// A real network's key directory, which has the node's blob, in the place of throw-away keys; what is played is an
    /// exercise then
    #[arg(long, value_name = "DIR", requires = "store")]
    keys: Option<PathBuf>,
    /// Number of this gateway, which no other one of the network has or ever had
    #[arg(long, value_name = "N", default_value_t = 1, env = "HOST_SIM_NUMBER", allow_negative_numbers = true,
          value_parser = values::number("the number of a gateway", 0..=u8::MAX))]
    number: u8,
    /// One JSON object a line on standard output
    #[arg(long)]
    json: bool,
}

/// Runs until the scenario is over, somebody ends it, or QEMU ends.
///
/// # Errors
/// Image, QEMU, keys or store are not in order, or something can no longer be stored or told.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let image = Image::read(&args.image)?;
    let machine = image.machine(args.machine.as_deref())?;
    let script = script(args, &image)?;
    let runtime = super::runtime()?;
    let emulator = runtime.block_on(Emulator::find())?;
    let mut room = Room::take(args.store.as_deref())?;
    room.note_processes(None);
    let node = NodeId(args.node);
    let keyring = room.keys(args.keys.as_deref(), node)?;
    let nodes: Vec<_> = keyring.entries().map(|entry| (entry.node, entry.epoch)).collect();
    if nodes.len() > NODES_MAX {
        bail!("{} nodes are in the register, and one gateway takes {NODES_MAX}", nodes.len());
    }
    let owner =
        Owner { gateway: args.number, network: keyring.network(), master: keyring.fingerprint().to_owned() };
    let outbox = Arc::new(room.outbox(&owner, &keyring, args.keys.is_none())?);
    let roll = Roll {
        gateway: args.number,
        network: keyring.network(),
        master: keyring.master_key(),
        nodes,
        rolls: keyring.entries().filter_map(|entry| Some((entry.node, entry.next_epoch?))).collect(),
        exercise: args.keys.is_some(),
    };
    let stage = ends::opened(script, &room, &outbox)?;
    let run = Run { args, voice, image, machine, emulator, room, node };
    let ended = runtime.block_on(async {
        // Whatever the first waits for: a second one drops the run, and with it the board and a temporary folder.
        let again = run::stop(2)?;
        tokio::select! {
            ended = run.run(&roll, outbox, stage) => ended.map(Some),
            _ = again => Ok(None),
        }
    });
    // A thread that waits for standard input must not hold up the end.
    runtime.shutdown_background();
    let Some((why, summary)) = ended? else { return Ok(ExitCode::from(INTERRUPTED)) };
    Ok(match why {
        Why::Interrupted => ExitCode::from(INTERRUPTED),
        Why::Lost(what) => {
            anstream::eprintln!("host-sim: {what}");
            ExitCode::from(SINK_LOST)
        }
        _ if summary.lost + summary.open + summary.twice > 0 || summary.is_equal() == Some(false) => {
            ExitCode::from(EXPECTATION_FAILED)
        }
        _ => ExitCode::SUCCESS,
    })
}

/// What is to be played, if anything.
fn script(args: &Args, image: &Image) -> anyhow::Result<Option<Script>> {
    let scenario = match (args.scenario.as_deref(), &image.deaf) {
        (Some(NO_SCENARIO), _) | (None, Some(_)) => return Ok(None),
        (Some(scenario), Some(what)) => bail!(
            "`{}` is a {what}, which has no detections: nothing can be played to it; leave `--scenario {scenario}` out",
            image.path().display()
        ),
        (scenario, None) => scenario.unwrap_or(SCENARIO),
    };
    Script::new(scenario, args.seed, args.speed, args.keys.is_some()).map(Some)
}

/// Reads QEMU's name of a board.
fn machine(text: &str) -> Result<String, String> {
    let is_name = |text: &&str| {
        !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
    };
    let allowed = "allowed: a name that `qemu-system-arm -machine help` lists, such as mps2-an386";
    Some(text).filter(is_name).map(str::to_owned).ok_or_else(|| allowed.to_owned())
}

/// The outbox of an earlier run, for what it has of a replay.
fn stored_after(outbox: &Outbox, after: u64) -> anyhow::Result<Vec<(u64, crate::outbox::StoredAlert)>> {
    const AT_ONCE: usize = 256;
    let (mut all, mut last) = (Vec::new(), after);
    loop {
        let some = outbox.alerts(last, AT_ONCE).context("the store's outbox")?;
        let Some((number, _)) = some.last() else { return Ok(all) };
        last = *number;
        all.extend(some);
    }
}
