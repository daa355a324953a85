//! What a person types wrong at `host-sim qemu`, and what a machine lacks.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::PathBuf;
use std::process::{Command, Output, Stdio};

use alertbus_tests::firmware::TOOLCHAIN;

use crate::{host_sim, said};

/// A folder of a test's own.
struct Place(PathBuf);

impl Place {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("alertbus-cli-qemu-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    fn path(&self, name: &str) -> String {
        self.0.join(name).display().to_string()
    }

    /// The shortest file that is an image of a Cortex-M: a header of ELF, and nothing behind it.
    fn image(&self) -> String {
        let mut bytes = vec![0; 52];
        bytes[..7].copy_from_slice(b"\x7fELF\x01\x01\x01");
        // An executable for ARM, and the length of the header.
        (bytes[16], bytes[18], bytes[40]) = (2, 40, 52);
        fs::write(self.path("image"), bytes).unwrap();
        self.path("image")
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Runs `qemu` where no program can be found.
fn without_programs(arguments: &[&str]) -> Output {
    let mut command = Command::new(alertbus_tests::host_sim());
    command.arg("qemu").args(arguments).env("PATH", "").stdin(Stdio::null()).output().unwrap()
}

#[test]
fn a_machine_without_qemu_is_told_what_to_install() {
    let place = Place::new("missing");
    let output = without_programs(&[&place.image(), "--machine", "mps2-an386"]);
    let line = "host-sim: qemu-system-arm is missing; type: sudo apt-get install --no-install-recommends \
                qemu-system-arm\n";
    assert_eq!(said(&output), (2, String::new(), line.into()));
}

/// Runs `qemu` where there is a QEMU that does nothing: what is refused is refused before it runs.
fn with_a_qemu(place: &Place, arguments: &[&str]) -> Output {
    let qemu = place.path("qemu-system-arm");
    fs::write(&qemu, "#!/bin/sh\necho QEMU emulator version 10.0.2\n").unwrap();
    fs::set_permissions(&qemu, fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = Command::new(alertbus_tests::host_sim());
    command.args(arguments).env("PATH", &place.0).stdin(Stdio::null()).output().unwrap()
}

/// `cargo qemu node` where these programs, all of which refuse whatever they are asked, are all that there is.
fn cargo_qemu(place: &Place, programs: &[&str]) -> (i32, String, String) {
    let program = env!("CARGO_BIN_EXE_qemu");
    for name in programs {
        symlink(program, place.path(name)).unwrap();
    }
    let mut command = Command::new(program);
    command.arg("node").env("PATH", &place.0).env_remove(TOOLCHAIN);
    said(&command.stdin(Stdio::null()).output().unwrap())
}

#[test]
fn cargo_qemu_says_what_to_install_before_it_builds_anything() {
    let place = Place::new("cargo");
    let missing = "cargo qemu: qemu-system-arm is missing; type: sudo apt-get install --no-install-recommends \
                   qemu-system-arm\n";
    assert_eq!(cargo_qemu(&place, &[]), (2, String::new(), missing.into()));
    let last = |(code, out, err): (i32, String, String)| {
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        err.lines().last().unwrap_or_default().to_owned()
    };
    let without_rustup = last(cargo_qemu(&place, &["qemu-system-arm", "rustc"]));
    assert!(without_rustup.contains("no rustup to add it: install that"), "{without_rustup}");
    let without_target = last(cargo_qemu(&place, &["rustup"]));
    let line = "cargo qemu: no Rust for thumbv7em-none-eabihf; type: rustup target add thumbv7em-none-eabihf";
    assert_eq!(without_target, line);
}

#[test]
fn what_is_no_image_is_refused_with_a_way_to_one() {
    let place = Place::new("image");
    fs::write(place.path("text"), "no image").unwrap();
    let program = alertbus_tests::host_sim().display().to_string();
    for (image, words) in [
        (place.path("nothing"), "there is no image"),
        (place.path("text"), "is no ELF image of a Cortex-M: it has another beginning"),
        (program, "is no ELF image of a Cortex-M: it has 64 bits"),
        (place.path(""), "is a folder; `cargo qemu node` builds one and runs it"),
    ] {
        let (code, out, err) = said(&host_sim(&["qemu", &image]));
        assert_eq!((code, out.as_str()), (2, ""), "{image}");
        assert!(err.contains(words) && err.contains(&image) && err.lines().count() == 1, "{err}");
    }
    let (code, _, err) = said(&host_sim(&["qemu", &place.image()]));
    assert!(
        code == 2 && err.contains("does not say which board it is built for: `--machine` names"),
        "{err}"
    );
}

#[test]
fn a_store_that_cannot_be_is_told_with_a_way_out() {
    let place = Place::new("store");
    let image = place.image();
    fs::write(place.path("file"), "").unwrap();
    for (store, words) in [
        ("none/store", "must be there and writable, or name another `--store`"),
        ("file", "is a file; `--store` takes a folder"),
    ] {
        let store = place.path(store);
        let machine = ["qemu", &image, "--machine", "mps2-an386", "--store", &store];
        let (code, out, err) = said(&with_a_qemu(&place, &machine));
        assert_eq!((code, out.as_str()), (2, ""), "{err}");
        assert!(err.contains(words) && err.contains(&store) && err.lines().count() == 1, "{err}");
    }
    // The lock itself.
    let store = place.path("taken");
    fs::create_dir_all(format!("{store}/lock")).unwrap();
    fs::set_permissions(&store, fs::Permissions::from_mode(0o700)).unwrap();
    let (code, _, err) =
        said(&with_a_qemu(&place, &["qemu", &image, "--machine", "mps2-an386", "--store", &store]));
    assert!(code == 2 && err.contains("make that writable, or name another `--store`"), "{err}");
}

#[test]
fn options_that_make_no_sense_are_refused_before_anything_is_made() {
    let place = Place::new("options");
    let (image, store) = (place.image(), place.path("store"));
    for (options, words) in [
        ("--machine mps2-an386 --keys field-keys", "--store <DIR>"),
        ("--machine mps2_an386? --store STORE", "-machine help"),
        ("--machine mps2-an386 --store STORE --scenario no-such-scenario", "no-such-scenario"),
        ("--machine mps2-an386 --store STORE --node 0", "the number of a node; allowed: 1 to 65535"),
        ("--machine mps2-an386 --store STORE --speed fast", "`fast` is not a speed"),
    ] {
        let options = options.split(' ').map(|word| if word == "STORE" { store.as_str() } else { word });
        let arguments: Vec<&str> = ["qemu", &image].into_iter().chain(options).collect();
        let (code, _, err) = said(&host_sim(&arguments));
        assert!(code == 2 && err.contains(words), "{arguments:?}: {err}");
    }
    assert!(!PathBuf::from(store).exists());
}
