//! What a test wants to know of a station, told in lines as it happens. It costs more than a node does, and is for tests.
//!
//! | line | says |
//! | --- | --- |
//! | `node: flash N is durable` | from here on a power cut does not lose the alert |
//! | `node: N packets sent, sha256 H` | all packets of this start, one after another, once none was sent for a while |
//! | `node: N settled` | alerts that have left it in this start, and whose slots are free again |
//! | `node: no pin N; …` | a bench asked for an input pin that the program has not, and which it has |
//! | `pin N is 1 at M ms` | an output pin was set, and reads so |

use core::fmt::{self, Write};

use alertbus::Seq;
use alertbus::time::{Duration, Instant};
use sha2::{Digest, Sha256};

use crate::board;

/// How long no packet must have been sent before the hash is told.
const QUIET_MS: u32 = 1_000;

/// Room for the longest line.
const LINE_LEN_MAX: usize = 128;

/// Of one start of a node.
pub(crate) struct Witness {
    hash: Sha256,
    packets: u32,
    settled: u32,
    /// When the last of them was sent; none where that was told already.
    sent: Option<Instant>,
}

impl Witness {
    pub(crate) fn new() -> Self {
        Self { hash: Sha256::new(), packets: 0, settled: 0, sent: None }
    }

    /// A packet is sent.
    pub(crate) fn note_packet(&mut self, now: Instant, packet: &[u8]) {
        self.hash.update(packet);
        self.packets = self.packets.saturating_add(1);
        self.sent = Some(now);
    }

    /// An alert is in the journal.
    pub(crate) fn note_durable(&self, seq: Seq) {
        tell(format_args!("node: flash {} is durable", seq.number()));
    }

    /// An alert has left the node.
    pub(crate) fn note_settled(&mut self) {
        self.settled = self.settled.saturating_add(1);
        tell(format_args!("node: {} settled", self.settled));
    }

    /// Tells the hash when it has been quiet.
    pub(crate) fn step(&mut self, now: Instant) {
        if self.sent.is_some_and(|sent| now >= sent.after(Duration::from_millis(QUIET_MS))) {
            self.sent = None;
            let hash = Hex(self.hash.clone().finalize().into());
            tell(format_args!("node: {} packets sent, sha256 {hash}", self.packets));
        }
    }
}

/// A bench asked for an input pin that the program has not.
pub(crate) fn note_no_pin(number: u8, pins: usize) {
    match pins.checked_sub(1) {
        Some(last) => tell(format_args!("node: no pin {number}; allowed: 0 to {last}")),
        None => tell(format_args!("node: no pin {number}; this program has none")),
    }
}

/// An output pin was set.
#[cfg(feature = "mps2")]
pub(crate) fn note_pin(number: u32, is_high: bool) {
    let millis = board::now().as_millis();
    tell(format_args!("pin {number} is {} at {millis} ms", u8::from(is_high)));
}

fn tell(said: fmt::Arguments<'_>) {
    let mut line = heapless::String::<LINE_LEN_MAX>::new();
    // What has no room is cut off, and the test that waits for it fails.
    if line.write_fmt(said).is_ok() {
        board::tell(&[&line]);
    }
}

struct Hex([u8; 32]);

impl fmt::Display for Hex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}
