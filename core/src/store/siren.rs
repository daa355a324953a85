//! A siren's memory on flash: counters and its note.

use core::fmt;
use core::task::Poll;

use embedded_storage::nor_flash::NorFlash;

use super::counter_log::{Birth, CounterLog};
use super::layout::{Layout, LayoutError};
use super::state_log::StateLog;
use super::{Journalled, Keep, Note, Recovered, Series, Store, StoreError};
use crate::limits::NOTE_LEN;
use crate::message::{Epoch, Seq};

type NoteLog = StateLog<NOTE_LEN>;

/// A siren's memory on a NOR flash: its numbers and its note. It journals no alerts.
///
/// Takes four pages: two for the counters, two for the note. What is said of [`FlashStore`](super::FlashStore) about
/// the device and the time a call takes holds here too.
pub struct SirenStore<F> {
    flash: F,
    layout: Layout,
    birth: Birth,
    counters: Option<CounterLog>,
    notes: Option<(NoteLog, Option<Note>)>,
}

impl<F: NorFlash> SirenStore<F> {
    /// A store on `flash` at `layout`, for a siren that was provisioned with `birth`. Nothing is read or written yet.
    ///
    /// # Errors
    /// What is wrong with the layout on this device.
    pub fn new(flash: F, layout: Layout, birth: Birth) -> Result<Self, LayoutError> {
        layout.check(&flash, CounterLog::PAGES.saturating_add(NoteLog::PAGES))?;
        Ok(Self { flash, layout, birth, counters: None, notes: None })
    }

    /// The counters, which are there once a boot is counted.
    fn counters(&mut self) -> Result<(&mut F, &mut CounterLog), StoreError> {
        if self.counters.is_none() {
            self.counters = Some(CounterLog::start(&mut self.flash, &self.layout, &self.birth)?);
        }
        let counters = self.counters.as_mut().ok_or(StoreError::Device)?;
        Ok((&mut self.flash, counters))
    }

    fn notes(&mut self) -> Result<(&mut F, &mut (NoteLog, Option<Note>)), StoreError> {
        if self.notes.is_none() {
            self.notes = Some(NoteLog::mount(&mut self.flash, self.layout.page::<F>(CounterLog::PAGES))?);
        }
        let notes = self.notes.as_mut().ok_or(StoreError::Device)?;
        Ok((&mut self.flash, notes))
    }

    fn write_note(&mut self, note: &Note) -> Result<(), StoreError> {
        let (flash, (log, last)) = self.notes()?;
        if last.as_ref() != Some(note) {
            log.append(flash, note)?;
            *last = Some(*note);
        }
        Ok(())
    }
}

impl<F: NorFlash> Store for SirenStore<F> {
    const DURABLE: bool = false;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        Poll::Ready(self.counters().map(|(_, counters)| counters.recovered()))
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.counters().and_then(|(flash, counters)| counters.reserve(flash, series, end)))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.counters().and_then(|(flash, counters)| counters.begin_epoch(flash, epoch)))
    }

    fn append(&mut self, _: &Journalled) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }

    fn outcome(&mut self, _: Seq) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }

    fn next_open(&mut self, _: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        Poll::Ready(Ok(None))
    }

    fn tidy(&mut self) -> Poll<Result<(), StoreError>> {
        let erased = match &mut self.counters {
            Some(counters) => counters.tidy(&mut self.flash)?,
            None => false,
        };
        let (flash, (log, _)) = self.notes()?;
        if erased || log.tidy(flash)? { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl<F: NorFlash> Keep for SirenStore<F> {
    fn load(&mut self) -> Poll<Result<Option<Note>, StoreError>> {
        Poll::Ready(self.notes().map(|(_, (_, last))| *last))
    }

    fn keep(&mut self, note: &Note) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.write_note(note))
    }
}

// Not the note: what is in it is the siren's own.
impl<F> fmt::Debug for SirenStore<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SirenStore").field("counters", &self.counters).finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<F> defmt::Format for SirenStore<F> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.counters.as_ref().map(CounterLog::recovered));
    }
}
