//! A relay in QEMU between a gateway and a node here.

use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant as Clock};

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{Body, Epoch, ResetCause};
use alertbus::role::node::{Node, NodeConfig, Submission};
use alertbus::store::Volatile;
use alertbus::time::Instant;
use alertbus::wire::frame::{Fed, StreamDeframer};
use alertbus::wire::link::Link;
use alertbus::{AlertDraft, SiteId};
use alertbus_tests::firmware::{BOARDS, Board};

use crate::desk::{self, Desk, NODE};
use crate::plug::{LIMIT, Plug};
use crate::site::{Draws, new_folder};

fn board() -> &'static Board {
    &BOARDS[0]
}

fn image() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| board().build(&[], &["relay"]).remove(0))
}

/// A gateway and a node, which live through it all, and a relay between them.
struct Chain {
    folder: PathBuf,
    plug: Option<Plug>,
    desk: Desk,
    node: Node<Volatile, 64>,
    link: Link,
    begun: Clock,
    /// At the gateway's end and at the node's.
    deframers: [StreamDeframer; 2],
    losses: Draws,
    /// Of a hundred frames, on either line and each way, so many are lost.
    loss_percent: u64,
    told: Vec<String>,
}

impl Chain {
    /// All but the relay, which has this flash.
    fn new(name: &str, flash: &[u8]) -> Self {
        let config = NodeConfig { node: NODE, key: desk::key(), reset_cause: ResetCause::PowerOn, seed: 1 };
        Self {
            folder: new_folder(name, flash),
            plug: None,
            desk: Desk::new(),
            node: Node::start(config, Volatile::new(Epoch(1), 1), Instant::START),
            link: Link::stream(0),
            begun: Clock::now(),
            deframers: [StreamDeframer::new(), StreamDeframer::new()],
            losses: Draws(21),
            loss_percent: 0,
            told: Vec::new(),
        }
    }

    fn power_on(&mut self) {
        self.plug = Some(Plug::start(board(), image(), &self.folder, &[]));
        self.deframers = [StreamDeframer::new(), StreamDeframer::new()];
    }

    fn power_off(&mut self) {
        self.told.extend(self.plug.take().unwrap().guest.kill());
    }

    fn raise(&mut self, body: impl Into<Body>) {
        let submission = self.node.raise(self.now(), AlertDraft::new(body));
        assert!(matches!(submission, Submission::Queued { .. }), "{submission:?}");
    }

    fn until(&mut self, what: &str, is_enough: impl Fn(&Self) -> bool) {
        let begun = Clock::now();
        while !is_enough(self) {
            let delivered = self.desk.delivered.len();
            assert!(begun.elapsed() < LIMIT, "{what}: {delivered} delivered, told: {:?}", self.told);
            self.turn();
        }
    }

    fn go_on(&mut self, time: Duration) {
        let begun = Clock::now();
        while begun.elapsed() < time {
            self.turn();
        }
    }

    /// Moves what there is. Without a relay what is said goes nowhere.
    fn turn(&mut self) {
        let now = self.now();
        self.node.handle_timeout(now);
        while self.node.poll_event().is_some() {}
        let mut plug = self.plug.take();
        let mut room = [0; PACKET_LEN_MAX];
        while let Some(packet) = self.node.poll_transmit(now, &self.link, &mut room) {
            self.desk.overhear(packet);
            if let Some(plug) = plug.as_mut().filter(|_| self.losses.below(100) >= self.loss_percent) {
                plug.second.send(packet);
            }
        }
        while let Some(packet) = self.desk.say() {
            if let Some(plug) = plug.as_mut().filter(|_| self.losses.below(100) >= self.loss_percent) {
                plug.first.send(&packet);
            }
        }
        if let Some(plug) = &mut plug {
            for packet in packets(&mut self.deframers[0], &plug.first.read()) {
                if self.losses.below(100) >= self.loss_percent {
                    self.desk.hear(&packet);
                }
            }
            for packet in packets(&mut self.deframers[1], &plug.second.read()) {
                if self.losses.below(100) >= self.loss_percent {
                    self.node.handle_packet(now, &self.link, &packet).unwrap();
                }
            }
            self.told.extend(plug.guest.told());
        }
        self.plug = plug;
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap())
    }
}

/// The packets that these bytes complete. The relay makes no noise.
fn packets(deframer: &mut StreamDeframer, bytes: &[u8]) -> Vec<Vec<u8>> {
    let packet = |byte: &u8| match deframer.feed(*byte)? {
        Fed::Packet(packet) => Some(packet.to_vec()),
        Fed::Noise(noise) => panic!("{noise:?}"),
    };
    bytes.iter().filter_map(packet).collect()
}

fn launch(number: u16) -> RocketLaunch {
    RocketLaunch { impact_site: SiteId(number), ..RocketLaunch::default() }
}

#[test]
fn a_relay_carries_every_alert_once_over_lines_that_lose_frames() {
    let mut chain = Chain::new("relay", &[7; 16]);
    chain.loss_percent = 20;
    chain.power_on();
    for number in 1..=15 {
        chain.raise(launch(number));
        chain.raise(DroneSighting::default());
        chain.go_on(Duration::from_millis(20));
    }
    chain.until("thirty alerts", |chain| chain.desk.delivered.len() == 30);
    chain.until("thirty acknowledgements", |chain| chain.node.resident() == 0);
    assert!(chain.told.is_empty(), "{:?}", chain.told);
}

#[test]
fn a_relay_that_loses_its_power_loses_no_alert() {
    let mut chain = Chain::new("relay-cuts", &[7; 16]);
    let mut number = 0;
    for _ in 0..5 {
        chain.power_on();
        for _ in 0..4 {
            number += 1;
            chain.raise(launch(number));
            chain.go_on(Duration::from_millis(15));
        }
        chain.power_off();
        // Said to nobody.
        number += 1;
        chain.raise(launch(number));
        chain.go_on(Duration::from_millis(50));
    }
    chain.power_on();
    chain.until("all alerts", |chain| chain.desk.delivered.len() == usize::from(number));
    chain.until("all acknowledgements", |chain| chain.node.resident() == 0);
}

#[test]
fn a_relay_sends_nothing_back_and_repeats_nothing() {
    let mut chain = Chain::new("relay-echo", &[7; 16]);
    chain.power_on();
    chain.raise(launch(1));
    let mut room = [0; PACKET_LEN_MAX];
    let packet = chain.node.poll_transmit(chain.now(), &chain.link, &mut room).unwrap().to_vec();
    let heard = |chain: &mut Chain, from: usize| {
        let plug = chain.plug.as_mut().unwrap();
        let line = if from == 0 { &mut plug.first } else { &mut plug.second };
        packets(&mut chain.deframers[from], &line.read())
    };
    let say = |chain: &mut Chain, on: usize, packet: &[u8]| {
        let plug = chain.plug.as_mut().unwrap();
        let line = if on == 0 { &mut plug.first } else { &mut plug.second };
        line.send(packet);
    };
    // From the wrong side, then twice from the right one.
    say(&mut chain, 0, &packet);
    say(&mut chain, 1, &packet);
    let begun = Clock::now();
    let mut up = Vec::new();
    while up.is_empty() && begun.elapsed() < LIMIT {
        up.extend(heard(&mut chain, 0));
    }
    say(&mut chain, 1, &packet);
    for _ in 0..100 {
        up.extend(heard(&mut chain, 0));
        assert!(heard(&mut chain, 1).is_empty(), "it came back");
    }
    assert_eq!(up, [packet]);
}

#[test]
fn a_blob_whose_first_bytes_anybody_can_guess_is_no_seed() {
    let mut chain = Chain::new("relay-blob", desk::blob().encode().unwrap().expose());
    chain.power_on();
    let says = "relay: a node's blob is no seed: flash 16 random bytes in its place";
    chain.until(says, |chain| chain.told.iter().any(|line| line == says));
}

#[test]
fn a_board_without_a_seed_is_no_relay_and_says_so() {
    let mut chain = Chain::new("relay-blank", &[]);
    chain.power_on();
    chain.raise(launch(1));
    let says = "relay: it has no seed: flash 16 random bytes to the start of its first page";
    chain.until(says, |chain| chain.told.iter().any(|line| line == says));
    chain.go_on(Duration::from_millis(500));
    assert!(chain.desk.delivered.is_empty());
}
