//! The promise of a store, as a suite that every store has to pass.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod conformance;
mod flash;
mod models;
mod on_flash;
mod power_cut;
mod promise;

use conformance::check;
use models::{Failing, Memory, VolatileBench};

#[test]
fn volatile_conforms() {
    for seed in 0..200 {
        check(&mut VolatileBench::default(), seed).unwrap();
    }
}

#[test]
fn a_perfect_durable_store_conforms() {
    for seed in 0..200 {
        check(&mut Memory::default(), seed).unwrap();
        check(&mut Memory { pending: 3, ..Memory::default() }, seed).unwrap();
    }
}

/// A suite that passes everything proves nothing: each way to break the promise is found.
#[test]
fn broken_stores_do_not_conform() {
    for failing in Failing::ALL {
        let found = (0..50).filter(|&seed| {
            check(&mut Memory { failing: Some(failing), ..Memory::default() }, seed).is_err()
        });
        assert!(found.count() > 0, "{failing:?} was not noticed");
    }
    let broken =
        |seed| check(&mut VolatileBench { same_epoch: true, ..VolatileBench::default() }, seed).is_err();
    assert!((0..50).any(broken), "a volatile store that comes back in the same epoch was not noticed");
}
