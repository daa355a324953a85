//! What a node sees with, for an asynchronous main loop: something to wait for, and then to look at.
//!
//! While a page of the flash is erased the loop is away, and no turn of it looks. So something else of the board does
//! meanwhile, and the contact takes its looks for its own: the rule is one, whoever looks. That a chip has latched an edge
//! would not do: a spike on the wire has an edge, too.

use core::cell::RefCell;
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
use heapless::Vec;

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

/// A contact on an input pin, and who looks at it while the loop is away.
#[derive(Debug)]
pub struct Watched<P, L> {
    /// The contact.
    pub contact: Contact<P>,
    /// Who looks.
    pub lookout: L,
}

/// Somebody who looks at a contact while the loop is away.
pub trait Lookout {
    /// Hands over what it has seen since this was asked last, as [`Contact::note_level`] wants it: when, and whether the
    /// contact was active then. Now it is `now`.
    fn report(&mut self, now: Instant, tell: impl FnMut(Instant, bool));
}

impl<P: InputPin + Wait, L: Lookout> Senses for Watched<P, L> {
    async fn changed(&mut self) {
        // A failure is told by the look that follows, or by the one after the retry time.
        let _ = self.contact.wait_for_change().await;
    }

    fn look<F: NorFlash>(&mut self, now: Instant, node: &mut SensorNode<F>) {
        let Self { contact, lookout } = self;
        lookout.report(now, |at, is_active| {
            if let Some(detection) = contact.note_level(at, is_active) {
                node.handle_detection(now, detection);
            }
        });
        match contact.poll(now) {
            Ok(Some(detection)) => node.handle_detection(now, detection),
            Ok(None) => {}
            Err(_) => node.note_driver_error(),
        }
    }

    fn due(&self) -> Option<Instant> {
        self.contact.poll_timeout()
    }
}

/// What an interrupt, or the erase itself, has seen of a contact, where it looks often.
pub struct Looks {
    debounce: Duration,
    runs: Mutex<RefCell<Vec<Run, RUNS_MAX>>>,
}

/// Runs that are kept of one absence: how it began and how it ended, and two that held between.
const RUNS_MAX: usize = 4;

/// Looks that found the same.
#[derive(Clone, Copy, Debug)]
struct Run {
    is_active: bool,
    first: Instant,
    last: Instant,
}

impl Looks {
    /// At a contact with this debounce time.
    #[must_use]
    pub const fn new(debounce: Duration) -> Self {
        Self { debounce, runs: Mutex::new(RefCell::new(Vec::new())) }
    }

    /// The contact is like that now. It is to be looked at several times within the debounce time.
    pub fn look(&self, now: Instant, is_active: bool) {
        critical_section::with(|masked| {
            let mut runs = self.runs.borrow_ref_mut(masked);
            let is_first = runs.len() < 2;
            match runs.last_mut() {
                Some(run) if run.is_active == is_active => run.last = now,
                last => {
                    // The first may have begun before; of the others one that did not hold has broken off what was
                    // before it, and no more. Where there is no room, more has held than one event is made of.
                    if last.is_some_and(|run| !is_first && run.last.since(run.first) < self.debounce) {
                        runs.pop();
                    }
                    let _ = runs.push(Run { is_active, first: now, last: now });
                }
            }
        });
    }
}

impl Lookout for &Looks {
    fn report(&mut self, _now: Instant, mut tell: impl FnMut(Instant, bool)) {
        let runs = critical_section::with(|masked| core::mem::take(&mut *self.runs.borrow_ref_mut(masked)));
        let mut before = None;
        for Run { is_active, first, last } in runs {
            if before == Some(is_active) {
                // What was between the two is not kept.
                tell(first, !is_active);
            }
            tell(first, is_active);
            tell(last, is_active);
            before = Some(is_active);
        }
    }
}

impl fmt::Debug for Looks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let runs = critical_section::with(|masked| self.runs.borrow_ref(masked).clone());
        f.debug_struct("Looks").field("runs", &runs).finish_non_exhaustive()
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
