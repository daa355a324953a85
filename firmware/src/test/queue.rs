//! The precedence queue: who goes first, who gives way, and a long random life of it.

#![no_std]
#![no_main]

use alertbus::Precedence::{self, Flash, Immediate, Priority, Routine};
use alertbus::queue::{Lane, PrecedenceQueue, Pushed, Slot};
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;

use alertbus_firmware::testing::{self, Draws, Fingerprint};

#[entry]
fn main() -> ! {
    testing::run(|| {
        order();
        displacement();
        life();
    })
}

/// All eight lanes at once, filled in a scrambled order.
fn order() {
    let mut queue = PrecedenceQueue::<u32, 16>::new();
    let mut number: u32 = 0;
    for step in 0..16 {
        // 5 and 16 have no common factor, so every lane gets two.
        let at = (step * 5 + 3) % 16;
        let lane = Lane::of(Precedence::from_bits(at % 4), at / 4 % 2 == 1);
        assert!(matches!(queue.push(lane, number), Pushed::Kept(_)));
        number += 1;
    }
    hprintln!("order of {} in 8 lanes", number);
    while let Some((item, lane)) = queue.pop() {
        hprintln!("  {} {}", Shown(lane), item);
    }
}

/// A full queue: whoever gives way is named.
fn displacement() {
    let mut queue = PrecedenceQueue::<&str, 4>::new();
    let mut push = |lane: Lane, item: &'static str| {
        let (slot, said) = match queue.push(lane, item) {
            Pushed::Kept(slot) => (Some(slot), None),
            Pushed::Displaced(slot, lane, item) => (Some(slot), Some((lane, item))),
            Pushed::Refused(item) => {
                hprintln!("  {} {}: refused", Shown(lane), item);
                return None;
            }
        };
        match said {
            None => hprintln!("  {} {}: kept", Shown(lane), item),
            Some((from, other)) => {
                hprintln!("  {} {}: kept, {} {} gives way", Shown(lane), item, Shown(from), other);
            }
        }
        slot
    };
    hprintln!("displacement of 4");
    let [live, exercise] = [false, true].map(|exercise| move |level| Lane::of(level, exercise));
    push(live(Routine), "a");
    push(exercise(Flash), "b");
    push(live(Flash), "c");
    push(live(Priority), "d");
    push(live(Immediate), "e");
    push(exercise(Routine), "f");
    push(live(Flash), "g");
    push(live(Immediate), "h");
    push(live(Flash), "i");
    push(live(Flash), "j");
    push(live(Flash), "k");
    push(live(Immediate), "l");
}

/// Twenty thousand steps at random, held to what a queue promises, and told as one number.
fn life() {
    let mut queue = PrecedenceQueue::<u32, 32>::new();
    let (mut draws, mut seen) = (Draws(1), Fingerprint::new());
    let mut slots = [None::<Slot>; 32];
    let (mut kept, mut displaced, mut refused, mut popped) = (0, 0, 0, 0);
    for number in 0..20_000 {
        let before = queue.len();
        match draws.below(8) {
            0..5 => {
                let lane = Lane::of(Precedence::ALL[draws.below(4) as usize], draws.below(4) == 0);
                let slot = match queue.push(lane, number) {
                    Pushed::Kept(slot) => {
                        kept += 1;
                        slot
                    }
                    Pushed::Displaced(slot, from, item) => {
                        assert!(from <= lane && from != Lane::LIVE_FLASH, "{number}");
                        displaced += 1;
                        seen.feed(&item.to_be_bytes());
                        slot
                    }
                    Pushed::Refused(_) => {
                        assert_eq!(queue.len(), 32);
                        refused += 1;
                        continue;
                    }
                };
                slots[draws.below(32) as usize] = Some(slot);
            }
            5 => {
                let sent = slots[draws.below(32) as usize].is_some_and(|slot| queue.mark_sent(slot));
                seen.feed(&[u8::from(sent)]);
            }
            6 => {
                let removed = slots[draws.below(32) as usize].and_then(|slot| queue.remove(slot));
                assert_eq!(queue.len() + removed.iter().len(), before);
                seen.feed(&removed.unwrap_or(u32::MAX).to_be_bytes());
            }
            _ => {
                let first = queue.peek().map(|(_, lane, &item)| (item, lane));
                let highest = queue.pop();
                assert_eq!(first, highest);
                let (item, lane) = highest.unwrap_or((u32::MAX, Lane::LIVE_FLASH));
                popped += u32::from(item != u32::MAX);
                seen.feed(&item.to_be_bytes());
                seen.feed(&[lane.precedence().bits(), u8::from(lane.is_exercise())]);
            }
        }
    }
    hprintln!("life of 32: {} kept, {} displaced, {} refused, {} popped", kept, displaced, refused, popped);
    hprintln!("  fingerprint {:016x}", seen.value());
}

/// A lane as people call it.
struct Shown(Lane);

impl core::fmt::Display for Shown {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        let word = if self.0.is_exercise() { "exercise" } else { "live" };
        write!(f, "{word} {}", self.0.precedence())
    }
}
