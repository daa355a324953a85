//! What a node sees with, for an asynchronous main loop: something to wait for, and then to look at.

use core::convert::Infallible;

use alertbus::driver::Detector;
use alertbus::driver::annunciator::Output;
use alertbus::driver::contact::Contact;
use alertbus::time::Instant;
use embedded_hal::digital::InputPin;
use embedded_hal_async::digital::Wait;
use embedded_storage::nor_flash::NorFlash;

use crate::node::SensorNode;

/// One detector, or several, of a board.
pub trait Senses {
    /// Waits until there is something to look at; it may be dropped at any time.
    fn changed(&mut self) -> impl Future<Output = ()>;

    /// Looks, and hands the node what is seen.
    fn look<F: NorFlash>(&mut self, now: Instant, node: &mut SensorNode<F>);

    /// When to look again, though nothing has changed.
    fn due(&self) -> Option<Instant>;
}

/// A contact on an input pin.
impl<P: InputPin + Wait> Senses for Contact<P> {
    async fn changed(&mut self) {
        // A failure is told by the look that follows, or by the one after the retry time.
        let _ = self.wait_for_change().await;
    }

    fn look<F: NorFlash>(&mut self, now: Instant, node: &mut SensorNode<F>) {
        match self.poll(now) {
            Ok(Some(detection)) => node.handle_detection(now, detection),
            Ok(None) => {}
            Err(_) => node.note_driver_error(),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.poll_timeout()
    }
}

/// The lamp of a board that has none.
#[derive(Clone, Copy, Debug)]
pub struct Unlit;

impl Output for Unlit {
    type Error = Infallible;

    fn set(&mut self, _percent: u8) -> Result<(), Infallible> {
        Ok(())
    }
}
