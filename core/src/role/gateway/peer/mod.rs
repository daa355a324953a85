//! One node as a receiver sees it.

mod receive;

use core::fmt;

use heapless::{Deque, Vec};

use super::down::DownSpan;
use super::event::GatewayEvent;
use crate::limits::{
    ACKS_PER_PEER, BODY_LEN_MAX, DEDUPE_WORDS, DOWN_COUNTERS_LOW, GATEWAY_WINDOW_WORDS, UNSTORED_PER_PEER,
};
use crate::message::{Ack, AckItem, AlertId, Heartbeat, NodeId};
use crate::precedence::Precedence;
use crate::time::Instant;
use crate::wire::keys::{Direction, Epoch, LinkKeys, NodeKey};
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header, PacketBuffer, Sealed};
use crate::wire::window::{FlashFilter, ReplayWindow};

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
    /// The down counters that the host has set aside for this epoch.
    pub down: DownSpan,
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
    /// Live and exercise: what comes under one key must not close the window of the other.
    windows: [ReplayWindow<GATEWAY_WINDOW_WORDS>; 2],
    flash: FlashFilter,
    other: ReplayWindow<DEDUPE_WORDS>,
    /// Exercise has no guarantee and no floor: Flash and other, in this order.
    exercise: [ReplayWindow<DEDUPE_WORDS>; 2],
    /// Live Flash, other live, exercise: a host that is slow with one sort must not hold up another.
    unstored: [Vec<(AlertId, Precedence), UNSTORED_PER_PEER>; 3],
    acks: Deque<(AlertId, Precedence), ACKS_PER_PEER>,
    down: DownSpan,
    /// The host has been asked for more down counters.
    asked: bool,
    /// The node has heard this gateway beyond what it knows of itself: its state is an old copy.
    restored: bool,
    /// The link it was heard on last; answers go there.
    link: Option<u8>,
    /// The last report, when it came and under which counter.
    heartbeat: Option<(Instant, Heartbeat)>,
    heartbeat_counter: u32,
    counts: PeerCounts,
}

impl Peer {
    /// A node not yet heard of.
    #[must_use]
    pub fn new(config: PeerConfig) -> Self {
        Self {
            keys: LinkKeys::new(&config.key, config.epoch),
            windows: [ReplayWindow::new(); 2],
            flash: FlashFilter::new(),
            other: ReplayWindow::new(),
            exercise: [ReplayWindow::new(); 2],
            unstored: [const { Vec::new() }; 3],
            acks: Deque::new(),
            down: config.down,
            asked: false,
            restored: false,
            link: None,
            heartbeat: None,
            heartbeat_counter: 0,
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

    /// Alerts handed out and not yet stored. They are neither acknowledged nor handed out again.
    pub fn unstored(&self) -> impl Iterator<Item = AlertId> {
        self.unstored.iter().flatten().map(|&(id, _)| id)
    }

    /// Whether the node has heard this gateway's number say more than this gateway knows of: its state was restored
    /// from an old copy. It says nothing more until it gets a number of its own.
    #[must_use]
    pub const fn is_restored(&self) -> bool {
        self.restored
    }

    /// The epoch for which more down counters are needed, once for each need.
    pub fn poll_down_request(&mut self) -> Option<Epoch> {
        let needs = self.down.left() < DOWN_COUNTERS_LOW && !self.asked && !self.restored;
        self.asked |= needs;
        needs.then_some(self.keys.epoch())
    }

    /// The host has set these down counters aside. A span for an epoch that has passed, or one that does not lie
    /// beyond what is in use, is not taken, and false.
    pub fn grant_down(&mut self, epoch: Epoch, span: DownSpan) -> bool {
        let fits = epoch == self.keys.epoch() && span.first >= self.down.first && span.left() > 0;
        if fits {
            self.down = self.down.followed_by(span);
            self.asked = false;
        }
        fits
    }

    /// Takes a packet that names this node: window, tag, window, and only then what it says.
    pub fn handle_sealed(&mut self, now: Instant, link: &Link, sealed: &Sealed<'_>) -> GatewayEvent {
        let mut body = [0; BODY_LEN_MAX];
        let event = match self.open(sealed, &mut body) {
            Ok(body) => {
                self.link = Some(link.number);
                let header = sealed.header();
                match header.class {
                    Class::Report => self.handle_report(now, header, body),
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
        self.link == Some(link.number) && !self.acks.is_empty() && self.down.left() > 0 && !self.restored
    }

    /// The next acknowledgement, sealed into the front of `out`; none when there is nothing to say on `link`.
    ///
    /// It travels at the highest precedence of what it names.
    pub fn poll_transmit<'o>(&mut self, link: &Link, out: &'o mut PacketBuffer) -> Option<&'o [u8]> {
        if !self.has_acks_for(link) {
            return None;
        }
        let &(first, _) = self.acks.front()?;
        let [_, high, middle, low] = self.down.take()?.to_be_bytes();
        let mut ack = Ack::new(self.window(first.exercise).high());
        let mut precedence = Precedence::Routine;
        // Live and exercise have keys of their own, so one acknowledgement names one sort only.
        while let Some(&(id, carried)) = self.acks.front().filter(|(id, _)| id.exercise == first.exercise) {
            if !ack.push(AckItem { flash: id.flash, seq: id.seq }) {
                break;
            }
            precedence = precedence.max(carried);
            self.acks.pop_front();
        }
        let header = Header {
            class: Class::Ack,
            precedence,
            exercise: first.exercise,
            epoch_low: self.keys.epoch().low(),
            node: self.config.node,
            counter: u32::from_be_bytes([self.config.gateway, high, middle, low]),
        };
        let mut body = [0; BODY_LEN_MAX];
        let len = ack.encode(&mut body);
        let key = self.keys.key(Direction::Down, first.exercise);
        packet::seal(key, &header, body.get(..len)?, link.tag, out).ok()
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
        let pool = self.pool_mut(id);
        let at = pool.iter().position(|&(unstored, _)| unstored == id)?;
        let (_, precedence) = pool.swap_remove(at);
        Some(precedence)
    }

    const fn pool_mut(&mut self, id: AlertId) -> &mut Vec<(AlertId, Precedence), UNSTORED_PER_PEER> {
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
