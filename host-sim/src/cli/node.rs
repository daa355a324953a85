//! `host-sim node`: a simulated node or siren over a real line.

mod play;
pub(super) mod prompt;
mod teller;

use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use alertbus::limits::BLOB_LEN;
use alertbus::message::NodeId;
use anyhow::{Context, anyhow, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::mpsc;
use zeroize::Zeroizing;

use super::{INTERRUPTED, USAGE, Voice, values};
use crate::keyring::Keyring;
use crate::live::{Chip, Order, Unit, UnitEnded};
use crate::replay::Speed;
use crate::transport::{Address, Dialler};

use play::Play;
use teller::Teller;

/// Orders and news that wait at most.
const WAITING_MAX: usize = 256;

/// Run a simulated node or siren that talks to a live gateway
///
/// The node is the core's own, on a file that stands for its flash: what it says is durable outlives this program. It
/// takes commands on standard input, such as `raise rocket-launch rounds=3`; `help` lists them. A sensor ends when
/// input has ended, everything was played and nothing is left to be answered for.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The gateway: tcp://HOST:PORT, serial://DEVICE@BAUD or qemu://FILE; one that is away is tried again and again
    #[arg(long, value_name = "URL", env = "HOST_SIM_CONNECT")]
    connect: Address,
    /// The file that is the node's flash; made of its blob where it is not there
    #[arg(long, value_name = "FILE")]
    store: PathBuf,
    /// The node's blob, as `keys provision` makes it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["keys", "node"])]
    blob: Option<PathBuf>,
    /// Take the blob of --node from this key directory
    #[arg(long, value_name = "DIR", requires = "node")]
    keys: Option<PathBuf>,
    /// Which node's blob to take
    #[arg(long, value_name = "N", requires = "keys", allow_negative_numbers = true,
          value_parser = values::number("the number of a node", 1..=u16::MAX))]
    node: Option<u16>,
    /// Be a siren: sound when the gateway warns
    #[arg(long, conflicts_with = "play")]
    siren: bool,
    /// As a siren, take part in exercises, with the test pattern
    #[arg(long, requires = "siren")]
    exercise: bool,
    /// Raise a scenario's alerts, as an exercise and dated as they are raised
    #[arg(long, value_name = "SCENARIO", value_parser = values::ScenarioName, hide_possible_values = true)]
    play: Option<String>,
    /// How fast to play: `max`, or times real time as in `600x`; quiet of more than ten minutes is cut to that
    #[arg(
        long,
        default_value = "max",
        value_name = "SPEED",
        allow_hyphen_values = true,
        env = "HOST_SIM_SPEED",
        requires = "play"
    )]
    speed: Speed,
    /// Seed of the scenario's reconstructed incidents
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed, requires = "play")]
    seed: u64,
    /// One JSON object a line on standard output
    #[arg(long)]
    json: bool,
}

/// Runs until somebody ends it, or a sensor has nothing left to do.
///
/// # Errors
/// Blob, store or scenario are not in order, or standard output is lost.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let play = args.play.as_ref().map(|name| Play::new(name, args.seed, args.speed)).transpose()?;
    let blob = blob(args)?;
    let chip = Chip::open(&args.store, blob.as_deref())?;
    let flashed = chip.blob()?;
    let mut teller = Teller::new(args.json, voice, flashed.node);
    teller.starts(&flashed, args.siren)?;
    let unit = Unit::start(chip, flashed, args.siren, args.exercise, Dialler::new(args.connect.clone()))?;
    let runtime = super::runtime()?;
    let ended = runtime.block_on(serve(unit, teller, play));
    // A thread that waits for standard input must not hold up the end.
    runtime.shutdown_background();
    Ok(match ended? {
        Ended::Interrupted => ExitCode::from(INTERRUPTED),
        Ended::Unit(UnitEnded::Silent) => {
            anstream::eprintln!(
                "host-sim: the counters in `{}` are lost or used up: the node says nothing more under these keys; \
                 `host-sim keys provision --again` makes a new blob, for a new `--store`",
                args.store.display()
            );
            ExitCode::from(USAGE)
        }
        Ended::Unit(_) | Ended::Asked => ExitCode::SUCCESS,
    })
}

/// Why it ended.
enum Ended {
    Unit(UnitEnded),
    Interrupted,
    Asked,
}

async fn serve(unit: Unit, teller: Teller, play: Option<Play>) -> anyhow::Result<Ended> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let (told, news) = mpsc::channel(WAITING_MAX);
    let telling = tokio::task::spawn_blocking(move || teller.run(news));
    let (orders, ordered) = mpsc::channel(WAITING_MAX);
    let (quit, mut quits) = mpsc::channel(1);
    if let Some(play) = play {
        tokio::spawn(play.run(orders.clone()));
    }
    tokio::spawn(prompt(orders, quit));
    let why = tokio::sync::OnceCell::new();
    let stop = async {
        let asked = async {
            // Input that has ended asks for nothing.
            if quits.recv().await.is_none() {
                std::future::pending::<()>().await;
            }
        };
        let ended = tokio::select! {
            () = asked => Ended::Asked,
            _ = interrupt.recv() => Ended::Interrupted,
            _ = terminate.recv() => Ended::Asked,
        };
        // Nobody else sets it.
        let _ = why.set(ended);
    };
    let ended = unit.run(ordered, told, stop).await;
    telling.await.unwrap_or_else(|failure| Err(io::Error::other(failure)))?;
    Ok(match ended {
        UnitEnded::Stopped => why.into_inner().unwrap_or(Ended::Asked),
        ended => Ended::Unit(ended),
    })
}

/// Reads what somebody types, until input ends.
async fn prompt(orders: mpsc::Sender<Order>, quit: mpsc::Sender<()>) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match prompt::read(&line) {
            Ok(prompt::Line::Nothing) => {}
            Ok(prompt::Line::Help) => anstream::eprintln!("{}", prompt::HELP),
            Ok(prompt::Line::Quit) => {
                let _ = quit.send(()).await;
            }
            Ok(prompt::Line::Order(order)) => {
                if orders.send(*order).await.is_err() {
                    return;
                }
            }
            Err(error) => anstream::eprintln!("host-sim: {error:#}"),
        }
    }
}

/// The blob that the options name; none where the store must be there.
fn blob(args: &Args) -> anyhow::Result<Option<Zeroizing<[u8; BLOB_LEN]>>> {
    if let Some(path) = &args.blob {
        return read_blob(path).map(Some);
    }
    let (Some(folder), Some(node)) = (&args.keys, args.node) else { return Ok(None) };
    let keyring = Keyring::open(folder)?;
    let entry = keyring.entry(NodeId(node))?;
    match keyring.blob(entry.node, entry.epoch) {
        Some(path) => read_blob(&path).map(Some),
        None if args.store.exists() => Ok(None),
        None => bail!(
            "the blob of node {node} in epoch {} is not in `{}` any more: it has been flashed, and `host-sim keys \
             provision --again {node}` makes one with a new epoch",
            entry.epoch.0,
            folder.display()
        ),
    }
}

/// Reads a blob. What it says is judged by whoever takes it.
fn read_blob(path: &Path) -> anyhow::Result<Zeroizing<[u8; BLOB_LEN]>> {
    let name = path.display();
    // As text: a file that cannot be read is wrong usage, and no lost output.
    let unreadable = |error: io::Error| anyhow!("cannot read the blob `{name}`: {error}");
    let file = File::open(path).map_err(unreadable)?;
    let mut bytes = Zeroizing::new(Vec::with_capacity(BLOB_LEN + 1));
    file.take(BLOB_LEN as u64 + 1).read_to_end(&mut bytes).map_err(unreadable)?;
    let whole = <[u8; BLOB_LEN]>::try_from(bytes.as_slice()).ok();
    let blob = whole.with_context(|| format!("`{name}` is no blob: one has {BLOB_LEN} bytes"))?;
    alertbus::provision::Blob::decode(&blob).map_err(|why| anyhow!("`{name}`: {why}"))?;
    Ok(Zeroizing::new(blob))
}
