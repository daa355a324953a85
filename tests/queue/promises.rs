//! What the queue's documentation promises, tested on the queue alone.

use std::collections::BTreeMap;

use alertbus::queue::{Lane, PrecedenceQueue, Pushed, Slot};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::{lanes, rank};
use crate::random::config;

/// A lane to push into, a number that decides what else happens, and which handle it happens to.
type Step = (usize, u8, usize);

/// What a push found, and what became of it.
struct Push {
    newcomer: Lane,
    before: Vec<Lane>,
    outcome: Pushed<u32>,
}

/// Runs the steps and lets `check` look at every push.
fn pushes<const N: usize>(steps: &[Step], mut check: impl FnMut(&Push)) -> Tally {
    let mut queue = PrecedenceQueue::<u32, N>::new();
    let mut handles: Vec<Slot> = Vec::new();
    let mut tally = Tally::default();
    for &(lane, decision, handle) in steps {
        let newcomer = lanes()[lane];
        let before = queue.iter().map(|(_, lane, _)| lane).collect();
        let outcome = queue.push(newcomer, tally.pushed);
        tally.pushed += 1;
        match &outcome {
            Pushed::Kept(slot) => handles.push(*slot),
            Pushed::Displaced(slot, ..) => {
                handles.push(*slot);
                tally.gone += 1;
            }
            Pushed::Refused(_) => tally.gone += 1,
        }
        check(&Push { newcomer, before, outcome });
        let Some(at) = handle.checked_rem(handles.len()) else { continue };
        match decision {
            0..=9 => {
                queue.mark_sent(handles[at]);
            }
            10 => tally.gone += u32::from(queue.remove(handles[at]).is_some()),
            11 => {
                if let Some((item, lane)) = queue.pop() {
                    tally.gone += 1;
                    tally.popped.entry(rank(lane)).or_default().push(item);
                }
            }
            _ => {}
        }
    }
    tally.resident = u32::try_from(queue.len()).unwrap();
    tally
}

#[derive(Default)]
struct Tally {
    pushed: u32,
    gone: u32,
    resident: u32,
    /// Items popped, by lane.
    popped: BTreeMap<usize, Vec<u32>>,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    vec((0..8_usize, 0..16_u8, any::<usize>()), 0..400)
}

/// As [`steps`], with live Flash half of the time.
fn mostly_flash() -> impl Strategy<Value = Vec<Step>> {
    vec((prop_oneof![Just(7), 0..8_usize], 0..16_u8, any::<usize>()), 0..400)
}

proptest! {
    #![proptest_config(config(512))]

    /// A live Flash item is admitted while fewer than N live Flash items are resident, and never gives way.
    #[test]
    fn live_flash_is_admitted_while_fewer_than_n_are_resident(steps in mostly_flash()) {
        pushes::<6>(&steps, |push| {
            let resident = push.before.iter().filter(|&&lane| lane == Lane::LIVE_FLASH).count();
            let refused = matches!(push.outcome, Pushed::Refused(_));
            if push.newcomer == Lane::LIVE_FLASH {
                assert_eq!(refused, resident == 6, "{resident} resident");
            }
            assert!(!matches!(push.outcome, Pushed::Displaced(_, Lane::LIVE_FLASH, _)));
        });
    }

    /// A higher precedence is never refused or displaced for a lower one.
    #[test]
    fn nothing_gives_way_to_a_lower_lane(steps in steps()) {
        pushes::<6>(&steps, |push| {
            let newcomer = rank(push.newcomer);
            match push.outcome {
                Pushed::Kept(_) => assert!(push.before.len() < 6),
                Pushed::Displaced(_, lane, _) => {
                    assert_eq!(push.before.len(), 6);
                    assert!(rank(lane) <= newcomer);
                    // Nor for an equal one, while something lower is there.
                    assert!(push.before.iter().all(|&other| rank(other) >= rank(lane)));
                }
                Pushed::Refused(_) => {
                    assert_eq!(push.before.len(), 6);
                    assert!(push.before.iter().all(|&lane| rank(lane) >= newcomer));
                }
            }
        });
    }

    /// Whatever comes in goes out exactly once or is still there, and within a lane in the order it came.
    #[test]
    fn nothing_is_lost_and_a_lane_is_first_in_first_out(steps in steps()) {
        let tally = pushes::<6>(&steps, |_| {});
        prop_assert_eq!(tally.pushed, tally.gone + tally.resident);
        for popped in tally.popped.values() {
            prop_assert!(popped.is_sorted(), "{:?}", popped);
        }
    }
}
