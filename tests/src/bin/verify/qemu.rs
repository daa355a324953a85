//! The firmware in QEMU, on a machine that may have neither QEMU nor a Rust for microcontrollers.

use std::ffi::OsString;
use std::{env, iter};

use alertbus_tests::firmware::{BOARDS, Board, QEMU, REAL_BOARDS, TOOLCHAIN};

use crate::install;
use crate::rungs::{self, Verdict};
use crate::step::Log;
use crate::toolchain::{self, Source};
use crate::unpack::unpack;

/// Debian's second Rust has no linker for bare metal of its own.
const DEBIAN_LINKER: &str = "lld";

/// Brings what is missing, looks at the firmware with clippy where there is one, and runs the tests.
pub(crate) fn run(log: &mut Log<'_>, only: Option<Source>) -> Verdict {
    let targets = BOARDS.map(|board| board.target);
    let taken = rungs::sources(log, &targets, only)?;
    let path = emulator(log)?;
    let is_debian = taken.iter().any(|(source, _)| *source == Source::Debian);
    if is_debian {
        program(log, "ld.lld", DEBIAN_LINKER)?;
    }
    let mut note = toolchain::summary(&taken);
    if is_debian {
        // Its clippy is a package of another version, and would find other things.
        note.push_str("; clippy left out");
    } else {
        lint(log)?;
    }
    let mut test = log.room.cargo("test --locked -p alertbus-tests --test qemu");
    test.env("RUST_BACKTRACE", "0").env(TOOLCHAIN, if is_debian { "debian" } else { "" });
    if let Some(path) = path {
        test.env("PATH", path);
    }
    log.run(test)?;
    Ok(note)
}

/// Makes QEMU answer. Where it cannot be installed because that would take something else away, one is taken apart into
/// the target folder, and this is the search path that leads to it.
fn emulator(log: &mut Log<'_>) -> Result<Option<OsString>, rungs::Stop> {
    let Err(why) = program(log, QEMU, QEMU) else { return Ok(None) };
    if !install::has_apt() {
        return Err(why);
    }
    let bin = unpack(log, QEMU, QEMU).map_err(rungs::missing)?;
    let path = env::var_os("PATH").unwrap_or_default();
    let folders = iter::once(bin).chain(env::split_paths(&path));
    let path = env::join_paths(folders).map_err(|error| rungs::missing(error.to_string()))?;
    let mut probe = log.room.command(QEMU);
    probe.arg("--version").env("PATH", &path);
    if log.ask(probe).is_some() { Ok(Some(path)) } else { Err(why) }
}

/// Makes `program` answer, by installing `package` if need be.
fn program(log: &mut Log<'_>, program: &str, package: &str) -> Result<(), rungs::Stop> {
    let has = |log: &mut Log<'_>| {
        let mut probe = log.room.command(program);
        probe.arg("--version");
        log.ask(probe).is_some()
    };
    if has(log) {
        return Ok(());
    }
    install::packages(log, &[package]).map_err(rungs::missing)?;
    if has(log) { Ok(()) } else { Err(rungs::missing(format!("{package} is installed and lacks {program}"))) }
}

/// The firmware for each board; the workspace's own clippy sees it without one, where it is empty.
fn lint(log: &mut Log<'_>) -> Result<(), String> {
    for board in BOARDS {
        // The other main loop is a whole board's.
        let of_whole: &[&str] = if board.is_whole { &[",embassy", ",embassy,testing"] } else { &[] };
        for more in ["", ",testing", ",defmt", ",witness"].iter().chain(of_whole) {
            lint_with(log, &board, more)?;
        }
    }
    for board in REAL_BOARDS {
        // The radio's adapter is not part of any program, and brings the log.
        for more in ["", ",lora"] {
            lint_with(log, &board, more)?;
        }
    }
    Ok(())
}

fn lint_with(log: &mut Log<'_>, board: &Board, more: &str) -> Result<(), String> {
    let mut clippy = log.room.cargo("clippy -p alertbus-firmware --profile firmware --bins --locked");
    clippy.args(["--target", board.target, "--features", &format!("{}{more}", board.feature)]);
    clippy.args(["--", "-D", "warnings"]);
    log.run(clippy)
}
