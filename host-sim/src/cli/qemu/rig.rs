//! The bench of the board: what its sensors are to see, when, and the line by which they are told.

use std::collections::VecDeque;
use std::io;
use std::time::Duration;

use alertbus::AlertDraft;
use alertbus::driver::bench::Stimulus;
use alertbus::limits::{FRAME_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::wire::frame;
use anyhow::bail;
use tokio::io::AsyncWriteExt;
use tokio::time::timeout;

use super::played::Replay;
use crate::live::SLOTS;
use crate::replay::{Filter, Speed, Story};
use crate::scenario::Scenario;
use crate::transport::Connection;

/// Alerts that a node is given before the gateway has stored the first of them, where `held` were in its journal when it
/// started: half of the slots that these leave, so that it never has to refuse one or count it into a summary. What is
/// stored has still to be acknowledged, and of what it held nobody knows when it was believed.
pub(super) fn in_flight_max(held: usize) -> u64 {
    (SLOTS.saturating_sub(held) as u64 / 2).max(1)
}

/// How long a board may take to take a frame of its bench.
const WRITE_MAX: Duration = Duration::from_secs(10);

/// A scenario that one node sees.
pub(super) struct Script {
    replay: Replay,
    story: Story,
    /// What it sees, with the quiet before each, in milliseconds of the scenario.
    alerts: Vec<(u64, AlertDraft)>,
    /// Places of what is still to be seen.
    queue: VecDeque<usize>,
    /// How many of them, at its front, were seen before and are to be seen once more.
    again: u64,
    /// See [`in_flight_max`].
    in_flight_max: u64,
    speed: Speed,
    /// When the next is due, in milliseconds of this run.
    due_ms: u64,
}

impl Script {
    /// The alerts of a scenario under this seed.
    ///
    /// # Errors
    /// There is no such scenario, it is invalid, or it has no alert.
    pub(super) fn new(scenario: &str, seed: u64, speed: Speed, exercise: bool) -> anyhow::Result<Self> {
        let file = Scenario::open(scenario)?;
        let story = Story::new(&file, seed, file.file().faults, &Filter::default());
        let alerts = story.for_one_node(exercise);
        if alerts.is_empty() {
            bail!("the scenario `{scenario}` has no alert to play");
        }
        let queue = (0..alerts.len()).collect();
        let replay = Replay { scenario: scenario.to_owned(), seed, alerts: alerts.len() };
        Ok(Self { replay, story, alerts, queue, again: 0, in_flight_max: in_flight_max(0), speed, due_ms: 0 })
    }

    /// What it is called, where it is written down how far it has come.
    pub(super) const fn replay(&self) -> &Replay {
        &self.replay
    }

    pub(super) const fn story(&self) -> &Story {
        &self.story
    }

    /// What is seen at a place.
    pub(super) fn draft(&self, place: usize) -> Option<AlertDraft> {
        self.alerts.get(place).map(|(_, draft)| *draft)
    }

    /// Leaves out what was seen in an earlier run.
    pub(super) fn skip(&mut self, seen: impl Fn(usize) -> bool) {
        self.queue.retain(|place| !seen(*place));
    }

    /// These are to be seen once more, before all others; of what was seen before, no others are. The node that starts
    /// now holds `held` alerts.
    pub(super) fn again(&mut self, places: &[usize], held: usize) {
        self.in_flight_max = in_flight_max(held);
        self.queue.retain(|place| !places.contains(place));
        for place in places.iter().rev() {
            self.queue.push_front(*place);
        }
        self.again = places.len() as u64;
    }

    /// Whether everything has been seen.
    pub(super) fn is_over(&self) -> bool {
        self.queue.is_empty()
    }

    /// How long until the next is due, `elapsed_ms` into this run; none where nothing is left.
    pub(super) fn wait(&self, elapsed_ms: u64) -> Option<Duration> {
        self.queue.front().map(|_| Duration::from_millis(self.due_ms.saturating_sub(elapsed_ms)))
    }

    /// The next, if it is due and the node has room for it: of what was raised `open` alerts are not delivered, and those
    /// that are to be seen again are in no node, which has `resident` as far as it tells.
    pub(super) fn take(&mut self, elapsed_ms: u64, open: u64, resident: u64) -> Option<(usize, AlertDraft)> {
        if resident >= in_flight_max(0)
            || open.saturating_sub(self.again) >= self.in_flight_max
            || self.due_ms > elapsed_ms
        {
            return None;
        }
        let place = self.queue.pop_front()?;
        self.again = self.again.saturating_sub(1);
        let quiet_ms =
            self.queue.front().and_then(|next| self.alerts.get(*next)).map_or(0, |(quiet_ms, _)| *quiet_ms);
        let wait = self.speed.wall(quiet_ms).unwrap_or_default();
        self.due_ms = elapsed_ms.saturating_add(u64::try_from(wait.as_millis()).unwrap_or(u64::MAX));
        self.draft(place).map(|draft| (place, draft))
    }
}

/// Tells a board something.
///
/// # Errors
/// Its line is closed, or it takes nothing.
pub(super) async fn tell(bench: &mut Connection, stimulus: &Stimulus) -> io::Result<()> {
    let (mut bytes, mut room) = ([0; STIMULUS_LEN_MAX], [0; FRAME_LEN_MAX]);
    let encoded = frame::encode(stimulus.encode(&mut bytes), &mut room);
    let encoded = encoded.ok_or_else(|| io::Error::other("a stimulus that is longer than a frame"))?;
    // What the line has carried so far is closed off first.
    let line = [&[0], encoded].concat();
    match timeout(WRITE_MAX, bench.stream.write_all(&line)).await {
        Ok(written) => written,
        Err(_) => Err(io::ErrorKind::TimedOut.into()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn script(speed: &str) -> Script {
        Script::new("iraq-2019-2020", 1, speed.parse().expect("a speed"), false).expect("it is carried")
    }

    #[test]
    fn a_node_is_never_given_more_than_it_has_room_for() {
        let mut script = script("max");
        let whole = script.queue.len();
        assert_eq!(script.wait(0), Some(Duration::ZERO));
        let most = in_flight_max(0);
        for open in 0..most {
            assert_eq!(script.take(0, open, 0).map(|(place, _)| place as u64), Some(open));
        }
        assert!(script.take(0, most, 0).is_none());
        assert_eq!(script.take(0, most - 1, 0).map(|(place, _)| place as u64), Some(most));
        assert_eq!(script.queue.len() as u64, whole as u64 - most - 1);
        assert!(script.take(0, 0, most).is_none());
        script.skip(|place| place < whole - 1);
        script.again(&[3, 5], 0);
        let order = [script.take(0, 0, 0), script.take(0, 0, 0), script.take(0, 0, 0)];
        assert_eq!(order.map(|next| next.map(|(place, _)| place)), [Some(3), Some(5), Some(whole - 1)]);
        // All that a node had room for was forgotten: it has room for it.
        script.again(&[3, 5], 0);
        script.again(&[1, 3, 5], 0);
        let open = most + 2;
        let order = [script.take(0, open, 0), script.take(0, open, 0), script.take(0, open, 0)];
        assert_eq!(order.map(|next| next.map(|(place, _)| place)), [Some(1), None, None]);
        let order = [script.take(0, open - 1, 0), script.take(0, open - 2, 0)];
        assert_eq!(order.map(|next| next.map(|(place, _)| place)), [Some(3), Some(5)]);
        assert_eq!([0, 16, 30, 32, 34].map(in_flight_max), [16, 8, 1, 1, 1]);
        assert!(script.is_over() && script.wait(0).is_none() && script.take(0, 0, 0).is_none());
    }

    #[test]
    fn each_comes_in_its_time_and_long_quiet_is_cut() {
        let mut script = script("600x");
        assert_eq!(script.take(5, 0, 0).map(|(place, _)| place), Some(0));
        // Days pass between the first two: ten minutes of the scenario, a second here.
        assert_eq!(script.wait(5), Some(Duration::from_millis(1_000)));
        assert!(script.take(1_004, 0, 0).is_none());
        assert!(script.take(1_005, 0, 0).is_some());
    }

    #[test]
    fn a_scenario_without_alerts_or_without_a_file_is_refused() {
        let refused = Script::new("no-such-scenario", 1, Speed::Max, false).map(|_| ());
        assert!(refused.is_err_and(|error| error.to_string().contains("no-such-scenario")));
    }
}
