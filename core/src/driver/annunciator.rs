//! Sirens, beacons and lamps: a pattern of levels on an output pin or a PWM channel.
//!
//! Each pattern can be told from every other on a plain pin too, which knows on and off only; the warning from the
//! all-clear within its first second, because who hears it has no more. Places have signals of their own: a
//! [`Pattern`] can be made of any table, and motor sirens, which take seconds to run up, need one.
//!
//! | pattern | on, off | why so |
//! | --- | --- | --- |
//! | [`WARNING`](Pattern::WARNING) | 0.8 s, 0.2 s | short blasts: what horns sound for an attack warning in the National Warning System (FEMA, Operations Manual, 2001), beside the wavering tone of sirens |
//! | [`ALL_CLEAR`](Pattern::ALL_CLEAR) | steady | the all-clear of Germany (interior ministers' conference, 2019) and Austria (one minute steady). In the United States it means attention: choose another there |
//! | [`TEST`](Pattern::TEST) | 0.2 s, 4.8 s | neither of them. The customary steady tone of 12 s or 15 s would be heard as an all-clear |
//! | [`BEACON`](Pattern::BEACON) | 0.2 s, 0.8 s | one to two flashes a second, as NFPA 72 asks of warning lights |
//! | [`LOCATE`](Pattern::LOCATE) | 0.1 s, 0.1 s, 0.1 s, 1.2 s | a lamp that blinks twice |
//! | [`FAULT`](Pattern::FAULT) | 0.1 s, 2.9 s | a lamp that blinks seldom |
//!
//! None is the temporal pattern of ISO 8201, three pulses of 0.5 s: that one says *leave the building*, which is the
//! wrong thing to do under fire.

use core::fmt;

use embedded_hal::digital::OutputPin;
use embedded_hal::pwm::SetDutyCycle;

use crate::limits::DRIVER_RETRY_MS;
use crate::role::siren::Sound;
use crate::time::{Duration, Instant};

/// What a pattern does for a while.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Step {
    /// How strongly, 0 … 100. A plain pin is on at anything but 0.
    pub percent: u8,
    /// How long.
    pub lasts: Duration,
}

impl Step {
    const fn new(percent: u8, millis: u32) -> Self {
        Self { percent, lasts: Duration::from_millis(millis) }
    }
}

/// Steps that repeat until something else is played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Pattern {
    steps: &'static [Step],
}

impl Pattern {
    /// Nothing.
    pub const QUIET: Self = Self { steps: &[Step::new(0, 0)] };
    /// Take cover.
    pub const WARNING: Self = Self { steps: &[Step::new(100, 800), Step::new(0, 200)] };
    /// The danger is over.
    pub const ALL_CLEAR: Self = Self { steps: &[Step::new(100, 0)] };
    /// This siren works; nothing has happened.
    pub const TEST: Self = Self { steps: &[Step::new(100, 200), Step::new(0, 4_800)] };
    /// A warning, for a light.
    pub const BEACON: Self = Self { steps: &[Step::new(100, 200), Step::new(0, 800)] };
    /// Here is what you look for, for a lamp.
    pub const LOCATE: Self =
        Self { steps: &[Step::new(100, 100), Step::new(0, 100), Step::new(100, 100), Step::new(0, 1_200)] };
    /// Something is wrong here, for a lamp.
    pub const FAULT: Self = Self { steps: &[Step::new(100, 100), Step::new(0, 2_900)] };

    /// A pattern of these steps. None where there is no step, one is stronger than 100, or one of several takes no
    /// time; a step that is alone stays for ever.
    ///
    /// ```
    /// use alertbus::driver::annunciator::{Pattern, Step};
    /// use alertbus::time::Duration;
    ///
    /// // A motor siren: run up for five seconds, run down for five.
    /// const WAIL: Pattern = Pattern::new(&[
    ///     Step { percent: 100, lasts: Duration::from_secs(5) },
    ///     Step { percent: 0, lasts: Duration::from_secs(5) },
    /// ])
    /// .unwrap();
    /// assert_eq!(WAIL.steps().len(), 2);
    /// ```
    #[must_use]
    pub const fn new(steps: &'static [Step]) -> Option<Self> {
        let mut rest = steps;
        while let [step, behind @ ..] = rest {
            if step.percent > 100 || (steps.len() > 1 && step.lasts.as_millis() == 0) {
                return None;
            }
            rest = behind;
        }
        if steps.is_empty() { None } else { Some(Self { steps }) }
    }

    /// Its steps, at least one.
    #[must_use]
    pub const fn steps(&self) -> &'static [Step] {
        self.steps
    }
}

/// What a siren's horn plays for what its role says.
impl From<Sound> for Pattern {
    fn from(sound: Sound) -> Self {
        match sound {
            Sound::Quiet => Self::QUIET,
            Sound::Test => Self::TEST,
            Sound::AllClear => Self::ALL_CLEAR,
            Sound::Warning { .. } => Self::WARNING,
        }
    }
}

/// What makes a noise or a light.
pub trait Output {
    /// What goes wrong with it.
    type Error;

    /// Makes it so strong, 0 … 100; 0 is off.
    ///
    /// # Errors
    /// The pin or channel failed. How strong it is now nobody knows.
    fn set(&mut self, percent: u8) -> Result<(), Self::Error>;
}

/// A horn or lamp that a pin switches on and off.
#[derive(Clone, Copy, Debug)]
pub struct Switch<P> {
    /// The pin.
    pub pin: P,
    /// Whether a high level switches it on.
    pub active_high: bool,
}

impl<P: OutputPin> Output for Switch<P> {
    type Error = P::Error;

    fn set(&mut self, percent: u8) -> Result<(), P::Error> {
        if (percent > 0) == self.active_high { self.pin.set_high() } else { self.pin.set_low() }
    }
}

/// A horn or lamp whose strength is the duty cycle of a PWM channel.
#[derive(Clone, Copy, Debug)]
pub struct Pwm<P> {
    /// The channel.
    pub channel: P,
}

impl<P: SetDutyCycle> Output for Pwm<P> {
    type Error = P::Error;

    fn set(&mut self, percent: u8) -> Result<(), P::Error> {
        self.channel.set_duty_cycle_percent(percent.min(100))
    }
}

/// Plays patterns on an output.
///
/// A step that comes late is not skipped: the pattern stretches, and never falls silent because its node was busy.
/// After an error the output is set again each [`DRIVER_RETRY_MS`] until that succeeds.
///
/// ```
/// # struct Horn;
/// # impl Output for Horn {
/// #     type Error = core::convert::Infallible;
/// #     fn set(&mut self, _: u8) -> Result<(), Self::Error> { Ok(()) }
/// # }
/// use alertbus::driver::annunciator::{Annunciator, Output, Pattern};
/// use alertbus::time::Instant;
///
/// let mut horn = Annunciator::new(Horn);
/// // Each time round the main loop, with `siren.sound().into()`; what plays already goes on.
/// horn.play(Instant::START, Pattern::WARNING)?;
/// assert_eq!(horn.poll_timeout(), Some(Instant::from_millis(800)));
/// horn.poll(Instant::from_millis(800))?;
/// assert_eq!(horn.poll_timeout(), Some(Instant::from_millis(1_000)));
/// # Ok::<(), core::convert::Infallible>(())
/// ```
pub struct Annunciator<O> {
    output: O,
    pattern: Pattern,
    /// Which step it is.
    at: usize,
    /// When that step began.
    since: Instant,
    /// What the output was set to; none where nobody knows.
    shown: Option<u8>,
    /// When to try again.
    retry: Instant,
}

impl<O> Annunciator<O> {
    /// Takes the output, and does not touch it yet: the first [`Annunciator::play`] or [`Annunciator::poll`] does.
    #[must_use]
    pub const fn new(output: O) -> Self {
        let (pattern, since) = (Pattern::QUIET, Instant::START);
        Self { output, pattern, at: 0, since, shown: None, retry: Instant::START }
    }

    /// What it plays.
    #[must_use]
    pub const fn pattern(&self) -> Pattern {
        self.pattern
    }

    /// When [`Annunciator::poll`] has something to do; none while the output stays as it is.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let retry = self.shown.is_none().then_some(self.retry);
        retry.into_iter().chain(self.step_ends()).min()
    }

    /// Gives the output back, as it is.
    pub fn release(self) -> O {
        self.output
    }

    fn step(&self) -> Step {
        self.pattern.steps.get(self.at).copied().unwrap_or(Step::new(0, 0))
    }

    fn step_ends(&self) -> Option<Instant> {
        (self.pattern.steps.len() > 1).then(|| self.since.after(self.step().lasts))
    }
}

impl<O: Output> Annunciator<O> {
    /// Plays this from now on, from its first step; what plays already goes on.
    ///
    /// # Errors
    /// The output failed. It is tried again at [`Annunciator::poll_timeout`].
    pub fn play(&mut self, now: Instant, pattern: Pattern) -> Result<(), O::Error> {
        if pattern != self.pattern {
            (self.pattern, self.at, self.since) = (pattern, 0, now);
            // A new sound does not wait for the retry of an old one.
            self.retry = now;
        }
        self.poll(now)
    }

    /// Goes on with the pattern.
    ///
    /// # Errors
    /// The output failed. It is tried again at [`Annunciator::poll_timeout`].
    pub fn poll(&mut self, now: Instant) -> Result<(), O::Error> {
        if let Some(end) = self.step_ends().filter(|&end| end <= now) {
            self.at = self.at.saturating_add(1);
            if self.at >= self.pattern.steps.len() {
                self.at = 0;
            }
            self.since = end;
            if self.step_ends().is_some_and(|end| end <= now) {
                self.since = now;
            }
        }
        let percent = self.step().percent;
        if self.shown == Some(percent) || (self.shown.is_none() && now < self.retry) {
            return Ok(());
        }
        self.shown = None;
        self.retry = now.after(Duration::from_millis(DRIVER_RETRY_MS));
        self.output.set(percent)?;
        self.shown = Some(percent);
        Ok(())
    }
}

impl<O> fmt::Debug for Annunciator<O> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Annunciator(step {} of {})", self.at, self.pattern.steps.len())
    }
}

#[cfg(feature = "defmt")]
impl<O> defmt::Format for Annunciator<O> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "annunciator, step {=usize} of {=usize}", self.at, self.pattern.steps.len());
    }
}

#[cfg(feature = "defmt")]
impl<P> defmt::Format for Switch<P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "switch, active high: {=bool}", self.active_high);
    }
}

#[cfg(feature = "defmt")]
impl<P> defmt::Format for Pwm<P> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "PWM");
    }
}
