//! Random lives of a node whose events have keys: what it says is consistent, every alert it took ends once, and it
//! wakes no more often than it must.

use std::collections::{BTreeMap, BTreeSet};

use alertbus::limits::{BODY_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::kind::{ConvoyIed, DroneSighting, RocketLaunch};
use alertbus::message::{Alert, AlertDraft, Body, EventKey, Phase, Reference, Severity, split_body};
use alertbus::role::node::{Handle, Node, NodeEvent, Submission};
use alertbus::store::StoreError;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch, LinkKeys};
use alertbus::wire::link::Link;
use alertbus::wire::packet::{self, Class};
use alertbus::{Precedence, Seq};
use proptest::prelude::*;

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, Pair, config, node_key};

/// What a test does to a node.
#[derive(Clone, Debug)]
enum Act {
    Say {
        phase: u8,
        draft: AlertDraft,
    },
    /// Over which link it is polled, and whether what it says arrives.
    Poll {
        link: u8,
        arrives: bool,
    },
    /// The gateway's answers, and whether they arrive.
    Answer {
        arrives: bool,
    },
    /// A packet down of long ago.
    PlayBack {
        which: usize,
    },
    Sleep {
        ms: u32,
    },
    SleepUntilDue,
    Reboot,
    Ail {
        pending: [u32; 3],
        fails: [bool; 3],
    },
}

fn draft() -> impl Strategy<Value = AlertDraft> {
    let key = prop_oneof![1 => Just(None), 4 => (0_u16..4).prop_map(|key| Some(EventKey(key)))];
    let bodies = prop_oneof![
        Just(Body::from(RocketLaunch::default())),
        Just(Body::from(DroneSighting::default())),
        Just(Body::from(ConvoyIed::default())),
    ];
    (bodies, key, 0_u8..5, 0_u8..4, prop::bool::weighted(0.2)).prop_map(
        |(body, key, severity, precedence, exercise)| AlertDraft {
            key,
            exercise,
            severity: Severity::from_bits(severity),
            // Now and then an event rises.
            precedence_min: if precedence == 3 { Precedence::Flash } else { Precedence::Routine },
            ..AlertDraft::new(body)
        },
    )
}

fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        8 => (0_u8..6, draft()).prop_map(|(phase, draft)| Act::Say { phase, draft }),
        8 => (0_u8..3, prop::bool::weighted(0.7)).prop_map(|(link, arrives)| Act::Poll { link, arrives }),
        4 => prop::bool::weighted(0.7).prop_map(|arrives| Act::Answer { arrives }),
        1 => (0_usize..100).prop_map(|which| Act::PlayBack { which }),
        2 => (0_u32..400_000).prop_map(|ms| Act::Sleep { ms }),
        4 => Just(Act::SleepUntilDue),
        1 => Just(Act::Reboot),
        1 => (any::<[bool; 3]>(), prop::array::uniform3(0_u32..4))
            .prop_map(|(fails, pending)| Act::Ail { pending, fails }),
    ]
}

fn link(number: u8) -> Link {
    match number {
        0 => LINK,
        1 => Link { number: 1, ..LINK },
        _ => Link::small_radio(2),
    }
}

struct Life {
    memory: Shared,
    pair: Pair<Ailing>,
    boots: u16,
    /// Alerts of this boot that are not settled.
    open: BTreeSet<Handle>,
    headers: BTreeSet<Vec<u8>>,
    /// What was said under each name, and in which boot first: sort, Flash, number.
    said: BTreeMap<(bool, bool, Seq), (u16, Alert)>,
}

impl Life {
    fn new() -> Self {
        let memory = Shared::default();
        let mut pair = Pair::with_store(Ailing::start(&memory));
        pair.grant_down();
        let (open, headers, said) = (BTreeSet::new(), BTreeSet::new(), BTreeMap::new());
        Self { memory, pair, boots: 1, open, headers, said }
    }

    fn act(&mut self, act: &Act) {
        let now = self.pair.now;
        match act {
            Act::Say { phase, draft } => self.say(*phase, *draft),
            Act::Poll { link: number, arrives } => {
                let link = link(*number);
                let mut buffer = [0; PACKET_LEN_MAX];
                if let Some(packet) = self.pair.node.poll_transmit(now, &link, &mut buffer) {
                    let packet = packet.to_vec();
                    self.check(&packet);
                    if *arrives {
                        // Whichever way it came.
                        self.pair.hand_up(&packet);
                    }
                }
            }
            Act::Answer { arrives } => {
                for packet in self.pair.gateway_packets() {
                    if *arrives {
                        let _ = self.pair.hand_down(&packet);
                    }
                }
            }
            Act::PlayBack { which } => {
                if let Some(packet) = self.pair.down.get(*which).cloned() {
                    let _ = self.pair.hand_down(&packet);
                }
            }
            Act::Sleep { ms } => self.pair.advance(Duration::from_millis(*ms)),
            Act::SleepUntilDue => {
                self.pair.now = self.pair.node.poll_timeout().unwrap_or(now).max(now);
                self.pair.node.handle_timeout(self.pair.now);
            }
            Act::Reboot => {
                self.boots += 1;
                self.open.clear();
                self.pair.node = Node::start(config(3), Ailing::start(&self.memory), now);
            }
            Act::Ail { pending, fails } => {
                let mut memory = self.memory.borrow_mut();
                memory.reserve_pending = *pending;
                memory.append_pending = pending[0];
                memory.append_failure = fails[0].then_some(StoreError::Full);
                memory.outcome_failure = fails[1].then_some(StoreError::Device);
                memory.reserve_failure = [fails[2].then_some(StoreError::Device); 3];
            }
        }
        self.hear();
    }

    fn say(&mut self, phase: u8, draft: AlertDraft) {
        let (node, now) = (&mut self.pair.node, self.pair.now);
        let submission = match phase {
            0..=2 => node.raise(now, draft),
            3 => node.update(now, draft),
            4 => node.cancel(now, draft),
            _ => node.clear(now, draft),
        };
        match submission {
            Submission::Queued { handle, .. } => assert!(self.open.insert(handle), "a handle comes back"),
            Submission::Merged { into } => drop(self.open.insert(into)),
            Submission::Duplicate { of } => assert!(self.open.contains(&of), "a duplicate of nothing"),
            _ => {}
        }
    }

    /// Everything that ends ends once, and what has not ended is there.
    fn hear(&mut self) {
        while let Some(event) = self.pair.node.poll_event() {
            match event {
                NodeEvent::Settled { handle, .. } => {
                    assert!(self.open.remove(&handle) || self.pair.node.events_lost() > 0, "ended twice");
                }
                NodeEvent::Recovered { handle, .. } => assert!(self.open.insert(handle)),
                _ => {}
            }
        }
        assert!(self.pair.node.is_balanced());
        if self.pair.node.events_lost() == 0 {
            assert_eq!(self.open.len(), self.pair.node.resident());
        }
    }

    /// No counter twice, no number for two contents, and nothing refers to what was never sent.
    fn check(&mut self, bytes: &[u8]) {
        assert!(self.headers.insert(bytes[..8].to_vec()), "a counter was used twice");
        let sealed = packet::parse(bytes, LINK.tag).unwrap();
        let header = *sealed.header();
        if header.class != Class::Alert {
            return;
        }
        let mut body = [0; BODY_LEN_MAX];
        let keys = LinkKeys::new(&node_key(), Epoch(1));
        let body = sealed.open(keys.key(Direction::Up, header.exercise), &mut body).unwrap();
        let (seq, content) = split_body(body).unwrap();
        let alert = Alert::decode(content).unwrap();
        let flash = header.precedence == Precedence::Flash;
        let (boot, before) = *self.said.entry((header.exercise, flash, seq)).or_insert((self.boots, alert));
        let grows = matches!(alert.body, Body::Summary(_)) && boot != self.boots;
        assert!(before == alert || grows, "{seq:?}: {before:?}, then {alert:?}");
        let named = match alert.reference {
            Some(Reference::Back(back)) => Some((flash, Seq::new(seq.number() - back).unwrap())),
            Some(Reference::Other(other)) => Some((!flash, other)),
            _ => None,
        };
        if let (Some((flash, onset)), false) = (named, matches!(alert.body, Body::Summary(_))) {
            let (_, onset) = self.said.get(&(header.exercise, flash, onset)).expect("it was sent before");
            assert_eq!(onset.phase, Phase::Onset);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 400, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn a_node_is_consistent_whatever_happens(acts in prop::collection::vec(act(), 1..300)) {
        let mut life = Life::new();
        life.hear();
        for act in &acts {
            life.act(act);
        }
        // What ails stops; then all there is goes out and ends.
        life.act(&Act::Ail { pending: [0; 3], fails: [false; 3] });
        for _ in 0..40 {
            life.pair.exchange_what_is_fresh();
            life.act(&Act::Sleep { ms: 60_000 });
        }
        prop_assert_eq!(life.pair.node.resident(), 0);
        prop_assert!(life.memory.borrow().open.is_empty());
    }

    /// Nobody calls `handle_timeout` but when `poll_timeout` says so. It is enough, and it is not too often.
    #[test]
    fn a_node_that_sleeps_until_it_is_due_misses_nothing_and_wakes_seldom(
        drafts in prop::collection::vec((0_u8..6, draft(), 0_u32..600_000), 1..40),
        links in prop::sample::subsequence(vec![0_u8, 1, 2], 1..=3),
        fails in any::<[bool; 3]>(),
        deaf in any::<bool>(),
    ) {
        let mut life = Life::new();
        life.act(&Act::Ail { pending: [2; 3], fails });
        let mut wakes = 0_u64;
        let mut drafts = drafts.into_iter();
        let mut next = drafts.next();
        let mut from = Instant::START;
        let hours = 4;
        while life.pair.now < Instant::from_millis(hours * 3_600_000) {
            if life.pair.now >= Instant::from_millis(hours * 1_800_000) {
                life.act(&Act::Ail { pending: [0; 3], fails: [false; 3] });
            }
            for &link in links.iter().cycle().take(12 * links.len()) {
                life.act(&Act::Poll { link, arrives: !deaf });
            }
            life.act(&Act::Answer { arrives: true });
            let due = life.pair.node.poll_timeout().expect("there is always a report to come");
            let said_at = next.map_or(due, |(_, _, wait)| from.after(Duration::from_millis(wait)));
            life.pair.now = due.min(said_at).max(life.pair.now);
            match next {
                Some((phase, draft, _)) if said_at <= life.pair.now => {
                    life.say(phase, draft);
                    from = life.pair.now;
                    next = drafts.next();
                }
                _ => {
                    life.pair.node.handle_timeout(life.pair.now);
                    wakes += 1;
                }
            }
            life.hear();
            prop_assert!(wakes < hours * 3_600 * 2, "a busy loop at {}", life.pair.now);
        }
        if !deaf {
            prop_assert_eq!(life.pair.node.resident(), 0);
            prop_assert!(life.memory.borrow().open.is_empty());
        }
        // A failing store is asked each second, a retry of one alert comes each 20 s to 60 s.
        prop_assert!(wakes < hours * 3_600 + 12_000, "{wakes} wake-ups in {hours} hours");
    }
}
