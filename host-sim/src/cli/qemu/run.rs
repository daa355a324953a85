//! A run from its first power-on to its end: the tasks around the floor, and what is said when all is over.

use std::io;
use std::sync::Arc;

use alertbus::NodeId;
use anyhow::{Context, anyhow};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::{mpsc, oneshot, watch};

use super::Args;
use super::ends::{Stage, Why};
use super::floor::{Floor, Parts};
use super::prompt::{self, HELP};
use super::room::Room;
use super::seen::Seen;
use super::teller::{Summary, Teller, View};
use crate::cli::Voice;
use crate::clock::Stopwatch;
use crate::guest::{Emulator, Image};
use crate::live::{Ended, Gateway, Roll};
use crate::outbox::{Batch, Outbox};
use crate::transport::{Address, Listener};

/// Things that wait to be shown, or to be looked at, at most.
const WAITING_MAX: usize = 256;

/// Names of the sockets in the store, in the order of the board's UARTs.
pub(super) const SOCKETS: [&str; 2] = ["uplink.sock", "bench.sock"];

/// What a run is made of.
pub(super) struct Run<'a> {
    pub(super) args: &'a Args,
    pub(super) voice: Voice,
    pub(super) image: Image,
    /// QEMU's name of the board.
    pub(super) machine: String,
    pub(super) emulator: Emulator,
    pub(super) room: Room,
    pub(super) node: NodeId,
}

impl Run<'_> {
    /// Runs, and says how it ended.
    ///
    /// # Errors
    /// Something can no longer be stored or shown, or the sockets cannot be made.
    pub(super) async fn run(
        self,
        roll: &Roll,
        outbox: Arc<Outbox>,
        stage: Stage,
    ) -> anyhow::Result<(Why, Summary)> {
        let stop = stop(1)?;
        let [uplink, bench] = [listen(&self.room, SOCKETS[0]).await?, listen(&self.room, SOCKETS[1]).await?];
        let seen = Seen::default();
        let gateway = Gateway::start(roll, Arc::clone(&outbox), 1)?.with_onlooker(seen.clone());
        let stopwatch = Stopwatch::start();
        let (view, views) = mpsc::channel(WAITING_MAX);
        let (shown, shown_up_to) = watch::channel(0);
        let teller = Teller::new(self.args.json, stopwatch);
        let telling = tokio::task::spawn_blocking(move || teller.run(views, &shown));
        let (asks, asked) = mpsc::channel(WAITING_MAX);
        let (tells, told) = mpsc::channel(WAITING_MAX);
        let (end, ends) = oneshot::channel::<()>();
        let gateway =
            tokio::spawn(gateway.run(vec![uplink], asked, tells, shown_up_to.clone(), async move {
                // A sender that is dropped asks for the same.
                let _ = ends.await;
                Ended::Terminated
            }));
        let lines = Some(typed());
        let mut floor = Floor::new(
            self,
            stage,
            Parts { outbox: Arc::clone(&outbox), bench, seen, told, asks, view, lines, stopwatch },
        );
        let why = floor.go(stop).await;
        floor.power_off().await;
        drop(end);
        floor.drain().await?;
        // What the gateway could not store is the better reason.
        gateway.await.context("the gateway has failed")??;
        let why = why?;
        let summary = floor.summary(&why);
        floor.show(View::Summary(Box::new(summary.clone()))).await;
        drop(floor);
        let output = telling.await.unwrap_or_else(|failure| Err(io::Error::other(failure)));
        let shown = Some(*shown_up_to.borrow()).filter(|&number| number > 0);
        if shown.is_some() {
            outbox.commit(&Batch { shown, ..Batch::default() })?;
        }
        output?;
        Ok((why, summary))
    }
}

/// Listens on a socket in the store.
async fn listen(room: &Room, name: &str) -> anyhow::Result<Listener> {
    let address: Address = format!("qemu://{}", room.path().join(name).display())
        .parse()
        .context("a store's path must be so short that a socket in it has one: name another `--store`")?;
    Listener::open(&address).await.map_err(|error| {
        anyhow!("cannot listen on `{address}`: {error}; name another `--store`, on a disk that takes sockets")
    })
}

/// Ctrl-C, or a request to terminate, when that has come so many times.
pub(super) fn stop(times: u8) -> io::Result<impl Future<Output = Why>> {
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    Ok(async move {
        let mut why = Why::Terminated;
        for _ in 0..times {
            why = tokio::select! {
                _ = interrupt.recv() => Why::Interrupted,
                _ = terminate.recv() => Why::Terminated,
            };
        }
        why
    })
}

/// What somebody types, until input ends.
fn typed() -> mpsc::Receiver<prompt::Line> {
    let (to, lines) = mpsc::channel(WAITING_MAX);
    tokio::spawn(async move {
        let mut input = BufReader::new(tokio::io::stdin()).lines();
        while let Ok(Some(line)) = input.next_line().await {
            match prompt::read(&line) {
                Ok(prompt::Line::Nothing) => {}
                Ok(prompt::Line::Help) => anstream::eprintln!("{HELP}"),
                Ok(line) => {
                    if to.send(line).await.is_err() {
                        return;
                    }
                }
                Err(error) => anstream::eprintln!("host-sim: {error:#}"),
            }
        }
    });
    lines
}
