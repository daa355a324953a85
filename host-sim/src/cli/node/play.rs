//! A scenario's alerts, raised by one node as an exercise.

use alertbus::AlertDraft;
use alertbus::time::EventTime;
use anyhow::bail;
use tokio::sync::mpsc;
use tokio::time::sleep;

use crate::live::Order;
use crate::replay::{Filter, Speed, Story};
use crate::scenario::Scenario;

/// Quiet between two alerts is cut to this, in milliseconds of the scenario.
const QUIET_MS_MAX: u64 = 600_000;

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
        let mut before_ms = None;
        let orders: Vec<_> = story
            .plan()
            .alerts
            .into_iter()
            .map(|alert| {
                let quiet_ms =
                    alert.at_ms.saturating_sub(before_ms.replace(alert.at_ms).unwrap_or(alert.at_ms));
                // Of 2020 it would be late; of now it is an exercise.
                let draft = AlertDraft { exercise: true, time: EventTime::default(), ..alert.draft };
                (quiet_ms.min(QUIET_MS_MAX), Order { phase: alert.phase, draft })
            })
            .collect();
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
