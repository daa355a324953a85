//! What is said on standard error while a run goes on: a bar where it takes its time, remarks where they are wanted.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Voice;
use crate::clock::Stopwatch;
use crate::replay::{Onlooker, Speed, Story};
use crate::world::{Occurrence, World};

/// Runs shorter than this need no bar.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// Shows the run's calendar, how much of it is played, and the asked and the achieved speed, on standard error.
pub(super) struct Progress<'s> {
    story: &'s Story,
    speed: Speed,
    bar: Option<ProgressBar>,
    remarks: bool,
    quiet: bool,
}

impl<'s> Progress<'s> {
    /// A bar where somebody sees it: on a terminal, unless standard output is one too and would be torn by it.
    pub(super) fn new(story: &'s Story, speed: Speed, voice: Voice) -> Self {
        let seen = io::stderr().is_terminal() && !io::stdout().is_terminal() && !voice.quiet;
        let bar = seen.then(|| {
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} alerts  {wide_msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(story.len() as u64), ProgressDrawTarget::stderr());
            bar.with_style(style)
        });
        Self { story, speed, bar, remarks: voice.verbose > 0, quiet: voice.quiet }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}

impl Onlooker for Progress<'_> {
    fn progress(&self, world: &World, stopwatch: &Stopwatch) {
        let Some(bar) = self.bar.as_ref().filter(|_| stopwatch.elapsed() >= SHOW_AFTER) else { return };
        let wall_ms = stopwatch.elapsed().as_millis().max(1);
        let achieved = u128::from(world.run_ms()) / wall_ms;
        let time = self.story.time(world.calendar_ms());
        bar.set_position(world.raised() as u64);
        bar.set_message(format!(
            "{}  asked {}, achieved {achieved}x",
            time.get(..19).unwrap_or(&time),
            self.speed
        ));
    }

    fn paused(&self) {
        if !self.quiet {
            anstream::eprintln!("paused: Enter plays on, Ctrl-C ends");
        }
    }

    fn happened(&self, calendar_ms: u64, occurrence: &Occurrence) {
        if !self.remarks {
            return;
        }
        let what = match occurrence {
            Occurrence::QuietSkipped(ms) => format!("{} min of quiet skipped", ms / 60_000),
            Occurrence::Raised(alert) => match self.story.alert(*alert) {
                Some((_, planned)) => format!("alert {alert} raised: {} at {}", planned.kind(), planned.site),
                None => format!("alert {alert} raised"),
            },
            Occurrence::Refused(alert, why) => format!("alert {alert} refused: {why}"),
            Occurrence::Delivered { alert, received, .. } => {
                format!("alert {alert} delivered as {}", received.id)
            }
            Occurrence::Open(alert) => format!("alert {alert} open at the end"),
            Occurrence::Ended(alert, outcome) => {
                format!("alert {alert} {}", format!("{outcome:?}").to_lowercase())
            }
            Occurrence::Merged(alert) => format!("alert {alert} counted into a summary"),
            Occurrence::CutOff(alert) => format!("alert {alert} lost with the power of its node"),
            Occurrence::Warned { siren, .. } => format!("{} sounds", self.story.unit(*siren)),
            Occurrence::Routed { facts, sink, route, cause, .. } => {
                let by = route.as_ref().map_or_else(String::new, |route| format!(" by {route}"));
                format!("{} to {sink}{by}: {}", facts.id, cause.name())
            }
            Occurrence::Reached { id, sink, .. } => format!("{id} has come to {sink}"),
            Occurrence::Waits { alert, route, until_ms } => {
                format!("{alert} waits in {route}, until {} at most", self.story.time(*until_ms))
            }
            Occurrence::DeadlineMissed { alert, route, sink } => {
                format!("{alert} LATE: {sink} has not acknowledged within the deadline of {route}")
            }
            Occurrence::Unacknowledged { alert, sink } => format!("{alert} not acknowledged by {sink}"),
            Occurrence::Silent(node) => format!("SILENT: {}", self.story.unit(*node)),
            Occurrence::Off(unit, cause) => format!("{unit} is down: {cause}"),
            Occurrence::On(unit) => format!("{unit} is up again"),
            Occurrence::Cut(site, seconds) => format!("line of {site} cut for {seconds} s"),
            Occurrence::Killed => "gateway killed".into(),
            Occurrence::Started => "gateway is up again".into(),
            Occurrence::Forged(id) => format!("FORGED: {id}"),
        };
        let say = || anstream::eprintln!("{}  {what}", self.story.time(calendar_ms));
        match &self.bar {
            Some(bar) => bar.suspend(say),
            None => say(),
        }
    }
}
