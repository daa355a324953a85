//! What a fresh machine lacks: components, Debian packages, cargo-deny.

use std::path::{Path, PathBuf};

use crate::step::Log;

/// The version that is built when there is none; a newer one may know licences and checks that this tree fails.
const CARGO_DENY: &str = "0.20.2";
/// The oldest one that reads `deny.toml` as it is written.
const CARGO_DENY_MIN: [u32; 2] = [0, 18];

/// Makes `cargo COMMAND` answer, by adding `component` to the toolchain if need be.
pub(crate) fn component(log: &mut Log<'_>, command: &str, component: &str) -> Result<(), String> {
    let probe = format!("{command} --version");
    if log.ask(log.room.cargo(&probe)).is_some() {
        return Ok(());
    }
    let mut rustup = log.room.command("rustup");
    rustup.args(["component", "add", component]);
    // Its failure is told in the log; what counts is whether the command answers now.
    let _ = log.run(rustup);
    match log.ask(log.room.cargo(&probe)) {
        Some(_) => Ok(()),
        None => Err(format!("`cargo {command}` is missing; type: rustup component add {component}")),
    }
}

/// Installs Debian packages, as root or by `sudo -n`; otherwise the error is the line to type.
pub(crate) fn packages(log: &mut Log<'_>, names: &[&str]) -> Result<(), String> {
    let line = format!("apt-get install --no-install-recommends {}", names.join(" "));
    if !has_apt() {
        return Err(format!("this machine has no apt-get to bring {}", names.join(" ")));
    }
    let mut id = log.room.command("id");
    id.arg("-u");
    let mut sudo = log.room.command("sudo");
    sudo.args(["-n", "true"]);
    let with_sudo = match log.ask(id).as_deref() {
        Some("0") => false,
        _ if log.ask(sudo).is_some() => true,
        _ => return Err(format!("packages are missing; type: sudo {line}")),
    };
    let apt_get = |log: &Log<'_>, arguments: &[&str]| {
        let program = if with_sudo { "sudo" } else { "apt-get" };
        let mut command = log.room.command(program);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        if with_sudo {
            command.args(["-n", "--preserve-env=DEBIAN_FRONTEND", "apt-get"]);
        }
        command.args(arguments);
        command
    };
    // An old list may still name what is wanted, so a failed update decides nothing.
    let update = apt_get(log, &["-q", "update"]);
    let _ = log.run(update);
    // `--no-remove`: a check has no business to take another Rust off the machine.
    let install = ["-q", "-y", "--no-remove", "--no-install-recommends", "install"];
    let install = apt_get(log, &[&install, names].concat());
    log.run(install).map_err(|why| format!("{why}; type: sudo {line}"))
}

/// Whether packages are to be had the Debian way.
pub(crate) fn has_apt() -> bool {
    Path::new("/usr/bin/apt-get").is_file()
}

/// Where cargo-deny is, built into the target folder if it is nowhere: nothing outside the checkout changes.
pub(crate) fn cargo_deny(log: &mut Log<'_>) -> Result<PathBuf, String> {
    let tools = log.room.target.join("tools");
    let built = tools.join("bin").join("cargo-deny").with_extension(std::env::consts::EXE_EXTENSION);
    for place in [PathBuf::from("cargo-deny"), built.clone()] {
        let mut probe = log.room.command(&place);
        probe.arg("--version");
        if log.ask(probe).is_some_and(|answer| is_new_enough(&answer)) {
            return Ok(place);
        }
    }
    let mut install = log.room.cargo("install --quiet --locked cargo-deny --version");
    install.arg(CARGO_DENY).arg("--root").arg(&tools);
    log.run(install)?;
    Ok(built)
}

/// Reads `cargo-deny 0.20.2`.
fn is_new_enough(answer: &str) -> bool {
    let version = answer.rsplit(' ').next().unwrap_or_default();
    let mut numbers = version.split('.').map(|part| part.parse::<u32>().unwrap_or(0));
    [numbers.next().unwrap_or(0), numbers.next().unwrap_or(0)] >= CARGO_DENY_MIN
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_cargo_deny_is_passed_over() {
        assert!(is_new_enough(&format!("cargo-deny {CARGO_DENY}")));
        assert!(is_new_enough("cargo-deny 0.18.0"));
        assert!(is_new_enough("cargo-deny 1.0.0"));
        assert!(!is_new_enough("cargo-deny 0.14.24"));
        assert!(!is_new_enough("error: no such command"));
    }
}
