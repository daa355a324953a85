//! What a peer is told at its start, and what it counts.

use crate::message::NodeId;
use crate::role::gateway::down::DownSpan;
use crate::role::gateway::state::PeerState;
use crate::wire::keys::{Epoch, NodeKey};

/// What a gateway must be told of a node.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct PeerConfig {
    /// Its address.
    pub node: NodeId,
    /// Its secret.
    pub key: NodeKey,
    /// The key epoch it was in last; it may have moved on by up to 255.
    pub epoch: Epoch,
    /// The number of this gateway, the top byte of its down counters. No two gateways of a network share one.
    pub gateway: u8,
    /// The down counters that the host has set aside for this epoch.
    pub down: DownSpan,
    /// Whether exercise packets are opened, beside live ones.
    pub exercise: bool,
    /// Whether every report is answered, not only one whose node has heard nobody. A siren needs that: a gateway that
    /// says nothing is silent to it.
    pub answers_reports: bool,
    /// What the host has on its disk of the node, or [`PeerState::new`] for a node that no gateway has heard. None
    /// where another gateway has, and its state is out of reach: then alerts are marked as possible duplicates until
    /// a report shows that the node has heard this gateway.
    pub state: Option<PeerState>,
    /// Spreads retries over time. It need not be secret and may be the same for all nodes.
    pub seed: u64,
}

/// What a peer has counted, modulo 2^32.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct PeerCounts {
    /// Packets whose tag held.
    pub authentic: u32,
    /// Packets whose tag did not.
    pub bad_tag: u32,
    /// Packets whose counter was taken before or too old.
    pub replayed: u32,
    /// Alerts delivered to the host.
    pub delivered: u32,
    /// Alerts known already.
    pub duplicate: u32,
    /// Answers to commands that did not wait for one.
    pub unknown_acted: u32,
    /// Authentic bodies that could not be read, in whole or but for their number.
    pub undecodable: u32,
}
