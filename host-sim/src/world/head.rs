//! The radio head of a site and its line to the gateway. It holds no keys: it reads addresses and moves bytes.

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::link::Link;

use super::event::{Bytes, Event};
use super::hop::{Hop, line_time_ms};
use super::medium::Medium;
use crate::scenario::Faults;

pub(super) struct Head {
    /// The site, as the gateway numbers its links.
    pub(super) link: Link,
    up: Hop,
    down: Hop,
    at_head: StreamDeframer,
    at_gateway: StreamDeframer,
    /// Its line is cut until then.
    pub(super) cut_until_ms: u64,
}

impl Head {
    pub(super) fn new(number: u8, site: &str, seed: u64, faults: Faults) -> Self {
        Self {
            link: Link::small_radio(number),
            up: Hop::new(seed, format!("{site} line up"), faults),
            down: Hop::new(seed, format!("{site} line down"), faults),
            at_head: StreamDeframer::new(),
            at_gateway: StreamDeframer::new(),
            cut_until_ms: 0,
        }
    }

    pub(super) fn heal(&mut self) {
        self.up.heal();
        self.down.heal();
        self.cut_until_ms = 0;
    }

    /// Passes a packet from the air on to the gateway.
    pub(super) fn send_up(&mut self, site: usize, packet: &[u8], medium: &mut Medium) {
        send(&mut self.up, packet, medium, |frame| Event::LineUp { site, frame });
    }

    /// Passes a packet from the gateway to the head.
    pub(super) fn send_down(&mut self, site: usize, packet: &[u8], medium: &mut Medium) {
        send(&mut self.down, packet, medium, |frame| Event::LineDown { site, frame });
    }

    /// The packets that these bytes complete at the gateway's end of the line.
    pub(super) fn received_at_gateway(&mut self, frame: &Bytes, medium: &mut Medium) -> Vec<Bytes> {
        deframe(&mut self.at_gateway, frame, medium)
    }

    /// The packets that these bytes complete at the head's end of the line.
    pub(super) fn received_at_head(&mut self, frame: &Bytes, medium: &mut Medium) -> Vec<Bytes> {
        deframe(&mut self.at_head, frame, medium)
    }
}

fn send(hop: &mut Hop, packet: &[u8], medium: &mut Medium, arrival: impl Fn(Bytes) -> Event) {
    let mut out = [0; FRAME_LEN_MAX];
    if let Some(framed) = frame::encode(packet, &mut out) {
        medium.send(hop, line_time_ms(framed.len()), framed, arrival);
    }
}

fn deframe(deframer: &mut StreamDeframer, frame: &Bytes, medium: &mut Medium) -> Vec<Bytes> {
    let mut packets = Vec::new();
    for &byte in frame.as_slice() {
        match deframer.feed(byte) {
            Some(Fed::Packet(packet)) => packets.push(Bytes::new(packet)),
            Some(Fed::Noise(_)) => medium.frames.noise += 1,
            None => {}
        }
    }
    packets
}
