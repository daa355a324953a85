//! The power goes at every word that is written and every page that is erased, and goes again at every one of the
//! recovery. After that everything that was promised is still so.
//!
//! What a cut leaves behind depends on the cells alone, not on what the store is told about it, so each run is done
//! once, and at each operation the cells are torn on paper in every way.

use std::thread;

use alertbus::store::{FlashStore, Series, SirenStore};

use crate::flash::{Fault, Flash, Tear, Torn};
use crate::promise::{Action, Machine, Promise};

use Action::{Keep, NextEpoch, Raise, Read, Recover, Replace, Reserve, Settle, Tidy};
use Series::{FlashSeq, OtherSeq, UpCounter};

/// A life from the first boot on: the counter pages wrap, the journal's halves change, an epoch begins.
#[rustfmt::skip]
const LIFE: [Action; 58] = [
    Recover, Read, Reserve(UpCounter, 64), Reserve(FlashSeq, 64), Reserve(OtherSeq, 9), Raise, Raise, Keep,
    Settle(0), Raise, Replace(1), Tidy, Reserve(UpCounter, 64), Keep, Settle(1), Settle(7), Raise, Replace(0),
    Reserve(UpCounter, 64), Settle(0), Keep, Raise, NextEpoch, Reserve(UpCounter, 64), Settle(1), Raise, Settle(0),
    Tidy, Reserve(OtherSeq, 64), Keep, Raise, Settle(1), Replace(0), Settle(0), Raise, Reserve(UpCounter, 64), Keep,
    Raise, Reserve(UpCounter, 64), Reserve(UpCounter, 64), Settle(1), Raise, Replace(0), Tidy, NextEpoch, Settle(0),
    Raise, Reserve(UpCounter, 64), Settle(0), Keep, Settle(1), Raise, Replace(1), Reserve(UpCounter, 64), Settle(0),
    Raise, Replace(0), Keep,
];

/// What a store does after a cut, while it may be cut again.
const RECOVERY: [Action; 9] =
    [Recover, Read, Reserve(UpCounter, 64), Reserve(FlashSeq, 1), Settle(0), Raise, Keep, Replace(0), Tidy];

/// What it must still be able to do after that.
const AFTER: [Action; 8] =
    [Recover, Read, Reserve(UpCounter, 64), Reserve(FlashSeq, 1), Settle(0), Raise, Keep, Read];

/// Does all of `actions`. What was torn on paper comes back, and for each step what was promised during it.
fn run<const WRITE: usize, const ERASE: usize, S>(
    device: &Flash<WRITE, ERASE>,
    promise: &mut Promise,
    actions: &[Action],
) -> Result<(Vec<Torn>, Vec<Promise>), String>
where
    S: Machine<Device = Flash<WRITE, ERASE>>,
{
    let mut store = S::mount(device.clone());
    let mut promises = Vec::new();
    for &action in actions {
        let step = promises.len();
        device.0.borrow_mut().step = step;
        let asked = promise.ask(&mut store, action, |promise| promises.push(promise.clone()));
        asked.map_err(|why| format!("step {step}, {action:?}: {why}"))?;
    }
    Ok((device.0.borrow_mut().torn.split_off(0), promises))
}

/// A device that holds what a cut has left, and is torn again in `tears`.
fn after<const WRITE: usize, const ERASE: usize>(torn: &Torn, tears: &'static [Tear]) -> Flash<WRITE, ERASE> {
    let device = Flash::with(torn.bytes.clone());
    let mut chip = device.0.borrow_mut();
    chip.tears = tears;
    chip.seed = torn.operation << 8 | torn.tear as u64;
    drop(chip);
    device
}

/// Cuts a life at every operation, and its recovery at every operation in `tears`. How many lives that were.
fn cut_twice<const WRITE: usize, const ERASE: usize, S>(tears: &'static [Tear]) -> u64
where
    S: Machine<Device = Flash<WRITE, ERASE>>,
{
    let device = Flash::blank(S::PAGES);
    device.0.borrow_mut().tears = &Tear::ALL;
    let (cuts, promises) = run::<WRITE, ERASE, S>(&device, &mut Promise::new(), &LIFE).unwrap();
    let cut_again = |cut: &Torn| {
        let device = after::<WRITE, ERASE>(cut, tears);
        let (again, promises) = run::<WRITE, ERASE, S>(&device, &mut promises[cut.step].clone(), &RECOVERY)
            .unwrap_or_else(|why| panic!("cut at {} ({:?}): {why}", cut.operation, cut.tear));
        for torn in &again {
            run::<WRITE, ERASE, S>(&after(torn, &[]), &mut promises[torn.step].clone(), &AFTER)
                .unwrap_or_else(|why| {
                    let cuts = [(cut.operation, cut.tear), (torn.operation, torn.tear)];
                    panic!("cut at {cuts:?}: {why}")
                });
        }
        1 + again.len() as u64
    };
    thread::scope(|scope| {
        let (some, others) = cuts.split_at(cuts.len() / 2);
        let some = scope.spawn(move || some.iter().map(cut_again).sum::<u64>());
        others.iter().map(cut_again).sum::<u64>() + some.join().unwrap()
    })
}

/// A device that does one operation badly, and loses its power at any moment after it.
fn ail_and_cut<const WRITE: usize, const ERASE: usize, S>(fault: Fault, tears: &'static [Tear]) -> u64
where
    S: Machine<Device = Flash<WRITE, ERASE>>,
{
    let mut lives = 0;
    for ails in 0.. {
        let device = Flash::blank(S::PAGES);
        let mut chip = device.0.borrow_mut();
        (chip.tears, chip.fault) = (tears, Some((ails, fault)));
        drop(chip);
        let (cuts, promises) = run::<WRITE, ERASE, S>(&device, &mut Promise::new(), &LIFE)
            .unwrap_or_else(|why| panic!("{fault:?} at {ails}: {why}"));
        for torn in &cuts {
            run::<WRITE, ERASE, S>(&after(torn, &[]), &mut promises[torn.step].clone(), &AFTER)
                .unwrap_or_else(|why| {
                    panic!("{fault:?} at {ails}, cut at {} ({:?}): {why}", torn.operation, torn.tear)
                });
        }
        lives += 1 + cuts.len() as u64;
        if device.0.borrow().operations <= ails {
            break;
        }
    }
    lives
}

#[test]
fn a_power_cut_in_the_reserve_of_the_counter_or_anywhere_else_and_again_during_recovery() {
    let lives = [
        cut_twice::<4, 128, FlashStore<Flash<4, 128>, 3>>(&Tear::ALL),
        cut_twice::<8, 256, FlashStore<Flash<8, 256>, 3>>(&Tear::ALL),
        cut_twice::<16, 128, FlashStore<Flash<16, 128>, 3>>(&Tear::ALL),
        cut_twice::<32, 128, FlashStore<Flash<32, 128>, 3>>(&Tear::ALL),
        cut_twice::<1, 128, FlashStore<Flash<1, 128>, 3>>(&[]),
        cut_twice::<8, 256, SirenStore<Flash<8, 256>>>(&Tear::ALL),
    ];
    println!("{} = {} lives", lives.map(|lives| lives.to_string()).join(" + "), lives.iter().sum::<u64>());
    assert!(lives.iter().sum::<u64>() > 1_000_000, "{lives:?}");
}

#[test]
fn an_operation_that_fails_and_a_cut_at_every_one_after_it_break_no_promise() {
    type Node = FlashStore<Flash<8, 256>, 3>;
    type Siren = SirenStore<Flash<16, 256>>;
    let faults = [Fault::Weak].into_iter().chain(Tear::ALL.map(Fault::Refused));
    let lives = faults.map(|fault| {
        ail_and_cut::<8, 256, Node>(fault, &[Tear::Nothing])
            + ail_and_cut::<16, 256, Siren>(fault, &[Tear::Nothing])
    });
    let lives: u64 = lives.sum();
    println!("{lives} lives");
    assert!(lives > 150_000, "{lives}");
}

/// What is torn on paper is what a cut leaves, whatever the store still tries without power.
#[test]
fn a_store_without_power_changes_nothing_more() {
    type Node = FlashStore<Flash<16, 128>, 3>;
    let device = Flash::blank(Node::PAGES);
    device.0.borrow_mut().tears = &Tear::ALL;
    let (cuts, _) = run::<16, 128, Node>(&device, &mut Promise::new(), &LIFE).unwrap();
    for cut in &cuts {
        let device = Flash::<16, 128>::blank(Node::PAGES);
        device.0.borrow_mut().fault = Some((cut.operation, Fault::Cut(cut.tear)));
        let mut promise = Promise::new();
        let mut store = Node::mount(device.clone());
        let failed = LIFE.iter().position(|&action| promise.ask(&mut store, action, |_| {}).is_err());
        assert!(failed.is_some(), "the cut at {} was not noticed", cut.operation);
        for action in [Recover, Raise, Settle(0), Tidy, NextEpoch] {
            let _ = promise.clone().ask(&mut store, action, |_| {});
        }
        assert!(device.0.borrow().bytes == cut.bytes, "cut at {} ({:?})", cut.operation, cut.tear);
        // The same store goes on where the power comes back before its memory is lost.
        device.power_on();
        run::<16, 128, Node>(&device, &mut promise, &AFTER).unwrap();
    }
}
