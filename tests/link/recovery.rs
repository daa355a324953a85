//! Power cuts, erases and spent counters: what was durable comes back with its key, and no number comes back.

use alertbus::Precedence;
use alertbus::ledger::{Outcome, Row};
use alertbus::limits::UP_COUNTER_MAX;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{AlertDraft, EventKey, Phase, Reference};
use alertbus::role::gateway::Rejected;
use alertbus::role::node::{Node, NodeConfig, NodeEvent, Refusal, Submission};
use alertbus::store::StoreError;
use alertbus::time::Duration;
use alertbus::wire::keys::MasterKey;
use alertbus::{NodeId, wire::packet};

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, Pair, config, node_key};

fn flash() -> AlertDraft {
    AlertDraft { key: Some(EventKey(7)), ..AlertDraft::new(RocketLaunch::default()) }
}

fn reboot(pair: &mut Pair<Ailing>, memory: &Shared) {
    pair.node = Node::start(config(2), Ailing::start(memory), pair.now);
}

fn is_durable(event: &NodeEvent) -> bool {
    matches!(event, NodeEvent::Durable { .. })
}

#[test]
fn a_flash_alert_raised_while_the_journal_page_is_being_erased() {
    for answered_first in [false, true] {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        pair.exchange();
        memory.borrow_mut().append_pending = 500;
        assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Queued { .. }));
        let packets = pair.node_packets();
        assert_eq!(packets.len(), 1, "it is sent at once");
        assert!(!pair.events().iter().any(is_durable), "and not said to be safe");
        if answered_first {
            pair.hand_up(&packets[0]);
            for packet in pair.gateway_packets() {
                pair.hand_down(&packet).unwrap();
            }
        }
        let mut wakes = 0;
        while pair.node.poll_timeout().is_some_and(|at| at <= pair.now) {
            pair.advance(Duration::from_millis(2));
            pair.node_packets();
            wakes += 1;
        }
        let told = pair.events();
        assert_eq!(told.iter().filter(|event| is_durable(event)).count(), usize::from(!answered_first));
        assert!(wakes <= 520 && memory.borrow().open.len() == usize::from(!answered_first));
        reboot(&mut pair, &memory);
        pair.exchange();
        assert_eq!((pair.delivered.len(), pair.node.resident()), (1, 0));
    }
}

#[test]
fn no_power_cut_finds_neither_the_alert_nor_what_took_its_place() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, flash());
    assert_eq!(pair.events().iter().filter(|event| is_durable(event)).count(), 1);
    memory.borrow_mut().append_pending = 3;
    assert!(matches!(pair.node.update(pair.now, flash()), Submission::Queued { .. }));
    for _ in 0..6 {
        assert!(!memory.borrow().open.is_empty());
        pair.node.handle_timeout(pair.now);
    }
    let open: Vec<u32> = memory.borrow().open.keys().map(|seq| seq.number()).collect();
    assert_eq!(open, [2], "the outcome of the first follows");
}

#[test]
fn a_recovered_alert_is_told_of_and_can_be_cleared_by_its_key() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, flash());
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    reboot(&mut pair, &memory);
    let keys: Vec<_> = pair
        .events()
        .iter()
        .filter_map(|event| match event {
            NodeEvent::Recovered { seq, key, .. } => Some((seq.number(), *key)),
            _ => None,
        })
        .collect();
    assert_eq!(keys, [(1, Some(EventKey(7))), (2, None)]);
    // Nobody knows whether it was sent, so a cancel travels and frees it only when it is stored.
    assert!(matches!(pair.node.cancel(pair.now, flash()), Submission::Queued { .. }));
    let packets = pair.node_packets();
    pair.hand_up(&packets[2]);
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    let cancelled = |event: &NodeEvent| matches!(event, NodeEvent::Settled { outcome: Outcome::Cancelled, seq: Some(seq), .. } if seq.number() == 1);
    assert!(pair.events().iter().any(cancelled));
    let cancel = pair.delivered[0].alert.unwrap();
    let distance = pair.delivered[0].id.seq.number() - 1;
    assert_eq!((cancel.phase, cancel.reference), (Phase::Cancel, Some(Reference::Back(distance))));
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident(), memory.borrow().open.len()), (2, 0, 0));
}

#[test]
fn an_end_outlives_what_it_ends_over_a_power_cut() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, flash());
    pair.exchange();
    let _ = pair.node.clear(pair.now, flash());
    reboot(&mut pair, &memory);
    pair.exchange();
    let alert = pair.delivered[1].alert.unwrap();
    assert_eq!((alert.phase, alert.reference), (Phase::Clear, Some(Reference::Back(1))));
    assert_eq!((pair.delivered.len(), pair.node.resident()), (2, 0));
}

#[test]
fn the_floor_is_never_above_an_open_summary() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    pair.exchange();
    pair.advance(Duration::from_secs(299));
    for _ in 0..3 {
        let _ = pair.node.raise(pair.now, flash());
        pair.exchange();
    }
    // Chatter: counted, not to be sent within the minute, under the number 4. The next is sent and acknowledged.
    assert!(matches!(pair.node.raise(pair.now, flash()), Submission::Merged { .. }));
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    pair.exchange();
    pair.advance(Duration::from_secs(1));
    pair.exchange();
    assert_eq!((pair.reports, pair.delivered.len(), pair.node.resident()), (2, 4, 1));
    let floor = |pair: &Pair<Ailing>| pair.gateway.peer(crate::pair::NODE).unwrap().flash_floor();
    assert_eq!(floor(&pair), 4);
    reboot(&mut pair, &memory);
    for _ in 0..3 {
        pair.advance(Duration::from_secs(300));
        pair.exchange();
    }
    assert_eq!((pair.delivered.len(), pair.node.resident()), (5, 0), "the summary arrives");
    assert!(floor(&pair) > 4);
}

#[test]
fn outcomes_that_found_no_place_are_written_after_all() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    memory.borrow_mut().outcome_failure = Some(StoreError::Device);
    for _ in 0..30 {
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
        pair.exchange();
    }
    assert_eq!((memory.borrow().open.len(), pair.node.resident()), (30, 0));
    memory.borrow_mut().outcome_failure = None;
    let _ = pair.node.raise(pair.now, flash());
    pair.advance(Duration::from_secs(2));
    assert_eq!(memory.borrow().open.len(), 1, "all but the one that is open");
    assert!(pair.node.poll_timeout().is_some_and(|at| at > pair.now));
}

#[test]
fn a_babbler_with_a_failing_journal_keeps_no_outcome_from_being_written() {
    let memory = Shared::default();
    let mut pair = Pair::with_store(Ailing::start(&memory));
    let _ = pair.node.raise(pair.now, flash());
    memory.borrow_mut().append_failure = Some(StoreError::Full);
    pair.exchange();
    for _ in 0..100 {
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
        pair.advance(Duration::from_millis(100));
        pair.exchange();
    }
    assert!(memory.borrow().open.is_empty(), "which is what makes room in the journal");
}

/// The last counters of an epoch: a node that has used them up says nothing, before and after a reboot, and hears
/// nothing either, because what comes down must echo what it has sent. A gateway that sees the counter in every packet
/// has 2^31 of them to command the next epoch in.
#[test]
fn two_to_the_31_counters() {
    let memory = Shared::default();
    memory.borrow_mut().ends[0] = UP_COUNTER_MAX - 5;
    let mut pair = Pair::with_store(Ailing::start(&memory));
    for _ in 0..4 {
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    }
    let packets = pair.node_packets();
    let counters: Vec<u32> =
        packets.iter().map(|packet| packet::parse(packet, LINK.tag).unwrap().header().counter).collect();
    assert_eq!(counters, (UP_COUNTER_MAX - 5..UP_COUNTER_MAX).collect::<Vec<_>>());
    for packet in &packets {
        pair.hand_up(packet);
    }
    assert_eq!(pair.rejected, [], "and each of them is taken");
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    assert_eq!((pair.node_packets().len(), pair.node.silent()), (0, None), "there is nothing to be said");
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    for _ in 0..2 {
        assert!(pair.node_packets().is_empty());
        assert_eq!(pair.node.silent(), Some(StoreError::Spent));
        assert!(pair.events().contains(&NodeEvent::StoreFailed(StoreError::Spent)));
        let refused = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
        let why = Refusal::Store(StoreError::Spent);
        assert!(matches!(refused, Submission::Refused { why: got, .. } if got == why));
        assert!(pair.node.is_balanced() && pair.node.poll_timeout().is_none());
        assert!(memory.borrow().ends[0] <= UP_COUNTER_MAX);
        reboot(&mut pair, &memory);
    }
    // Provisioned anew, with the next epoch, it goes on with what is still open.
    memory.borrow_mut().epoch = 1;
    memory.borrow_mut().ends[0] = 1;
    reboot(&mut pair, &memory);
    for _ in 0..3 {
        pair.exchange();
        pair.advance(Duration::from_secs(60));
    }
    assert_eq!((pair.delivered.len(), pair.node.resident()), (5, 0));
}

#[test]
fn two_nodes_with_swapped_addresses() {
    let mut pair = Pair::new();
    // The blob of 13 was put into 12: it speaks as 12, with the key of 13.
    let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(13));
    let swapped = NodeConfig { key, ..config(1) };
    pair.node =
        Node::start(swapped, alertbus::store::Volatile::new(alertbus::message::Epoch(1), 1), pair.now);
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    for packet in pair.node_packets() {
        pair.hand_up(&packet);
    }
    assert_eq!((pair.delivered.len(), pair.rejected.clone()), (0, vec![Rejected::BadTag; 2]));
    assert_eq!(pair.gateway.peer(crate::pair::NODE).unwrap().counts().bad_tag, 2, "which shows");
    // Nor does it take what is for the true one.
    let mut other = Pair::new();
    let _ = other.node.raise(other.now, AlertDraft::new(RocketLaunch::default()));
    for packet in other.node_packets() {
        other.hand_up(&packet);
    }
    for packet in other.gateway_packets() {
        assert_eq!(pair.hand_down(&packet), Err(alertbus::role::node::Rejected::BadTag));
    }
    assert_eq!(pair.node.resident(), 1);
}

#[test]
fn an_exercise_frame_fed_to_a_live_gateway() {
    let mut pair = Pair::new();
    for draft in [AlertDraft::new(RocketLaunch::default()), AlertDraft::new(DroneSighting::default())] {
        let _ = pair.node.raise(pair.now, AlertDraft { exercise: true, ..draft });
    }
    let mut live = Pair::new();
    live.gateway = alertbus::role::gateway::Gateway::new();
    let peer = alertbus::role::gateway::PeerConfig {
        node: crate::pair::NODE,
        key: node_key(),
        epoch: alertbus::message::Epoch(1),
        gateway: 4,
        down: alertbus::role::gateway::DownSpan::WHOLE,
        exercise: false,
        answers_reports: false,
        state: Some(alertbus::role::gateway::PeerState::new(alertbus::message::Epoch(1))),
        seed: 1,
    };
    live.gateway.add(alertbus::time::Instant::START, peer).unwrap();
    let packets = pair.node_packets();
    for packet in &packets {
        live.hand_up(packet);
        // With the bit taken away it is no live frame either.
        let mut bare = packet.clone();
        bare[0] &= !0b10;
        if bare != *packet {
            live.hand_up(&bare);
        }
    }
    // The first report is answered by an acknowledgement that names no alert.
    let lens: Vec<usize> = live.gateway_packets().iter().map(Vec::len).collect();
    assert_eq!((live.delivered.len(), &lens[..], live.reports), (0, &[8 + 4 + 8][..], 1));
    assert_eq!(live.rejected.iter().filter(|&&why| why == Rejected::Exercise).count(), 2);
    assert_eq!(live.rejected.iter().filter(|&&why| why == Rejected::BadTag).count(), 2);
    // It used no number of the live Flash sequence either.
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    pair.exchange();
    assert_eq!(pair.delivered[0].id.to_string(), "12/flash/1");
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Flash)).acked, 1);
}

/// Each start uses up numbers, and a gateway can tell only so many apart from the oldest that is open.
#[test]
fn a_node_that_reboots_out_of_reach_goes_on_taking_flash() {
    for raises in [false, true] {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        let flash = AlertDraft::new(RocketLaunch::default());
        assert!(matches!(pair.node.raise(pair.now, flash), Submission::Queued { .. }));
        let boots = if raises { 180 } else { 1_000 };
        for boot in 0..boots {
            pair.node = Node::start(config(1), Ailing::start(&memory), pair.now);
            pair.node.handle_timeout(pair.now);
            if raises {
                let taken = pair.node.raise(pair.now, flash);
                assert!(!matches!(taken, Submission::Refused { .. }), "boot {boot}: {taken:?}");
            }
        }
        let taken = pair.node.raise(pair.now, flash);
        assert!(!matches!(taken, Submission::Refused { .. }), "{taken:?}");
    }
}
