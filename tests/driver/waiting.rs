//! A contact that waits: for the level it has not, and never for ever because of an edge.

use std::pin::pin;
use std::task::{Context, Poll, Waker};

use embedded_hal_mock::eh1::MockError;
use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::driver::{Detection, Detector};

use crate::{broken, draft, ms};

/// Polls once, as an executor does, and drops it.
fn wait(contact: &mut Contact<Mock>) -> Poll<Result<(), MockError>> {
    pin!(contact.wait_for_change()).poll(&mut Context::from_waker(Waker::noop()))
}

#[test]
fn it_waits_for_the_opposite_of_what_it_saw() {
    let mut pin = Mock::new(&[
        Transaction::get(State::Low),
        Transaction::wait_for_state(State::High),
        Transaction::get(State::High),
        Transaction::get(State::High),
        Transaction::wait_for_state(State::Low),
        Transaction::get(State::Low),
    ]);
    let mut lid = Contact::new(pin.clone(), ContactConfig::tamper_switch(draft())).unwrap();
    // Nothing was seen yet: there is something to look at.
    assert_eq!(wait(&mut lid), Poll::Ready(Ok(())));
    assert_eq!(lid.poll(ms(0)), Ok(None));
    assert_eq!(wait(&mut lid), Poll::Ready(Ok(())));
    assert_eq!(lid.poll(ms(10)), Ok(None));
    assert_eq!(lid.poll(ms(60)), Ok(Some(Detection::Onset(draft()))));
    assert_eq!(wait(&mut lid), Poll::Ready(Ok(())));
    assert_eq!(lid.poll(ms(70)), Ok(None));
    pin.done();
}

#[test]
fn a_level_that_was_left_and_is_back_has_not_held() {
    let mut pin = Mock::new(&[
        Transaction::get(State::High),
        Transaction::wait_for_state(State::Low),
        Transaction::get(State::High),
        Transaction::get(State::High),
        Transaction::get(State::High),
    ]);
    let mut lid = Contact::new(pin.clone(), ContactConfig::tamper_switch(draft())).unwrap();
    assert_eq!(lid.poll(ms(0)), Ok(None));
    // It bounced, and by the time anybody looks it is as it was.
    assert_eq!(wait(&mut lid), Poll::Ready(Ok(())));
    assert_eq!(lid.poll(ms(40)), Ok(None));
    assert_eq!(lid.poll(ms(50)), Ok(None));
    assert_eq!(lid.poll(ms(90)), Ok(Some(Detection::Onset(draft()))));
    pin.done();
}

#[test]
fn a_wait_that_fails_does_not_spin() {
    let mut pin = Mock::new(&[
        Transaction::get(State::High),
        Transaction::wait_for_state(State::Low).with_error(broken()),
        Transaction::get(State::High),
        Transaction::get(State::High).with_error(broken()),
    ]);
    let mut lid = Contact::new(pin.clone(), ContactConfig::tamper_switch(draft())).unwrap();
    assert_eq!(lid.poll(ms(0)), Ok(None));
    assert_eq!(wait(&mut lid), Poll::Ready(Err(broken())));
    assert_eq!(lid.poll_timeout(), Some(ms(0)));
    // The pin is left alone, and waiting for it is no answer at once again.
    assert_eq!(lid.poll(ms(60)), Ok(None));
    assert_eq!(lid.poll_timeout(), Some(ms(160)));
    assert_eq!(wait(&mut lid), Poll::Pending);
    // What was seen before the error counts no more.
    assert_eq!(lid.poll(ms(160)), Ok(None));
    assert_eq!(lid.poll_timeout(), Some(ms(210)));
    assert_eq!(lid.poll(ms(170)), Err(broken()));
    assert_eq!(wait(&mut lid), Poll::Pending);
    pin.done();
}
