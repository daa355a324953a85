//! A node in QEMU, the gateway it talks to, and the bench that tells it what it sees.

use std::collections::BTreeSet;
use std::fs;
use std::io::{ErrorKind, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::thread;
use std::time::{Duration, Instant as Clock};

use alertbus::driver::bench::Stimulus;
use alertbus::limits::{FRAME_LEN_MAX, PACKET_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::message::{Epoch, Heartbeat};
use alertbus::provision::Blob;
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, ReceivedAlert};
use alertbus::time::Instant;
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::wire::packet;
use alertbus::{AlertId, NodeId};
use alertbus_tests::firmware::{BOARDS, Board};
use sha2::{Digest, Sha256};

use crate::debugger::Debugger;
use crate::guest::Guest;

/// For everything that is waited for here; each takes a second or so.
const LIMIT: Duration = Duration::from_secs(60);

/// How long a line is listened to at a time.
const LOOK: Duration = Duration::from_millis(2);

const NODE: NodeId = NodeId(12);
const NETWORK: u32 = 7;
const EPOCH: Epoch = Epoch(1);

/// A gateway, which lives through it all, and the folder that is its node's flash.
pub(crate) struct Site {
    folder: PathBuf,
    program: &'static str,
    node: Option<Node>,
    gateway: Gateway<1>,
    link: Link,
    begun: Clock,
    down_counter: u32,
    /// What a test does, and what the line loses, each by a chance of its own: how many frames there are is a matter of
    /// time, and must not change what a test does.
    draws: Draws,
    losses: Draws,
    /// Of a hundred frames on the uplink, in each direction, so many are lost.
    pub(crate) loss_percent: u64,
    /// What the gateway handed out, and its host stored.
    pub(crate) delivered: Vec<ReceivedAlert>,
    /// Numbers of the live Flash alerts that the node has called durable.
    pub(crate) durable: BTreeSet<u32>,
    pub(crate) reports: Vec<Heartbeat>,
    /// What was no frame on the uplink, as is the rest of one in whose midst a node fails.
    pub(crate) noise: u32,
    /// What the node has told in other lines.
    pub(crate) told: Vec<String>,
    /// Counters of all packets that it has ever sent.
    counters: BTreeSet<(u8, u32)>,
    /// Of what it has sent in this start, lost or not.
    sent: Sha256,
    packets: u32,
}

/// A guest with its two lines.
struct Node {
    guest: Guest,
    uplink: TcpStream,
    bench: TcpStream,
    deframer: StreamDeframer,
}

/// The board on which a node runs here.
fn board() -> &'static Board {
    &BOARDS[0]
}

/// The image of a node that tells what it does, with the main loop of this name; each is built once.
fn image(program: &'static str) -> &'static Path {
    static IMAGES: OnceLock<[PathBuf; 2]> = OnceLock::new();
    let images = IMAGES.get_or_init(|| {
        let one = |features: &[&str], program| board().build(features, &[program]).remove(0);
        [one(&["witness"], "node"), one(&["witness", "embassy"], "node-embassy")]
    });
    let is_it = |image: &&PathBuf| image.file_stem().is_some_and(|stem| stem == program);
    images.iter().find(is_it).unwrap()
}

impl Site {
    /// A node that was just provisioned, and is still without power.
    pub(crate) fn new(program: &'static str, name: &str, seed: u64) -> Self {
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("qemu-{program}-{name}"));
        // One of an earlier run may be there, or not.
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        let key = || MasterKey::from_bytes([7; 16]).node_key(NETWORK, NODE);
        let blob =
            Blob { network: NETWORK, node: NODE, key: key(), epoch: EPOCH, flash_seq: 1, other_seq: 1 };
        fs::write(folder.join("flash.bin"), blob.encode().unwrap().expose()).unwrap();
        let mut gateway = Gateway::new();
        let peer = PeerConfig {
            node: NODE,
            key: key(),
            epoch: EPOCH,
            gateway: 0,
            down: DownSpan::EMPTY,
            exercise: false,
            answers_reports: true,
            state: Some(PeerState::new(EPOCH)),
            seed,
        };
        gateway.add(Instant::START, peer).unwrap();
        Self {
            folder,
            program,
            node: None,
            gateway,
            link: Link::stream(0),
            begun: Clock::now(),
            down_counter: 1,
            draws: Draws(seed),
            losses: Draws(!seed),
            loss_percent: 0,
            delivered: Vec::new(),
            durable: BTreeSet::new(),
            reports: Vec::new(),
            noise: 0,
            told: Vec::new(),
            counters: BTreeSet::new(),
            sent: Sha256::new(),
            packets: 0,
        }
    }

    /// Erases a part of the node's flash, while it has no power.
    pub(crate) fn erase(&mut self, from: usize, len: usize) {
        assert!(self.node.is_none());
        let path = self.folder.join("flash.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes.resize(bytes.len().max(from + len), 0xff);
        bytes[from..from + len].fill(0xff);
        fs::write(path, bytes).unwrap();
    }

    /// Gives the node power. It has none already.
    pub(crate) fn power_on(&mut self) {
        self.start(&[]);
    }

    /// As [`Site::power_on`], with a debugger at its processor.
    pub(crate) fn power_on_with_debugger(&mut self) -> Debugger {
        let listener = listen();
        let port = listener.local_addr().unwrap().port();
        let line = format!("socket,id=debugger,host=127.0.0.1,port={port}");
        self.start(&["-chardev".into(), line, "-gdb".into(), "chardev:debugger".into()]);
        let mut debugger = Debugger::new(accept(&listener, &self.node.as_ref().unwrap().guest));
        debugger.go_on();
        debugger
    }

    fn start(&mut self, more: &[String]) {
        assert!(self.node.is_none());
        let [uplink, bench] = [listen(), listen()];
        let serial = |listener: &TcpListener| {
            ["-serial".to_string(), format!("tcp:{},nodelay=on", listener.local_addr().unwrap())]
        };
        let semihosting = ["-semihosting-config".to_string(), "enable=on,target=native".to_string()];
        let arguments = [&serial(&uplink)[..], &serial(&bench), &semihosting, more].concat();
        let guest = Guest::start(board(), image(self.program), &self.folder, &arguments);
        let [uplink, bench] = [uplink, bench].map(|listener| accept(&listener, &guest));
        self.node = Some(Node { guest, uplink, bench, deframer: StreamDeframer::new() });
        (self.sent, self.packets) = (Sha256::new(), 0);
    }

    /// Takes its power away, in the midst of whatever it does.
    pub(crate) fn power_off(&mut self) {
        let node = self.node.take().unwrap();
        let told = node.guest.kill();
        self.note(told);
    }

    /// Tells the node something over its bench.
    pub(crate) fn stimulate(&mut self, stimulus: &Stimulus) {
        let mut line = [0; FRAME_LEN_MAX];
        let frame = frame::encode(stimulus.encode(&mut [0; STIMULUS_LEN_MAX]), &mut line).unwrap();
        // A node whose power has just failed hears nothing, and that is no fault here.
        let _ = self.node.as_mut().unwrap().bench.write_all(frame);
    }

    /// Writes any bytes to the node's end of the uplink, or of the bench.
    pub(crate) fn babble(&mut self, on_bench: bool, bytes: &[u8]) {
        let node = self.node.as_mut().unwrap();
        let line = if on_bench { &mut node.bench } else { &mut node.uplink };
        line.write_all(bytes).unwrap();
    }

    /// Lets the node and the gateway go on until `is_enough`, which comes within the limit or is a failure.
    pub(crate) fn until(&mut self, what: &str, is_enough: impl Fn(&Self) -> bool) {
        let begun = Clock::now();
        while !is_enough(self) {
            assert!(
                begun.elapsed() < LIMIT,
                "{what}: not within {} s; {} delivered, told: {:?}",
                LIMIT.as_secs(),
                self.delivered.len(),
                self.told
            );
            self.turn();
        }
    }

    /// Lets them go on for `time`.
    pub(crate) fn go_on(&mut self, time: Duration) {
        let begun = Clock::now();
        while begun.elapsed() < time {
            self.turn();
        }
    }

    /// Whether the node is still running. One whose power has failed by itself is taken away.
    pub(crate) fn has_power(&mut self) -> bool {
        let has_ended = self.node.as_mut().is_none_or(|node| node.guest.has_ended());
        if has_ended && self.node.is_some() {
            self.turn();
            self.power_off();
        }
        !has_ended
    }

    /// Whether the node has said nothing at all in this start.
    pub(crate) const fn is_silent(&self) -> bool {
        self.packets == 0
    }

    /// How many packets the node has sent in this start, and the hash of all of them, in the words of its own line.
    pub(crate) fn sent(&self) -> String {
        let hash: String = self.sent.clone().finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        format!("node: {} packets sent, sha256 {hash}", self.packets)
    }

    /// Live Flash alerts that were delivered, by number.
    pub(crate) fn flash_delivered(&self) -> BTreeSet<u32> {
        let flash = |alert: &&ReceivedAlert| alert.id.flash && !alert.id.exercise;
        self.delivered.iter().filter(flash).map(|alert| alert.id.seq.number()).collect()
    }

    /// What has come in, and what is to go out.
    fn turn(&mut self) {
        let Some(mut node) = self.node.take() else { return };
        let mut bytes = [0; 512];
        // A line that a dying node closes has no bytes any more; what was in it has been read by then.
        let len = node.uplink.read(&mut bytes).unwrap_or(0);
        for byte in &bytes[..len] {
            if let Some(fed) = node.deframer.feed(*byte) {
                match fed {
                    Fed::Packet(packet) => self.hear(packet),
                    Fed::Noise(_) => self.noise += 1,
                }
            }
        }
        let now = self.now();
        self.gateway.handle_timeout(now);
        while let Some((id, epoch)) = self.gateway.poll_down_request() {
            let first = self.down_counter;
            self.down_counter += 64;
            assert!(self.gateway.grant_down(id, epoch, DownSpan { first, end: first + 64 }));
        }
        let mut packet = [0; PACKET_LEN_MAX];
        while let Some(transmit) = self.gateway.poll_transmit(now, &self.link, &mut packet) {
            let mut line = [0; FRAME_LEN_MAX];
            let frame = frame::encode(transmit.packet, &mut line).unwrap();
            if !self.loses() {
                // As above: whoever has no power hears nothing.
                let _ = node.uplink.write_all(frame);
            }
        }
        let told = node.guest.told();
        self.node = Some(node);
        self.note(told);
    }

    /// A packet of the node's, which the line may lose.
    fn hear(&mut self, bytes: &[u8]) {
        self.sent.update(bytes);
        self.packets += 1;
        let header = *packet::parse(bytes, self.link.tag).unwrap().header();
        let is_new = self.counters.insert((header.epoch_low, header.counter));
        assert!(is_new, "counter {} is used a second time", header.counter);
        if self.loses() {
            return;
        }
        let now = self.now();
        match self.gateway.handle_packet(now, &self.link, bytes) {
            GatewayEvent::Alert(alert) => {
                assert!(self.gateway.stored(alert.id));
                assert!(!self.is_delivered(alert.id), "{} is delivered a second time", alert.id);
                self.delivered.push(alert);
            }
            GatewayEvent::Report { heartbeat, .. } => self.reports.push(heartbeat),
            GatewayEvent::Duplicate(_) => {}
            other => panic!("{other:?}"),
        }
    }

    fn is_delivered(&self, id: AlertId) -> bool {
        self.delivered.iter().any(|alert| alert.id == id)
    }

    fn note(&mut self, told: Vec<String>) {
        for line in told {
            let durable = line.strip_prefix("node: flash ").and_then(|rest| rest.strip_suffix(" is durable"));
            match durable {
                Some(seq) => {
                    self.durable.insert(seq.parse().unwrap());
                }
                None => self.told.push(line),
            }
        }
    }

    fn loses(&mut self) -> bool {
        self.losses.below(100) < self.loss_percent
    }

    /// One of `0..below`, the same in each run.
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.draws.below(below)
    }

    fn now(&self) -> Instant {
        Instant::from_millis(u64::try_from(self.begun.elapsed().as_millis()).unwrap())
    }
}

/// Numbers that look like chance (SplitMix64, Steele and others 2014).
struct Draws(u64);

impl Draws {
    fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}

fn listen() -> TcpListener {
    TcpListener::bind("127.0.0.1:0").unwrap()
}

/// Waits for the guest's end of a line.
fn accept(listener: &TcpListener, guest: &Guest) -> TcpStream {
    listener.set_nonblocking(true).unwrap();
    let begun = Clock::now();
    loop {
        match listener.accept() {
            Ok((stream, _)) => {
                stream.set_nonblocking(false).unwrap();
                stream.set_nodelay(true).unwrap();
                stream.set_read_timeout(Some(LOOK)).unwrap();
                return stream;
            }
            Err(error) if error.kind() == ErrorKind::WouldBlock && begun.elapsed() < LIMIT => {
                thread::sleep(LOOK);
            }
            Err(error) => panic!("the guest opens no line: {error}; {:?}", guest.told()),
        }
    }
}
