//! Keys: one master, one for each node, one for each direction, purpose and epoch.
//!
//! ```text
//! MasterKey --network, node--> NodeKey --direction, exercise, epoch--> LinkKey
//! ```
//!
//! Every arrow is Ascon-CXOF128 (NIST SP 800-232) and cannot be walked back: who takes a node has that node's
//! key and nobody else's. There is no group key. Keys are wiped when dropped and never printed.

use core::fmt;

use ascon_xof128::AsconCxof128;
use ascon_xof128::digest::{ExtendableOutput, TryCustomizedInit, Update, XofReader};
use zeroize::Zeroize;

use crate::message::NodeId;

pub use crate::message::Epoch;

/// Bytes of every key.
pub const KEY_LEN: usize = 16;

/// Which way a packet goes. A key serves one way only, so a packet can never be turned around.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Direction {
    /// From a node to a gateway.
    Up,
    /// From a gateway to a node.
    Down,
}

impl Direction {
    const fn bits(self) -> u8 {
        match self {
            Self::Up => 0,
            Self::Down => 1,
        }
    }
}

/// The network's secret. It stays on the host that provisions nodes and runs the gateway.
pub struct MasterKey([u8; KEY_LEN]);

/// One node's secret, all that a node holds.
pub struct NodeKey([u8; KEY_LEN]);

/// The key of one node in one direction, live or exercise, in one epoch.
pub struct LinkKey {
    bytes: [u8; KEY_LEN],
    direction: Direction,
    exercise: bool,
    epoch: Epoch,
}

impl MasterKey {
    /// From 16 bytes of a good random source.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The key of `node` in `network`.
    #[must_use]
    pub fn node_key(&self, network: u32, node: NodeId) -> NodeKey {
        NodeKey(derive(b"alertbus node v1", &[&self.0, &network.to_be_bytes(), &node.0.to_be_bytes()]))
    }
}

impl NodeKey {
    /// From the 16 bytes of a provisioning blob.
    #[must_use]
    pub const fn from_bytes(bytes: [u8; KEY_LEN]) -> Self {
        Self(bytes)
    }

    /// The bytes, for a provisioning blob and for nothing else.
    pub(crate) const fn expose(&self) -> &[u8; KEY_LEN] {
        &self.0
    }

    /// The key for packets of one direction, live or exercise, in one epoch.
    ///
    /// Cost: one Ascon-CXOF128 call of six permutations; keep the result.
    #[must_use]
    pub fn link_key(&self, direction: Direction, exercise: bool, epoch: Epoch) -> LinkKey {
        let purpose = [direction.bits(), u8::from(exercise)];
        let bytes = derive(b"alertbus link v1", &[&self.0, &purpose, &epoch.0.to_be_bytes()]);
        LinkKey { bytes, direction, exercise, epoch }
    }
}

impl LinkKey {
    /// The direction this key serves.
    #[must_use]
    pub const fn direction(&self) -> Direction {
        self.direction
    }

    /// Whether this key serves exercise packets.
    #[must_use]
    pub const fn is_exercise(&self) -> bool {
        self.exercise
    }

    /// The epoch this key belongs to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    pub(super) const fn expose(&self) -> &[u8; KEY_LEN] {
        &self.bytes
    }
}

/// The four link keys of one node in one epoch, derived once and kept.
pub struct LinkKeys {
    epoch: Epoch,
    up: [LinkKey; 2],
    down: [LinkKey; 2],
}

impl LinkKeys {
    /// Derives all four. Cost: four times [`NodeKey::link_key`].
    #[must_use]
    pub fn new(node: &NodeKey, epoch: Epoch) -> Self {
        let both = |direction| [false, true].map(|exercise| node.link_key(direction, exercise, epoch));
        Self { epoch, up: both(Direction::Up), down: both(Direction::Down) }
    }

    /// The epoch they belong to.
    #[must_use]
    pub const fn epoch(&self) -> Epoch {
        self.epoch
    }

    /// The key for one direction, live or exercise.
    #[must_use]
    pub const fn key(&self, direction: Direction, exercise: bool) -> &LinkKey {
        let [live, exercise_key] = match direction {
            Direction::Up => &self.up,
            Direction::Down => &self.down,
        };
        if exercise { exercise_key } else { live }
    }
}

impl fmt::Debug for LinkKeys {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "LinkKeys(secret, epoch {})", self.epoch.0)
    }
}

#[cfg(feature = "defmt")]
impl defmt::Format for LinkKeys {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "LinkKeys(secret, epoch {=u32})", self.epoch.0);
    }
}

fn derive(customization: &[u8; 16], parts: &[&[u8]]) -> [u8; KEY_LEN] {
    let Ok(mut xof) = AsconCxof128::try_new_customized(customization) else {
        unreachable!("16 bytes are within the 256 that SP 800-232 allows");
    };
    for part in parts {
        xof.update(part);
    }
    let mut key = [0; KEY_LEN];
    xof.finalize_xof().read(&mut key);
    key
}

macro_rules! secret {
    ($key:ident, $bytes:tt) => {
        impl Drop for $key {
            fn drop(&mut self) {
                self.$bytes.zeroize();
            }
        }

        impl fmt::Debug for $key {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(concat!(stringify!($key), "(secret)"))
            }
        }

        #[cfg(feature = "defmt")]
        impl defmt::Format for $key {
            fn format(&self, f: defmt::Formatter<'_>) {
                defmt::write!(f, "{=str}", concat!(stringify!($key), "(secret)"));
            }
        }
    };
}

secret!(MasterKey, 0);
secret!(NodeKey, 0);
secret!(LinkKey, bytes);

#[cfg(test)]
mod tests {
    extern crate std;
    use super::*;

    #[test]
    fn every_input_changes_the_key() {
        let master = MasterKey::from_bytes([7; KEY_LEN]);
        let node = master.node_key(1, NodeId(2));
        let mut seen = std::vec![*node.expose(), *master.node_key(1, NodeId(3)).expose()];
        seen.push(*master.node_key(2, NodeId(2)).expose());
        for direction in [Direction::Up, Direction::Down] {
            for exercise in [false, true] {
                for epoch in [Epoch(1), Epoch(2), Epoch(257)] {
                    seen.push(*node.link_key(direction, exercise, epoch).expose());
                }
            }
        }
        let total = seen.len();
        seen.sort_unstable();
        seen.dedup();
        assert_eq!(seen.len(), total);
    }

    #[test]
    fn keys_are_never_printed() {
        let node = MasterKey::from_bytes([0xab; KEY_LEN]).node_key(1, NodeId(1));
        assert_eq!(std::format!("{node:?}"), "NodeKey(secret)");
    }
}
