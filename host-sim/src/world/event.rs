//! What is going to happen, in the order in which it will.

use std::cmp::Reverse;
use std::collections::BinaryHeap;

use alertbus::limits::FRAME_LEN_MAX;

/// Bytes under way, copied in: a frame at most.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Bytes {
    bytes: [u8; FRAME_LEN_MAX],
    len: usize,
}

impl Bytes {
    /// Bytes beyond [`FRAME_LEN_MAX`] are cut off; nothing in this world sends any.
    pub(super) fn new(from: &[u8]) -> Self {
        let mut bytes = [0; FRAME_LEN_MAX];
        let len = from.len().min(FRAME_LEN_MAX);
        bytes[..len].copy_from_slice(&from[..len]);
        Self { bytes, len }
    }

    pub(super) fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    pub(super) fn flip(&mut self, bit: usize) {
        self.bytes[bit / 8 % self.len.max(1)] ^= 1 << (bit % 8);
    }
}

/// Something that happens to somebody.
#[derive(Clone, Copy, Debug)]
pub(super) enum Event {
    /// A unit has asked to be called now.
    UnitTimeout { unit: usize },
    /// A unit's radio has finished sending.
    RadioFree { unit: usize },
    /// An alert whose node was without power is raised again.
    RaiseAgain { number: usize },
    /// A packet from a unit reaches the radio head of its site.
    AirUp { site: usize, packet: Bytes },
    /// A frame from a radio head reaches the gateway.
    LineUp { site: usize, frame: Bytes },
    /// A frame from the gateway reaches the radio head of a site.
    LineDown { site: usize, frame: Bytes },
    /// A packet from a radio head reaches a unit.
    AirDown { unit: usize, packet: Bytes },
    /// The gateway's disk has synced what was written.
    Sync,
    /// The gateway has asked to be called now.
    GatewayTimeout,
    /// The gateway is killed.
    GatewayKill,
    /// The gateway starts again.
    GatewayStart,
    /// The power of a unit comes on.
    PowerOn { unit: usize },
    /// A unit is reset.
    Reboot { unit: usize },
    /// The power of a unit is about to fail in the middle of a write.
    BrownOut { unit: usize },
    /// The power of a unit has failed, whether it wrote or not.
    PowerOff { unit: usize },
    /// A site's line to the gateway is cut.
    Partition { site: usize },
    /// A unit is to move on to its next epoch.
    NextEpoch { unit: usize },
    /// All faults end.
    Heal,
}

/// Events by time; what is due at the same time happens in the order in which it was scheduled.
#[derive(Default)]
pub(super) struct EventQueue {
    events: BinaryHeap<Reverse<Scheduled>>,
    scheduled: u64,
}

struct Scheduled {
    at_ms: u64,
    order: u64,
    event: Event,
}

impl EventQueue {
    pub(super) fn schedule(&mut self, at_ms: u64, event: Event) {
        self.events.push(Reverse(Scheduled { at_ms, order: self.scheduled, event }));
        self.scheduled += 1;
    }

    pub(super) fn next_at_ms(&self) -> Option<u64> {
        self.events.peek().map(|Reverse(scheduled)| scheduled.at_ms)
    }

    pub(super) fn pop(&mut self) -> Option<Event> {
        self.events.pop().map(|Reverse(scheduled)| scheduled.event)
    }
}

impl Scheduled {
    const fn key(&self) -> (u64, u64) {
        (self.at_ms, self.order)
    }
}

impl PartialEq for Scheduled {
    fn eq(&self, other: &Self) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Scheduled {}

impl PartialOrd for Scheduled {
    fn partial_cmp(&self, other: &Self) -> Option<std::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

impl Ord for Scheduled {
    fn cmp(&self, other: &Self) -> std::cmp::Ordering {
        self.key().cmp(&other.key())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_time_then_by_order_of_scheduling() {
        let mut queue = EventQueue::default();
        for (at_ms, unit) in [(5, 0), (3, 1), (5, 2), (3, 3), (4, 4)] {
            queue.schedule(at_ms, Event::RadioFree { unit });
        }
        let order: Vec<_> = std::iter::from_fn(|| queue.pop())
            .map(|event| match event {
                Event::RadioFree { unit } => unit,
                other => panic!("{other:?}"),
            })
            .collect();
        assert_eq!(order, [1, 3, 4, 0, 2]);
    }
}
