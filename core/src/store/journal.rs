//! The live Flash alerts on flash: what is raised is written behind what was raised before, and so is what is settled.
//!
//! Two halves, of which one is active. When it is full, what is still live is carried over to the other, and only
//! when that one reads back as complete is it active, and may the old one be erased. Of each number the last record
//! in the active half says whether the alert is live, and with what content.
//!
//! Every record names the generation of its half, which goes up by one with each change of halves. A half is
//! complete as soon as a record stands in it that is written only after everything was carried over.

use embedded_storage::nor_flash::NorFlash;
use heapless::Vec;

use super::area::{Area, BUFFER, Found, Pair, Side};
use super::entry::{Entry, PAYLOAD_LEN};
use super::{Journalled, StoreError};
use crate::limits::FLASH_TRIES_MAX;
use crate::message::Seq;

/// The journal of at most `OPEN` live alerts at once. Each takes 8 bytes of memory.
#[derive(Debug)]
pub(super) struct Journal<const OPEN: usize> {
    halves: Pair,
    tail: Tail,
    /// Every live alert, unless there are more than it holds.
    live: Vec<Live, OPEN>,
    /// More alerts are live than there is room for, and the flash is searched for each. Only a build with a larger
    /// `OPEN`, or outcomes that have decayed, leave that behind.
    overflows: bool,
    /// The half that is not active is known to be blank.
    other_is_blank: bool,
}

/// Where records are written.
#[derive(Debug)]
struct Tail {
    half: Side,
    /// Of that half; 0 while there has been no record at all.
    generation: u32,
    /// The first slot that has not been tried.
    next: u32,
}

/// Where the last record of a live alert stands in the active half.
#[derive(Clone, Copy, Debug)]
struct Live {
    seq: Seq,
    slot: u32,
}

impl<const OPEN: usize> Journal<OPEN> {
    /// Records that a half must hold: what is live, that it is complete, and some more to get on.
    pub(super) const SLOTS_MIN: usize = OPEN.saturating_add(3);

    /// How many records a half of `pages` pages holds.
    pub(super) fn slots<F: NorFlash>(pages: u32) -> u32 {
        Pair::new::<F>(0, pages, PAYLOAD_LEN).of(Side::First).slots::<F>()
    }

    /// Finds the live alerts in two halves of `pages` pages each, from `base` on. Any bytes can be read; nothing is
    /// written. Cost: three times a half is read.
    ///
    /// # Errors
    /// The device failed to read.
    pub(super) fn mount<F: NorFlash>(flash: &mut F, base: u32, pages: u32) -> Result<Self, StoreError> {
        let halves = Pair::new::<F>(base, pages, PAYLOAD_LEN);
        let first = standing(flash, halves.of(Side::First))?;
        let second = standing(flash, halves.of(Side::Second))?;
        let (half, (_, generation)) =
            if second > first { (Side::Second, second) } else { (Side::First, first) };
        let tail = Tail { half, generation, next: 0 };
        let mut this = Self { halves, tail, live: Vec::new(), overflows: false, other_is_blank: false };
        this.replay(flash)?;
        Ok(this)
    }

    /// The highest number of a live alert.
    pub(super) fn highest<F: NorFlash>(&self, flash: &mut F) -> Result<Option<Seq>, StoreError> {
        let mut highest = None;
        while let Some(live) = self.lowest_above(flash, highest)? {
            highest = Some(live.seq);
        }
        Ok(highest)
    }

    /// As of [`super::Store::append`]. Cost: one record; once a half all that is live is carried over, and the other
    /// half erased, unless [`Journal::tidy`] was there before.
    pub(super) fn append<F: NorFlash>(
        &mut self,
        flash: &mut F,
        alert: &Journalled,
    ) -> Result<(), StoreError> {
        if (self.live.is_full() || self.overflows) && !self.is_live(flash, alert.seq)? {
            return Err(StoreError::Full);
        }
        let entry = Entry::Alert(*alert);
        let mut slot = self.tail.write(flash, &self.halves, &entry)?;
        if slot.is_none() {
            self.carry_over(flash, None)?;
            slot = self.tail.write(flash, &self.halves, &entry)?;
        }
        self.keep(Live { seq: alert.seq, slot: slot.ok_or(StoreError::Full)? });
        Ok(())
    }

    /// As of [`super::Store::outcome`]. Cost: as of [`Journal::append`]; nothing for an alert that is not live.
    pub(super) fn outcome<F: NorFlash>(&mut self, flash: &mut F, seq: Seq) -> Result<(), StoreError> {
        if !self.is_live(flash, seq)? {
            return Ok(());
        }
        match self.tail.write(flash, &self.halves, &Entry::Outcome(seq))? {
            Some(_) if self.overflows => self.replay(flash),
            Some(_) => {
                self.forget(seq);
                Ok(())
            }
            // What is not carried over is settled too, and there is always room for it.
            None => self.carry_over(flash, Some(seq)),
        }
    }

    /// As of [`super::Store::next_open`]. Cost: one record is read.
    pub(super) fn next_open<F: NorFlash>(
        &self,
        flash: &mut F,
        after: Option<Seq>,
    ) -> Result<Option<Journalled>, StoreError> {
        match self.lowest_above(flash, after)? {
            Some(live) => self.read(flash, live).map(Some),
            None => Ok(None),
        }
    }

    /// Erases the first page that is not blank of the half that is not active; whether there was one.
    ///
    /// # Errors
    /// The device failed, or a page is not blank after it was erased. Nothing is lost.
    pub(super) fn tidy<F: NorFlash>(&mut self, flash: &mut F) -> Result<bool, StoreError> {
        let erased = !self.other_is_blank && self.halves.of(self.tail.half.other()).clear_one(flash)?;
        self.other_is_blank = !erased;
        Ok(erased)
    }

    /// Goes through the active half in the order it was written.
    fn replay<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        self.live.clear();
        self.overflows = false;
        let slots = self.halves.of(self.tail.half).slots::<F>();
        if self.tail.generation == 0 {
            // As if it were full: the first record begins the other half, when that is blank.
            self.tail.next = slots;
            return Ok(());
        }
        for slot in 0..slots {
            let mut buffer = BUFFER;
            let found = self.halves.of(self.tail.half).look(flash, slot, &mut buffer)?;
            if !matches!(found, Found::Blank) {
                self.tail.next = slot.saturating_add(1);
            }
            match self.tail.entry(&found) {
                Some(Entry::Alert(alert) | Entry::Carried(alert)) => self.keep(Live { seq: alert.seq, slot }),
                Some(Entry::Outcome(seq)) => self.forget(seq),
                Some(Entry::Complete) | None => {}
            }
        }
        if self.overflows { self.refill(flash) } else { Ok(()) }
    }

    /// Looks whether those that are live in the end have room, where there were more on the way.
    fn refill<F: NorFlash>(&mut self, flash: &mut F) -> Result<(), StoreError> {
        self.live.clear();
        let mut after = None;
        while let Some(live) = self.lowest_above(flash, after)? {
            if self.live.push(live).is_err() {
                return Ok(());
            }
            after = Some(live.seq);
        }
        self.overflows = false;
        Ok(())
    }

    /// Makes the other half the active one, without the alert that is just settled. Until its last record reads
    /// back, nothing is changed for whoever mounts.
    fn carry_over<F: NorFlash>(&mut self, flash: &mut F, settled: Option<Seq>) -> Result<(), StoreError> {
        let half = self.tail.half.other();
        if !self.other_is_blank {
            self.halves.of(half).clear(flash)?;
        }
        self.other_is_blank = false;
        let generation = self.tail.generation.checked_add(1).ok_or(StoreError::Device)?;
        let mut tail = Tail { half, generation, next: 0 };
        let mut after = None;
        while let Some(live) = self.lowest_above(flash, after)? {
            after = Some(live.seq);
            if after != settled {
                let entry = Entry::Carried(self.read(flash, live)?);
                tail.write(flash, &self.halves, &entry)?.ok_or(StoreError::Full)?;
            }
        }
        tail.write(flash, &self.halves, &Entry::Complete)?.ok_or(StoreError::Full)?;
        self.tail = tail;
        self.replay(flash)
    }

    /// The live alert with the lowest number above `after`, and where its last record stands.
    fn lowest_above<F: NorFlash>(
        &self,
        flash: &mut F,
        after: Option<Seq>,
    ) -> Result<Option<Live>, StoreError> {
        let is_above = |seq| after.is_none_or(|after| seq > after);
        if !self.overflows {
            return Ok(self
                .live
                .iter()
                .copied()
                .filter(|live| is_above(live.seq))
                .min_by_key(|live| live.seq));
        }
        let mut lowest: Option<Live> = None;
        for slot in 0..self.tail.next {
            let mut buffer = BUFFER;
            let found = self.halves.of(self.tail.half).look(flash, slot, &mut buffer)?;
            let Some(Entry::Alert(Journalled { seq, .. }) | Entry::Carried(Journalled { seq, .. })) =
                self.tail.entry(&found)
            else {
                continue;
            };
            let is_lowest = is_above(seq) && lowest.is_none_or(|lowest| seq < lowest.seq);
            if is_lowest && self.is_last(flash, seq, slot)? {
                lowest = Some(Live { seq, slot });
            }
        }
        Ok(lowest)
    }

    /// Whether nothing is said of an alert behind this slot.
    fn is_last<F: NorFlash>(&self, flash: &mut F, seq: Seq, slot: u32) -> Result<bool, StoreError> {
        for later in slot.saturating_add(1)..self.tail.next {
            let mut buffer = BUFFER;
            let found = self.halves.of(self.tail.half).look(flash, later, &mut buffer)?;
            if self.tail.entry(&found).and_then(|entry| entry.seq()) == Some(seq) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn is_live<F: NorFlash>(&self, flash: &mut F, seq: Seq) -> Result<bool, StoreError> {
        let before = Seq::new(seq.number().saturating_sub(1));
        Ok(self.lowest_above(flash, before)?.is_some_and(|live| live.seq == seq))
    }

    fn read<F: NorFlash>(&self, flash: &mut F, live: Live) -> Result<Journalled, StoreError> {
        let mut buffer = BUFFER;
        let found = self.halves.of(self.tail.half).look(flash, live.slot, &mut buffer)?;
        match self.tail.entry(&found) {
            Some(Entry::Alert(alert) | Entry::Carried(alert)) if alert.seq == live.seq => Ok(alert),
            _ => Err(StoreError::Device),
        }
    }

    fn keep(&mut self, new: Live) {
        match self.live.iter_mut().find(|live| live.seq == new.seq) {
            Some(live) => *live = new,
            None => self.overflows |= self.live.push(new).is_err(),
        }
    }

    fn forget(&mut self, seq: Seq) {
        self.live.retain(|live| live.seq != seq);
    }
}

impl Tail {
    /// What a slot of this half says; nothing where it is of another generation, which decay alone can bring there.
    fn entry(&self, found: &Found<'_>) -> Option<Entry> {
        let Found::Whole(payload) = found else { return None };
        let (generation, entry) = Entry::decode(payload)?;
        (generation == self.generation).then_some(entry)
    }

    /// Writes a record and reads it back; none where the half is full.
    fn write<F: NorFlash>(
        &mut self,
        flash: &mut F,
        halves: &Pair,
        entry: &Entry,
    ) -> Result<Option<u32>, StoreError> {
        let area = halves.of(self.half);
        for _ in 0..FLASH_TRIES_MAX {
            let slot = self.next;
            if slot >= area.slots::<F>() {
                return Ok(None);
            }
            self.next = slot.saturating_add(1);
            if entry.put(flash, area, slot, self.generation)? {
                return Ok(Some(slot));
            }
        }
        Err(StoreError::Device)
    }
}

/// Whether an area is complete, and its generation: what is higher counts.
///
/// A half that is not complete is better than none. No cut leaves that, but where the one record that completed it
/// has decayed, everything that was carried over still stands there.
fn standing<F: NorFlash>(flash: &mut F, area: &Area) -> Result<(bool, u32), StoreError> {
    let mut highest = (false, 0);
    for slot in 0..area.slots::<F>() {
        let mut buffer = BUFFER;
        let Found::Whole(payload) = area.look(flash, slot, &mut buffer)? else { continue };
        let Some((generation, entry)) = Entry::decode(payload) else { continue };
        highest = highest.max((!matches!(entry, Entry::Carried(_)), generation));
    }
    Ok(highest)
}
