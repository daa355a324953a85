//! The windows against the obvious set, by one harness for chosen and for random numbers.

use std::collections::BTreeSet;

use alertbus::message::Seq;
use alertbus::wire::window::{FlashFilter, Replay, ReplayWindow};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::inventory::SEQ_MAX;
use crate::random::config;

/// What remembers every number it took.
#[derive(Default)]
struct Obvious {
    taken: BTreeSet<u32>,
}

impl Obvious {
    fn high(&self) -> u32 {
        self.taken.last().copied().unwrap_or(0)
    }

    fn peek(&self, number: u32, span: u32) -> Result<(), Replay> {
        let lowest = (self.high() + 1).saturating_sub(span).max(1);
        if number < lowest {
            Err(Replay::TooOld { got: number, lowest })
        } else if self.taken.contains(&number) {
            Err(Replay::Seen { got: number })
        } else {
            Ok(())
        }
    }
}

fn check_replay<const WORDS: usize>(numbers: &[u32]) {
    let span = 64 * u32::try_from(WORDS).unwrap();
    let mut window = ReplayWindow::<WORDS>::new();
    let mut obvious = Obvious::default();
    for &number in numbers {
        let expected = obvious.peek(number, span);
        assert_eq!(window.peek(number), expected, "{numbers:?} at {number}");
        window.commit(number);
        if expected.is_ok() {
            obvious.taken.insert(number);
        }
        assert_eq!(window.high(), obvious.high(), "{numbers:?} at {number}");
        let high = i64::from(window.high());
        for probe in [high - i64::from(span) - 1, high - i64::from(span), high - i64::from(span) + 1, high] {
            let Ok(probe) = u32::try_from(probe) else { continue };
            assert_eq!(window.peek(probe), obvious.peek(probe, span), "{numbers:?}, then {probe}");
        }
    }
}

/// Steps from one number to the next: mostly small ones, back and forth, some across the window, a few far away.
fn numbers(span: i64, last: u32) -> impl Strategy<Value = Vec<u32>> {
    let step = prop_oneof![
        8 => -8..=12_i64,
        4 => -span - 2..=span + 2,
        1 => Just(0),
        1 => 0..=4 * span,
        1 => any::<i32>().prop_map(i64::from),
    ];
    (0..=last, vec(step, 0..300)).prop_map(move |(start, steps)| {
        let mut at = i64::from(start);
        let mut walk = |step: i64| {
            at = (at + step).clamp(0, i64::from(last));
            u32::try_from(at).unwrap()
        };
        steps.into_iter().map(&mut walk).collect()
    })
}

const JUST_BELOW_THE_END: u32 = u32::MAX - 1;

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn window_of_64_against_the_obvious_set(numbers in numbers(64, JUST_BELOW_THE_END)) {
        check_replay::<1>(&numbers);
    }

    #[test]
    fn window_of_64_among_small_numbers(numbers in numbers(64, 300)) {
        check_replay::<1>(&numbers);
    }

    #[test]
    fn window_of_1024_against_the_obvious_set(numbers in numbers(1_024, JUST_BELOW_THE_END)) {
        check_replay::<16>(&numbers);
    }

    #[test]
    fn window_of_1024_among_small_numbers(numbers in numbers(1_024, 5_000)) {
        check_replay::<16>(&numbers);
    }
}

#[test]
fn the_edges_of_both_windows() {
    for span in [64, 1_024_u32] {
        let top = JUST_BELOW_THE_END;
        for edges in [
            vec![1, span, 1, span + 1, 1, 2, span + 2, 2, 3],
            vec![span, 0, span - 1, span + 1, 2 * span, span, span + 1],
            vec![1, 1 + span, 2, 1, 1 + 2 * span, 2 + span],
            vec![top, top - span + 1, top - span, top - 1, top],
            vec![5, 5, 4, 4, 6, 6, 5 + 64 * span, 6 + 63 * span],
        ] {
            check_replay::<1>(&edges);
            check_replay::<16>(&edges);
        }
    }
}

/// The last number of all has no successor to count from.
#[test]
fn the_last_number_is_taken_once() {
    let mut window = ReplayWindow::<1>::new();
    window.commit(u32::MAX - 1);
    assert_eq!(window.peek(u32::MAX), Ok(()));
    window.commit(u32::MAX);
    assert_eq!(window.peek(u32::MAX), Err(Replay::Seen { got: u32::MAX }));
    assert_eq!(window.peek(u32::MAX - 1), Err(Replay::Seen { got: u32::MAX - 1 }));
    assert_eq!(window.peek(u32::MAX - 63), Ok(()));
    let lowest = u32::MAX - 63;
    assert_eq!(window.peek(u32::MAX - 64), Err(Replay::TooOld { got: u32::MAX - 64, lowest }));
}

#[derive(Clone, Copy, Debug)]
enum FilterStep {
    Insert(u32),
    RaiseFloor(u32),
}

/// Known is what was inserted and what lies below the floor; the floor is the highest ever raised to, or what
/// keeps the span.
fn check_filter(steps: &[FilterStep]) {
    const SPAN: u32 = 1_024;
    let mut filter = FlashFilter::new();
    let (mut inserted, mut floor) = (BTreeSet::new(), 1_u32);
    for &step in steps {
        match step {
            FilterStep::Insert(number) => {
                filter.insert(Seq::new(number).unwrap());
                inserted.insert(number);
                floor = floor.max((number + 1).saturating_sub(SPAN));
            }
            FilterStep::RaiseFloor(to) => {
                filter.raise_floor(to);
                floor = floor.max(to);
            }
        }
        assert_eq!(filter.floor(), floor, "{steps:?}");
        let near =
            [floor.saturating_sub(1), floor, floor + 1, floor + SPAN / 2, floor + SPAN - 1, floor + SPAN];
        for number in
            near.into_iter().chain(inserted.range(floor..).copied()).filter(|n| (1..=SEQ_MAX).contains(n))
        {
            let known = number < floor || inserted.contains(&number);
            assert_eq!(filter.contains(Seq::new(number).unwrap()), known, "{steps:?}, then {number}");
        }
    }
}

proptest! {
    #![proptest_config(config(1_000))]

    #[test]
    fn flash_filter_against_the_obvious_set(
        numbers in numbers(1_024, SEQ_MAX),
        raises in vec(any::<u8>(), 300),
    ) {
        // One step in eight raises the floor to where the walk is, behind which it soon falls back.
        let steps: Vec<FilterStep> = numbers
            .into_iter()
            .zip(raises)
            .map(|(number, raise)| {
                if raise < 32 { FilterStep::RaiseFloor(number) } else { FilterStep::Insert(number.max(1)) }
            })
            .collect();
        check_filter(&steps);
    }

    #[test]
    fn flash_filter_among_small_numbers(numbers in numbers(1_024, 4_000)) {
        let steps: Vec<FilterStep> = numbers.into_iter().map(|number| FilterStep::Insert(number.max(1))).collect();
        check_filter(&steps);
    }
}
