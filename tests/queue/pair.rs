//! Queue and model side by side; every operation goes to both, and all that can be seen of them is compared.

use alertbus::queue::{Lane, PrecedenceQueue, Pushed, Slot};

use crate::model::{Model, Outcome};

#[derive(Clone, Copy, Debug)]
pub(crate) enum Operation {
    Push(Lane),
    Pop,
    MarkSent(Pick),
    Remove(Pick),
}

/// Which handle an operation is given.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Pick {
    /// That of the n-th item in the queue, counted from the oldest, modulo their number.
    Resident(usize),
    /// That of the n-th item ever admitted, modulo their number; most of them are long gone.
    Ever(usize),
}

#[derive(Clone)]
pub(crate) struct Pair<const N: usize> {
    pub(crate) queue: PrecedenceQueue<u32, N>,
    pub(crate) model: Model,
    /// Handles of all items ever admitted. Items are numbered from 0 as they are offered.
    handles: Vec<(u32, Slot)>,
    offered: u32,
}

impl<const N: usize> Pair<N> {
    pub(crate) fn new() -> Self {
        Self { queue: PrecedenceQueue::new(), model: Model::new(N), handles: Vec::new(), offered: 0 }
    }

    /// False when there is no handle the operation could be given.
    pub(crate) fn apply(&mut self, operation: Operation) -> bool {
        match operation {
            Operation::Push(lane) => self.push(lane),
            Operation::Pop => assert_eq!(self.queue.pop(), self.model.pop(), "order of pop"),
            Operation::MarkSent(pick) => {
                let Some((item, slot)) = self.pick(pick) else { return false };
                assert_eq!(self.queue.mark_sent(slot), self.model.mark_sent(item), "mark_sent of {item}");
            }
            Operation::Remove(pick) => {
                let Some((item, slot)) = self.pick(pick) else { return false };
                assert_eq!(self.queue.remove(slot), self.model.remove(item), "remove of {item}");
                assert_eq!(self.queue.item(slot), None, "a handle outlives its item");
            }
        }
        self.compare();
        true
    }

    fn push(&mut self, lane: Lane) {
        let item = self.offered;
        self.offered += 1;
        let refuses = self.queue.would_refuse(lane);
        let (outcome, slot) = match self.queue.push(lane, item) {
            Pushed::Kept(slot) => (Outcome::Kept, Some(slot)),
            Pushed::Displaced(slot, lane, victim) => (Outcome::Displaced(lane, victim), Some(slot)),
            Pushed::Refused(back) => {
                assert_eq!(back, item, "what is refused is handed back");
                (Outcome::Refused, None)
            }
        };
        assert_eq!(outcome, self.model.push(lane, item), "outcome of a push into {lane:?}");
        assert_eq!(refuses, outcome == Outcome::Refused, "would_refuse");
        if let Some(slot) = slot {
            assert_eq!(self.queue.item(slot), Some(&item));
            self.handles.push((item, slot));
        }
    }

    fn pick(&self, pick: Pick) -> Option<(u32, Slot)> {
        let among = |count: usize, number: usize| number.checked_rem(count);
        match pick {
            Pick::Ever(number) => Some(self.handles[among(self.handles.len(), number)?]),
            Pick::Resident(number) => {
                let residents = self.model.residents();
                let item = residents[among(residents.len(), number)?].item;
                let at = self.handles.binary_search_by_key(&item, |&(item, _)| item).unwrap();
                Some(self.handles[at])
            }
        }
    }

    /// What costs little: size and head.
    fn compare(&self) {
        assert_eq!(self.queue.len(), self.model.residents().len());
        assert_eq!(self.queue.is_empty(), self.model.residents().is_empty());
        assert_eq!(self.queue.peek().map(|(_, lane, &item)| (lane, item)), self.model.first(), "peek");
    }

    /// Everything else: every handle ever given, every item, and the whole order of giving way, airborne
    /// included, which shows when live Flash pushes all others out.
    pub(crate) fn compare_all(&self) {
        let residents = self.model.residents();
        let mut found: Vec<(u32, Lane)> = self.queue.iter().map(|(_, lane, &item)| (item, lane)).collect();
        found.sort_unstable_by_key(|&(item, _)| item);
        let expected: Vec<(u32, Lane)> =
            residents.iter().map(|resident| (resident.item, resident.lane)).collect();
        assert_eq!(found, expected, "iter");
        let airborne: Vec<(Lane, u32)> = self.queue.airborne().map(|(_, lane, &item)| (lane, item)).collect();
        assert_eq!(airborne, self.model.airborne(), "airborne");
        for &(item, slot) in &self.handles {
            let resident = residents.iter().any(|resident| resident.item == item);
            assert_eq!(self.queue.item(slot), resident.then_some(&item), "handle of {item}");
        }
        self.drain();
    }

    /// Consumes a copy of both in the order of giving way, then another in the order of going first.
    fn drain(&self) {
        let mut pushed_out = self.clone();
        while !pushed_out.queue.would_refuse(Lane::LIVE_FLASH) {
            pushed_out.push(Lane::LIVE_FLASH);
        }
        let mut popped = self.clone();
        while popped.model.first().is_some() {
            assert_eq!(popped.queue.pop(), popped.model.pop(), "order of pop while draining");
        }
        assert_eq!(popped.queue.pop(), None, "what is airborne is never popped");
    }
}
