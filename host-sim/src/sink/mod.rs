//! Alerts in somebody's words. One file an output; each runs as a task of its own behind a bounded queue.
//!
//! A sink that is slow holds back the replay, never loses an alert; a sink that fails ends, and whoever sends to
//! it learns that it is gone.

mod console;
mod jsonl;

use std::io;
use std::time::Duration;

use serde::Serialize;
use tokio::sync::{mpsc, oneshot};
use tokio::task::JoinHandle;

pub use console::Console;
pub use jsonl::JsonLines;

/// Alerts that wait for a sink at most.
pub const QUEUE_LEN_MAX: usize = 256;

/// How long outputs may take for what is left to write when a run ends early, before they are given up.
pub const DRAIN_MAX: Duration = Duration::from_secs(5);

/// One alert and what became of it. What is no live alert, as everything in a replay, carries the mark of an exercise
/// in a field for machines and in the headline that people read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Delivery {
    /// Always `alert`.
    #[serde(rename = "type")]
    pub sort: &'static str,
    /// Whether it is no live alert. In a replay and on a bench none is.
    pub exercise: bool,
    /// When it was raised, or, of one that a live gateway has received, when that was. RFC 3339.
    pub time: String,
    /// What happened, as a headline. In a replay it begins with REPLAY, in an exercise with EXERCISE, on
    /// a bench with firmware with BENCH.
    pub headline: String,
    /// Name of the incident that is replayed.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<String>,
    /// `documented`, `reconstructed` or `modelled` in a replay; else `live`, `exercise` or `bench`.
    pub mark: &'static str,
    /// Its precedence.
    pub precedence: &'static str,
    /// Its kind.
    pub kind: &'static str,
    /// Where: name of the site.
    pub site: String,
    /// Path of the node that raised it, or its number.
    pub node: String,
    /// Its name on the wire; none where it never got there.
    pub id: Option<String>,
    /// `delivered`, or why not; of a live gateway also `late`, `overtaken` and `not-stored`.
    pub outcome: &'static str,
    /// Bytes of its sealed packet.
    pub bytes: Option<usize>,
    /// From raised to received, in milliseconds, as far as the clocks tell.
    pub latency_ms: Option<u64>,
    /// Names of the sinks that rules send it to as it arrives, where there are rules.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub to: Vec<String>,
}

/// Somewhere alerts go.
pub trait Sink: Send + 'static {
    /// Its name in messages.
    fn name(&self) -> &str;

    /// Takes one alert.
    ///
    /// # Errors
    /// The output is lost; the sink is not asked again.
    fn deliver(&mut self, delivery: &Delivery) -> io::Result<()>;

    /// Everything taken so far must be on its way.
    ///
    /// # Errors
    /// The output is lost.
    fn flush(&mut self) -> io::Result<()>;
}

/// What a sink's task is handed.
enum Handed {
    Delivery(Box<Delivery>),
    /// Whoever asks wants to know when all before it is on its way.
    Settle(oneshot::Sender<()>),
}

/// A sink that runs.
pub struct Running {
    name: String,
    queue: mpsc::Sender<Handed>,
    task: JoinHandle<io::Result<()>>,
}

/// A sink was lost.
#[derive(Debug, thiserror::Error)]
#[error("the output `{name}` is lost")]
pub struct SinkLost {
    name: String,
    source: io::Error,
}

impl Running {
    /// Starts a task for `sink`. Outputs block, so the task runs where blocking harms nobody.
    #[must_use]
    pub fn start(mut sink: impl Sink) -> Self {
        let (queue, mut waiting) = mpsc::channel(QUEUE_LEN_MAX);
        let name = sink.name().to_owned();
        let task = tokio::task::spawn_blocking(move || {
            while let Some(handed) = waiting.blocking_recv() {
                match handed {
                    Handed::Delivery(delivery) => sink.deliver(&delivery)?,
                    Handed::Settle(settled) => {
                        sink.flush()?;
                        // Whoever asked may have gone.
                        let _ = settled.send(());
                    }
                }
                if waiting.is_empty() {
                    sink.flush()?;
                }
            }
            sink.flush()
        });
        Self { name, queue, task }
    }

    /// Hands an alert over, waiting for room in the queue. False where the sink is gone; [`Running::finish`] says why.
    pub async fn send(&self, delivery: Delivery) -> bool {
        self.queue.send(Handed::Delivery(Box::new(delivery))).await.is_ok()
    }

    /// Waits until everything handed over so far has been written. False where the sink is gone.
    pub async fn settle(&self) -> bool {
        let (settled, wait) = oneshot::channel();
        self.queue.send(Handed::Settle(settled)).await.is_ok() && wait.await.is_ok()
    }

    /// Waits until everything handed over has been delivered.
    ///
    /// # Errors
    /// The sink was lost.
    pub async fn finish(self) -> Result<(), SinkLost> {
        drop(self.queue);
        let ended = self.task.await.unwrap_or_else(|failure| Err(io::Error::other(failure)));
        ended.map_err(|source| SinkLost { name: self.name, source })
    }
}
