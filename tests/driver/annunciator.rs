//! Annunciators play their tables, on a pin and on PWM, and try again where the output fails.

use std::collections::BTreeSet;

use embedded_hal_mock::eh1::{digital, pwm};

use alertbus::driver::annunciator::{Annunciator, Pattern, Pwm, Step, Switch};
use alertbus::message::kind::{Kind, RocketLaunch};
use alertbus::place::SiteId;
use alertbus::role::siren::Sound;
use alertbus::time::Duration;

use crate::{broken, ms};

use digital::State::{High, Low};
use digital::Transaction;

const ALL: [(&str, Pattern); 7] = [
    ("quiet", Pattern::QUIET),
    ("warning", Pattern::WARNING),
    ("all-clear", Pattern::ALL_CLEAR),
    ("test", Pattern::TEST),
    ("beacon", Pattern::BEACON),
    ("locate", Pattern::LOCATE),
    ("fault", Pattern::FAULT),
];

const DIM: Step = Step { percent: 40, lasts: Duration::from_millis(10) };
const RAMP: Pattern = Pattern::new(&[DIM, Step { percent: 100, ..DIM }, Step { percent: 0, ..DIM }]).unwrap();

fn horn(active_high: bool, calls: &[Transaction]) -> (digital::Mock, Annunciator<Switch<digital::Mock>>) {
    let pin = digital::Mock::new(calls);
    (pin.clone(), Annunciator::new(Switch { pin, active_high }))
}

#[test]
fn a_warning_on_a_pin() {
    let set = [High, Low, High, Low].map(Transaction::set);
    let (mut pin, mut horn) = horn(true, &set);
    horn.play(ms(1_000), Pattern::WARNING).unwrap();
    assert_eq!(horn.poll_timeout(), Some(ms(1_800)));
    // The same again changes nothing, and neither does a look too early.
    horn.play(ms(1_500), Pattern::WARNING).unwrap();
    horn.poll(ms(1_799)).unwrap();
    horn.poll(ms(1_800)).unwrap();
    assert_eq!(horn.poll_timeout(), Some(ms(2_000)));
    horn.poll(ms(2_000)).unwrap();
    assert_eq!(horn.poll_timeout(), Some(ms(2_800)));
    horn.play(ms(2_100), Pattern::QUIET).unwrap();
    assert_eq!((horn.poll_timeout(), horn.pattern()), (None, Pattern::QUIET));
    horn.poll(ms(9_000)).unwrap();
    pin.done();
}

#[test]
fn an_output_is_switched_off_before_it_ever_sounds() {
    let (mut pin, mut horn) = horn(false, &[Transaction::set(High), Transaction::set(Low)]);
    assert_eq!(horn.poll_timeout(), Some(ms(0)));
    horn.poll(ms(0)).unwrap();
    assert_eq!(horn.poll_timeout(), None);
    horn.play(ms(5), Pattern::ALL_CLEAR).unwrap();
    assert_eq!(horn.poll_timeout(), None, "a steady sound needs no further look");
    pin.done();
}

#[test]
fn a_ramp_on_pwm_with_a_failure_in_the_middle() {
    let on = |duty| [pwm::Transaction::max_duty_cycle(200), pwm::Transaction::set_duty_cycle(duty)];
    let failing =
        [pwm::Transaction::max_duty_cycle(200), pwm::Transaction::set_duty_cycle(200).with_error(broken())];
    let calls = [on(80), failing, on(80), on(200)].concat();
    let mut channel = pwm::Mock::new(&calls);
    let mut lamp = Annunciator::new(Pwm { channel: channel.clone() });
    assert_eq!(lamp.play(ms(0), RAMP), Ok(()));
    assert_eq!(lamp.poll(ms(10)), Err(broken()));
    // The pattern goes on; the output is left alone until the retry, and then has the step of that moment.
    assert_eq!(lamp.poll_timeout(), Some(ms(20)));
    assert_eq!(lamp.poll(ms(20)), Ok(()));
    assert_eq!(lamp.poll(ms(30)), Ok(()));
    assert_eq!(lamp.poll(ms(40)), Ok(()));
    assert_eq!(lamp.poll(ms(50)), Ok(()));
    assert_eq!(lamp.poll(ms(110)), Ok(()));
    assert_eq!(lamp.poll(ms(120)), Ok(()));
    channel.done();
}

#[test]
fn a_horn_that_fails_is_tried_again_soon_and_until_it_sounds() {
    let failing = || Transaction::set(High).with_error(broken());
    let (mut pin, mut horn) =
        horn(true, &[failing(), failing(), Transaction::set(High), Transaction::set(Low)]);
    assert_eq!(horn.play(ms(0), Pattern::ALL_CLEAR), Err(broken()));
    assert_eq!(horn.poll_timeout(), Some(ms(100)));
    assert_eq!(horn.poll(ms(99)), Ok(()));
    assert_eq!(horn.poll(ms(100)), Err(broken()));
    assert_eq!(horn.poll(ms(200)), Ok(()));
    assert_eq!(horn.poll_timeout(), None);
    assert_eq!(horn.poll(ms(201)), Ok(()));
    horn.play(ms(202), Pattern::QUIET).unwrap();
    pin.done();
}

#[test]
fn a_new_sound_does_not_wait_for_the_retry_of_an_old_one() {
    let calls = [Transaction::set(Low).with_error(broken()), Transaction::set(High)];
    let (mut pin, mut horn) = horn(true, &calls);
    assert_eq!(horn.poll(ms(0)), Err(broken()));
    assert_eq!(horn.play(ms(1), Pattern::WARNING), Ok(()));
    pin.done();
}

#[test]
fn what_is_late_stretches_the_pattern_and_skips_nothing() {
    let set = [High, Low, High, Low].map(Transaction::set);
    let (mut pin, mut horn) = horn(true, &set);
    horn.play(ms(0), Pattern::WARNING).unwrap();
    // A little late: in step with the beginning. Very late: from here on.
    horn.poll(ms(850)).unwrap();
    assert_eq!(horn.poll_timeout(), Some(ms(1_000)));
    horn.poll(ms(60_000)).unwrap();
    assert_eq!(horn.poll_timeout(), Some(ms(60_800)));
    horn.poll(ms(60_800)).unwrap();
    pin.done();
}

/// On or off in each of `count` hundredths of a second from the beginning of step `from`.
fn heard(pattern: Pattern, from: usize, count: usize) -> Vec<bool> {
    let steps = pattern.steps();
    let of = |step: &Step| vec![step.percent > 0; (step.lasts.as_millis() / 10).max(1) as usize];
    steps.iter().cycle().skip(from).flat_map(of).take(count).collect()
}

#[test]
fn every_pattern_can_be_told_from_every_other_on_a_plain_pin() {
    let heard: BTreeSet<_> = ALL.iter().map(|&(_, pattern)| heard(pattern, 0, 600)).collect();
    assert_eq!(heard.len(), ALL.len());
}

#[test]
fn a_warning_is_told_from_an_all_clear_and_a_test_within_a_second_wherever_it_is_heard_first() {
    let warning = heard(Pattern::WARNING, 0, 1_000);
    for second in warning.windows(100) {
        let on = second.iter().filter(|&&on| on).count();
        assert!((75..100).contains(&on), "on for {on} of 100");
    }
    assert!(heard(Pattern::ALL_CLEAR, 0, 1_000).iter().all(|&on| on));
    for second in heard(Pattern::TEST, 0, 1_000).windows(100) {
        assert!(second.iter().filter(|&&on| on).count() <= 20);
    }
}

#[test]
fn no_pattern_says_leave_the_building() {
    // ISO 8201: three pulses of half a second, half a second apart, then one and a half seconds.
    let pulses = [true, false, true, false, true, false, false, false];
    let evacuation: Vec<bool> = pulses.iter().flat_map(|&on| [on; 50]).collect();
    for (name, pattern) in ALL {
        for from in 0..pattern.steps().len() {
            assert_ne!(heard(pattern, from, evacuation.len()), evacuation, "{name}");
        }
    }
}

#[test]
fn lights_flash_as_often_as_is_seen_and_harms_nobody() {
    // NFPA 72: one to two a second. WCAG 2.3.1: no more than three.
    let flashes =
        |pattern, count| heard(pattern, 0, count).windows(2).filter(|pair| !pair[0] && pair[1]).count();
    assert!((9..=20).contains(&flashes(Pattern::BEACON, 1_000)));
    for pattern in [Pattern::LOCATE, Pattern::FAULT] {
        assert!(flashes(pattern, 1_000) <= 30);
    }
}

#[test]
fn a_table_that_cannot_be_played_is_refused() {
    assert_eq!(Pattern::new(&[]), None);
    assert_eq!(Pattern::new(&[DIM, Step { percent: 101, ..DIM }]), None);
    assert_eq!(Pattern::new(&[DIM, Step { lasts: Duration::ZERO, ..DIM }]), None);
    assert!(Pattern::new(&[Step { lasts: Duration::ZERO, ..DIM }]).is_some());
    for (name, pattern) in ALL {
        assert_eq!(Pattern::new(pattern.steps()), Some(pattern), "{name}");
    }
}

#[test]
fn each_sound_has_its_pattern() {
    let warning = Sound::Warning { zone: SiteId(3), kind: RocketLaunch::CODE };
    assert_eq!(Pattern::from(warning), Pattern::WARNING);
    assert_eq!(Pattern::from(Sound::AllClear), Pattern::ALL_CLEAR);
    assert_eq!(Pattern::from(Sound::Test), Pattern::TEST);
    assert_eq!(Pattern::from(Sound::Quiet), Pattern::QUIET);
}
