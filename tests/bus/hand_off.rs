//! From interrupts over the bus into a node.

use alertbus::bus::{Bus, Heard, Topic};
use alertbus::ledger::Row;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{AlertDraft, ResetCause};
use alertbus::role::node::{Node, NodeConfig, Submission};
use alertbus::store::Volatile;
use alertbus::time::Instant;
use alertbus::wire::keys::{Epoch, MasterKey};
use alertbus::{NodeId, Precedence};

#[test]
fn every_draft_is_raised_or_told_as_missed() {
    let bus = Bus::<8>::new();
    let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12));
    let config = NodeConfig { node: NodeId(12), key, reset_cause: ResetCause::PowerOn, seed: 1 };
    let mut node = Node::<_, 8>::start(config, Volatile::new(Epoch(1), 1), Instant::START);

    let (rocket, drone) =
        (AlertDraft::new(RocketLaunch::default()), AlertDraft::new(DroneSighting::default()));
    let drill = AlertDraft { exercise: true, ..rocket };
    let detectors = bus.publisher();
    for _ in 0..1_000 {
        detectors.publish(drone);
        detectors.publish(drill);
    }
    for _ in 0..6 {
        detectors.publish(rocket);
    }

    let mut drafts = bus.subscribe(Topic::ALL);
    let (mut raised, mut missed) = (Vec::new(), Vec::new());
    while let Some(heard) = drafts.poll() {
        match heard {
            Heard::Message(draft) => {
                if let Submission::Queued { displaced: None, .. } = node.raise(Instant::START, draft) {
                    raised.push(draft);
                }
            }
            Heard::Missed { row, count } => missed.push((row, count)),
        }
    }
    assert_eq!(raised[..6], [rocket; 6], "Flash first, and all of it");
    assert_eq!(missed, [(Row::Live(Precedence::Priority), 992), (Row::Exercise, 992)]);
    let ledger = node.ledger();
    let offered = Row::ALL.map(|row| ledger.row(row).offered);
    assert_eq!(offered, [0, 8, 0, 6, 8], "what was heard was offered, in its own row");
    assert!(node.is_balanced());
}
