//! The fence on a host: its wire is cut, and a gateway has the alert.

use core::cell::Cell;
use core::convert::Infallible;

use alertbus::message::{Body, Epoch, NodeId};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
use alertbus::store::Volatile;
use alertbus::wire::keys::MasterKey;
use embedded_hal::digital::ErrorType;

use super::*;

const NODE: NodeId = NodeId(12);
const EPOCH: Epoch = Epoch(1);

struct Wire<'w> {
    is_cut: &'w Cell<bool>,
}

impl ErrorType for Wire<'_> {
    type Error = Infallible;
}

impl InputPin for Wire<'_> {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.is_cut.get())
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

/// A gateway that stores at once, and what it was handed.
struct Home {
    gateway: Gateway<1>,
    link: Link,
    line: StreamDeframer,
    alerts: usize,
}

impl Home {
    fn new() -> Self {
        let key = MasterKey::from_bytes([7; 16]).node_key(7, NODE);
        let mut gateway = Gateway::new();
        let peer = PeerConfig {
            node: NODE,
            key,
            epoch: EPOCH,
            gateway: 0,
            down: DownSpan { first: 1, end: 65 },
            exercise: false,
            answers_reports: true,
            state: Some(PeerState::new(EPOCH)),
            seed: 1,
        };
        assert!(gateway.add(Instant::START, peer).is_ok());
        Self { gateway, link: Link::stream(0), line: StreamDeframer::new(), alerts: 0 }
    }

    fn hear(&mut self, now: Instant, byte: u8) {
        let Some(Fed::Packet(packet)) = self.line.feed(byte) else { return };
        if let GatewayEvent::Alert(alert) = self.gateway.handle_packet(now, &self.link, packet) {
            let body = alert.alert.map(|alert| alert.body);
            assert!(matches!(body, Ok(Body::Tamper(Tamper { what: Tampering::Cable }))), "{body:?}");
            assert!(alert.id.flash && self.gateway.stored(alert.id));
            self.alerts += 1;
        }
    }
}

#[test]
fn a_wire_that_is_cut_is_an_alert_at_the_gateway_once() {
    let is_cut = Cell::new(false);
    let key = MasterKey::from_bytes([7; 16]).node_key(7, NODE);
    let blob = Blob { network: 7, node: NODE, key, epoch: EPOCH, flash_seq: 1, other_seq: 1 };
    let wire = Wire { is_cut: &is_cut };
    let store = Volatile::new(EPOCH, 1);
    let mut fence = Fence::new(blob, store, wire, ResetCause::PowerOn, Instant::START).unwrap();
    let mut home = Home::new();
    for at_ms in (0..3_000).step_by(10) {
        let now = Instant::from_millis(at_ms);
        is_cut.set(at_ms >= 1_000);
        fence.turn(now);
        let mut frame = [0; FRAME_LEN_MAX];
        while let Some(frame) = fence.say(now, &mut frame) {
            frame.iter().for_each(|byte| home.hear(now, *byte));
        }
        home.gateway.handle_timeout(now);
        let mut packet = [0; PACKET_LEN_MAX];
        while let Some(answer) = home.gateway.poll_transmit(now, &home.link, &mut packet) {
            let mut frame = [0; FRAME_LEN_MAX];
            let frame = frame::encode(answer.packet, &mut frame).unwrap();
            frame.iter().for_each(|byte| fence.hear(now, *byte));
        }
        // It must hold for 50 ms before it is one.
        assert_eq!(home.alerts, usize::from(at_ms >= 1_050), "at {at_ms} ms");
    }
    assert_eq!(fence.waiting(), 0);
}
