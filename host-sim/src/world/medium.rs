//! What carries frames and keeps the books of them: the run's clock, the events under way, the counts, the hash.

use super::account::FrameAccount;
use super::event::{Bytes, Event, EventQueue};
use super::hop::Hop;
use super::trace::Trace;

pub(super) struct Medium {
    /// The run's clock.
    pub(super) now_ms: u64,
    pub(super) events: EventQueue,
    pub(super) frames: FrameAccount,
    pub(super) trace: Trace,
}

impl Medium {
    pub(super) fn new(seed: u64) -> Self {
        Self {
            now_ms: 0,
            events: EventQueue::default(),
            frames: FrameAccount::default(),
            trace: Trace::new(seed),
        }
    }

    /// Sends `frame` over `hop`; `arrival` says what happens where it arrives.
    pub(super) fn send(
        &mut self,
        hop: &mut Hop,
        airtime_ms: u64,
        frame: &[u8],
        arrival: impl Fn(Bytes) -> Event,
    ) {
        let mut bytes = Bytes::new(frame);
        let fate = hop.carry(self.now_ms, airtime_ms, &mut bytes);
        self.trace.frame(self.now_ms, &hop.name, bytes.as_slice(), &fate);
        self.frames.sent += 1;
        self.frames.dropped += u64::from(fate.lost);
        self.frames.burst += u64::from(fate.in_burst);
        let [first_ms, _] = fate.arrivals_ms;
        self.frames.delayed += u64::from(first_ms.is_some_and(|at_ms| at_ms > self.now_ms + airtime_ms));
        self.frames.corrupted += u64::from(fate.corrupted);
        self.frames.reordered += u64::from(fate.reordered);
        let arrivals = fate.arrivals_ms.into_iter().flatten();
        self.frames.duplicated += (arrivals.clone().count() as u64).saturating_sub(1);
        for arrival_ms in arrivals {
            self.events.schedule(arrival_ms, arrival(bytes));
        }
    }

    /// Somebody decided something.
    pub(super) fn decided(&mut self, what: &str) {
        self.trace.decision(self.now_ms, what);
    }
}
