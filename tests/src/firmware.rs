//! Images for microcontrollers: how they are built, and on which boards QEMU runs them.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::Mutex;

use crate::root;

/// The environment variable that names where a Rust for bare metal comes from: `installed`, `rustup`, or `debian`, which
/// needs no rustup.
pub const TOOLCHAIN: &str = "ALERTBUS_VERIFY_TOOLCHAIN";

/// The emulator's program.
pub const QEMU: &str = "qemu-system-arm";

/// What a person is told who has none.
#[must_use]
pub fn qemu_is_missing() -> String {
    format!("{QEMU} is missing; type: sudo apt-get install --no-install-recommends {QEMU}")
}

/// A board: one that QEMU plays, or one that can be bought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Board {
    /// Its feature of `alertbus-firmware`.
    pub feature: &'static str,
    /// Rust's name for its processor.
    pub target: &'static str,
    /// QEMU's name for it; empty where it plays no such board.
    pub machine: &'static str,
    /// It has two lines, a flash, a clock and a watchdog here, and not only a processor.
    pub is_whole: bool,
}

/// Every board: a Cortex-M4 first, on which most is tested.
pub const BOARDS: [Board; 4] = [
    Board {
        feature: "qemu-mps2-an386",
        target: "thumbv7em-none-eabihf",
        machine: "mps2-an386",
        is_whole: true,
    },
    Board { feature: "qemu-mps2-an385", target: "thumbv7m-none-eabi", machine: "mps2-an385", is_whole: true },
    Board {
        feature: "qemu-mps2-an505",
        target: "thumbv8m.main-none-eabi",
        machine: "mps2-an505",
        is_whole: true,
    },
    Board { feature: "qemu-microbit", target: "thumbv6m-none-eabi", machine: "microbit", is_whole: false },
];

/// Boards that can be bought. Nothing runs on them here; their images are built, and looked at.
pub const REAL_BOARDS: [Board; 3] = [
    Board { feature: "nrf52840-dk", target: "thumbv7em-none-eabihf", machine: "", is_whole: true },
    Board { feature: "nucleo-f429zi", target: "thumbv7em-none-eabihf", machine: "", is_whole: true },
    Board { feature: "raspberry-pi-pico", target: "thumbv6m-none-eabi", machine: "", is_whole: true },
];

impl Board {
    /// Builds `programs` of the firmware, with these features beside the board's own, and says where each image is.
    ///
    /// Cargo decides what there is to do, so no image is older than the sources.
    ///
    /// # Panics
    ///
    /// If one does not build; the compiler's words are on standard error.
    #[must_use]
    pub fn build(&self, features: &[&str], programs: &[&str]) -> Vec<PathBuf> {
        self.try_build(features, programs).unwrap_or_else(|why| panic!("{why}"))
    }

    /// As [`Board::build`].
    ///
    /// # Errors
    ///
    /// One does not build; the compiler's words are on standard error.
    pub fn try_build(&self, features: &[&str], programs: &[&str]) -> Result<Vec<PathBuf>, String> {
        // Cargo writes every build of a program to one place, so each is kept elsewhere before the next begins.
        static ONE_BUILD: Mutex<()> = Mutex::new(());
        let _one_build = ONE_BUILD.lock();
        let mut command = self.cargo();
        command.args(["--package", "alertbus-firmware", "--profile", "firmware", "--locked"]);
        command.args(["--target", self.target, "--message-format=json-render-diagnostics"]);
        command.args(["--features", &[&[self.feature], features].concat().join(",")]);
        for program in programs {
            command.args(["--bin", program]);
        }
        let messages = match command.current_dir(root()).stderr(Stdio::inherit()).output() {
            Ok(output) if output.status.success() => String::from_utf8_lossy(&output.stdout).into_owned(),
            Ok(output) => {
                return Err(format!("{} does not build: cargo ended with {}", self.feature, output.status));
            }
            Err(error) => return Err(format!("cargo does not run: {error}")),
        };
        let image = |program: &&str| match executable(&messages, program) {
            Some(path) => kept(&path, &[&[self.feature], features].concat()),
            None => Err(format!("cargo built {program} for {} and did not say where", self.feature)),
        };
        programs.iter().map(image).collect()
    }

    /// `cargo build` with a Rust that knows the board's processor.
    fn cargo(&self) -> Command {
        if std::env::var(TOOLCHAIN).is_ok_and(|name| name == "debian") {
            let mut command = Command::new("/usr/bin/cargo");
            set_debian(&mut command, &target_folder());
            command.args(["build", "-Zbuild-std=core"]).args(["--config", &debian_linker(self.target)]);
            return command;
        }
        let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| env!("CARGO").into()));
        command.arg("build");
        command
    }
}

/// Sets a command of Debian's second cargo up so that it builds with Debian's second compiler, beside whatever cargo
/// keeps in `target`.
pub fn set_debian(command: &mut Command, target: &Path) {
    // Its compiler is an ordinary release; the variable lets it build `core`, an option for nightlies only.
    command.env("RUSTC", "/usr/bin/rustc").env("RUSTC_BOOTSTRAP", "1");
    // Whatever rustup set for this program must not reach the other Rust.
    command.env_remove("RUSTUP_TOOLCHAIN").env_remove("LD_LIBRARY_PATH");
    let path = std::env::var("PATH").unwrap_or_default();
    command.env("PATH", format!("/usr/bin:{path}"));
    command.env("CARGO_TARGET_DIR", target.join("debian"));
}

/// Debian's Rust brings no linker for bare metal; that of LLVM is a package of its own.
fn debian_linker(target: &str) -> String {
    format!(r#"target.'{target}'.rustflags=["-Clinker=ld.lld","-Clinker-flavor=ld.lld"]"#)
}

/// Cargo's target folder.
fn target_folder() -> PathBuf {
    root().join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()))
}

/// A copy of an image under a name of its own, by the features that it was built with.
fn kept(image: &Path, features: &[&str]) -> Result<PathBuf, String> {
    let copy = image.with_extension(format!("with-{}", features.join("-")));
    match std::fs::copy(image, &copy) {
        Ok(_) => Ok(copy),
        Err(error) => Err(format!("{} cannot be copied to {}: {error}", image.display(), copy.display())),
    }
}

/// Where cargo's messages say that `program` is.
fn executable(messages: &str, program: &str) -> Option<PathBuf> {
    let paths = messages.lines().filter_map(|line| {
        let (_, rest) = line.rsplit_once(r#""executable":""#)?;
        let (path, _) = rest.split_once('"')?;
        Some(PathBuf::from(path))
    });
    paths.into_iter().find(|path| path.file_name().is_some_and(|name| name == program))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_program_is_found_in_cargos_messages() {
        let messages = concat!(
            r#"{"reason":"compiler-artifact","executable":null}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"target/thumb/firmware/one","fresh":true}"#,
            "\n",
            r#"{"reason":"compiler-artifact","executable":"target/thumb/firmware/two","fresh":true}"#,
        );
        assert_eq!(executable(messages, "one"), Some("target/thumb/firmware/one".into()));
        assert_eq!(executable(messages, "two"), Some("target/thumb/firmware/two".into()));
        assert_eq!(executable(messages, "three"), None);
    }

    #[test]
    fn no_two_boards_are_the_same() {
        for (at, board) in BOARDS.iter().enumerate() {
            let differs = |other: &Board| other.feature != board.feature && other.machine != board.machine;
            assert!(BOARDS[at + 1..].iter().all(differs));
        }
    }
}
