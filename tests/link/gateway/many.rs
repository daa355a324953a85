//! Many nodes at one gateway: what it answers for all of them is what each would answer.

use alertbus::NodeId;
use alertbus::Precedence;
use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::{Heartbeat, Order, ResetCause};
use alertbus::place::SiteId;
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch, MasterKey};
use alertbus::wire::packet::{self, Class, Header};

use crate::pair::LINK;
use crate::random::Dice;

const NODES: u16 = 6;

fn report(node: NodeId, counter: u32, now: Instant, heard: u32) -> Vec<u8> {
    let heartbeat = Heartbeat {
        boot: 1,
        reset_cause: ResetCause::PowerOn,
        uptime_ms: now.as_millis(),
        heard,
        flash_floor: 1,
        flash_refused: 0,
        driver_errors: 0,
        ledger_index: 0,
        ledger: [0; 5],
    };
    let (class, precedence) = (Class::Report, Precedence::Routine);
    let header = Header { class, precedence, exercise: false, epoch_low: 1, node, counter };
    let key = MasterKey::from_bytes([7; 16]).node_key(1, node).link_key(Direction::Up, false, Epoch(1));
    packet::seal(&key, &header, &heartbeat.encode(), LINK.tag, &mut [0; PACKET_LEN_MAX]).unwrap().to_vec()
}

fn gateway(now: Instant) -> Gateway<8> {
    let mut gateway = Gateway::new();
    for number in [4, 1, 6, 2, 5, 3] {
        let node = NodeId(number);
        let config = PeerConfig {
            node,
            key: MasterKey::from_bytes([7; 16]).node_key(1, node),
            epoch: Epoch(1),
            gateway: 0,
            down: DownSpan::WHOLE,
            exercise: false,
            answers_reports: false,
            state: Some(PeerState::new(Epoch(1))),
            seed: 1,
        };
        gateway.add(now, config).unwrap();
    }
    gateway
}

#[test]
fn the_first_to_wake_is_the_first_of_all() {
    for seed in 0..40 {
        let mut dice = Dice::new(seed);
        let mut now = Instant::START;
        let mut gateway = gateway(now);
        let mut heard = [0; NODES as usize + 1];
        let (mut silent, mut returned) = (0, 0);
        for counter in 1..600 {
            let number = 1 + dice.roll(u64::from(NODES)) as u16;
            let node = NodeId(number);
            match dice.roll(8) {
                0 | 1 => {
                    let packet = report(node, counter, now, heard[usize::from(number)]);
                    let _ = gateway.handle_packet(now, &LINK, &packet);
                }
                2 => drop(gateway.command(now, node, Order::Test { duration_s: 1 })),
                3 => {
                    let warn = Order::Warn { zone: SiteId(1), kind: 1, duration_s: dice.roll(900) as u16 };
                    let _ = gateway.command(now, node, warn);
                }
                4 => assert!(gateway.expect_silence(node, now.after(Duration::from_secs(600)))),
                _ => now = now.after(Duration::from_millis(dice.roll(400_000) as u32)),
            }
            gateway.handle_timeout(now);
            let mut last = None;
            let mut buffer = [0; PACKET_LEN_MAX];
            while let Some(transmit) = gateway.poll_transmit(now, &LINK, &mut buffer) {
                let header = *packet::parse(transmit.packet, LINK.tag).unwrap().header();
                assert!(
                    last.is_none_or(|last| last >= header.precedence),
                    "seed {seed}: the highest goes first"
                );
                last = Some(header.precedence);
                heard[usize::from(header.node.0)] = header.counter;
            }
            while let Some(event) = gateway.poll_event() {
                silent += usize::from(matches!(event, GatewayEvent::Silent { .. }));
                returned += usize::from(matches!(event, GatewayEvent::Returned { .. }));
            }
            assert!(gateway.peers().map(alertbus::role::gateway::Peer::node).is_sorted());
            let first = gateway.peers().filter_map(alertbus::role::gateway::Peer::poll_timeout).min();
            assert_eq!(gateway.poll_timeout(), first, "seed {seed}, {counter}");
            assert!(first.is_none_or(|first| first > now), "seed {seed}: due and not done");
            for peer in gateway.peers() {
                assert!(peer.unstored().next().is_none());
            }
        }
        assert!(silent > 5 && returned > 0 && returned <= silent, "seed {seed}: {silent} and {returned}");
    }
}
