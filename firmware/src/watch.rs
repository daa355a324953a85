//! Detectors on input pins, looked at by an interrupt and heard by the loop.
//!
//! The interrupt owns the pins. What it concludes goes over a [`Bus`] to the one context that may raise alerts, in which
//! the node may just be writing to its flash for some tenths of a second. On the bus a detection is two bytes: which
//! detector, and whether it is over; what an alert says of it stands in the program.

use core::cell::Cell;
use core::fmt;

use alertbus::bus::{Bus, Message, Subscriber, Topic};
use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::driver::{Detection, Detector, Misconfigured};
use alertbus::message::EventKey;
use alertbus::message::kind::{RocketLaunch, Tamper, Tampering};
use alertbus::time::Instant;
use alertbus::{AlertDraft, Precedence};
use critical_section::Mutex;
use embedded_hal::digital::InputPin;

/// Detections of one precedence that the loop may be behind. After an onset each detector holds for ten seconds at
/// least, so that in the longest time that a loop may be away none of them says more than two things.
const BEHIND_MAX: usize = 4;

/// The key of the lid's event, above those that a rig uses.
const LID_KEY: EventKey = EventKey(0xff02);

static SEEN: Bus<BEHIND_MAX, Seen> = Bus::new();

/// Looks at a pin that failed, and that the loop has not counted yet.
static FAILURES: Mutex<Cell<u16>> = Mutex::new(Cell::new(0));

/// What is wired to a board's input pins, in their order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Sensor {
    /// A launch detector's relay, which pulls its pin low.
    Launch,
    /// A wire around the node, which holds its pin low until it is broken.
    TripWire,
    /// A switch that a closed lid holds low.
    Lid,
}

/// What a detector has concluded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct Seen {
    sensor: Sensor,
    is_over: bool,
}

/// The right to hear what is seen.
pub type Ear = Subscriber<'static, BEHIND_MAX, Seen>;

/// All detectors of a board. An interrupt owns it.
pub struct Watch<P> {
    contacts: [(Sensor, Contact<P>); Sensor::ALL.len()],
}

/// Hears everything that is seen, from the first look on.
#[must_use]
pub const fn listen() -> Ear {
    SEEN.subscribe(Topic::ALL)
}

/// How often a pin has failed since this was asked last.
#[must_use]
pub fn take_failures() -> u16 {
    critical_section::with(|masked| FAILURES.borrow(masked).take())
}

impl<P: InputPin> Watch<P> {
    /// Takes the pins, in the order of [`Sensor`].
    ///
    /// # Errors
    /// A detector cannot work as it is meant to.
    pub fn new([launch, wire, lid]: [P; Sensor::ALL.len()]) -> Result<Self, Misconfigured> {
        let contact =
            |sensor: Sensor, pin| Contact::new(pin, sensor.config()).map(|contact| (sensor, contact));
        Ok(Self {
            contacts: [
                contact(Sensor::Launch, launch)?,
                contact(Sensor::TripWire, wire)?,
                contact(Sensor::Lid, lid)?,
            ],
        })
    }

    /// Looks at all pins: at each edge, and each millisecond, because a level must have held before it counts.
    pub fn look(&mut self, now: Instant) {
        for (sensor, contact) in &mut self.contacts {
            let is_over = match contact.poll(now) {
                Ok(None) => continue,
                Ok(Some(Detection::Onset(_))) => false,
                Ok(Some(Detection::Over(_))) => true,
                Err(_) => {
                    critical_section::with(|masked| {
                        let failures = FAILURES.borrow(masked);
                        failures.set(failures.get().saturating_add(1));
                    });
                    continue;
                }
            };
            SEEN.publisher().publish(Seen { sensor: *sensor, is_over });
        }
    }
}

impl Sensor {
    const ALL: [Self; 3] = [Self::Launch, Self::TripWire, Self::Lid];

    /// What an alert says of it.
    fn draft(self) -> AlertDraft {
        match self {
            Self::Launch => AlertDraft::new(RocketLaunch::default()),
            Self::TripWire => AlertDraft::new(Tamper { what: Tampering::Cable }),
            Self::Lid => {
                let opened = Tamper { what: Tampering::Enclosure };
                AlertDraft { key: Some(LID_KEY), ..AlertDraft::new(opened) }
            }
        }
    }

    fn config(self) -> ContactConfig {
        match self {
            Self::Launch => ContactConfig::launch_detector(self.draft()),
            Self::TripWire => ContactConfig::trip_wire(self.draft()),
            Self::Lid => ContactConfig::tamper_switch(self.draft()),
        }
    }
}

impl Seen {
    /// What a node is told.
    pub fn detection(self) -> Detection {
        let draft = self.sensor.draft();
        if self.is_over { Detection::Over(draft) } else { Detection::Onset(draft) }
    }
}

impl Message for Seen {
    fn precedence(&self) -> Precedence {
        self.sensor.draft().precedence()
    }

    fn is_exercise(&self) -> bool {
        false
    }

    fn kind(&self) -> u8 {
        self.sensor.draft().body.code()
    }
}

impl<P> fmt::Debug for Watch<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(self.contacts.iter().map(|(_, contact)| contact)).finish()
    }
}
