//! An observer who sees every packet that a true node or gateway sends, and holds against that what is taken at the
//! other end. It decides nothing.

use std::collections::BTreeMap;

use super::event::Bytes;

/// How old a command or acknowledgement may be when it is taken, in milliseconds: three reports, and four more for
/// the reports that were lost meanwhile.
const DOWN_AGE_MS_MAX: u64 = 7 * 300_000;

/// What must never happen. All zero, or something is broken.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Breaches {
    /// A nonce was used twice.
    pub nonce_repeats: u64,
    /// Packets taken that no true node or gateway had sent like that.
    pub forgeries_accepted: u64,
    /// Packets taken a second time, or so late that they must have been held back.
    pub replays_accepted: u64,
    /// Steps at which a ledger did not balance.
    pub unbalanced: u64,
}

#[derive(Default)]
pub(super) struct Watch {
    sent: BTreeMap<Name, Sent>,
    /// Taken by the gateway and not yet on its disk: a kill undoes that.
    unsynced: Vec<Name>,
    pub(super) breaches: Breaches,
}

/// A nonce within one run: direction and exercise, low byte of the epoch, node, counter.
type Name = (bool, bool, u8, u16, u32);

struct Sent {
    packet: Bytes,
    at_ms: u64,
    taken: bool,
}

/// Reads the name off the clear header.
fn name(packet: &[u8]) -> Option<Name> {
    let &[first, epoch, node_high, node_low, a, b, c, d] = packet.first_chunk()?;
    let down = first & 0b0010_0000 != 0;
    let exercise = first & 0b10 != 0;
    Some((down, exercise, epoch, u16::from_be_bytes([node_high, node_low]), u32::from_be_bytes([a, b, c, d])))
}

impl Watch {
    /// A true node or gateway sends this.
    pub(super) fn sent(&mut self, now_ms: u64, packet: &[u8]) {
        let Some(name) = name(packet) else { return };
        let sent = Sent { packet: Bytes::new(packet), at_ms: now_ms, taken: false };
        self.breaches.nonce_repeats += u64::from(self.sent.insert(name, sent).is_some());
    }

    /// The gateway takes this; what it does with it is not yet on its disk.
    pub(super) fn taken_by_gateway(&mut self, packet: &[u8]) {
        if let Some(name) = self.taken(packet, None) {
            self.unsynced.push(name);
        }
    }

    /// A node or siren that has started then takes this: nothing said before that can be for this boot.
    pub(super) fn taken_by_unit(&mut self, now_ms: u64, started_ms: u64, packet: &[u8]) {
        self.taken(packet, Some(started_ms.max(now_ms.saturating_sub(DOWN_AGE_MS_MAX))));
    }

    fn taken(&mut self, packet: &[u8], oldest_ms: Option<u64>) -> Option<Name> {
        let name = name(packet)?;
        match self.sent.get_mut(&name).filter(|sent| sent.packet.as_slice() == packet) {
            None => self.breaches.forgeries_accepted += 1,
            Some(sent) => {
                let held_back = oldest_ms.is_some_and(|oldest_ms| sent.at_ms < oldest_ms);
                self.breaches.replays_accepted += u64::from(sent.taken || held_back);
                sent.taken = true;
            }
        }
        Some(name)
    }

    /// What the gateway has taken so far is on its disk.
    pub(super) fn synced(&mut self) {
        self.unsynced.clear();
    }

    /// The gateway is killed: what is not on its disk was never taken.
    pub(super) fn forget_unsynced(&mut self) {
        for name in self.unsynced.drain(..) {
            if let Some(sent) = self.sent.get_mut(&name) {
                sent.taken = false;
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn packet(first: u8, counter: u8, last: u8) -> [u8; 20] {
        let mut packet = [0; 20];
        packet[0] = first;
        packet[7] = counter;
        packet[19] = last;
        packet
    }

    #[test]
    fn each_breach_is_seen() {
        let mut watch = Watch::default();
        watch.sent(0, &packet(0x40, 1, 1));
        watch.taken_by_gateway(&packet(0x40, 1, 1));
        watch.forget_unsynced();
        watch.taken_by_gateway(&packet(0x40, 1, 1));
        watch.synced();
        watch.forget_unsynced();
        assert_eq!(watch.breaches, Breaches::default());
        watch.taken_by_gateway(&packet(0x40, 1, 1));
        assert_eq!(watch.breaches.replays_accepted, 1);
        watch.taken_by_gateway(&packet(0x40, 1, 2));
        watch.taken_by_gateway(&packet(0x40, 2, 1));
        watch.taken_by_gateway(&packet(0x42, 1, 1));
        assert_eq!(watch.breaches.forgeries_accepted, 3);
        watch.sent(0, &packet(0x60, 1, 1));
        watch.taken_by_unit(DOWN_AGE_MS_MAX, 0, &packet(0x60, 1, 1));
        assert_eq!(watch.breaches.replays_accepted, 1);
        watch.sent(0, &packet(0x60, 2, 1));
        watch.taken_by_unit(DOWN_AGE_MS_MAX + 1, 0, &packet(0x60, 2, 1));
        assert_eq!(watch.breaches.replays_accepted, 2);
        watch.sent(5, &packet(0x60, 3, 1));
        watch.taken_by_unit(7, 6, &packet(0x60, 3, 1));
        assert_eq!(watch.breaches.replays_accepted, 3, "said before this boot");
        watch.sent(0, &packet(0x50, 1, 9));
        assert_eq!(watch.breaches.nonce_repeats, 1, "another class, and the same counter");
    }
}
