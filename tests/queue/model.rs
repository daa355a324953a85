//! The queue as one would explain it: a list, and for each question a look at all of it.

use alertbus::Precedence;
use alertbus::queue::Lane;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Outcome {
    Kept,
    Displaced(Lane, u32),
    Refused,
}

/// An item in the queue. `arrived` and `sent` count operations, so a smaller one was earlier.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Resident {
    pub(crate) item: u32,
    pub(crate) lane: Lane,
    rank: usize,
    arrived: u32,
    sent: Option<u32>,
}

#[derive(Clone, Debug)]
pub(crate) struct Model {
    capacity: usize,
    /// In the order of arrival.
    residents: Vec<Resident>,
    operations: u32,
}

/// All eight lanes, lowest first: the four precedences in exercise, then the same four live.
pub(crate) fn lanes() -> [Lane; 8] {
    std::array::from_fn(|number| Lane::of(Precedence::ALL[number % 4], number < 4))
}

/// Position of a lane among the eight, written without the queue's own order of lanes.
pub(crate) fn rank(lane: Lane) -> usize {
    let precedence = match lane.precedence() {
        Precedence::Routine => 0,
        Precedence::Priority => 1,
        Precedence::Immediate => 2,
        Precedence::Flash => 3,
    };
    if lane.is_exercise() { precedence } else { 4 + precedence }
}

const LIVE_FLASH_RANK: usize = 7;

impl Model {
    pub(crate) fn new(capacity: usize) -> Self {
        Self { capacity, residents: Vec::new(), operations: 0 }
    }

    pub(crate) fn residents(&self) -> &[Resident] {
        &self.residents
    }

    pub(crate) fn push(&mut self, lane: Lane, item: u32) -> Outcome {
        self.operations += 1;
        let outcome = self.outcome(lane);
        if let Outcome::Displaced(_, victim) = outcome {
            self.residents.retain(|resident| resident.item != victim);
        }
        if outcome != Outcome::Refused {
            self.residents.push(Resident {
                item,
                lane,
                rank: rank(lane),
                arrived: self.operations,
                sent: None,
            });
        }
        outcome
    }

    /// Full: the lowest lane gives way to a higher one, and to itself unless it is live Flash. Within the lane
    /// what is airborne longest goes first, then what waits longest.
    fn outcome(&self, lane: Lane) -> Outcome {
        if self.residents.len() < self.capacity {
            return Outcome::Kept;
        }
        let victim = self
            .residents
            .iter()
            .min_by_key(|resident| {
                let waits = resident.sent.is_none();
                (resident.rank, waits, resident.sent.unwrap_or(resident.arrived))
            })
            .unwrap();
        let newcomer_rank = rank(lane);
        let own_lane = victim.rank == newcomer_rank && newcomer_rank != LIVE_FLASH_RANK;
        if victim.rank < newcomer_rank || own_lane {
            Outcome::Displaced(victim.lane, victim.item)
        } else {
            Outcome::Refused
        }
    }

    /// Highest lane first, in it the earliest arrival, and only what was never sent.
    pub(crate) fn first(&self) -> Option<(Lane, u32)> {
        let waiting = self.residents.iter().filter(|resident| resident.sent.is_none());
        waiting
            .min_by_key(|resident| (LIVE_FLASH_RANK - resident.rank, resident.arrived))
            .map(|resident| (resident.lane, resident.item))
    }

    /// Those that were sent, the highest lane first, in each as they were sent.
    pub(crate) fn airborne(&self) -> Vec<(Lane, u32)> {
        let mut sent: Vec<&Resident> =
            self.residents.iter().filter(|resident| resident.sent.is_some()).collect();
        sent.sort_by_key(|resident| (std::cmp::Reverse(resident.rank), resident.sent));
        sent.into_iter().map(|resident| (resident.lane, resident.item)).collect()
    }

    pub(crate) fn pop(&mut self) -> Option<(u32, Lane)> {
        self.operations += 1;
        let (lane, first) = self.first()?;
        self.residents.retain(|resident| resident.item != first);
        Some((first, lane))
    }

    /// True when it was waiting. A second sending changes nothing.
    pub(crate) fn mark_sent(&mut self, item: u32) -> bool {
        self.operations += 1;
        let waiting =
            self.residents.iter_mut().find(|resident| resident.item == item && resident.sent.is_none());
        waiting.map(|resident| resident.sent = Some(self.operations)).is_some()
    }

    pub(crate) fn remove(&mut self, item: u32) -> Option<u32> {
        self.operations += 1;
        let at = self.residents.iter().position(|resident| resident.item == item)?;
        Some(self.residents.remove(at).item)
    }
}
