//! Which commands there are, and running those of host-sim.

use std::fs::{self, File};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// A command shown on a page is a moment's work; one that waits for input or plays in real time is not.
const COMMAND_S_MAX: Duration = Duration::from_secs(60);

/// What cargo itself knows and a page may show without its being run.
const CARGO: [&str; 9] = ["add", "build", "clippy", "doc", "fmt", "install", "run", "test", "tree"];
/// Other programs that a page may show without their being run.
const OTHER: [&str; 6] = ["cd", "git", "head", "probe-rs", "rustup", "sudo"];
/// Programs that change a file of the page's own, and are run.
const RUN: [&str; 1] = ["sed"];
/// The ways to say `host-sim`, longest first.
const HOST_SIM: [&str; 3] =
    ["cargo run --release --bin host-sim --", "cargo run --release --bin host-sim", "cargo sim"];

/// What a command line is.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Word {
    /// To be run, with `host-sim` for whatever stood for it.
    Run(String),
    /// It exists.
    Known,
}

/// Reads a command line; `config` is cargo's configuration, which names the aliases.
pub(crate) fn read(command: &str, config: &str) -> Result<Word, String> {
    let is_alias = |name: &str| config.lines().any(|line| line.starts_with(&format!("{name} = ")));
    if command.starts_with("cargo sim") && !is_alias("sim") {
        return Err(".cargo/config.toml has no alias `sim`".into());
    }
    let program = command.split_whitespace().next().unwrap_or_default();
    if simulates(command) || RUN.contains(&program) {
        return Ok(Word::Run(plain(command)));
    }
    let mut words = command.split_whitespace();
    let program = words.next().unwrap_or_default();
    match (program, words.next().unwrap_or_default()) {
        ("cargo", name) if CARGO.contains(&name) || is_alias(name) => Ok(Word::Known),
        ("cargo", name) => Err(format!("there is no `cargo {name}`")),
        _ if OTHER.contains(&program) => Ok(Word::Known),
        _ => Err(format!("`{program}` is not a command of this project")),
    }
}

/// Whether a command line begins with host-sim, in one of the ways to say it.
pub(crate) fn simulates(command: &str) -> bool {
    plain(command).split_whitespace().next() == Some("host-sim")
}

fn plain(command: &str) -> String {
    HOST_SIM.iter().fold(command.to_string(), |line, way| line.replace(way, "host-sim"))
}

/// A folder to run commands in: what they write stays there, what they read of the checkout is linked there.
pub(crate) struct Runner {
    room: PathBuf,
    path: String,
}

impl Runner {
    /// `name` tells its folder from that of a test that runs at the same time.
    pub(crate) fn new(name: &str, host_sim: &Path) -> Self {
        let room = Path::new(env!("CARGO_TARGET_TMPDIR")).join("readme").join(name);
        if room.exists() {
            fs::remove_dir_all(&room).unwrap();
        }
        fs::create_dir_all(&room).unwrap();
        for entry in fs::read_dir(alertbus_tests::root()).unwrap() {
            let entry = entry.unwrap();
            // Nobody's real keys are in reach of what a page does.
            if !["target", "alertbus-keys"].iter().any(|name| entry.file_name() == *name) {
                symlink(entry.path(), room.join(entry.file_name())).unwrap();
            }
        }
        let folder = host_sim.parent().unwrap().display().to_string();
        Self { room, path: format!("{folder}:{}", std::env::var("PATH").unwrap_or_default()) }
    }

    /// What `line` prints, both streams as on a terminal; an error if it does not end well.
    pub(crate) fn run(&self, line: &str) -> Result<String, String> {
        let output = self.room.join("output-of-the-command");
        let mut child = Command::new("sh")
            .args(["-c", &format!("exec 2>&1\n{line}")])
            .current_dir(&self.room)
            .env("PATH", &self.path)
            .env("NO_COLOR", "1")
            .env_remove("HOST_SIM_KEYS_DIR")
            .stdin(Stdio::null())
            .stdout(File::create(&output).unwrap())
            .spawn()
            .unwrap();
        let begun = Instant::now();
        let status = loop {
            match child.try_wait().unwrap() {
                Some(status) => break status,
                None if begun.elapsed() > COMMAND_S_MAX => {
                    child.kill().unwrap();
                    child.wait().unwrap();
                    return Err(format!("still running after {} s", COMMAND_S_MAX.as_secs()));
                }
                None => thread::sleep(Duration::from_millis(5)),
            }
        };
        let printed = fs::read_to_string(&output).unwrap();
        fs::remove_file(&output).unwrap();
        if status.success() { Ok(printed) } else { Err(format!("{status}\n{printed}")) }
    }
}

#[test]
fn a_command_that_does_not_exist_is_found() {
    let config = "[alias]\nsim = \"run\"\nverify = \"run\"\n";
    assert_eq!(
        read("sed -i.bak s/a/b/ rules.toml", ""),
        Ok(Word::Run("sed -i.bak s/a/b/ rules.toml".into()))
    );
    for known in ["cargo verify fmt lint", "cargo test", "git clone x", "cd alertbus"] {
        assert_eq!(read(known, config), Ok(Word::Known), "{known}");
    }
    for unknown in ["cargo verfy", "cargo qemu", "make test", "host-simulator replay", ""] {
        assert!(read(unknown, config).is_err(), "{unknown}");
    }
    assert!(read("cargo verify", "").is_err());
    assert!(read("cargo sim replay", "").is_err());
}

#[test]
fn every_way_to_say_host_sim_is_understood() {
    for line in ["host-sim replay --json", "cargo sim replay --json"] {
        assert_eq!(read(line, "sim = 1"), Ok(Word::Run("host-sim replay --json".into())), "{line}");
    }
    let long = "cargo run --release --bin host-sim -- replay | cargo sim decode";
    assert_eq!(read(long, ""), Ok(Word::Run("host-sim replay | host-sim decode".into())));
}

#[test]
fn a_command_that_fails_or_prints_on_either_stream_is_told() {
    let runner = Runner::new("shell", Path::new("bin/host-sim"));
    assert_eq!(runner.run("echo out; echo err >&2"), Ok("out\nerr\n".into()));
    assert!(runner.run("echo why; exit 3").is_err_and(|told| told.contains('3') && told.contains("why")));
    assert_eq!(runner.run("cat Cargo.toml >copy && rm copy"), Ok(String::new()));
}
