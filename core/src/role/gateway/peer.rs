//! One node as a receiver sees it.

use core::fmt;

use heapless::{Deque, Vec};

use super::event::{GatewayEvent, ReceivedAlert, Rejected};
use crate::limits::{
    ACKS_PER_PEER, BODY_LEN_MAX, DEDUPE_WORDS, DOWN_COUNTER_MAX, GATEWAY_WINDOW_WORDS, UNSTORED_PER_PEER,
};
use crate::message::{Ack, AckItem, Alert, AlertId, Heartbeat, NodeId, split_body};
use crate::precedence::Precedence;
use crate::time::Instant;
use crate::wire::keys::{Direction, Epoch, LinkKeys, NodeKey};
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header, Sealed};
use crate::wire::window::{FlashFilter, Replay, ReplayWindow};

/// What a gateway must be told of a node.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PeerConfig {
    /// Its address.
    pub node: NodeId,
    /// Its secret.
    pub key: NodeKey,
    /// The key epoch it was in last; it may have moved on by up to 255.
    pub epoch: Epoch,
    /// The number of this gateway, the top byte of its down counters. No two gateways of a network share one.
    pub gateway: u8,
    /// The first down counter (24 bits, from 1) that was never used in this epoch.
    pub first_down: u32,
    /// Whether exercise packets are opened, beside live ones.
    pub exercise: bool,
}

/// What a peer has counted, modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PeerCounts {
    /// Packets whose tag held.
    pub authentic: u32,
    /// Packets whose tag did not.
    pub bad_tag: u32,
    /// Packets whose counter was taken before or too old.
    pub replayed: u32,
    /// Alerts delivered to the host.
    pub delivered: u32,
    /// Alerts known already.
    pub duplicate: u32,
    /// Authentic bodies that could not be read, in whole or but for their number.
    pub undecodable: u32,
}

/// The whole state of one node as a receiver sees it.
pub struct Peer {
    config: PeerConfig,
    keys: LinkKeys,
    window: ReplayWindow<GATEWAY_WINDOW_WORDS>,
    flash: FlashFilter,
    other: ReplayWindow<DEDUPE_WORDS>,
    /// Exercise has no guarantee and no floor: Flash and other, in this order.
    exercise: [ReplayWindow<DEDUPE_WORDS>; 2],
    unstored: Vec<(AlertId, Precedence), UNSTORED_PER_PEER>,
    acks: Deque<(AlertId, Precedence), ACKS_PER_PEER>,
    next_down: u32,
    /// The link it was heard on last; answers go there.
    link: Option<u8>,
    heartbeat: Option<(Instant, Heartbeat)>,
    counts: PeerCounts,
}

impl Peer {
    /// A node not yet heard of.
    #[must_use]
    pub fn new(config: PeerConfig) -> Self {
        Self {
            keys: LinkKeys::new(&config.key, config.epoch),
            window: ReplayWindow::new(),
            flash: FlashFilter::new(),
            other: ReplayWindow::new(),
            exercise: [ReplayWindow::new(); 2],
            unstored: Vec::new(),
            acks: Deque::new(),
            next_down: config.first_down,
            link: None,
            heartbeat: None,
            counts: PeerCounts::default(),
            config,
        }
    }

    pub(super) fn into_config(self) -> PeerConfig {
        self.config
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
        self.flash.floor()
    }

    /// Takes a packet that names this node: window, tag, window, and only then what it says.
    pub fn handle_sealed(&mut self, now: Instant, link: &Link, sealed: &Sealed<'_>) -> GatewayEvent {
        let mut body = [0; BODY_LEN_MAX];
        let event = match self.open(sealed, &mut body) {
            Ok(body) => {
                self.link = Some(link.number);
                let header = sealed.header();
                match header.class {
                    Class::Report => self.handle_report(now, body),
                    _ => self.handle_alert(now, link, header, body),
                }
            }
            Err(why) => Err(why),
        };
        event.unwrap_or_else(|why| GatewayEvent::Rejected { node: Some(self.config.node), why })
    }

    /// The host has stored the alert. False where no such alert was handed out.
    pub fn stored(&mut self, id: AlertId) -> bool {
        let Some(precedence) = self.take_unstored(id) else { return false };
        match (id.exercise, id.flash) {
            (false, true) => self.flash.insert(id.seq),
            (false, false) => self.other.commit(id.seq.number()),
            (true, flash) => self.exercise_window_mut(flash).commit(id.seq.number()),
        }
        self.acknowledge(id, precedence);
        true
    }

    /// The host could not store the alert. False where no such alert was handed out.
    pub fn not_stored(&mut self, id: AlertId) -> bool {
        self.take_unstored(id).is_some()
    }

    /// Whether there is something to say to the node on `link`.
    #[must_use]
    pub fn has_acks_for(&self, link: &Link) -> bool {
        self.link == Some(link.number) && !self.acks.is_empty() && self.next_down < DOWN_COUNTER_MAX
    }

    /// The next acknowledgement, sealed into the front of `out`; none when there is nothing to say on `link`.
    ///
    /// It travels at the highest precedence of what it names.
    pub fn poll_transmit<'o>(&mut self, link: &Link, out: &'o mut [u8]) -> Option<&'o [u8]> {
        if !self.has_acks_for(link) {
            return None;
        }
        let &(first, _) = self.acks.front()?;
        let mut ack = Ack::new(self.window.high());
        let mut precedence = Precedence::Routine;
        // Live and exercise have keys of their own, so one acknowledgement names one sort only.
        while let Some(&(id, carried)) = self.acks.front().filter(|(id, _)| id.exercise == first.exercise) {
            if !ack.push(AckItem { flash: id.flash, seq: id.seq }) {
                break;
            }
            precedence = precedence.max(carried);
            self.acks.pop_front();
        }
        let [_, high, middle, low] = self.next_down.to_be_bytes();
        let header = Header {
            class: Class::Ack,
            precedence,
            exercise: first.exercise,
            epoch_low: self.keys.epoch().low(),
            node: self.config.node,
            counter: u32::from_be_bytes([self.config.gateway, high, middle, low]),
        };
        self.next_down = self.next_down.saturating_add(1);
        let mut body = [0; BODY_LEN_MAX];
        let len = ack.encode(&mut body);
        let key = self.keys.key(Direction::Down, first.exercise);
        let sealed = packet::seal(key, &header, body.get(..len)?, link.tag, out);
        debug_assert!(sealed.is_ok(), "out must hold link.packet_len_max() bytes");
        sealed.ok()
    }

    /// The body of an authentic packet that was never taken before.
    fn open<'o>(
        &mut self,
        sealed: &Sealed<'_>,
        out: &'o mut [u8; BODY_LEN_MAX],
    ) -> Result<&'o [u8], Rejected> {
        let header = sealed.header();
        if header.class.direction() != Direction::Up {
            return Err(Rejected::WrongWay);
        }
        if header.exercise && !self.config.exercise {
            return Err(Rejected::Exercise);
        }
        let epoch = self.keys.epoch().resolve(header.epoch_low).ok_or(Rejected::BadTag)?;
        let opened = if epoch == self.keys.epoch() {
            if let Err(replay) = self.window.peek(header.counter) {
                bump(&mut self.counts.replayed);
                return Err(Rejected::Replay(replay));
            }
            sealed.open(self.keys.key(Direction::Up, header.exercise), out)
        } else {
            // Counter 0 is never sent in any epoch; the rest of a new epoch is all fresh.
            if header.counter == 0 {
                return Err(Rejected::Replay(Replay::TooOld { got: 0, lowest: 1 }));
            }
            sealed.open(&self.config.key.link_key(Direction::Up, header.exercise, epoch), out)
        };
        let Ok(body) = opened else {
            bump(&mut self.counts.bad_tag);
            return Err(Rejected::BadTag);
        };
        if epoch != self.keys.epoch() {
            self.keys = LinkKeys::new(&self.config.key, epoch);
            self.window = ReplayWindow::new();
            self.next_down = 1;
        }
        self.window.commit(header.counter);
        bump(&mut self.counts.authentic);
        Ok(body)
    }

    fn handle_report(&mut self, now: Instant, body: &[u8]) -> Result<GatewayEvent, Rejected> {
        let heartbeat = Heartbeat::decode(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        self.flash.raise_floor(heartbeat.flash_floor);
        self.heartbeat = Some((now, heartbeat));
        Ok(GatewayEvent::Report { node: self.config.node, heartbeat })
    }

    fn handle_alert(
        &mut self,
        now: Instant,
        link: &Link,
        header: &Header,
        body: &[u8],
    ) -> Result<GatewayEvent, Rejected> {
        let (seq, content) = split_body(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        let flash = header.precedence == Precedence::Flash;
        let id = AlertId { node: self.config.node, exercise: header.exercise, flash, seq };
        if self.unstored.iter().any(|&(unstored, _)| unstored == id) {
            bump(&mut self.counts.duplicate);
            return Ok(GatewayEvent::Duplicate(id));
        }
        if self.is_known(id)? {
            bump(&mut self.counts.duplicate);
            self.acknowledge(id, header.precedence);
            return Ok(GatewayEvent::Duplicate(id));
        }
        if self.unstored.push((id, header.precedence)).is_err() {
            return Err(Rejected::Busy(id));
        }
        let alert = Alert::decode(content);
        if alert.is_err() {
            bump(&mut self.counts.undecodable);
        }
        bump(&mut self.counts.delivered);
        let own = alert.as_ref().map_or(Precedence::Routine, |alert| alert.body.precedence());
        Ok(GatewayEvent::Alert(ReceivedAlert {
            id,
            precedence: header.precedence.max(own),
            alert,
            received_at: now,
            counter: header.counter,
            link: link.number,
            body: body.iter().copied().collect(),
        }))
    }

    /// Whether the alert is stored already.
    fn is_known(&self, id: AlertId) -> Result<bool, Rejected> {
        let window = match (id.exercise, id.flash) {
            (false, true) => return Ok(self.flash.contains(id.seq)),
            (false, false) => &self.other,
            (true, flash) => self.exercise_window(flash),
        };
        match window.peek(id.seq.number()) {
            Ok(()) => Ok(false),
            Err(Replay::Seen { .. }) => Ok(true),
            Err(Replay::TooOld { .. }) => Err(Rejected::TooOld(id)),
        }
    }

    /// Says STORED at the next transmission. Where too many wait the oldest gives way: its node asks again.
    fn acknowledge(&mut self, id: AlertId, precedence: Precedence) {
        if self.acks.iter().any(|&(waiting, _)| waiting == id) {
            return;
        }
        if self.acks.is_full() {
            self.acks.pop_front();
        }
        let kept = self.acks.push_back((id, precedence));
        debug_assert!(kept.is_ok(), "there is room for one acknowledgement");
    }

    fn take_unstored(&mut self, id: AlertId) -> Option<Precedence> {
        let at = self.unstored.iter().position(|&(unstored, _)| unstored == id)?;
        let (_, precedence) = self.unstored.swap_remove(at);
        Some(precedence)
    }

    const fn exercise_window(&self, flash: bool) -> &ReplayWindow<DEDUPE_WORDS> {
        let [of_flash, of_other] = &self.exercise;
        if flash { of_flash } else { of_other }
    }

    const fn exercise_window_mut(&mut self, flash: bool) -> &mut ReplayWindow<DEDUPE_WORDS> {
        let [of_flash, of_other] = &mut self.exercise;
        if flash { of_flash } else { of_other }
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
