//! The fields of an alert that a matcher can be put on: their names, which kinds have them, what they can be.

use alertbus::message::kind::{
    Airframe, Charge, ConvoyIedState, CramEngagementState, DroneSightingState, Payload, Tampering, Target,
    Trigger, Weapon,
};
use alertbus::message::{Alert, Certainty, Phase, Severity, Urgency};
use alertbus::{Body, Precedence, SiteId};

use super::facts::{Facts, KINDS};

/// Something that an alert says, or that is known of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Field {
    /// What happened.
    Kind,
    /// Who goes first.
    Precedence,
    /// How bad it is.
    Severity,
    /// How soon to act.
    Urgency,
    /// How sure it is.
    Certainty,
    /// Which turn of the event.
    Phase,
    /// Name of its node's site.
    Site,
    /// Path of its node.
    Node,
    /// Whether it came too late to take cover.
    Late,
    /// Whether it is of an exercise.
    Exercise,
    /// Of a launch: what was launched.
    Weapon,
    /// Of a launch, in millimetres.
    CalibreMm,
    /// Of a launch, degrees from true north.
    BearingOfOriginDeg,
    /// Of a launch.
    Rounds,
    /// Of a launch: where they are predicted to fall.
    ImpactSite,
    /// Of a launch, in seconds.
    TimeToImpactS,
    /// How far an engagement, a drone or a device has come.
    State,
    /// Of an engagement: rounds.
    Engaged,
    /// Of an engagement: rounds.
    Destroyed,
    /// Of an engagement: rounds.
    Leaked,
    /// Of an engagement, in metres.
    DebrisRadiusM,
    /// Of an engagement.
    GuardedSite,
    /// Of a drone: what flies.
    Airframe,
    /// Of a drone: what it carries.
    Payload,
    /// Of a drone's payload, in millimetres of a mortar shell.
    EquivalentCalibreMm,
    /// Drones seen, or alerts that a summary counts.
    Count,
    /// Of a drone, in metres above ground.
    AltitudeM,
    /// Of a drone, degrees from true north.
    CourseDeg,
    /// Of a drone, in metres a second.
    SpeedMS,
    /// What sets a device off.
    Trigger,
    /// How a device is built.
    Charge,
    /// Charges linked together.
    ArrayCount,
    /// Whose convoy it is.
    Target,
    /// Vehicles damaged.
    Vehicles,
    /// People wounded.
    Wounded,
    /// People killed.
    Killed,
    /// What was noticed of a tampering.
    What,
    /// Seconds from the first to the last alert that a summary counts.
    SpanS,
}

/// What a field can be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Values {
    /// Words, each with the number that stands for it; in their order where they have one.
    Words {
        /// The words.
        words: Vec<(&'static str, u32)>,
        /// Whether one can be more than another.
        ordered: bool,
    },
    /// Whole numbers up to this one.
    Numbers(u32),
    /// The name of a site.
    Sites,
    /// The path of a node.
    Nodes,
}

/// What an alert says of a field.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reading {
    /// Its kind has no such field.
    Lacking,
    /// It does not know.
    Unknown,
    /// This number, or the number of this word.
    Value(u32),
}

/// Number of the word `unknown` in every list that has it: bits of words are below.
pub(super) const UNKNOWN_WORD: u32 = 31;

/// Where the words of a drone's and of an engagement's state begin, behind those of a device's.
const DRONE_STATES: u32 = 8;
const ENGAGEMENT_STATES: u32 = 16;

const SUMMARY: u8 = 1;
const LAUNCH: u8 = 1 << 1;
const ENGAGEMENT: u8 = 1 << 2;
const DRONE: u8 = 1 << 3;
const CONVOY: u8 = 1 << 4;
const TAMPER: u8 = 1 << 5;
/// The kinds that [`KINDS`] names, each as its bit.
pub(super) const EVERY_KIND: u8 = (1 << KINDS.len()) - 1;

/// Every field: its name, and the kinds that have it.
const FIELDS: [(Field, &str, u8); 38] = [
    (Field::Kind, "kind", EVERY_KIND),
    (Field::Precedence, "precedence", EVERY_KIND),
    (Field::Severity, "severity", EVERY_KIND),
    (Field::Urgency, "urgency", EVERY_KIND),
    (Field::Certainty, "certainty", EVERY_KIND),
    (Field::Phase, "phase", EVERY_KIND),
    (Field::Site, "site", EVERY_KIND),
    (Field::Node, "node", EVERY_KIND),
    (Field::Late, "late", EVERY_KIND),
    (Field::Exercise, "exercise", EVERY_KIND),
    (Field::Weapon, "weapon", LAUNCH),
    (Field::CalibreMm, "calibre-mm", LAUNCH),
    (Field::BearingOfOriginDeg, "bearing-of-origin-deg", LAUNCH),
    (Field::Rounds, "rounds", LAUNCH),
    (Field::ImpactSite, "impact-site", LAUNCH),
    (Field::TimeToImpactS, "time-to-impact-s", LAUNCH),
    (Field::State, "state", ENGAGEMENT | DRONE | CONVOY),
    (Field::Engaged, "engaged", ENGAGEMENT),
    (Field::Destroyed, "destroyed", ENGAGEMENT),
    (Field::Leaked, "leaked", ENGAGEMENT),
    (Field::DebrisRadiusM, "debris-radius-m", ENGAGEMENT),
    (Field::GuardedSite, "guarded-site", ENGAGEMENT),
    (Field::Airframe, "airframe", DRONE),
    (Field::Payload, "payload", DRONE),
    (Field::EquivalentCalibreMm, "equivalent-calibre-mm", DRONE),
    (Field::Count, "count", DRONE | SUMMARY),
    (Field::AltitudeM, "altitude-m", DRONE),
    (Field::CourseDeg, "course-deg", DRONE),
    (Field::SpeedMS, "speed-m-s", DRONE),
    (Field::Trigger, "trigger", CONVOY),
    (Field::Charge, "charge", CONVOY),
    (Field::ArrayCount, "array-count", CONVOY),
    (Field::Target, "target", CONVOY),
    (Field::Vehicles, "vehicles", CONVOY),
    (Field::Wounded, "wounded", CONVOY),
    (Field::Killed, "killed", CONVOY),
    (Field::What, "what", TAMPER),
    (Field::SpanS, "span-s", SUMMARY),
];

macro_rules! words {
    ($list:ident) => {
        words!($list, 0)
    };
    ($list:ident, $first:expr) => {
        $list::ALL.iter().map(|word| (word.name(), number(word.name(), u32::from(word.bits()) + $first)))
    };
}

/// The word `unknown` has one number wherever it stands.
fn number(name: &str, otherwise: u32) -> u32 {
    if name == "unknown" { UNKNOWN_WORD } else { otherwise }
}

impl Field {
    /// Every field, in the order in which they are listed.
    pub fn all() -> impl Iterator<Item = Self> {
        FIELDS.iter().map(|(field, ..)| *field)
    }

    /// The field of this name.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        FIELDS.iter().find(|(_, known, _)| *known == name).map(|(field, ..)| *field)
    }

    /// Its name, kebab-case.
    #[must_use]
    pub const fn name(self) -> &'static str {
        self.row().1
    }

    /// The kinds that have it, bit n for the kind at place n of [`KINDS`].
    #[must_use]
    pub const fn kinds(self) -> u8 {
        self.row().2
    }

    /// Its row; a test holds that the rows stand in the order of the variants.
    const fn row(self) -> &'static (Self, &'static str, u8) {
        &FIELDS[self as usize]
    }

    /// What it can be.
    #[must_use]
    pub fn values(self) -> Values {
        let ordered = |words: Vec<_>| Values::Words { words, ordered: true };
        let list = |words: Vec<_>| Values::Words { words, ordered: false };
        match self {
            Self::Kind => list(KINDS.into_iter().zip(0..).collect()),
            Self::Precedence => {
                ordered(Precedence::ALL.map(|word| (word.name(), u32::from(word.bits()))).into())
            }
            Self::Severity => ordered(words!(Severity).collect()),
            Self::Urgency => ordered(words!(Urgency).collect()),
            Self::Certainty => ordered(words!(Certainty).collect()),
            Self::Phase => list(words!(Phase).collect()),
            Self::Site | Self::ImpactSite | Self::GuardedSite => Values::Sites,
            Self::Node => Values::Nodes,
            Self::Late | Self::Exercise => list(vec![("no", 0), ("yes", 1)]),
            Self::Weapon => list(words!(Weapon).collect()),
            Self::State => {
                let mut states: Vec<_> = words!(ConvoyIedState).collect();
                states.extend(words!(DroneSightingState, DRONE_STATES));
                states.extend(
                    words!(CramEngagementState, ENGAGEMENT_STATES)
                        .filter(|(_, number)| *number != UNKNOWN_WORD),
                );
                list(states)
            }
            Self::Airframe => list(words!(Airframe).collect()),
            Self::Payload => list(words!(Payload).collect()),
            Self::Trigger => list(words!(Trigger).collect()),
            Self::Charge => list(words!(Charge).collect()),
            Self::Target => list(words!(Target).collect()),
            Self::What => list(words!(Tampering).collect()),
            Self::BearingOfOriginDeg | Self::CourseDeg => Values::Numbers(359),
            Self::CalibreMm | Self::EquivalentCalibreMm => Values::Numbers(1_023),
            Self::TimeToImpactS => Values::Numbers(6_553),
            Self::DebrisRadiusM => Values::Numbers(16_383),
            Self::AltitudeM => Values::Numbers(16_382),
            Self::SpeedMS => Values::Numbers(510),
            Self::ArrayCount => Values::Numbers(15),
            Self::SpanS | Self::Count => Values::Numbers(65_535),
            Self::Rounds
            | Self::Engaged
            | Self::Destroyed
            | Self::Leaked
            | Self::Vehicles
            | Self::Wounded
            | Self::Killed => Values::Numbers(255),
        }
    }

    /// What an alert says of it. Site and node are read by their place, and not here.
    pub(super) fn read(self, facts: &Facts) -> Reading {
        match self {
            Self::Kind => Reading::Value(u32::try_from(facts.kind()).unwrap_or(UNKNOWN_WORD)),
            Self::Precedence => Reading::Value(facts.precedence.bits().into()),
            Self::Site => facts.site.map_or(Reading::Unknown, |site| Reading::Value(site.into())),
            Self::Node => facts.node.map_or(Reading::Unknown, |node| Reading::Value(node.into())),
            Self::Late => Reading::Value(facts.standing.late.into()),
            Self::Exercise => Reading::Value(facts.id.exercise.into()),
            _ => match &facts.alert {
                Some(alert) => self.read_alert(alert),
                // What cannot be read is of unknown kind, and that has the fields of every kind only.
                None if self.kinds() == EVERY_KIND => Reading::Unknown,
                None => Reading::Lacking,
            },
        }
    }

    fn read_alert(self, alert: &Alert) -> Reading {
        match self {
            Self::Severity => word(alert.severity.name(), alert.severity.bits()),
            Self::Urgency => word(alert.urgency.name(), alert.urgency.bits()),
            Self::Certainty => word(alert.certainty.name(), alert.certainty.bits()),
            Self::Phase => word(alert.phase.name(), alert.phase.bits()),
            _ => self.read_body(&alert.body),
        }
    }

    fn read_body(self, body: &Body) -> Reading {
        match (body, self) {
            (Body::RocketLaunch(launch), Self::Weapon) => word(launch.weapon.name(), launch.weapon.bits()),
            (Body::RocketLaunch(launch), Self::CalibreMm) => known(launch.calibre_mm),
            (Body::RocketLaunch(launch), Self::BearingOfOriginDeg) => optional(launch.bearing_deg),
            (Body::RocketLaunch(launch), Self::Rounds) => known(launch.rounds),
            (Body::RocketLaunch(launch), Self::ImpactSite) => site(launch.impact_site),
            (Body::RocketLaunch(launch), Self::TimeToImpactS) => {
                optional(launch.time_to_impact_ds.map(|ds| ds / 10))
            }
            (Body::CramEngagement(fire), Self::State) => {
                state(fire.state.name(), fire.state.bits(), ENGAGEMENT_STATES)
            }
            (Body::CramEngagement(fire), Self::Engaged) => optional(Some(fire.engaged)),
            (Body::CramEngagement(fire), Self::Destroyed) => optional(Some(fire.destroyed)),
            (Body::CramEngagement(fire), Self::Leaked) => optional(Some(fire.leaked)),
            (Body::CramEngagement(fire), Self::DebrisRadiusM) => known(fire.debris_radius_m),
            (Body::CramEngagement(fire), Self::GuardedSite) => site(fire.guarded_site),
            (Body::DroneSighting(drone), Self::Airframe) => {
                word(drone.airframe.name(), drone.airframe.bits())
            }
            (Body::DroneSighting(drone), Self::State) => {
                state(drone.state.name(), drone.state.bits(), DRONE_STATES)
            }
            (Body::DroneSighting(drone), Self::Payload) => word(drone.payload.name(), drone.payload.bits()),
            (Body::DroneSighting(drone), Self::EquivalentCalibreMm) => known(drone.equivalent_calibre_mm),
            (Body::DroneSighting(drone), Self::Count) => known(drone.count),
            (Body::DroneSighting(drone), Self::AltitudeM) => optional(drone.altitude_m),
            (Body::DroneSighting(drone), Self::CourseDeg) => optional(drone.course_deg),
            (Body::DroneSighting(drone), Self::SpeedMS) => optional(drone.speed_m_s),
            (Body::ConvoyIed(device), Self::State) => state(device.state.name(), device.state.bits(), 0),
            (Body::ConvoyIed(device), Self::Trigger) => word(device.trigger.name(), device.trigger.bits()),
            (Body::ConvoyIed(device), Self::Charge) => word(device.charge.name(), device.charge.bits()),
            (Body::ConvoyIed(device), Self::ArrayCount) => known(device.array_count),
            (Body::ConvoyIed(device), Self::Target) => word(device.target.name(), device.target.bits()),
            (Body::ConvoyIed(device), Self::Vehicles) => optional(Some(device.vehicles)),
            (Body::ConvoyIed(device), Self::Wounded) => optional(Some(device.wounded)),
            (Body::ConvoyIed(device), Self::Killed) => optional(Some(device.killed)),
            (Body::Tamper(tamper), Self::What) => word(tamper.what.name(), tamper.what.bits()),
            (Body::Summary(summary), Self::Count) => optional(Some(summary.count)),
            (Body::Summary(summary), Self::SpanS) => optional(Some(summary.span_s)),
            _ => Reading::Lacking,
        }
    }
}

/// A word by its bits; that it is not known is a word too.
fn word(name: &str, bits: u8) -> Reading {
    state(name, bits, 0)
}

fn state(name: &str, bits: u8, first: u32) -> Reading {
    Reading::Value(number(name, u32::from(bits) + first))
}

/// A number of which zero says that it is not known.
fn known(number: impl Into<u32>) -> Reading {
    optional(Some(number.into()).filter(|number| *number > 0))
}

fn optional(number: Option<impl Into<u32>>) -> Reading {
    number.map_or(Reading::Unknown, |number| Reading::Value(number.into()))
}

/// A site by its number on the wire.
fn site(site: SiteId) -> Reading {
    if site == SiteId::UNKNOWN { Reading::Unknown } else { Reading::Value(site.0.into()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rows_stand_in_the_order_of_the_fields() {
        for (at, (field, name, _)) in FIELDS.iter().enumerate() {
            assert_eq!(*field as usize, at, "{name}");
            assert_eq!((field.name(), Field::of(name)), (*name, Some(*field)));
        }
        assert_eq!(Field::of("colour"), None);
    }

    #[test]
    fn no_two_words_of_a_field_have_one_number() {
        for field in Field::all() {
            if let Values::Words { words, .. } = field.values() {
                let mut numbers: Vec<u32> = words.iter().map(|(_, number)| *number).collect();
                numbers.sort_unstable();
                numbers.dedup();
                assert_eq!(numbers.len(), words.len(), "{}", field.name());
                assert!(numbers.iter().all(|number| *number < 64), "a mask has 64 bits");
            }
        }
    }
}
