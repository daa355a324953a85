//! A contact looks at its pin once a look, and concludes from levels that held.

use embedded_hal_mock::eh1::digital::{Mock, State, Transaction};

use alertbus::AlertDraft;
use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::driver::{Detection, Detector, Misconfigured};
use alertbus::limits::DRIVER_RETRY_MS;
use alertbus::message::{Epoch, NodeId, ResetCause};
use alertbus::role::node::{Node, NodeConfig, Submission};
use alertbus::store::Volatile;
use alertbus::time::Duration;
use alertbus::wire::keys::MasterKey;

use crate::{broken, draft, ms};

/// Active high, 20 ms, a hold of 100 ms, and it clears.
fn config() -> ContactConfig {
    ContactConfig {
        active_high: true,
        debounce: Duration::from_millis(20),
        hold: Duration::from_millis(100),
        clears: true,
        draft: draft(),
    }
}

/// What a look at a moment finds, what it is to answer, and when the next look is due.
enum Look {
    Finds(u64, State, Option<Detection>, Option<u64>),
    Fails(u64, u64),
    /// The pin is not touched.
    Waits(u64, u64),
}
use Look::{Fails, Finds, Waits};
use State::{High, Low};

fn check(config: ContactConfig, looks: &[Look]) -> Contact<Mock> {
    let calls: Vec<Transaction> = looks
        .iter()
        .filter_map(|look| match look {
            Finds(_, level, ..) => Some(Transaction::get(*level)),
            Fails(..) => Some(Transaction::get(Low).with_error(broken())),
            Waits(..) => None,
        })
        .collect();
    let mut pin = Mock::new(&calls);
    let mut contact = Contact::new(pin.clone(), config).unwrap();
    assert_eq!(contact.poll_timeout(), Some(ms(0)), "the first look is due at once");
    for look in looks {
        let (at, answer, next) = match look {
            Finds(at, _, detection, next) => (at, Ok(*detection), *next),
            Fails(at, next) => (at, Err(broken()), Some(*next)),
            Waits(at, next) => (at, Ok(None), Some(*next)),
        };
        assert_eq!(contact.poll(ms(*at)), answer, "at {at} ms");
        assert_eq!(contact.poll_timeout(), next.map(ms), "after the look at {at} ms");
    }
    pin.done();
    contact
}

fn onset() -> Option<Detection> {
    Some(Detection::Onset(draft()))
}

fn over() -> Option<Detection> {
    Some(Detection::Over(draft()))
}

#[test]
fn a_level_counts_once_it_has_held() {
    check(
        config(),
        &[
            Finds(0, Low, None, None),
            Finds(50, High, None, Some(70)),
            Finds(69, High, None, Some(70)),
            Finds(70, High, onset(), None),
            Finds(500, High, None, None),
        ],
    );
}

#[test]
fn every_bounce_begins_the_debounce_anew() {
    check(
        config(),
        &[
            Finds(0, Low, None, None),
            Finds(10, High, None, Some(30)),
            Finds(29, Low, None, None),
            Finds(30, High, None, Some(50)),
            Finds(49, High, None, Some(50)),
            Finds(50, High, onset(), None),
        ],
    );
}

#[test]
fn a_contact_active_at_power_on_is_an_onset() {
    check(config(), &[Finds(3, High, None, Some(23)), Finds(23, High, onset(), None)]);
    let active_low = ContactConfig { active_high: false, ..config() };
    check(active_low, &[Finds(3, Low, None, Some(23)), Finds(23, Low, onset(), None)]);
}

#[test]
fn it_is_over_once_it_was_inactive_for_the_hold() {
    check(
        config(),
        &[
            Finds(0, High, None, Some(20)),
            Finds(20, High, onset(), None),
            Finds(30, Low, None, Some(50)),
            Finds(50, Low, None, Some(130)),
            Finds(129, Low, None, Some(130)),
            Finds(130, Low, over(), None),
            Finds(140, High, None, Some(160)),
            Finds(160, High, onset(), None),
        ],
    );
}

#[test]
fn closures_within_the_hold_extend_it_raise_nothing_and_are_counted() {
    let contact = check(
        config(),
        &[
            Finds(0, High, None, Some(20)),
            Finds(20, High, onset(), None),
            Finds(30, Low, None, Some(50)),
            Finds(50, Low, None, Some(130)),
            Finds(100, High, None, Some(120)),
            Finds(120, High, None, None),
            Finds(130, Low, None, Some(150)),
            Finds(150, Low, None, Some(230)),
            // A spike that does not hold counts for nothing, and neither extends nor ends.
            Finds(200, High, None, Some(220)),
            Finds(219, Low, None, Some(239)),
            Finds(238, Low, None, Some(239)),
            Finds(239, Low, over(), None),
        ],
    );
    assert_eq!(contact.closures_held(), 1);
    assert!(!contact.is_open());
}

#[test]
fn the_end_is_told_only_where_it_clears() {
    let contact = check(
        ContactConfig { clears: false, ..config() },
        &[
            Finds(0, High, None, Some(20)),
            Finds(20, High, onset(), None),
            Finds(30, Low, None, Some(50)),
            Finds(130, Low, None, None),
            Finds(140, High, None, Some(160)),
            Finds(160, High, onset(), None),
        ],
    );
    assert_eq!((contact.closures_held(), contact.is_open()), (0, true));
}

/// A contact that was idle and looked at until 0 ms, and what others saw of it then.
fn seen_by_others(looks: &[(u64, bool)]) -> Vec<Detection> {
    let mut pin = Mock::new(&[Transaction::get(Low)]);
    let mut contact = Contact::new(pin.clone(), config()).unwrap();
    assert_eq!(contact.poll(ms(0)), Ok(None));
    let found = looks.iter().filter_map(|&(at, active)| contact.note_level(ms(at), active)).collect();
    pin.done();
    found
}

#[test]
fn what_others_saw_counts_by_the_rule_that_holds_for_every_look() {
    let begun = Vec::from_iter(onset());
    // Long enough, and a little too short; and long enough only with what broke it off.
    assert_eq!(seen_by_others(&[(10, false), (11, true), (31, true), (32, false)]), begun);
    assert_eq!(seen_by_others(&[(10, false), (11, true), (30, true), (31, false)]), []);
    assert_eq!(seen_by_others(&[(11, true), (25, true), (26, false), (27, true), (40, true)]), []);
}

#[test]
fn a_closure_goes_on_from_a_look_before_to_those_of_others_and_to_one_behind() {
    let mut pin = Mock::new(&[Transaction::get(High)]);
    let mut contact = Contact::new(pin.clone(), config()).unwrap();
    assert_eq!(contact.poll(ms(0)), Ok(None));
    assert_eq!((contact.note_level(ms(12), true), contact.note_level(ms(20), true)), (None, onset()));
    pin.done();

    let mut pin = Mock::new(&[Low, High].map(Transaction::get));
    let mut contact = Contact::new(pin.clone(), config()).unwrap();
    assert_eq!(contact.poll(ms(0)), Ok(None));
    for (at, active) in [(90, false), (91, true), (100, true)] {
        assert_eq!(contact.note_level(ms(at), active), None);
    }
    assert_eq!(contact.poll(ms(111)), Ok(onset()));
    pin.done();
}

#[test]
fn two_spikes_that_others_saw_apart_are_no_closure() {
    let mut pin = Mock::new(&[High, High].map(Transaction::get));
    let mut contact = Contact::new(pin.clone(), config()).unwrap();
    assert_eq!(contact.poll(ms(0)), Ok(None));
    for (at, active) in [(2, false), (98, false), (99, true)] {
        assert_eq!(contact.note_level(ms(at), active), None);
    }
    assert_eq!((contact.poll(ms(101)), contact.poll_timeout()), (Ok(None), Some(ms(119))));
    pin.done();
}

#[test]
fn a_closure_behind_a_hold_that_nobody_saw_end_begins_another_event() {
    // The hold of 100 ms begins at 121 ms. What clears is not over before somebody has seen that.
    for (clears, second, onsets) in [(false, 220, 1), (false, 221, 2), (true, 220, 1), (true, 221, 1)] {
        let mut contact = Contact::new((), ContactConfig { clears, ..config() }).unwrap();
        let first = [(100, true), (120, true), (121, false), (141, false)];
        let looks = [&first[..], &[(second, true), (second + 20, true)]].concat();
        let found = looks.iter().filter_map(|&(at, active)| contact.note_level(ms(at), active)).count();
        assert_eq!((found, contact.closures_held()), (onsets, u32::from(onsets == 1)), "{clears} {second}");
    }
}

#[test]
fn an_error_restarts_the_debounce_and_leaves_the_pin_alone_for_a_while() {
    assert_eq!(DRIVER_RETRY_MS, 100);
    check(
        config(),
        &[
            Finds(0, High, None, Some(20)),
            Fails(19, 119),
            Waits(20, 119),
            Waits(118, 119),
            Finds(119, High, None, Some(139)),
            Finds(139, High, onset(), None),
        ],
    );
}

#[test]
fn an_error_within_the_hold_begins_it_anew_and_ends_nothing() {
    let contact = check(
        config(),
        &[
            Finds(0, High, None, Some(20)),
            Finds(20, High, onset(), None),
            Finds(30, Low, None, Some(50)),
            Finds(50, Low, None, Some(130)),
            Fails(129, 229),
            Fails(229, 329),
            Finds(329, Low, None, Some(349)),
            Finds(349, Low, None, Some(429)),
            Finds(429, Low, over(), None),
        ],
    );
    assert_eq!(contact.closures_held(), 0);
}

#[test]
fn a_pin_that_fails_from_the_start_says_so_and_no_more() {
    check(config(), &[Fails(0, 100), Waits(99, 100), Fails(100, 200), Fails(1_000, 1_100)]);
}

#[test]
fn without_debounce_one_look_is_enough() {
    let config = ContactConfig { debounce: Duration::ZERO, hold: Duration::ZERO, ..config() };
    check(config, &[Finds(5, High, onset(), None), Finds(6, Low, over(), None)]);
}

#[test]
fn one_that_clears_needs_a_key() {
    let unnamed = AlertDraft { key: None, ..draft() };
    let mut pin = Mock::new(&[]);
    let refused = Contact::new(pin.clone(), ContactConfig { draft: unnamed, ..config() });
    assert_eq!(refused.err(), Some(Misconfigured::ClearsWithoutKey));
    let wire = ContactConfig::trip_wire(unnamed);
    Contact::new(pin.clone(), wire).unwrap().release().done();
    pin.update_expectations(&[]);
    pin.done();
    assert!(!wire.clears && !ContactConfig::launch_detector(unnamed).clears);
    assert!(ContactConfig::tamper_switch(unnamed).clears);
}

#[test]
fn a_node_raises_the_onset_and_clears_the_end() {
    let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12));
    let config = NodeConfig { node: NodeId(12), key, reset_cause: ResetCause::PowerOn, seed: 1 };
    let mut node = Node::<_, 8>::start(config, Volatile::new(Epoch(1), 1), ms(0));
    let submitted = onset().unwrap().submit(ms(0), &mut node);
    assert!(matches!(submitted, Submission::Queued { .. }));
    let submitted = over().unwrap().submit(ms(1), &mut node);
    assert!(matches!(submitted, Submission::Queued { .. }), "{submitted:?}");
    assert_eq!(node.resident(), 2);
}
