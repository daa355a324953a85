//! A sensor node on a board: everything but its main loop.
//!
//! A loop hands over what comes in on the two lines, calls [`SensorNode::step`] at each turn, and sends what
//! [`SensorNode::poll_transmit`] gives it. What it waits with, and whether several things share it, is its own; so is
//! which interrupt has [`Watch`](crate::watch::Watch) look at the pins, whose detections [`SensorNode::step`] raises.

use core::fmt;

use alertbus::bus::Heard;
use alertbus::driver::Detection;
use alertbus::driver::bench::{self, Stimulus};
use alertbus::limits::{DRIVER_RETRY_MS, FRAME_CHECK_LEN, PACKET_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::message::{NodeId, ResetCause};
use alertbus::provision::Blob;
use alertbus::role::node::{Node, NodeConfig, NodeEvent, Submission};
use alertbus::store::{Birth, FlashStore, Layout};
use alertbus::time::{Duration, Instant};
use alertbus::wire::frame::{Deframer, Fed, StreamDeframer};
use alertbus::wire::keys::NodeKey;
use alertbus::wire::link::Link;
use embedded_storage::nor_flash::NorFlash;

use crate::line::{FrameBuffer, Framer};
use crate::provisioned::{self, StartError};
use crate::watch::{self, Ear};
#[cfg(feature = "witness")]
use crate::witness::{self, Witness};

/// Alerts that a node keeps.
pub const SLOTS: usize = 32;

/// Live Flash alerts that its journal holds: one in each slot, a summary that is open, and one on its way.
const OPEN_MAX: usize = SLOTS + 2;

/// How long a detection that the node could not take waits: each try is counted in the node's books.
const UNTOLD: Duration = Duration::from_millis(DRIVER_RETRY_MS);

/// The longest that a bench says, and its check.
const BENCH_LEN_MAX: usize = STIMULUS_LEN_MAX + FRAME_CHECK_LEN;

/// A node on flash `F`, with one line to its gateway and one to a bench.
pub struct SensorNode<F> {
    node: Node<FlashStore<F, OPEN_MAX>, SLOTS>,
    link: Link,
    uplink: StreamDeframer,
    bench: Deframer<BENCH_LEN_MAX>,
    framer: Framer,
    ear: Ear,
    /// A detection that the node could not take, and when it is told again.
    untold: Option<(Instant, Detection)>,
    #[cfg(feature = "witness")]
    witness: Witness,
}

/// What a bench asks for that is not a node's to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Asked {
    /// A pin is to take a level. Where the program has no such pin, call [`SensorNode::note_no_pin`].
    Pin {
        /// Its number.
        pin: u8,
        /// Whether the level is high.
        high: bool,
    },
    /// The power is to fail after so many operations on the flash.
    PowerCut {
        /// How many still succeed.
        after_operations: u16,
    },
}

/// What a board's flash makes of it: the name, the key, and the memory of one node.
pub struct Provisioned<F> {
    node: NodeId,
    key: NodeKey,
    seed: u64,
    store: FlashStore<F, OPEN_MAX>,
}

impl<F: NorFlash> Provisioned<F> {
    /// Reads the blob in `flash`, which stands where `store` has its mark, and has the store lie there.
    ///
    /// # Errors
    /// Nothing was written then.
    pub fn read(mut flash: F, store: Layout) -> Result<Self, StartError> {
        let blob = provisioned::read_blob(&mut flash, &store)?;
        let Blob { network, node, key, epoch, flash_seq, other_seq } = blob;
        let birth = Birth { epoch, flash_seq, other_seq };
        let store = FlashStore::new(flash, store, birth).map_err(StartError::Layout)?;
        let seed = u64::from(network) << 16 | u64::from(node.0);
        Ok(Self { node, key, seed, store })
    }
}

impl<F: NorFlash> SensorNode<F> {
    /// A node that starts with its first [`SensorNode::step`].
    ///
    /// It is long, so let it be written to its place at once: a caller that passes it on pays for each copy with stack.
    #[inline(never)]
    #[must_use]
    pub fn new(provisioned: Provisioned<F>, reset_cause: ResetCause) -> Self {
        let Provisioned { node, key, seed, store } = provisioned;
        log!(info, "node {=u16} starts: {}", node.0, reset_cause);
        let config = NodeConfig { node, key, reset_cause, seed };
        Self {
            node: Node::new(config, store),
            link: Link::stream(0),
            uplink: Deframer::new(),
            bench: Deframer::new(),
            framer: Framer::new(),
            ear: watch::listen(),
            untold: None,
            #[cfg(feature = "witness")]
            witness: Witness::new(),
        }
    }

    /// Its address.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.node.id()
    }

    /// Why it will never send anything, in words for a person; none where it does.
    #[must_use]
    pub const fn silence(&self) -> Option<&'static str> {
        match self.node.silent() {
            None => None,
            Some(why) => Some(provisioned::silence(why)),
        }
    }

    /// Takes a byte from the gateway's line.
    pub fn handle_uplink(&mut self, now: Instant, byte: u8) {
        match self.uplink.feed(byte) {
            Some(Fed::Packet(packet)) => {
                if let Err(_why) = self.node.handle_packet(now, &self.link, packet) {
                    log!(warn, "packet rejected: {}", _why);
                }
            }
            Some(Fed::Noise(_noise)) => log!(debug, "noise on the uplink: {}", _noise),
            None => {}
        }
    }

    /// Takes a byte from the bench. What it asks for beyond sightings is handed back.
    pub fn handle_bench(&mut self, now: Instant, byte: u8) -> Option<Asked> {
        match self.bench.feed(byte)? {
            Fed::Packet(bytes) => match Stimulus::decode(bytes) {
                Ok(Stimulus::Sighting { phase, draft }) => {
                    match bench::submit(now, phase, draft, &mut self.node) {
                        Submission::Refused { why: _why, .. } => log!(warn, "alert refused: {}", _why),
                        _taken => log!(info, "{} {}: {}", draft.precedence(), phase, _taken),
                    }
                }
                Ok(Stimulus::Pin { pin, high }) => return Some(Asked::Pin { pin, high }),
                Ok(Stimulus::PowerCut { after_operations }) => {
                    return Some(Asked::PowerCut { after_operations });
                }
                // A rig that speaks of what this node has not, or not at all clearly, has failed as a detector.
                Ok(_) | Err(_) => self.node.note_driver_error(),
            },
            Fed::Noise(_) => self.node.note_driver_error(),
        }
        None
    }

    /// Takes what a detector concludes. No detector says it twice: what the node cannot take now, for whatever reason,
    /// it is told again until it does.
    pub fn handle_detection(&mut self, now: Instant, detection: Detection) {
        match detection.submit(now, &mut self.node) {
            Submission::Refused { why: _why, .. } => {
                log!(warn, "{} refused: {}", detection.draft(), _why);
                self.keep(now, detection);
            }
            _taken => log!(info, "{}: {}", detection.draft(), _taken),
        }
    }

    /// A detector has failed; the next report says so.
    pub fn note_driver_error(&mut self) {
        self.node.note_driver_error();
    }

    /// A bench has asked for an input pin that the program has not: it has `pins`, from 0 on. The next report counts it.
    pub fn note_no_pin(&mut self, _pin: u8, _pins: usize) {
        #[cfg(feature = "witness")]
        witness::note_no_pin(_pin, _pins);
        self.note_driver_error();
    }

    /// When [`SensorNode::step`] has something to do; none while only an input can change anything.
    #[must_use]
    pub fn due(&self) -> Option<Instant> {
        self.node.poll_timeout().into_iter().chain(self.untold.as_ref().map(|(again, _)| *again)).min()
    }

    /// Whether it can take alerts and send them. One that starts cannot yet, and one whose flash fails then never can.
    #[must_use]
    pub fn is_running(&self) -> bool {
        self.node.epoch().is_some() && self.node.silent().is_none()
    }

    /// Alerts that wait for somebody to have stored them.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.node.resident().saturating_add(self.untold.iter().len())
    }

    /// Raises what was seen, does what has become due, and tells the log what happened.
    pub fn step(&mut self, now: Instant) {
        self.raise_seen(now);
        if self.node.poll_timeout().is_some_and(|due| due <= now) {
            self.node.handle_timeout(now);
        }
        while let Some(event) = self.node.poll_event() {
            self.tell(&event);
        }
        #[cfg(feature = "witness")]
        self.witness.step(now);
    }

    /// The next frame for the gateway, written to `frame`, if there is one to send.
    pub fn poll_transmit<'f>(&mut self, now: Instant, frame: &'f mut FrameBuffer) -> Option<&'f [u8]> {
        let mut packet = [0; PACKET_LEN_MAX];
        let packet = self.node.poll_transmit(now, &self.link, &mut packet)?;
        #[cfg(feature = "witness")]
        self.witness.note_packet(now, packet);
        self.framer.frame(packet, frame)
    }

    /// Takes what the interrupt has seen. What comes behind something that the node is not ready for waits on the bus.
    fn raise_seen(&mut self, now: Instant) {
        (0..watch::take_failures()).for_each(|_| self.node.note_driver_error());
        if let Some((_, detection)) = self.untold.take_if(|(again, _)| *again <= now) {
            self.handle_detection(now, detection);
        }
        while self.untold.is_none() {
            match self.ear.poll() {
                None => return,
                Some(Heard::Message(seen)) => self.handle_detection(now, seen.detection()),
                Some(Heard::Missed { row: _row, count: _count }) => {
                    log!(error, "{=u64} detections missed: {}", _count, _row);
                    self.node.note_driver_error();
                }
            }
        }
    }

    /// There is room for one, and the first stays: what an interrupt sees meanwhile waits on the bus.
    fn keep(&mut self, now: Instant, detection: Detection) {
        if self.untold.is_some() {
            log!(error, "a detection is lost: the node is not ready");
            self.node.note_driver_error();
            return;
        }
        self.untold = Some((now.after(UNTOLD), detection));
    }

    /// Only the log hears of an event so far: this node has no light or siren of its own.
    fn tell(&mut self, event: &NodeEvent) {
        log!(info, "{}", event);
        #[cfg(feature = "witness")]
        match event {
            NodeEvent::Durable { seq, .. } => self.witness.note_durable(*seq),
            NodeEvent::Settled { .. } => self.witness.note_settled(),
            _ => {}
        }
        #[cfg(not(any(feature = "defmt", feature = "witness")))]
        let _ = event;
    }
}

impl<F> fmt::Debug for SensorNode<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SensorNode({:?})", self.node)
    }
}

// Its key is nobody's business in a log.
impl<F> fmt::Debug for Provisioned<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provisioned").field("node", &self.node).finish_non_exhaustive()
    }
}
