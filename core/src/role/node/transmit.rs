//! What a node says next: alerts by precedence, and reports often enough that silence shows.

use core::cmp::Reverse;

use super::Node;
use super::keyed::resolved;
use super::pending::Refers;
use crate::message::Seq;
use crate::precedence::Precedence;
use crate::queue::{Lane, Slot};
use crate::role::retry::retry_wait;
use crate::role::station::{Home, MaySend, Share, link_patience};
use crate::store::Store;
use crate::time::Instant;
use crate::wire::link::Link;
use crate::wire::packet::PacketBuffer;

impl<S: Store, const N: usize> Node<S, N> {
    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say there now.
    ///
    /// Retries go round the links that are polled: one that went over this link is offered to another first. Under a
    /// duty limit Flash owns half of the air time and may borrow the rest, and what must wait comes up again at
    /// [`Node::poll_timeout`].
    ///
    /// Every call that answers a packet uses up a counter. O(N), and the cipher.
    // Called, so that what it takes of the stack is not taken for good by a loop that never ends.
    #[inline(never)]
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        if !self.station.is_running() {
            return None;
        }
        self.station.meet(now, link);
        let alert = self.next_alert(now, link);
        let has_turn = self.station.reports.has_waited() && self.station.may_say(now, link);
        if alert.is_none() || has_turn {
            // The borrow checker cannot see that a `None` leaves `out` free, so that the choice comes first.
            return self.say(now, link, out);
        }
        let (lane, slot, seq) = alert?;
        self.send_alert(now, link, lane, slot, seq, out)
    }

    fn say<'o>(&mut self, now: Instant, link: &Link, out: &'o mut PacketBuffer) -> Option<&'o [u8]> {
        let home = Home {
            flash_floor: self.flash_floor()?,
            flash_refused: self.flash_refused,
            driver_errors: self.driver_errors,
            ledger: &self.ledger,
        };
        self.station.say(now, link, &home, out)
    }

    /// The alert that goes first over this link, if there is air time for it.
    fn next_alert(&mut self, now: Instant, link: &Link) -> Option<(Lane, Slot, Seq)> {
        // Each turn of the loop sends a retry back to wait for another link: at most N of them.
        loop {
            let (lane, slot, seq) = self.candidate(now, link)?;
            let share = if lane == Lane::LIVE_FLASH { Share::All } else { Share::UpperHalf };
            let pending = self.queue.item_mut(slot)?;
            match self.station.may_send(now, link, share, pending.last_link, pending.passed) {
                MaySend::Now => return Some((lane, slot, seq)),
                MaySend::NoAirtime => return None,
                MaySend::OtherLinkFirst => {
                    pending.passed = true;
                    pending.retry = Some(now.after(link_patience(link)));
                }
            }
        }
    }

    /// The highest lane goes first; within a lane what was never sent, oldest first, then what is to be sent again, by
    /// turns: where air time is short, the oldest must not use up all of it until it is answered for.
    fn candidate(&mut self, now: Instant, link: &Link) -> Option<(Lane, Slot, Seq)> {
        let waiting = self.queue.peek().map(|(slot, lane, _)| (lane, slot));
        if let Some((Lane::LIVE_FLASH, slot)) = waiting {
            return self.numbered(now, Lane::LIVE_FLASH, slot);
        }
        let again = self
            .queue
            .airborne()
            .filter(|(_, _, pending)| pending.wants_retry(link.number))
            .max_by_key(|(_, lane, pending)| (*lane, Reverse((pending.sent, pending.handle))))
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
        // It must not go before what it clears.
        if matches!(self.queue.item(slot)?.refers, Refers::Behind(_)) {
            return None;
        }
        let number = self.numbers.as_mut()?.other.take(&mut self.station.store);
        let seq = Seq::new(self.station.taken(now, number)?)?;
        let pending = self.queue.item_mut(slot)?;
        pending.content = resolved(pending, lane, seq);
        pending.seq = Some(seq);
        pending.refers = Refers::Said;
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
        let pending = self.queue.item_mut(slot)?;
        let travels = (lane.precedence(), lane.is_exercise());
        let sealed = self.station.seal_alert(now, link, travels, (seq, &pending.content), out)?;
        let wait = retry_wait(link.airtime_max(), pending.attempts, &mut self.station.jitter);
        pending.retry = Some(now.after(wait));
        pending.sent = now;
        pending.attempts = pending.attempts.saturating_add(1);
        let is_first = !core::mem::replace(&mut pending.sealed, true);
        pending.last_link = Some(link.number);
        pending.passed = false;
        let (handle, key) = (pending.handle, pending.key);
        self.queue.mark_sent(slot);
        if is_first {
            self.note_sent(handle, key, (lane.precedence() == Precedence::Flash, seq));
        }
        Some(sealed)
    }

    /// Every live Flash alert with a number below this is settled.
    pub(super) fn flash_floor(&self) -> Option<u32> {
        let open = self.queue.iter().filter(|&(_, lane, _)| lane == Lane::LIVE_FLASH);
        let open = open.filter_map(|(_, _, pending)| pending.seq).map(Seq::number);
        let summary = self.summary.as_ref().map(|open| open.seq.number());
        open.chain(summary).chain(self.unread).chain([self.numbers.as_ref()?.flash.next()]).min()
    }
}
