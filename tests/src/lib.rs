//! Fixtures for the tests that cross packages.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

pub mod firmware;

/// The checkout's root.
#[must_use]
pub fn root() -> &'static Path {
    static ROOT: OnceLock<PathBuf> = OnceLock::new();
    ROOT.get_or_init(|| {
        // What cargo says at run time is right even where two checkouts share one target folder.
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let package = PathBuf::from(package);
        package.parent().unwrap_or(&package).to_path_buf()
    })
}

/// The `host-sim` program as a user runs it: the release build, made on the first call in a process.
///
/// Cargo decides what there is to do, so it is never older than the sources, and is built once for all test
/// programs. Two that ask at once wait for each other.
///
/// # Panics
///
/// If it does not build; the compiler's words are on standard error.
#[must_use]
pub fn host_sim() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
        let output = Command::new(cargo)
            .args(["build", "--release", "--locked", "--package", "host-sim", "--bin", "host-sim"])
            .arg("--message-format=json-render-diagnostics")
            .current_dir(root())
            .stderr(std::process::Stdio::inherit())
            .output();
        let messages = match output {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            Ok(output) => panic!("host-sim does not build: cargo ended with {}", output.status),
            Err(error) => panic!("cargo does not run: {error}"),
        };
        match executable(&messages) {
            Some(path) => path,
            None => panic!("cargo built host-sim and did not say where"),
        }
    })
}

/// A build of `host-sim` that reads the log of firmware, as `cargo qemu` has it: quick to make, and not much slower. It
/// is kept apart from other builds of the program.
///
/// # Errors
///
/// It does not build; the compiler's words are on standard error.
pub fn host_sim_with_log() -> Result<PathBuf, String> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into());
    let output = Command::new(cargo)
        .args(["build", "--locked", "--package", "host-sim", "--bin", "host-sim"])
        .args(["--features", "firmware-log", "--message-format=json-render-diagnostics"])
        .current_dir(root())
        .stderr(std::process::Stdio::inherit())
        .output();
    let messages = match output {
        Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
        Ok(output) => return Err(format!("host-sim does not build: cargo ended with {}", output.status)),
        Err(error) => return Err(format!("cargo does not run: {error}")),
    };
    let program = executable(&messages).ok_or("cargo built host-sim and did not say where")?;
    let kept = program.with_file_name("host-sim-with-firmware-log");
    // A copy of a program that runs cannot be overwritten, and a name can be given anew.
    let fresh = program.with_file_name(format!("host-sim-with-firmware-log.{}", std::process::id()));
    std::fs::copy(&program, &fresh)
        .and_then(|_| std::fs::rename(&fresh, &kept))
        .map_err(|error| format!("{} cannot be copied to {}: {error}", program.display(), kept.display()))?;
    Ok(kept)
}

/// The last program that cargo's messages name; it knows about every setting that moves the target folder.
fn executable(messages: &str) -> Option<PathBuf> {
    let (_, rest) = messages.rsplit_once(r#""executable":""#)?;
    let (path, _) = rest.split_once('"')?;
    Some(PathBuf::from(path.replace(r"\\", r"\")))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_programs_path_is_read_from_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"C:\\target\\release\\host-sim.exe","fresh":true}"#,
        );
        assert_eq!(executable(messages), Some(r"C:\target\release\host-sim.exe".into()));
        assert_eq!(executable(r#"{"executable":null}"#), None);
    }
}
