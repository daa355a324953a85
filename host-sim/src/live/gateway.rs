//! A live gateway: one task that owns everything, and tasks around it that carry bytes.

use std::collections::{BTreeSet, VecDeque};
use std::future::pending;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use alertbus::NodeId;
use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::CommandId;
use alertbus::role::gateway::{GatewayEvent, Rejected};
use alertbus::time::Instant;
use alertbus::wire::link::Link;
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;
use tokio::time::{interval, sleep, timeout};

use super::ask::next_ask;
use super::desk::{Desk, Roll};
use super::line::{Heard, LineId};
use super::lines::{LINES_MAX, Lines, accept};
use super::onlooker::Onlooker;
use super::told::{Alarm, Ask, Told};
use crate::clock::{Stopwatch, unix_ms};
use crate::outbox::{Outbox, OutboxError, StoredAlert};
use crate::transport::{Connection, Listener};

/// How often the calendar is set anew: the machine's clock may be corrected.
const CALENDAR_EVERY: Duration = Duration::from_secs(60);

/// How often it is written down what was shown, where nothing else is written.
const SHOWN_EVERY: Duration = Duration::from_secs(1);

/// Alerts read from the outbox at once, to be shown.
const SHOW_AT_ONCE: usize = 64;

/// Things to tell beside alerts that wait at most. Alerts wait in the outbox.
const NEWS_MAX: usize = 1_024;

/// Nodes that are complained of once each.
const COMPLAINTS_MAX: usize = 256;

/// How long whoever looks on may take for the last news when a gateway ends.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// Why a gateway ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Somebody at the prompt said so.
    Quit,
    /// An interrupt.
    Interrupted,
    /// A request to end.
    Terminated,
    /// Nobody takes what it tells any more.
    Unheard,
}

/// A live gateway: its desk, its connections, and how far what it was told has come.
pub struct Gateway {
    pub(super) desk: Desk,
    outbox: Arc<Outbox>,
    links: Vec<Link>,
    pub(super) lines: Lines,
    heard: mpsc::Receiver<(LineId, Heard)>,
    stopwatch: Stopwatch,
    /// The batch that is on its way to the disk.
    flying: Option<JoinHandle<Result<u64, OutboxError>>>,
    progress: Progress,
    /// Alerts that are about to be shown.
    alerts: VecDeque<(u64, StoredAlert)>,
    /// What is to be told, each after so many batches have come to the disk.
    news: VecDeque<(u64, Told)>,
    /// Commands that somebody asked for, whose answers are told.
    pub(super) given: BTreeSet<(NodeId, CommandId)>,
    complained: BTreeSet<(NodeId, Alarm)>,
    pub(super) onlooker: Option<Box<dyn Onlooker>>,
}

/// How far alerts have come, by their numbers in the outbox.
struct Progress {
    /// The last that was stored before this start.
    before: u64,
    /// The last that is stored.
    stored: u64,
    /// The last that was handed over to be shown.
    handed_over: u64,
    /// The last that was shown.
    shown: u64,
    /// The last of which that is to be written down.
    noted: u64,
    /// Batches that have come to the disk.
    batches: u64,
}

impl Gateway {
    /// A gateway over what `outbox` has kept, on as many links as it will have listeners. It does not listen yet.
    ///
    /// # Errors
    /// The outbox is damaged or cannot be written.
    pub fn start(roll: &Roll, outbox: Arc<Outbox>, listeners: u8) -> Result<Self, OutboxError> {
        let desk = Desk::start(roll, &outbox, Instant::START, unix_ms())?;
        let (stored, shown) = (outbox.last()?, outbox.shown()?);
        let (lines, heard) = Lines::new();
        Ok(Self {
            given: desk.owed().collect(),
            desk,
            outbox,
            links: (0..listeners).map(Link::stream).collect(),
            lines,
            heard,
            stopwatch: Stopwatch::start(),
            flying: None,
            progress: Progress {
                before: stored,
                stored,
                handed_over: shown,
                shown,
                noted: shown,
                batches: 0,
            },
            alerts: VecDeque::new(),
            news: VecDeque::new(),
            complained: BTreeSet::new(),
            onlooker: None,
        })
    }

    /// Runs until somebody asks it to end. What it tells goes to `told`; the number of the last alert that somebody
    /// was shown comes back by `shown`.
    ///
    /// # Errors
    /// Something could not be stored. What was not stored was told as such, and was not acknowledged.
    pub async fn run(
        mut self,
        listeners: Vec<Listener>,
        asks: mpsc::Receiver<Ask>,
        told: mpsc::Sender<Told>,
        mut shown: watch::Receiver<u64>,
        stop: impl Future<Output = Ended>,
    ) -> Result<Ended, OutboxError> {
        let (mut accepting, mut arrivals) = accept(listeners);
        let (mut stop, mut asks) = (Box::pin(stop), Some(asks));
        let (mut calendar, mut note_shown) = (interval(CALENDAR_EVERY), interval(SHOWN_EVERY));
        // Whoever is ready has a turn: a flood of one sort holds up no other.
        let ended = loop {
            self.serve();
            let wait = self.wait();
            tokio::select! {
                ended = &mut stop => break ended,
                landed = landed(&mut self.flying) => self.synced(landed, &told).await?,
                () = sleep(wait) => self.desk.handle_timeout(self.now()),
                ask = next_ask(&mut asks) => match ask {
                    Ask::Quit => break Ended::Quit,
                    ask => self.ask(ask),
                },
                Some((line, heard)) = self.heard.recv() => self.hear(line, heard),
                Some(arrival) = arrivals.recv() => self.arrive(arrival),
                permit = told.reserve(), if self.has_news() => match permit {
                    Ok(permit) => if let Some(news) = self.next_news()? { permit.send(news) },
                    Err(_) => break Ended::Unheard,
                },
                Ok(()) = shown.changed() => self.progress.shown = *shown.borrow_and_update(),
                _ = calendar.tick() => self.desk.set_calendar(self.now(), unix_ms()),
                _ = note_shown.tick() => self.note_shown(),
            }
        };
        accepting.abort_all();
        self.end(&told).await?;
        Ok(ended)
    }

    /// Stores what was taken, says what was stored, and ends.
    async fn end(mut self, told: &mpsc::Sender<Told>) -> Result<(), OutboxError> {
        self.serve();
        while self.flying.is_some() {
            let landed = landed(&mut self.flying).await;
            self.synced(landed, told).await?;
            self.serve();
        }
        let Self { lines, .. } = &mut self;
        std::mem::replace(lines, Lines::new().0).farewell().await;
        let last_news = async {
            while self.has_news() {
                if let Some(news) = self.next_news()?
                    && told.send(news).await.is_err()
                {
                    break;
                }
            }
            Ok(())
        };
        timeout(FAREWELL_MAX, last_news).await.unwrap_or(Ok(()))
    }

    pub(super) fn now(&self) -> Instant {
        Instant::from_millis(self.stopwatch.elapsed_ms())
    }

    /// How long there is nothing to do unless somebody says something.
    fn wait(&self) -> Duration {
        let due =
            self.desk.poll_timeout().map(|due| due.as_millis().saturating_sub(self.stopwatch.elapsed_ms()));
        due.map_or(CALENDAR_EVERY, Duration::from_millis)
    }

    /// Sends a batch to the disk, lets the gateway tell what time has brought, and say what it has to say.
    fn serve(&mut self) {
        if self.flying.is_none()
            && let Some(batch) = self.desk.take_batch()
        {
            let outbox = Arc::clone(&self.outbox);
            self.flying = Some(tokio::task::spawn_blocking(move || outbox.commit(&batch)));
        }
        while let Some(event) = self.desk.poll_event() {
            self.note_event(event);
        }
        let now = self.now();
        let mut room = [0; PACKET_LEN_MAX];
        for link in &self.links {
            while let Some(transmit) = self.desk.poll_transmit(now, link, &mut room) {
                self.lines.send(link.number, transmit.node, transmit.packet);
            }
        }
    }

    /// The disk has the batch, and the gateway may say so; or it has not, and whoever looks on learns what it was.
    async fn synced(
        &mut self,
        landed: Result<u64, OutboxError>,
        told: &mpsc::Sender<Told>,
    ) -> Result<(), OutboxError> {
        if let Err(error) = landed {
            let now_ms = unix_ms();
            for received in self.desk.unsynced() {
                let unstored = Told::Unstored(Box::new(StoredAlert::new(received, now_ms)));
                let _ = timeout(FAREWELL_MAX, told.send(unstored)).await;
            }
            return Err(error);
        }
        self.progress.stored += self.desk.synced();
        self.progress.batches += 1;
        Ok(())
    }

    fn note_shown(&mut self) {
        if self.progress.shown > self.progress.noted {
            self.progress.noted = self.progress.shown;
            self.desk.shown(self.progress.shown);
        }
    }

    fn arrive(&mut self, (link, arrival): (u8, io::Result<Connection>)) {
        let (peer, news) = match arrival {
            Err(error) => (format!("link {link}"), format!("a connection could not be taken: {error}")),
            Ok(connection) => {
                let peer = connection.peer.clone();
                match self.lines.open(link, connection) {
                    Ok(None) => (peer, "connected".into()),
                    Ok(Some(gone)) => {
                        (peer, format!("connected in the place of {gone}, which never proved to be a node"))
                    }
                    Err(_) => (peer, format!("closed: {LINES_MAX} nodes are connected already")),
                }
            }
        };
        self.tell_line(peer, news);
    }

    fn hear(&mut self, line: LineId, heard: Heard) {
        let Some((number, peer)) = self.lines.link(line) else { return };
        match heard {
            Heard::Noise(noise) => {
                let news =
                    format!("sends what is no frame ({noise:?}): another protocol, or the wrong speed");
                self.tell_line(peer.to_owned(), news);
            }
            Heard::Closed(why) => {
                if let Some(onlooker) = &mut self.onlooker {
                    onlooker.closed(line);
                }
                if let Some(peer) = self.lines.close(line) {
                    self.tell_line(peer, format!("gone: {why}"));
                }
            }
            Heard::Packet(packet) => {
                let Some(link) = self.links.get(usize::from(number)) else { return };
                let event = self.desk.handle_packet(self.now(), unix_ms(), link, &packet);
                if let Some(onlooker) = &mut self.onlooker {
                    onlooker.heard(line, &packet, &event);
                }
                let authentic = match &event {
                    GatewayEvent::Alert(received) => Some(received.id.node),
                    GatewayEvent::Duplicate(id) => Some(id.node),
                    GatewayEvent::Report { node, .. } | GatewayEvent::Acted { node, .. } => Some(*node),
                    _ => None,
                };
                if let Some(node) = authentic {
                    self.lines.prove(line, node);
                }
                self.note_event(event);
                if let Some(node) = authentic
                    && let Some(epoch) = self.desk.roll_on(self.now(), node)
                {
                    self.tell(Told::Rolled { node, epoch });
                }
            }
        }
    }

    fn note_event(&mut self, event: GatewayEvent) {
        let news = match event {
            GatewayEvent::Acted { node, id, result } if self.given.remove(&(node, id)) => {
                Told::Answer { node, id, result }
            }
            GatewayEvent::CommandEnded { node, id, why } => {
                self.given.remove(&(node, id));
                Told::Unanswered { node, id, why }
            }
            GatewayEvent::Silent { node } => Told::Alarm { node, alarm: Alarm::Silent },
            GatewayEvent::Returned { node } => Told::Alarm { node, alarm: Alarm::Returned },
            GatewayEvent::BadTags { node, count } => Told::Alarm { node, alarm: Alarm::BadTags(count) },
            GatewayEvent::Clone { node } => Told::Alarm { node, alarm: Alarm::Clone },
            GatewayEvent::Restored { node } => Told::Alarm { node, alarm: Alarm::Restored },
            GatewayEvent::Rejected { node: Some(node), why: Rejected::UnknownNode } => {
                return self.complain(node, Alarm::Stranger);
            }
            GatewayEvent::Rejected { node: Some(node), why: Rejected::BadTag } => {
                return self.complain(node, Alarm::WrongKey);
            }
            GatewayEvent::Rejected { node: Some(node), why: Rejected::Exercise } => {
                return self.complain(node, Alarm::Exercise);
            }
            // Alerts are told once they are stored; reports, repeats and noise are nobody's news.
            _ => return,
        };
        self.tell(news);
    }

    /// Anybody can claim to be any node: each is complained of once, and no more than so many.
    fn complain(&mut self, node: NodeId, alarm: Alarm) {
        if self.complained.len() < COMPLAINTS_MAX && self.complained.insert((node, alarm)) {
            self.tell(Told::Alarm { node, alarm });
        }
    }

    /// Whoever connects again and again must not crowd out alarms.
    fn tell_line(&mut self, peer: String, news: String) {
        if self.news.len() < NEWS_MAX / 2 {
            self.tell(Told::Line { peer, news });
        }
    }

    fn tell(&mut self, news: Told) {
        if self.news.len() < NEWS_MAX {
            self.news.push_back((0, news));
        }
    }

    /// Tells it once what has gathered up to now is on the disk: who reads it may rely on it.
    pub(super) fn tell_when_synced(&mut self, news: Told) {
        let gathering = u64::from(self.desk.gathers());
        let after = self.progress.batches + u64::from(self.flying.is_some()) + gathering;
        if self.news.len() < NEWS_MAX {
            self.news.push_back((after, news));
        }
    }

    fn has_news(&self) -> bool {
        let is_due = |(after, _): &(u64, Told)| *after <= self.progress.batches;
        self.progress.handed_over < self.progress.stored || self.news.front().is_some_and(is_due)
    }

    /// Alerts first, in the order in which they were stored.
    fn next_news(&mut self) -> Result<Option<Told>, OutboxError> {
        if self.alerts.is_empty() && self.progress.handed_over < self.progress.stored {
            self.alerts = self.outbox.alerts(self.progress.handed_over, SHOW_AT_ONCE)?.into();
        }
        let Some((number, alert)) = self.alerts.pop_front() else {
            return Ok(self.news.pop_front().map(|(_, news)| news));
        };
        self.progress.handed_over = number;
        let again = number <= self.progress.before;
        Ok(Some(Told::Alert { number, alert: Box::new(alert), again }))
    }
}

/// The batch on its way has come to the disk, or has not; never where there is none.
async fn landed(flying: &mut Option<JoinHandle<Result<u64, OutboxError>>>) -> Result<u64, OutboxError> {
    let Some(task) = flying else { return pending().await };
    let landed = task.await;
    *flying = None;
    // A panic in there has said so on standard error.
    landed.unwrap_or_else(|failure| Err(OutboxError::Failed(failure.to_string())))
}
