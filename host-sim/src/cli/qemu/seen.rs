//! What the gateway was handed by the node's line, packet by packet.

use std::collections::{BTreeSet, VecDeque};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use alertbus::AlertId;
use alertbus::message::Heartbeat;
use alertbus::role::gateway::GatewayEvent;
use sha2::{Digest, Sha256};
use tokio::sync::Notify;

use crate::live::Onlooker;

/// Packets of a connection that are kept, so that the hash of the last so many can be told; a day and more of a node
/// that says nothing but its reports is far below.
const KEPT_MAX: usize = 1 << 16;

/// Reports that wait to be shown at most.
const REPORTS_MAX: usize = 64;

/// Shared by the gateway, which tells it, and by whoever asks.
#[derive(Clone, Default)]
pub(super) struct Seen {
    packets: Arc<Mutex<Packets>>,
    news: Arc<Notify>,
}

#[derive(Default)]
struct Packets {
    /// The node's connection, while there is one.
    connection: Option<u64>,
    /// The last of it, oldest first.
    kept: VecDeque<Vec<u8>>,
    /// It has brought a report: from then on the node believes what it is told.
    has_reported: bool,
    alerts: BTreeSet<AlertId>,
    reports: VecDeque<Heartbeat>,
}

/// Packets and their hash, in hexadecimal digits: SHA-256 of all of them, one after another.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Tally {
    pub(super) packets: u64,
    pub(super) sha256: String,
}

impl Seen {
    /// Waits until there is something new.
    pub(super) async fn changed(&self) {
        self.news.notified().await;
    }

    /// Whether the node has reported in this start. What is acknowledged before, it takes for something old.
    pub(super) fn has_reported(&self) -> bool {
        let packets = self.lock();
        packets.connection.is_some() && packets.has_reported
    }

    /// Whether the node's line is closed, and all that came by it was heard.
    pub(super) fn is_closed(&self) -> bool {
        self.lock().connection.is_none()
    }

    /// How many different alerts have come in this run.
    pub(super) fn alerts(&self) -> u64 {
        self.lock().alerts.len() as u64
    }

    /// The last `packets` that came by the node's line: a guest that starts anew in the midst of a connection counts
    /// from there. All of them, where fewer have come.
    pub(super) fn last(&self, packets: u64) -> Tally {
        let seen = self.lock();
        let skip = usize::try_from(packets).map_or(0, |packets| seen.kept.len().saturating_sub(packets));
        tally(seen.kept.iter().skip(skip))
    }

    /// All packets that have come by the node's line since it was opened last, as far as they are kept.
    pub(super) fn all(&self) -> Tally {
        tally(self.lock().kept.iter())
    }

    /// Reports that nobody has asked for so far.
    pub(super) fn reports(&self) -> Vec<Heartbeat> {
        self.lock().reports.drain(..).collect()
    }

    fn lock(&self) -> MutexGuard<'_, Packets> {
        // Nothing in here can be half done.
        self.packets.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn tally<'p>(packets: impl Iterator<Item = &'p Vec<u8>>) -> Tally {
    let (mut hash, mut count) = (Sha256::new(), 0);
    for packet in packets {
        hash.update(packet);
        count += 1;
    }
    let sha256 = hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
    Tally { packets: count, sha256 }
}

impl Onlooker for Seen {
    fn heard(&mut self, connection: u64, packet: &[u8], event: &GatewayEvent) {
        let mut seen = self.lock();
        if seen.connection != Some(connection) {
            seen.connection = Some(connection);
            seen.kept.clear();
            seen.has_reported = false;
        }
        seen.kept.push_back(packet.to_vec());
        if seen.kept.len() > KEPT_MAX {
            seen.kept.pop_front();
        }
        seen.has_reported |= matches!(event, GatewayEvent::Report { .. });
        match event {
            GatewayEvent::Alert(received) => {
                seen.alerts.insert(received.id);
            }
            GatewayEvent::Report { heartbeat, .. } if seen.reports.len() < REPORTS_MAX => {
                seen.reports.push_back(*heartbeat);
            }
            _ => {}
        }
        drop(seen);
        self.news.notify_one();
    }

    fn closed(&mut self, connection: u64) {
        let mut seen = self.lock();
        // Of a connection that never said anything nobody knows.
        if seen.connection.is_none_or(|own| own == connection) {
            seen.connection = None;
        }
        drop(seen);
        self.news.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use alertbus::NodeId;
    use alertbus::limits::HEARTBEAT_LEN;
    use alertbus::role::gateway::{Proof, Rejected};

    use super::*;

    fn report() -> GatewayEvent {
        let heartbeat = Heartbeat::decode(&{
            let mut bytes = [0; HEARTBEAT_LEN];
            bytes[0] = Heartbeat::KIND;
            bytes
        });
        let heartbeat = heartbeat.expect("zeros are a report");
        GatewayEvent::Report { node: NodeId(12), heartbeat, proof: Proof::Alive }
    }

    const NOISE: GatewayEvent = GatewayEvent::Rejected { node: None, why: Rejected::BadTag };

    #[test]
    fn the_last_packets_have_the_hash_that_a_guest_tells_of_its_own() {
        let mut seen = Seen::default();
        assert!(!seen.has_reported() && seen.is_closed());
        for packet in [b"an", b"ab", b"cd"] {
            seen.heard(1, packet, &NOISE);
        }
        // SHA-256 of `abcd`, and of nothing.
        let two = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        let none = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";
        assert_eq!(seen.last(2), Tally { packets: 2, sha256: two.into() });
        assert_eq!(seen.last(0), Tally { packets: 0, sha256: none.into() });
        assert_eq!(seen.last(9), seen.all());
        assert_eq!(seen.all().packets, 3);
        seen.closed(1);
        assert!(seen.is_closed());
        seen.heard(2, b"abcd", &NOISE);
        assert_eq!(seen.all(), Tally { packets: 1, sha256: two.into() });
        seen.closed(1);
        assert!(!seen.is_closed(), "the end of another connection is none of this one's");
        assert!(!seen.has_reported());
        seen.heard(2, b"report", &report());
        assert!(seen.has_reported() && seen.reports().len() == 1 && seen.reports().is_empty());
        seen.heard(3, b"anew", &NOISE);
        assert!(!seen.has_reported());
    }
}
