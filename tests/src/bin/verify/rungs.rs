//! What each rung does.

use std::path::Path;
use std::process::Command;
use std::time::Duration;

use alertbus_tests::firmware;

use crate::install;
use crate::qemu;
use crate::step::Log;
use crate::toolchain::{self, Machine, Source, TARGETS};

/// The advisory database is a clone from elsewhere; where that can't be had it must not hold the ladder up.
const ADVISORIES_S_MAX: Duration = Duration::from_secs(60);
/// A target is some tens of megabytes.
const RUSTUP_S_MAX: Duration = Duration::from_secs(180);
/// The `rust-version` of core, to the patch; a test holds them together.
const OLDEST_RUST: &str = "1.87.0";
/// The crate that stands for a user's.
const USER: &str = "firmware/example-user/Cargo.toml";
/// Simulated node-hours of one pass: some minutes on two cores.
const SOAK_NODE_HOURS: u64 = 2_000_000;
/// With these, Debian's second Rust builds `core` itself. No linker is among them: a library needs none.
const DEBIAN_PACKAGES: [&str; 3] = ["rustc-web", "cargo-web", "rust-web-src"];

/// A check that can be asked for by name.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rung {
    Fmt,
    Lint,
    Docs,
    Test,
    NoStd,
    Qemu,
    Deny,
    Soak,
}

/// Why a rung did not pass.
#[derive(Debug)]
pub(crate) enum Stop {
    /// The check said no, or could not be made where it should have been.
    Failed(String),
    /// The machine is not one on which the check can be expected to run.
    LeftOut(String),
}

impl From<String> for Stop {
    fn from(why: String) -> Self {
        Self::Failed(why)
    }
}

/// What a rung that passed has to say beside `ok`; often nothing.
pub(crate) type Verdict = Result<String, Stop>;

impl Rung {
    /// In the order they run: what is cheap and most often wrong comes first.
    pub(crate) const ALL: [Self; 8] =
        [Self::Fmt, Self::Lint, Self::Docs, Self::Test, Self::NoStd, Self::Qemu, Self::Deny, Self::Soak];

    pub(crate) fn named(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|rung| rung.name() == name)
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Fmt => "fmt",
            Self::Lint => "lint",
            Self::Docs => "docs",
            Self::Test => "test",
            Self::NoStd => "nostd",
            Self::Qemu => "qemu",
            Self::Deny => "deny",
            Self::Soak => "soak",
        }
    }

    /// One line for `--help`.
    pub(crate) fn about(self) -> &'static str {
        match self {
            Self::Fmt => "the formatting is rustfmt's",
            Self::Lint => "clippy has no warning, with defmt and without",
            Self::Docs => "the documentation builds without a warning, private items too",
            Self::Test => "all tests and doctests",
            Self::NoStd => {
                "core builds for Cortex-M0, Cortex-M4F and RISC-V, as a user's crate has it, and with its oldest Rust"
            }
            Self::Qemu => {
                "the firmware does in QEMU what its golden files say, and is built for boards that can be bought"
            }
            Self::Deny => "bans, licences, sources; advisories where their database can be had",
            Self::Soak => "two million simulated node-hours under every fault break no promise",
        }
    }

    pub(crate) fn run(self, log: &mut Log<'_>, only: Option<Source>) -> Verdict {
        match self {
            Self::Fmt => {
                install::component(log, "fmt", "rustfmt")?;
                // No member of the workspace, so that the first line passes it over.
                let user = format!("fmt --manifest-path {USER} --check -- --color never");
                all(log, &["fmt --all --check -- --color never", &user])
            }
            Self::Lint => {
                install::component(log, "clippy", "clippy")?;
                let workspace = "clippy --workspace --all-targets --locked -- -D warnings";
                let defmt = "clippy -p alertbus --features defmt --locked -- -D warnings";
                // No plain test runs this one, so the first line passes it over.
                let qemu = "clippy -p alertbus-tests --test qemu --locked -- -D warnings";
                all(log, &[workspace, defmt, qemu])
            }
            Self::Docs => docs(log),
            Self::Test => test(log),
            Self::NoStd => nostd(log, only),
            Self::Qemu => qemu::run(log, only),
            Self::Deny => deny(log),
            Self::Soak => soak(log),
        }
    }
}

/// Every one of these cargo commands, up to the first that fails.
fn all(log: &mut Log<'_>, commands: &[&str]) -> Verdict {
    for command in commands {
        log.run(log.room.cargo(command))?;
    }
    Ok(String::new())
}

fn docs(log: &mut Log<'_>) -> Verdict {
    let mut doc = log.room.cargo("doc --workspace --no-deps --document-private-items --locked");
    doc.env("RUSTDOCFLAGS", "-D warnings");
    log.run(doc)?;
    Ok(String::new())
}

fn test(log: &mut Log<'_>) -> Verdict {
    let mut test = log.room.cargo("test --workspace --locked --no-fail-fast");
    // What failed is at the end of the log then, and not the way that the test harness came there.
    test.env("RUST_BACKTRACE", "0");
    log.run(test)?;
    Ok(String::new())
}

fn nostd(log: &mut Log<'_>, only: Option<Source>) -> Verdict {
    let taken = sources(log, &TARGETS, only)?;
    // One cargo for all targets of a source builds them side by side.
    for source in Source::ALL {
        let targets: Vec<&str> =
            taken.iter().filter(|(by, _)| *by == source).map(|(_, target)| *target).collect();
        for what in [&["-p", "alertbus"][..], &["-p", "alertbus", "--features", "defmt"]] {
            if !targets.is_empty() {
                let command = build(log, source, &targets, what);
                log.run(command).map_err(|why| format!("{why} ({})", toolchain::summary(&taken)))?;
            }
        }
    }
    user(log, &taken)?;
    let oldest = oldest(log)?;
    Ok(format!("{}; {oldest}", toolchain::summary(&taken)))
}

/// A crate that is no member of the workspace, as a user's is: its test here, and built for each Cortex-M.
fn user(log: &mut Log<'_>, taken: &[(Source, &str)]) -> Result<(), String> {
    let target = log.room.target.join("example-user");
    let mut test = log.room.cargo(&format!("test --locked --manifest-path {USER}"));
    test.env("CARGO_TARGET_DIR", &target);
    log.run(test)?;
    for (source, name) in taken.iter().filter(|(_, name)| name.starts_with("thumb")) {
        let mut command = build(log, *source, &[name], &["--manifest-path", USER]);
        command.env("CARGO_TARGET_DIR", &target);
        log.run(command)?;
    }
    Ok(())
}

/// Where the Rust for each of `targets` comes from, once it is there.
pub(crate) fn sources(
    log: &mut Log<'_>,
    targets: &[&'static str],
    only: Option<Source>,
) -> Result<Vec<(Source, &'static str)>, Stop> {
    let mut taken = Vec::new();
    for target in targets {
        match toolchain::choose(target, only, &mut Here { log }) {
            Ok(source) => taken.push((source, *target)),
            Err(why) => return Err(missing(why)),
        }
    }
    Ok(taken)
}

/// What a machine lacks is a failure only where the Debian way would have brought it.
pub(crate) fn missing(why: String) -> Stop {
    if install::has_apt() { Stop::Failed(why) } else { Stop::LeftOut(why) }
}

/// Core with the oldest Rust that its manifest promises, where rustup can bring that.
fn oldest(log: &mut Log<'_>) -> Verdict {
    let mut install = log.room.command("rustup");
    install.args(["toolchain", "install", OLDEST_RUST, "--profile", "minimal"]);
    if let Err(why) = log.run_within(install, RUSTUP_S_MAX) {
        return Ok(format!("Rust {OLDEST_RUST} left out: it can't be had ({why})"));
    }
    let mut check = log.room.command("rustup");
    check.args(["run", OLDEST_RUST, "cargo", "check", "-p", "alertbus", "--locked", "--features", "defmt"]);
    // What the cargo that runs this program has set is for its own compiler.
    check
        .env_remove("RUSTUP_TOOLCHAIN")
        .env_remove("RUSTC")
        .env_remove("CARGO")
        .env_remove("LD_LIBRARY_PATH");
    check.env("CARGO_TARGET_DIR", log.room.target.join("oldest"));
    log.run(check)?;
    Ok(format!("Rust {OLDEST_RUST}"))
}

fn build(log: &Log<'_>, source: Source, targets: &[&str], what: &[&str]) -> Command {
    let mut command = if source == Source::Debian {
        let mut command = log.room.command("/usr/bin/cargo");
        firmware::set_debian(&mut command, &log.room.target);
        command.args(["build", "-Zbuild-std=core"]);
        command
    } else {
        log.room.cargo("build")
    };
    command.args(["--release", "--locked"]).args(what);
    for target in targets {
        command.args(["--target", target]);
    }
    command
}

/// The machine this runs on, and the log of what is asked of it.
struct Here<'l, 'a> {
    log: &'l mut Log<'a>,
}

impl Here<'_, '_> {
    /// Whether the compiler in use finds the target's `core`, by rustup or from a distribution's package.
    fn has(&mut self, target: &str) -> bool {
        let mut question = self.log.room.command("rustc");
        question.args(["--print", "target-libdir", "--target", target]);
        self.log.ask(question).is_some_and(|folder| Path::new(&folder).is_dir())
    }
}

impl Machine for Here<'_, '_> {
    fn ready(&mut self, source: Source, target: &str) -> Result<(), String> {
        match source {
            Source::Installed if self.has(target) => Ok(()),
            Source::Installed => Err("not there".into()),
            Source::Rustup => {
                let mut add = self.log.room.command("rustup");
                add.args(["target", "add", target]);
                self.log.run_within(add, RUSTUP_S_MAX)?;
                if self.has(target) { Ok(()) } else { Err("rustc does not see what it added".into()) }
            }
            Source::Debian if has_debian() => Ok(()),
            Source::Debian => {
                install::packages(self.log, &DEBIAN_PACKAGES)?;
                if has_debian() { Ok(()) } else { Err("its packages lack a file".into()) }
            }
        }
    }
}

fn has_debian() -> bool {
    ["/usr/bin/cargo", "/usr/bin/rustc", "/usr/lib/rustlib/src/rust/library/core/src/lib.rs"]
        .iter()
        .all(|file| Path::new(file).is_file())
}

fn deny(log: &mut Log<'_>) -> Verdict {
    let program = install::cargo_deny(log)?;
    let with = |log: &Log<'_>, arguments: &str| {
        let mut command = log.room.command(&program);
        command.arg("--locked").args(arguments.split_whitespace()).env("GIT_TERMINAL_PROMPT", "0");
        command
    };
    let check = with(log, "check --hide-inclusion-graph bans licenses sources");
    log.run(check)?;
    let fetch = with(log, "fetch db");
    if let Err(why) = log.run_within(fetch, ADVISORIES_S_MAX) {
        return Ok(format!("advisories left out: their database can't be had ({why})"));
    }
    let advisories = with(log, "--offline check advisories");
    log.run(advisories)?;
    Ok("advisories too".into())
}

/// The same seed each time: what fails here fails on every machine, and the log says how to play it again.
fn soak(log: &mut Log<'_>) -> Verdict {
    let run =
        format!("run --release --locked -p host-sim -- --quiet soak --seed 1 --node-hours {SOAK_NODE_HOURS}");
    log.run(log.room.cargo(&run))?;
    Ok(format!("{SOAK_NODE_HOURS} node-hours"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_rust_is_the_one_that_core_promises() {
        let manifest = include_str!("../../../../core/Cargo.toml");
        let promised = manifest.lines().find_map(|line| line.strip_prefix("rust-version = "));
        assert_eq!(promised, Some(format!("\"{}\"", OLDEST_RUST.trim_end_matches(".0")).as_str()));
    }
}
