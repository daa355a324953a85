//! The connections of a gateway: which node is heard by which, and who gives way when there are too many.
//!
//! All connections of one listener are one link to the core, so that what it remembers of a node's link outlives both
//! connections and gateway. A node is answered by the connection that its last authentic packet came by; where that is
//! not known, after a start, every connection of its link carries what is meant for it, sealed as it is.

use std::collections::BTreeMap;
use std::io;
use std::time::Duration;

use alertbus::NodeId;
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};
use tokio::time::timeout;

use super::line::{self, Heard, LineId, WAITING_MAX};
use crate::transport::{Connection, Listener};

/// Connections a gateway holds at once.
pub(super) const LINES_MAX: usize = 256;

/// After four reports that never came nobody is at the other end any more.
const QUIET_MAX: Duration = Duration::from_secs(240);

/// How long what was said last may take to go out at the end.
const FAREWELL_MAX: Duration = Duration::from_secs(1);

/// Packets of all connections that wait to be looked at.
const UP_MAX: usize = 256;

/// Connections that wait to be looked at.
const ARRIVALS_MAX: usize = 16;

pub(super) struct Lines {
    /// Oldest first.
    lines: BTreeMap<LineId, Line>,
    routes: BTreeMap<NodeId, LineId>,
    tasks: JoinSet<()>,
    last: LineId,
    up: mpsc::Sender<(LineId, Heard)>,
}

struct Line {
    link: u8,
    peer: String,
    /// Something authentic has come by it.
    is_proven: bool,
    down: mpsc::Sender<Vec<u8>>,
    task: AbortHandle,
}

impl Lines {
    /// No connections, and where what they bring will be found.
    pub(super) fn new() -> (Self, mpsc::Receiver<(LineId, Heard)>) {
        let (up, heard) = mpsc::channel(UP_MAX);
        let lines = BTreeMap::new();
        (Self { lines, routes: BTreeMap::new(), tasks: JoinSet::new(), last: 0, up }, heard)
    }

    /// Takes a connection on a link. Where there are too many, the oldest that has never brought anything authentic
    /// gives way, so that nobody can keep nodes out by holding connections; its peer, or none where all are proven
    /// and the new one is closed.
    pub(super) fn open(&mut self, link: u8, connection: Connection) -> Result<Option<String>, Connection> {
        let mut gone = None;
        if self.lines.len() >= LINES_MAX {
            let oldest = self.lines.iter().find(|(_, line)| !line.is_proven).map(|(id, _)| *id);
            let Some(oldest) = oldest else { return Err(connection) };
            gone = self.close(oldest);
        }
        self.last += 1;
        let (down, waiting) = mpsc::channel(WAITING_MAX);
        let peer = connection.peer.clone();
        let carry = line::carry(self.last, connection, Some(QUIET_MAX), self.up.clone(), waiting);
        let task = self.tasks.spawn(carry);
        self.lines.insert(self.last, Line { link, peer, is_proven: false, down, task });
        // Those that have ended are done with.
        while self.tasks.try_join_next().is_some() {}
        Ok(gone)
    }

    /// The link of a connection that is still open, and its peer.
    pub(super) fn link(&self, id: LineId) -> Option<(u8, &str)> {
        self.lines.get(&id).map(|line| (line.link, line.peer.as_str()))
    }

    /// An authentic packet of a node has come by it.
    pub(super) fn prove(&mut self, id: LineId, node: NodeId) {
        if let Some(line) = self.lines.get_mut(&id) {
            line.is_proven = true;
            self.routes.insert(node, id);
        }
    }

    /// Who is at the other end of a node's connection, while there is one.
    pub(super) fn peer_of(&self, node: NodeId) -> Option<&str> {
        self.lines.get(self.routes.get(&node)?).map(|line| line.peer.as_str())
    }

    /// Hands a packet to where its node was heard last. A connection that takes nothing loses it, as any line may.
    pub(super) fn send(&self, link: u8, node: NodeId, packet: &[u8]) {
        let route = self.routes.get(&node).and_then(|id| self.lines.get(id)).filter(|line| line.link == link);
        if let Some(line) = route {
            let _ = line.down.try_send(packet.to_vec());
            return;
        }
        for line in self.lines.values().filter(|line| line.link == link) {
            let _ = line.down.try_send(packet.to_vec());
        }
    }

    /// Forgets a connection and ends it; its peer.
    pub(super) fn close(&mut self, id: LineId) -> Option<String> {
        let line = self.lines.remove(&id)?;
        line.task.abort();
        self.routes.retain(|_, route| *route != id);
        Some(line.peer)
    }

    /// Lets what was said last go out, and ends all of them.
    pub(super) async fn farewell(mut self) {
        self.lines.clear();
        drop(self.up);
        let _ = timeout(FAREWELL_MAX, async { while self.tasks.join_next().await.is_some() {} }).await;
    }
}

/// Takes connections of every listener, each with the number of its link.
pub(super) fn accept(
    listeners: Vec<Listener>,
) -> (JoinSet<()>, mpsc::Receiver<(u8, io::Result<Connection>)>) {
    let (sender, arrivals) = mpsc::channel(ARRIVALS_MAX);
    let mut accepting = JoinSet::new();
    for (link, mut listener) in (0..).zip(listeners) {
        let sender = sender.clone();
        accepting.spawn(async move {
            let mut told = false;
            loop {
                let arrival = listener.accept().await;
                // A device that is away would say so every few seconds.
                let failed = arrival.is_err();
                if !(failed && told) && sender.send((link, arrival)).await.is_err() {
                    return;
                }
                told = failed;
            }
        });
    }
    (accepting, arrivals)
}
