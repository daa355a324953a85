//! Somebody with a radio: hears every packet on the air, records, jams, plays back, bends and misdirects.

use super::event::{Bytes, Event};
use crate::draw::Draw;

/// Packets kept on tape.
const TAPE_LEN: usize = 256;

/// How long a recording is kept back at most before it is played, in milliseconds: a day, so that reboots, epochs and
/// kills lie in between.
const WAIT_MS_MAX: u64 = 86_400_000;

/// What was tried.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Attempts {
    /// Packets that nobody had sent like that.
    pub forgeries: u64,
    /// Recordings played after the packet itself had got through.
    pub replays: u64,
    /// Packets jammed and played later.
    pub held_back: u64,
}

pub(super) struct Attacker {
    draw: Draw,
    millionths: u32,
    tape: Vec<Heard>,
    pub(super) attempts: Attempts,
}

/// A packet on the air, and where it was going.
#[derive(Clone, Copy)]
pub(super) struct Heard {
    pub(super) packet: Bytes,
    pub(super) way: Way,
}

#[derive(Clone, Copy)]
pub(super) enum Way {
    Up { site: usize },
    Down { unit: usize },
}

impl Way {
    const fn arrival(self, packet: Bytes) -> Event {
        match self {
            Self::Up { site } => Event::AirUp { site, packet },
            Self::Down { unit } => Event::AirDown { unit, packet },
        }
    }
}

/// What the attacker does about a packet.
#[derive(Default)]
pub(super) struct Mischief {
    /// It does not arrive.
    pub(super) jammed: bool,
    /// What arrives besides, each after so many milliseconds.
    pub(super) arrivals: Vec<(u64, Event)>,
}

impl Attacker {
    pub(super) fn new(seed: u64, millionths: u32) -> Self {
        Self {
            draw: Draw::new(seed, "attacker"),
            millionths,
            tape: Vec::new(),
            attempts: Attempts::default(),
        }
    }

    /// The attacker goes home.
    pub(super) const fn stop(&mut self) {
        self.millionths = 0;
    }

    /// Hears a packet.
    pub(super) fn hear(&mut self, heard: Heard, units: usize, sites: usize) -> Mischief {
        let mut mischief = Mischief::default();
        if !self.draw.happens(self.millionths) {
            return mischief;
        }
        let wait_ms = self.wait_ms();
        match self.draw.below(6) {
            0 => {
                self.attempts.replays += 1;
                mischief.arrivals.push((wait_ms, heard.way.arrival(heard.packet)));
            }
            1 => {
                self.attempts.held_back += 1;
                mischief.jammed = true;
                mischief.arrivals.push((wait_ms, heard.way.arrival(heard.packet)));
                // And once more, for what was taken the first time.
                self.attempts.replays += 1;
                let later_ms = wait_ms + self.wait_ms();
                mischief.arrivals.push((later_ms, heard.way.arrival(heard.packet)));
            }
            2 => {
                // Everything of the last hours at once, in any order.
                for _ in 0..self.tape.len().min(4) {
                    let at = self.pick(self.tape.len());
                    self.attempts.replays += 1;
                    mischief
                        .arrivals
                        .push((1 + self.draw.below(5_000), self.tape[at].way.arrival(self.tape[at].packet)));
                }
            }
            3 => self.forge(&mut mischief, heard, |draw, packet| {
                let bits = 8 * packet.as_slice().len() as u64;
                for _ in 0..=draw.below(3) {
                    packet.flip(usize::try_from(draw.below(bits)).unwrap_or(0));
                }
            }),
            // A later counter, another node, an exercise, another class or precedence: the header stands in clear.
            4 => self.forge(&mut mischief, heard, |draw, packet| {
                packet.flip(usize::try_from(draw.below(64)).unwrap_or(0));
            }),
            _ => {
                // To another address, or the other way round.
                self.attempts.forgeries += 1;
                let way = match heard.way {
                    Way::Up { .. } => Way::Down { unit: self.pick(units) },
                    Way::Down { .. } => Way::Up { site: self.pick(sites) },
                };
                mischief.arrivals.push((1 + self.draw.below(1_000), way.arrival(heard.packet)));
            }
        }
        self.record(heard);
        mischief
    }

    fn forge(&mut self, mischief: &mut Mischief, heard: Heard, bend: impl Fn(&mut Draw, &mut Bytes)) {
        let mut packet = heard.packet;
        bend(&mut self.draw, &mut packet);
        if packet != heard.packet {
            self.attempts.forgeries += 1;
            mischief.arrivals.push((1 + self.draw.below(1_000), heard.way.arrival(packet)));
        }
    }

    fn record(&mut self, heard: Heard) {
        if self.tape.len() < TAPE_LEN {
            self.tape.push(heard);
        } else {
            let at = self.pick(TAPE_LEN);
            self.tape[at] = heard;
        }
    }

    /// Most at once, some after hours.
    fn wait_ms(&mut self) -> u64 {
        let most_ms = [2_000, 60_000, 1_200_000, WAIT_MS_MAX][self.pick(4)];
        1 + self.draw.below(most_ms)
    }

    fn pick(&mut self, len: usize) -> usize {
        usize::try_from(self.draw.below(len as u64)).unwrap_or(0)
    }
}
