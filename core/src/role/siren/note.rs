//! What a siren writes down: the warnings that were cleared, and the one that sounds.
//!
//! | offset | length | field |
//! | --- | --- | --- |
//! | 0 | 1 | form of this note, 1 |
//! | 1 | 1 | cleared warnings, 0 … 16 |
//! | 2 | 80 | their ids, five bytes each: epoch, counter big-endian |
//! | 82 | 1 | 1 where a warning sounds |
//! | 83 | 10 | its id, zone, kind, duration in seconds |
//! | 93 | 3 | zero |

use super::warnings::{Warning, Warnings};
use crate::limits::{CLEARED_MAX, NOTE_LEN};
use crate::message::CommandId;
use crate::place::SiteId;
use crate::store::Note;
use crate::time::{Duration, Instant};

const FORM: u8 = 1;
const ID_LEN: usize = 5;
const SOUNDING_AT: usize = 2 + ID_LEN * CLEARED_MAX;
const SOUNDING_LEN: usize = 1 + ID_LEN + 5;

const _: () = assert!(SOUNDING_AT + SOUNDING_LEN <= NOTE_LEN);

pub(super) fn write(warnings: &Warnings) -> Note {
    let mut note = [0; NOTE_LEN];
    let count = u8::try_from(warnings.cleared().count()).unwrap_or(0);
    let mut ids = [FORM, count].into_iter().chain(warnings.cleared().flat_map(id_bytes));
    note.fill_with(|| ids.next().unwrap_or(0));
    if let (Some(warning), Some(place)) = (warnings.newest(), note.get_mut(SOUNDING_AT..)) {
        let mut fields = [1]
            .into_iter()
            .chain(id_bytes(warning.id))
            .chain(warning.zone.0.to_be_bytes())
            .chain([warning.kind])
            .chain(warning.duration_s.to_be_bytes());
        place.fill_with(|| fields.next().unwrap_or(0));
    }
    note
}

/// Takes up what an earlier boot has written; a note of another form says nothing.
pub(super) fn read(note: &Note, now: Instant, resumes: bool, warnings: &mut Warnings) {
    let [FORM, count, rest @ ..] = note else { return };
    for id in rest.chunks_exact(ID_LEN).take(usize::from(*count).min(CLEARED_MAX)) {
        if let Ok(id) = id.try_into() {
            warnings.clear(id_from(id));
        }
    }
    let sounding = note.get(SOUNDING_AT..).and_then(<[u8]>::first_chunk::<SOUNDING_LEN>);
    let Some(&[1, a, b, c, d, e, zone_high, zone_low, kind, high, low]) = sounding else { return };
    let (id, duration_s) = (id_from([a, b, c, d, e]), u16::from_be_bytes([high, low]));
    // It may have been cleared before a slow store could be read.
    if resumes && duration_s > 0 && !warnings.is_cleared(id) {
        warnings.begin(Warning {
            id,
            zone: SiteId(u16::from_be_bytes([zone_high, zone_low])),
            kind,
            duration_s,
            until: now.after(Duration::from_secs(duration_s.into())),
        });
    }
}

fn id_bytes(id: CommandId) -> [u8; ID_LEN] {
    let [a, b, c, d] = id.counter.to_be_bytes();
    [id.epoch_low, a, b, c, d]
}

const fn id_from([epoch_low, a, b, c, d]: [u8; ID_LEN]) -> CommandId {
    CommandId { epoch_low, counter: u32::from_be_bytes([a, b, c, d]) }
}

#[cfg(test)]
mod tests {
    use core::task::Poll;

    use super::*;
    use crate::message::{Epoch, NodeId, ResetCause};
    use crate::role::siren::{Siren, SirenConfig, Sound};
    use crate::store::{Keep, Volatile};
    use crate::wire::keys::MasterKey;

    #[test]
    fn what_is_written_is_taken_up() {
        let id = |counter| CommandId { epoch_low: 0xfe, counter };
        let mut warnings = Warnings::new();
        (0..CLEARED_MAX as u32).for_each(|counter| warnings.clear(id(0x0100_0000 + counter)));
        let until = Instant::from_millis(90_000);
        let warning = Warning { id: id(u32::MAX), zone: SiteId(0x0102), kind: 3, duration_s: 90, until };
        warnings.begin(warning);
        let note = write(&warnings);
        let mut again = Warnings::new();
        read(&note, Instant::START, true, &mut again);
        assert_eq!((again.newest(), write(&again)), (Some(&warning), note));
        let mut after_power_off = Warnings::new();
        read(&note, Instant::START, false, &mut after_power_off);
        assert!(after_power_off.newest().is_none() && after_power_off.is_cleared(id(0x0100_000f)));
    }

    #[test]
    fn a_warning_given_up_after_a_power_off_does_not_sound_after_a_later_reset() {
        let mut warnings = Warnings::new();
        let id = |counter| CommandId { epoch_low: 1, counter };
        warnings.clear(id(1));
        let given_up = write(&warnings);
        let until = Instant::from_millis(90_000);
        warnings.begin(Warning { id: id(2), zone: SiteId(1), kind: 3, duration_s: 90, until });
        let mut store = Volatile::new(Epoch(1), 1);
        assert_eq!(store.keep(&write(&warnings)), Poll::Ready(Ok(())));
        let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(40));
        let config = SirenConfig { node: NodeId(40), key, reset_cause: ResetCause::PowerOn, exercise: false };
        let mut siren = Siren::start(config, store, Instant::START);
        assert_eq!(siren.sound(), Sound::Quiet);
        assert_eq!(siren.station.store.load(), Poll::Ready(Ok(Some(given_up))));
    }

    #[test]
    fn a_warning_that_was_cleared_before_the_note_was_read_is_not_taken_up() {
        let mut warnings = Warnings::new();
        let id = CommandId { epoch_low: 1, counter: 2 };
        let until = Instant::from_millis(90_000);
        warnings.begin(Warning { id, zone: SiteId(1), kind: 3, duration_s: 90, until });
        let note = write(&warnings);
        warnings.clear(id);
        read(&note, Instant::START, true, &mut warnings);
        assert_eq!(warnings.newest(), None);
    }

    #[test]
    fn a_note_of_any_bytes_is_taken_or_left() {
        for byte in 0..=u8::MAX {
            let mut note = [byte; NOTE_LEN];
            read(&note, Instant::START, true, &mut Warnings::new());
            note[0] = FORM;
            read(&note, Instant::START, true, &mut Warnings::new());
        }
    }
}
