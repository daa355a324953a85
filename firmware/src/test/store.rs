//! A node's store on a flash in memory, whose power goes at every word that is written and every page that is erased,
//! and leaves each of them torn in five ways. After every cut what was promised is still so.

#![no_std]
#![no_main]

use core::cell::RefCell;
use core::task::Poll;

use alertbus::Seq;
use alertbus::message::{Content, Epoch};
use alertbus::store::{Birth, FlashStore, Journalled, Layout, Recovered, Series, Store, StoreError};
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

use alertbus_firmware::testing::{self, Draws, Fingerprint};

const PAGE_LEN: usize = 256;
/// One with the mark, two of counters, two halves of a journal.
const PAGES: usize = 1 + 2 + 4;
const WORD_LEN: usize = 4;
/// Live alerts at once.
const OPEN: usize = 2;

const BIRTH: Birth = Birth { epoch: Epoch(5), flash_seq: 40, other_seq: 1 };
const LAYOUT: Layout = Layout { used: 64, base: PAGE_LEN as u32, pages: PAGES as u32 - 1 };

#[entry]
fn main() -> ! {
    testing::run(|| {
        for tear in [Tear::Nothing, Tear::Whole, Tear::FirstHalf, Tear::SecondHalf, Tear::Bits] {
            let (mut cuts, mut recovered) = (0, Fingerprint::new());
            while live_and_die(cuts, tear, &mut recovered) {
                cuts += 1;
            }
            hprintln!("{:?}: {} cuts, {:016x}", tear, cuts, recovered.value());
        }
    })
}

/// What the power leaves of a word or a page in whose midst it goes.
#[derive(Clone, Copy, Debug)]
enum Tear {
    Nothing,
    Whole,
    FirstHalf,
    SecondHalf,
    Bits,
}

/// What is known from outside of a store.
struct Promise {
    up_counter: u32,
    flash_seq: u32,
    /// Each may be settled, live, or either, where it was being written when the power went.
    alerts: [Option<(u32, Standing)>; OPEN + 1],
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Standing {
    Live,
    Unknown,
}

/// A life that is cut at word or page `cut`, and the start after it. False where the life ends before.
fn live_and_die(cut: u32, tear: Tear, recovered: &mut Fingerprint) -> bool {
    let chip = RefCell::new(Chip::new(cut, tear));
    let mut promise = Promise { up_counter: 1, flash_seq: 40, alerts: [None; OPEN + 1] };
    let lived = live(&chip, &mut promise);
    if lived.is_ok() {
        return false;
    }
    chip.borrow_mut().cut_after = None;
    chip.borrow_mut().is_off = false;
    let mut store = mount(&chip);
    let Ok(start) = ready(store.recover()) else { panic!("cut {cut}, {tear:?}: no start") };
    check(cut, &promise, &start, &mut store);
    recovered.feed(&start.up_counter.to_be_bytes());
    recovered.feed(&start.boot.to_be_bytes());
    // It is as good as ever.
    let go_on = live(&chip, &mut Promise { alerts: promise.alerts, ..promise });
    assert!(go_on.is_ok(), "cut {cut}, {tear:?}: it does not go on");
    true
}

/// Starts, and does enough that the counters change their page and the journal its half.
fn live(chip: &RefCell<Chip>, promise: &mut Promise) -> Result<(), StoreError> {
    let mut store = mount(chip);
    let start = ready(store.recover())?;
    assert!(start.up_counter >= promise.up_counter && start.flash_seq >= promise.flash_seq);
    let mut after = None;
    while let Some(alert) = ready(store.next_open(after))? {
        settle(&mut store, promise, alert.seq.number())?;
        after = Some(alert.seq);
    }
    for step in 0..7 {
        let end = start.up_counter + 64 * (step + 1);
        ready(store.reserve(Series::UpCounter, end))?;
        promise.up_counter = end;
        let seq = start.flash_seq + step;
        ready(store.reserve(Series::FlashSeq, seq + 1))?;
        promise.flash_seq = seq + 1;
        raise(&mut store, promise, seq)?;
        if step % 2 == 1 {
            settle(&mut store, promise, seq - 1)?;
            settle(&mut store, promise, seq)?;
        }
        while store.tidy().is_pending() {}
    }
    Ok(())
}

fn raise(store: &mut impl Store, promise: &mut Promise, seq: u32) -> Result<(), StoreError> {
    let Some(place) = promise.alerts.iter_mut().find(|place| place.is_none()) else { panic!("no room") };
    *place = Some((seq, Standing::Unknown));
    ready(store.append(&alert(seq)))?;
    *place = Some((seq, Standing::Live));
    Ok(())
}

fn settle(store: &mut impl Store, promise: &mut Promise, seq: u32) -> Result<(), StoreError> {
    let place = promise.alerts.iter_mut().find(|place| place.is_some_and(|(number, _)| number == seq));
    let Some(place) = place else { panic!("{seq} is live and was never raised, or is settled") };
    *place = Some((seq, Standing::Unknown));
    let number = Seq::new(seq).unwrap_or(Seq::FIRST);
    ready(store.outcome(number))?;
    *place = None;
    Ok(())
}

/// Numbers stand no lower than was promised; what was durable is there, whole, and nothing that was settled.
fn check(cut: u32, promise: &Promise, start: &Recovered, store: &mut impl Store) {
    assert_eq!(start.epoch, BIRTH.epoch);
    assert!(start.up_counter >= promise.up_counter, "cut {cut}: a counter comes again");
    assert!(start.flash_seq >= promise.flash_seq, "cut {cut}: a number comes again");
    let mut after = None;
    let mut found = [false; OPEN + 1];
    while let Ok(Some(open)) = ready(store.next_open(after)) {
        let seq = open.seq.number();
        let at = promise.alerts.iter().position(|place| place.is_some_and(|(number, _)| number == seq));
        let Some(at) = at else { panic!("cut {cut}: {seq} is settled and comes again") };
        assert_eq!(open, alert(seq), "cut {cut}");
        found[at] = true;
        after = Some(open.seq);
    }
    for (place, found) in promise.alerts.iter().zip(found) {
        let lost = matches!(place, Some((_, Standing::Live))) && !found;
        assert!(!lost, "cut {cut}: a durable alert is lost");
    }
}

fn alert(seq: u32) -> Journalled {
    let [.., low] = seq.to_be_bytes();
    let Some(content) = Content::from_slice(&[low; 24]) else { panic!("too long") };
    Journalled { seq: Seq::new(seq).unwrap_or(Seq::FIRST), key: None, content }
}

fn mount(chip: &RefCell<Chip>) -> FlashStore<Device<'_>, OPEN> {
    match FlashStore::new(Device(chip), LAYOUT, BIRTH) {
        Ok(store) => store,
        Err(error) => panic!("{error}"),
    }
}

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store on flash is done at once"),
    }
}

struct Chip {
    bytes: [u8; PAGES * PAGE_LEN],
    /// Words and pages until the power goes.
    cut_after: Option<u32>,
    tear: Tear,
    is_off: bool,
    draws: Draws,
}

/// The chip as a node has it; whoever turns the power off keeps another.
#[derive(Clone, Copy)]
struct Device<'c>(&'c RefCell<Chip>);

/// The power is off.
#[derive(Clone, Copy, Debug)]
struct PowerOff;

impl Chip {
    fn new(cut: u32, tear: Tear) -> Self {
        let draws = Draws(u64::from(cut));
        Self { bytes: [0xff; PAGES * PAGE_LEN], cut_after: Some(cut), tear, is_off: false, draws }
    }

    /// Changes a word or a page, or what the power lasts for of it.
    fn change(&mut self, from: usize, len: usize, becomes: impl Fn(usize, u8) -> u8) -> Result<(), PowerOff> {
        if self.is_off {
            return Err(PowerOff);
        }
        self.is_off = self.cut_after == Some(0);
        self.cut_after = self.cut_after.map(|after| after.saturating_sub(1));
        for at in 0..len {
            let old = self.bytes[from + at];
            let new = becomes(at, old);
            let mask: u8 = match self.tear {
                _ if !self.is_off => 0xff,
                Tear::Nothing => 0,
                Tear::Whole => 0xff,
                Tear::FirstHalf => {
                    if at < len / 2 {
                        0xff
                    } else {
                        0
                    }
                }
                Tear::SecondHalf => {
                    if at < len / 2 {
                        0
                    } else {
                        0xff
                    }
                }
                Tear::Bits => self.draws.below(256) as u8,
            };
            self.bytes[from + at] = (new & mask) | (old & !mask);
        }
        if self.is_off { Err(PowerOff) } else { Ok(()) }
    }
}

impl NorFlashError for PowerOff {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl ErrorType for Device<'_> {
    type Error = PowerOff;
}

impl ReadNorFlash for Device<'_> {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), PowerOff> {
        let chip = self.0.borrow();
        if chip.is_off {
            return Err(PowerOff);
        }
        let from = offset as usize;
        bytes.copy_from_slice(&chip.bytes[from..from + bytes.len()]);
        Ok(())
    }

    fn capacity(&self) -> usize {
        PAGES * PAGE_LEN
    }
}

impl NorFlash for Device<'_> {
    const WRITE_SIZE: usize = WORD_LEN;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), PowerOff> {
        let mut chip = self.0.borrow_mut();
        (from as usize..to as usize)
            .step_by(PAGE_LEN)
            .try_for_each(|page| chip.change(page, PAGE_LEN, |_, _| 0xff))
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), PowerOff> {
        let mut chip = self.0.borrow_mut();
        (offset as usize..).step_by(WORD_LEN).zip(bytes.chunks(WORD_LEN)).try_for_each(|(at, word)| {
            // Programming only ever clears bits.
            chip.change(at, word.len(), |byte, old| old & word[byte])
        })
    }
}
