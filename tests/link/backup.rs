//! A gateway whose disk was put back to an earlier day: it finds out by what its node has heard, and says nothing more.

use alertbus::AlertDraft;
use alertbus::message::Order;
use alertbus::message::kind::RocketLaunch;
use alertbus::role::gateway::{
    CommandRefusal, DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert,
};
use alertbus::time::Duration;
use alertbus::wire::keys::Epoch;

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, NODE, Pair, node_key};

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

fn started(pair: &Pair<Ailing>, number: u8, down: DownSpan, state: Option<PeerState>) -> Gateway<2> {
    let mut gateway = Gateway::new();
    let peer = PeerConfig {
        node: NODE,
        key: node_key(),
        epoch: Epoch(1),
        gateway: number,
        down,
        exercise: false,
        answers_reports: false,
        state,
        seed: 1,
    };
    gateway.add(pair.now, peer).unwrap();
    gateway
}

fn events(pair: &mut Pair<Ailing>) -> Vec<GatewayEvent> {
    std::iter::from_fn(|| pair.gateway.poll_event()).collect()
}

#[test]
fn a_gateway_restored_from_an_old_backup() {
    let mut pair = Pair::with_store(Ailing::start(&Shared::default()));
    pair.exchange();
    let backup = (pair.gateway.peer(NODE).unwrap().state(), pair.down_counters.clone());
    for _ in 0..100 {
        let _ = pair.node.raise(pair.now, flash());
        pair.exchange();
        pair.advance(Duration::from_secs(1));
    }
    assert_eq!((pair.delivered.len(), pair.node.resident()), (100, 0));

    let (state, counters) = backup;
    let first = counters[&Epoch(1)];
    assert!(pair.down.len() > first as usize, "the node has heard what the backup knows nothing of");
    pair.gateway = started(&pair, 4, DownSpan { first, end: first + 64 }, Some(state));
    // An alert comes before any report. It is delivered and stored; what is said of that is old to the node.
    let _ = pair.node.raise(pair.now, flash());
    let packets = pair.node_packets();
    packets.iter().for_each(|packet| pair.hand_up(packet));
    for packet in pair.gateway_packets() {
        assert!(pair.hand_down(&packet).is_err());
    }
    assert_eq!((pair.delivered.len(), pair.node.resident()), (101, 1));

    // The next report tells it. From then on it says nothing, whatever comes and however often it starts.
    pair.advance(LINK.report_interval);
    pair.node_packets().iter().for_each(|packet| pair.hand_up(packet));
    assert!(matches!(events(&mut pair)[..], [GatewayEvent::Restored { node: NODE }]));
    for start in 0..3 {
        for _ in 0..20 {
            let _ = pair.node.raise(pair.now, flash());
            pair.node_packets().iter().for_each(|packet| pair.hand_up(packet));
            assert!(pair.gateway_packets().is_empty());
            pair.advance(LINK.report_interval);
        }
        let locate = pair.gateway.command(pair.now, NODE, Order::Locate { duration_s: 9 });
        assert_eq!(locate, Err(CommandRefusal::Restored));
        let state = pair.gateway.peer(NODE).unwrap().state();
        let first = first + 64 * (start + 1);
        pair.gateway = started(&pair, 4, DownSpan { first, end: first + 64 }, Some(state));
        assert!(matches!(events(&mut pair)[..], [GatewayEvent::Restored { node: NODE }]));
    }

    // A number of its own, and everything that the node still holds is acknowledged; what was stored is not delivered
    // again.
    let state = pair.gateway.peer(NODE).unwrap().state();
    pair.gateway = started(&pair, 5, DownSpan::WHOLE, Some(state));
    while pair.node.resident() > 0 {
        pair.exchange();
        pair.advance(Duration::from_secs(10));
    }
    let mut ids: Vec<_> = pair.delivered.iter().map(|received: &ReceivedAlert| received.id).collect();
    let delivered = ids.len();
    ids.sort_unstable();
    ids.dedup();
    assert_eq!(ids.len(), delivered);
    assert!(!pair.gateway.peer(NODE).unwrap().is_restored());
}
