//! A contact on an input pin: a launch detector's relay, a trip wire, the switch under a lid.
//!
//! Contacts bounce and wires chatter. A level counts once it was seen to hold for `debounce`; an event, once raised,
//! stays open until the contact was inactive for `hold`, and closures meanwhile raise nothing, keep it open, and are
//! counted. A contact that is active when the power comes on is an onset: a wire cut overnight must show.

use core::fmt;
use core::future;

use embedded_hal::digital::InputPin;
use embedded_hal_async::digital::Wait;

use super::{Detection, Detector, Misconfigured};
use crate::limits::DRIVER_RETRY_MS;
use crate::message::AlertDraft;
use crate::time::{Duration, Instant};

/// What a contact means.
///
/// The three constructors suit common contacts; every field may be changed. Most switches come to rest within some
/// milliseconds, bad ones after more than a hundred (Ganssle, "A Guide to Debouncing", eighteen of them measured);
/// wires that people and wind move take longer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ContactConfig {
    /// Whether a high level is the active one.
    pub active_high: bool,
    /// How long a level must be seen to hold before it counts.
    pub debounce: Duration,
    /// How long the contact must be inactive before the event is over and another can begin.
    pub hold: Duration,
    /// Whether the end is told too. Then the draft needs a key: without one, it would end all others of its kind.
    pub clears: bool,
    /// What is said of the event.
    pub draft: AlertDraft,
}

impl ContactConfig {
    /// A launch detector whose relay pulls the pin low for as long as it sees something: 20 ms, and ten seconds of
    /// hold, so that a salvo is one event. That it sees nothing any more is no all-clear.
    #[must_use]
    pub const fn launch_detector(draft: AlertDraft) -> Self {
        Self {
            active_high: false,
            debounce: Duration::from_millis(20),
            hold: Duration::from_secs(10),
            clears: false,
            draft,
        }
    }

    /// A wire that holds the pin low until it is broken: 50 ms, and a minute of hold against a wire that swings. It
    /// does not mend, so nothing clears it.
    #[must_use]
    pub const fn trip_wire(draft: AlertDraft) -> Self {
        Self {
            active_high: true,
            debounce: Duration::from_millis(50),
            hold: Duration::from_secs(60),
            clears: false,
            draft,
        }
    }

    /// A switch that a closed lid holds low: 50 ms, and a minute of hold. A closed lid clears it; give the draft a key.
    #[must_use]
    pub const fn tamper_switch(draft: AlertDraft) -> Self {
        Self {
            active_high: true,
            debounce: Duration::from_millis(50),
            hold: Duration::from_secs(60),
            clears: true,
            draft,
        }
    }
}

/// A detector on an input pin, for an interrupt-driven loop, an asynchronous task, or one that looks now and then.
///
/// Between two looks the level is taken to have stayed. So look at every edge, or several times within `debounce`.
/// After an error the pin is left alone for [`DRIVER_RETRY_MS`], and what was seen before counts no more.
///
/// ```
/// # use core::convert::Infallible;
/// # use embedded_hal::digital::{ErrorType, InputPin};
/// # struct Lid { open: bool }
/// # impl ErrorType for Lid { type Error = Infallible; }
/// # impl InputPin for Lid {
/// #     fn is_high(&mut self) -> Result<bool, Infallible> { Ok(self.open) }
/// #     fn is_low(&mut self) -> Result<bool, Infallible> { Ok(!self.open) }
/// # }
/// # let pin = Lid { open: true };
/// use alertbus::AlertDraft;
/// use alertbus::driver::contact::{Contact, ContactConfig};
/// use alertbus::driver::{Detection, Detector};
/// use alertbus::message::EventKey;
/// use alertbus::message::kind::{Tamper, Tampering};
/// use alertbus::time::Instant;
///
/// let lid = Tamper { what: Tampering::Enclosure };
/// let draft = AlertDraft { key: Some(EventKey(1)), ..AlertDraft::new(lid) };
/// let mut lid = Contact::new(pin, ContactConfig::tamper_switch(draft))?;
/// assert_eq!(lid.poll(Instant::from_millis(1_000)), Ok(None));
/// // It is open, and has been for 50 ms.
/// assert_eq!(lid.poll_timeout(), Some(Instant::from_millis(1_050)));
/// assert_eq!(lid.poll(Instant::from_millis(1_050)), Ok(Some(Detection::Onset(draft))));
/// # Ok::<(), alertbus::driver::Misconfigured>(())
/// ```
pub struct Contact<P> {
    pin: P,
    config: ContactConfig,
    level: Level,
    event: Event,
    closures: u32,
}

/// What is known of the pin.
#[derive(Clone, Copy)]
enum Level {
    /// Nothing, so it is to be looked at.
    Unseen,
    /// Waiting for it failed. When that was, nobody has said yet.
    WaitFailed,
    /// It failed: not before then.
    NotBefore(Instant),
    /// It is so, since then, as far as anybody has seen.
    Seen { active: bool, since: Instant },
}

/// What was concluded from levels that have held.
#[derive(Clone, Copy)]
enum Event {
    /// There is none.
    Idle,
    /// It goes on.
    Active,
    /// It goes on until the contact has been inactive for long enough, since then.
    Quiet(Instant),
}

impl<P> Contact<P> {
    /// Takes the pin, and does not touch it yet.
    ///
    /// # Errors
    /// It clears, and its draft has no key.
    pub fn new(pin: P, config: ContactConfig) -> Result<Self, Misconfigured> {
        if config.clears && config.draft.key.is_none() {
            return Err(Misconfigured::ClearsWithoutKey);
        }
        Ok(Self { pin, config, level: Level::Unseen, event: Event::Idle, closures: 0 })
    }

    /// Closures since the start that raised nothing because their event was still open.
    #[must_use]
    pub const fn closures_held(&self) -> u32 {
        self.closures
    }

    /// Whether an event is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        !matches!(self.event, Event::Idle)
    }

    /// Takes what somebody else has seen of the pin while nobody called [`Detector::poll`], as an interrupt does in the
    /// erase of a page of flash: what it was at a moment. In the order of time, each change and the last look before it;
    /// then call that. What is alike in two looks is taken to have held between them.
    ///
    /// ```
    /// # use alertbus::AlertDraft;
    /// # use alertbus::driver::contact::{Contact, ContactConfig};
    /// # use alertbus::driver::Detection;
    /// # use alertbus::message::kind::RocketLaunch;
    /// # use alertbus::time::Instant;
    /// let draft = AlertDraft::new(RocketLaunch::default());
    /// let mut contact = Contact::new((), ContactConfig::launch_detector(draft))?;
    /// assert_eq!(contact.note_level(Instant::from_millis(1_000), true), None);
    /// assert_eq!(contact.note_level(Instant::from_millis(1_030), true), Some(Detection::Onset(draft)));
    /// # Ok::<(), alertbus::driver::Misconfigured>(())
    /// ```
    pub fn note_level(&mut self, at: Instant, active: bool) -> Option<Detection> {
        let since = match self.level {
            Level::Seen { active: before, since } if before == active => since,
            _ => at,
        };
        self.level = Level::Seen { active, since };
        if at.since(since) < self.config.debounce { None } else { self.settle(at, active, since) }
    }

    /// Gives the pin back.
    pub fn release(self) -> P {
        self.pin
    }

    /// Forgets what still had to be borne out: a level that did not hold yet, and how long it has been quiet.
    fn forget(&mut self, level: Level) {
        self.level = level;
        if let Event::Quiet(_) = self.event {
            self.event = Event::Active;
        }
    }

    const fn begin(&mut self) -> Option<Detection> {
        self.event = Event::Active;
        Some(Detection::Onset(self.config.draft))
    }

    /// A level has held since then.
    fn settle(&mut self, now: Instant, active: bool, since: Instant) -> Option<Detection> {
        match (self.event, active) {
            (Event::Idle, true) => return self.begin(),
            // Nobody looked when the hold was over. What clears was seen to end by nobody, and goes on; else this is another.
            (Event::Quiet(quiet), true) if !self.config.clears && since.since(quiet) >= self.config.hold => {
                return self.begin();
            }
            (Event::Quiet(_), true) => {
                self.event = Event::Active;
                self.closures = self.closures.saturating_add(1);
            }
            (Event::Active, false) => self.event = Event::Quiet(since),
            (Event::Idle, false) | (Event::Active, true) | (Event::Quiet(_), false) => {}
        }
        match self.event {
            Event::Quiet(since) if now.since(since) >= self.config.hold => {
                self.event = Event::Idle;
                self.config.clears.then_some(Detection::Over(self.config.draft))
            }
            _ => None,
        }
    }
}

impl<P: InputPin> Detector for Contact<P> {
    type Error = P::Error;

    fn poll(&mut self, now: Instant) -> Result<Option<Detection>, P::Error> {
        let retry = Level::NotBefore(now.after(Duration::from_millis(DRIVER_RETRY_MS)));
        match self.level {
            Level::NotBefore(at) if now < at => return Ok(None),
            Level::WaitFailed => {
                self.level = retry;
                return Ok(None);
            }
            _ => {}
        }
        let high = self.pin.is_high().inspect_err(|_| self.forget(retry))?;
        let active = high == self.config.active_high;
        Ok(self.note_level(now, active))
    }

    fn poll_timeout(&self) -> Option<Instant> {
        let (active, since) = match self.level {
            Level::Unseen | Level::WaitFailed => return Some(Instant::START),
            Level::NotBefore(at) => return Some(at),
            Level::Seen { active, since } => (active, since),
        };
        let settles = since.after(self.config.debounce);
        match (self.event, active) {
            (Event::Idle, false) | (Event::Active, true) => None,
            (Event::Idle | Event::Quiet(_), true) | (Event::Active, false) => Some(settles),
            (Event::Quiet(since), false) => Some(settles.max(since.after(self.config.hold))),
        }
    }
}

impl<P: InputPin + Wait> Contact<P> {
    /// Waits for the level opposite to the one seen last, so that no edge between two waits is lost; then call
    /// [`Detector::poll`]. After an error of the pin it waits for ever: have a timer at
    /// [`Detector::poll_timeout`] beside it. It may be dropped at any time.
    ///
    /// # Errors
    /// The pin failed. [`Detector::poll`] will not touch it for [`DRIVER_RETRY_MS`], so that a broken pin costs its
    /// task no more than that.
    ///
    /// ```
    /// use embedded_hal::digital::InputPin;
    /// use embedded_hal_async::digital::Wait;
    ///
    /// use alertbus::driver::Detector;
    /// use alertbus::driver::contact::Contact;
    /// use alertbus::role::node::Node;
    /// use alertbus::store::Store;
    /// use alertbus::time::Instant;
    ///
    /// /// One turn of a detector's task.
    /// async fn turn<P: InputPin + Wait, S: Store>(
    ///     lid: &mut Contact<P>,
    ///     node: &mut Node<S, 8>,
    ///     clock: impl Fn() -> Instant,
    /// ) {
    ///     // Beside a timer; with embassy: select(lid.wait_for_change(), Timer::at(…)).await
    ///     if lid.wait_for_change().await.is_err() {
    ///         node.note_driver_error();
    ///     }
    ///     match lid.poll(clock()) {
    ///         Ok(Some(detection)) => {
    ///             let _submission = detection.submit(clock(), node);
    ///         }
    ///         Ok(None) => {}
    ///         Err(_) => node.note_driver_error(),
    ///     }
    /// }
    /// ```
    pub async fn wait_for_change(&mut self) -> Result<(), P::Error> {
        let wait_for_high = match self.level {
            Level::Unseen | Level::WaitFailed => return Ok(()),
            Level::NotBefore(_) => return future::pending().await,
            Level::Seen { active, .. } => active != self.config.active_high,
        };
        let waited =
            if wait_for_high { self.pin.wait_for_high().await } else { self.pin.wait_for_low().await };
        match waited {
            // It may be back already: then it has bounced, and holds since the next look.
            Ok(()) => self.level = Level::Unseen,
            Err(_) => self.forget(Level::WaitFailed),
        }
        waited
    }
}

impl<P> fmt::Debug for Contact<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_open() { "open" } else { "idle" };
        write!(f, "Contact({}, {state})", self.config.draft.body.name())
    }
}

#[cfg(feature = "defmt")]
impl<P> defmt::Format for Contact<P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let state = if self.is_open() { "open" } else { "idle" };
        defmt::write!(f, "contact for {}, {=str}", self.config.draft.body, state);
    }
}
