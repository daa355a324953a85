//! What a node believes of those who claim to be gateways.

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{Ack, AckItem, AlertDraft};
use alertbus::role::node::{Node, Rejected};
use alertbus::store::Volatile;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::wire::window::Replay;
use alertbus::{NodeId, Precedence, Seq};

use crate::pair::{LINK, NODE, Pair, config, node_key};

/// An acknowledgement by gateway `gateway`, sealed with the true key.
fn ack(gateway: u8, counter: u32, epoch: u32, echo: u32, seqs: &[u32]) -> Vec<u8> {
    let mut ack = Ack::new(echo);
    for &seq in seqs {
        assert!(ack.push(AckItem { flash: true, seq: Seq::new(seq).unwrap() }));
    }
    let mut body = [0; 35];
    let len = ack.encode(&mut body);
    let header = Header {
        class: Class::Ack,
        precedence: Precedence::Flash,
        exercise: false,
        epoch_low: Epoch(epoch).low(),
        node: NODE,
        counter: u32::from(gateway) << 24 | counter,
    };
    let key = node_key().link_key(Direction::Down, false, Epoch(epoch));
    let mut out = [0; 51];
    packet::seal(&key, &header, &body[..len], LINK.tag, &mut out).unwrap().to_vec()
}

fn with_one_flash() -> Pair<Volatile> {
    let mut pair = Pair::new();
    let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    assert_eq!(pair.node_packets().len(), 2, "the alert, then the report of the boot");
    pair
}

#[test]
fn an_acknowledgement_counts_once_and_only_for_what_it_names() {
    let mut pair = with_one_flash();
    assert_eq!(pair.hand_down(&ack(4, 1, 1, 2, &[9])), Ok(()));
    assert_eq!(pair.node.resident(), 1);
    assert_eq!(pair.hand_down(&ack(4, 2, 1, 2, &[1])), Ok(()));
    assert_eq!(pair.node.resident(), 0);
    assert_eq!(
        pair.hand_down(&ack(4, 2, 1, 2, &[1])),
        Err(Rejected::Replay(Replay::Seen { got: 4 << 24 | 2 }))
    );
    // A late acknowledgement of something gone touches no count.
    assert_eq!(pair.hand_down(&ack(4, 3, 1, 2, &[1])), Ok(()));
}

#[test]
fn what_was_never_sent_cannot_be_acknowledged() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    }
    assert!(pair.node.poll_transmit(pair.now, &LINK, &mut [0; PACKET_LEN_MAX]).is_some());
    assert_eq!(pair.hand_down(&ack(4, 1, 1, 1, &[1, 2])), Ok(()));
    assert_eq!(pair.node.resident(), 1, "the second is still to be sent");
}

#[test]
fn a_tampered_or_misdirected_acknowledgement_frees_nothing() {
    let mut pair = with_one_flash();
    let good = ack(4, 1, 1, 2, &[1]);
    for bit in 0..good.len() * 8 {
        let mut bad = good.clone();
        bad[bit / 8] ^= 1 << (bit % 8);
        assert!(pair.hand_down(&bad).is_err(), "bit {bit}");
    }
    let alert = pair.up[0].clone();
    assert_eq!(pair.hand_down(&alert), Err(Rejected::WrongWay));
    let mut other = with_one_flash();
    other.node = Node::start(
        alertbus::role::node::NodeConfig { node: NodeId(13), ..config(1) },
        Volatile::new(Epoch(1), 1),
        Instant::START,
    );
    assert_eq!(other.hand_down(&good), Err(Rejected::NotAddressed { node: NODE }));
    assert_eq!(pair.hand_down(&ack(4, 1, 2, 2, &[1])), Err(Rejected::Epoch { got: 2 }));
    assert_eq!(pair.node.resident(), 1);
    assert_eq!(pair.hand_down(&good), Ok(()));
}

#[test]
fn an_acknowledgement_held_back_for_three_reports_is_refused() {
    let mut pair = with_one_flash();
    let held_back = ack(4, 1, 1, 2, &[1]);
    for _ in 0..2 {
        pair.advance(Duration::from_secs(300));
        pair.node_packets();
    }
    assert_eq!(pair.hand_down(&ack(4, 2, 1, 2, &[9])), Ok(()), "two reports later it is believed");
    pair.advance(Duration::from_secs(300));
    let last = pair.node_packets();
    assert!(!last.is_empty());
    let refused = pair.hand_down(&held_back);
    assert!(matches!(refused, Err(Rejected::Stale { echo: 2, lowest }) if lowest > 2), "{refused:?}");
    assert_eq!(pair.node.resident(), 1);
}

#[test]
fn an_echo_from_before_the_boot_or_from_the_future_is_refused() {
    let mut pair = with_one_flash();
    assert_eq!(pair.hand_down(&ack(4, 1, 1, 0, &[1])), Err(Rejected::Stale { echo: 0, lowest: 1 }));
    assert_eq!(pair.hand_down(&ack(4, 1, 1, 3, &[1])), Err(Rejected::Stale { echo: 3, lowest: 1 }));
    assert_eq!(pair.hand_down(&ack(4, 1, 1, 1, &[1])), Ok(()));
}

#[test]
fn what_a_forgotten_gateway_said_cannot_be_played_back() {
    let mut pair = with_one_flash();
    let recorded = ack(10, 1, 1, 2, &[9]);
    assert_eq!(pair.hand_down(&recorded), Ok(()));
    for gateway in 11..15 {
        pair.now = pair.now.after(Duration::from_millis(1));
        assert_eq!(pair.hand_down(&ack(gateway, 1, 1, 2, &[9])), Ok(()));
    }
    // Gateway 10 has been forgotten, its window with it; what it said before is too old now.
    assert_eq!(pair.hand_down(&recorded), Err(Rejected::Stale { echo: 2, lowest: 3 }));
    assert_eq!(pair.hand_down(&ack(14, 2, 1, 2, &[1])), Ok(()), "those still known are not held to that");
}

#[test]
fn a_gateway_follows_a_node_into_its_next_epochs() {
    let mut pair = Pair::new();
    pair.exchange();
    for (boot, epoch) in [(2, 2), (3, 200), (4, 257)] {
        pair.node = Node::start(config(1), Volatile::new(Epoch(epoch), boot), pair.now);
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
        pair.exchange();
        assert_eq!((pair.node.resident(), pair.gateway.peer(NODE).unwrap().epoch()), (0, Epoch(epoch)));
    }
    assert_eq!(pair.delivered.len(), 3);
    // What was said in an earlier epoch is never opened again.
    for old in pair.up.clone().iter().take(3) {
        pair.hand_up(old);
    }
    assert_eq!(pair.rejected.len(), 3);
    assert_eq!(pair.delivered.len(), 3);
}
