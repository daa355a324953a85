//! How a station knows that what comes down is fresh: neither taken before nor held back.

use super::Rejected;
use crate::limits::{ECHO_AGE_REPORTS_MAX, GATEWAYS_PER_NODE, NODE_WINDOW_WORDS};
use crate::time::Instant;
use crate::wire::packet::Header;
use crate::wire::window::{Replay, ReplayWindow};

/// The gateways heard last, and how fresh what they say must be.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(crate) struct Gateways {
    live: Table,
    /// Apart, so that whoever has exercise keys only can close no window of the live ones, nor have one forgotten.
    exercise: Table,
    /// The live down counter opened last, 0 before any. A gateway that reads its own number here, higher than it has
    /// counted, falls silent; so an exercise must not get in.
    heard: u32,
    /// Counters of the last reports, oldest first; 0 before there were as many.
    reports: [u32; ECHO_AGE_REPORTS_MAX],
}

/// Those of one sort, live or exercise.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Table {
    known: [Option<Known>; GATEWAYS_PER_NODE],
    /// The up counter at which a gateway was forgotten last: what it sent before could not be told from a replay.
    forgotten: u32,
}

#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Known {
    number: u8,
    window: ReplayWindow<NODE_WINDOW_WORDS>,
    heard_at: Instant,
}

impl Gateways {
    pub(crate) const fn new() -> Self {
        Self { live: Table::EMPTY, exercise: Table::EMPTY, heard: 0, reports: [0; ECHO_AGE_REPORTS_MAX] }
    }

    pub(crate) const fn heard(&self) -> u32 {
        self.heard
    }

    /// A report went out under this counter; an echo from before the oldest one kept is too old from now on.
    pub(crate) fn note_report(&mut self, counter: u32) {
        self.reports.rotate_left(1);
        if let Some(newest) = self.reports.last_mut() {
            *newest = counter;
        }
    }

    pub(crate) fn peek(&self, counter: u32, exercise: bool) -> Result<(), Replay> {
        let table = if exercise { &self.exercise } else { &self.live };
        table.find(counter).map_or(Ok(()), |known| known.window.peek(counter))
    }

    /// Commits the counter of an authentic packet whose echo is fresh.
    pub(crate) fn admit(
        &mut self,
        now: Instant,
        header: &Header,
        echo: u32,
        first: u32,
        last: u32,
    ) -> Result<(), Rejected> {
        let counter = header.counter;
        let [oldest_report, ..] = self.reports;
        let table = if header.exercise { &mut self.exercise } else { &mut self.live };
        let mut lowest = first.max(oldest_report);
        if table.find(counter).is_none() {
            lowest = lowest.max(table.forgotten);
        }
        if echo < lowest || echo > last {
            return Err(Rejected::Stale { echo, lowest });
        }
        table.commit(now, counter, last);
        if !header.exercise {
            self.heard = counter;
        }
        Ok(())
    }
}

impl Table {
    const EMPTY: Self = Self { known: [None; GATEWAYS_PER_NODE], forgotten: 0 };

    fn find(&self, counter: u32) -> Option<&Known> {
        let number = gateway_number(counter);
        self.known.iter().flatten().find(|known| known.number == number)
    }

    fn commit(&mut self, now: Instant, counter: u32, last: u32) {
        let number = gateway_number(counter);
        let place = self.place_for(number, last);
        let known = place.get_or_insert(Known { number, window: ReplayWindow::new(), heard_at: now });
        known.window.commit(counter);
        known.heard_at = now;
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
