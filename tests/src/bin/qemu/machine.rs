//! QEMU, and a Rust for a board's processor, on a machine that may have neither.

use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, Stdio};

use alertbus_tests::firmware::{QEMU, TOOLCHAIN, qemu_is_missing};

/// Finds QEMU, before anything is built for it.
///
/// # Errors
/// What to type, in a line.
pub(crate) fn has_qemu() -> Result<(), String> {
    match Command::new(QEMU).arg("--version").output() {
        Err(error) if error.kind() == ErrorKind::NotFound => Err(qemu_is_missing()),
        // One that does not run says why when it is started.
        _ => Ok(()),
    }
}

/// Makes the compiler in use know `target`, by rustup if need be.
///
/// # Errors
/// What to type, in a line.
pub(crate) fn ready(target: &str) -> Result<(), String> {
    // Debian's second Rust builds what it needs itself; whoever names it knows that it is there.
    let is_debian = std::env::var(TOOLCHAIN).is_ok_and(|name| name == "debian");
    if is_debian || has(target) {
        return Ok(());
    }
    eprintln!("cargo qemu: adding the Rust target {target}");
    // What rustup says goes to whoever waits; what counts is whether the compiler knows the target now.
    let added = Command::new("rustup").args(["target", "add", target]).stdout(Stdio::null()).status();
    match added {
        Ok(status) if status.success() && has(target) => Ok(()),
        Err(error) if error.kind() == ErrorKind::NotFound => Err(format!(
            "no Rust for {target}, and no rustup to add it: install that (https://rustup.rs); or, on Debian, type: cargo \
             verify qemu, and then {TOOLCHAIN}=debian cargo qemu ..."
        )),
        _ => Err(format!("no Rust for {target}; type: rustup target add {target}")),
    }
}

/// Whether the compiler in use finds the target's `core`.
fn has(target: &str) -> bool {
    let question = Command::new("rustc").args(["--print", "target-libdir", "--target", target]).output();
    question.is_ok_and(|answer| {
        let folder = String::from_utf8_lossy(&answer.stdout);
        answer.status.success() && Path::new(folder.trim()).is_dir()
    })
}

#[test]
fn a_target_that_nobody_has_is_not_there() {
    assert!(!has("thumbv9-none-eabi"));
}
