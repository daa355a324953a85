//! A simulated node or siren over a real line: the core's own role on a flash that is a file.

use std::future::pending;
use std::io;
use std::time::Duration;

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::{AlertDraft, Phase, ResetCause};
use alertbus::provision::Blob;
use alertbus::role::node::{Handle, Node, NodeConfig, NodeEvent, Rejected, Submission};
use alertbus::role::siren::{Siren, SirenConfig, SirenEvent};
use alertbus::store::{Birth, FlashStore, LayoutError, SirenStore};
use alertbus::time::Instant;
use alertbus::wire::link::Link;
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::sleep;

use super::chip::{Chip, LAYOUT};
use super::line::{self, Heard, LineId, WAITING_MAX};
use crate::clock::Stopwatch;
use crate::transport::{Connection, Dialler};

/// Alerts a simulated node keeps.
pub const SLOTS: usize = 32;

/// Live Flash alerts its journal holds: the slots, and the summaries.
const OPEN_MAX: usize = SLOTS + 2;

/// The longest a unit sleeps where nothing is due.
const SLEEP_MAX: Duration = Duration::from_secs(60);

/// One line is all it has.
const LINK: Link = Link::stream(0);

/// Packets that wait to be looked at.
const UP_MAX: usize = 64;

/// What a board runs.
enum Role {
    Sensor(Box<Node<FlashStore<Chip, OPEN_MAX>, SLOTS>>),
    Siren(Box<Siren<SirenStore<Chip>>>),
}

/// What a sensor is to do with a draft.
#[derive(Clone, Copy, Debug)]
pub struct Order {
    /// Which turn of the event it is.
    pub phase: Phase,
    /// The draft.
    pub draft: AlertDraft,
}

/// What a unit tells whoever looks on.
#[derive(Clone, Debug)]
pub enum UnitTold {
    /// A node has taken an alert, or not.
    Submitted(Box<(Order, Submission)>),
    /// What a node tells.
    Node(NodeEvent),
    /// What a siren tells.
    Siren(SirenEvent),
    /// A packet that was not taken.
    Rejected(Rejected),
    /// What has come of the line.
    Line(String),
    /// A siren raises nothing.
    NoSensor,
}

/// Why a unit has ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UnitEnded {
    /// Nobody has orders any more, and everything it held has been answered for.
    Done,
    /// Somebody asked it to.
    Stopped,
    /// Nobody takes what it tells any more.
    Unheard,
    /// Its counters are lost, or were never there: it says nothing, and needs a new blob.
    Silent,
}

/// A simulated node or siren: its role, its line, and whoever dials for it.
pub struct Unit {
    role: Role,
    /// Not there while it dials.
    dialler: Option<Dialler>,
    dialling: Option<JoinHandle<(Dialler, io::Result<Connection>)>>,
    stopwatch: Stopwatch,
    line: Option<Line>,
    last: LineId,
    heard: mpsc::Receiver<(LineId, Heard)>,
    up: mpsc::Sender<(LineId, Heard)>,
    /// That nobody is there has been told.
    complained: bool,
}

struct Line {
    id: LineId,
    peer: String,
    down: mpsc::Sender<Vec<u8>>,
}

impl Unit {
    /// A sensor node or a siren over what its flash holds.
    ///
    /// # Errors
    /// The flash is no place for a store.
    pub fn start(
        chip: Chip,
        blob: Blob,
        is_siren: bool,
        exercise: bool,
        dialler: Dialler,
    ) -> Result<Self, LayoutError> {
        let Blob { node, key, epoch, flash_seq, other_seq, .. } = blob;
        let birth = Birth { epoch, flash_seq, other_seq };
        let (reset_cause, now) = (ResetCause::PowerOn, Instant::START);
        let role = if is_siren {
            let store = SirenStore::new(chip, LAYOUT, birth)?;
            let config = SirenConfig { node, key, reset_cause, exercise };
            Role::Siren(Box::new(Siren::start(config, store, now)))
        } else {
            let store = FlashStore::new(chip, LAYOUT, birth)?;
            let config = NodeConfig { node, key, reset_cause, seed: u64::from(node.0) };
            Role::Sensor(Box::new(Node::start(config, store, now)))
        };
        let (up, heard) = mpsc::channel(UP_MAX);
        let stopwatch = Stopwatch::start();
        let dialler = Some(dialler);
        Ok(Self {
            role,
            dialler,
            dialling: None,
            stopwatch,
            line: None,
            last: 0,
            heard,
            up,
            complained: false,
        })
    }

    /// Runs until somebody asks it to end, or until nobody has `orders` any more and nothing is left to be answered
    /// for; a siren waits on. A gateway that is away is dialled again and again.
    pub async fn run(
        mut self,
        orders: mpsc::Receiver<Order>,
        told: mpsc::Sender<UnitTold>,
        stop: impl Future<Output = ()>,
    ) -> UnitEnded {
        let mut stop = Box::pin(stop);
        let mut orders = Some(orders);
        loop {
            if !self.serve(&told).await {
                return UnitEnded::Unheard;
            }
            if self.is_silent() {
                return UnitEnded::Silent;
            }
            if orders.is_none() && self.is_done() {
                return UnitEnded::Done;
            }
            let (wait, has_room) = (self.wait(), self.has_room());
            self.dial();
            let news = tokio::select! {
                () = &mut stop => return UnitEnded::Stopped,
                order = next(&mut orders), if has_room && orders.is_some() => order.map(|order| self.obey(order)),
                Some((line, heard)) = self.heard.recv() => self.hear(line, heard),
                (dialler, dialled) = connected(&mut self.dialling) => self.connect(dialler, dialled),
                () = sleep(wait) => {
                    self.handle_timeout();
                    None
                }
            };
            if let Some(news) = news
                && told.send(news).await.is_err()
            {
                return UnitEnded::Unheard;
            }
        }
    }

    fn now(&self) -> Instant {
        Instant::from_millis(self.stopwatch.elapsed_ms())
    }

    fn wait(&self) -> Duration {
        let due = match &self.role {
            Role::Sensor(node) => node.poll_timeout(),
            Role::Siren(siren) => siren.poll_timeout(),
        };
        let wait_ms = due.map(|due| due.as_millis().saturating_sub(self.stopwatch.elapsed_ms()));
        wait_ms.map_or(SLEEP_MAX, Duration::from_millis).min(SLEEP_MAX)
    }

    /// Whether a sensor takes another order: a scenario at full speed must not overrun it.
    fn has_room(&self) -> bool {
        match &self.role {
            Role::Sensor(node) => node.resident() < SLOTS / 2 && node.epoch().is_some(),
            Role::Siren(_) => true,
        }
    }

    fn is_silent(&self) -> bool {
        match &self.role {
            Role::Sensor(node) => node.silent().is_some(),
            Role::Siren(siren) => siren.silent().is_some(),
        }
    }

    fn is_done(&self) -> bool {
        matches!(&self.role, Role::Sensor(node) if node.resident() == 0 && node.epoch().is_some())
    }

    fn handle_timeout(&mut self) {
        let now = self.now();
        match &mut self.role {
            Role::Sensor(node) => node.handle_timeout(now),
            Role::Siren(siren) => siren.handle_timeout(now),
        }
    }

    /// Says what it has to say, as long as there is a line that takes it, and tells what it has to tell; false where
    /// nobody takes that.
    async fn serve(&mut self, told: &mpsc::Sender<UnitTold>) -> bool {
        let now = self.now();
        while let Some(line) = &self.line {
            // A line that is busy is no line for now: what is due stays due.
            let Ok(room) = line.down.try_reserve() else { break };
            let mut bytes = [0; PACKET_LEN_MAX];
            let packet = match &mut self.role {
                Role::Sensor(node) => node.poll_transmit(now, &LINK, &mut bytes),
                Role::Siren(siren) => siren.poll_transmit(now, &LINK, &mut bytes),
            };
            let Some(packet) = packet else { break };
            room.send(packet.to_vec());
        }
        loop {
            let event = match &mut self.role {
                Role::Sensor(node) => node.poll_event().map(UnitTold::Node),
                Role::Siren(siren) => siren.poll_event().map(UnitTold::Siren),
            };
            let Some(event) = event else { return true };
            if told.send(event).await.is_err() {
                return false;
            }
        }
    }

    fn obey(&mut self, order: Order) -> UnitTold {
        let (now, Order { phase, draft }) = (self.now(), order);
        let Role::Sensor(node) = &mut self.role else { return UnitTold::NoSensor };
        let submission = match phase {
            Phase::Onset => node.raise(now, draft),
            Phase::Update => node.update(now, draft),
            Phase::Cancel => node.cancel(now, draft),
            Phase::Clear => node.clear(now, draft),
        };
        UnitTold::Submitted(Box::new((order, submission)))
    }

    /// Where there is no line, sees to one. A task of its own: its waits must not begin anew with every timer.
    fn dial(&mut self) {
        if self.line.is_none()
            && let Some(mut dialler) = self.dialler.take()
        {
            self.dialling = Some(tokio::spawn(async move {
                let dialled = dialler.dial().await;
                (dialler, dialled)
            }));
        }
    }

    fn connect(&mut self, dialler: Dialler, dialled: io::Result<Connection>) -> Option<UnitTold> {
        let address = self.dialler.insert(dialler).address();
        match dialled {
            Err(error) => {
                let first = !std::mem::replace(&mut self.complained, true);
                first.then(|| UnitTold::Line(format!("nobody at {address} ({error}); trying on")))
            }
            Ok(connection) => {
                self.complained = false;
                self.last += 1;
                let peer = connection.peer.clone();
                let (down, waiting) = mpsc::channel(WAITING_MAX);
                // A gateway may have nothing to say for long.
                tokio::spawn(line::carry(self.last, connection, None, self.up.clone(), waiting));
                self.line = Some(Line { id: self.last, peer: peer.clone(), down });
                Some(UnitTold::Line(format!("connected to {peer}")))
            }
        }
    }

    fn hear(&mut self, id: LineId, heard: Heard) -> Option<UnitTold> {
        // An earlier connection may still have had something in the queue.
        let peer = self.line.as_ref().filter(|line| line.id == id)?.peer.clone();
        match heard {
            Heard::Packet(packet) => {
                let now = self.now();
                let taken = match &mut self.role {
                    Role::Sensor(node) => node.handle_packet(now, &LINK, &packet),
                    Role::Siren(siren) => siren.handle_packet(now, &LINK, &packet),
                };
                taken.err().map(UnitTold::Rejected)
            }
            Heard::Noise(noise) => Some(UnitTold::Line(format!("{peer} sends what is no frame ({noise:?})"))),
            Heard::Closed(why) => {
                self.line = None;
                Some(UnitTold::Line(format!("{peer} is gone: {why}; trying on")))
            }
        }
    }
}

/// A call that somebody has answered, or nobody; never where none is made.
async fn connected(
    dialling: &mut Option<JoinHandle<(Dialler, io::Result<Connection>)>>,
) -> (Dialler, io::Result<Connection>) {
    if let Some(task) = dialling {
        let answered = task.await;
        *dialling = None;
        if let Ok(answered) = answered {
            return answered;
        }
    }
    pending().await
}

/// The next order; none once, when nobody has any more.
async fn next(orders: &mut Option<mpsc::Receiver<Order>>) -> Option<Order> {
    let order = match orders {
        Some(receiver) => receiver.recv().await,
        None => None,
    };
    if order.is_none() {
        *orders = None;
    }
    order
}

/// What an alert is called between a node and whoever looks on.
#[must_use]
pub fn name_of(submission: &Submission) -> Option<Handle> {
    match submission {
        Submission::Queued { handle, .. } => Some(*handle),
        Submission::Merged { into } => Some(*into),
        Submission::Duplicate { of } => Some(*of),
        _ => None,
    }
}
