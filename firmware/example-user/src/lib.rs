//! A fence wire that warns: a contact on a pin, a node, and frames for whatever line leads to a gateway.
//!
//! It asks its board for three things: a pin, a clock, and a store on the board's flash
//! ([`FlashStore`](alertbus::store::FlashStore) on anything that is a `NorFlash`). What it knows of its network is in
//! the [`Blob`] that `host-sim keys provision` made.
#![no_std]
#![forbid(unsafe_code)]
#![warn(missing_docs)]

use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::driver::{Detector, Misconfigured};
use alertbus::limits::{FRAME_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::ResetCause;
use alertbus::message::kind::{Tamper, Tampering};
use alertbus::provision::Blob;
use alertbus::role::node::{Node, NodeConfig, Submission};
use alertbus::store::Store;
use alertbus::time::{Duration, Instant};
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::link::Link;
use alertbus::{AlertDraft, Precedence};
use embedded_hal::digital::InputPin;

/// Alerts that it keeps while nobody hears it.
const SLOTS: usize = 8;

/// A loop looks at the wire at least so often: several times within the 50 ms that a break must hold.
pub const LOOK: Duration = Duration::from_millis(10);

/// The wire, and the node that tells of it.
pub struct Fence<P, S: Store> {
    wire: Contact<P>,
    node: Node<S, SLOTS>,
    link: Link,
    line: StreamDeframer,
}

impl<P: InputPin, S: Store> Fence<P, S> {
    /// A fence whose wire holds `pin` low until it is cut.
    ///
    /// # Errors
    /// None with this wire; another contact may be one that cannot be.
    pub fn new(blob: Blob, store: S, pin: P, why: ResetCause, now: Instant) -> Result<Self, Misconfigured> {
        let cut = Tamper { what: Tampering::Cable };
        // Who cuts this wire is inside already.
        let cut = AlertDraft { precedence_min: Precedence::Flash, ..AlertDraft::new(cut) };
        let seed = u64::from(blob.node.0);
        let config = NodeConfig { node: blob.node, key: blob.key, reset_cause: why, seed };
        Ok(Self {
            wire: Contact::new(pin, ContactConfig::trip_wire(cut))?,
            node: Node::start(config, store, now),
            link: Link::stream(0),
            line: StreamDeframer::new(),
        })
    }

    /// One turn of the loop: looks at the wire, and does what has become due.
    pub fn turn(&mut self, now: Instant) {
        match self.wire.poll(now) {
            Ok(Some(detection)) => {
                if let Submission::Refused { .. } = detection.submit(now, &mut self.node) {
                    // Every report of the node says how often; a board with a lamp would light it.
                }
            }
            Ok(None) => {}
            Err(_) => self.node.note_driver_error(),
        }
        if self.node.poll_timeout().is_some_and(|due| due <= now) {
            self.node.handle_timeout(now);
        }
        // Nobody here wants to know what became of each alert.
        while self.node.poll_event().is_some() {}
    }

    /// Takes a byte from the line.
    pub fn hear(&mut self, now: Instant, byte: u8) {
        if let Some(Fed::Packet(packet)) = self.line.feed(byte) {
            // What is not for this node, or not from its gateway, is counted and left.
            let _ = self.node.handle_packet(now, &self.link, packet);
        }
    }

    /// The next frame for the line, written to `out`, if there is one to send.
    pub fn say<'o>(&mut self, now: Instant, out: &'o mut [u8; FRAME_LEN_MAX]) -> Option<&'o [u8]> {
        let mut packet = [0; PACKET_LEN_MAX];
        let packet = self.node.poll_transmit(now, &self.link, &mut packet)?;
        frame::encode(packet, out)
    }

    /// Alerts that nobody has stored yet.
    pub fn waiting(&self) -> usize {
        self.node.resident()
    }
}

#[cfg(test)]
mod tests;
