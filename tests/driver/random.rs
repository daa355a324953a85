//! Any levels, errors and times: no detector makes anything up.

use std::cell::RefCell;
use std::rc::Rc;

use embedded_hal::digital::{Error, ErrorKind, ErrorType, InputPin};
use proptest::collection::vec;
use proptest::prelude::*;

use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::driver::threshold::{Sensor, Threshold, ThresholdConfig};
use alertbus::driver::{Detection, Detector};
use alertbus::time::{Duration, Instant};

use crate::{draft, ms};

#[derive(Clone, Copy, Debug, PartialEq)]
struct Broken;

impl Error for Broken {
    fn kind(&self) -> ErrorKind {
        ErrorKind::Other
    }
}

/// What it shows at present, and whether anybody looked.
#[derive(Clone)]
struct Probe<T>(Rc<RefCell<(Result<T, Broken>, bool)>>);

impl<T: Copy> Probe<T> {
    fn new(shows: T) -> Self {
        Self(Rc::new(RefCell::new((Ok(shows), false))))
    }

    fn look(&self) -> Result<T, Broken> {
        let mut probe = self.0.borrow_mut();
        probe.1 = true;
        probe.0
    }
}

impl ErrorType for Probe<bool> {
    type Error = Broken;
}

impl InputPin for Probe<bool> {
    fn is_high(&mut self) -> Result<bool, Broken> {
        self.look()
    }

    fn is_low(&mut self) -> Result<bool, Broken> {
        self.look().map(|high| !high)
    }
}

impl Sensor for Probe<i32> {
    type Error = Broken;

    fn measure(&mut self) -> Result<i32, Broken> {
        self.look()
    }
}

/// What was seen in one look.
type Seen<T> = (Instant, Result<T, Broken>);

/// Polls at each moment and gives back what was seen, and what was concluded and when.
fn run<T: Copy>(
    probe: &Probe<T>,
    mut detector: impl Detector<Error = Broken>,
    steps: &[(u32, Result<T, Broken>)],
) -> (Vec<Seen<T>>, Vec<(usize, Detection)>) {
    let (mut seen, mut concluded, mut now) = (Vec::new(), Vec::new(), Instant::START);
    for &(wait, shows) in steps {
        now = now.after(Duration::from_millis(wait));
        *probe.0.borrow_mut() = (shows, false);
        let answer = detector.poll(now);
        if probe.0.borrow().1 {
            seen.push((now, shows));
            assert_eq!(answer.is_err(), shows.is_err());
        }
        if let Ok(Some(detection)) = answer {
            concluded.push((seen.len(), detection));
        }
        assert!(answer.is_ok() || detector.poll_timeout().is_some(), "a failed look is followed by another");
    }
    (seen, concluded)
}

fn alternates(concluded: &[(usize, Detection)]) -> bool {
    (0..).zip(concluded).all(|(k, (_, detection))| matches!(detection, Detection::Onset(_)) == (k % 2 == 0))
}

/// How long the last looks of these all had `level`, without an error.
fn held(seen: &[Seen<bool>], level: bool) -> Option<Duration> {
    let last = seen.last()?.0;
    let row = seen.iter().rev().take_while(|(_, shows)| *shows == Ok(level));
    row.last().map(|&(since, _)| last.since(since))
}

fn shows<T: Clone + std::fmt::Debug>(
    value: impl Strategy<Value = T>,
) -> impl Strategy<Value = Result<T, Broken>> {
    prop_oneof![8 => value.prop_map(Ok), 1 => Just(Err(Broken))]
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn a_contact_concludes_only_what_it_saw_hold(
        steps in vec((0_u32..40, shows(any::<bool>())), 0..200),
        active_high in any::<bool>(),
        (debounce, hold) in (0_u32..60, 0_u32..90),
    ) {
        let debounce = Duration::from_millis(debounce);
        let hold = Duration::from_millis(hold);
        let config = ContactConfig { active_high, debounce, hold, clears: true, draft: draft() };
        let probe = Probe::new(false);
        let contact = Contact::new(probe.clone(), config).unwrap();
        let (seen, concluded) = run(&probe, contact, &steps);
        prop_assert!(alternates(&concluded), "{:?}", concluded);
        for (looks, detection) in concluded {
            let is_onset = matches!(detection, Detection::Onset(_));
            let held = held(&seen[..looks], is_onset == active_high);
            prop_assert!(held.is_some_and(|held| held >= debounce), "{:?} after {:?}", detection, held);
            prop_assert_eq!(*detection.draft(), draft());
        }
    }

    #[test]
    fn a_contact_misses_nothing_that_holds(
        before in vec((0_u32..40, shows(any::<bool>())), 0..50),
        debounce in 1_u32..60,
    ) {
        let config = ContactConfig {
            active_high: true,
            debounce: Duration::from_millis(debounce),
            hold: Duration::from_millis(50),
            clears: true,
            draft: draft(),
        };
        let probe = Probe::new(false);
        // Open for longer than a hold and a retry, then active for longer than a debounce and a retry.
        let quiet = std::iter::repeat_n((10, Ok(false)), 30);
        let active = std::iter::repeat_n((10, Ok(true)), 30);
        let steps: Vec<_> = before.iter().copied().chain(quiet).chain(active).collect();
        let (_, concluded) = run(&probe, Contact::new(probe.clone(), config).unwrap(), &steps);
        prop_assert!(matches!(concluded.last(), Some((_, Detection::Onset(_)))));
    }

    #[test]
    fn a_contact_looked_at_when_it_says_needs_no_other_looks(levels in vec((1_u32..300, any::<bool>()), 1..30)) {
        let config = ContactConfig {
            active_high: true,
            debounce: Duration::from_millis(20),
            hold: Duration::from_millis(100),
            clears: true,
            draft: draft(),
        };
        // At each edge and each appointment, against every millisecond.
        let end: u64 = levels.iter().map(|&(lasts, _)| u64::from(lasts)).sum();
        let at = |moment: u64| {
            let mut from = 0;
            levels.iter().find_map(|&(lasts, level)| {
                from += u64::from(lasts);
                (moment < from).then_some(level)
            })
        };
        let told = |by_appointment: bool| {
            let probe = Probe::new(false);
            let mut contact = Contact::new(probe.clone(), config).unwrap();
            let mut told = Vec::new();
            for moment in 0..end {
                let edge = moment == 0 || at(moment) != at(moment - 1);
                let due = contact.poll_timeout().is_some_and(|due| due <= ms(moment));
                if by_appointment && !edge && !due {
                    continue;
                }
                *probe.0.borrow_mut() = (Ok(at(moment).unwrap()), false);
                told.extend(contact.poll(ms(moment)).unwrap().map(|detection| (moment, detection)));
            }
            (told, contact.closures_held())
        };
        prop_assert_eq!(told(true), told(false));
    }

    #[test]
    fn a_threshold_concludes_only_what_it_measured_in_a_row(
        steps in vec((0_u32..15, shows(70_i32..110)), 0..300),
        samples in 1_u8..5,
    ) {
        let config = ThresholdConfig {
            onset: 100,
            over: 80,
            samples,
            every: Duration::from_millis(10),
            clears: true,
            draft: draft(),
        };
        let probe = Probe::new(0);
        let (seen, concluded) = run(&probe, Threshold::new(probe.clone(), config).unwrap(), &steps);
        prop_assert!(alternates(&concluded));
        for (looks, detection) in concluded {
            let row = &seen[looks - usize::from(samples)..looks];
            let bears_out = |value: i32| match detection {
                Detection::Onset(_) => value >= 100,
                Detection::Over(_) => value <= 80,
            };
            prop_assert!(row.iter().all(|(_, shows)| shows.is_ok_and(bears_out)), "{:?} after {:?}", detection, row);
        }
    }
}
