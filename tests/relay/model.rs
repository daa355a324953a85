//! The relay as one would explain it: lists, and for each question a look at all of them.

use std::collections::{BTreeMap, VecDeque};

use alertbus::wire::keys::Direction;
use alertbus::wire::packet::Header;

use crate::air::frame;

/// Highest last: exercise below live, then the precedence.
type Lane = (bool, u8);
/// Up before down, then the address.
type Source = (bool, u16);

#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Heard {
    Kept,
    Displaced(Header),
    Duplicate,
    Full,
}

enum GivesWay {
    Nobody,
    OldestOf(Lane, Source),
    /// All have one; lots are drawn.
    OneOf(Lane),
}

pub(crate) struct Model {
    room: usize,
    memory: usize,
    /// For each lane and source what waits, with the number of its coming.
    waiting: BTreeMap<Lane, BTreeMap<Source, VecDeque<(u64, Header)>>>,
    sent: VecDeque<Header>,
    last: BTreeMap<Lane, Source>,
    came: u64,
}

fn lane(header: &Header) -> Lane {
    (!header.exercise, header.precedence.bits())
}

fn source(header: &Header) -> Source {
    (header.class.direction() == Direction::Down, header.node.0)
}

impl Model {
    pub(crate) fn new(room: usize, memory: usize) -> Self {
        Self { room, memory, waiting: BTreeMap::new(), sent: VecDeque::new(), last: BTreeMap::new(), came: 0 }
    }

    pub(crate) fn len(&self) -> usize {
        self.waiting.values().flat_map(BTreeMap::values).map(VecDeque::len).sum()
    }

    /// What must become of the frame. Where lots are drawn it cannot know: there `relay` is right if it is possible.
    pub(crate) fn hear(&mut self, header: Header, relay: &Heard) -> Heard {
        let waits = |frames: &VecDeque<(u64, Header)>| frames.iter().any(|(_, other)| *other == header);
        if self.sent.contains(&header) || self.waiting.values().flat_map(BTreeMap::values).any(waits) {
            return Heard::Duplicate;
        }
        let mut heard = Heard::Kept;
        if self.len() == self.room {
            let (lane, source) = match (self.gives_way(&header), relay) {
                (GivesWay::Nobody, _) | (GivesWay::OneOf(_), Heard::Full) => return Heard::Full,
                (GivesWay::OldestOf(lane, source), _) => (lane, source),
                (GivesWay::OneOf(of), Heard::Displaced(gone)) if lane(gone) == of => (of, source(gone)),
                (GivesWay::OneOf(_), _) => panic!("lots: {relay:?}"),
            };
            heard = Heard::Displaced(self.take(lane, source));
        }
        self.came += 1;
        let of_lane = self.waiting.entry(lane(&header)).or_default();
        of_lane.entry(source(&header)).or_default().push_back((self.came, header));
        heard
    }

    fn gives_way(&self, newcomer: &Header) -> GivesWay {
        let (own_lane, own) = (lane(newcomer), source(newcomer));
        let (&lowest, sources) = self.waiting.iter().next().unwrap();
        let most = sources.values().map(VecDeque::len).max().unwrap();
        let richest = sources
            .iter()
            .filter(|(_, frames)| frames.len() == most)
            .min_by_key(|(_, frames)| frames[0].0)
            .map(|(source, _)| GivesWay::OldestOf(lowest, *source))
            .unwrap();
        if lowest < own_lane {
            return richest;
        }
        if lowest > own_lane {
            return GivesWay::Nobody;
        }
        match sources.get(&own).map_or(0, VecDeque::len) {
            held if most > held + 1 => richest,
            0 => GivesWay::OneOf(lowest),
            _ => GivesWay::OldestOf(lowest, own),
        }
    }

    /// The source after the one that had the last turn, or else the first.
    pub(crate) fn say(&mut self) -> Option<Vec<u8>> {
        let (&lane, sources) = self.waiting.iter().next_back()?;
        let last = self.last.get(&lane);
        let after = sources.keys().find(|source| last.is_none_or(|last| *source > last));
        let source = *after.or_else(|| sources.keys().next())?;
        let header = self.take(lane, source);
        self.last.insert(lane, source);
        self.sent.push_back(header);
        if self.sent.len() > self.memory {
            self.sent.pop_front();
        }
        Some(frame(header))
    }

    /// Takes the oldest frame, and leaves no empty list behind.
    fn take(&mut self, lane: Lane, source: Source) -> Header {
        let sources = self.waiting.get_mut(&lane).unwrap();
        let frames = sources.get_mut(&source).unwrap();
        let (_, header) = frames.pop_front().unwrap();
        if frames.is_empty() {
            sources.remove(&source);
        }
        if sources.is_empty() {
            self.waiting.remove(&lane);
        }
        header
    }
}
