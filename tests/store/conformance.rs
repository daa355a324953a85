//! What every store must keep, over power cuts between any two calls.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use alertbus::Seq;
use alertbus::message::{Content, Epoch};
use alertbus::store::{Journalled, Recovered, Series, Store, StoreError};

/// Something that can be switched off and on again.
pub(crate) trait Bench {
    type Store: Store;

    /// The store as it is after the power comes on; what was not kept is gone.
    fn power_on(&mut self) -> Self::Store;
}

/// Calls a store may answer `Pending` to before it is taken for stuck.
const PENDING_MAX: usize = 1_000;

/// Drives a store through a random life under `seed`. The first broken promise comes back in words.
pub(crate) fn check<B: Bench>(bench: &mut B, seed: u64) -> Result<(), String> {
    let mut life = Life { dice: seed.wrapping_mul(2) | 1, ..Life::default() };
    for _ in 0..6 {
        life.boot(bench)?;
    }
    Ok(())
}

/// What is known of a store from outside.
#[derive(Default)]
struct Life {
    dice: u64,
    last: Option<Recovered>,
    /// Numbers handed out: packet counters by epoch, alert numbers for ever.
    used: BTreeSet<(u32, u32)>,
    flash: BTreeSet<u32>,
    other: BTreeSet<u32>,
    open: BTreeMap<Seq, Content>,
}

impl Life {
    fn roll(&mut self, sides: u64) -> u64 {
        self.dice = self.dice.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.dice >> 33) % sides
    }

    fn boot<B: Bench>(&mut self, bench: &mut B) -> Result<(), String> {
        let mut store = bench.power_on();
        let recovered = done(|| store.recover())?;
        if done(|| store.recover())? != recovered {
            return Err("recover answers differently when asked again".into());
        }
        if let Some(last) = self.last {
            if recovered.epoch < last.epoch {
                return Err("the epoch went back".into());
            }
            if recovered.boot == last.boot {
                return Err("the boot was not counted".into());
            }
        }
        self.last = Some(recovered);
        self.check_open(&mut store)?;
        let mut next = [recovered.up_counter, recovered.flash_seq, recovered.other_seq];
        if next.contains(&0) {
            return Err("number 0 was given".into());
        }
        for _ in 0..self.roll(40) {
            self.act(&mut store, recovered.epoch, &mut next)?;
        }
        Ok(())
    }

    fn act(&mut self, store: &mut impl Store, epoch: Epoch, next: &mut [u32; 3]) -> Result<(), String> {
        match self.roll(5) {
            0 | 1 => {
                let which = usize::try_from(self.roll(3)).unwrap();
                let series = [Series::UpCounter, Series::FlashSeq, Series::OtherSeq][which];
                let end = next[which] + 1 + u32::try_from(self.roll(70)).unwrap();
                done(|| store.reserve(series, end))?;
                // Only some of the reserved numbers are used before the power may go.
                let used = next[which] + u32::try_from(self.roll(u64::from(end - next[which]) + 1)).unwrap();
                for number in next[which]..used {
                    let fresh = match series {
                        Series::UpCounter => self.used.insert((epoch.0, number)),
                        Series::FlashSeq => self.flash.insert(number),
                        Series::OtherSeq => self.other.insert(number),
                    };
                    if !fresh {
                        return Err(format!("{series:?} {number} was given twice"));
                    }
                }
                next[which] = used;
            }
            2 | 3 => {
                let Some(seq) = Seq::new(next[1]) else { return Ok(()) };
                done(|| store.reserve(Series::FlashSeq, next[1] + 1))?;
                if !self.flash.insert(next[1]) {
                    return Err(format!("FlashSeq {} was given twice", next[1]));
                }
                next[1] += 1;
                let length = usize::try_from(self.roll(29)).unwrap();
                let content = Content::from_slice(&vec![next[1].to_be_bytes()[3]; length]).unwrap();
                let alert = Journalled { seq, key: None, content };
                done(|| store.append(&alert))?;
                self.open.insert(seq, content);
            }
            _ => {
                let open: Vec<Seq> = self.open.keys().copied().collect();
                let at = usize::try_from(self.roll(open.len() as u64 + 1)).unwrap();
                // One that is unknown, or settled already, is no error.
                let seq = open.get(at).copied().unwrap_or(Seq::FIRST);
                done(|| store.outcome(seq))?;
                self.open.remove(&seq);
            }
        }
        if <_ as DurableExt>::durable(store) {
            self.check_open(store)?;
        }
        Ok(())
    }

    /// A durable store holds exactly the open alerts, in the order of their numbers; any other holds no others.
    fn check_open(&mut self, store: &mut impl Store) -> Result<(), String> {
        let mut found = BTreeMap::new();
        let mut after = None;
        while let Some(alert) = done(|| store.next_open(after))? {
            if after.is_some_and(|after| alert.seq <= after) {
                return Err("open alerts do not come in the order of their numbers".into());
            }
            after = Some(alert.seq);
            found.insert(alert.seq, alert.content);
        }
        if store.durable() {
            if found != self.open {
                return Err(format!("{} alerts are open and {} are found", self.open.len(), found.len()));
            }
        } else {
            if !found.iter().all(|(seq, content)| self.open.get(seq) == Some(content)) {
                return Err("an alert was found that is not open".into());
            }
            self.open = found;
        }
        Ok(())
    }
}

/// `Store::DURABLE` of a value.
trait DurableExt {
    fn durable(&self) -> bool;
}

impl<S: Store> DurableExt for S {
    fn durable(&self) -> bool {
        S::DURABLE
    }
}

fn done<T>(mut ask: impl FnMut() -> Poll<Result<T, StoreError>>) -> Result<T, String> {
    for _ in 0..PENDING_MAX {
        if let Poll::Ready(answer) = ask() {
            return answer.map_err(|error| error.to_string());
        }
    }
    Err("the store answers `Pending` for ever".into())
}
