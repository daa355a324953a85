//! The hard cases, one by one.

use alertbus::Precedence::{Flash, Immediate, Priority, Routine};
use alertbus::bus::{Bus, Heard, Publisher, Topic};
use alertbus::ledger::Row;

use crate::word::{Word, hear, live};

const LIVE: Topic = Topic { exercise: false, ..Topic::ALL };

#[test]
fn a_bus_lives_in_a_static_and_so_does_the_right_to_publish() {
    static BUS: Bus<2, Word> = Bus::new();
    static DETECTOR: Publisher<'_, 2, Word> = BUS.publisher();
    DETECTOR.publish(live(Flash, 1));
    // Whatever holds the lock already may publish too: an interrupt that masks others.
    critical_section::with(|_| DETECTOR.publish(live(Flash, 2)));
    let heard = hear(&mut BUS.subscribe(LIVE));
    assert_eq!(
        heard,
        [1, 2].map(|number| Heard::Message(live(Flash, number))),
        "published before anybody listened"
    );
}

#[test]
fn a_routine_flood_while_one_flash_alert_comes() {
    let bus = Bus::<4, Word>::new();
    let mut subscriber = bus.subscribe(LIVE);
    for number in 0..1_000_000 {
        bus.publisher().publish(live(Routine, number));
        if number == 500_000 {
            bus.publisher().publish(live(Flash, 7));
        }
    }
    assert_eq!(subscriber.poll(), Some(Heard::Message(live(Flash, 7))));
    assert_eq!(subscriber.poll(), Some(Heard::Message(live(Routine, 999_996))));
    assert_eq!(subscriber.poll(), Some(Heard::Missed { row: Row::Live(Routine), count: 999_996 }));
    assert_eq!(
        hear(&mut subscriber),
        [999_997, 999_998, 999_999].map(|number| Heard::Message(live(Routine, number)))
    );
}

#[test]
fn a_flash_message_overwritten_by_flash_is_told_to_each_subscriber() {
    let bus = Bus::<3, Word>::new();
    let (mut quick, mut slow) = (bus.subscribe(LIVE), bus.subscribe(LIVE));
    for number in 0..5 {
        bus.publisher().publish(live(Flash, number));
        assert_eq!(quick.poll(), Some(Heard::Message(live(Flash, number))));
    }
    let missed = Heard::Missed { row: Row::Live(Flash), count: 2 };
    let message = |number| Heard::Message(live(Flash, number));
    assert_eq!(hear(&mut slow), [message(2), missed, message(3), message(4)]);
    assert_eq!((quick.poll(), slow.poll()), (None, None));
}

#[test]
fn a_subscriber_that_is_always_too_slow_hears_messages_and_every_gap() {
    let bus = Bus::<2, Word>::new();
    let mut subscriber = bus.subscribe(LIVE);
    let (mut messages, mut missed) = (0, 0);
    for round in 0..1_000_u32 {
        for number in 0..10 {
            bus.publisher().publish(live(Flash, round * 10 + number));
        }
        match subscriber.poll().unwrap() {
            Heard::Message(_) => messages += 1,
            Heard::Missed { count, .. } => missed += count,
        }
    }
    assert_eq!(messages, 500, "every other time");
    for heard in hear(&mut subscriber) {
        match heard {
            Heard::Message(_) => messages += 1,
            Heard::Missed { count, .. } => missed += count,
        }
    }
    assert_eq!(messages + missed, 10_000);
}

#[test]
fn an_exercise_overwrites_nothing_live_and_is_heard_last() {
    let bus = Bus::<2, Word>::new();
    let drill = |number| Word { row: Row::Exercise, kind: Flash.bits(), number };
    bus.publisher().publish(live(Flash, 1));
    bus.publisher().publish(live(Routine, 1));
    for number in 0..100 {
        bus.publisher().publish(drill(number));
    }
    let live_words = [Heard::Message(live(Flash, 1)), Heard::Message(live(Routine, 1))];
    let drills = [
        Heard::Message(drill(98)),
        Heard::Missed { row: Row::Exercise, count: 98 },
        Heard::Message(drill(99)),
    ];
    assert_eq!(hear(&mut bus.subscribe(Topic::ALL)), [&live_words[..], &drills].concat());
    assert_eq!(hear(&mut bus.subscribe(LIVE)), live_words, "and a siren does not hear it at all");
}

#[test]
fn highest_first_and_only_what_the_topic_wants() {
    let bus = Bus::<4, Word>::new();
    for (number, precedence) in (0..).zip([Routine, Priority, Immediate, Flash, Priority]) {
        bus.publisher().publish(Word { kind: u8::from(number == 1), ..live(precedence, number) });
    }
    let numbers = |topic| -> Vec<u32> {
        let heard = hear(&mut bus.subscribe(topic));
        heard
            .into_iter()
            .map(|heard| if let Heard::Message(word) = heard { word.number } else { panic!() })
            .collect()
    };
    assert_eq!(numbers(Topic::ALL), [3, 2, 1, 4, 0]);
    assert_eq!(numbers(Topic { precedence_min: Immediate, ..Topic::ALL }), [3, 2]);
    assert_eq!(numbers(Topic { kind: Some(0), ..Topic::ALL }), [3, 2, 4, 0]);
    assert_eq!(numbers(Topic { kind: Some(1), ..Topic::ALL }), [1]);
    assert_eq!(numbers(Topic { kind: Some(2), ..Topic::ALL }), [0; 0]);
}

#[test]
fn a_gap_is_told_though_nothing_of_the_kind_comes_after_it() {
    let bus = Bus::<2, Word>::new();
    let mut subscriber = bus.subscribe(Topic { kind: Some(9), ..LIVE });
    bus.publisher().publish(Word { kind: 9, ..live(Flash, 0) });
    for number in 1..4 {
        bus.publisher().publish(live(Flash, number));
    }
    assert_eq!(hear(&mut subscriber), [Heard::Missed { row: Row::Live(Flash), count: 2 }]);
}
