//! The run hash: every byte on every link, every decision, the ledgers at the end.

use sha2::{Digest, Sha256};

use super::hop::Fate;

/// Folds a run into 32 bytes. Two runs with the same hash did the same.
pub(super) struct Trace {
    hash: Sha256,
}

impl Trace {
    pub(super) fn new(seed: u64) -> Self {
        Self { hash: Sha256::new().chain_update(b"alertbus run 1").chain_update(seed.to_be_bytes()) }
    }

    /// A frame was sent over a hop.
    pub(super) fn frame(&mut self, now_ms: u64, hop: &str, frame: &[u8], fate: &Fate) {
        self.start(b'f', now_ms);
        self.bytes(hop.as_bytes());
        self.bytes(frame);
        self.hash.update([u8::from(fate.lost), u8::from(fate.corrupted), u8::from(fate.reordered)]);
        for arrival_ms in fate.arrivals_ms {
            self.hash.update(arrival_ms.unwrap_or(u64::MAX).to_be_bytes());
        }
    }

    /// Somebody decided something; `what` says who and what.
    pub(super) fn decision(&mut self, now_ms: u64, what: &str) {
        self.start(b'd', now_ms);
        self.bytes(what.as_bytes());
    }

    /// The hash so far and over `counts`, 64 hexadecimal digits.
    pub(super) fn digest(&self, counts: impl IntoIterator<Item = u64>) -> String {
        let mut hash = self.hash.clone();
        for count in counts {
            hash.update(count.to_be_bytes());
        }
        hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect()
    }

    fn start(&mut self, sort: u8, now_ms: u64) {
        self.hash.update([sort]);
        self.hash.update(now_ms.to_be_bytes());
    }

    /// The length first, so that no two runs of bytes look the same when joined.
    fn bytes(&mut self, bytes: &[u8]) {
        self.hash.update((bytes.len() as u64).to_be_bytes());
        self.hash.update(bytes);
    }
}
