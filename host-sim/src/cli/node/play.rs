//! A scenario's alerts, raised by one node as an exercise.

use alertbus::message::Phase;
use anyhow::bail;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::live::Order;
use crate::replay::{Filter, Speed, Story};
use crate::scenario::Scenario;

pub(super) struct Play {
    /// Orders with the quiet before each, in milliseconds of the scenario.
    orders: Vec<(u64, Order)>,
    speed: Speed,
}

impl Play {
    /// The alerts of a scenario under this seed.
    ///
    /// # Errors
    /// There is no such scenario, it is invalid, or it has no alert.
    pub(super) fn new(scenario: &str, seed: u64, speed: Speed) -> anyhow::Result<Self> {
        let file = Scenario::open(scenario)?;
        let story = Story::new(&file, seed, file.file().faults, &Filter::default());
        let seen = story.for_one_node(true).into_iter();
        let orders: Vec<_> =
            seen.map(|(quiet_ms, draft)| (quiet_ms, Order { phase: Phase::Onset, draft })).collect();
        if orders.is_empty() {
            bail!("the scenario `{scenario}` has no alert to play");
        }
        Ok(Self { orders, speed })
    }

    /// Gives the orders, each in its time.
    pub(super) async fn run(self, to: mpsc::Sender<Order>) {
        for (quiet_ms, order) in self.orders {
            if let Some(wait) = self.speed.wall(quiet_ms) {
                sleep(wait).await;
            }
            if to.send(order).await.is_err() {
                return;
            }
        }
    }
}
