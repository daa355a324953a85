//! What a gateway says to a node: acknowledgements and commands by precedence, and an answer where one is due.

use heapless::Vec;

use super::Peer;
use crate::limits::{ACKS_PER_PEER, BODY_LEN_MAX};
use crate::message::{Ack, AckItem, AlertId, Command, CommandId, Order};
use crate::precedence::Precedence;
use crate::time::Instant;
use crate::wire::keys::Direction;
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header, PacketBuffer};

/// Who goes first: live before exercise, then by precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::role::gateway) struct Rank {
    live: bool,
    precedence: Precedence,
}

/// What is said next.
enum Next {
    Acks,
    Command(usize),
    /// Anything at all, so that the next report has something to have heard.
    Answer,
}

/// Alerts whose storing is to be told, highest rank first and oldest first within a rank.
#[derive(Debug, Default)]
pub(super) struct Acks {
    waiting: Vec<(AlertId, Precedence), ACKS_PER_PEER>,
}

impl Acks {
    pub(super) const fn new() -> Self {
        Self { waiting: Vec::new() }
    }

    const fn rank((id, precedence): (AlertId, Precedence)) -> Rank {
        Rank { live: !id.exercise, precedence }
    }

    fn first(&self) -> Option<Rank> {
        self.waiting.first().map(|&first| Self::rank(first))
    }

    /// Where too many wait the lowest gives way, oldest first, or the new one if it is lower still: the node asks
    /// again.
    pub(super) fn push(&mut self, id: AlertId, precedence: Precedence) {
        let new = (id, precedence);
        if self.waiting.iter().any(|&(waiting, _)| waiting == id) {
            return;
        }
        if self.waiting.is_full() {
            let Some(lowest) = self.waiting.last().map(|&last| Self::rank(last)) else { return };
            if lowest > Self::rank(new) {
                return;
            }
            let oldest = self.waiting.partition_point(|&waiting| Self::rank(waiting) > lowest);
            self.waiting.remove(oldest);
        }
        let behind = self.waiting.partition_point(|&waiting| Self::rank(waiting) >= Self::rank(new));
        let kept = self.waiting.insert(behind, new);
        debug_assert!(kept.is_ok(), "there is room for one acknowledgement");
    }

    /// As many as one packet can name, all live or all of exercise, and the precedence that it travels at.
    fn take(&mut self, echo: u32) -> (Ack, Precedence) {
        let mut ack = Ack::new(echo);
        let first = self.waiting.first().copied();
        let (exercise, precedence) =
            first.map_or((false, Precedence::Routine), |(id, precedence)| (id.exercise, precedence));
        // Whole ranks lie together, so the packet takes from the front.
        self.waiting.retain(|&(id, _)| {
            id.exercise != exercise || !ack.push(AckItem { flash: id.flash, seq: id.seq })
        });
        (ack, precedence)
    }
}

impl Peer {
    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say there now.
    ///
    /// A packet is sent by the link on which the node was heard last. O(1), and the cipher.
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        // What has expired must not go out because nobody was awake.
        self.handle_timeout(now);
        if self.link != Some(link.number) {
            return None;
        }
        match self.next_packet()?.1 {
            Next::Acks => self.send_acks(link, out),
            Next::Command(at) => self.send_command(now, link, at, out),
            Next::Answer => self.send_answer(now, link, out),
        }
    }

    /// By which link something is to be said, and how urgent it is.
    pub(in crate::role::gateway) fn next_transmission(&self) -> Option<(u8, Rank)> {
        Some((self.link?, self.next_packet()?.0))
    }

    /// Of one rank acknowledgements and commands take turns.
    fn next_packet(&self) -> Option<(Rank, Next)> {
        if self.down.is_restored() {
            return None;
        }
        let may_speak = self.down.may_speak();
        let rank = |precedence| Rank { live: true, precedence };
        let acks = self.acks.first().filter(|_| may_speak).map(|first| (first, !self.ack_sent, Next::Acks));
        let command = self.commands.next(may_speak);
        let command = command.map(|(at, next)| (rank(next.precedence), self.ack_sent, Next::Command(at)));
        let answer = self.answer_due && may_speak;
        let answer = answer.then_some((rank(Precedence::Routine), false, Next::Answer));
        let candidates = [answer, acks, command].into_iter().flatten();
        let (rank, _, next) = candidates.max_by_key(|&(rank, turn, _)| (rank, turn))?;
        Some((rank, next))
    }

    fn send_acks<'o>(&mut self, link: &Link, out: &'o mut PacketBuffer) -> Option<&'o [u8]> {
        let exercise = !self.acks.first()?.live;
        let counter = self.down.take()?;
        let (ack, precedence) = self.acks.take(self.window(exercise).high());
        let mut body = [0; BODY_LEN_MAX];
        let len = ack.encode(&mut body);
        self.ack_sent = true;
        let header = self.header(Class::Ack, precedence, exercise, counter);
        self.seal(&header, body.get(..len)?, link, out)
    }

    fn send_command<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        at: usize,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let echo = self.window(false).high();
        let may_speak = self.down.may_speak();
        let (_, pending) = self.commands.next(may_speak).filter(|&(next, _)| next == at)?;
        let (id, order, precedence) = (pending.id, pending.order.clone(), pending.precedence);
        // Where much has been said since, the node's window has left its own counter behind.
        let own = pending.counter.filter(|&own| !may_speak || self.down.is_in_window(own));
        let counter = own.or_else(|| self.down.take())?;
        self.commands.sent(at, now, link.airtime_max(), &mut self.jitter);
        let mut body = [0; BODY_LEN_MAX];
        let len = Command { echo, id, order }.encode(&mut body);
        self.ack_sent = false;
        let header = self.header(Class::Command, precedence, false, counter);
        self.seal(&header, body.get(..len)?, link, out)
    }

    /// The time of day, where it is known and the node may not know it. Else an acknowledgement of nothing.
    fn send_answer<'o>(&mut self, now: Instant, link: &Link, out: &'o mut PacketBuffer) -> Option<&'o [u8]> {
        let echo = self.window(false).high();
        let counter = self.down.take()?;
        let mut body = [0; BODY_LEN_MAX];
        let (class, len) = match self.calendar.as_ref().filter(|_| self.time_due) {
            Some(calendar) => {
                let id = CommandId { epoch_low: self.keys.epoch().low(), counter };
                self.time_told = Some(id);
                let order = Order::Time(calendar.at(now));
                (Class::Command, Command { echo, id, order }.encode(&mut body))
            }
            None => (Class::Ack, Ack::new(echo).encode(&mut body)),
        };
        let header = self.header(class, Precedence::Routine, false, counter);
        self.seal(&header, body.get(..len)?, link, out)
    }

    const fn header(&self, class: Class, precedence: Precedence, exercise: bool, counter: u32) -> Header {
        let (epoch_low, node) = (self.keys.epoch().low(), self.config.node);
        Header { class, precedence, exercise, epoch_low, node, counter }
    }

    fn seal<'o>(
        &mut self,
        header: &Header,
        body: &[u8],
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        // Whatever a live node hears from here answers it.
        self.answer_due &= header.exercise;
        packet::seal(self.keys.key(Direction::Down, header.exercise), header, body, link.tag, out).ok()
    }
}

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;
    use crate::message::{NodeId, Seq};

    fn id(exercise: bool, number: usize) -> AlertId {
        let seq = Seq::new(u32::try_from(number).unwrap()).unwrap();
        AlertId { node: NodeId(12), exercise, flash: false, seq }
    }

    #[test]
    fn the_lowest_gives_way_and_never_a_higher_one() {
        let mut acks = Acks::new();
        for number in 1..=ACKS_PER_PEER {
            let precedence = if number % 2 == 0 { Precedence::Flash } else { Precedence::Routine };
            acks.push(id(false, number), precedence);
        }
        acks.push(id(true, 1), Precedence::Flash);
        assert!(acks.waiting.iter().all(|(id, _)| !id.exercise), "exercise gives way to everything live");
        acks.push(id(false, 101), Precedence::Routine);
        acks.push(id(false, 102), Precedence::Immediate);
        let order: std::vec::Vec<u32> = acks.waiting.iter().map(|(id, _)| id.seq.number()).collect();
        assert_eq!(order, [2, 4, 6, 8, 10, 12, 14, 102, 5, 7, 9, 11, 13, 101]);
        for number in 200..300 {
            acks.push(id(false, number), Precedence::Flash);
        }
        acks.push(id(false, 301), Precedence::Immediate);
        assert!(acks.waiting.iter().all(|&(_, precedence)| precedence == Precedence::Flash));
    }
}
