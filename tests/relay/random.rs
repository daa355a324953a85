//! Long random lives of a relay and its model: same answers, same frames, and counts that balance.

use alertbus::ledger::Row;
use alertbus::role::relay::{Rejected, Taken};
use alertbus::wire::packet::{Class, Header};
use alertbus::{NodeId, Precedence};
use proptest::collection::vec;
use proptest::prelude::*;

use crate::air::{Ear, header};
use crate::model::{Heard, Model};

#[derive(Clone, Debug)]
enum Operation {
    Hear(Header),
    Say,
}

/// Few nodes and counters, so that frames come again and sources compete; many, so that all are different.
fn heard(nodes: u16, counters: u32) -> impl Strategy<Value = Header> {
    (0..4_u8, any::<bool>(), any::<bool>(), 0..nodes, 0..counters).prop_map(
        |(precedence, exercise, down, node, counter)| Header {
            exercise,
            class: if down { Class::Ack } else { Class::Alert },
            // Both ends of the range of addresses.
            node: NodeId(if node % 2 == 0 { node } else { u16::MAX - node }),
            ..header(0, Precedence::from_bits(precedence), counter)
        },
    )
}

fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        3 => heard(3, 40).prop_map(Operation::Hear),
        3 => heard(40, 1_000).prop_map(Operation::Hear),
        4 => Just(Operation::Say),
    ]
}

fn run<const N: usize, const SEEN: usize>(operations: Vec<Operation>) {
    let (mut ear, mut model) = (Ear::<N, SEEN>::new(), Model::new(N, SEEN));
    let mut heard = [0; 5];
    for operation in operations {
        match operation {
            Operation::Hear(header) => {
                let row = Row::of(header.precedence, header.exercise);
                heard[Row::ALL.iter().position(|&other| other == row).unwrap()] += 1;
                let relay = match ear.hear_header(header) {
                    Ok(Taken::Kept) => Heard::Kept,
                    Ok(Taken::Displaced(gone)) => Heard::Displaced(gone),
                    Err(Rejected::Duplicate) => Heard::Duplicate,
                    Err(Rejected::Full) => Heard::Full,
                    Err(other) => panic!("{other:?}"),
                };
                assert_eq!(relay, model.hear(header, &relay));
            }
            Operation::Say => assert_eq!(ear.say(), model.say()),
        }
        assert_eq!(ear.relay.waiting(), model.len());
    }
    assert_eq!(ear.say_all(), std::iter::from_fn(|| model.say()).collect::<Vec<_>>());
    for (row, heard) in Row::ALL.into_iter().zip(heard) {
        let counts = ear.relay.counts(row);
        assert_eq!(counts.duplicate + counts.refused + counts.forwarded + counts.displaced, heard, "{row:?}");
    }
}

proptest! {
    // A file of past failures has no place beside golden files; the seed is printed with a failure.
    #![proptest_config(ProptestConfig { cases: 128, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn room_for_one(operations in vec(operation(), 200..400)) {
        run::<1, 1>(operations);
    }

    #[test]
    fn room_for_four(operations in vec(operation(), 500..1_000)) {
        run::<4, 8>(operations);
    }

    #[test]
    fn room_for_sixteen(operations in vec(operation(), 500..1_000)) {
        run::<16, 64>(operations);
    }
}
