//! Commands to one node that it has not answered yet.

use heapless::{Deque, Vec};
use rand_pcg::Pcg32;

use crate::limits::{COMMAND_ANSWER_MS, COMMANDS_PER_PEER};
use crate::message::{CommandId, Order};
use crate::precedence::Precedence;
use crate::role::gateway::event::CommandEnd;
use crate::role::retry::retry_wait;
use crate::time::{Duration, Instant};

/// A command, until it is answered or its time is over.
#[derive(Debug)]
pub(super) struct Pending {
    pub(super) id: CommandId,
    pub(super) order: Order,
    pub(super) precedence: Precedence,
    /// The counter that gave the command its name, until it is used up or of a past epoch.
    pub(super) counter: Option<u32>,
    attempts: u8,
    turn: Turn,
    expires: Option<Instant>,
}

/// When a command is sent next.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Turn {
    Now,
    At(Instant),
    Never,
}

impl Pending {
    fn is_over(&self, now: Instant) -> bool {
        self.expires.is_some_and(|expires| expires <= now)
    }

    /// Whether it is to be sent again at all. An order to set the clock is out of date by then.
    const fn is_repeated(&self) -> bool {
        self.attempts == 0 || !matches!(self.order, Order::Time(_))
    }
}

/// How the order travels, and how it is kept.
pub(super) const fn precedence(order: &Order) -> Precedence {
    match order {
        Order::Warn { .. } | Order::Clear(_) => Precedence::Flash,
        Order::NextEpoch(_) => Precedence::Immediate,
        _ => Precedence::Routine,
    }
}

#[derive(Debug)]
pub(super) struct Commands {
    /// Oldest first.
    pending: Vec<Pending, COMMANDS_PER_PEER>,
    /// What the host has still to be told of.
    ended: Deque<(CommandId, CommandEnd), COMMANDS_PER_PEER>,
}

impl Commands {
    pub(super) const fn new() -> Self {
        Self { pending: Vec::new(), ended: Deque::new() }
    }

    /// Whether there is room for the order once [`Commands::push`] has made what can be made.
    pub(super) fn admits(&self, order: &Order) -> bool {
        let cleared = self.pending.iter().any(|pending| is_cleared(pending, order));
        let gives_way = self.lowest().is_some_and(|(_, lowest)| lowest < precedence(order));
        !self.pending.is_full() || cleared || gives_way && !self.ended.is_full()
    }

    /// Takes a command that has been admitted. Warnings that it clears are not sent again, so that none of them can
    /// arrive behind its all-clear as if it were new.
    pub(super) fn push(&mut self, now: Instant, id: CommandId, order: Order) {
        self.pending.retain(|pending| !is_cleared(pending, &order));
        if let Some((at, _)) = self.lowest().filter(|_| self.pending.is_full()) {
            let displaced = self.pending.remove(at);
            let told = self.ended.push_back((displaced.id, CommandEnd::Displaced));
            debug_assert!(told.is_ok(), "only an admitted command displaces another");
        }
        let expires = match order {
            Order::Warn { duration_s, .. } => Some(now.after(Duration::from_secs(duration_s.into()))),
            Order::Clear(_) | Order::NextEpoch(_) => None,
            _ => Some(now.after(Duration::from_millis(COMMAND_ANSWER_MS))),
        };
        let precedence = precedence(&order);
        let counter = Some(id.counter);
        let pending = Pending { id, order, precedence, counter, attempts: 0, turn: Turn::Now, expires };
        let kept = self.pending.push(pending);
        debug_assert!(kept.is_ok(), "there is room for an admitted command");
    }

    pub(super) fn ids(&self) -> impl Iterator<Item = CommandId> {
        self.pending.iter().map(|pending| pending.id)
    }

    /// The oldest of the highest precedence that may be sent now, and where it stands.
    pub(super) fn next(&self, has_counters: bool) -> Option<(usize, &Pending)> {
        let ready =
            |pending: &Pending| pending.turn == Turn::Now && (has_counters || pending.counter.is_some());
        self.pending
            .iter()
            .enumerate()
            .filter(|(_, pending)| ready(pending))
            .reduce(|best, next| if next.1.precedence > best.1.precedence { next } else { best })
    }

    pub(super) fn sent(&mut self, at: usize, now: Instant, airtime_max: Duration, jitter: &mut Pcg32) {
        let Some(pending) = self.pending.get_mut(at) else { return };
        let again = now.after(retry_wait(airtime_max, pending.attempts, jitter));
        pending.counter = None;
        pending.attempts = pending.attempts.saturating_add(1);
        pending.turn = if pending.is_repeated() { Turn::At(again) } else { Turn::Never };
    }

    /// The node has answered. False where the command does not wait for that.
    pub(super) fn acted(&mut self, id: CommandId) -> bool {
        let waiting = self.pending.len();
        self.pending.retain(|pending| pending.id != id);
        self.pending.len() < waiting
    }

    /// What was sent last may have been refused for an echo that was too old: the newest is one of now.
    pub(super) fn hurry(&mut self, now: Instant) {
        for pending in &mut self.pending {
            if pending.is_repeated() && !pending.is_over(now) {
                pending.turn = Turn::Now;
            }
        }
    }

    /// Counters of the last epoch mean nothing in this one; names stay.
    pub(super) fn move_on(&mut self) {
        for pending in &mut self.pending {
            pending.counter = None;
        }
    }

    pub(super) fn poll_timeout(&self) -> Option<Instant> {
        let turns = self.pending.iter().filter_map(|pending| match pending.turn {
            Turn::At(at) => Some(at),
            Turn::Now | Turn::Never => None,
        });
        // While the host has not been told of others, none can end.
        let expiries = self.pending.iter().filter_map(|pending| pending.expires);
        turns.chain(expiries.filter(|_| !self.ended.is_full())).min()
    }

    pub(super) fn handle_timeout(&mut self, now: Instant) {
        for pending in &mut self.pending {
            match pending.turn {
                _ if pending.is_over(now) => pending.turn = Turn::Never,
                Turn::At(at) if at <= now => pending.turn = Turn::Now,
                _ => {}
            }
        }
        while let Some(at) = self.pending.iter().position(|pending| pending.is_over(now)) {
            let Some(pending) = self.pending.get(at).filter(|_| !self.ended.is_full()) else { return };
            let told = self.ended.push_back((pending.id, CommandEnd::Expired));
            debug_assert!(told.is_ok(), "there is room for one");
            self.pending.remove(at);
        }
    }

    pub(super) fn has_news(&self) -> bool {
        !self.ended.is_empty()
    }

    pub(super) fn poll_ended(&mut self) -> Option<(CommandId, CommandEnd)> {
        self.ended.pop_front()
    }

    /// What gives way first.
    fn lowest(&self) -> Option<(usize, Precedence)> {
        let precedences = self.pending.iter().map(|pending| pending.precedence).enumerate();
        precedences.min_by_key(|&(_, precedence)| precedence)
    }
}

fn is_cleared(pending: &Pending, order: &Order) -> bool {
    let warns = matches!(pending.order, Order::Warn { .. });
    matches!(order, Order::Clear(ids) if warns && ids.contains(&pending.id))
}
