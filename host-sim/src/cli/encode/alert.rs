//! From fields to the alert that they describe, each kind with the names and ranges of scenario files.

use alertbus::limits::SEQ_MAX;
use alertbus::message::kind::{
    Airframe, Charge, ConvoyIed, ConvoyIedState, CramEngagement, CramEngagementState, DroneSighting,
    DroneSightingState, Payload, RocketLaunch, Summary, Tamper, Tampering, Target, Trigger, Weapon,
};
use alertbus::message::{Alert, AlertDraft, Certainty, Phase, Reference, Seq, Severity, Urgency};
use alertbus::place::Accuracy;
use alertbus::time::{ClockQuality, EventTime};
use alertbus::{Body, Place, SiteId};
use anyhow::bail;
use jiff::Timestamp;

use super::super::decode::moment::QUALITIES;
use super::fields::{Fields, one_of};
use crate::document::quoted;
use crate::scenario::Scenario;

/// The alert of this kind that the fields describe.
///
/// # Errors
/// A value is not allowed, or a field lacks another.
pub(in crate::cli) fn alert(kind: &str, fields: &mut Fields) -> anyhow::Result<Alert> {
    let common = common(fields)?;
    let body = body(kind, fields)?;
    Ok(Alert { body, ..common })
}

/// What a source says of an alert of this kind; its node sees to the rest.
///
/// # Errors
/// As [`alert`].
pub(in crate::cli) fn draft(kind: &str, fields: &mut Fields) -> anyhow::Result<AlertDraft> {
    let said = said(fields)?;
    let body = body(kind, fields)?;
    Ok(AlertDraft { body, ..said })
}

/// What every alert has; the body is still to come.
pub(super) fn common(fields: &mut Fields) -> anyhow::Result<Alert> {
    let draft = said(fields)?;
    let boot = fields.number("boot", 0..=7)?.unwrap_or(1);
    let (phase, reference) = phase(fields)?;
    Ok(Alert { phase, reference, ..draft.onset(boot) })
}

/// What every source may say; the body is still to come.
fn said(fields: &mut Fields) -> anyhow::Result<AlertDraft> {
    Ok(AlertDraft {
        severity: fields.word("severity", Severity::Unknown)?,
        urgency: fields.word("urgency", Urgency::Unknown)?,
        certainty: fields.word("certainty", Certainty::Unknown)?,
        time: time(fields)?,
        place: place(fields)?,
        ..AlertDraft::new(Summary::default())
    })
}

fn time(fields: &mut Fields) -> anyhow::Result<EventTime> {
    let last = EventTime::MILLIS_MAX;
    let time = fields.ask("time", "1970-01-01T00:00:00Z to 2109-05-15T07:35:11.103Z");
    let uptime_ms = fields.number("uptime-ms", 0..=last)?;
    let otherwise = if time.is_some() { ClockQuality::Second } else { ClockQuality::Uptime };
    let quality = fields.choice("clock-quality", &QUALITIES, otherwise)?;
    match (time, uptime_ms, quality) {
        (Some(_), Some(_), _) => bail!("`time` and `uptime-ms` are both given; allowed: one of them"),
        (Some(time), None, ClockQuality::Uptime) => bail!(
            "`time` is {} and `clock-quality` is `uptime`; allowed with that: `uptime-ms`",
            quoted(&time)
        ),
        (None, Some(_), quality) if quality != ClockQuality::Uptime => {
            bail!("`uptime-ms` is given; allowed with that: `clock-quality=uptime` or none")
        }
        (None, None, quality) if quality != ClockQuality::Uptime => {
            bail!("`clock-quality` is given and `time` is missing; allowed: both, or `clock-quality=uptime`")
        }
        (None, uptime_ms, _) => Ok(EventTime::new(uptime_ms.unwrap_or(0), ClockQuality::Uptime)),
        (Some(text), None, quality) => {
            let parsed = text.parse::<Timestamp>().ok();
            let millis = parsed.and_then(|time| u64::try_from(time.as_millisecond()).ok());
            match millis.filter(|millis| *millis <= last) {
                Some(millis) => Ok(EventTime::new(millis, quality)),
                None => bail!(
                    "`time` is {}; allowed: a time such as 2020-01-08T01:34:00Z, from 1970 to 2109-05-15",
                    quoted(&text)
                ),
            }
        }
    }
}

fn place(fields: &mut Fields) -> anyhow::Result<Place> {
    let latitude_e7 = fields.decimal::<7>("latitude", -900_000_000..=900_000_000)?;
    let longitude_e7 = fields.decimal::<7>("longitude", -1_800_000_000..=1_800_000_000)?;
    // Beyond that the wire has only "not known".
    let accuracy_m = fields.decimal::<3>("accuracy-km", 1..=81_920)?;
    match (latitude_e7, longitude_e7, accuracy_m) {
        (None, None, None) => Ok(Place::UNKNOWN),
        (Some(latitude_e7), Some(longitude_e7), Some(accuracy_m)) => {
            let accuracy = Accuracy::within_metres(u32::try_from(accuracy_m).unwrap_or(u32::MAX));
            Ok(Place::from_degrees_e7(latitude_e7, longitude_e7, accuracy))
        }
        _ => {
            let missing = ["latitude", "longitude", "accuracy-km"].into_iter().find(|name| !fields.has(name));
            bail!(
                "`{}` is missing; a place needs latitude, longitude and accuracy-km",
                missing.unwrap_or_default()
            )
        }
    }
}

fn phase(fields: &mut Fields) -> anyhow::Result<(Phase, Option<Reference>)> {
    let phases: Vec<_> = Phase::ALL.iter().map(|phase| (*phase, phase.name())).collect();
    let phase = fields.choice("phase", &phases, Phase::Onset)?;
    let reference = fields.ask("reference", "all, back:NUMBER or other:SEQ");
    match (phase, reference) {
        (Phase::Onset, None) => Ok((phase, None)),
        (Phase::Onset, Some(text)) => {
            bail!(
                "`reference` is {} and the phase is onset, which refers to nothing; allowed: no reference, or another phase",
                quoted(&text)
            )
        }
        (_, None) => Ok((phase, Some(Reference::AllOfKind))),
        (_, Some(text)) => {
            let reference = match text.split_once(':') {
                None if text == "all" => Some(Reference::AllOfKind),
                Some(("back", number)) => seq(number).map(|seq| Reference::Back(seq.number())),
                Some(("other", number)) => seq(number).map(Reference::Other),
                _ => None,
            };
            match reference {
                Some(reference) => Ok((phase, Some(reference))),
                None => bail!(
                    "`reference` is {}; allowed: all, back:N for N numbers back in the same sequence, other:N for \
                     number N of the other, N being 1 to {SEQ_MAX}",
                    quoted(&text)
                ),
            }
        }
    }
}

fn seq(number: &str) -> Option<Seq> {
    number.parse().ok().and_then(Seq::new)
}

/// What the kind itself says.
pub(super) fn body(kind: &str, fields: &mut Fields) -> anyhow::Result<Body> {
    match kind {
        "summary" => summary(fields),
        "rocket-launch" => rocket_launch(fields),
        "cram-engagement" => cram_engagement(fields),
        "drone-sighting" => drone_sighting(fields),
        "convoy-ied" => convoy_ied(fields),
        "tamper" => Ok(Tamper { what: fields.word("what", Tampering::Unknown)? }.into()),
        other => bail!("kind {} cannot be written yet; allowed: {}", quoted(other), Body::NAMES.join(", ")),
    }
}

fn summary(fields: &mut Fields) -> anyhow::Result<Body> {
    let kinds = fields.number("kinds", 0..=u32::MAX.into())?;
    Ok(Summary {
        count: fields.number("count", 0..=65_535)?.unwrap_or(0),
        span_s: fields.number("span-s", 0..=65_535)?.unwrap_or(0),
        kinds: kinds.unwrap_or(0),
    }
    .into())
}

fn rocket_launch(fields: &mut Fields) -> anyhow::Result<Body> {
    Ok(RocketLaunch {
        weapon: fields.word("weapon", Weapon::Unknown)?,
        calibre_mm: fields.number("calibre-mm", 1..=1_023)?.unwrap_or(0),
        bearing_deg: fields.number("bearing-of-origin-deg", 0..=359)?,
        rounds: fields.number("rounds", 1..=255)?.unwrap_or(0),
        impact_site: site("impact-site", fields)?,
        time_to_impact_ds: fields
            .decimal::<1>("time-to-impact-s", 0..=65_534)?
            .and_then(|tenths| u16::try_from(tenths).ok()),
    }
    .into())
}

fn cram_engagement(fields: &mut Fields) -> anyhow::Result<Body> {
    Ok(CramEngagement {
        state: fields.word("state", CramEngagementState::Unknown)?,
        engaged: fields.number("engaged", 0..=255)?.unwrap_or(0),
        destroyed: fields.number("destroyed", 0..=255)?.unwrap_or(0),
        leaked: fields.number("leaked", 0..=255)?.unwrap_or(0),
        debris_radius_m: fields.number("debris-radius-m", 1..=16_383)?.unwrap_or(0),
        guarded_site: site("guarded-site", fields)?,
    }
    .into())
}

fn drone_sighting(fields: &mut Fields) -> anyhow::Result<Body> {
    Ok(DroneSighting {
        airframe: fields.word("airframe", Airframe::Unknown)?,
        state: fields.word("state", DroneSightingState::Unknown)?,
        payload: fields.word("payload", Payload::Unknown)?,
        equivalent_calibre_mm: fields.number("equivalent-calibre-mm", 1..=1_023)?.unwrap_or(0),
        count: fields.number("count", 1..=255)?.unwrap_or(0),
        altitude_m: fields.number("altitude-m", 0..=16_382)?,
        course_deg: fields.number("course-deg", 0..=359)?,
        speed_m_s: fields.number("speed-m-s", 0..=510)?,
    }
    .into())
}

fn convoy_ied(fields: &mut Fields) -> anyhow::Result<Body> {
    Ok(ConvoyIed {
        state: fields.word("state", ConvoyIedState::Found)?,
        trigger: fields.word("trigger", Trigger::Unknown)?,
        charge: fields.word("charge", Charge::Unknown)?,
        array_count: fields.number("array-count", 1..=15)?.unwrap_or(0),
        target: fields.word("target", Target::Unknown)?,
        vehicles: fields.number("vehicles", 0..=255)?.unwrap_or(0),
        wounded: fields.number("wounded", 0..=255)?.unwrap_or(0),
        killed: fields.number("killed", 0..=255)?.unwrap_or(0),
    }
    .into())
}

/// A site's number, or its name in the scenario that the program carries.
fn site(name: &'static str, fields: &mut Fields) -> anyhow::Result<SiteId> {
    let Some(value) = fields.ask(name, "1..65535, or a site's name") else { return Ok(SiteId::UNKNOWN) };
    if let Some(number) = value.parse().ok().filter(|number| *number != 0) {
        return Ok(SiteId(number));
    }
    let scenario = Scenario::open(Scenario::DEFAULT)?;
    match scenario.site(&value) {
        Some(site) => Ok(SiteId(site.number)),
        None => {
            let known: Vec<_> = scenario.sites().iter().map(|site| &*site.id).collect();
            bail!(
                "`{name}` is {}, neither a number from 1 to 65535 nor the name of a site; {}",
                quoted(&value),
                one_of(&value, &known)
            )
        }
    }
}
