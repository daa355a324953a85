//! What is known from outside of a store that may be cut at any moment: each thing is one of a few that it may be.

use std::collections::BTreeMap;
use std::task::Poll;

use alertbus::Seq;
use alertbus::limits::NOTE_LEN;
use alertbus::message::{Content, Epoch, EventKey};
use alertbus::store::{
    Birth, FlashStore, Journalled, Keep, Layout, Note, Recovered, Series, SirenStore, Store, StoreError,
};

use crate::flash::Flash;

/// How every store here is born.
pub(crate) const BIRTH: Birth = Birth { epoch: Epoch(5), flash_seq: 40, other_seq: 1 };

/// Where the mark stands: in the page before the store's own.
pub(crate) const USED: u32 = 64;

/// A store on flash, whichever.
pub(crate) trait Machine: Store + Sized {
    type Device: Clone;
    /// Pages of its device, the one with the mark included.
    const PAGES: usize;
    const KEEPS_NOTES: bool = false;

    fn mount(device: Self::Device) -> Self;

    /// The note, where it keeps one.
    fn note(&mut self) -> Poll<Result<Option<Note>, StoreError>> {
        Poll::Ready(Ok(None))
    }

    fn keep_note(&mut self, _: &Note) -> Poll<Result<(), StoreError>> {
        Poll::Ready(Ok(()))
    }
}

fn layout(pages: usize, page_len: usize) -> Layout {
    let base = u32::try_from(page_len).unwrap();
    Layout { used: USED, base, pages: u32::try_from(pages - 1).unwrap() }
}

impl<const WRITE: usize, const ERASE: usize, const OPEN: usize> Machine
    for FlashStore<Flash<WRITE, ERASE>, OPEN>
{
    type Device = Flash<WRITE, ERASE>;
    const PAGES: usize = 1 + 2 + 2 * (OPEN + 4) * 64_usize.div_ceil(ERASE);

    fn mount(device: Self::Device) -> Self {
        Self::new(device, layout(Self::PAGES, ERASE), BIRTH).unwrap()
    }
}

impl<const WRITE: usize, const ERASE: usize> Machine for SirenStore<Flash<WRITE, ERASE>> {
    type Device = Flash<WRITE, ERASE>;
    const PAGES: usize = 1 + 2 + 2;
    const KEEPS_NOTES: bool = true;

    fn mount(device: Self::Device) -> Self {
        Self::new(device, layout(Self::PAGES, ERASE), BIRTH).unwrap()
    }

    fn note(&mut self) -> Poll<Result<Option<Note>, StoreError>> {
        self.load()
    }

    fn keep_note(&mut self, note: &Note) -> Poll<Result<(), StoreError>> {
        self.keep(note)
    }
}

/// What is done with it.
#[derive(Clone, Copy, Debug)]
pub(crate) enum Action {
    Recover,
    /// Reserves so many more.
    Reserve(Series, u32),
    NextEpoch,
    /// Journals an alert under a new number.
    Raise,
    /// Journals the live alert of this rank once more, with another content.
    Replace(usize),
    /// Settles the live alert of this rank, or one that never was.
    Settle(usize),
    Keep,
    Tidy,
    /// Reads what is live, and the note.
    Read,
}

/// Epoch, and the first number that is not reserved of each series.
type Numbers = [u32; 4];

/// What an alert may be: settled or never journalled, or live with this content.
type Kept = Option<Journalled>;

#[derive(Clone)]
pub(crate) struct Promise {
    numbers: Vec<Numbers>,
    /// The boot that was answered last, and how many there may have been.
    boot: u32,
    boots: u32,
    alerts: BTreeMap<Seq, Vec<Kept>>,
    notes: Vec<Option<Note>>,
    /// The number of the next alert.
    next: u32,
    /// Makes each content another.
    turn: u8,
}

impl Promise {
    pub(crate) fn new() -> Self {
        let Birth { epoch, flash_seq, other_seq } = BIRTH;
        Self {
            numbers: vec![[epoch.0, 1, flash_seq, other_seq]],
            boot: 0,
            boots: 0,
            alerts: BTreeMap::new(),
            notes: vec![None],
            next: 0,
            turn: 0,
        }
    }

    /// Asks the store, and holds its answer against what was promised. `before` is called when it is known what the
    /// store is asked, and nothing yet of its answer.
    pub(crate) fn ask<S: Machine>(
        &mut self,
        store: &mut S,
        action: Action,
        before: impl FnOnce(&Self),
    ) -> Result<(), String> {
        self.turn = self.turn.wrapping_add(1);
        match action {
            Action::Recover => {
                self.boots += TRIES;
                before(self);
                let recovered = done(|| store.recover())?;
                self.recovered(&recovered)
            }
            Action::Reserve(series, more) => {
                let which = [Series::UpCounter, Series::FlashSeq, Series::OtherSeq]
                    .iter()
                    .position(|&other| other == series)
                    .unwrap();
                let mut numbers = self.known()?;
                numbers[1 + which] += more;
                self.count(numbers, before, || store.reserve(series, numbers[1 + which]))
            }
            Action::NextEpoch => {
                let [epoch, _, flash, other] = self.known()?;
                let numbers = [epoch + 1, 1, flash, other];
                self.count(numbers, before, || store.begin_epoch(Epoch(epoch + 1)))
            }
            Action::Raise => {
                let Some(seq) = Seq::new(self.next) else { return Err("nothing is recovered".into()) };
                if self.next >= self.known()?[2] {
                    return Err(format!("the script raises {} alerts too many", self.turn));
                }
                self.next += 1;
                self.alerts.insert(seq, vec![None]);
                self.append(store, seq, before)
            }
            Action::Replace(rank) => match self.live(rank) {
                Some(seq) => self.append(store, seq, before),
                None => Ok(()),
            },
            Action::Settle(rank) => {
                let seq = self.live(rank).unwrap_or(Seq::FIRST);
                if let Some(kept) = self.alerts.get_mut(&seq) {
                    kept.push(None);
                }
                before(self);
                done(|| store.outcome(seq))?;
                self.alerts.remove(&seq);
                Ok(())
            }
            Action::Keep if !S::KEEPS_NOTES => Ok(()),
            Action::Keep => {
                let note = [self.turn; NOTE_LEN];
                self.notes.push(Some(note));
                before(self);
                done(|| store.keep_note(&note))?;
                self.notes = vec![Some(note)];
                Ok(())
            }
            Action::Tidy => {
                before(self);
                done(|| store.tidy())
            }
            Action::Read => {
                before(self);
                self.read(store)
            }
        }
    }

    fn count(
        &mut self,
        numbers: Numbers,
        before: impl FnOnce(&Self),
        ask: impl FnMut() -> Poll<Result<(), StoreError>>,
    ) -> Result<(), String> {
        self.numbers.push(numbers);
        before(self);
        done(ask)?;
        self.numbers = vec![numbers];
        Ok(())
    }

    fn append<S: Machine>(
        &mut self,
        store: &mut S,
        seq: Seq,
        before: impl FnOnce(&Self),
    ) -> Result<(), String> {
        let key = (!self.turn.is_multiple_of(3)).then_some(EventKey(u16::from(self.turn) << 8 | 0xff));
        let content = Content::from_slice(&vec![self.turn; usize::from(self.turn) % 29]).unwrap();
        let alert = Journalled { seq, key, content };
        self.alerts.entry(seq).or_default().push(Some(alert));
        before(self);
        done(|| store.append(&alert))?;
        self.alerts.insert(seq, vec![Some(alert)]);
        Ok(())
    }

    /// The numbers, once the store has answered with them.
    fn known(&self) -> Result<Numbers, String> {
        match self.numbers[..] {
            [numbers] => Ok(numbers),
            _ => Err("the script goes on before it has recovered".into()),
        }
    }

    fn live(&self, rank: usize) -> Option<Seq> {
        self.alerts.iter().filter(|(_, kept)| kept.iter().any(Option::is_some)).nth(rank).map(|(&seq, _)| seq)
    }

    fn recovered(&mut self, recovered: &Recovered) -> Result<(), String> {
        let &Recovered { epoch, boot, up_counter, flash_seq, other_seq } = recovered;
        let numbers = [epoch.0, up_counter, flash_seq, other_seq];
        if !self.numbers.contains(&numbers) {
            return Err(format!("recovered {numbers:?}, promised {:?}", self.numbers));
        }
        let boot = u32::from(boot);
        if boot <= self.boot || boot > self.boots {
            return Err(format!("boot {boot} after boot {} of {}", self.boot, self.boots));
        }
        (self.numbers, self.boot, self.boots, self.next) = (vec![numbers], boot, boot, flash_seq);
        Ok(())
    }

    fn read<S: Machine>(&mut self, store: &mut S) -> Result<(), String> {
        if S::DURABLE {
            let mut found = BTreeMap::new();
            let mut after = None;
            while let Some(alert) = done(|| store.next_open(after))? {
                if after.is_some_and(|after| alert.seq <= after) {
                    return Err("open alerts do not come in the order of their numbers".into());
                }
                after = Some(alert.seq);
                found.insert(alert.seq, alert);
            }
            for (seq, kept) in &self.alerts {
                if !kept.contains(&found.get(seq).copied()) {
                    return Err(format!("alert {seq:?} is {:?}, promised {kept:?}", found.get(seq)));
                }
            }
            if let Some(seq) = found.keys().find(|seq| !self.alerts.contains_key(seq)) {
                return Err(format!("alert {seq:?} is live, and was settled or never raised"));
            }
            self.alerts = found.into_iter().map(|(seq, alert)| (seq, vec![Some(alert)])).collect();
        }
        let note = done(|| store.note())?;
        if !self.notes.contains(&note) {
            return Err(format!("the note is {:?}", note.map(|note| note[0])));
        }
        self.notes = vec![note];
        Ok(())
    }
}

/// How often a store that fails is asked again.
const TRIES: u32 = 3;

fn done<T>(mut ask: impl FnMut() -> Poll<Result<T, StoreError>>) -> Result<T, String> {
    let mut tries = 0;
    for _ in 0..1_000 {
        match ask() {
            Poll::Pending => {}
            Poll::Ready(Ok(answer)) => return Ok(answer),
            Poll::Ready(Err(error)) => {
                tries += 1;
                if tries >= TRIES || error != StoreError::Device {
                    return Err(error.to_string());
                }
            }
        }
    }
    Err("the store answers `Pending` for ever".into())
}
