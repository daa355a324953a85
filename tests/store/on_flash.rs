//! The stores on flash, each in its own words: what the suite asks of all, what was torn, what decayed.

use std::task::Poll;

use alertbus::Seq;
use alertbus::limits::{NOTE_LEN, SEQ_MAX, UP_COUNTER_MAX};
use alertbus::message::{Content, Epoch};
use alertbus::store::{
    Birth, FlashStore, Journalled, Keep, Layout, LayoutError, Recovered, Series, SirenStore, Store,
    StoreError,
};

use crate::conformance::{Bench, check};
use crate::flash::{Dice, Fault, Flash, Tear};
use crate::promise::{BIRTH, Machine, USED};

/// A device of either store, switched off and on.
struct On<S: Machine>(S::Device);

impl<const WRITE: usize, const ERASE: usize, const OPEN: usize> Bench
    for On<FlashStore<Flash<WRITE, ERASE>, OPEN>>
{
    type Store = FlashStore<Flash<WRITE, ERASE>, OPEN>;
    const OPEN_MAX: usize = OPEN;

    fn power_on(&mut self) -> Self::Store {
        Self::Store::mount(self.0.clone())
    }
}

impl<const WRITE: usize, const ERASE: usize> Bench for On<SirenStore<Flash<WRITE, ERASE>>> {
    type Store = SirenStore<Flash<WRITE, ERASE>>;

    fn power_on(&mut self) -> Self::Store {
        Self::Store::mount(self.0.clone())
    }
}

fn conforms<const WRITE: usize, const ERASE: usize, S>()
where
    S: Machine<Device = Flash<WRITE, ERASE>>,
    On<S>: Bench,
{
    for seed in 0..200 {
        let device = Flash::blank(S::PAGES);
        check(&mut On::<S>(device), seed)
            .unwrap_or_else(|why| panic!("words of {WRITE}, seed {seed}: {why}"));
    }
}

#[test]
fn stores_on_flash_conform_whatever_the_device_writes_and_erases_at_once() {
    conforms::<1, 128, FlashStore<Flash<1, 128>, 5>>();
    conforms::<4, 128, FlashStore<Flash<4, 128>, 5>>();
    conforms::<8, 256, FlashStore<Flash<8, 256>, 2>>();
    conforms::<32, 512, FlashStore<Flash<32, 512>, 12>>();
    conforms::<4, 4096, FlashStore<Flash<4, 4096>, 16>>();
    conforms::<1, 128, SirenStore<Flash<1, 128>>>();
    conforms::<16, 256, SirenStore<Flash<16, 256>>>();
}

type Device = Flash<8, 256>;
type Node = FlashStore<Device, 3>;
type Siren = SirenStore<Device>;

fn ready<T>(poll: Poll<T>) -> T {
    match poll {
        Poll::Ready(answer) => answer,
        Poll::Pending => panic!("a store on flash answers at once"),
    }
}

fn alert(number: u32, byte: u8) -> Journalled {
    let content = Content::from_slice(&[byte; 20]).unwrap();
    Journalled { seq: Seq::new(number).unwrap(), key: None, content }
}

fn live(store: &mut impl Store) -> Vec<u32> {
    let mut after = None;
    let mut found = Vec::new();
    while let Some(alert) = ready(store.next_open(after)).unwrap() {
        after = Some(alert.seq);
        found.push(alert.seq.number());
    }
    found
}

/// Spoils a page of the device.
fn corrupt(device: &Device, page: usize) {
    let mut chip = device.0.borrow_mut();
    for byte in &mut chip.bytes[page * 256..][..256] {
        *byte ^= 0x55;
    }
}

#[test]
fn a_first_boot_begins_where_provisioning_says_and_sets_the_mark() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    let first = Recovered { epoch: Epoch(5), boot: 1, up_counter: 1, flash_seq: 40, other_seq: 1 };
    assert_eq!(ready(store.recover()), Ok(first));
    assert_eq!(ready(store.recover()), Ok(first));
    assert_ne!(device.0.borrow().bytes[USED as usize..][..8], [0xff; 8]);
    assert_eq!(ready(Node::mount(device).recover()), Ok(Recovered { boot: 2, ..first }));
}

#[test]
fn a_corrupt_old_counter_page_changes_nothing() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    for end in (64..).step_by(64).take(8) {
        ready(store.reserve(Series::UpCounter, end)).unwrap();
    }
    // Eight records fill the first page, the ninth is in the second.
    corrupt(&device, 1);
    let recovered = ready(Node::mount(device).recover()).unwrap();
    assert_eq!((recovered.up_counter, recovered.boot), (512, 2));
}

#[test]
fn counters_that_are_lost_silence_the_node_until_it_is_provisioned_anew() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    for end in (64..).step_by(64).take(8) {
        ready(store.reserve(Series::UpCounter, end)).unwrap();
    }
    ready(store.append(&alert(55, 1))).unwrap();
    while store.tidy().is_pending() {}
    // The page that the newest record has left is blank now, so that nothing older can be taken for it.
    corrupt(&device, 2);
    for _ in 0..3 {
        assert_eq!(ready(Node::mount(device.clone()).recover()), Err(StoreError::CounterLost));
    }
    // A birth with a higher epoch alone is not enough: the mark says that the numbers were used.
    let layout = layout();
    let birth = Birth { epoch: Epoch(6), flash_seq: 50, other_seq: 7 };
    let mut store = Node::new(device.clone(), layout, birth).unwrap();
    assert_eq!(ready(store.recover()), Err(StoreError::CounterLost));
    // What was journalled is still there.
    assert_eq!(live(&mut store), [55]);

    device.0.borrow_mut().bytes[..256].fill(0xff);
    let mut store = Node::new(device, layout, birth).unwrap();
    let reborn = Recovered { epoch: Epoch(6), boot: 1, up_counter: 1, flash_seq: 56, other_seq: 7 };
    assert_eq!(ready(store.recover()), Ok(reborn), "no number of a kept alert is given again");
}

fn layout() -> Layout {
    Layout { used: USED, base: 256, pages: u32::try_from(Node::PAGES - 1).unwrap() }
}

#[test]
fn both_counter_pages_corrupt_and_the_mark_set_is_counter_lost() {
    let device = Device::blank(Siren::PAGES);
    let mut store = Siren::mount(device.clone());
    ready(store.reserve(Series::OtherSeq, 90)).unwrap();
    corrupt(&device, 1);
    corrupt(&device, 2);
    let mut store = Siren::mount(device);
    assert_eq!(ready(store.recover()), Err(StoreError::CounterLost));
    assert_eq!(ready(store.reserve(Series::UpCounter, 64)), Err(StoreError::CounterLost));
}

#[test]
fn garbage_and_no_mark_is_a_first_boot() {
    let device = Device::blank(Node::PAGES);
    (1..Node::PAGES).for_each(|page| corrupt(&device, page));
    let mut store = Node::mount(device.clone());
    assert_eq!(ready(store.recover()).map(|recovered| recovered.up_counter), Ok(1));
    ready(store.append(&alert(40, 9))).unwrap();
    assert_eq!(live(&mut Node::mount(device)), [40]);
}

#[test]
fn a_birth_without_an_epoch_is_refused() {
    let birth = Birth { epoch: Epoch(0), ..BIRTH };
    let mut store = Node::new(Device::blank(Node::PAGES), layout(), birth).unwrap();
    assert_eq!(ready(store.recover()), Err(StoreError::CounterLost));
}

#[test]
fn a_later_birth_begins_its_epoch_and_an_older_one_changes_nothing() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    ready(store.reserve(Series::UpCounter, 640)).unwrap();
    ready(store.reserve(Series::OtherSeq, 30)).unwrap();
    let recover = |epoch, flash_seq, other_seq| {
        let birth = Birth { epoch: Epoch(epoch), flash_seq, other_seq };
        let Recovered { epoch, up_counter, flash_seq, other_seq, .. } =
            ready(Node::new(device.clone(), layout(), birth).unwrap().recover()).unwrap();
        [epoch.0, up_counter, flash_seq, other_seq]
    };
    assert_eq!(recover(5, 900, 900), [5, 640, 40, 30]);
    assert_eq!(recover(4, 900, 900), [5, 640, 40, 30]);
    assert_eq!(recover(9, 50, 20), [9, 1, 50, 30]);
    assert_eq!(recover(8, 0, u32::MAX), [9, 1, 50, 30]);
    assert_eq!(recover(u32::MAX, 0, u32::MAX), [u32::MAX, 1, 50, SEQ_MAX]);
}

#[test]
fn a_series_ends_where_its_numbers_do() {
    let mut store = Node::mount(Device::blank(Node::PAGES));
    for (series, end) in
        [(Series::UpCounter, UP_COUNTER_MAX), (Series::FlashSeq, SEQ_MAX), (Series::OtherSeq, SEQ_MAX)]
    {
        assert_eq!(ready(store.reserve(series, end + 1)), Err(StoreError::Spent));
        assert_eq!(ready(store.reserve(series, end)), Ok(()));
        assert_eq!(ready(store.reserve(series, 3)), Ok(()), "a lower end changes nothing");
    }
    let Recovered { up_counter, flash_seq, other_seq, .. } = ready(store.recover()).unwrap();
    assert_eq!([up_counter, flash_seq, other_seq], [UP_COUNTER_MAX, SEQ_MAX, SEQ_MAX]);
    // A new epoch begins new packet counters, and no other series.
    assert_eq!(ready(store.begin_epoch(Epoch(6))), Ok(()));
    assert_eq!(ready(store.recover()).map(|recovered| recovered.up_counter), Ok(1));
}

#[test]
fn after_tidying_no_call_erases() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    for round in 0..200_u32 {
        let pages_blank = || {
            let chip = device.0.borrow();
            chip.bytes.chunks(256).filter(|page| page.iter().all(|&byte| byte == 0xff)).count()
        };
        let before = pages_blank();
        ready(store.reserve(Series::UpCounter, 64 * round)).unwrap();
        ready(store.append(&alert(40 + round, 1))).unwrap();
        ready(store.outcome(alert(40 + round, 1).seq)).unwrap();
        assert!(pages_blank() <= before, "a page was erased in round {round}");
        while store.tidy().is_pending() {}
    }
    assert!(device.0.borrow().operations > 200 * (4 + 2 * 6));
}

#[test]
fn a_store_with_sixteen_live_alerts_takes_little_memory() {
    let flash = size_of::<Device>();
    println!(
        "node {} bytes, siren {}",
        size_of::<FlashStore<Device, 16>>() - flash,
        size_of::<Siren>() - flash
    );
    assert!(size_of::<FlashStore<Device, 16>>() - flash <= 512);
    assert!(size_of::<Siren>() - flash <= 384);
}

#[test]
fn notes_are_kept_over_a_start_and_survive_a_torn_one() {
    let device = Device::blank(Siren::PAGES);
    let mut store = Siren::mount(device.clone());
    assert_eq!(ready(store.load()), Ok(None));
    for byte in 0..20 {
        ready(store.keep(&[byte; NOTE_LEN])).unwrap();
        assert_eq!(ready(store.load()), Ok(Some([byte; NOTE_LEN])));
        assert_eq!(ready(Siren::mount(device.clone()).load()), Ok(Some([byte; NOTE_LEN])));
    }
    let operations = device.0.borrow().operations;
    ready(store.keep(&[19; NOTE_LEN])).unwrap();
    assert_eq!(device.0.borrow().operations, operations, "what is kept already is not written again");
}

#[test]
fn an_alert_that_is_on_flash_though_its_writing_failed_is_settled_all_the_same() {
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    ready(store.append(&alert(40, 1))).unwrap();
    // A record is six words; the last of them is written, and the device says that it was not.
    let mut chip = device.0.borrow_mut();
    chip.fault = Some((chip.operations + 5, Fault::Refused(Tear::Whole)));
    drop(chip);
    assert_eq!(ready(store.append(&alert(41, 1))), Err(StoreError::Device));
    ready(store.outcome(alert(41, 1).seq)).unwrap();
    assert_eq!(live(&mut Node::mount(device)), [40]);
}

#[test]
fn a_journal_of_a_build_with_more_room_is_worked_off() {
    type Roomy = FlashStore<Device, 6>;
    let device = Device::blank(Node::PAGES);
    let mut store = Roomy::new(device.clone(), layout(), BIRTH).unwrap();
    for number in [44, 41, 42, 43, 40] {
        ready(store.append(&alert(number, 1))).unwrap();
    }
    for (settled, left) in [(42, vec![40, 41, 43, 44]), (40, vec![41, 43, 44]), (44, vec![41, 43])] {
        let mut small = Node::new(device.clone(), layout(), BIRTH).unwrap();
        assert_eq!(ready(small.append(&alert(46, 1))), Err(StoreError::Full));
        for round in 0..20 {
            // Half after half is filled, and everything is carried over.
            ready(small.append(&alert(41, round))).unwrap();
        }
        assert_eq!(ready(small.next_open(Seq::new(40))), Ok(Some(alert(41, 19))));
        ready(small.outcome(alert(settled, 1).seq)).unwrap();
        assert_eq!(live(&mut small), left);
        assert_eq!(live(&mut Node::new(device.clone(), layout(), BIRTH).unwrap()), left);
    }
    let mut small = Node::new(device, layout(), BIRTH).unwrap();
    assert_eq!(ready(small.append(&alert(46, 1))), Ok(()));
}

#[test]
fn a_layout_that_cannot_be_is_refused_with_the_reason() {
    let refused = |used, base, pages| {
        let layout = Layout { used, base, pages };
        Node::new(Device::blank(10), layout, BIRTH).err()
    };
    assert_eq!(refused(64, 256, 9), None);
    assert_eq!(refused(64, 255, 9), Some(LayoutError::NotAligned { offset: 255, to: 256 }));
    assert_eq!(refused(60, 256, 9), Some(LayoutError::NotAligned { offset: 60, to: 8 }));
    assert_eq!(refused(64, 512, 9), Some(LayoutError::OutOfBounds { end: 2816, capacity: 2560 }));
    assert_eq!(refused(2560, 256, 8), Some(LayoutError::OutOfBounds { end: 2568, capacity: 2560 }));
    assert_eq!(refused(64, 256, u32::MAX), Some(LayoutError::OutOfBounds { end: u32::MAX, capacity: 2560 }));
    assert_eq!(refused(256, 256, 8), Some(LayoutError::MarkInside { used: 256 }));
    assert_eq!(refused(64, 256, 3), Some(LayoutError::TooFewPages { pages: 3, needed: 4 }));
    assert_eq!(refused(64, 256, 4), Some(LayoutError::JournalTooShort { slots: 5, needed: 6 }));
    let words = LayoutError::JournalTooShort { slots: 5, needed: 6 }.to_string();
    assert_eq!(words, "half of the journal holds 5 records, and must hold 6");
}

/// Whatever the pages hold, a store mounts them or says why not, and comes to an end.
#[test]
fn any_bytes_can_be_mounted() {
    let mut dice = Dice(7);
    let device = Device::blank(Node::PAGES);
    let mut store = Node::mount(device.clone());
    for number in 40..80 {
        ready(store.recover()).unwrap();
        ready(store.reserve(Series::UpCounter, 64 * number)).unwrap();
        ready(store.append(&alert(number, 3))).unwrap();
        ready(store.outcome(alert(number - 2, 3).seq)).unwrap();
    }
    let written = device.0.borrow().bytes.clone();
    for round in 0..20_000 {
        let mut bytes = written.clone();
        match round % 3 {
            0 => bytes[256..].iter_mut().for_each(|byte| *byte = dice.byte()),
            1 => {
                for _ in 0..1 + dice.roll(40) {
                    let at = usize::try_from(dice.roll(bytes.len() as u64)).unwrap();
                    bytes[at] ^= 1 << dice.roll(8);
                }
            }
            // Pages that stand where others belong.
            _ => {
                for page in 1..Node::PAGES {
                    let from = usize::try_from(dice.roll(Node::PAGES as u64)).unwrap();
                    bytes[page * 256..][..256].copy_from_slice(&written[from * 256..][..256]);
                }
            }
        }
        let device = Device::with(bytes);
        for _ in 0..2 {
            let mut store = Node::mount(device.clone());
            let recovered = ready(store.recover());
            if !matches!(recovered, Ok(_) | Err(StoreError::CounterLost)) {
                panic!("round {round}: {recovered:?}");
            }
            if let Ok(recovered) = recovered {
                ready(store.reserve(Series::UpCounter, recovered.up_counter + 64)).unwrap();
            }
            let open = live(&mut store);
            for number in &open {
                ready(store.outcome(Seq::new(*number).unwrap())).unwrap();
            }
            assert_eq!(live(&mut store), [0; 0], "round {round}: {open:?}");
            ready(store.append(&alert(99, 1))).unwrap();
            assert_eq!(live(&mut store), [99]);
            for _ in 0..Node::PAGES {
                assert!(!matches!(store.tidy(), Poll::Ready(Err(_))));
            }
        }
    }
}
