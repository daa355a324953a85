//! What a node hears: acknowledgements, authentic and fresh.

use super::event::Rejected;
use super::{Node, State};
use crate::ledger::Outcome;
use crate::limits::{BODY_LEN_MAX, ECHO_AGE_REPORTS_MAX, GATEWAYS_PER_NODE, NODE_WINDOW_WORDS};
use crate::message::{Ack, AckItem};
use crate::precedence::Precedence;
use crate::queue::Slot;
use crate::store::Store;
use crate::time::Instant;
use crate::wire::keys::Direction;
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header};
use crate::wire::window::{Replay, ReplayWindow};

impl<S: Store, const N: usize> Node<S, N> {
    /// Takes a packet that `link` has received.
    ///
    /// # Errors
    /// It is not for this node, not authentic, not fresh, or not understood. Nothing changes then, and there is
    /// nothing to do but to count it.
    pub fn handle_packet(&mut self, now: Instant, link: &Link, packet: &[u8]) -> Result<(), Rejected> {
        let (State::Running, Some(speaker)) = (&self.state, &self.speaker) else {
            return Err(Rejected::NotRunning);
        };
        let sealed = packet::parse(packet, link.tag).map_err(Rejected::Parse)?;
        let header = *sealed.header();
        if header.class.direction() != Direction::Down {
            return Err(Rejected::WrongWay);
        }
        if header.node != self.node {
            return Err(Rejected::NotAddressed { node: header.node });
        }
        if header.epoch_low != speaker.keys.epoch().low() {
            return Err(Rejected::Epoch { got: header.epoch_low });
        }
        self.gateways.peek(header.counter, header.exercise).map_err(Rejected::Replay)?;
        let mut body = [0; BODY_LEN_MAX];
        let key = speaker.keys.key(Direction::Down, header.exercise);
        let body = sealed.open(key, &mut body).map_err(|_| Rejected::BadTag)?;

        // From here on the sender is a gateway of this network; what it says may still have been held back.
        if header.class == Class::Command {
            return Err(Rejected::Command);
        }
        let ack = Ack::decode(body).map_err(Rejected::Undecodable)?;
        let (first, last) = (speaker.up.first(), speaker.up.next().saturating_sub(1));
        self.gateways.admit(now, &header, ack.echo, first, last)?;
        for &item in ack.items() {
            self.handle_stored(item, header.exercise);
        }
        debug_assert!(self.is_balanced(), "the ledger must balance");
        Ok(())
    }

    /// A gateway has stored an alert. One that has left the queue already touches no count.
    fn handle_stored(&mut self, item: AckItem, exercise: bool) {
        let found = self.queue.iter().find_map(|(slot, lane, pending)| {
            let flash = lane.precedence() == Precedence::Flash;
            let same = pending.seq == Some(item.seq) && flash == item.flash && lane.is_exercise() == exercise;
            (same && pending.attempts > 0).then_some((slot, lane))
        });
        let Some((slot, lane)): Option<(Slot, _)> = found else { return };
        if let Some(pending) = self.queue.remove(slot) {
            self.settle(lane, &pending, Outcome::Acked);
        }
    }
}

/// The gateways heard last, and how fresh what they say must be.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Gateways {
    known: [Option<Known>; GATEWAYS_PER_NODE],
    /// The down counter opened last, 0 before any.
    heard: u32,
    /// Counters of the last reports, oldest first; 0 before there were as many.
    reports: [u32; ECHO_AGE_REPORTS_MAX],
    /// The up counter at which a gateway was forgotten last: what it sent before could not be told from a replay.
    forgotten: u32,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Known {
    number: u8,
    /// Live and exercise: what comes under one key must not close the window of the other.
    windows: [ReplayWindow<NODE_WINDOW_WORDS>; 2],
    heard_at: Instant,
}

impl Known {
    const fn window(&self, exercise: bool) -> &ReplayWindow<NODE_WINDOW_WORDS> {
        let [live, of_exercise] = &self.windows;
        if exercise { of_exercise } else { live }
    }

    const fn window_mut(&mut self, exercise: bool) -> &mut ReplayWindow<NODE_WINDOW_WORDS> {
        let [live, of_exercise] = &mut self.windows;
        if exercise { of_exercise } else { live }
    }
}

impl Gateways {
    pub(super) const fn new() -> Self {
        Self { known: [None; GATEWAYS_PER_NODE], heard: 0, reports: [0; ECHO_AGE_REPORTS_MAX], forgotten: 0 }
    }

    pub(super) const fn heard(&self) -> u32 {
        self.heard
    }

    /// A report went out under this counter; an echo from before the oldest one kept is too old from now on.
    pub(super) fn note_report(&mut self, counter: u32) {
        self.reports.rotate_left(1);
        if let Some(newest) = self.reports.last_mut() {
            *newest = counter;
        }
    }

    fn peek(&self, counter: u32, exercise: bool) -> Result<(), Replay> {
        self.find(counter).map_or(Ok(()), |known| known.window(exercise).peek(counter))
    }

    /// Commits the counter of an authentic packet whose echo is fresh.
    fn admit(
        &mut self,
        now: Instant,
        header: &Header,
        echo: u32,
        first: u32,
        last: u32,
    ) -> Result<(), Rejected> {
        let counter = header.counter;
        let [oldest_report, ..] = self.reports;
        let mut lowest = first.max(oldest_report);
        if self.find(counter).is_none() {
            lowest = lowest.max(self.forgotten);
        }
        if echo < lowest || echo > last {
            return Err(Rejected::Stale { echo, lowest });
        }
        let number = gateway_number(counter);
        let place = self.place_for(number, last);
        let known = place.get_or_insert(Known { number, windows: [ReplayWindow::new(); 2], heard_at: now });
        known.window_mut(header.exercise).commit(counter);
        known.heard_at = now;
        self.heard = counter;
        Ok(())
    }

    fn find(&self, counter: u32) -> Option<&Known> {
        let number = gateway_number(counter);
        self.known.iter().flatten().find(|known| known.number == number)
    }

    /// Its own place, a free one, or that of the gateway heard longest ago, which is forgotten.
    fn place_for(&mut self, number: u8, last: u32) -> &mut Option<Known> {
        let rank = |place: &Option<Known>| match place {
            Some(known) if known.number == number => (0, Instant::START),
            None => (1, Instant::START),
            Some(known) => (2, known.heard_at),
        };
        let [first, rest @ ..] = &mut self.known;
        let place =
            rest.iter_mut().fold(first, |best, next| if rank(next) < rank(best) { next } else { best });
        if place.is_some_and(|known| known.number != number) {
            *place = None;
            self.forgotten = last.saturating_add(1);
        }
        place
    }
}

/// The gateway's number is the top byte of its down counters.
const fn gateway_number(counter: u32) -> u8 {
    let [number, ..] = counter.to_be_bytes();
    number
}
