//! What a station says: its reports, its answers, and the packets of its owner, each under a counter of its own.

use core::task::Poll;

use super::links::Share;
use super::{State, Station};
use crate::ledger::Ledger;
use crate::message::{Content, Heartbeat, Seq};
use crate::precedence::Precedence;
use crate::store::{Store, StoreError};
use crate::time::{Duration, Instant};
use crate::wire::keys::Direction;
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header, PacketBuffer};

/// What a report tells of the station's owner.
pub(crate) struct Home<'l> {
    /// Every live Flash alert with a number below this is settled.
    pub(crate) flash_floor: u32,
    /// Live Flash alerts handed back.
    pub(crate) flash_refused: u16,
    /// Errors of detectors and annunciators.
    pub(crate) driver_errors: u16,
    pub(crate) ledger: &'l Ledger,
}

impl<S: Store> Station<S> {
    /// When the station has something to do without an input, the store aside.
    pub(crate) fn next_step(&self) -> Option<Instant> {
        self.reports.next_step().into_iter().chain(self.links.next_step()).min()
    }

    /// Makes ready what has become due.
    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        self.reports.handle_timeout(now);
        self.links.handle_timeout(now);
    }

    /// A link is free, whether there is something to say or not.
    pub(crate) fn meet(&mut self, now: Instant, link: &Link) {
        self.links.meet(now, link);
    }

    /// Whether a report or an answer waits.
    pub(crate) fn has_to_say(&self) -> bool {
        self.is_running()
            && (self.answers.next().is_some() || self.reports.is_due() || self.reports.is_owed())
    }

    /// Whether the report or the answer that waits may go over this link now.
    pub(crate) fn may_say(&mut self, now: Instant, link: &Link) -> bool {
        // What somebody has asked for must not use up the half that Flash owns: he may be no friend.
        let vital = self.answers.next().is_some() || self.reports.is_due();
        self.has_to_say() && self.links.affords(now, link, if vital { Share::All } else { Share::UpperHalf })
    }

    /// The next answer or report, sealed into the front of `out`; none where nothing waits or the air is not free.
    pub(crate) fn say<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        home: &Home<'_>,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        if !self.may_say(now, link) {
            return self.say_in_exercise(now, link, out);
        }
        if let Some(acted) = self.answers.next() {
            let header = self.header(now, Class::Report, Precedence::Immediate, false)?;
            let sealed = self.seal(now, link, &header, &acted.encode(), out)?;
            self.answers.sent();
            self.reports.count_report();
            return Some(sealed);
        }
        let header = self.header(now, Class::Report, Precedence::Routine, false)?;
        let index = self.reports.ledger_index();
        let heartbeat = Heartbeat {
            boot: self.boot(),
            reset_cause: self.reset_cause,
            uptime_ms: now.as_millis(),
            heard: self.gateways.heard(),
            flash_floor: home.flash_floor,
            flash_refused: home.flash_refused,
            driver_errors: home.driver_errors,
            ledger_index: index,
            ledger: home.ledger.report_values(index),
        };
        let sealed = self.seal(now, link, &header, &heartbeat.encode(), out)?;
        if self.reports.sent(now, link.report_interval) {
            self.gateways.note_report(header.counter);
        }
        self.untidy = true;
        Some(sealed)
    }

    /// The answer to a command under exercise keys, under these and in the share of the air time that is not Flash's.
    fn say_in_exercise<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let acted = self.answers.next_in_exercise().filter(|_| self.is_running())?;
        if !self.links.affords(now, link, Share::UpperHalf) {
            return None;
        }
        let header = self.header(now, Class::Report, Precedence::Routine, true)?;
        let sealed = self.seal(now, link, &header, &acted.encode(), out)?;
        self.answers.sent_in_exercise();
        Some(sealed)
    }

    /// Whether what went over link `last` may go over this one now, and whether there is air time for it.
    pub(crate) fn may_send(
        &mut self,
        now: Instant,
        link: &Link,
        share: Share,
        last: Option<u8>,
        passed: bool,
    ) -> MaySend {
        if !self.links.is_turn_of(link, last, passed) {
            return MaySend::OtherLinkFirst;
        }
        if self.links.affords(now, link, share) { MaySend::Now } else { MaySend::NoAirtime }
    }

    /// Seals an alert of the owner's.
    pub(crate) fn seal_alert<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        (precedence, exercise): (Precedence, bool),
        (seq, content): (Seq, &Content),
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let header = self.header(now, Class::Alert, precedence, exercise)?;
        let mut body = [0; crate::limits::BODY_LEN_MAX];
        let len = content.body(seq, &mut body);
        let sealed = self.seal(now, link, &header, body.get(..len)?, out)?;
        if self.has_to_say() {
            self.reports.count_alert();
        }
        Some(sealed)
    }

    fn seal<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        header: &Header,
        body: &[u8],
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let key = self.speaker.as_ref()?.keys.key(Direction::Up, header.exercise);
        let sealed = packet::seal(key, header, body, link.tag, out).ok()?;
        self.links.spend(now, link, sealed.len());
        Some(sealed)
    }

    /// The header of the next packet, under a counter of its own.
    fn header(
        &mut self,
        now: Instant,
        class: Class,
        precedence: Precedence,
        exercise: bool,
    ) -> Option<Header> {
        let State::Running = self.state else { return None };
        let speaker = self.speaker.as_mut()?;
        let epoch_low = speaker.keys.epoch().low();
        let counter = speaker.up.take(&mut self.store);
        let counter = self.taken(now, counter)?;
        Some(Header { class, precedence, exercise, epoch_low, node: self.node, counter })
    }

    /// A number, or none while the store is busy or gives no more; then it is noted why, and asked again.
    pub(crate) fn taken(&mut self, now: Instant, number: Poll<Result<u32, StoreError>>) -> Option<u32> {
        match number {
            Poll::Ready(Ok(number)) => Some(number),
            Poll::Ready(Err(error)) => {
                self.note_store(now, Err(error));
                None
            }
            Poll::Pending => None,
        }
    }
}

/// Whether a packet may go over a link now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaySend {
    Now,
    /// It went over this link the last time; another is offered it first.
    OtherLinkFirst,
    /// The link's air time is used up for its sort.
    NoAirtime,
}

/// How long another link is waited for before the same one is used again.
pub(crate) fn link_patience(link: &Link) -> Duration {
    link.airtime_max().times(3)
}
