//! The task that paces a run.

use std::time::Duration;

use tokio::io::{AsyncBufReadExt, BufReader, Lines, Stdin};
use tokio::signal;
use tokio::time::{sleep, timeout};

use super::{Speed, Story};
use crate::clock::Stopwatch;
use crate::sink::{DRAIN_MAX, Delivery, Running};
use crate::world::{Occurrence, World};

/// Steps between two looks at the signal when nothing else gives a pause.
const STEPS_PER_TURN: usize = 512;

/// How a person holds the reins.
#[derive(Clone, Copy, Debug)]
pub struct Controls {
    /// How fast.
    pub speed: Speed,
    /// Waits for a line on standard input after each alert.
    pub step: bool,
    /// Waits for a line on standard input before the first.
    pub start_paused: bool,
}

/// Why a run ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// Everything was played.
    Whole,
    /// Somebody asked it to stop.
    Interrupted,
    /// A sink is gone.
    SinkLost,
}

/// Somebody who looks on. What it does changes nothing.
pub trait Onlooker {
    /// Where the run is; called now and then.
    fn progress(&self, world: &World, stopwatch: &Stopwatch);

    /// The run waits for a line on standard input.
    fn paused(&self);

    /// Something has happened, at this calendar time.
    fn happened(&self, calendar_ms: u64, occurrence: &Occurrence);
}

/// Plays one world into sinks.
pub struct Player<'s> {
    story: &'s Story,
    controls: Controls,
    sinks: &'s [Running],
    stopwatch: Stopwatch,
    /// Wall time spent waiting for a person, which no speed has to make up for.
    paused: Duration,
    input: Lines<BufReader<Stdin>>,
    input_ended: bool,
}

impl<'s> Player<'s> {
    /// A player that has not begun.
    #[must_use]
    pub fn new(story: &'s Story, controls: Controls, sinks: &'s [Running]) -> Self {
        Self {
            story,
            controls,
            sinks,
            stopwatch: Stopwatch::start(),
            paused: Duration::ZERO,
            input: BufReader::new(tokio::io::stdin()).lines(),
            input_ended: false,
        }
    }

    /// Plays until the end, an interrupt, or the loss of a sink.
    pub async fn play(mut self, world: &mut World, onlooker: &impl Onlooker) -> Ended {
        let ended = tokio::select! {
            biased;
            _ = signal::ctrl_c() => Ended::Interrupted,
            ended = self.play_on(world, onlooker) => ended,
        };
        if ended == Ended::Interrupted {
            world.break_off();
            self.controls.step = false;
            let _ = timeout(DRAIN_MAX, self.tell_all(world, onlooker)).await;
        }
        ended
    }

    async fn play_on(&mut self, world: &mut World, onlooker: &impl Onlooker) -> Ended {
        if self.controls.start_paused {
            self.wait_for_a_line(onlooker).await;
        }
        let mut steps = 0;
        while let Some(next_ms) = world.next_step_ms() {
            steps += 1;
            if !self.wait_until(next_ms).await && steps % STEPS_PER_TURN == 0 {
                onlooker.progress(world, &self.stopwatch);
                tokio::task::yield_now().await;
            }
            world.step();
            if !self.tell_all(world, onlooker).await {
                return Ended::SinkLost;
            }
        }
        Ended::Whole
    }

    /// Tells all that has happened; false where a sink is gone.
    async fn tell_all(&mut self, world: &mut World, onlooker: &impl Onlooker) -> bool {
        let mut arrived: Option<Delivery> = None;
        while let Some((calendar_ms, occurrence)) = world.poll_occurrence() {
            onlooker.happened(calendar_ms, &occurrence);
            // Where an alert goes is told right after it has arrived, and stands on its line.
            if let (Occurrence::Routed { facts, sink, .. }, Some(delivery)) = (&occurrence, &mut arrived)
                && delivery.id.as_ref().is_some_and(|id| *id == facts.id.to_string())
            {
                if self.story.has_rules() {
                    delivery.to.push(sink.to_string());
                }
                continue;
            }
            let Some(next) = self.story.delivery(&occurrence) else { continue };
            if let Some(delivery) = arrived.replace(next)
                && !self.tell(delivery, onlooker).await
            {
                return false;
            }
        }
        match arrived {
            Some(delivery) => self.tell(delivery, onlooker).await,
            None => true,
        }
    }

    /// Hands an alert to every sink; false where one is gone.
    async fn tell(&mut self, delivery: Delivery, onlooker: &impl Onlooker) -> bool {
        for sink in self.sinks {
            if !sink.send(delivery.clone()).await {
                return false;
            }
        }
        if self.controls.step {
            // The question comes after the line that it is about.
            for sink in self.sinks {
                if !sink.settle().await {
                    return false;
                }
            }
            self.wait_for_a_line(onlooker).await;
        }
        true
    }

    /// Sleeps until the wall clock has caught up with the run; true if it had to.
    async fn wait_until(&self, run_ms: u64) -> bool {
        let Some(due) = self.controls.speed.wall(run_ms) else { return false };
        let left = due.saturating_sub(self.stopwatch.elapsed().saturating_sub(self.paused));
        if left.is_zero() {
            return false;
        }
        sleep(left).await;
        true
    }

    /// The end of input goes on for ever: whoever pipes nothing in wants no pause.
    async fn wait_for_a_line(&mut self, onlooker: &impl Onlooker) {
        if self.input_ended {
            return;
        }
        onlooker.paused();
        let before = self.stopwatch.elapsed();
        self.input_ended = !matches!(self.input.next_line().await, Ok(Some(_)));
        self.paused += self.stopwatch.elapsed().saturating_sub(before);
    }
}
