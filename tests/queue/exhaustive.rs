//! Every sequence of operations on queues of one, two and three slots.

use alertbus::Precedence::{Flash, Immediate, Routine};
use alertbus::queue::Lane;

use crate::model::lanes;
use crate::pair::{Operation, Pair, Pick};

/// Walks the tree of all sequences of `depth` more operations; each node is one operation on copies of both, so a
/// common beginning is run once. Returns the number of whole sequences.
fn walk<const N: usize>(pair: &Pair<N>, alphabet: &[Operation], depth: u32) -> u64 {
    if depth == 0 {
        pair.compare_all();
        return 1;
    }
    let mut sequences = 0;
    for &operation in alphabet {
        if names_an_absent_item(operation, pair.model.residents().len()) {
            continue;
        }
        let mut next = pair.clone();
        if next.apply(operation) {
            sequences += walk(&next, alphabet, depth - 1);
        }
    }
    sequences
}

/// A handle operation on the third item of two would only repeat one on the first.
fn names_an_absent_item(operation: Operation, residents: usize) -> bool {
    match operation {
        Operation::MarkSent(Pick::Resident(at)) | Operation::Remove(Pick::Resident(at)) => at >= residents,
        _ => false,
    }
}

/// A push into each lane, a pop, and both handle operations on each slot's item and on the first handle ever
/// given, which soon is a stale one.
fn alphabet(lanes: &[Lane], slots: usize) -> Vec<Operation> {
    let picks = (0..slots).map(Pick::Resident).chain([Pick::Ever(0)]);
    let mut alphabet: Vec<Operation> = lanes.iter().copied().map(Operation::Push).collect();
    alphabet.push(Operation::Pop);
    for pick in picks {
        alphabet.extend([Operation::MarkSent(pick), Operation::Remove(pick)]);
    }
    alphabet
}

#[test]
fn one_slot_and_all_lanes() {
    let sequences = walk(&Pair::<1>::new(), &alphabet(&lanes(), 1), 6);
    assert!(sequences > 1_000_000, "{sequences}");
}

#[test]
fn two_slots_and_all_lanes() {
    let sequences = walk(&Pair::<2>::new(), &alphabet(&lanes(), 2), 6);
    assert!(sequences > 1_000_000, "{sequences}");
}

/// The lowest and highest lane on either side of the line between exercise and live, and one in the middle: every
/// way in which two lanes can stand to one another.
#[test]
fn three_slots_and_five_lanes() {
    let lanes = [
        Lane::of(Routine, true),
        Lane::of(Flash, true),
        Lane::of(Routine, false),
        Lane::of(Immediate, false),
        Lane::LIVE_FLASH,
    ];
    let sequences = walk(&Pair::<3>::new(), &alphabet(&lanes, 3), 6);
    assert!(sequences > 500_000, "{sequences}");
}

/// Longer sequences in one lane and its neighbour, where the order among the airborne has room to go wrong.
#[test]
fn three_slots_and_two_lanes_for_longer() {
    let lanes = [Lane::of(Immediate, false), Lane::LIVE_FLASH];
    let alphabet: Vec<Operation> = lanes
        .into_iter()
        .map(Operation::Push)
        .chain((0..3).map(|slot| Operation::MarkSent(Pick::Resident(slot))))
        .chain([Operation::Pop, Operation::Remove(Pick::Resident(1))])
        .collect();
    let sequences = walk(&Pair::<3>::new(), &alphabet, 9);
    assert!(sequences > 1_000_000, "{sequences}");
}
