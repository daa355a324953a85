//! What a node sees with, for an asynchronous main loop: something to wait for, and then to look at.
//!
//! While a page of the flash is erased the loop is away, and no turn of it looks. So something else of the board does
//! meanwhile, and by the same rule: a level counts when it has held for the debounce time. That a chip has latched an
//! edge would not do: a spike on the wire has an edge, too.

use core::cell::Cell;
use core::convert::Infallible;
use core::fmt;

use alertbus::driver::Detector;
use alertbus::driver::annunciator::Output;
use alertbus::driver::contact::Contact;
use alertbus::time::{Duration, Instant};
use critical_section::Mutex;
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

/// A contact on an input pin, and what looks at it while the loop is away.
#[derive(Debug)]
pub struct Watched<P> {
    /// The contact.
    pub contact: Contact<P>,
    /// Whether the contact was active for its debounce time, at a stretch, since this was asked last.
    pub take_held: fn() -> bool,
}

impl<P: InputPin + Wait> Senses for Watched<P> {
    async fn changed(&mut self) {
        // A failure is told by the look that follows, or by the one after the retry time.
        let _ = self.contact.wait_for_change().await;
    }

    fn look<F: NorFlash>(&mut self, now: Instant, node: &mut SensorNode<F>) {
        let held = if (self.take_held)() { self.contact.note_held(now) } else { None };
        let seen = self.contact.poll(now).unwrap_or_else(|_| {
            node.note_driver_error();
            None
        });
        for detection in held.into_iter().chain(seen) {
            node.handle_detection(now, detection);
        }
    }

    fn due(&self) -> Option<Instant> {
        self.contact.poll_timeout()
    }
}

/// What was seen of a contact while the loop was away.
pub struct Holding {
    debounce: Duration,
    state: Mutex<Cell<State>>,
}

#[derive(Clone, Copy, Debug)]
enum State {
    Inactive,
    /// Since then, as far as anybody has seen.
    Active(Instant),
    /// It was active for long enough, whatever it is now.
    Held,
}

impl Holding {
    /// For a contact with this debounce time.
    #[must_use]
    pub const fn new(debounce: Duration) -> Self {
        Self { debounce, state: Mutex::new(Cell::new(State::Inactive)) }
    }

    /// The contact is like that now. It is to be looked at several times within the debounce time.
    pub fn look(&self, now: Instant, is_active: bool) {
        critical_section::with(|masked| {
            let state = self.state.borrow(masked);
            state.set(match state.get() {
                State::Held => State::Held,
                _ if !is_active => State::Inactive,
                State::Inactive => State::Active(now),
                State::Active(since) if now.since(since) >= self.debounce => State::Held,
                State::Active(since) => State::Active(since),
            });
        });
    }

    /// Whether it was active for long enough since this was asked last. What goes on is the loop's to see.
    pub fn take(&self) -> bool {
        critical_section::with(|masked| {
            matches!(self.state.borrow(masked).replace(State::Inactive), State::Held)
        })
    }
}

impl fmt::Debug for Holding {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = critical_section::with(|masked| self.state.borrow(masked).get());
        f.debug_struct("Holding").field("state", &state).finish_non_exhaustive()
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
