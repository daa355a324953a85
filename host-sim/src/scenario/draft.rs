//! From what a scenario says to what core's nodes raise.

use alertbus::message::AlertDraft;
use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, CramEngagement, CramEngagementState, DroneSighting, DroneSightingState,
    Payload, RocketLaunch, Tamper, Tampering, Target, Trigger, Weapon,
};
use alertbus::place::Accuracy;
use alertbus::time::{ClockQuality, EventTime};
use alertbus::{Body, Place, SiteId};

use super::body::BodySpec;
use super::file::File;
use super::layout::Site;
use super::timeline::AlertSpec;
use super::words::Word;

/// The draft of an alert raised at `at_ms` by a node at `site`: its place is the site, as exact as that is.
pub(super) fn draft(file: &File, spec: &AlertSpec, site: &str, at_ms: u64) -> AlertDraft {
    AlertDraft {
        severity: spec.severity,
        urgency: spec.urgency,
        certainty: spec.certainty,
        place: file.site.iter().find(|known| known.id == site).map_or(Place::UNKNOWN, place),
        // A simulated node knows its simulated time well; that the hour is invented stands in the provenance.
        time: EventTime::new(at_ms, ClockQuality::Second),
        ..AlertDraft::new(body(file, &spec.body))
    }
}

/// Position and accuracy of a site. Beyond what the wire can say, the position is not known.
pub(super) fn place(site: &Site) -> Place {
    let radius_m = u32::try_from(site.accuracy_km.0).unwrap_or(u32::MAX);
    Place::from_degrees_e7(site.latitude.0, site.longitude.0, Accuracy::within_metres(radius_m))
}

fn body(file: &File, spec: &BodySpec) -> Body {
    let site = |id: &Option<String>| {
        let known = file.site.iter().find(|site| Some(&site.id) == id.as_ref());
        known.map_or(SiteId::UNKNOWN, |site| SiteId(site.number))
    };
    match spec {
        BodySpec::RocketLaunch {
            weapon,
            calibre_mm,
            bearing_of_origin_deg,
            rounds,
            impact_site,
            time_to_impact_s,
        } => RocketLaunch {
            weapon: known(weapon, Weapon::Unknown),
            calibre_mm: calibre_mm.unwrap_or(0),
            bearing_deg: *bearing_of_origin_deg,
            rounds: rounds.unwrap_or(0),
            impact_site: site(impact_site),
            time_to_impact_ds: time_to_impact_s.map(|seconds| seconds.saturating_mul(10)),
        }
        .into(),
        BodySpec::CramEngagement { state, engaged, destroyed, leaked, debris_radius_m, guarded_site } => {
            CramEngagement {
                engaged: engaged.unwrap_or(0),
                destroyed: destroyed.unwrap_or(0),
                leaked: leaked.unwrap_or(0),
                state: known(state, CramEngagementState::Unknown),
                debris_radius_m: debris_radius_m.unwrap_or(0),
                guarded_site: site(guarded_site),
            }
            .into()
        }
        BodySpec::DroneSighting {
            airframe,
            state,
            payload,
            equivalent_calibre_mm,
            count,
            altitude_m,
            course_deg,
            speed_m_s,
        } => DroneSighting {
            airframe: known(airframe, Airframe::Unknown),
            state: known(state, DroneSightingState::Unknown),
            payload: known(payload, Payload::Unknown),
            equivalent_calibre_mm: equivalent_calibre_mm.unwrap_or(0),
            count: count.unwrap_or(0),
            altitude_m: *altitude_m,
            course_deg: *course_deg,
            speed_m_s: *speed_m_s,
        }
        .into(),
        BodySpec::ConvoyIed { state, trigger, charge, array_count, target, vehicles, wounded, killed } => {
            ConvoyIed {
                state: state.0,
                trigger: known(trigger, Trigger::Unknown),
                charge: known(charge, Charge::Unknown),
                array_count: array_count.unwrap_or(0),
                target: known(target, Target::Unknown),
                vehicles: vehicles.unwrap_or(0),
                wounded: wounded.unwrap_or(0),
                killed: killed.unwrap_or(0),
            }
            .into()
        }
        BodySpec::Tamper { what } => Tamper { what: known(what, Tampering::Unknown) }.into(),
    }
}

fn known<T: Copy>(word: &Option<Word<T>>, otherwise: T) -> T {
    word.map_or(otherwise, |word| word.0)
}
