//! Seeds by the thousand: small networks that live for a day or two under faults, and must have kept every promise.
//!
//! A soak is a row of lives, as many as its node-hours take. Each is a world of its own, with a seed, a size and faults
//! of its own; first come the faults, then a time without, after which nothing may be open. Lives are played on several
//! threads; which thread plays which changes nothing, because their results are folded in their order.

mod life;
mod tally;

use crate::workers;
use crate::world::World;

pub use life::{LIVENESS_MS, Life};
pub use tally::{FaultTally, Tally};

/// A life that has been played.
#[derive(Clone, Debug)]
pub struct Lived {
    /// Which.
    pub number: u64,
    /// What it adds up to.
    pub tally: Tally,
    /// The hash of its run.
    pub run_hash: String,
}

/// How many lives reach so many node-hours.
#[must_use]
pub fn lives_for(seed: u64, node_hours: u64) -> u64 {
    let mut left = node_hours.saturating_mul(1_000);
    let mut lives = 0;
    while left > 0 {
        left = left.saturating_sub(Life::new(seed, lives).node_hours_thousandths());
        lives += 1;
    }
    lives
}

/// Plays one life to its end.
#[must_use]
pub fn live(life: &Life) -> Lived {
    let mut world = world(life);
    while world.step() {
        while world.poll_occurrence().is_some() {}
    }
    let tally = Tally::of(&world, life.node_hours_thousandths());
    Lived { number: life.number, tally, run_hash: world.run_hash() }
}

/// The world of a life, not yet played.
#[must_use]
pub fn world(life: &Life) -> World {
    match World::new(life.plan()) {
        Ok(world) => world,
        Err(error) => unreachable!("lives are small: {error}"),
    }
}

/// Plays `lives` lives on `threads` threads. Each that has been played is handed to `told`, in the order of their
/// numbers; false from there ends the soak.
pub fn run(seed: u64, lives: u64, threads: usize, mut told: impl FnMut(&Lived) -> bool) {
    workers::in_order(lives, threads, |number| live(&Life::new(seed, number)), |lived| told(&lived));
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::workers::Fold;

    #[test]
    fn the_same_seed_lives_the_same_lives_on_any_number_of_threads() {
        let fold = |threads| {
            let (mut tally, mut fold) = (Tally::default(), Fold::default());
            run(7, 6, threads, |lived| {
                tally.add(&lived.tally);
                fold.add(&lived.run_hash);
                true
            });
            (tally, fold.digest())
        };
        let (tally, hash) = fold(1);
        assert_eq!((tally.clone(), hash), fold(3));
        assert!(tally.is_clean(), "{tally:#?}");
        assert_eq!(tally.lives, 6);
    }

    #[test]
    fn lives_reach_the_node_hours_and_raise_enough_alerts() {
        let lives = lives_for(1, 5_000);
        let hours =
            |lives| (0..lives).map(|number| Life::new(1, number).node_hours_thousandths()).sum::<u64>();
        assert!(hours(lives) >= 5_000_000 && hours(lives - 1) < 5_000_000);
        for number in 0..lives {
            let life = Life::new(1, number);
            assert!(life.plan().alerts.len() as u64 * 1_000 >= life.node_hours_thousandths());
        }
    }
}
