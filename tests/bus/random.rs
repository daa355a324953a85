//! Long random lives of a bus with three subscribers, beside a model that forgets nothing.

use alertbus::Precedence;
use alertbus::bus::{Bus, Heard, Topic};
use alertbus::ledger::Row;
use proptest::collection::vec;
use proptest::prelude::*;

use crate::word::Word;

const TOPICS: [Topic; 3] = [
    Topic::ALL,
    Topic { kind: Some(1), precedence_min: Precedence::Routine, exercise: true },
    Topic { kind: None, precedence_min: Precedence::Immediate, exercise: true },
];

/// Highest first, exercise last.
const ROWS: [Row; 5] = [
    Row::Live(Precedence::Flash),
    Row::Live(Precedence::Immediate),
    Row::Live(Precedence::Priority),
    Row::Live(Precedence::Routine),
    Row::Exercise,
];

#[derive(Clone, Debug)]
enum Operation {
    Publish { row: usize, kind: u8 },
    Poll(usize),
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => (0..5_usize, 0..4_u8).prop_map(|(row, kind)| Operation::Publish { row, kind }),
        3 => (0..3_usize).prop_map(Operation::Poll),
    ]
}

/// One subscriber's view of one row.
#[derive(Clone, Copy, Default)]
struct Place {
    read: usize,
    untold: u64,
}

fn wants(topic: Topic, word: Word) -> bool {
    let precedence = match word.row {
        Row::Live(precedence) => precedence,
        Row::Exercise => Precedence::from_bits(word.kind),
    };
    precedence >= topic.precedence_min && topic.kind.is_none_or(|kind| kind == word.kind)
}

fn expected(
    topic: Topic,
    said: &[Vec<Word>; 5],
    places: &mut [Place; 5],
    kept: usize,
) -> Option<Heard<Word>> {
    for ((row, said), place) in ROWS.into_iter().zip(said).zip(places) {
        if matches!(row, Row::Live(precedence) if precedence < topic.precedence_min) {
            continue;
        }
        if place.untold > 0 {
            return Some(Heard::Missed { row, count: std::mem::take(&mut place.untold) });
        }
        let oldest = said.len().saturating_sub(kept);
        if place.read < oldest {
            let count = (oldest - place.read) as u64;
            place.read = oldest + 1;
            if wants(topic, said[oldest]) {
                place.untold = count;
                return Some(Heard::Message(said[oldest]));
            }
            return Some(Heard::Missed { row, count });
        }
        let at = (place.read..said.len()).find(|&at| wants(topic, said[at]));
        place.read = at.map_or(said.len(), |at| at + 1);
        if let Some(at) = at {
            return Some(Heard::Message(said[at]));
        }
    }
    None
}

fn run<const CAP: usize>(operations: Vec<Operation>) {
    let bus = Bus::<CAP, Word>::new();
    let mut subscribers = TOPICS.map(|topic| bus.subscribe(topic));
    let mut places = [[Place::default(); 5]; 3];
    let mut said: [Vec<Word>; 5] = Default::default();
    for operation in operations {
        match operation {
            Operation::Publish { row, kind } => {
                let word = Word { row: ROWS[row], kind, number: said[row].len() as u32 };
                bus.publisher().publish(word);
                said[row].push(word);
            }
            Operation::Poll(who) => {
                let model = expected(TOPICS[who], &said, &mut places[who], CAP);
                assert_eq!(subscribers[who].poll(), model, "subscriber {who}");
            }
        }
    }
}

proptest! {
    // A file of past failures has no place beside golden files; the seed is printed with a failure.
    #![proptest_config(ProptestConfig { cases: 256, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn one_message_a_row(operations in vec(operation(), 100..300)) {
        run::<1>(operations);
    }

    #[test]
    fn three_messages_a_row(operations in vec(operation(), 300..600)) {
        run::<3>(operations);
    }

    #[test]
    fn eight_messages_a_row(operations in vec(operation(), 300..600)) {
        run::<8>(operations);
    }
}
