//! Chance from a seed: one named stream for each thing that draws, so that adding one shifts no other.

use rand_pcg::Pcg64;
use rand_pcg::rand_core::Rng;
use sha2::{Digest, Sha256};

/// A stream of draws: PCG-64 (`rand_pcg::Pcg64`), seeded from SHA-256 over seed and name.
///
/// ```
/// use host_sim::draw::Draw;
/// assert_eq!(Draw::new(7, "a node").below(100), Draw::new(7, "a node").below(100));
/// ```
pub struct Draw {
    pcg: Pcg64,
}

impl Draw {
    /// The stream of this name under `seed`.
    #[must_use]
    pub fn new(seed: u64, name: &str) -> Self {
        let digest = Sha256::new().chain_update(seed.to_be_bytes()).chain_update(name).finalize();
        let half = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u128::from(*byte));
        let (state, stream) = digest.split_at(16);
        Self { pcg: Pcg64::new(half(state), half(stream)) }
    }

    /// A number below `bound`, which is at least 1. The bias is below `bound` / 2⁶⁴.
    pub fn below(&mut self, bound: u64) -> u64 {
        let scaled = u128::from(self.pcg.next_u64()) * u128::from(bound.max(1));
        u64::try_from(scaled >> 64).unwrap_or(0)
    }

    /// Whether something of this probability, in millionths, happens now. What never happens draws nothing.
    pub fn happens(&mut self, millionths: u32) -> bool {
        millionths > 0 && self.below(1_000_000) < u64::from(millionths)
    }

    /// A throw-away key.
    pub fn key(&mut self) -> [u8; 16] {
        let mut key = [0; 16];
        for half in key.chunks_exact_mut(8) {
            half.copy_from_slice(&self.pcg.next_u64().to_be_bytes());
        }
        key
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_and_seeds_have_streams_of_their_own() {
        let first = |seed, name| Draw::new(seed, name).below(u64::MAX);
        assert_ne!(first(1, "a"), first(1, "b"));
        assert_ne!(first(1, "a"), first(2, "a"));
    }

    #[test]
    fn probabilities_hold() {
        let mut draw = Draw::new(1, "probabilities");
        let mut count = |millionths| (0..100_000).filter(|_| draw.happens(millionths)).count();
        assert_eq!((count(0), count(1_000_000)), (0, 100_000));
        assert!((29_000..31_000).contains(&count(300_000)));
    }
}
