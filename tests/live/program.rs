//! Processes under test: started, typed to, listened to, killed.

use std::collections::VecDeque;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::path::PathBuf;
use std::process::{Child, ChildStdin, Command, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;
use std::time::{Duration, Instant};

use host_sim::keyring::Keyring;
use host_sim::outbox::{Outbox, Owner, StoredAlert};
use serde_json::Value;

/// Whatever has not come by then never will: a node whose gateway dies often waits up to 90 s between two tries.
const PATIENCE: Duration = Duration::from_secs(240);

/// The network's number.
const NETWORK: u32 = 7;

/// A child has all that is open here until it runs its own program, the lock of an outbox too: nobody is started while
/// one is open.
static STARTING: Mutex<()> = Mutex::new(());

/// Starts a program.
fn spawn(command: &mut Command) -> Child {
    let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
    command.spawn().unwrap()
}

/// Runs a program that says nothing, and must end well.
pub(crate) fn run(command: &mut Command) {
    assert!(spawn(command).wait().unwrap().success(), "{command:?}");
}

/// A folder with keys of some nodes, gone when the test ends.
pub(crate) struct Room {
    pub(crate) path: PathBuf,
}

impl Room {
    /// A room whose key directory has these nodes.
    pub(crate) fn new(nodes: &[u16]) -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("alertbus-live-{}-{number}", std::process::id()));
        fs::create_dir(&path).unwrap();
        let room = Self { path };
        room.provision("keys", NETWORK, nodes);
        room
    }

    /// Another key directory.
    pub(crate) fn provision(&self, folder: &str, network: u32, nodes: &[u16]) {
        let nodes: Vec<String> = nodes.iter().map(u16::to_string).collect();
        self.run(&format!("keys new --network {network} --dir {folder}"));
        self.run(&format!("keys provision {} --dir {folder}", nodes.join(" ")));
    }

    /// Changes the network's key directory.
    pub(crate) fn keys(&self, arguments: &str) {
        self.run(&format!("keys {arguments} --dir keys"));
    }

    fn run(&self, line: &str) {
        let mut command = Command::new(alertbus_tests::host_sim());
        command.args(line.split(' ')).current_dir(&self.path).stdout(Stdio::null()).stderr(Stdio::null());
        run(&mut command);
    }

    /// A program in this room.
    pub(crate) fn start(&self, arguments: &str) -> Program {
        self.start_by(alertbus_tests::host_sim().to_str().unwrap(), arguments)
    }

    fn start_by(&self, program: &str, arguments: &str) -> Program {
        let mut command = Command::new(program);
        for (name, _) in
            std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOST_SIM_"))
        {
            command.env_remove(name);
        }
        command.args(arguments.split(' ').filter(|word| !word.is_empty())).current_dir(&self.path);
        Program::start(command)
    }

    /// A gateway on the state directory `state`, and where it listens.
    pub(crate) fn gateway(&self, more: &str) -> (Program, String) {
        let mut gateway = self.start(&format!("gateway --keys keys --state state --json {more}"));
        let address = gateway.listens();
        (gateway, address)
    }

    /// A gateway on any free port.
    pub(crate) fn any_gateway(&self) -> (Program, String) {
        self.gateway("--listen tcp://127.0.0.1:0")
    }

    /// A gateway that is told by an error, and not by a signal, that a file must not grow.
    pub(crate) fn limited_gateway(&self) -> (Program, String) {
        let line =
            "trap '' XFSZ; exec \"$0\" gateway --keys keys --state state --json --listen tcp://127.0.0.1:0";
        let mut command = Command::new("sh");
        command.arg("-c").arg(line).arg(alertbus_tests::host_sim()).current_dir(&self.path);
        let mut gateway = Program::start(command);
        let address = gateway.listens();
        (gateway, address)
    }

    /// A node or siren with its blob, on the store of its number.
    pub(crate) fn node(&self, node: u16, address: &str, more: &str) -> Program {
        self.start(&format!(
            "node --connect {address} --keys keys --node {node} --store {node}.flash --json {more}"
        ))
    }

    /// What is stored, where no gateway runs.
    pub(crate) fn outbox(&self) -> Vec<StoredAlert> {
        let keyring = Keyring::open(&self.path.join("keys")).unwrap();
        let owner = Owner { gateway: 1, network: NETWORK, master: keyring.fingerprint().to_owned() };
        let _alone = STARTING.lock().unwrap_or_else(PoisonError::into_inner);
        let outbox = Outbox::open(&self.path.join("state"), &owner).unwrap();
        outbox.alerts(0, usize::MAX).unwrap().into_iter().map(|(_, alert)| alert).collect()
    }

    /// Names of what is stored, sorted; none of them twice.
    pub(crate) fn stored(&self) -> Vec<String> {
        let mut names: Vec<String> = self.outbox().iter().map(|alert| alert.id.to_string()).collect();
        names.sort();
        let all = names.len();
        names.dedup();
        assert_eq!(names.len(), all, "stored twice");
        names
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.path);
    }
}

/// A line on standard output as JSON, or one on standard error.
#[derive(Clone, Debug)]
pub(crate) enum Line {
    Said(Value),
    Complained(String),
}

/// A process, killed when it is dropped.
pub(crate) struct Program {
    child: Child,
    input: Option<ChildStdin>,
    lines: Receiver<Line>,
    /// All that was said so far.
    pub(crate) seen: Vec<Line>,
    /// What was passed over by whoever waited for the other stream: of the two nobody knows which comes first.
    passed: VecDeque<Line>,
}

impl Program {
    fn start(mut command: Command) -> Self {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = spawn(&mut command);
        let (sender, lines) = channel();
        let (out, err) = (child.stdout.take().unwrap(), child.stderr.take().unwrap());
        let other = sender.clone();
        thread::spawn(move || {
            for line in BufReader::new(out).lines().map_while(Result::ok) {
                // One that was cut in the middle by a kill says nothing.
                let Ok(value) = serde_json::from_str(&line) else { continue };
                if sender.send(Line::Said(value)).is_err() {
                    return;
                }
            }
        });
        thread::spawn(move || {
            for line in BufReader::new(err).lines().map_while(Result::ok) {
                if other.send(Line::Complained(line)).is_err() {
                    return;
                }
            }
        });
        let input = child.stdin.take();
        Self { child, input, lines, seen: Vec::new(), passed: VecDeque::new() }
    }

    fn listens(&mut self) -> String {
        self.says(&[("type", "listening")])["address"].as_str().unwrap().to_owned()
    }

    /// Types a line.
    pub(crate) fn type_in(&mut self, line: &str) {
        // One that was killed meanwhile reads nothing.
        let _ = writeln!(self.input.as_mut().unwrap(), "{line}");
    }

    /// Ends standard input.
    pub(crate) fn end_input(&mut self) {
        self.input = None;
    }

    /// Waits for an object in which these fields have these values as text.
    pub(crate) fn says(&mut self, fields: &[(&str, &str)]) -> Value {
        let fits = |value: &Value| {
            fields.iter().all(|(name, text)| match &value[*name] {
                Value::String(is) => is == text,
                Value::Number(is) => text.parse().is_ok_and(|number: u64| is.as_u64() == Some(number)),
                _ => false,
            })
        };
        loop {
            match self.next_of(|line| matches!(line, Line::Said(_))) {
                Some(Line::Said(value)) if fits(&value) => return value,
                Some(_) => {}
                None => panic!("never said {fields:?}; said:\n{}", self.transcript()),
            }
        }
    }

    /// Waits for a line on standard error with these words.
    pub(crate) fn complains(&mut self, words: &str) -> String {
        loop {
            match self.next_of(|line| matches!(line, Line::Complained(_))) {
                Some(Line::Complained(line)) if line.contains(words) => return line,
                Some(_) => {}
                None => panic!("never complained of `{words}`; said:\n{}", self.transcript()),
            }
        }
    }

    /// The next line of one stream, those that were passed over first; none where there will be none.
    fn next_of(&mut self, is_of_it: impl Fn(&Line) -> bool) -> Option<Line> {
        if let Some(at) = self.passed.iter().position(&is_of_it) {
            return self.passed.remove(at);
        }
        loop {
            let line = self.next_line()?;
            if is_of_it(&line) {
                return Some(line);
            }
            self.passed.push_back(line);
        }
    }

    /// The next line; none where it has ended, or nothing came for too long.
    fn next_line(&mut self) -> Option<Line> {
        let line = self.lines.recv_timeout(PATIENCE).ok()?;
        self.seen.push(line.clone());
        Some(line)
    }

    /// Everything that it has said up to its end.
    pub(crate) fn rest(&mut self) -> &[Line] {
        while self.next_line().is_some() {}
        &self.seen
    }

    /// Names of the alerts that it has told with this news, sorted; each once.
    pub(crate) fn told(&self, field: &str, news: &str) -> Vec<String> {
        let mut names: Vec<String> = self
            .seen
            .iter()
            .filter_map(|line| match line {
                Line::Said(value) if value["type"] == "alert" && value[field] == news => {
                    value["id"].as_str().map(String::from)
                }
                _ => None,
            })
            .collect();
        names.sort();
        names.dedup();
        names
    }

    fn transcript(&self) -> String {
        self.seen.iter().map(|line| format!("{line:?}\n")).collect()
    }

    /// Sends it a signal by name.
    pub(crate) fn signal(&self, name: &str) {
        run(Command::new("kill").args([format!("-{name}"), self.id()]));
    }

    pub(crate) fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Kills it, without a warning.
    pub(crate) fn kill(&mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        while let Ok(line) = self.lines.recv_timeout(PATIENCE) {
            self.seen.push(line);
        }
    }

    /// Waits for its end; the exit code.
    pub(crate) fn ends(&mut self) -> i32 {
        let begun = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                self.rest();
                return status.code().unwrap_or(-1);
            }
            assert!(begun.elapsed() < PATIENCE, "still running; said:\n{}", self.transcript());
            thread::sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Moments that look random and are the same in each run.
pub(crate) struct Moments(u64);

impl Moments {
    pub(crate) const fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// Waits for some moment within so many milliseconds.
    pub(crate) fn wait_within(&mut self, most_ms: u64) {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        thread::sleep(Duration::from_millis((self.0 >> 33) % most_ms));
    }
}
