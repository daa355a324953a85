//! A real node and a real gateway that cannot hear each other, and a relay between.

use std::collections::BTreeMap;

use alertbus::ledger::{Outcome, Row};
use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{AlertDraft, ResetCause};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, Rejected};
use alertbus::role::node::{Node, NodeConfig, NodeEvent, Submission};
use alertbus::store::Volatile;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Epoch, MasterKey, NodeKey};
use alertbus::wire::window::Replay;
use alertbus::{NodeId, Precedence};

use crate::air::{Ear, LINK};

const NODE: NodeId = NodeId(12);

fn key() -> NodeKey {
    MasterKey::from_bytes([7; 16]).node_key(1, NODE)
}

struct Way {
    node: Node<Volatile, 8>,
    relay: Ear<8, 32>,
    gateway: Gateway<1>,
    delivered: Vec<AlertDraft>,
    rejected: Vec<Rejected>,
    /// Frames on the air on either side of the relay.
    heard: Vec<Vec<u8>>,
    said: Vec<Vec<u8>>,
}

impl Way {
    fn new() -> Self {
        let config = NodeConfig { node: NODE, key: key(), reset_cause: ResetCause::PowerOn, seed: 1 };
        let mut gateway = Gateway::new();
        let peer = PeerConfig {
            node: NODE,
            key: key(),
            epoch: Epoch(1),
            gateway: 0,
            down: DownSpan::WHOLE,
            exercise: false,
            answers_reports: false,
            state: Some(PeerState::new(Epoch(1))),
            seed: 1,
        };
        gateway.add(Instant::START, peer).unwrap();
        Self {
            node: Node::start(config, Volatile::new(Epoch(1), 1), Instant::START),
            relay: Ear::new(),
            gateway,
            delivered: Vec::new(),
            rejected: Vec::new(),
            heard: Vec::new(),
            said: Vec::new(),
        }
    }

    /// What the relay hears from one side, it also hears of itself.
    fn through_relay(&mut self, packets: Vec<Vec<u8>>) -> Vec<Vec<u8>> {
        for packet in &packets {
            let _ = self.relay.hear(packet);
        }
        let said = self.relay.say_all();
        for packet in &said {
            assert!(self.relay.hear(packet).is_err(), "an echo");
        }
        self.heard.extend(packets);
        self.said.extend(said.clone());
        said
    }

    fn node_says(&mut self) -> Vec<Vec<u8>> {
        let mut buffer = [0; PACKET_LEN_MAX];
        let now = self.relay.now;
        std::iter::from_fn(|| self.node.poll_transmit(now, &LINK, &mut buffer).map(<[u8]>::to_vec)).collect()
    }

    fn gateway_hears(&mut self, packet: &[u8]) {
        match self.gateway.handle_packet(self.relay.now, &LINK, packet) {
            GatewayEvent::Alert(received) => {
                assert!(self.gateway.stored(received.id));
                let alert = received.alert.unwrap();
                self.delivered.push(AlertDraft { time: alert.time, ..AlertDraft::new(alert.body) });
            }
            GatewayEvent::Rejected { why, .. } => self.rejected.push(why),
            _ => {}
        }
    }

    fn exchange(&mut self) {
        let up = self.node_says();
        for packet in self.through_relay(up) {
            self.gateway_hears(&packet);
        }
        let mut buffer = [0; PACKET_LEN_MAX];
        let down = std::iter::from_fn(|| {
            self.gateway
                .poll_transmit(self.relay.now, &LINK, &mut buffer)
                .map(|transmit| transmit.packet.to_vec())
        })
        .collect();
        for packet in self.through_relay(down) {
            self.node.handle_packet(self.relay.now, &LINK, &packet).unwrap();
        }
    }

    fn advance(&mut self, wait: Duration) {
        self.relay.now = self.relay.now.after(wait);
        self.node.handle_timeout(self.relay.now);
    }
}

#[test]
fn an_alert_goes_up_and_its_acknowledgement_comes_back() {
    let mut way = Way::new();
    let drafts = [
        AlertDraft::new(DroneSighting::default()),
        AlertDraft::new(RocketLaunch { rounds: 6, ..Default::default() }),
    ];
    for draft in drafts {
        assert!(matches!(way.node.raise(Instant::START, draft), Submission::Queued { .. }));
    }
    way.exchange();
    assert_eq!(way.delivered, [drafts[1], drafts[0]], "Flash first");
    assert_eq!(way.node.resident(), 0);
    let settled = std::iter::from_fn(|| way.node.poll_event());
    assert!(
        settled.into_iter().all(|event| matches!(event, NodeEvent::Settled { outcome: Outcome::Acked, .. }))
    );
    // The very bytes, each once, in both directions.
    let count = |frames: &[Vec<u8>]| {
        frames.iter().fold(BTreeMap::<Vec<u8>, u32>::new(), |mut counts, frame| {
            *counts.entry(frame.clone()).or_default() += 1;
            counts
        })
    };
    assert_eq!(count(&way.heard), count(&way.said));
    assert!(count(&way.said).values().all(|&times| times == 1));
    assert!(way.rejected.is_empty());
    let forwarded = Row::ALL.map(|row| way.relay.relay.counts(row).forwarded).iter().sum::<u64>();
    assert_eq!(usize::try_from(forwarded), Ok(way.said.len()));
}

#[test]
fn a_relay_that_loses_an_acknowledgement_is_asked_again() {
    let mut way = Way::new();
    let draft = AlertDraft::new(RocketLaunch::default());
    let _ = way.node.raise(Instant::START, draft);
    let up = way.node_says();
    for packet in way.through_relay(up) {
        way.gateway_hears(&packet);
    }
    // The first acknowledgement is never heard by the relay.
    let lost = way
        .gateway
        .poll_transmit(way.relay.now, &LINK, &mut [0; PACKET_LEN_MAX])
        .map(|transmit| transmit.node);
    assert_eq!((lost, way.node.resident()), (Some(NODE), 1), "a relay does not answer in anybody's place");
    way.advance(Duration::from_secs(60));
    way.exchange();
    assert_eq!((way.delivered.len(), way.node.resident()), (1, 0), "sent again, not delivered again");
}

#[test]
fn a_gateway_that_hears_both_the_node_and_the_relay() {
    let mut way = Way::new();
    let _ = way.node.raise(Instant::START, AlertDraft::new(RocketLaunch::default()));
    let up = way.node_says();
    for packet in &up {
        way.gateway_hears(packet);
    }
    for packet in way.through_relay(up.clone()) {
        way.gateway_hears(&packet);
    }
    assert_eq!(way.delivered.len(), 1);
    assert_eq!(way.rejected.len(), up.len(), "{:?}", way.rejected);
    assert!(way.rejected.iter().all(|why| matches!(why, Rejected::Replay(Replay::Seen { .. }))));
}

#[test]
fn what_a_relay_would_have_to_change_no_gateway_believes() {
    let mut way = Way::new();
    let _ = way.node.raise(Instant::START, AlertDraft::new(DroneSighting::default()));
    let mut up = way.node_says();
    // Somebody raises the precedence in clear, for a better place: it gets one, and is refused at the end.
    let raised = &mut up[0];
    raised[0] |= Precedence::Flash.bits() << 2;
    let raised = raised.clone();
    assert_eq!(way.through_relay(up)[0], raised);
    way.gateway_hears(&raised);
    assert!(matches!(way.rejected[..], [Rejected::BadTag]) && way.delivered.is_empty());
}
