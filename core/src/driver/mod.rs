//! Where the bus meets the board: detectors that read a pin or a bus, annunciators that drive one.
//!
//! A driver owns its pin or bus and nothing else: no clock, no node, no interrupt. Time is an argument, as in
//! [`role`](crate::role), and never runs backwards.
//!
//! | driver | meets | for |
//! | --- | --- | --- |
//! | [`contact`] | an input pin | launch detectors, trip wires, tamper switches |
//! | [`threshold`] | I2C or SPI | sensors that measure: an onset at a high value, the end at a lower one |
//! | [`annunciator`] | an output pin or PWM | sirens, beacons and lamps, each with its pattern |
//! | [`mod@bench`] | a byte stream | what a test rig tells a node that has no sensors |
//!
//! # Errors
//!
//! Pins and buses fail. A driver hands the error back and forgets what it was about to conclude: a debounce or a row
//! of samples begins anew, because nobody knows what the sensor showed meanwhile. So an error never raises an alert,
//! and never ends one. The caller counts it with
//! [`Node::note_driver_error`](crate::role::node::Node::note_driver_error); the count goes home in every report, where
//! somebody can see that this node is going blind.

pub mod annunciator;
pub mod bench;
pub mod contact;
pub mod threshold;

use core::fmt;

use crate::message::AlertDraft;
use crate::role::node::{Node, Submission};
use crate::store::Store;
use crate::time::Instant;

/// Something that watches, asked now and then whether it has seen anything.
///
/// What it concludes it says once. A node that is starting, or busy reserving numbers, does not take it at once, and a
/// contact that is active when the power comes on meets just such a node: submit it again then.
///
/// ```
/// use alertbus::driver::{Detection, Detector};
/// use alertbus::role::node::{Node, Refusal, Submission};
/// use alertbus::store::Store;
/// use alertbus::time::Instant;
///
/// /// What a main loop does with each of its detectors. True where it is to come back at the node's next step.
/// fn watch<S: Store>(
///     now: Instant,
///     detector: &mut impl Detector,
///     untold: &mut Option<Detection>,
///     node: &mut Node<S, 8>,
/// ) -> bool {
///     if untold.is_none() {
///         match detector.poll(now) {
///             Ok(concluded) => *untold = concluded,
///             Err(_) => node.note_driver_error(),
///         }
///     }
///     let Some(detection) = untold.take() else { return false };
///     match detection.submit(now, node) {
///         Submission::Refused { why: Refusal::Starting | Refusal::StoreBusy, .. } => *untold = Some(detection),
///         Submission::Refused { .. } => { /* Light the fault lamp: this node cannot warn. */ }
///         _ => {}
///     }
///     untold.is_some()
/// }
/// ```
pub trait Detector {
    /// What goes wrong with the pin or the bus.
    type Error;

    /// Looks, and tells what was concluded from all that was seen so far.
    ///
    /// # Errors
    /// The pin or the bus failed. Nothing is concluded from this look, nor from those before it that were still to
    /// be borne out.
    fn poll(&mut self, now: Instant) -> Result<Option<Detection>, Self::Error>;

    /// When to look again, even if nothing calls for it; none while only an edge can change anything.
    fn poll_timeout(&self) -> Option<Instant>;
}

/// What a detector concludes: an event that begins, or one that is over.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "a detection that nobody submits warns nobody"]
pub enum Detection {
    /// It begins.
    Onset(AlertDraft),
    /// It is over.
    Over(AlertDraft),
}

impl Detection {
    /// Hands it to the node: an onset is raised, an end clears.
    pub fn submit<S: Store, const N: usize>(self, now: Instant, node: &mut Node<S, N>) -> Submission {
        match self {
            Self::Onset(draft) => node.raise(now, draft),
            Self::Over(draft) => node.clear(now, draft),
        }
    }

    /// What is said of the event.
    #[must_use]
    pub const fn draft(&self) -> &AlertDraft {
        match self {
            Self::Onset(draft) | Self::Over(draft) => draft,
        }
    }
}

/// Why a driver cannot work as it was told to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Misconfigured {
    /// It is to clear its event, and the draft has no key: that would end all that the node has open of its kind.
    ClearsWithoutKey,
    /// The value at which an event is over does not lie below the one at which it begins.
    NoHysteresis {
        /// An event begins at this value.
        onset: i32,
        /// And would be over at this one.
        over: i32,
    },
    /// No sample is to be taken, or one in no time.
    NoSamples,
}

impl fmt::Display for Misconfigured {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::ClearsWithoutKey => f.write_str("a detector that clears needs a key in its draft"),
            Self::NoHysteresis { onset, over } => {
                write!(f, "over at {over}, which is not below the onset at {onset}")
            }
            Self::NoSamples => f.write_str("at least one sample is needed, and time between two"),
        }
    }
}

impl core::error::Error for Misconfigured {}
