//! What a board adds to the build: its memory map; and what the tests on it add: the golden packets.

mod golden;

use std::env;
use std::error::Error;
use std::fs;
use std::path::{Path, PathBuf};

/// Every board: a feature of this package, with its memory map in `memory/`.
const BOARDS: [&str; 7] = [
    "nrf52840-dk",
    "nucleo-f429zi",
    "qemu-mps2-an385",
    "qemu-mps2-an386",
    "qemu-mps2-an505",
    "qemu-microbit",
    "raspberry-pi-pico",
];

fn main() -> Result<(), Box<dyn Error>> {
    println!("cargo::rerun-if-changed=build");
    let is_chosen = |board: &&str| {
        let feature = board.to_uppercase().replace('-', "_");
        env::var_os(format!("CARGO_FEATURE_{feature}")).is_some()
    };
    let chosen: Vec<&str> = BOARDS.into_iter().filter(is_chosen).collect();
    match chosen[..] {
        [] => Ok(()),
        [board] => link(board),
        _ => Err(format!("{} are chosen, and an image is for one board", chosen.join(" and ")).into()),
    }
}

/// Has programs linked for `board`.
fn link(board: &str) -> Result<(), Box<dyn Error>> {
    let out = PathBuf::from(env::var("OUT_DIR")?);
    let memory = Path::new("memory").join(format!("{board}.x"));
    println!("cargo::rerun-if-changed={}", memory.display());
    fs::copy(&memory, out.join("memory.x")).map_err(|error| format!("{}: {error}", memory.display()))?;
    let map = fs::read_to_string(&memory)?;
    if let Some((_, blob)) = map.split_once("_blob = 0x") {
        let digits = blob.split_once(';').ok_or("no `;` behind `_blob`")?.0;
        println!("cargo::rustc-env=BLOB={digits}");
    }
    if env::var_os("CARGO_FEATURE_QEMU").is_some() {
        // Each of these boards names the handlers of its interrupts itself, so there are no defaults for them.
        fs::write(out.join("device.x"), "")?;
    }
    println!("cargo::rustc-link-search={}", out.display());
    println!("cargo::rustc-link-arg-bins=-Tlink.x");
    // A symbol by which a host knows for which board an image is.
    println!("cargo::rustc-link-arg-bins=--defsym=alertbus_board_{}=0", board.replace('-', "_"));
    // And one by which it knows what takes no stimuli.
    for program in ["relay", "siren"] {
        println!("cargo::rustc-link-arg-bin={program}=--defsym=alertbus_program_{program}=0");
    }
    if board == "raspberry-pi-pico" {
        // What the chip's own loader reads first, to know how its flash is spoken to.
        println!("cargo::rustc-link-arg-bins=-Tlink-rp.x");
    }
    if env::var_os("CARGO_FEATURE_DEFMT").is_some() {
        println!("cargo::rustc-link-arg-bins=-Tdefmt.x");
    }
    if env::var_os("CARGO_FEATURE_TESTING").is_some() {
        println!("cargo::rerun-if-changed={}", golden::FILE);
        let text = fs::read_to_string(golden::FILE).map_err(|error| format!("{}: {error}", golden::FILE))?;
        fs::write(out.join("golden.rs"), golden::table(&text)?)?;
    }
    Ok(())
}
