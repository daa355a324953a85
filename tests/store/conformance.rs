//! What every store must keep, over power cuts between any two calls.

use std::collections::{BTreeMap, BTreeSet};
use std::task::Poll;

use alertbus::Seq;
use alertbus::message::{Content, Epoch, EventKey};
use alertbus::store::{Journalled, Recovered, Series, Store, StoreError};

/// Something that can be switched off and on again.
pub(crate) trait Bench {
    type Store: Store;
    /// Live alerts that a durable store has room for.
    const OPEN_MAX: usize = usize::MAX;

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
    open: BTreeMap<Seq, Journalled>,
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
        let mut boot = Boot {
            epoch: recovered.epoch,
            next: [recovered.up_counter, recovered.flash_seq, recovered.other_seq],
            open_max: B::OPEN_MAX,
        };
        if boot.next.contains(&0) {
            return Err("number 0 was given".into());
        }
        for _ in 0..self.roll(40) {
            self.act(&mut store, &mut boot)?;
            if store.durable() {
                self.check_open(&mut store)?;
            }
        }
        Ok(())
    }

    fn act(&mut self, store: &mut impl Store, boot: &mut Boot) -> Result<(), String> {
        match self.roll(16) {
            0..6 => self.reserve(store, boot),
            6..10 => self.raise(store, boot),
            10 => {
                let seq = self.open_or_unknown();
                let Some(Journalled { seq, key, .. }) = self.open.get(&seq).copied() else { return Ok(()) };
                let content = self.content();
                self.append(store, Journalled { seq, key, content })
            }
            11..14 => {
                // One that is unknown, or settled already, is no error.
                let seq = self.open_or_unknown();
                done(|| store.outcome(seq))?;
                self.open.remove(&seq);
                Ok(())
            }
            14 => done(|| store.tidy()),
            _ => self.begin_epoch(store, boot),
        }
    }

    fn reserve(&mut self, store: &mut impl Store, boot: &mut Boot) -> Result<(), String> {
        let which = usize::try_from(self.roll(3)).unwrap();
        let series = [Series::UpCounter, Series::FlashSeq, Series::OtherSeq][which];
        let first = boot.next[which];
        let end = first + 1 + u32::try_from(self.roll(70)).unwrap();
        done(|| store.reserve(series, end))?;
        // Only some of the reserved numbers are used before the power may go.
        let used = first + u32::try_from(self.roll(u64::from(end - first) + 1)).unwrap();
        for number in first..used {
            let fresh = match series {
                Series::UpCounter => self.used.insert((boot.epoch.0, number)),
                Series::FlashSeq => self.flash.insert(number),
                Series::OtherSeq => self.other.insert(number),
            };
            if !fresh {
                return Err(format!("{series:?} {number} was given twice"));
            }
        }
        boot.next[which] = used;
        Ok(())
    }

    fn raise(&mut self, store: &mut impl Store, boot: &mut Boot) -> Result<(), String> {
        let Some(seq) = Seq::new(boot.next[1]) else { return Ok(()) };
        done(|| store.reserve(Series::FlashSeq, boot.next[1] + 1))?;
        if !self.flash.insert(boot.next[1]) {
            return Err(format!("FlashSeq {} was given twice", boot.next[1]));
        }
        boot.next[1] += 1;
        let key = (self.roll(2) == 0).then_some(EventKey(u16::try_from(self.roll(1 << 16)).unwrap()));
        let content = self.content();
        let alert = Journalled { seq, key, content };
        if store.durable() && self.open.len() >= boot.open_max {
            return match done(|| store.append(&alert)) {
                Err(why) if why == StoreError::Full.to_string() => Ok(()),
                other => Err(format!("an alert too many was taken: {other:?}")),
            };
        }
        self.append(store, alert)
    }

    fn append(&mut self, store: &mut impl Store, alert: Journalled) -> Result<(), String> {
        done(|| store.append(&alert))?;
        self.open.insert(alert.seq, alert);
        Ok(())
    }

    /// The next epoch, one that is there already, or one that is over.
    fn begin_epoch(&mut self, store: &mut impl Store, boot: &mut Boot) -> Result<(), String> {
        let to = Epoch((boot.epoch.0 + 1).saturating_sub(u32::try_from(self.roll(3)).unwrap()));
        let before = done(|| store.recover())?;
        done(|| store.begin_epoch(to))?;
        let after = done(|| store.recover())?;
        if to <= boot.epoch {
            return if before == after { Ok(()) } else { Err("an old epoch changes something".into()) };
        }
        if after.epoch != to || after.up_counter != 1 || after.boot != before.boot {
            return Err(format!("epoch {} begins as {after:?}", to.0));
        }
        boot.epoch = to;
        boot.next = [1, boot.next[1].max(after.flash_seq), boot.next[2].max(after.other_seq)];
        self.last = Some(after);
        Ok(())
    }

    fn content(&mut self) -> Content {
        let length = usize::try_from(self.roll(29)).unwrap();
        let byte = u8::try_from(self.roll(256)).unwrap();
        Content::from_slice(&vec![byte; length]).unwrap()
    }

    fn open_or_unknown(&mut self) -> Seq {
        let at = usize::try_from(self.roll(self.open.len() as u64 + 1)).unwrap();
        self.open.keys().nth(at).copied().unwrap_or(Seq::FIRST)
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
            found.insert(alert.seq, alert);
        }
        if store.durable() {
            if found != self.open {
                return Err(format!("open are {:?}, found {found:?}", self.open));
            }
        } else {
            if !found.iter().all(|(seq, alert)| self.open.get(seq) == Some(alert)) {
                return Err("an alert was found that is not open".into());
            }
            self.open = found;
        }
        Ok(())
    }
}

/// Where one boot has come to.
struct Boot {
    epoch: Epoch,
    next: [u32; 3],
    open_max: usize,
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
