//! `host-sim qemu` as a person runs it: a board in QEMU, its rig, and a live gateway with a disk.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::OnceLock;
use std::sync::mpsc::{Receiver, channel};
use std::thread;
use std::time::{Duration, Instant};

use alertbus::message::Body;
use alertbus_tests::firmware::BOARDS;
use host_sim::keyring::Keyring;
use host_sim::outbox::{Outbox, Owner, StoredAlert};
use serde_json::Value;

use crate::guest::Guest;

/// Whatever has not come by then never will.
pub(crate) const PATIENCE: Duration = Duration::from_secs(240);

/// How often something is looked at that says nothing by itself.
pub(crate) const LOOK: Duration = Duration::from_millis(5);

/// Alerts of the scenario `iraq-2019-2020` under seed 1, as its replay counts them.
pub(crate) const ALERTS: u64 = 132;

/// Moments at which a run is killed.
const KILLS: usize = 100;

/// The longest from a kill's first line to the kill; what a whole scenario takes is of that order.
const KILL_MS_MAX: u64 = 500;

pub(crate) fn image() -> &'static Path {
    static IMAGE: OnceLock<PathBuf> = OnceLock::new();
    IMAGE.get_or_init(|| BOARDS[0].build(&["defmt", "witness"], &["node"]).remove(0))
}

pub(crate) fn host_sim() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| alertbus_tests::host_sim_with_log().unwrap())
}

/// `host-sim qemu`, which is killed when this is dropped.
pub(crate) struct Joined {
    pub(crate) child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Value>,
    pub(crate) seen: Vec<Value>,
}

impl Joined {
    pub(crate) fn start(image: &Path, arguments: &str) -> Self {
        let mut command = Command::new(host_sim());
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOST_SIM_"))
        {
            command.env_remove(name);
        }
        command
            .args(["qemu", "--json"])
            .arg(image)
            .args(arguments.split(' ').filter(|word| !word.is_empty()));
        Self::spawn(command)
    }

    /// Another command of host-sim, in this folder.
    fn beside(folder: &Path, arguments: &str) -> Self {
        let mut command = Command::new(host_sim());
        command.args(arguments.split(' ')).current_dir(folder);
        Self::spawn(command)
    }

    fn spawn(mut command: Command) -> Self {
        let mut child =
            command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let other = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // One that was cut in the middle by a kill says nothing.
                if let Ok(value) = serde_json::from_str(&line) {
                    let _ = sender.send(value);
                }
            }
        });
        thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                let _ = other.send(Value::String(line));
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, seen: Vec::new() }
    }

    pub(crate) fn type_in(&mut self, line: &str) {
        writeln!(self.input.as_mut().unwrap(), "{line}").unwrap();
    }

    /// Waits for a line of this source with these words.
    pub(crate) fn until(&mut self, source: &str, words: &str) -> Value {
        self.until_field(source, "text", words)
    }

    /// Waits for an object of this type that has these words in this field.
    pub(crate) fn until_field(&mut self, source: &str, field: &str, words: &str) -> Value {
        loop {
            let Ok(line) = self.lines.recv_timeout(PATIENCE) else {
                panic!("{source} never said `{words}`; said:\n{}", self.transcript())
            };
            self.seen.push(line.clone());
            if line["type"] == source && line[field].as_str().is_some_and(|text| text.contains(words)) {
                return line;
            }
        }
    }

    /// Waits for its end: the exit code.
    pub(crate) fn end(&mut self) -> i32 {
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "still running; said:\n{}", self.transcript());
            thread::sleep(LOOK);
        }
    }

    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
    }

    pub(crate) fn of(&self, source: &str) -> impl Iterator<Item = &Value> {
        self.seen.iter().filter(move |line| line["type"] == source)
    }

    pub(crate) fn summary(&self) -> &Value {
        self.of("summary").next().unwrap_or_else(|| panic!("no summary; said:\n{}", self.transcript()))
    }

    /// Numbers of the live Flash alerts that the board has called durable.
    fn durable(&self) -> impl Iterator<Item = u32> {
        self.of("board").filter_map(|line| {
            let text = line["text"].as_str()?;
            text.strip_prefix("node: flash ")?.strip_suffix(" is durable")?.parse().ok()
        })
    }

    pub(crate) fn transcript(&self) -> String {
        let from = self.seen.len().saturating_sub(60);
        self.seen[from..].iter().map(|line| format!("{line}\n")).collect()
    }
}

impl Drop for Joined {
    fn drop(&mut self) {
        // One that has ended already cannot be ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A place for a store, where none is yet.
pub(crate) fn store(name: &str) -> PathBuf {
    let path = std::env::temp_dir().join(format!("alertbus-joined-{}-{name}", std::process::id()));
    let _ = fs::remove_dir_all(&path);
    path
}

/// Waits until nobody has a store any more: a killed run's QEMU goes with it.
fn until_free(store: &Path) {
    let begun = Instant::now();
    while File::open(store.join("lock")).is_ok_and(|lock| lock.try_lock().is_err()) {
        assert!(begun.elapsed() < PATIENCE, "the QEMU of a run that was killed goes on without it");
        thread::sleep(LOOK);
    }
}

/// What the gateway of a store has, where no run has it.
fn stored(store: &Path) -> Vec<StoredAlert> {
    let keyring = Keyring::open(&store.join("keys")).unwrap();
    let owner = Owner { gateway: 1, network: keyring.network(), master: keyring.fingerprint().to_owned() };
    let outbox = Outbox::open(&store.join("state"), &owner).unwrap();
    outbox.alerts(0, usize::MAX).unwrap().into_iter().map(|(_, alert)| alert).collect()
}

pub(crate) fn signal(name: &str, process: &str) {
    assert!(Command::new("kill").args([&format!("-{name}"), process]).status().unwrap().success());
}

/// The number of QEMU's process, by the line that tells it.
pub(crate) fn qemu_of(joined: &mut Joined) -> String {
    let line = joined.until("qemu", "process ");
    line["text"].as_str().unwrap().rsplit_once("process ").unwrap().1.to_owned()
}

#[test]
fn the_documented_incidents_are_delivered_and_both_ends_have_the_same_packets() {
    let mut joined = Joined::start(image(), "");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    let summary = joined.summary();
    for (field, count) in [("raised", ALERTS), ("delivered", ALERTS), ("twice", 0), ("lost", 0), ("other", 0)]
    {
        assert_eq!(summary[field], count, "{field}");
    }
    assert_eq!((&summary["equal"], &summary["guest_sha256"]), (&true.into(), &summary["gateway_sha256"]));
    assert!(summary["guest_packets"].as_u64().unwrap() > ALERTS);
    assert_eq!(joined.of("alert").count() as u64, ALERTS);
    assert!(joined.of("alert").all(|alert| alert["headline"].as_str().unwrap().starts_with("REPLAY ")));
    // The log is read, with its levels and the clock of the board.
    assert_eq!(summary["undecoded"], 0);
    let start = joined.of("log").next().unwrap();
    assert_eq!(
        (start["level"].as_str(), start["text"].as_str()),
        (Some("info"), Some("node 12 starts: PowerOn"))
    );
    let acked = joined.of("log").filter(|line| line["text"].as_str().unwrap().contains("outcome: Acked"));
    let clocks: Vec<f64> = acked.map(|line| line["guest"].as_str().unwrap().parse().unwrap()).collect();
    assert_eq!(clocks.len() as u64, ALERTS);
    assert!(clocks.is_sorted() && clocks[0] > 0.0);
}

#[test]
fn the_power_fails_in_a_replay_and_comes_back_and_nothing_is_lost() {
    let mut joined = Joined::start(image(), "");
    joined.type_in("cut 120");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    let boots: BTreeSet<u64> = joined.of("uplink").filter_map(|line| line["boot"].as_u64()).collect();
    assert_eq!(boots, [1, 2].into());
    let summary = joined.summary();
    assert_eq!((&summary["delivered"], &summary["twice"]), (&ALERTS.into(), &0.into()));
    assert_eq!(summary["equal"], true, "of what it has sent since it started again");
}

#[test]
fn killed_at_a_hundred_moments_it_goes_on_and_loses_and_repeats_nothing() {
    let store = store("kills");
    let arguments = format!("--store {}", store.display());
    let (mut moment, mut durable) = (7_u64, BTreeSet::new());
    for kill in 0..KILLS {
        let mut joined = Joined::start(image(), &arguments);
        let qemu = qemu_of(&mut joined);
        moment = moment.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis((moment >> 33) % KILL_MS_MAX));
        if kill % 2 == 0 {
            joined.kill();
        } else {
            // One whose scenario is over has ended by itself, and its QEMU too.
            let _ = Command::new("kill").args(["-KILL", &qemu]).stderr(Stdio::null()).status();
            assert!([0, 3].contains(&joined.end()), "{}", joined.transcript());
        }
        durable.extend(joined.durable());
        until_free(&store);
    }
    let mut joined = Joined::start(image(), &arguments);
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    let summary = joined.summary();
    assert_eq!((&summary["delivered"], &summary["twice"]), (&ALERTS.into(), &0.into()));

    let stored = stored(&store);
    let names: BTreeSet<String> = stored.iter().map(|alert| alert.id.to_string()).collect();
    assert_eq!(names.len(), stored.len(), "an alert is stored twice");
    let counters: BTreeSet<u32> = stored.iter().map(|alert| alert.counter).collect();
    assert_eq!(counters.len(), stored.len(), "a counter is used twice");
    let flash: BTreeSet<u32> =
        stored.iter().filter(|alert| alert.id.flash).map(|alert| alert.id.seq.number()).collect();
    assert!(durable.len() > 50 && durable.is_subset(&flash), "{durable:?} and {flash:?}");
    // A scenario that is over is played again: each alert has come once in each time. A summary is no alert of the
    // scenario: what a node had no room for it counts, and the rig has that seen again.
    let said = stored.iter().map(|alert| alert.alert().unwrap());
    let said: Vec<_> = said.filter(|said| !matches!(said.body, Body::Summary(_))).collect();
    assert_eq!(said.len() as u64 % ALERTS, 0, "{} alerts", said.len());
    let times = said.len() as u64 / ALERTS;
    let mut counts = BTreeMap::new();
    for alert in &said {
        *counts.entry(format!("{:?} {:?} {:?}", alert.body, alert.place, alert.severity)).or_insert(0) +=
            1_u64;
    }
    assert!(counts.values().all(|count| count % times == 0), "{times} times: {counts:?}");
    println!("{} alerts in {times} replays, {} of them durable in a killed run", stored.len(), durable.len());
    fs::remove_dir_all(&store).unwrap();
}

#[test]
fn a_rig_that_is_typed_to_ends_when_all_is_delivered() {
    let mut joined = Joined::start(image(), "--scenario none");
    joined.type_in("raise rocket-launch rounds=3\nnodes\nraise drone-sighting count=2");
    // The wire around the node breaks.
    joined.type_in("pin 1 high");
    joined.until_field("alert", "kind", "tamper");
    joined.type_in("quit");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    let kinds: BTreeSet<&str> = joined.of("alert").map(|alert| alert["kind"].as_str().unwrap()).collect();
    assert_eq!(kinds, ["drone-sighting", "rocket-launch", "tamper"].into());
    assert_eq!(joined.summary()["other"], 1, "what a pin shows is not the rig's word");
    assert!(joined.of("gateway").any(|line| line["text"].as_str().unwrap().starts_with("node 12: epoch 1")));
    assert_eq!((&joined.summary()["raised"], &joined.summary()["equal"]), (&2.into(), &true.into()));
}

#[test]
fn an_interrupt_ends_the_board_too_and_a_board_that_ends_is_a_lost_link() {
    let mut joined = Joined::start(image(), "--scenario none");
    let qemu = qemu_of(&mut joined);
    joined.until("uplink", "reports: start 1");
    signal("INT", &joined.child.id().to_string());
    assert_eq!(joined.end(), 130, "{}", joined.transcript());
    assert!(!Path::new("/proc").join(&qemu).exists(), "QEMU goes on");

    let mut joined = Joined::start(image(), "--scenario none");
    let qemu = qemu_of(&mut joined);
    joined.until("uplink", "reports: start 1");
    signal("KILL", &qemu);
    assert_eq!(joined.end(), 3, "{}", joined.transcript());
    let complaint = joined.seen.iter().filter_map(Value::as_str).find(|line| line.contains("QEMU has ended"));
    assert!(complaint.is_some(), "{}", joined.transcript());
}

/// As docs/qemu.md has it, with a QEMU that is started by hand.
#[test]
fn a_gateway_and_a_node_have_a_relay_in_qemu_between_them() {
    let folder = store("relay");
    fs::create_dir(&folder).unwrap();
    for line in ["keys new --network 7 --dir keys", "keys provision 12 30 --dir keys"] {
        assert_eq!(Joined::beside(&folder, line).end(), 0, "{line}");
    }
    fs::write(folder.join("flash.bin"), b"sixteen secret b").unwrap();
    let mut gateway = Joined::beside(&folder, "gateway --json --keys keys --listen qemu://uplink.sock");
    gateway.until_field("listening", "address", "qemu://uplink.sock");
    let image = BOARDS[0].build(&["defmt", "witness"], &["relay"]).remove(0);
    let lines = ["-serial", "unix:uplink.sock", "-serial", "unix:node.sock,server=on,wait=off"];
    let semihosting = ["-semihosting-config", "enable=on,target=native"];
    let _relay = Guest::start(&BOARDS[0], &image, &folder, &[lines.as_slice(), &semihosting].concat());
    let connect = "node --json --connect qemu://node.sock --keys keys --node 12 --store 12.flash";
    let mut node = Joined::beside(&folder, connect);
    node.type_in("raise rocket-launch rounds=3");
    node.until_field("alert", "news", "stored");
    node.type_in("quit");
    assert_eq!(node.end(), 0);
    gateway.until_field("alert", "headline", "rounds 3");
    gateway.type_in("quit");
    assert_eq!(gateway.end(), 0, "{}", gateway.transcript());
    fs::remove_dir_all(&folder).unwrap();
}

#[test]
fn an_image_for_another_board_is_refused() {
    let small = BOARDS[3].build(&[], &["test-restart"]).remove(0);
    let mut joined = Joined::start(&small, "");
    assert_eq!(joined.end(), 2);
    let words = "qemu-microbit, which QEMU does not play with a line for a rig";
    assert!(joined.transcript().contains(words), "{}", joined.transcript());
    let mut joined = Joined::start(image(), "--machine mps2-an385");
    assert_eq!(joined.end(), 2);
    assert!(joined.transcript().contains("--machine asks for mps2-an385"), "{}", joined.transcript());
}
