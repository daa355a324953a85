//! A sensor node at its site: the core's node, its radio, and an observer who knows its key.

use std::collections::BTreeMap;

use alertbus::limits::BODY_LEN_MAX;
use alertbus::message::{ResetCause, split_body};
use alertbus::role::node::{Handle, Node, NodeConfig};
use alertbus::store::Volatile;
use alertbus::time::Instant;
use alertbus::wire::keys::{Direction, Epoch, LinkKey, MasterKey};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{AlertId, NodeId, Precedence};

use super::hop::Hop;
use super::{LINK, NETWORK, SLOTS_PER_NODE};
use crate::draw::Draw;
use crate::scenario::Faults;

/// The only epoch of a run: its keys are thrown away with it.
pub(super) const EPOCH: Epoch = Epoch(1);

/// The only boot of a run.
pub(super) const BOOT: u16 = 1;

pub(super) struct Sensor {
    pub(super) node: Node<Volatile, SLOTS_PER_NODE>,
    /// Where it stands, as a place in the list of sites.
    pub(super) site: usize,
    pub(super) up: Hop,
    pub(super) down: Hop,
    /// Its radio sends until then.
    pub(super) radio_free_ms: u64,
    /// The call it waits for; others that were scheduled before are void.
    pub(super) timeout_ms: Option<u64>,
    /// Which planned alert each open handle stands for.
    pub(super) open: BTreeMap<Handle, usize>,
    key: LinkKey,
}

impl Sensor {
    pub(super) fn new(
        id: &str,
        node: NodeId,
        site: usize,
        seed: u64,
        master: &MasterKey,
        faults: Faults,
    ) -> Self {
        let key = master.node_key(NETWORK, node);
        let up_key = key.link_key(Direction::Up, false, EPOCH);
        let spread = Draw::new(seed, &format!("{id} retries")).below(u64::MAX);
        let config = NodeConfig { node, key, reset_cause: ResetCause::PowerOn, seed: spread };
        Self {
            node: Node::start(config, Volatile::new(EPOCH, BOOT), Instant::START),
            site,
            up: Hop::new(seed, format!("{id} air up"), faults),
            down: Hop::new(seed, format!("{id} air down"), faults),
            radio_free_ms: 0,
            timeout_ms: None,
            open: BTreeMap::new(),
            key: up_key,
        }
    }

    /// The name and the content of an alert in its packet; none where it is no alert. Only for the books: nothing in
    /// the run depends on it.
    pub(super) fn observe(&self, packet: &[u8]) -> Option<(AlertId, Vec<u8>)> {
        let sealed = packet::parse(packet, LINK.tag).ok()?;
        let Header { class: Class::Alert, precedence, exercise, node, .. } = *sealed.header() else {
            return None;
        };
        let mut body = [0; BODY_LEN_MAX];
        let (seq, content) = split_body(sealed.open(&self.key, &mut body).ok()?).ok()?;
        let id = AlertId { node, exercise, flash: precedence == Precedence::Flash, seq };
        Some((id, content.to_vec()))
    }
}
