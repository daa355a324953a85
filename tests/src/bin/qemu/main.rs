//! `cargo qemu PROGRAM`: builds a program of the firmware, and has `host-sim qemu` run it.
//!
//! - `args` says what was asked.
//! - `machine` sees to QEMU, and to a Rust for the board's processor.
//!
//! It depends on the standard library alone, so that it starts at once.

mod args;
mod machine;

use std::path::PathBuf;
use std::process::{Command, ExitCode};

use alertbus_tests::firmware::Board;
use alertbus_tests::{host_sim_with_log, root};

use crate::args::Request;

/// The log, and the hash of what is sent.
const FEATURES: [&str; 2] = ["defmt", "witness"];

/// The one that waits in another way, with a feature of that name.
const EMBASSY: &str = "node-embassy";

/// A program without a rig.
const RELAY: &str = "relay";

/// Exit code of what cannot be carried out.
const USAGE: u8 = 2;

fn main() -> ExitCode {
    let done = match args::parse(std::env::args().skip(1)) {
        Ok(Request::Help) => {
            print!("{}", args::help());
            return ExitCode::SUCCESS;
        }
        Ok(Request::Run { program, board, rest }) => run(&program, board, &rest),
        Err(why) => Err(why),
    };
    done.unwrap_or_else(|why| {
        eprintln!("cargo qemu: {why}");
        ExitCode::from(USAGE)
    })
}

fn run(program: &str, board: Board, rest: &[String]) -> Result<ExitCode, String> {
    if !programs().iter().any(|known| known == program) {
        return Err(format!("there is no program `{program}`; allowed: {}", programs().join(", ")));
    }
    if program == RELAY {
        return Err(
            "a relay has a node on its second line, and no rig: docs/qemu.md shows how to join one".into()
        );
    }
    // Whoever asks what can be asked for needs no image yet.
    let is_help = rest.iter().any(|word| ["-h", "--help"].contains(&word.as_str()));
    let image = if is_help { "IMAGE".into() } else { image(program, board)? };
    let host_sim = host_sim_with_log()?;
    let status = Command::new(&host_sim).arg("qemu").arg(image).args(rest).status();
    let status = status.map_err(|error| format!("{} does not run: {error}", host_sim.display()))?;
    // One that a signal has ended has no code.
    Ok(status.code().and_then(|code| u8::try_from(code).ok()).map_or(ExitCode::FAILURE, ExitCode::from))
}

fn image(program: &str, board: Board) -> Result<PathBuf, String> {
    machine::has_qemu()?;
    machine::ready(board.target)?;
    let loops = (program == EMBASSY).then_some("embassy");
    let features: Vec<&str> = FEATURES.into_iter().chain(loops).collect();
    board.try_build(&features, &[program])?.pop().ok_or_else(|| "cargo built no image".into())
}

/// The programs that a board can run, sorted.
fn programs() -> Vec<String> {
    let files = std::fs::read_dir(root().join("firmware/src/bin")).into_iter().flatten().flatten();
    let paths = files.map(|file| file.path()).filter(|path| path.extension().is_some_and(|end| end == "rs"));
    let mut names: Vec<String> = paths
        .filter_map(|path| path.file_stem().map(|name| name.to_string_lossy().replace('_', "-")))
        .collect();
    names.sort();
    names
}

#[test]
fn the_programs_are_those_of_the_firmware() {
    assert!(["node", EMBASSY, RELAY].iter().all(|name| programs().contains(&(*name).to_owned())));
}
