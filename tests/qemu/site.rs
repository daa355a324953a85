//! A station in QEMU, the gateway it talks to, and the bench that tells a node what it sees.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;
use std::time::{Duration, Instant as Clock};

use alertbus::driver::bench::Stimulus;
use alertbus::limits::{FRAME_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::role::gateway::ReceivedAlert;
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::{self, Class};
use alertbus_tests::firmware::{BOARDS, Board};
use sha2::{Digest, Sha256};

use crate::baud;
use crate::debugger::Debugger;
use crate::desk::{self, Desk};
use crate::plug::{self, LIMIT, Plug};

/// A line that loses some frames loses no more than these one after the other.
const LOST_IN_A_ROW_MAX: u8 = 4;

/// A gateway, which lives through it all, and the folder that is its station's flash.
pub(crate) struct Site {
    board: &'static Board,
    image: PathBuf,
    folder: PathBuf,
    plug: Option<Plug>,
    deframer: StreamDeframer,
    pub(crate) desk: Desk,
    /// What a test does, and what the line loses, each by a chance of its own: how many frames there are is a matter of
    /// time, and must not change what a test does.
    draws: Draws,
    losses: Draws,
    lost_in_a_row: [u8; 2],
    /// Of a hundred frames on the uplink, in each direction, so many are lost.
    pub(crate) loss_percent: u64,
    /// The uplink's speed at the station and at the gateway, where they are not the same: then neither understands.
    pub(crate) speeds: Option<[u32; 2]>,
    /// The gateway neither hears nor speaks.
    pub(crate) is_gateway_dead: bool,
    /// Reports that it did not hear.
    pub(crate) reports_missed: u32,
    /// Numbers of the live Flash alerts that the node has called durable.
    pub(crate) durable: BTreeSet<u32>,
    /// What was no frame on the uplink, as is the rest of one in whose midst a node fails.
    pub(crate) noise: u32,
    /// What the station has told in other lines.
    pub(crate) told: Vec<String>,
    /// What the gateway has sent down the line, lost or not.
    pub(crate) said: Vec<Vec<u8>>,
    /// Of what the station has sent in this start, lost or not.
    sent: Sha256,
    packets: u32,
}

/// What runs on the board, built to tell what it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Program {
    Node,
    /// The same node with an asynchronous main loop.
    NodeEmbassy,
    Siren,
    /// A node as it is flashed, but for the length of its milliseconds; it tells nothing.
    StillNode,
}

impl Program {
    /// Built once.
    pub(crate) fn image(self) -> &'static Path {
        static IMAGES: OnceLock<[PathBuf; 4]> = OnceLock::new();
        let images = IMAGES.get_or_init(|| {
            let one = |features: &[&str], program| board().build(features, &[program]).remove(0);
            [
                one(&["witness"], "node"),
                one(&["witness", "embassy"], "node-embassy"),
                one(&["witness"], "siren"),
                one(&["slow-clock"], "node"),
            ]
        });
        &images[self as usize]
    }
}

/// The board on which a station runs here.
fn board() -> &'static Board {
    &BOARDS[0]
}

impl Site {
    /// A node that was just provisioned, and is still without power.
    pub(crate) fn new(name: &str, seed: u64) -> Self {
        Self::with(Program::Node, name, seed)
    }

    /// As [`Site::new`], with this program on the board.
    pub(crate) fn with(program: Program, name: &str, seed: u64) -> Self {
        Self::on(board(), program.image(), &format!("{program:?}-{name}"), seed)
    }

    /// As [`Site::new`], with this image on this board.
    pub(crate) fn on(board: &'static Board, image: &Path, name: &str, seed: u64) -> Self {
        let folder = new_folder(name, desk::blob().encode().unwrap().expose());
        Self {
            board,
            image: image.to_path_buf(),
            folder,
            plug: None,
            deframer: StreamDeframer::new(),
            desk: Desk::new(),
            draws: Draws(seed),
            losses: Draws(!seed),
            lost_in_a_row: [0; 2],
            loss_percent: 0,
            speeds: None,
            is_gateway_dead: false,
            reports_missed: 0,
            durable: BTreeSet::new(),
            noise: 0,
            told: Vec::new(),
            said: Vec::new(),
            sent: Sha256::new(),
            packets: 0,
        }
    }

    /// Erases a part of the node's flash, while it has no power.
    pub(crate) fn erase(&mut self, from: usize, len: usize) {
        assert!(self.plug.is_none());
        let path = self.folder.join("flash.bin");
        let mut bytes = fs::read(&path).unwrap();
        bytes.resize(bytes.len().max(from + len), 0xff);
        bytes[from..from + len].fill(0xff);
        fs::write(path, bytes).unwrap();
    }

    /// The node's flash cannot be read from now on. It has no power.
    pub(crate) fn break_flash(&mut self) {
        assert!(self.plug.is_none());
        fs::rename(self.folder.join("flash.bin"), self.folder.join("kept.bin")).unwrap();
        // A way that leads to itself: nobody can open it, nor make a file in its place.
        std::os::unix::fs::symlink("flash.bin", self.folder.join("flash.bin")).unwrap();
    }

    /// It can be read again, as it was, at once.
    pub(crate) fn mend_flash(&mut self) {
        fs::rename(self.folder.join("kept.bin"), self.folder.join("flash.bin")).unwrap();
    }

    /// Gives the node power. It has none already.
    pub(crate) fn power_on(&mut self) {
        self.start(&[]);
    }

    /// As [`Site::power_on`], with a debugger at its processor.
    pub(crate) fn power_on_with_debugger(&mut self) -> Debugger {
        self.start_with_debugger(&[])
    }

    /// As [`Site::power_on_with_debugger`]; `more` goes to QEMU.
    pub(crate) fn start_with_debugger(&mut self, more: &[String]) -> Debugger {
        let (listener, arguments) = Debugger::listen();
        self.start(&[&arguments, more].concat());
        Debugger::new(plug::accept(&listener, &self.plug.as_ref().unwrap().guest))
    }

    /// As [`Site::power_on`]; `more` goes to QEMU.
    pub(crate) fn start(&mut self, more: &[String]) {
        self.plug_in(Plug::start(self.board, &self.image, &self.folder, more));
    }

    /// As [`Site::power_on`], with a cut uplink.
    pub(crate) fn power_on_cut(&mut self) {
        self.plug_in(Plug::start_cut(self.board, &self.image, &self.folder, &[]));
    }

    /// Cuts the uplink of a station that was started with it cut.
    pub(crate) fn cut(&mut self) {
        self.plug.as_mut().unwrap().first.cut();
    }

    /// Joins it again.
    pub(crate) fn join(&mut self) {
        let plug = self.plug.as_mut().unwrap();
        plug.first.join(&plug.guest);
    }

    fn plug_in(&mut self, plug: Plug) {
        assert!(self.plug.is_none());
        self.plug = Some(plug);
        self.deframer = StreamDeframer::new();
        (self.sent, self.packets) = (Sha256::new(), 0);
    }

    /// Takes its power away, in the midst of whatever it does.
    pub(crate) fn power_off(&mut self) {
        let plug = self.plug.take().unwrap();
        let told = plug.guest.kill();
        self.note(told);
    }

    /// Tells the node something over its bench.
    pub(crate) fn stimulate(&mut self, stimulus: &Stimulus) {
        let mut room = [0; FRAME_LEN_MAX];
        let frame = frame::encode(stimulus.encode(&mut [0; STIMULUS_LEN_MAX]), &mut room).unwrap();
        if self.board.is_whole {
            self.plug.as_mut().unwrap().second.write(frame);
        } else {
            // It has no second line, but a file in its place.
            let mut file = OpenOptions::new().append(true).open(self.folder.join("bench.bin")).unwrap();
            file.write_all(frame).unwrap();
        }
    }

    /// Writes any bytes to the station's end of the uplink, or of the bench.
    pub(crate) fn babble(&mut self, on_bench: bool, bytes: &[u8]) {
        let plug = self.plug.as_mut().unwrap();
        let line = if on_bench { &mut plug.second } else { &mut plug.first };
        line.write(bytes);
    }

    /// Says a packet that the gateway has said before, once more.
    pub(crate) fn replay(&mut self, packet: &[u8]) {
        self.plug.as_mut().unwrap().first.send(packet);
    }

    /// Lets the node and the gateway go on until `is_enough`, which comes within the limit or is a failure.
    pub(crate) fn until(&mut self, what: &str, is_enough: impl Fn(&Self) -> bool) {
        let begun = Clock::now();
        while !is_enough(self) {
            assert!(
                begun.elapsed() < LIMIT,
                "{what}: not within {} s; {} delivered, told: {:?}",
                LIMIT.as_secs(),
                self.desk.delivered.len(),
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
        let has_ended = self.plug.as_mut().is_none_or(|plug| plug.guest.has_ended());
        if has_ended && self.plug.is_some() {
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
        self.desk.delivered.iter().filter(flash).map(|alert| alert.id.seq.number()).collect()
    }

    /// What has come in, and what is to go out.
    fn turn(&mut self) {
        let Some(mut plug) = self.plug.take() else { return };
        for byte in self.over_the_line(plug.first.read(), true) {
            let packet = match self.deframer.feed(byte) {
                Some(Fed::Packet(packet)) => packet.to_vec(),
                Some(Fed::Noise(_)) => {
                    self.noise += 1;
                    continue;
                }
                None => continue,
            };
            self.sent.update(&packet);
            self.packets += 1;
            self.desk.overhear(&packet);
            if self.is_gateway_dead {
                let header = *packet::parse(&packet, TagLength::Long).unwrap().header();
                self.reports_missed += u32::from(header.class == Class::Report);
            } else if !self.loses(true) {
                self.desk.hear(&packet);
            }
        }
        while let Some(packet) = self.desk.say().filter(|_| !self.is_gateway_dead) {
            if !self.loses(false) {
                let mut room = [0; FRAME_LEN_MAX];
                let frame = frame::encode(&packet, &mut room).unwrap();
                let bytes = self.over_the_line(frame.to_vec(), false);
                plug.first.write(&bytes);
            }
            self.said.push(packet);
        }
        let told = plug.guest.told();
        self.plug = Some(plug);
        self.note(told);
    }

    /// What arrives of these bytes.
    fn over_the_line(&self, bytes: Vec<u8>, is_up: bool) -> Vec<u8> {
        match self.speeds {
            None => bytes,
            Some([station, gateway]) if is_up => baud::misread(&bytes, station, gateway),
            Some([station, gateway]) => baud::misread(&bytes, gateway, station),
        }
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

    /// Whether the line loses the next frame, up or down. One that loses some loses no five in a row: what has to
    /// arrive does, in a time that a test can wait for.
    fn loses(&mut self, is_up: bool) -> bool {
        let in_a_row = &mut self.lost_in_a_row[usize::from(is_up)];
        let is_bounded = self.loss_percent < 100 && *in_a_row == LOST_IN_A_ROW_MAX;
        let is_lost = self.losses.below(100) < self.loss_percent && !is_bounded;
        *in_a_row = if is_lost { *in_a_row + 1 } else { 0 };
        is_lost
    }

    /// One of `0..below`, the same in each run.
    pub(crate) fn draw(&mut self, below: u64) -> u64 {
        self.draws.below(below)
    }
}

/// An empty folder, in which `flash` is all that a board's flash holds.
pub(crate) fn new_folder(name: &str, flash: &[u8]) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("qemu-{name}"));
    // One of an earlier run may be there, or not.
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(&folder).unwrap();
    fs::write(folder.join("flash.bin"), flash).unwrap();
    fs::write(folder.join("bench.bin"), []).unwrap();
    folder
}

/// Numbers that look like chance (SplitMix64, Steele and others 2014).
pub(crate) struct Draws(pub(crate) u64);

impl Draws {
    pub(crate) fn below(&mut self, below: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        (mixed ^ (mixed >> 31)) % below
    }
}
