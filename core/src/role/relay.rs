//! A relay: hears frames, says each once more, and holds no key.
//!
//! It reads the clear header and believes nothing by it but the order: precedence first, exercise below live. Within a
//! lane the sources take turns, so that a node that babbles gets a share and no more; a source is a direction and a
//! node's address. It never acknowledges: what it has taken is still its sender's to send again.
//!
//! Room is shared in the same way. A full relay gives way in its lowest lane, to higher ones. In the newcomer's own
//! lane the source with the most frames there loses its oldest, and only to a source that has fewer; so a source that
//! holds no more than an even share loses nothing to its equals. Where there are more sources than room, each of one
//! frame, lots are drawn. Nothing is kept for a source but its frames, so there is no number of sources too many.
//!
//! Each frame goes out once. What was sent is remembered by a keyed hash of all its bytes: an echo from the air, or a
//! copy by another relay, is known, and a forged header with the same counter is another frame and hides nothing. Only
//! what was sent is remembered, so nobody can flush that memory faster than the relay itself may speak. A retry has
//! a new counter, is a new frame, and goes out.
//!
//! # What it does not promise
//!
//! Without keys a forged header cannot be told from a true one. Who can send can take up airtime with forged Flash
//! frames, and take the share of a node by using its address. That is noticed downstream, where tags fail. Above its
//! own lane nobody is spared: Flash goes before everything else for as long as there is any.

use core::fmt;

use ascon_xof128::AsconCxof128;
use ascon_xof128::digest::{ExtendableOutput, TryCustomizedInit, Update, XofReader};
use heapless::{HistoryBuf, Vec};

use crate::ledger::Row;
use crate::limits::{PACKET_LEN_MAX, RELAY_WAIT_MS_MAX};
use crate::queue::Lane;
use crate::time::{Duration, Instant};
use crate::wire::keys::Direction;
use crate::wire::link::{Link, TagLength};
use crate::wire::packet::{self, Header, PacketBuffer, ParseError};

/// A relay with room for `N` frames that wait, which remembers the last `SEEN` frames it has sent.
///
/// It joins links of one tag length, because without keys a tag cannot be made anew, and says each frame once: on
/// whichever of them is polled first. `SEEN` frames should take longer to send than the slowest echo or detour takes.
///
/// ```
/// use alertbus::limits::PACKET_LEN_MAX;
/// use alertbus::role::relay::{Rejected, Relay, Taken};
/// use alertbus::time::Instant;
/// use alertbus::wire::keys::{Direction, Epoch, MasterKey};
/// use alertbus::wire::link::{Link, TagLength};
/// use alertbus::wire::packet::{self, Class, Header};
/// use alertbus::{NodeId, Precedence};
///
/// let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12)).link_key(Direction::Up, false, Epoch(1));
/// let (class, precedence, node) = (Class::Alert, Precedence::Flash, NodeId(12));
/// let header = Header { class, precedence, exercise: false, epoch_low: 1, node, counter: 1 };
/// let mut buffer = [0; PACKET_LEN_MAX];
/// let heard = packet::seal(&key, &header, b"body", TagLength::Short, &mut buffer).unwrap();
///
/// let (radio, now) = (Link::small_radio(0), Instant::START);
/// let mut relay = Relay::<8, 32>::new(TagLength::Short, [3; 16]);
/// assert_eq!(relay.handle_packet(now, &radio, heard), Ok(Taken::Kept));
/// let mut out = [0; PACKET_LEN_MAX];
/// assert_eq!(relay.poll_transmit(now, &radio, &mut out), Some(heard));
/// assert_eq!(relay.handle_packet(now, &radio, heard), Err(Rejected::Duplicate));
/// ```
pub struct Relay<const N: usize, const SEEN: usize> {
    tag: TagLength,
    /// Has taken up the seed.
    hash: AsconCxof128,
    /// In the order in which they came.
    frames: Vec<Frame, N>,
    /// Hashes of what was sent.
    seen: HistoryBuf<u64, SEEN>,
    /// For each lane the source that had the last turn.
    turns: [u32; Lane::COUNT],
    counts: [Counts; Row::ALL.len()],
    malformed: u64,
}

struct Frame {
    header: Header,
    hash: u64,
    received_at: Instant,
    packet: Vec<u8, PACKET_LEN_MAX>,
}

/// What became of the frames of one row since the start, by what their headers claim.
///
/// Every frame that can be read is counted once at the latest when it leaves:
/// `heard = duplicate + refused + forwarded + displaced + expired + waiting`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub struct Counts {
    /// Waiting already or sent before: echoes, and copies by other relays.
    pub duplicate: u64,
    /// Not taken, because nothing gave way.
    pub refused: u64,
    /// Sent on.
    pub forwarded: u64,
    /// Given way to another frame.
    pub displaced: u64,
    /// Waited for longer than [`RELAY_WAIT_MS_MAX`].
    pub expired: u64,
}

/// What became of a frame that was taken. Its sender keeps it either way.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[must_use = "another frame may have given way"]
pub enum Taken {
    /// There was room.
    Kept,
    /// The frame with this header gave way to it.
    Displaced(Header),
}

/// Why a frame was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
#[non_exhaustive]
pub enum Rejected {
    /// The link has tags of another length than this relay joins.
    OtherTag {
        /// The length this relay joins.
        expected: TagLength,
    },
    /// No packet.
    Parse(ParseError),
    /// These bytes wait here, or have been sent.
    Duplicate,
    /// Nothing gives way to it.
    Full,
}

impl<const N: usize, const SEEN: usize> Relay<N, SEEN> {
    /// A relay between links with tags of this length.
    ///
    /// The seed is different in each relay and nobody else's business: who knew it could look for two frames that one
    /// relay takes for the same. Cost: six permutations.
    #[must_use]
    pub fn new(tag: TagLength, seed: [u8; 16]) -> Self {
        const { assert!(N > 0 && SEEN > 0, "a relay without room relays nothing, one without memory for ever") };
        let Ok(mut hash) = AsconCxof128::try_new_customized(b"alertbus seen v1") else {
            unreachable!("16 bytes are within the 256 that SP 800-232 allows");
        };
        hash.update(&seed);
        Self {
            tag,
            hash,
            frames: Vec::new(),
            seen: HistoryBuf::new(),
            turns: [u32::MAX; Lane::COUNT],
            counts: [Counts::default(); Row::ALL.len()],
            malformed: 0,
        }
    }

    /// Frames that wait to be sent.
    #[must_use]
    pub fn waiting(&self) -> usize {
        self.frames.len()
    }

    /// What became of the frames of `row`.
    #[must_use]
    pub fn counts(&self, row: Row) -> Counts {
        Row::ALL
            .iter()
            .position(|&other| other == row)
            .and_then(|at| self.counts.get(at))
            .copied()
            .unwrap_or_default()
    }

    /// Receptions that were no packet, or came by a link with tags of another length.
    #[must_use]
    pub const fn malformed(&self) -> u64 {
        self.malformed
    }

    /// Takes a frame that `link` has received, to be sent on.
    ///
    /// Cost: the hash, up to ten permutations; O(SEEN); O(N²) comparisons where the relay is full.
    ///
    /// # Errors
    /// It is no packet, is known already, or nothing gives way to it. All are counted.
    pub fn handle_packet(&mut self, now: Instant, link: &Link, packet: &[u8]) -> Result<Taken, Rejected> {
        let header =
            self.parse(link, packet).inspect_err(|_| self.malformed = self.malformed.wrapping_add(1))?;
        self.let_go(now);
        let hash = self.hash(packet);
        let waits = self.frames.iter().any(|frame| frame.hash == hash);
        if waits || self.seen.as_slice().contains(&hash) {
            bump(&mut self.counts_mut(&header).duplicate);
            return Err(Rejected::Duplicate);
        }
        let displaced = match self.make_room(&header, hash) {
            Ok(displaced) => displaced,
            Err(Full) => {
                bump(&mut self.counts_mut(&header).refused);
                return Err(Rejected::Full);
            }
        };
        let frame = Vec::from_slice(packet).map(|packet| Frame { header, hash, received_at: now, packet });
        let kept = frame.is_ok_and(|frame| self.frames.push(frame).is_ok());
        debug_assert!(kept, "a parsed packet fits a frame, and room was made for one");
        Ok(displaced.map_or(Taken::Kept, Taken::Displaced))
    }

    /// The next frame for `link`, byte for byte as it was heard, in the front of `out`; none when nothing waits or the
    /// link has tags of another length.
    ///
    /// The highest lane first; in it the source whose turn it is; of it the oldest. O(N).
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        if link.tag != self.tag {
            return None;
        }
        self.let_go(now);
        let frame = self.take(self.next()?)?;
        *self.turns.get_mut(usize::from(frame.lane().number()))? = frame.source();
        self.seen.write(frame.hash);
        bump(&mut self.counts_mut(&frame.header).forwarded);
        let sent = out.get_mut(..frame.packet.len())?;
        sent.copy_from_slice(&frame.packet);
        Some(sent)
    }

    fn parse(&self, link: &Link, packet: &[u8]) -> Result<Header, Rejected> {
        if link.tag != self.tag {
            return Err(Rejected::OtherTag { expected: self.tag });
        }
        packet::parse(packet, link.tag).map(|sealed| *sealed.header()).map_err(Rejected::Parse)
    }

    fn hash(&self, packet: &[u8]) -> u64 {
        let mut hash = self.hash.clone();
        hash.update(packet);
        let mut bytes = [0; 8];
        hash.finalize_xof().read(&mut bytes);
        u64::from_be_bytes(bytes)
    }

    /// Whose turn it is in the highest lane: the next source after the one that had the last.
    fn next(&self) -> Option<usize> {
        let lane = self.frames.iter().map(Frame::lane).max()?;
        let last = *self.turns.get(usize::from(lane.number()))?;
        let of_lane = self.frames.iter().enumerate().filter(|(_, frame)| frame.lane() == lane);
        // The source that had the last turn is the furthest away; among equals the first, which came first, is taken.
        of_lane.min_by_key(|(_, frame)| frame.source().wrapping_sub(last).wrapping_sub(1)).map(|(at, _)| at)
    }

    /// Lets go of what nobody waits for any more.
    fn let_go(&mut self, now: Instant) {
        let is_stale =
            |frame: &Frame| now.since(frame.received_at) > Duration::from_millis(RELAY_WAIT_MS_MAX);
        while let Some(at) = self.frames.iter().position(is_stale) {
            if let Some(frame) = self.take(at) {
                bump(&mut self.counts_mut(&frame.header).expired);
            }
        }
    }

    /// Sees to it that there is room for one frame, and says which one gave way.
    fn make_room(&mut self, newcomer: &Header, hash: u64) -> Result<Option<Header>, Full> {
        if !self.frames.is_full() {
            return Ok(None);
        }
        let gone = self.giving_way(newcomer, hash).and_then(|at| self.take(at)).ok_or(Full)?;
        bump(&mut self.counts_mut(&gone.header).displaced);
        Ok(Some(gone.header))
    }

    /// Which frame gives way: in the lowest lane the oldest of the source that has the most there. In the newcomer's
    /// own lane that source must have more than the newcomer's would then have; else the newcomer's own oldest goes.
    /// Where it has none either, everybody has one, and the lowest hash loses: a lot that no sender can mark.
    fn giving_way(&self, newcomer: &Header, hash: u64) -> Option<usize> {
        let (newcomer_lane, newcomer_source) = (lane(newcomer), source(newcomer));
        let lowest = self.frames.iter().map(Frame::lane).min()?;
        if lowest > newcomer_lane {
            return None;
        }
        let of_lane = || self.frames.iter().enumerate().filter(|(_, frame)| frame.lane() == lowest);
        let share = |source: u32| of_lane().filter(|(_, frame)| frame.source() == source).count();
        // Of equals the last is the greatest, so backwards it is the oldest.
        let shares = of_lane().rev().map(|(at, frame)| (at, share(frame.source())));
        let (at, most) = shares.max_by_key(|&(_, share)| share)?;
        if lowest < newcomer_lane || most > share(newcomer_source).saturating_add(1) {
            return Some(at);
        }
        let own = of_lane().find(|(_, frame)| frame.source() == newcomer_source);
        let lot = of_lane().min_by_key(|(_, frame)| frame.hash).filter(|(_, frame)| frame.hash < hash);
        own.or(lot).map(|(at, _)| at)
    }

    fn take(&mut self, at: usize) -> Option<Frame> {
        (at < self.frames.len()).then(|| self.frames.remove(at))
    }

    fn counts_mut(&mut self, header: &Header) -> &mut Counts {
        let row = Row::of(header.precedence, header.exercise);
        let [first, rest @ ..] = &mut self.counts;
        match Row::ALL.iter().position(|&other| other == row).and_then(|at| at.checked_sub(1)) {
            None => first,
            Some(behind) => rest.get_mut(behind).unwrap_or(first),
        }
    }
}

/// Nothing gives way.
struct Full;

impl Frame {
    const fn lane(&self) -> Lane {
        lane(&self.header)
    }

    fn source(&self) -> u32 {
        source(&self.header)
    }
}

const fn lane(header: &Header) -> Lane {
    Lane::of(header.precedence, header.exercise)
}

/// Who shares: a node's packets up, and the packets down to it, are two sources, so that acknowledgements are not held
/// up by the node they are for.
fn source(header: &Header) -> u32 {
    let down = match header.class.direction() {
        Direction::Up => 0,
        Direction::Down => 1 << 16,
    };
    down | u32::from(header.node.0)
}

/// A count of u64 events overflows after 500 years at a thousand million a second.
fn bump(count: &mut u64) {
    *count = count.wrapping_add(1);
}

// Neither the seed nor a body shows.
impl<const N: usize, const SEEN: usize> fmt::Debug for Relay<N, SEEN> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Relay({} of {N} frames)", self.frames.len())
    }
}

#[cfg(feature = "defmt")]
impl<const N: usize, const SEEN: usize> defmt::Format for Relay<N, SEEN> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "relay of {=usize} frames", self.frames.len());
    }
}

impl fmt::Display for Rejected {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::OtherTag { expected } => {
                write!(f, "this relay joins links with tags of {} bytes", expected.bytes())
            }
            Self::Parse(error) => error.fmt(f),
            Self::Duplicate => f.write_str("these bytes wait already or have been sent"),
            Self::Full => f.write_str("no frame gives way to it"),
        }
    }
}

impl core::error::Error for Rejected {}
