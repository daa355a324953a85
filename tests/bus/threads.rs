//! Real contention: nothing torn, nothing twice, nothing out of order, every loss counted.

use std::collections::BTreeMap;
use std::sync::Barrier;
use std::sync::atomic::{AtomicBool, Ordering};

use alertbus::Precedence;
use alertbus::bus::{Bus, Heard, Message, Subscriber, Topic};
use alertbus::ledger::Row;

const PUBLISHERS: u32 = 4;
const SUBSCRIBERS: u32 = 3;
const WORDS: u32 = 200_000;

/// As long as a draft, with the same number in every place: a copy torn in two shows.
#[derive(Clone, Copy, Debug)]
struct Long {
    from: u32,
    copies: [u32; 16],
}

impl Message for Long {
    fn precedence(&self) -> Precedence {
        if self.copies[0].is_multiple_of(64) { Precedence::Flash } else { Precedence::Routine }
    }

    fn is_exercise(&self) -> bool {
        false
    }

    fn kind(&self) -> u8 {
        0
    }
}

/// Polls until all is said and heard; answers messages and misses of each row.
fn listen(mut subscriber: Subscriber<'_, 8, Long>, all_said: &AtomicBool) -> [(u64, u64); 2] {
    let mut newest = BTreeMap::new();
    let mut counts = [(0, 0); 2];
    loop {
        // Asked before the look: what is said after it is heard in the next round.
        let last_round = all_said.load(Ordering::Acquire);
        while let Some(heard) = subscriber.poll() {
            match heard {
                Heard::Message(Long { from, copies }) => {
                    assert!(copies.iter().all(|copy| *copy == copies[0]), "torn: {copies:?}");
                    let flash = copies[0].is_multiple_of(64);
                    let before = newest.insert((from, flash), copies[0]);
                    assert!(
                        before.is_none_or(|before| before < copies[0]),
                        "{before:?} before {}",
                        copies[0]
                    );
                    counts[usize::from(flash)].0 += 1;
                }
                Heard::Missed { row, count } => {
                    counts[usize::from(row == Row::Live(Precedence::Flash))].1 += count;
                }
            }
        }
        if last_round {
            return counts;
        }
    }
}

#[test]
fn publishers_and_subscribers_on_threads_of_their_own() {
    static BUS: Bus<8, Long> = Bus::new();
    let (all_said, start) = (AtomicBool::new(false), Barrier::new((PUBLISHERS + SUBSCRIBERS) as usize));
    let heard = std::thread::scope(|scope| {
        let subscribers = [(); SUBSCRIBERS as usize].map(|()| {
            scope.spawn(|| {
                start.wait();
                listen(BUS.subscribe(Topic::ALL), &all_said)
            })
        });
        let publishers: Vec<_> = (0..PUBLISHERS)
            .map(|from| {
                let start = &start;
                scope.spawn(move || {
                    start.wait();
                    for number in 0..WORDS {
                        BUS.publisher().publish(Long { from, copies: [number; 16] });
                    }
                })
            })
            .collect();
        for publisher in publishers {
            publisher.join().unwrap();
        }
        all_said.store(true, Ordering::Release);
        subscribers.map(|subscriber| subscriber.join().unwrap())
    });
    let flash = u64::from(PUBLISHERS * WORDS.div_ceil(64));
    let routine = u64::from(PUBLISHERS * WORDS) - flash;
    for counts in heard {
        assert_eq!(counts.map(|(messages, missed)| messages + missed), [routine, flash]);
        assert!(
            counts.iter().all(|(messages, _)| *messages >= 8),
            "the last eight are always there: {counts:?}"
        );
    }
}
