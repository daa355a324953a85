//! Retries on a link with little air time.

use std::collections::BTreeMap;

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{AlertDraft, AlertId};
use alertbus::role::gateway::GatewayEvent;
use alertbus::time::Instant;
use alertbus::wire::link::Link;

use crate::pair::{Host, LINK, Pair, SLOTS};

/// Nobody answers, and the air is enough for a packet every ten seconds: each alert still comes again as often as any.
#[test]
fn retries_take_turns_where_air_time_is_short() {
    let link = Link { duty_permille: 10, ..LINK };
    let mut pair = Pair::new();
    pair.host = Host::Waits;
    for _ in 0..SLOTS - 1 {
        let _ = pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default()));
    }
    let mut heard: BTreeMap<AlertId, u32> = BTreeMap::new();
    let mut buffer = [0; PACKET_LEN_MAX];
    let mut since = 0;
    while pair.now < Instant::from_millis(8 * 3_600_000) {
        while let Some(packet) = pair.node.poll_transmit(pair.now, &link, &mut buffer) {
            match pair.gateway.handle_packet(pair.now, &link, packet) {
                GatewayEvent::Duplicate(id) => *heard.entry(id).or_default() += 1,
                GatewayEvent::Alert(alert) => drop(heard.insert(alert.id, 1)),
                GatewayEvent::Report { .. } => {}
                other => panic!("{other:?}"),
            }
        }
        // The air time that was saved up is used up by then.
        if since == 0 && pair.now >= Instant::from_millis(4 * 3_600_000) {
            since = 1;
            heard.values_mut().for_each(|times| *times = 0);
        }
        pair.now = pair.now.max(pair.node.poll_timeout().unwrap());
        pair.node.handle_timeout(pair.now);
    }
    let (least, most) = (heard.values().min().unwrap(), heard.values().max().unwrap());
    assert!(heard.len() == SLOTS - 1 && *least > 50 && most - least <= 2, "{heard:?}");
}
