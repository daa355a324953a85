//! Fills in what the sources count and do not date, and whatever else the seed decides.
//!
//! Every incident draws from a stream of its own, named by the seed and the incident's name. So adding one
//! shifts no other, and the order in which they are drawn does not matter.

use alertbus::message::kind::ConvoyIedState;

use crate::draw::Draw;

use super::body::{Between, BodySpec, FillInBody};
use super::calendar::Date;
use super::file::{File, FillIn};
use super::layout::Node;
use super::words::Word;

const DAY_MS: u64 = 24 * 60 * 60 * 1_000;

/// A moment of a day from `from` to `until`, in milliseconds since 1970, universal time.
pub(super) fn moment(draw: &mut Draw, from: Date, until: Date, utc_offset_min: i16) -> u64 {
    let days = u64::try_from(from.days_until(until)).unwrap_or(0) + 1;
    let day = u32::try_from(draw.below(days)).unwrap_or(0);
    from.plus_days(day).unix_ms(utc_offset_min) + draw.below(DAY_MS)
}

/// What the seed makes of one counted incident.
pub(super) struct FilledIn<'f> {
    pub(super) at_ms: u64,
    pub(super) node: &'f Node,
    pub(super) body: BodySpec,
}

/// Incident `number` of `fill_in`; none only where no node could raise it, which the loader refuses.
pub(super) fn fill_in<'f>(file: &'f File, fill_in: &FillIn, number: u32, seed: u64) -> Option<FilledIn<'f>> {
    let mut draw = Draw::new(seed, &fill_in.incident_id(number));
    let at_ms = moment(&mut draw, fill_in.from, fill_in.until, file.utc_offset_min);
    let site = among(&mut draw, &fill_in.sites)?;
    let spread = file.spread.iter().find(|spread| spread.site == *site);
    // From a stream of its own, so that all else stays as it is without the spreading.
    let mut apart = Draw::new(seed, &format!("{}, spread", fill_in.incident_id(number)));
    let site = spread.and_then(|spread| among(&mut apart, &spread.over)).unwrap_or(site);
    let kind = fill_in.body.kind();
    let nodes: Vec<_> =
        file.node.iter().filter(|node| node.site == *site && node.detects.contains(&kind)).collect();
    let node = *among(&mut draw, &nodes)?;
    Some(FilledIn { at_ms, node, body: body(&fill_in.body, site, &mut draw) })
}

fn body(choices: &FillInBody, site: &str, draw: &mut Draw) -> BodySpec {
    match choices {
        FillInBody::RocketLaunch { weapon, rounds } => BodySpec::RocketLaunch {
            weapon: word(draw, weapon),
            calibre_mm: None,
            bearing_of_origin_deg: None,
            rounds: between(draw, *rounds),
            impact_site: Some(site.to_owned()),
            time_to_impact_s: None,
        },
        FillInBody::DroneSighting { airframe, state, payload, count } => BodySpec::DroneSighting {
            airframe: word(draw, airframe),
            state: word(draw, state),
            payload: word(draw, payload),
            equivalent_calibre_mm: None,
            count: between(draw, *count),
            altitude_m: None,
            course_deg: None,
            speed_m_s: None,
        },
        FillInBody::ConvoyIed { state, trigger, charge, array_count, target, vehicles, wounded, killed } => {
            BodySpec::ConvoyIed {
                state: word(draw, state).unwrap_or(Word(ConvoyIedState::Detonated)),
                trigger: word(draw, trigger),
                charge: word(draw, charge),
                array_count: between(draw, *array_count),
                target: word(draw, target),
                vehicles: between(draw, *vehicles),
                wounded: between(draw, *wounded),
                killed: between(draw, *killed),
            }
        }
    }
}

/// One of `choices`; none where there are none.
fn word<T: Copy>(draw: &mut Draw, choices: &[Word<T>]) -> Option<Word<T>> {
    among(draw, choices).copied()
}

fn among<'c, T>(draw: &mut Draw, choices: &'c [T]) -> Option<&'c T> {
    let count = u64::try_from(choices.len()).ok().filter(|count| *count > 0)?;
    choices.get(usize::try_from(draw.below(count)).ok()?)
}

fn between<const LEAST: u8, const MOST: u8>(
    draw: &mut Draw,
    range: Option<Between<LEAST, MOST>>,
) -> Option<u8> {
    let (min, max) = range?.ends();
    let width = u64::from(max.saturating_sub(min)) + 1;
    let offset = u8::try_from(draw.below(width)).unwrap_or(0);
    Some(min.saturating_add(offset))
}
