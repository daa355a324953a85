//! What ARM's MPS2 has for an asynchronous main loop, beside what it has for a plain one.

use alertbus::driver::annunciator::Annunciator;
use alertbus::time::Instant;
use embedded_storage::nor_flash::NorFlash;

use super::{Parts, Uart, cut_power_after, feed, flash, start};
use crate::node::{Asked, SensorNode};
use crate::senses;

/// The line from the gateway.
pub type Receiver = &'static Uart;
/// The line to the gateway.
pub type Sender = &'static Uart;
/// What the node sees with: a bench tells it.
pub type Senses = Bench;
/// There is no lamp.
pub type Light = senses::Unlit;

/// The line to a test rig.
pub struct Bench(&'static Uart);

/// The board's watchdog, which runs.
pub struct Watchdog(());

/// Turns the board on. None a second time.
#[must_use]
pub fn parts() -> Option<Parts> {
    let board = start()?;
    Some(Parts {
        flash: flash(),
        receiver: board.uplink,
        sender: board.uplink,
        senses: Bench(board.bench),
        lamp: Annunciator::new(senses::Unlit),
        watchdog: Watchdog(()),
        reset_cause: board.reset_cause,
    })
}

impl Watchdog {
    /// The loop turns.
    pub fn feed(&mut self) {
        feed();
    }
}

impl senses::Senses for Bench {
    async fn changed(&mut self) {
        self.0.readable().await;
    }

    fn look<F: NorFlash>(&mut self, now: Instant, node: &mut SensorNode<F>) {
        for byte in self.0.received() {
            match node.handle_bench(now, byte) {
                Some(Asked::PowerCut { after_operations }) => cut_power_after(after_operations),
                // No interrupt looks at the pins here.
                Some(Asked::Pin { pin, .. }) => node.note_no_pin(pin, 0),
                None => {}
            }
        }
    }

    fn due(&self) -> Option<Instant> {
        None
    }
}
