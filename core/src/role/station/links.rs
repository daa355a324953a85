//! The links of a station: whose turn it is, and how much air time is left.

use heapless::Vec;

use crate::limits::{AIRTIME_BUDGET_HOURS, LINKS_PER_STATION};
use crate::time::{Duration, Instant};
use crate::wire::link::Link;

/// Who may use how much of the air time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Share {
    /// Flash, and reports: all there is. Reports are few, and silence must show.
    All,
    /// Everything else: what lies above the half that Flash owns.
    UpperHalf,
}

/// What is known of each link that was ever polled.
#[derive(Debug)]
pub(crate) struct Links {
    known: Vec<Known, LINKS_PER_STATION>,
    /// When air time that was missing will be there.
    wait: Option<Instant>,
}

#[derive(Debug)]
struct Known {
    number: u8,
    /// Whether there is a limit to keep books of.
    limited: bool,
    /// Air time saved up, in microseconds.
    saved_us: u32,
    refilled: Instant,
}

impl Links {
    pub(crate) const fn new() -> Self {
        Self { known: Vec::new(), wait: None }
    }

    /// This link is polled: what went over another may go over it, whether there is something to say now or not.
    pub(crate) fn meet(&mut self, now: Instant, link: &Link) {
        self.known(now, link);
    }

    /// Whether something that went over link `last` before may go over this one: it may over any other, and over the
    /// same one where there is no other, or where the others have been offered it (`passed`).
    pub(crate) fn is_turn_of(&self, link: &Link, last: Option<u8>, passed: bool) -> bool {
        last != Some(link.number) || passed || self.known.len() < 2
    }

    /// Whether a longest packet may go over this link now; if not, [`Links::next_step`] says when.
    pub(crate) fn affords(&mut self, now: Instant, link: &Link, share: Share) -> bool {
        let Some(budget_us) = budget_us(link) else { return true };
        let kept_us = match share {
            Share::All => 0,
            Share::UpperHalf => budget_us / 2,
        };
        let needed_us = kept_us.saturating_add(link.airtime_max().as_millis().saturating_mul(1_000));
        let Some(known) = self.known(now, link) else { return false };
        // A packet longer than the whole share would wait for ever: it goes when the share is full.
        let missing_us = needed_us.min(budget_us).saturating_sub(known.saved_us);
        if missing_us > 0 {
            let wait_ms = missing_us.div_ceil(link.duty_permille.max(1).into());
            let there = now.after(Duration::from_millis(wait_ms));
            self.wait = Some(self.wait.map_or(there, |wait| wait.min(there)));
        }
        missing_us == 0
    }

    /// A packet of `len` bytes went over this link.
    pub(crate) fn spend(&mut self, now: Instant, link: &Link, len: usize) {
        if let Some(known) = self.known(now, link) {
            known.saved_us = known.saved_us.saturating_sub(link.airtime_us(len));
        }
    }

    /// When air time that was missing will be there.
    pub(crate) const fn next_step(&self) -> Option<Instant> {
        self.wait
    }

    pub(crate) fn handle_timeout(&mut self, now: Instant) {
        if self.wait.is_some_and(|wait| wait <= now) {
            self.wait = None;
        }
    }

    /// The books of a link, with the air time saved up until now. One that is free of limits needs none and only shows
    /// that it is there; where all books are taken a limited one gets those of such a link, else shares the last.
    fn known(&mut self, now: Instant, link: &Link) -> Option<&mut Known> {
        let at = match self.known.iter().position(|known| known.number == link.number) {
            Some(at) => at,
            None => self.note(now, link)?,
        };
        let known = self.known.get_mut(at)?;
        let budget_us = budget_us(link)?;
        let earned_us = now.since(known.refilled).as_millis().saturating_mul(link.duty_permille.into());
        known.saved_us = known.saved_us.saturating_add(earned_us).min(budget_us);
        known.refilled = now;
        Some(known)
    }

    /// Opens books for a link; where that is not possible it shares others, or needs none.
    fn note(&mut self, now: Instant, link: &Link) -> Option<usize> {
        let budget_us = budget_us(link);
        // Flash's half and a little for the others: what was sent before a reset is not known.
        let saved_us = (budget_us.unwrap_or(0) / 8).saturating_mul(5);
        let fresh = Known { number: link.number, limited: budget_us.is_some(), saved_us, refilled: now };
        let Err(fresh) = self.known.push(fresh) else { return self.known.len().checked_sub(1) };
        let at = self.known.iter().rposition(|known| !known.limited);
        if let Some(place) = at.filter(|_| fresh.limited).and_then(|at| self.known.get_mut(at)) {
            *place = fresh;
            return at;
        }
        fresh.limited.then(|| self.known.len().saturating_sub(1))
    }
}

/// The most air time that can be saved up, in microseconds; none where the link is free of limits.
fn budget_us(link: &Link) -> Option<u32> {
    const HOUR_MS: u32 = 3_600_000;
    let permille = u32::from(link.duty_permille);
    (permille < 1_000).then(|| (AIRTIME_BUDGET_HOURS * HOUR_MS).saturating_mul(permille))
}

#[cfg(test)]
mod tests {
    use super::*;

    const LINK: Link = Link::small_radio(0);

    fn at(ms: u64) -> Instant {
        Instant::from_millis(ms)
    }

    /// Packets of 51 bytes that may go within an hour from `from_ms` on, asked every 50 ms.
    fn sent_in_an_hour(links: &mut Links, from_ms: u64, share: Share) -> u32 {
        let mut sent = 0;
        for step in 0..72_000 {
            let now = at(from_ms + 50 * step);
            if links.affords(now, &LINK, share) {
                links.spend(now, &LINK, 51);
                sent += 1;
            }
        }
        sent
    }

    #[test]
    fn flash_owns_half_and_may_borrow_the_rest() {
        let an_hour_of_it = 36_000_000 / LINK.airtime_us(51);
        let mut links = Links::new();
        let others = sent_in_an_hour(&mut links, 0, Share::UpperHalf);
        let expected = an_hour_of_it * 9 / 8;
        assert!((expected - 2..=expected).contains(&others), "{others}");
        let flash = sent_in_an_hour(&mut links, 3_600_000, Share::All);
        assert!((an_hour_of_it * 3 / 2 - 2..=an_hour_of_it * 3 / 2 + 2).contains(&flash), "{flash}");
        assert!(!links.affords(at(7_200_000), &LINK, Share::UpperHalf));
    }

    #[test]
    fn what_must_wait_knows_how_long() {
        let mut links = Links::new();
        while links.affords(at(0), &LINK, Share::UpperHalf) {
            links.spend(at(0), &LINK, 51);
        }
        let wait = links.next_step().unwrap();
        assert!(!links.affords(at(wait.as_millis() - 1), &LINK, Share::UpperHalf));
        links.handle_timeout(wait);
        assert!(links.next_step().is_none() && links.affords(wait, &LINK, Share::UpperHalf));
        assert!(links.affords(at(0), &Link::stream(1), Share::UpperHalf), "a line has no limit");
    }

    #[test]
    fn retries_go_round() {
        let mut links = Links::new();
        let other = Link::stream(1);
        links.meet(at(0), &LINK);
        assert!(links.is_turn_of(&LINK, Some(0), false), "there is no other link");
        links.meet(at(0), &other);
        assert!(links.is_turn_of(&other, Some(0), false));
        assert!(!links.is_turn_of(&LINK, Some(0), false), "the other's turn");
        assert!(links.is_turn_of(&LINK, Some(0), true), "the other was offered it");
        assert!(links.is_turn_of(&LINK, None, false), "the first time any will do");
    }
}
