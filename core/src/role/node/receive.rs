//! What a node hears: acknowledgements and commands, authentic and fresh.

use super::Node;
use super::event::NodeEvent;
use super::pending::Pending;
use crate::ledger::Outcome;
use crate::message::{AckItem, CommandId, CommandResult, Order, Phase, Seq};
use crate::precedence::Precedence;
use crate::queue::{Lane, Slot};
use crate::role::station::{Heard, Rejected};
use crate::store::Store;
use crate::time::{Duration, Instant};
use crate::wire::link::Link;

impl<S: Store, const N: usize> Node<S, N> {
    /// Takes a packet that `link` has received.
    ///
    /// # Errors
    /// It is not for this node, not authentic, not fresh, or not understood. Nothing it says is done then, and there
    /// is nothing to do but to count it. One that is authentic and stale makes the node report soon.
    // Called, so that what it takes of the stack is not taken for good by a loop that never ends.
    #[inline(never)]
    pub fn handle_packet(&mut self, now: Instant, link: &Link, packet: &[u8]) -> Result<(), Rejected> {
        match self.station.open(now, link, packet)? {
            Heard::Ack(ack, exercise) => {
                for &item in ack.items() {
                    self.handle_stored(item, exercise);
                }
                self.release_summary(now);
            }
            Heard::Order(id, order, exercise) => self.obey(id, &order, exercise),
            Heard::Nothing => {}
        }
        self.catch_up(now);
        debug_assert!(self.is_balanced(), "the ledger must balance");
        Ok(())
    }

    /// A node has a lamp and no siren.
    fn obey(&mut self, id: CommandId, order: &Order, exercise: bool) {
        let result = match *order {
            Order::Locate { duration_s } if !exercise => {
                self.tell(NodeEvent::Locate { duration: Duration::from_secs(duration_s.into()) });
                CommandResult::Done
            }
            Order::Locate { .. } => CommandResult::Refused,
            _ => CommandResult::Unsupported,
        };
        self.station.answer(id, result, exercise);
    }

    /// A gateway has stored an alert. One that has left the queue already touches no count.
    fn handle_stored(&mut self, item: AckItem, exercise: bool) {
        let found = self.queue.iter().find_map(|(slot, lane, pending)| {
            let flash = lane.precedence() == Precedence::Flash;
            let same = pending.seq == Some(item.seq) && flash == item.flash && lane.is_exercise() == exercise;
            (same && pending.sealed).then_some((slot, lane))
        });
        let Some((slot, lane)): Option<(Slot, _)> = found else { return };
        let Some(pending) = self.queue.remove(slot) else { return };
        self.settle(lane, &pending, Outcome::Acked);
        let phase = pending.phase();
        if let (Some(root), Phase::Update | Phase::Cancel, false) =
            (pending.root(lane.precedence() == Precedence::Flash), phase, pending.is_summary())
        {
            self.free_referred(lane, &pending, root, phase);
        }
        if pending.is_end() {
            self.note_end(lane, &pending);
        }
    }

    /// What an update or a cancel refers to, and everything between the two, need not be sent any more now that it is
    /// stored.
    fn free_referred(&mut self, lane: Lane, by: &Pending, root: (bool, Seq), phase: Phase) {
        let outcome = if phase == Phase::Cancel { Outcome::Cancelled } else { Outcome::Superseded };
        loop {
            let referred = self.queue.iter().find(|(_, its_lane, pending)| {
                let flash = its_lane.precedence() == Precedence::Flash;
                let same = its_lane.is_exercise() == lane.is_exercise() && pending.root(flash) == Some(root);
                let before = pending.handle < by.handle && pending.phase() != Phase::Clear;
                same && before && !pending.is_summary()
            });
            let Some((slot, its_lane, _)) = referred else { return };
            if let Some(pending) = self.queue.remove(slot) {
                self.settle(its_lane, &pending, outcome);
            }
        }
    }
}
