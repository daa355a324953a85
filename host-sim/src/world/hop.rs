//! One direction of one link, and the faults that may befall a frame on it.

use super::event::Bytes;
use crate::draw::Draw;
use crate::scenario::Faults;

/// How long a reordered frame is held back at most, in milliseconds: several airtimes, less than a retry's cap.
const REORDER_MS_MAX: u64 = 2_000;

/// Chance that a burst ends with a frame, in millionths: eight frames in the mean.
const BURST_END_MILLIONTHS: u32 = 125_000;

/// Frames go over a hop one behind the other; only the fault `reorder` lets one overtake.
pub(super) struct Hop {
    pub(super) name: String,
    faults: Faults,
    loss: Draw,
    delay: Draw,
    duplicate: Draw,
    reorder: Draw,
    corrupt: Draw,
    burst: Draw,
    /// Whether a burst of losses is on.
    in_burst: bool,
    last_arrival_ms: u64,
}

/// What befell a frame.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Fate {
    pub(super) lost: bool,
    pub(super) in_burst: bool,
    pub(super) corrupted: bool,
    pub(super) reordered: bool,
    /// When it arrives, and when it arrives again.
    pub(super) arrivals_ms: [Option<u64>; 2],
}

impl Hop {
    /// Each fault of each hop has a stream of its own: one more fault shifts no other.
    pub(super) fn new(seed: u64, name: String, faults: Faults) -> Self {
        let draw = |fault: &str| Draw::new(seed, &format!("{name} {fault}"));
        let (loss, delay, duplicate) = (draw("loss"), draw("delay"), draw("duplicate"));
        let (reorder, corrupt, burst) = (draw("reorder"), draw("corrupt"), draw("burst"));
        let (in_burst, last_arrival_ms) = (false, 0);
        Self { name, faults, loss, delay, duplicate, reorder, corrupt, burst, in_burst, last_arrival_ms }
    }

    /// Sends `frame`, which takes `airtime_ms`; a corrupted frame is changed in place.
    pub(super) fn carry(&mut self, now_ms: u64, airtime_ms: u64, frame: &mut Bytes) -> Fate {
        let in_burst = self.is_in_burst();
        if in_burst || self.loss.happens(self.faults.loss.millionths()) {
            return Fate { lost: true, in_burst, ..Fate::default() };
        }
        let corrupted = self.corrupt.happens(self.faults.corrupt.millionths());
        if corrupted {
            let bits = 8 * frame.as_slice().len();
            frame.flip(usize::try_from(self.corrupt.below(bits as u64)).unwrap_or(0));
        }
        let reordered = self.reorder.happens(self.faults.reorder.millionths());
        let first_ms = self.arrival_ms(now_ms + airtime_ms, reordered);
        let again = self.duplicate.happens(self.faults.duplicate.millionths());
        let again_ms = again.then(|| self.arrival_ms(first_ms, false));
        Fate { lost: false, in_burst, corrupted, reordered, arrivals_ms: [Some(first_ms), again_ms] }
    }

    /// From now on nothing befalls a frame.
    pub(super) fn heal(&mut self) {
        self.faults = Faults::default();
        self.in_burst = false;
    }

    /// Two states (Gilbert–Elliott): in the bad one every frame is lost, and it is left with a chance of one in eight
    /// for each frame; the good one is left so often that the share of the bad one is that of the fault. Where it would
    /// have to be left at once, bursts are longer instead.
    fn is_in_burst(&mut self) -> bool {
        let share = u64::from(self.faults.burst.millionths());
        if share == 0 {
            return false;
        }
        let rest = 1_000_000 - share;
        let begins = u64::from(BURST_END_MILLIONTHS) * share / (rest + 1);
        let leaves = match (self.in_burst, begins) {
            (false, begins) => begins.min(1_000_000),
            (true, ..1_000_000) => BURST_END_MILLIONTHS.into(),
            (true, _) => 1_000_000 * rest / share,
        };
        self.in_burst ^= self.burst.happens(u32::try_from(leaves).unwrap_or(1_000_000));
        self.in_burst
    }

    fn arrival_ms(&mut self, earliest_ms: u64, reordered: bool) -> u64 {
        let delayed_ms = match self.faults.delay_ms {
            0 => earliest_ms,
            most => earliest_ms + self.delay.below(u64::from(most) + 1),
        };
        if reordered {
            // Those behind it are not held up: they overtake.
            return delayed_ms + 1 + self.reorder.below(REORDER_MS_MAX);
        }
        self.last_arrival_ms = self.last_arrival_ms.max(delayed_ms);
        self.last_arrival_ms
    }
}

/// Airtime of a LoRa packet at SF7, 125 kHz, coding rate 4/5, 8 symbols of preamble, explicit header and CRC, in
/// milliseconds rounded up (Semtech AN1200.13): 51 bytes take 103 ms.
pub(super) fn radio_airtime_ms(len: usize) -> u64 {
    const SYMBOL_US: u64 = 1_024;
    const SPREADING_FACTOR: u64 = 7;
    // 8·len − 4·SF + 28 + 16 bits of payload, four bits of each symbol for the code's five.
    let bits = 8 * len as u64 + 44 - 4 * SPREADING_FACTOR;
    let symbols = 8 + bits.div_ceil(4 * SPREADING_FACTOR) * 5;
    // 12.25 symbols of preamble.
    let us = SYMBOL_US * 49 / 4 + SYMBOL_US * symbols;
    us.div_ceil(1_000)
}

/// Time on a line at 115,200 baud, ten bits a byte, in milliseconds rounded up.
pub(super) fn line_time_ms(len: usize) -> u64 {
    (len as u64 * 10_000).div_ceil(115_200)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(change: impl FnOnce(&mut Faults)) -> Faults {
        let mut faults = Faults::default();
        change(&mut faults);
        faults
    }

    fn arrivals(faults: Faults) -> Vec<u64> {
        let mut hop = Hop::new(1, "test".into(), faults);
        (0..2_000)
            .flat_map(|k| hop.carry(10 * k, 5, &mut Bytes::new(&[0; 40])).arrivals_ms)
            .flatten()
            .collect()
    }

    #[test]
    fn airtimes_of_the_data_sheet() {
        assert_eq!([20, 32, 43, 51].map(radio_airtime_ms), [57, 72, 88, 103]);
        assert_eq!([0, 1, 55].map(line_time_ms), [0, 1, 5]);
    }

    #[test]
    fn without_faults_every_frame_arrives_once_and_in_order() {
        assert_eq!(arrivals(Faults::default()), (0..2_000).map(|k| 10 * k + 5).collect::<Vec<_>>());
    }

    #[test]
    fn each_fault_does_what_it_is_called() {
        let half = "50%".parse().expect("a probability");
        let lost = arrivals(faults(|faults| faults.loss = half));
        assert!((900..1_100).contains(&lost.len()));
        let burst = arrivals(faults(|faults| faults.burst = half));
        assert!((700..1_300).contains(&burst.len()), "{}", burst.len());
        let gaps = burst.windows(2).filter(|pair| pair[1] - pair[0] > 10).count();
        assert!((60..200).contains(&gaps), "losses come in bursts: {gaps}");
        for (share, most) in [("95%", 180), ("100%", 0)] {
            let rest = arrivals(faults(|faults| faults.burst = share.parse().expect("a probability"))).len();
            assert!(rest <= most && (rest > 20 || most == 0), "{share}: {rest} of 2000 arrive");
        }
        let twice = arrivals(faults(|faults| faults.duplicate = half));
        assert!((2_900..3_100).contains(&twice.len()));
        let delayed = arrivals(faults(|faults| faults.delay_ms = 1_000));
        assert!(delayed.is_sorted(), "delay alone lets nothing overtake");
        assert!(delayed.iter().zip(0..).any(|(&at, k)| at > 10 * k + 500));
        assert!(!arrivals(faults(|faults| faults.reorder = half)).is_sorted());
        let mut hop = Hop::new(1, "test".into(), faults(|faults| faults.corrupt = half));
        let mut changed = 0;
        for _ in 0..2_000 {
            let mut frame = Bytes::new(&[0; 40]);
            let fate = hop.carry(0, 5, &mut frame);
            let ones: u32 = frame.as_slice().iter().map(|byte| byte.count_ones()).sum();
            assert_eq!(ones, u32::from(fate.corrupted), "exactly one bit");
            changed += ones;
        }
        assert!((900..1_100).contains(&changed));
    }
}
