//! Frames as a relay hears them, and a relay that is easy to ask.

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::role::relay::{Rejected, Relay, Taken};
use alertbus::time::Instant;
use alertbus::wire::link::{Link, TagLength};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{NodeId, Precedence};

pub(crate) const LINK: Link = Link::small_radio(3);

pub(crate) fn header(node: u16, precedence: Precedence, counter: u32) -> Header {
    let class = Class::Alert;
    Header { class, precedence, exercise: false, epoch_low: 1, node: NodeId(node), counter }
}

/// A frame with this header. A relay cannot tell that no key has ever sealed it.
pub(crate) fn frame(header: Header) -> Vec<u8> {
    let mut bytes = header.encode().to_vec();
    bytes.extend([header.node.0.to_be_bytes()[1]; 20]);
    bytes
}

/// The header of a frame that came out.
pub(crate) fn read(frame: &[u8]) -> Header {
    *packet::parse(frame, TagLength::Short).unwrap().header()
}

/// A relay on one link, at one moment.
pub(crate) struct Ear<const N: usize, const SEEN: usize> {
    pub(crate) relay: Relay<N, SEEN>,
    pub(crate) now: Instant,
}

impl<const N: usize, const SEEN: usize> Ear<N, SEEN> {
    pub(crate) fn new() -> Self {
        Self { relay: Relay::new(TagLength::Short, [9; 16]), now: Instant::START }
    }

    pub(crate) fn hear(&mut self, packet: &[u8]) -> Result<Taken, Rejected> {
        self.relay.handle_packet(self.now, &LINK, packet)
    }

    pub(crate) fn hear_header(&mut self, header: Header) -> Result<Taken, Rejected> {
        self.hear(&frame(header))
    }

    /// Hears something new for which there is room.
    pub(crate) fn keep(&mut self, header: Header) {
        assert_eq!(self.hear_header(header), Ok(Taken::Kept), "{header:?}");
    }

    pub(crate) fn say(&mut self) -> Option<Vec<u8>> {
        let mut buffer = [0; PACKET_LEN_MAX];
        self.relay.poll_transmit(self.now, &LINK, &mut buffer).map(<[u8]>::to_vec)
    }

    pub(crate) fn say_all(&mut self) -> Vec<Vec<u8>> {
        std::iter::from_fn(|| self.say()).collect()
    }

    /// Addresses and counters of all that waits, in the order in which it is said.
    pub(crate) fn say_numbers(&mut self) -> Vec<(u16, u32)> {
        self.say_all().iter().map(|frame| read(frame)).map(|header| (header.node.0, header.counter)).collect()
    }
}
