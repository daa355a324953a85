//! The firmware in QEMU, on a machine that may have neither QEMU nor a Rust for microcontrollers.

use alertbus_tests::firmware::{BOARDS, Board, QEMU, REAL_BOARDS, TOOLCHAIN};

use crate::install;
use crate::rungs::{self, Verdict};
use crate::step::Log;
use crate::toolchain::{self, Source};

/// Debian's second Rust has no linker for bare metal of its own.
const DEBIAN_LINKER: &str = "lld";

/// Brings what is missing, looks at the firmware with clippy where there is one, and runs the tests.
pub(crate) fn run(log: &mut Log<'_>, only: Option<Source>) -> Verdict {
    let targets = BOARDS.map(|board| board.target);
    let taken = rungs::sources(log, &targets, only)?;
    program(log, QEMU, QEMU)?;
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
    log.run(test)?;
    Ok(note)
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
