//! Long random sequences on queues of the sizes in use.

use proptest::collection::vec;
use proptest::prelude::*;

use crate::model::lanes;
use crate::pair::{Operation, Pair, Pick};

fn pick() -> impl Strategy<Value = Pick> {
    prop_oneof![
        6 => any::<usize>().prop_map(Pick::Resident),
        1 => any::<usize>().prop_map(Pick::Ever),
    ]
}

/// More comes in than goes out, so that the queue is full most of the time.
pub(crate) fn operation() -> impl Strategy<Value = Operation> {
    prop_oneof![
        8 => (0..8_usize).prop_map(|lane| Operation::Push(lanes()[lane])),
        2 => Just(Operation::Pop),
        4 => pick().prop_map(Operation::MarkSent),
        2 => pick().prop_map(Operation::Remove),
    ]
}

fn run<const N: usize>(operations: Vec<Operation>) {
    let mut pair = Pair::<N>::new();
    for (count, operation) in operations.into_iter().enumerate() {
        pair.apply(operation);
        // Comparing everything costs the square of the size; often enough is enough.
        if count % (4 * N) == 0 {
            pair.compare_all();
        }
    }
    pair.compare_all();
}

/// A file of past failures has no place beside golden files; the seed is printed with a failure.
pub(crate) fn config(cases: u32) -> ProptestConfig {
    ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() }
}

proptest! {
    #![proptest_config(config(256))]

    #[test]
    fn eight_slots(operations in vec(operation(), 2_000..4_000)) {
        run::<8>(operations);
    }
}

proptest! {
    #![proptest_config(config(64))]

    #[test]
    fn sixty_four_slots(operations in vec(operation(), 3_000..5_000)) {
        run::<64>(operations);
    }

    #[test]
    fn two_hundred_and_fifty_six_slots(operations in vec(operation(), 4_000..6_000)) {
        run::<256>(operations);
    }
}
