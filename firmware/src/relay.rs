//! A relay between two lines: everything but its main loop.
//!
//! It holds no keys. What nodes say goes up, what a gateway says goes down, each way through a
//! [`Relay`] of its own: what comes from the wrong side is an echo of the line, and goes nowhere. It never
//! acknowledges, so what a relay had in hand when its power went is still its sender's to send again.
//!
//! The lines carry no address of a relay and nothing from it: who wants to know whether it works hears the nodes
//! behind it.

use core::fmt;

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::provision::MAGIC;
use alertbus::role::relay::Relay;
use alertbus::time::Instant;
use alertbus::wire::frame::{Deframer, Fed, StreamDeframer};
use alertbus::wire::keys::Direction;
use alertbus::wire::link::{Link, TagLength};
use alertbus::wire::packet;
use embedded_storage::nor_flash::ReadNorFlash;

use crate::line::{FrameBuffer, Framer};

/// Frames that wait for one line.
const WAITING_MAX: usize = 16;

/// Frames sent last to one line, which are known again.
const SEEN_MAX: usize = 64;

/// Bytes of the seed, which stand at the start of the flash.
const SEED_LEN: usize = 16;

/// A relay between the line to a gateway and the line to nodes.
pub struct RelayStation {
    up: Way,
    down: Way,
    link: Link,
}

/// Everything that goes one way.
struct Way {
    direction: Direction,
    relay: Relay<WAITING_MAX, SEEN_MAX>,
    /// Of the line it comes from.
    deframer: StreamDeframer,
    /// Of the line it goes to.
    framer: Framer,
}

/// The secret by which this relay tells frames apart: whoever knew it could look for two that it takes for the same.
pub struct Seed([u8; SEED_LEN]);

/// Why a board is no relay. It forwards nothing then.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum SeedError {
    /// The flash cannot be read.
    Flash,
    /// There is none.
    Erased,
    /// A node's blob is there, which begins with what everybody can guess.
    Blob,
}

impl Seed {
    /// Reads the seed at the start of `flash`: any 16 random bytes, other ones for each relay.
    ///
    /// # Errors
    /// There is none, or a blob in its place, or it cannot be read.
    pub fn read<F: ReadNorFlash>(flash: &mut F) -> Result<Self, SeedError> {
        const ERASED: u8 = 0xff;
        let mut bytes = [ERASED; SEED_LEN];
        flash.read(0, &mut bytes).map_err(|_| SeedError::Flash)?;
        if bytes == [ERASED; SEED_LEN] {
            return Err(SeedError::Erased);
        }
        if bytes.starts_with(&MAGIC) { Err(SeedError::Blob) } else { Ok(Self(bytes)) }
    }
}

impl SeedError {
    /// What a person does about it.
    #[must_use]
    pub const fn advice(&self) -> &'static str {
        match self {
            Self::Flash => "its flash cannot be read",
            Self::Erased => "it has no seed: flash 16 random bytes to the start of its first page",
            Self::Blob => "a node's blob is no seed: flash 16 random bytes in its place",
        }
    }
}

impl RelayStation {
    /// A relay that has heard nothing yet.
    #[must_use]
    pub fn new(Seed(seed): Seed) -> Self {
        let link = Link::stream(0);
        Self {
            up: Way::new(Direction::Up, link.tag, seed),
            down: Way::new(Direction::Down, link.tag, seed),
            link,
        }
    }

    /// Takes a byte from the line to the gateway.
    pub fn handle_uplink(&mut self, now: Instant, byte: u8) {
        self.down.handle(now, &self.link, byte);
    }

    /// Takes a byte from the line to the nodes.
    pub fn handle_downlink(&mut self, now: Instant, byte: u8) {
        self.up.handle(now, &self.link, byte);
    }

    /// The next frame for the gateway, written to `room`, if there is one to send.
    pub fn poll_uplink<'f>(&mut self, now: Instant, room: &'f mut FrameBuffer) -> Option<&'f [u8]> {
        self.up.poll_transmit(now, &self.link, room)
    }

    /// The next frame for the nodes, written to `room`, if there is one to send.
    pub fn poll_downlink<'f>(&mut self, now: Instant, room: &'f mut FrameBuffer) -> Option<&'f [u8]> {
        self.down.poll_transmit(now, &self.link, room)
    }
}

impl Way {
    fn new(direction: Direction, tag: TagLength, seed: [u8; SEED_LEN]) -> Self {
        Self { direction, relay: Relay::new(tag, seed), deframer: Deframer::new(), framer: Framer::new() }
    }

    fn handle(&mut self, now: Instant, link: &Link, byte: u8) {
        let packet = match self.deframer.feed(byte) {
            Some(Fed::Packet(packet)) => packet,
            Some(Fed::Noise(_noise)) => return log!(debug, "noise: {}", _noise),
            None => return,
        };
        let goes_this_way = packet::parse(packet, link.tag)
            .is_ok_and(|sealed| sealed.header().class.direction() == self.direction);
        if !goes_this_way {
            return log!(debug, "no packet for this way");
        }
        match self.relay.handle_packet(now, link, packet) {
            Ok(_taken) => log!(debug, "{}", _taken),
            Err(_why) => log!(debug, "packet rejected: {}", _why),
        }
    }

    fn poll_transmit<'f>(
        &mut self,
        now: Instant,
        link: &Link,
        room: &'f mut FrameBuffer,
    ) -> Option<&'f [u8]> {
        let mut packet = [0; PACKET_LEN_MAX];
        let packet = self.relay.poll_transmit(now, link, &mut packet)?;
        self.framer.frame(packet, room)
    }
}

impl fmt::Debug for RelayStation {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "RelayStation(up {:?}, down {:?})", self.up.relay, self.down.relay)
    }
}

// The seed is nobody's business in a log.
impl fmt::Debug for Seed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Seed")
    }
}
