//! A node's memory on flash: counters and journal.

use core::fmt;
use core::task::Poll;

use embedded_storage::nor_flash::NorFlash;

use super::counter_log::{Birth, CounterLog};
use super::journal::Journal;
use super::layout::{Layout, LayoutError};
use super::{Journalled, Recovered, Series, Store, StoreError};
use crate::message::{Epoch, Seq};

/// A node's memory on a NOR flash: its numbers, and at most `OPEN` live Flash alerts at once.
///
/// Two pages hold the counters, the rest of [`Layout::pages`] the journal in two halves. A call blocks until the
/// device is done and never answers [`Poll::Pending`], but for [`Store::tidy`] between two erases. Where that is
/// called now and then, no other call erases anything.
///
/// What a power cut leaves behind is taken as it is: any bytes can be mounted. The device must answer a read of a
/// word that was torn with bytes, whichever, not with an error.
///
/// What it does not see is an acknowledged record that decays later, if an older one is still whole: then it goes on
/// from that one. Tidying keeps the time short in which a whole page of older ones is about.
///
/// ```
/// # struct Flash([u8; 4 * 1024]);
/// # impl embedded_storage::nor_flash::ErrorType for Flash { type Error = core::convert::Infallible; }
/// # impl embedded_storage::nor_flash::ReadNorFlash for Flash {
/// #     const READ_SIZE: usize = 1;
/// #     fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Self::Error> {
/// #         Ok(bytes.copy_from_slice(&self.0[offset as usize..][..bytes.len()]))
/// #     }
/// #     fn capacity(&self) -> usize { self.0.len() }
/// # }
/// # impl embedded_storage::nor_flash::NorFlash for Flash {
/// #     const WRITE_SIZE: usize = 4;
/// #     const ERASE_SIZE: usize = 512;
/// #     fn erase(&mut self, from: u32, to: u32) -> Result<(), Self::Error> {
/// #         Ok(self.0[from as usize..to as usize].fill(0xff))
/// #     }
/// #     fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Self::Error> {
/// #         Ok(self.0[offset as usize..][..bytes.len()].copy_from_slice(bytes))
/// #     }
/// # }
/// use alertbus::message::Epoch;
/// use alertbus::store::{Birth, FlashStore, Layout, Series, Store};
/// use core::task::Poll;
///
/// // `Flash` is the board's; here one of eight pages of 512 bytes, the first of them written by provisioning.
/// let mut flash = Flash([0xff; 4096]);
/// let layout = Layout { used: 0, base: 512, pages: 6 };
/// let birth = Birth { epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
///
/// let mut store = FlashStore::<_, 8>::new(&mut flash, layout, birth).unwrap();
/// let Poll::Ready(Ok(first)) = store.recover() else { panic!() };
/// assert_eq!((first.boot, first.up_counter), (1, 1));
/// assert!(matches!(store.reserve(Series::UpCounter, 65), Poll::Ready(Ok(()))));
///
/// // The power goes and comes back.
/// let mut store = FlashStore::<_, 8>::new(&mut flash, layout, birth).unwrap();
/// let Poll::Ready(Ok(second)) = store.recover() else { panic!() };
/// assert_eq!((second.boot, second.up_counter), (2, 65));
/// ```
pub struct FlashStore<F, const OPEN: usize> {
    flash: F,
    layout: Layout,
    birth: Birth,
    counters: Option<CounterLog>,
    journal: Option<Journal<OPEN>>,
}

impl<F: NorFlash, const OPEN: usize> FlashStore<F, OPEN> {
    /// A store on `flash` at `layout`, for a node that was provisioned with `birth`. Nothing is read or written yet.
    ///
    /// # Errors
    /// What is wrong with the layout on this device.
    pub fn new(flash: F, layout: Layout, birth: Birth) -> Result<Self, LayoutError> {
        layout.check(&flash, CounterLog::PAGES.saturating_add(2))?;
        let this = Self { flash, layout, birth, counters: None, journal: None };
        let slots = Journal::<OPEN>::slots::<F>(this.half_pages());
        let needed = u32::try_from(Journal::<OPEN>::SLOTS_MIN).unwrap_or(u32::MAX);
        if slots < needed { Err(LayoutError::JournalTooShort { slots, needed }) } else { Ok(this) }
    }

    /// The counters, which are there once a boot is counted.
    fn counters(&mut self) -> Result<(&mut F, &mut CounterLog), StoreError> {
        if self.counters.is_none() {
            self.counters = Some(self.start()?);
        }
        let counters = self.counters.as_mut().ok_or(StoreError::Device)?;
        Ok((&mut self.flash, counters))
    }

    // Once in a life, and with much on the stack: not part of everything that is done later.
    #[inline(never)]
    fn start(&mut self) -> Result<CounterLog, StoreError> {
        // What is kept was numbered by this node, whatever its provisioning knows of that. Without its journal a node
        // still speaks.
        let kept = self.journal(|journal, flash| journal.highest(flash)).unwrap_or(None);
        let after = kept.map_or(1, |seq| seq.number().saturating_add(1));
        let birth = Birth { flash_seq: self.birth.flash_seq.max(after), ..self.birth };
        CounterLog::start(&mut self.flash, &self.layout, &birth)
    }

    /// Asks the journal. What failed may have been done or not, so after that it is read anew.
    fn journal<T>(
        &mut self,
        ask: impl FnOnce(&mut Journal<OPEN>, &mut F) -> Result<T, StoreError>,
    ) -> Result<T, StoreError> {
        if self.journal.is_none() {
            self.mount_journal()?;
        }
        let journal = self.journal.as_mut().ok_or(StoreError::Device)?;
        let answer = ask(journal, &mut self.flash);
        if matches!(answer, Err(StoreError::Device)) {
            self.journal = None;
        }
        answer
    }

    // As above.
    #[inline(never)]
    fn mount_journal(&mut self) -> Result<(), StoreError> {
        let base = self.layout.page::<F>(CounterLog::PAGES);
        let half_pages = self.half_pages();
        self.journal = Some(Journal::mount(&mut self.flash, base, half_pages)?);
        Ok(())
    }

    const fn half_pages(&self) -> u32 {
        self.layout.pages.saturating_sub(CounterLog::PAGES) / 2
    }
}

impl<F: NorFlash, const OPEN: usize> Store for FlashStore<F, OPEN> {
    const DURABLE: bool = true;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        Poll::Ready(self.counters().map(|(_, counters)| counters.recovered()))
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.counters().and_then(|(flash, counters)| counters.reserve(flash, series, end)))
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.counters().and_then(|(flash, counters)| counters.begin_epoch(flash, epoch)))
    }

    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.journal(|journal, flash| journal.append(flash, alert)))
    }

    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>> {
        Poll::Ready(self.journal(|journal, flash| journal.outcome(flash, seq)))
    }

    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        Poll::Ready(self.journal(|journal, flash| journal.next_open(flash, after)))
    }

    fn tidy(&mut self) -> Poll<Result<(), StoreError>> {
        let erased = match &mut self.counters {
            Some(counters) => counters.tidy(&mut self.flash)?,
            None => false,
        };
        if erased || self.journal(Journal::tidy)? { Poll::Pending } else { Poll::Ready(Ok(())) }
    }
}

impl<F, const OPEN: usize> fmt::Debug for FlashStore<F, OPEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("FlashStore")
            .field("counters", &self.counters)
            .field("journal", &self.journal)
            .finish_non_exhaustive()
    }
}

#[cfg(feature = "defmt")]
impl<F, const OPEN: usize> defmt::Format for FlashStore<F, OPEN> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "{}", self.counters.as_ref().map(CounterLog::recovered));
    }
}
