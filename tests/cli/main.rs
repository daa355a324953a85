//! host-sim as a user runs it: what it prints where, and how it exits.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod decode;
mod encode;
mod incidents;
mod keys;
mod manual;
mod qemu;
mod replay;

use std::io::Write;
use std::process::{Command, Output, Stdio};

/// Runs host-sim with these arguments and nothing on standard input.
fn host_sim(arguments: &[&str]) -> Output {
    host_sim_reading(arguments, b"")
}

/// Runs host-sim with these arguments and `input` on standard input, without what the caller's environment sets.
fn host_sim_reading(arguments: &[&str], input: &[u8]) -> Output {
    let mut command = Command::new(alertbus_tests::host_sim());
    for (name, _) in std::env::vars_os() {
        let text = name.to_string_lossy();
        if text.starts_with("HOST_SIM_") || ["NO_COLOR", "CLICOLOR", "CLICOLOR_FORCE"].contains(&&*text) {
            command.env_remove(&name);
        }
    }
    command.args(arguments).stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
    let mut child = command.spawn().unwrap();
    // One that refuses its arguments ends without reading.
    let _ = child.stdin.take().unwrap().write_all(input);
    child.wait_with_output().unwrap()
}

/// The exit code, standard output and standard error.
fn said(output: &Output) -> (i32, String, String) {
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}
