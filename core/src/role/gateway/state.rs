//! What a gateway must not forget of a node, for its host to keep on disk.

use serde::{Deserialize, Serialize};

use super::event::ReceivedAlert;
use crate::limits::{DEDUPE_WORDS, OVERTAKEN_PER_PEER};
use crate::message::{AlertId, Epoch};
use crate::wire::window::{FlashFilter, Replay, ReplayWindow};

/// What a gateway must not forget of a node: some 700 bytes in memory, and at most 809 as postcard writes it.
///
/// Any format that serde knows will do. It holds no secret, but who can change it can play packets back.
///
/// # When to write it
///
/// With every alert and with every report, in one write that either happens or does not:
///
/// - an alert comes: write the alert and [`Peer::state_with`](super::Peer::state_with) it, wait for the disk, then call
///   `stored`. One alert after the other: what is not yet `stored` is not part of the next one's state;
/// - a report comes: write [`Peer::state`](super::Peer::state). It may wait for the next write; see below.
///
/// # What happens when the host dies
///
/// | between | on disk | after the restart |
/// | --- | --- | --- |
/// | receiving an alert and its write | nothing of it | never acknowledged, so its node sends it again, under a new counter |
/// | its write and `stored`, or `stored` and the acknowledgement | the alert, and that it is known | its node sends it again: known, acknowledged, not delivered again |
/// | a report and its write | the mark as it was before | the report can be played back once, and proves nothing: it has heard nobody since this start |
/// | any packet and the next write | the mark as it was before | the packet can be played back once: a stored alert is known, another one was never acknowledged |
///
/// So no alert is stored twice, and none is acknowledged that is not stored; one that is delivered before it is
/// written may be delivered again. What is at or below the mark is refused after a restart, whatever it is: which of
/// it was taken is not kept, and the node sends again what it still holds. Commands are not kept: their node answers
/// those it has heard, and the host, which knows what it ordered, orders the others anew. Down counters are not kept
/// here: the host writes a [`DownSpan`](super::DownSpan) before it hands it over.
///
/// ```
/// use alertbus::message::Epoch;
/// use alertbus::role::gateway::PeerState;
/// let state = PeerState::new(Epoch(3));
/// let mut disk = [0; 1024];
/// let written = postcard::to_slice(&state, &mut disk).unwrap();
/// assert_eq!(postcard::from_bytes::<PeerState>(written), Ok(state));
/// ```
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PeerState {
    pub(super) epoch: u32,
    /// The highest up counters opened, live and exercise.
    pub(super) marks: [u32; 2],
    /// Whether this is all that any gateway of the network ever took from the node.
    pub(super) is_whole: bool,
    /// The number under which the gateway was found to be an old copy of itself.
    pub(super) restored: Option<u8>,
    pub(super) last_report: Option<LastReport>,
    /// The link it was heard on last: what it is told after a restart need not wait for its next report.
    pub(super) link: Option<u8>,
    pub(super) known: Known,
}

impl PeerState {
    /// Of a node that no gateway has ever heard. For one that another has heard there is no state, which is not the
    /// same: its alerts may have been delivered before.
    #[must_use]
    pub const fn new(epoch: Epoch) -> Self {
        Self {
            epoch: epoch.0,
            marks: [0; 2],
            is_whole: true,
            restored: None,
            last_report: None,
            link: None,
            known: Known::new(),
        }
    }

    /// The key epoch that the node was in.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        Epoch(self.epoch)
    }

    /// As it will be once `alert` is stored.
    #[must_use]
    pub fn with(mut self, alert: &ReceivedAlert) -> Self {
        self.known.store(alert.id, alert.refers_to());
        self
    }
}

/// By what the next report is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct LastReport {
    pub(super) counter: u32,
    pub(super) boot: u16,
    pub(super) uptime_ms: u64,
}

/// Which alerts are stored, or need not be heard of any more.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub(super) struct Known {
    flash: FlashFilter,
    other: ReplayWindow<DEDUPE_WORDS>,
    /// Exercise has no guarantee and no floor: Flash and other, in this order.
    exercise: [ReplayWindow<DEDUPE_WORDS>; 2],
    overtaken: Overtaken,
}

/// What is known of an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Acquaintance {
    New,
    /// Not stored, but what refers to it is.
    Overtaken,
    Stored,
    /// Too far back to tell. Never live Flash.
    TooOld,
}

impl Known {
    pub(super) const fn new() -> Self {
        Self {
            flash: FlashFilter::new(),
            other: ReplayWindow::new(),
            exercise: [ReplayWindow::new(); 2],
            overtaken: Overtaken::new(),
        }
    }

    pub(super) const fn flash_floor(&self) -> u32 {
        self.flash.floor()
    }

    pub(super) fn raise_flash_floor(&mut self, floor: u32) {
        self.flash.raise_floor(floor);
    }

    pub(super) fn look(&self, id: AlertId) -> Acquaintance {
        if self.overtaken.contains(id) {
            return Acquaintance::Overtaken;
        }
        let [exercise_flash, exercise_other] = &self.exercise;
        let window = match (id.exercise, id.flash) {
            (false, true) if self.flash.contains(id.seq) => return Acquaintance::Stored,
            (false, true) => return Acquaintance::New,
            (false, false) => &self.other,
            (true, true) => exercise_flash,
            (true, false) => exercise_other,
        };
        match window.peek(id.seq.number()) {
            Ok(()) => Acquaintance::New,
            Err(Replay::Seen { .. }) => Acquaintance::Stored,
            Err(Replay::TooOld { .. }) => Acquaintance::TooOld,
        }
    }

    /// The alert is stored; what it refers to, where that has not come yet, is overtaken.
    pub(super) fn store(&mut self, id: AlertId, refers_to: Option<AlertId>) {
        self.take(id);
        self.overtaken.remove(id);
        // A number far ahead is nonsense, and would make unknown alerts known.
        let Some(earlier) = refers_to.filter(|&earlier| self.reaches(earlier)) else { return };
        if self.look(earlier) == Acquaintance::New {
            self.take(earlier);
            self.overtaken.push(earlier);
        }
    }

    fn take(&mut self, id: AlertId) {
        let [exercise_flash, exercise_other] = &mut self.exercise;
        match (id.exercise, id.flash) {
            (false, true) => self.flash.insert(id.seq),
            (false, false) => self.other.commit(id.seq.number()),
            (true, true) => exercise_flash.commit(id.seq.number()),
            (true, false) => exercise_other.commit(id.seq.number()),
        }
    }

    const fn reaches(&self, id: AlertId) -> bool {
        let [exercise_flash, exercise_other] = &self.exercise;
        match (id.exercise, id.flash) {
            (false, true) => self.flash.reaches(id.seq),
            (false, false) => self.other.reaches(id.seq.number()),
            (true, true) => exercise_flash.reaches(id.seq.number()),
            (true, false) => exercise_other.reaches(id.seq.number()),
        }
    }
}

/// The alerts overtaken last by what refers to them. Their numbers are known already, so that one forgotten here is
/// acknowledged and never sounded; while it stands here it is still to be recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
struct Overtaken {
    /// Oldest first. Exercise, Flash, number; number 0 stands for none.
    ring: [(bool, bool, u32); OVERTAKEN_PER_PEER],
}

impl Overtaken {
    const NONE: (bool, bool, u32) = (false, false, 0);

    const fn new() -> Self {
        Self { ring: [Self::NONE; OVERTAKEN_PER_PEER] }
    }

    const fn entry(id: AlertId) -> (bool, bool, u32) {
        (id.exercise, id.flash, id.seq.number())
    }

    fn contains(&self, id: AlertId) -> bool {
        // The number first: it nearly always tells them apart.
        let (exercise, flash, number) = Self::entry(id);
        self.ring.iter().any(|entry| entry.2 == number && (entry.0, entry.1) == (exercise, flash))
    }

    fn remove(&mut self, id: AlertId) {
        for entry in self.ring.iter_mut().filter(|entry| **entry == Self::entry(id)) {
            *entry = Self::NONE;
        }
    }

    fn push(&mut self, id: AlertId) {
        self.ring.rotate_left(1);
        if let Some(newest) = self.ring.last_mut() {
            *newest = Self::entry(id);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::message::{NodeId, Seq};

    fn id(flash: bool, number: u32) -> AlertId {
        AlertId { node: NodeId(12), exercise: false, flash, seq: Seq::new(number).unwrap() }
    }

    #[test]
    fn the_overtaken_are_recorded_once_and_the_forgotten_are_known() {
        let mut known = Known::new();
        for number in 1..=20 {
            known.store(id(false, 100 + number), Some(id(true, number)));
        }
        // The ring holds 16: the first four are known, the others still to be recorded.
        assert_eq!(known.look(id(true, 4)), Acquaintance::Stored);
        assert_eq!(known.look(id(true, 5)), Acquaintance::Overtaken);
        known.store(id(true, 5), None);
        assert_eq!(known.look(id(true, 5)), Acquaintance::Stored);
        assert_eq!(known.look(id(true, 6)), Acquaintance::Overtaken);
    }

    #[test]
    fn what_is_stored_cannot_be_overtaken() {
        let mut known = Known::new();
        known.store(id(true, 1), None);
        known.store(id(true, 2), Some(id(true, 1)));
        assert_eq!(known.look(id(true, 1)), Acquaintance::Stored);
    }

    #[test]
    fn a_reference_to_a_number_far_ahead_makes_nothing_known() {
        let mut known = Known::new();
        known.store(id(true, 1), Some(id(false, 2_000)));
        known.store(id(false, 1), Some(id(true, 2_000)));
        assert_eq!(known.look(id(false, 2)), Acquaintance::New);
        assert_eq!(known.look(id(true, 2)), Acquaintance::New);
        assert_eq!((known.flash_floor(), known.look(id(true, 2_000))), (1, Acquaintance::New));
    }
}
