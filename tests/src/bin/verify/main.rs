//! `cargo verify`: every check this project has, one line a rung, on a machine that has nothing but Rust.
//!
//! - `args` says what was asked, `ladder` runs it and prints the lines and the closing count.
//! - `rungs` is what each rung does, in the words of the commands that it runs.
//! - `toolchain` chooses where a Rust for a bare-metal target comes from; `install` brings what is missing.
//! - `qemu` is the rung that runs the firmware in an emulator.
//! - `step` runs one command: its output goes to the rung's log, never to the screen.
//!
//! It depends on the standard library alone, so that it starts at once, and decides nothing that a person
//! could not type: every line that it runs stands in the log as it was run.

mod args;
mod install;
mod ladder;
mod qemu;
mod rungs;
mod step;
mod toolchain;
mod unpack;

use std::process::ExitCode;

use crate::args::Request;
use crate::step::Room;

fn main() -> ExitCode {
    let request = args::parse(std::env::args().skip(1), std::env::var(toolchain::VARIABLE).ok().as_deref());
    match request {
        Ok(Request::Help) => {
            print!("{}", args::help());
            ExitCode::SUCCESS
        }
        Ok(Request::Run { rungs, only }) => match Room::enter() {
            Ok(room) => ladder::climb(&room, &rungs, only),
            Err(why) => complain(&why),
        },
        Err(why) => complain(&why),
    }
}

/// A request that cannot be carried out is exit 2, apart from a check that failed (exit 1).
fn complain(why: &str) -> ExitCode {
    eprintln!("verify: {why}");
    ExitCode::from(2)
}
