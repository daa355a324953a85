//! `host-sim gateway`: a live gateway for real nodes and sirens.

pub(super) mod prompt;
pub(super) mod teller;

use std::io;
use std::path::PathBuf;
use std::process::ExitCode;
use std::sync::Arc;

use anyhow::{Context, bail};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, watch};

use super::{INTERRUPTED, Voice, values};
use crate::keyring::Keyring;
use crate::live::{Ask, Ended, Gateway, NODES_MAX, Roll};
use crate::outbox::{Batch, Outbox, Owner};
use crate::transport::{Address, Listener};

use teller::Teller;

/// Things to tell that wait for standard output at most.
const TOLD_MAX: usize = 256;

/// Things asked for that wait at most.
const ASKS_MAX: usize = 16;

/// Addresses one gateway listens on.
const LISTENERS_MAX: usize = 16;

/// Run a live gateway: take alerts of real nodes, store them, acknowledge them, and warn through sirens
///
/// Prints one line an alert, once it is stored, and one for whatever is wrong with a node. Commands on standard input
/// warn through sirens and end that; `help` lists them. docs/gateway.md is the guide.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Where nodes connect: tcp://HOST:PORT, port 0 for any that is free, serial://DEVICE@BAUD, or qemu://FILE for a
    /// QEMU with `-serial unix:FILE`; only this machine reaches a loopback host such as 127.0.0.1
    #[arg(long, value_name = "URL", num_args = 1.., default_value = "tcp://127.0.0.1:7700",
          env = "HOST_SIM_LISTEN", value_delimiter = ' ')]
    listen: Vec<Address>,
    /// The network's key directory, as `keys new` makes it
    #[arg(long, value_name = "DIR", env = "HOST_SIM_KEYS_DIR")]
    keys: PathBuf,
    /// Where alerts and what must not be forgotten of nodes are kept; made where it is not there
    #[arg(long, value_name = "DIR", default_value = "alertbus-state", env = "HOST_SIM_STATE")]
    state: PathBuf,
    /// Number of this gateway, which no other one of the network has or ever had
    #[arg(long, value_name = "N", default_value_t = 1, env = "HOST_SIM_NUMBER", allow_negative_numbers = true,
          value_parser = values::number("the number of a gateway", 0..=u8::MAX))]
    number: u8,
    /// Open exercise alerts as well, beside live ones; each is marked as one
    #[arg(long)]
    exercise: bool,
    /// One JSON object a line on standard output
    #[arg(long)]
    json: bool,
}

/// Runs until somebody ends it: `quit`, Ctrl-C, or a request to terminate.
///
/// # Errors
/// Keys, state or addresses are not in order, or something can no longer be stored or told.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let keyring = Keyring::open(&args.keys)?;
    let roll = roll(args, &keyring)?;
    if args.listen.len() > LISTENERS_MAX {
        bail!("{} addresses to listen on; allowed: 1 to {LISTENERS_MAX}", args.listen.len());
    }
    let owner =
        Owner { gateway: args.number, network: keyring.network(), master: keyring.fingerprint().to_owned() };
    let outbox = Arc::new(Outbox::open(&args.state, &owner)?);
    let runtime = super::runtime()?;
    let ended = runtime.block_on(serve(args, voice, &roll, outbox));
    // A thread that waits for standard input must not hold up the end.
    runtime.shutdown_background();
    Ok(match ended? {
        Ended::Interrupted => ExitCode::from(INTERRUPTED),
        _ => ExitCode::SUCCESS,
    })
}

fn roll(args: &Args, keyring: &Keyring) -> anyhow::Result<Roll> {
    let nodes: Vec<_> = keyring.entries().map(|entry| (entry.node, entry.epoch)).collect();
    let keys = args.keys.display();
    if nodes.is_empty() {
        bail!("no node is in the register of `{keys}`: `host-sim keys provision NODE` enters one");
    }
    if nodes.len() > NODES_MAX {
        bail!(
            "{} nodes are in the register of `{keys}`, and one gateway takes {NODES_MAX}: split the network",
            nodes.len()
        );
    }
    Ok(Roll {
        gateway: args.number,
        network: keyring.network(),
        master: keyring.master_key(),
        nodes,
        rolls: keyring.entries().filter_map(|entry| Some((entry.node, entry.next_epoch?))).collect(),
        exercise: args.exercise,
    })
}

async fn serve(args: &Args, voice: Voice, roll: &Roll, outbox: Arc<Outbox>) -> anyhow::Result<Ended> {
    // Before anything is told, so that whoever waits for it to listen can end it.
    let stop = stop()?;
    let links = u8::try_from(args.listen.len()).unwrap_or(u8::MAX);
    let gateway = Gateway::start(roll, Arc::clone(&outbox), links)?;
    let mut listeners = Vec::new();
    for address in &args.listen {
        let listener = Listener::open(address).await;
        listeners.push(listener.with_context(|| format!("cannot listen on `{address}`"))?);
    }
    let mut teller = Teller::new(args.json, voice);
    for (address, listener) in args.listen.iter().zip(&listeners) {
        teller.listens(&listener.address(), address.is_local())?;
    }
    let (told, news) = mpsc::channel(TOLD_MAX);
    let (shown, shown_up_to) = watch::channel(0);
    let telling = tokio::task::spawn_blocking(move || teller.run(news, &shown));
    let (asks, asked) = mpsc::channel(ASKS_MAX);
    tokio::spawn(prompt(asks));
    let ended = gateway.run(listeners, asked, told, shown_up_to.clone(), stop).await;
    let output = telling.await.unwrap_or_else(|failure| Err(io::Error::other(failure)));
    let ended = ended?;
    let shown = Some(*shown_up_to.borrow()).filter(|&number| number > 0);
    if shown.is_some() {
        outbox.commit(&Batch { shown, ..Batch::default() })?;
    }
    output?;
    Ok(ended)
}

/// Ctrl-C, or a request to terminate.
fn stop() -> io::Result<impl Future<Output = Ended>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => Ended::Interrupted,
            _ = terminate.recv() => Ended::Terminated,
        }
    })
}

/// Reads what somebody types, until input ends; a gateway runs on without.
async fn prompt(asks: mpsc::Sender<Ask>) {
    let mut lines = BufReader::new(tokio::io::stdin()).lines();
    while let Ok(Some(line)) = lines.next_line().await {
        match prompt::read(&line) {
            Ok(prompt::Line::Nothing) => {}
            Ok(prompt::Line::Help) => anstream::eprintln!("{}", prompt::HELP),
            Ok(prompt::Line::Ask(ask)) => {
                if asks.send(ask).await.is_err() {
                    return;
                }
            }
            Err(error) => anstream::eprintln!("host-sim: {error:#}"),
        }
    }
}
