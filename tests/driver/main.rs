//! The drivers: exact calls on mocked pins and buses, their failures included, and what a test rig says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod annunciator;
mod bench;
mod contact;
mod random;
mod threshold;
mod waiting;

use std::io::ErrorKind;

use embedded_hal_mock::eh1::MockError;

use alertbus::message::EventKey;
use alertbus::message::kind::DroneSighting;
use alertbus::time::Instant;
use alertbus::{AlertDraft, Precedence};

fn ms(millis: u64) -> Instant {
    Instant::from_millis(millis)
}

/// A draft with a key, that can be told from a default one.
fn draft() -> AlertDraft {
    let body = DroneSighting { count: 3, ..DroneSighting::default() };
    AlertDraft { key: Some(EventKey(9)), precedence_min: Precedence::Flash, ..AlertDraft::new(body) }
}

fn broken() -> MockError {
    MockError::Io(ErrorKind::NotConnected)
}
