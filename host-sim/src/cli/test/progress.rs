//! How far the runs are, on standard error.

use std::io::{self, IsTerminal};
use std::time::Duration;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::cli::Voice;
use crate::clock::Stopwatch;

/// Trials shorter than this need no bar.
const SHOW_AFTER: Duration = Duration::from_secs(1);

/// A bar on a terminal, and at the end how long it took.
pub(super) struct Progress {
    stopwatch: Stopwatch,
    bar: Option<ProgressBar>,
    is_on: bool,
}

impl Progress {
    pub(super) fn new(runs: u64, voice: Voice) -> Self {
        let is_on = !voice.quiet && io::stderr().is_terminal();
        let bar = is_on.then(|| {
            let style = ProgressStyle::with_template("{bar:20} {pos}/{len} runs  {eta} left")
                .unwrap_or_else(|_| ProgressStyle::default_bar());
            let bar = ProgressBar::with_draw_target(Some(runs), ProgressDrawTarget::stderr());
            bar.with_style(style)
        });
        Self { stopwatch: Stopwatch::start(), bar, is_on }
    }

    pub(super) fn told(&self, runs: u64) {
        if let Some(bar) = self.bar.as_ref().filter(|_| self.stopwatch.elapsed() >= SHOW_AFTER) {
            bar.set_position(runs);
        }
    }

    pub(super) fn finish(&self) {
        if let Some(bar) = &self.bar {
            bar.finish_and_clear();
        }
        if self.is_on {
            anstream::eprintln!("took {:.1} s", self.stopwatch.elapsed().as_secs_f64());
        }
    }
}
