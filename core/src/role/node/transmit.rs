//! What a node says next: alerts by precedence, and reports often enough that silence shows.

use core::cmp::Reverse;
use core::task::Poll;

use super::{Node, State};
use crate::ledger::VALUES;
use crate::limits::{ALERTS_PER_REPORT_MAX, BODY_LEN_MAX, LEDGER_VALUES_PER_REPORT};
use crate::message::{Heartbeat, Seq};
use crate::precedence::Precedence;
use crate::queue::{Lane, Slot};
use crate::role::retry::retry_wait;
use crate::store::{Store, StoreError};
use crate::time::{Duration, Instant};
use crate::wire::keys::Direction;
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header, PacketBuffer};

impl<S: Store, const N: usize> Node<S, N> {
    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say now.
    ///
    /// Every call that answers a packet uses up a counter. O(N), and the cipher.
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let State::Running = self.state else { return None };
        let alert = self.next_alert(now);
        if self.reports.goes_before(alert.is_some()) {
            return self.send_report(now, link, out);
        }
        let (lane, slot, seq) = alert?;
        self.send_alert(now, link, lane, slot, seq, out)
    }

    /// The highest lane goes first; within a lane what was never sent, then what is to be sent again, oldest first.
    fn next_alert(&mut self, now: Instant) -> Option<(Lane, Slot, Seq)> {
        let waiting = self.queue.peek().map(|(slot, lane, _)| (lane, slot));
        if let Some((Lane::LIVE_FLASH, slot)) = waiting {
            return self.numbered(now, Lane::LIVE_FLASH, slot);
        }
        let again = self
            .queue
            .iter()
            .filter(|(_, _, pending)| pending.wants_retry())
            .max_by_key(|(_, lane, pending)| (*lane, Reverse(pending.handle)))
            .map(|(slot, lane, _)| (lane, slot));
        let (first, second) = match (waiting, again) {
            (Some(waiting), Some(again)) if again.0 > waiting.0 => (Some(again), Some(waiting)),
            both => both,
        };
        // What can get no number now must not hold up what has one.
        [first, second].into_iter().flatten().find_map(|(lane, slot)| self.numbered(now, lane, slot))
    }

    /// The alert with its number; others than live Flash get theirs here, before they are first sealed.
    fn numbered(&mut self, now: Instant, lane: Lane, slot: Slot) -> Option<(Lane, Slot, Seq)> {
        if let Some(seq) = self.queue.item(slot)?.seq {
            return Some((lane, slot, seq));
        }
        let number = self.speaker.as_mut()?.other.take(&mut self.store);
        let seq = Seq::new(self.taken(now, number)?)?;
        self.queue.item_mut(slot)?.seq = Some(seq);
        Some((lane, slot, seq))
    }

    fn send_alert<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        lane: Lane,
        slot: Slot,
        seq: Seq,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let header = self.header(now, Class::Alert, lane)?;
        let pending = self.queue.item_mut(slot)?;
        let mut body = [0; BODY_LEN_MAX];
        let len = pending.content.body(seq, &mut body);
        let key = self.speaker.as_ref()?.keys.key(Direction::Up, lane.is_exercise());
        let sealed = packet::seal(key, &header, body.get(..len)?, link.tag, out).ok()?;

        pending.retry = Some(now.after(retry_wait(link.airtime_max, pending.attempts, &mut self.jitter)));
        pending.attempts = pending.attempts.saturating_add(1);
        self.queue.mark_sent(slot);
        self.reports.count_alert();
        Some(sealed)
    }

    fn send_report<'o>(&mut self, now: Instant, link: &Link, out: &'o mut PacketBuffer) -> Option<&'o [u8]> {
        let header = self.header(now, Class::Report, Lane::of(Precedence::Routine, false))?;
        let flash_floor = self.flash_floor()?;
        let speaker = self.speaker.as_ref()?;
        let body = Heartbeat {
            boot: speaker.boot,
            reset_cause: self.reset_cause,
            uptime_ms: now.as_millis(),
            heard: self.gateways.heard(),
            flash_floor,
            flash_refused: self.reports.flash_refused,
            driver_errors: 0,
            ledger_index: self.reports.ledger_index,
            ledger: self.ledger.report_values(self.reports.ledger_index),
        };
        let key = speaker.keys.key(Direction::Up, false);
        let sealed = packet::seal(key, &header, &body.encode(), link.tag, out).ok()?;
        self.reports.sent(now, link.report_interval);
        self.gateways.note_report(header.counter);
        Some(sealed)
    }

    /// The header of the next packet, under a counter of its own.
    fn header(&mut self, now: Instant, class: Class, lane: Lane) -> Option<Header> {
        let counter = self.speaker.as_mut()?.up.take(&mut self.store);
        let counter = self.taken(now, counter)?;
        let epoch_low = self.speaker.as_ref()?.keys.epoch().low();
        let (precedence, exercise) = (lane.precedence(), lane.is_exercise());
        Some(Header { class, precedence, exercise, epoch_low, node: self.node, counter })
    }

    /// A number, or none while the store is busy or gives no more; then the node is told why, and asks again.
    fn taken(&mut self, now: Instant, number: Poll<Result<u32, StoreError>>) -> Option<u32> {
        match number {
            Poll::Ready(Ok(number)) => Some(number),
            Poll::Ready(Err(error)) => {
                self.store_failed(now, error);
                None
            }
            Poll::Pending => None,
        }
    }

    /// Every live Flash alert with a number below this is settled.
    pub(super) fn flash_floor(&self) -> Option<u32> {
        let open = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        let open = open.filter_map(|(_, _, pending)| pending.seq).map(Seq::number);
        open.chain(self.unread).chain([self.speaker.as_ref()?.flash.next()]).min()
    }
}

/// When to report, and what the report counts beside the ledger.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Reports {
    /// When the next falls due; none while one waits to be sent.
    next: Option<Instant>,
    /// Alerts sent while a report waits.
    alerts_before: u8,
    ledger_index: u8,
    flash_refused: u16,
}

impl Reports {
    /// The first is due at once: a gateway learns of every boot.
    pub(super) const fn new() -> Self {
        Self { next: None, alerts_before: 0, ledger_index: 0, flash_refused: 0 }
    }

    pub(super) const fn next_step(&self) -> Option<Instant> {
        self.next
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        if self.next.is_some_and(|next| next <= now) {
            self.next = None;
        }
    }

    pub(super) fn count_refused(&mut self, lane: Lane) {
        if lane == Lane::LIVE_FLASH {
            self.flash_refused = self.flash_refused.wrapping_add(1);
        }
    }

    /// Whether a report waits and no alert goes before it.
    const fn goes_before(&self, an_alert_waits: bool) -> bool {
        self.next.is_none() && (!an_alert_waits || self.alerts_before >= ALERTS_PER_REPORT_MAX)
    }

    fn count_alert(&mut self) {
        if self.next.is_none() {
            self.alerts_before = self.alerts_before.saturating_add(1);
        }
    }

    fn sent(&mut self, now: Instant, interval: Duration) {
        self.next = Some(now.after(interval));
        self.alerts_before = 0;
        let following = usize::from(self.ledger_index).saturating_add(LEDGER_VALUES_PER_REPORT);
        self.ledger_index = if following < VALUES { u8::try_from(following).unwrap_or(0) } else { 0 };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_slot_in_eight_is_for_reports() {
        let mut reports = Reports::new();
        assert!(reports.goes_before(false) && !reports.goes_before(true));
        for _ in 0..ALERTS_PER_REPORT_MAX {
            assert!(!reports.goes_before(true));
            reports.count_alert();
        }
        assert!(reports.goes_before(true));
        reports.sent(Instant::START, Duration::from_secs(60));
        assert!(!reports.goes_before(false));
        reports.handle_timeout(Instant::from_millis(60_000));
        assert!(reports.goes_before(false) && !reports.goes_before(true));
    }

    #[test]
    fn the_ledger_goes_home_in_turn() {
        let mut reports = Reports::new();
        let mut seen = [false; VALUES];
        for _ in 0..VALUES / LEDGER_VALUES_PER_REPORT {
            let first = usize::from(reports.ledger_index);
            seen[first..first + LEDGER_VALUES_PER_REPORT].fill(true);
            reports.sent(Instant::START, Duration::ZERO);
        }
        assert_eq!((seen, reports.ledger_index), ([true; VALUES], 0));
    }
}
