//! One node as a receiver sees it.

mod commands;
mod config;
mod dating;
mod receive;
mod supervision;
mod transmit;

use core::fmt;

use heapless::Vec;
use rand_pcg::Pcg32;

use super::down::{DownCounters, DownSpan};
use super::event::{CommandRefusal, GatewayEvent, ReceivedAlert, Rejected};
use super::state::{Known, LastReport, PeerState};
use crate::limits::{BODY_LEN_MAX, GATEWAY_WINDOW_WORDS, UNSTORED_PER_PEER};
use crate::message::{AlertId, CommandId, Heartbeat, NodeId, Order};
use crate::precedence::Precedence;
use crate::time::{EventTime, Instant};
use crate::wire::keys::{Epoch, LinkKeys};
use crate::wire::link::Link;
use crate::wire::packet::{Class, Sealed};
use crate::wire::window::ReplayWindow;

use commands::Commands;
use dating::{BootClock, Calendar};
use supervision::{Alarms, Supervision};
use transmit::Acks;

pub use config::{PeerConfig, PeerCounts};
pub(super) use transmit::Rank;

/// The whole state of one node as a receiver sees it.
pub struct Peer {
    config: PeerConfig,
    keys: LinkKeys,
    /// Live and exercise: what comes under one key must not close the window of the other.
    windows: [ReplayWindow<GATEWAY_WINDOW_WORDS>; 2],
    known: Known,
    /// Whether this is all that was ever taken from the node, or all above a mark that only a live report can set.
    is_whole: bool,
    /// Live Flash, other live, exercise: a host that is slow with one sort must not hold up another.
    unstored: [Vec<Unstored, UNSTORED_PER_PEER>; 3],
    acks: Acks,
    commands: Commands,
    /// The last packet was an acknowledgement, so of equals a command goes next.
    ack_sent: bool,
    /// A report waits for its answer.
    answer_due: bool,
    /// It had heard nobody: it may not know what time it is.
    time_due: bool,
    /// The order by which the node was told the time of day unasked.
    time_told: Option<CommandId>,
    down: DownCounters,
    /// The link it was heard on last; answers go there.
    link: Option<u8>,
    /// The last report, and when it came.
    heartbeat: Option<(Instant, Heartbeat)>,
    last_report: Option<LastReport>,
    boot: Option<BootClock>,
    calendar: Option<Calendar>,
    supervision: Supervision,
    alarms: Alarms,
    counts: PeerCounts,
    jitter: Pcg32,
}

/// An alert in the host's hands.
#[derive(Clone, Copy)]
struct Unstored {
    id: AlertId,
    precedence: Precedence,
    refers_to: Option<AlertId>,
}

impl Peer {
    /// A node from which nothing has come since this start. Its first report is awaited from now on.
    #[must_use]
    pub fn new(now: Instant, mut config: PeerConfig) -> Self {
        let is_unknown = config.state.is_none();
        let state = config.state.take().unwrap_or_else(|| PeerState::new(config.epoch));
        let epoch = config.epoch.max(state.epoch());
        // Counters that were set aside for another epoch may have been used in this one.
        let down = if epoch == config.epoch { config.down } else { DownSpan::EMPTY };
        let goes_on = epoch == state.epoch();
        let marks = if goes_on { state.marks } else { [0; 2] };
        let restored = state.restored == Some(config.gateway);
        Self {
            keys: LinkKeys::new(&config.key, epoch),
            windows: marks.map(ReplayWindow::taken_up_to),
            known: state.known,
            is_whole: state.is_whole && !is_unknown,
            unstored: [const { Vec::new() }; 3],
            acks: Acks::new(),
            commands: Commands::new(),
            ack_sent: false,
            answer_due: false,
            time_due: false,
            time_told: None,
            down: DownCounters::new(config.gateway, down, restored),
            link: state.link,
            heartbeat: None,
            last_report: state.last_report.filter(|_| goes_on),
            boot: None,
            calendar: None,
            supervision: Supervision::new(now),
            alarms: Alarms::new(now, restored),
            counts: PeerCounts::default(),
            jitter: Pcg32::new(config.seed, u64::from(config.node.0)),
            config,
        }
    }

    /// Its address.
    #[must_use]
    pub const fn node(&self) -> NodeId {
        self.config.node
    }

    /// The key epoch of its last authentic packet.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.keys.epoch()
    }

    /// What has been counted.
    #[must_use]
    pub const fn counts(&self) -> &PeerCounts {
        &self.counts
    }

    /// Its last report, and when that came.
    #[must_use]
    pub const fn heartbeat(&self) -> Option<&(Instant, Heartbeat)> {
        self.heartbeat.as_ref()
    }

    /// All live Flash alerts with a number below this are known.
    #[must_use]
    pub const fn flash_floor(&self) -> u32 {
        self.known.flash_floor()
    }

    /// Alerts handed out and not yet stored. They are neither acknowledged nor handed out again.
    pub fn unstored(&self) -> impl Iterator<Item = AlertId> {
        self.unstored.iter().flatten().map(|unstored| unstored.id)
    }

    /// Commands not yet answered.
    pub fn commands(&self) -> impl Iterator<Item = CommandId> {
        self.commands.ids()
    }

    /// Whether the node has heard this gateway's number say more than this gateway knows of: its state was restored
    /// from an old copy. It says nothing more until it gets a number of its own.
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.down.is_restored()
    }

    /// Whether too many reports of the node are missing.
    #[must_use]
    pub const fn is_silent(&self) -> bool {
        self.supervision.is_silent()
    }

    /// Whether another node was seen to use the same key.
    #[must_use]
    pub const fn is_cloned(&self) -> bool {
        self.alarms.is_cloned()
    }

    /// The host has seen to it: the next report is believed whatever its boot count, and another one would be told.
    pub const fn clear_clone(&mut self) {
        self.alarms.clear_clone();
        self.last_report = None;
    }

    /// What must not be forgotten of the node, as it stands now. Costs its length.
    #[must_use]
    pub fn state(&self) -> PeerState {
        let [live, exercise] = &self.windows;
        PeerState {
            epoch: self.keys.epoch().0,
            marks: [live.high(), exercise.high()],
            is_whole: self.is_whole,
            restored: self.down.is_restored().then_some(self.config.gateway),
            last_report: self.last_report,
            link: self.link,
            known: self.known.clone(),
        }
    }

    /// The same, as it will be once `alert` is stored: write both at once, then call [`Peer::stored`].
    #[must_use]
    pub fn state_with(&self, alert: &ReceivedAlert) -> PeerState {
        self.state().with(alert)
    }

    /// What day it is. A time that is none, or of unknown quality, leaves this gateway without a calendar.
    pub fn set_calendar(&mut self, now: Instant, time: EventTime) {
        self.calendar = Calendar::set(now, time);
    }

    /// The node will say nothing until then, as planned. From then on it is awaited as if it had just reported.
    pub fn expect_silence(&mut self, until: Instant) {
        self.supervision.expect_silence(until);
    }

    /// A gateway that shares this node's state has started: what the node hears of it from this down counter on, in
    /// this epoch, proves that the node lives. False where too many are known.
    pub fn accept_heard(&mut self, gateway: u8, from_counter: u32) -> bool {
        self.down.accept(gateway, from_counter)
    }

    /// The epoch for which more down counters are needed, once for each need.
    pub fn poll_down_request(&mut self) -> Option<Epoch> {
        self.down.ask().then_some(self.keys.epoch())
    }

    pub(super) const fn needs_down(&self) -> bool {
        self.down.needs_more()
    }

    /// The host has set these down counters aside. A span for an epoch that has passed, or one that does not lie
    /// beyond what is in use, is not taken, and false.
    pub fn grant_down(&mut self, epoch: Epoch, span: DownSpan) -> bool {
        epoch == self.keys.epoch() && self.down.grant(span)
    }

    /// Orders the node to do something, and goes on ordering until it answers or the order has lost its sense: a
    /// warning after its duration, a test or a light after ten minutes. The time of day is sent once; an all-clear and
    /// a new epoch never lose their sense. An all-clear ends the sending of the warnings it names, without an event.
    ///
    /// # Errors
    /// Nothing is sent; see [`CommandRefusal`].
    pub fn command(&mut self, now: Instant, order: Order) -> Result<CommandId, CommandRefusal> {
        if self.down.is_restored() {
            return Err(CommandRefusal::Restored);
        }
        match order {
            Order::NextEpoch(got) => {
                let expected = self.keys.epoch().0.checked_add(1).map(Epoch);
                if expected != Some(got) {
                    return Err(CommandRefusal::NotNextEpoch { expected, got });
                }
            }
            Order::Unknown { code } => return Err(CommandRefusal::UnknownOrder { code }),
            _ => {}
        }
        if !self.commands.admits(&order) {
            return Err(CommandRefusal::Full);
        }
        let counter = self.down.take().ok_or(CommandRefusal::NoCounters)?;
        let id = CommandId { epoch_low: self.keys.epoch().low(), counter };
        self.commands.push(now, id, order);
        Ok(id)
    }

    /// Takes a packet that names this node: window, tag, window, and only then what it says.
    pub fn handle_sealed(&mut self, now: Instant, link: &Link, sealed: &Sealed<'_>) -> GatewayEvent {
        let mut body = [0; BODY_LEN_MAX];
        let body = match self.open(now, sealed, &mut body) {
            Ok(body) => body,
            Err(why) => return self.rejected(why),
        };
        self.link = Some(link.number);
        let header = sealed.header();
        match header.class {
            Class::Report => {
                self.handle_report(now, link, header, body).unwrap_or_else(|why| self.rejected(why))
            }
            // An alert is long, and is written straight to where the event is to be.
            _ => self.handle_alert(now, link, header, body),
        }
    }

    const fn rejected(&self, why: Rejected) -> GatewayEvent {
        GatewayEvent::Rejected { node: Some(self.config.node), why }
    }

    /// The host has stored the alert. False where no such alert was handed out.
    pub fn stored(&mut self, id: AlertId) -> bool {
        let Some(Unstored { precedence, refers_to, .. }) = self.take_unstored(id) else { return false };
        self.known.store(id, refers_to);
        self.acks.push(id, precedence);
        true
    }

    /// The host could not store the alert. False where no such alert was handed out.
    pub fn not_stored(&mut self, id: AlertId) -> bool {
        self.take_unstored(id).is_some()
    }

    /// When [`Peer::handle_timeout`] has something to do; none while it has not.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        self.supervision.poll_timeout().into_iter().chain(self.commands.poll_timeout()).min()
    }

    /// Does what has become due.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.supervision.handle_timeout(now);
        self.commands.handle_timeout(now);
    }

    pub(super) fn has_events(&self) -> bool {
        self.supervision.has_news() || self.alarms.has_news() || self.commands.has_news()
    }

    /// The next thing to be told that is no answer to a packet. Alarms are kept until they are polled, each once.
    pub fn poll_event(&mut self) -> Option<GatewayEvent> {
        let node = self.config.node;
        if self.supervision.poll_silent() {
            return Some(GatewayEvent::Silent { node });
        }
        if self.supervision.poll_returned() {
            return Some(GatewayEvent::Returned { node });
        }
        if self.alarms.poll_restored() {
            return Some(GatewayEvent::Restored { node });
        }
        if self.alarms.poll_clone() {
            return Some(GatewayEvent::Clone { node });
        }
        if let Some(count) = self.alarms.poll_bad_tags() {
            return Some(GatewayEvent::BadTags { node, count });
        }
        self.commands.poll_ended().map(|(id, why)| GatewayEvent::CommandEnded { node, id, why })
    }

    fn take_unstored(&mut self, id: AlertId) -> Option<Unstored> {
        let pool = self.pool_mut(id);
        let at = pool.iter().position(|unstored| unstored.id == id)?;
        Some(pool.swap_remove(at))
    }

    const fn pool_mut(&mut self, id: AlertId) -> &mut Vec<Unstored, UNSTORED_PER_PEER> {
        let [live_flash, live_other, exercise] = &mut self.unstored;
        match (id.exercise, id.flash) {
            (true, _) => exercise,
            (false, true) => live_flash,
            (false, false) => live_other,
        }
    }

    const fn window(&self, exercise: bool) -> &ReplayWindow<GATEWAY_WINDOW_WORDS> {
        let [live, of_exercise] = &self.windows;
        if exercise { of_exercise } else { live }
    }
}

fn bump(count: &mut u32) {
    *count = count.wrapping_add(1);
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({}, {:?})", self.config.node.0, self.counts)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for Peer {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "peer {=u16}, {}", self.config.node.0, self.counts);
    }
}
