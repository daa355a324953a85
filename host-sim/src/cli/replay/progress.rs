//! A bar for runs that take their time.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Voice;
use crate::clock::Stopwatch;
use crate::replay::{Speed, Story};
use crate::world::World;

/// Runs shorter than this need no bar.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// Shows the run's calendar, how much of it is played, and the asked and the achieved speed, on standard error.
pub(super) struct Progress<'s> {
    story: &'s Story,
    speed: Speed,
    bar: Option<ProgressBar>,
}

impl<'s> Progress<'s> {
    /// A bar where somebody sees it: on a terminal, unless standard output is one too and would be torn by it.
    pub(super) fn new(story: &'s Story, speed: Speed, voice: Voice) -> Self {
        let seen = io::stderr().is_terminal() && !io::stdout().is_terminal() && !voice.quiet;
        let bar = seen.then(|| {
            let style = ProgressStyle::with_template("{bar:30} {pos}/{len} alerts  {msg}")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(story.len() as u64), ProgressDrawTarget::stderr());
            bar.with_style(style)
        });
        Self { story, speed, bar }
    }

    pub(super) fn show(&self, world: &World, stopwatch: &Stopwatch) {
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

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
    }
}
