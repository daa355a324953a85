//! `host-sim keys`: what it makes, and what it refuses without changing anything.
#![cfg(unix)]

mod disk;
mod misplaced;

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::{host_sim, said};

/// A folder of one test alone, gone at its end.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("host-sim-keys-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A key directory of network 7 with these nodes.
    fn with(name: &str, nodes: &[&str]) -> Self {
        let room = Self::new(name);
        assert_eq!(room.keys(&["new", "--network", "7"]).0, 0);
        if !nodes.is_empty() {
            assert_eq!(room.keys(&[&["provision"], nodes].concat()).0, 0);
        }
        room
    }

    fn dir(&self) -> PathBuf {
        self.0.join("keys")
    }

    fn file(&self, name: &str) -> PathBuf {
        self.dir().join(name)
    }

    fn keys(&self, arguments: &[&str]) -> (i32, String, String) {
        said(&host_sim(&[&["keys", "--dir", self.dir().to_str().unwrap()], arguments].concat()))
    }

    /// Exit code 2, nothing on standard output, and an error with these words; and nothing changed.
    fn refuses(&self, arguments: &[&str], words: &[&str]) {
        let before = everything(&self.0);
        let (code, out, errors) = self.keys(arguments);
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {errors}");
        for words in words {
            assert!(errors.contains(words), "{arguments:?}: {words} in {errors}");
        }
        assert_eq!(everything(&self.0), before, "{arguments:?}");
    }

    /// Runs `keys` in a shell that has done `first`.
    fn keys_after(&self, first: &str, arguments: &str) -> (i32, String, String) {
        let program = alertbus_tests::host_sim().display();
        let line = format!("{first}; exec '{program}' keys --dir '{}' {arguments}", self.dir().display());
        said(&Command::new("sh").args(["-c", &line]).output().unwrap())
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// Every name below a folder, with its mode and what it holds.
fn everything(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let mut found = Vec::new();
    for path in paths {
        let metadata = path.symlink_metadata().unwrap();
        let bytes = if metadata.is_file() { fs::read(&path).unwrap_or_default() } else { Vec::new() };
        found.push((path.clone(), metadata.mode() & 0o777, bytes));
        if metadata.is_dir() {
            found.extend(everything(&path));
        }
    }
    found
}

fn chmod(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
}

#[test]
fn a_network_is_provisioned() {
    let room = Room::new("whole");
    let (code, out, errors) = room.keys(&["new", "--network", "7"]);
    assert_eq!(code, 0, "{errors}");
    assert!(
        out.contains("master.key: network 7, master key ") && errors.contains("copy the whole"),
        "{out}{errors}"
    );
    let (code, out, _) = room.keys(&["provision", "1..=3", "12"]);
    assert_eq!(code, 0);
    for node in [1, 2, 3, 12] {
        let blob = room.file(&format!("blobs/node-{node}.epoch-1.blob"));
        assert_eq!(fs::read(&blob).unwrap().len(), 64);
        assert!(out.contains(blob.to_str().unwrap()), "{out}");
    }
    for (path, mode, _) in everything(&room.0) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    let (code, out, errors) = room.keys(&["check"]);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    assert!(out.ends_with("4 nodes, 4 blobs; in order\n"), "{out}");
}

#[test]
fn two_networks_have_two_keys() {
    let (one, two) = (Room::with("one", &[]), Room::with("two", &[]));
    let key = |room: &Room| fs::read_to_string(room.file("master.key")).unwrap();
    let digits = |room: &Room| key(room).lines().nth(2).unwrap().replace(' ', "");
    assert_ne!(digits(&one), digits(&two));
    assert_eq!(digits(&one).len(), "key".len() + 32);
}

/// What is printed, in any form, has no key in it.
#[test]
fn no_command_shows_a_key() {
    let room = Room::with("secret", &["12"]);
    let master = fs::read_to_string(room.file("master.key")).unwrap();
    let master = master.lines().nth(2).unwrap().replace("key", "").replace(' ', "");
    let node: String = fs::read(room.file("blobs/node-12.epoch-1.blob")).unwrap()[24..40]
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    for command in
        [&["list"][..], &["show", "12"], &["check"], &["roll", "12"], &["provision", "--again", "12"]]
    {
        for json in [&[][..], &["--json"]] {
            let (code, out, errors) = room.keys(&[command, json, &["-v"]].concat());
            assert!(code == 0 || command[0] == "check", "{errors}");
            for secret in [&master[..8], &master[24..], &node[..8], &node[24..]] {
                assert!(
                    !format!("{out}{errors}").replace(' ', "").contains(secret),
                    "{command:?}: {out}{errors}"
                );
            }
        }
    }
}

#[test]
fn one_object_a_line() {
    let room = Room::new("json");
    let objects = |arguments: &[&str]| -> Vec<serde_json::Value> {
        let (_, out, _) = room.keys(&[arguments, &["--json"]].concat());
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
    };
    assert_eq!(objects(&["new", "--network", "7"])[0]["network"], 7);
    let made = objects(&["provision", "1..=2"]);
    assert_eq!((made.len(), &made[1]["node"], &made[1]["epoch"]), (2, &2.into(), &1.into()));
    assert_eq!(objects(&["list"]), made);
    assert_eq!(objects(&["roll", "2"])[0]["next_epoch"], 2);
    let shown = &objects(&["show", "2"])[0];
    assert_eq!((&shown["next_epoch"], &shown["flash_floor"]), (&2.into(), &1.into()));
    chmod(&room.file("blobs/node-1.epoch-1.blob"), 0o640);
    let checked = objects(&["check"]);
    assert!(checked[0]["finding"].as_str().unwrap().contains("node-1.epoch-1.blob"), "{checked:?}");
    assert_eq!((&checked[1]["type"], &checked[1]["findings"]), (&"check".into(), &1.into()));
}

#[test]
fn a_node_that_is_provisioned_again_begins_above_all_it_may_have_used() {
    let room = Room::with("again", &["12"]);
    room.refuses(&["provision", "12"], &["node 12 has been provisioned already, with epoch 1: `--again`"]);
    let (code, out, errors) = room.keys(&["provision", "--again", "12", "--other-floor", "500"]);
    assert_eq!(code, 0, "{errors}");
    let row: Vec<_> = out.lines().nth(1).unwrap().split_whitespace().take(5).collect();
    assert_eq!(row, ["12", "2", "-", "16777217", "500"]);
    assert!(
        errors.contains("node-12.epoch-1.blob`: flashed again, it would repeat packet counters"),
        "{errors}"
    );
    room.refuses(&["provision", "--again", "12", "--epoch", "2"], &["may have been used: allowed: 3 to"]);
    room.refuses(&["provision", "--again", "12", "--flash-floor", "9"], &["allowed: 16777218 to 2147483646"]);
    let (code, out, _) = room.keys(&["check"]);
    assert!(code == 2 && out.contains("node-12.epoch-1.blob` is outdated"), "{out}");
}

#[test]
fn an_epoch_rolls_one_by_one() {
    let room = Room::with("roll", &["12", "13"]);
    let epochs =
        |out: &str| out.lines().nth(1).unwrap().split_whitespace().take(3).collect::<Vec<_>>().join(" ");
    let (code, out, errors) = room.keys(&["roll", "12"]);
    assert_eq!((code, epochs(&out).as_str()), (0, "12 1 2"), "{errors}");
    let (code, out, errors) = room.keys(&["roll", "12"]);
    assert_eq!((code, epochs(&out).as_str()), (0, "12 1 2"));
    assert!(errors.contains("node 12 was on its way"), "{errors}");
    room.refuses(&["roll", "--done", "12", "13"], &["no epoch roll of node 13 is under way"]);
    let (code, out, _) = room.keys(&["roll", "--done", "12"]);
    assert_eq!((code, epochs(&out).as_str()), (0, "12 2 -"));
}

#[test]
fn nothing_is_overwritten() {
    let room = Room::with("exists", &["12"]);
    room.refuses(
        &["new", "--network", "7"],
        &["master.key` exists already and is never overwritten", "--dir"],
    );
    fs::remove_file(room.file("master.key")).unwrap();
    room.refuses(&["new", "--network", "7"], &["register.toml` exists already"]);
    room.refuses(&["provision", "13"], &["master.key` is missing: restore it from a copy"]);
}

#[test]
fn a_damaged_key_file_is_refused() {
    let room = Room::with("damaged", &["12"]);
    let path = room.file("master.key");
    let good = fs::read_to_string(&path).unwrap();
    let last = good.trim_end().chars().last().unwrap();
    let changed = format!("{}{}\n", &good[..good.len() - 2], if last == '0' { '1' } else { '0' });
    let other = good.replace("network  7", "network  8");
    for (text, words) in [
        (&good[..good.len() / 2], "master.key` has no key of 32 hex digits: it is cut off"),
        (&good[..good.len() - 4], "master.key` is cut off: its check"),
        ("", "master.key` is empty"),
        (&changed, "master.key` has a check that does not fit: a digit is wrong or missing"),
        (&other, "master.key` has a check that does not fit"),
        ("a0a1a2a3a4a5a6a7a8a9aaabacadaeaf\n", "master.key` does not begin as"),
        (&"x".repeat(5_000), "master.key` is longer than 1024 bytes: this is another file"),
    ] {
        fs::write(&path, text).unwrap();
        for command in [&["provision", "13"][..], &["list"], &["show", "12"], &["roll", "12"]] {
            room.refuses(command, &[words, "restore it from a copy"]);
        }
        let (code, out, _) = room.keys(&["check"]);
        assert!(code == 2 && out.contains(words), "{out}");
    }
}

#[test]
fn what_others_can_get_at_is_refused() {
    let room = Room::with("shared", &["12"]);
    for (name, mode, private) in [
        ("master.key", 0o640, 0o600),
        ("master.key", 0o604, 0o600),
        ("master.key", 0o622, 0o600),
        ("register.toml", 0o620, 0o600),
        ("", 0o750, 0o700),
        ("blobs", 0o701, 0o700),
    ] {
        let path = if name.is_empty() { room.dir() } else { room.file(name) };
        chmod(&path, mode);
        let words = format!("`{0}` (mode {mode:03o}): `chmod {private:o} {0}`", path.display());
        room.refuses(&["provision", "13"], &["others can get at", &words]);
        let (code, out, _) = room.keys(&["check"]);
        assert!(code == 2 && out.contains(&words), "{out}");
        chmod(&path, private);
    }
    assert_eq!(room.keys(&["provision", "13"]).0, 0);
}

#[test]
fn what_is_no_file_is_refused() {
    let room = Room::with("sorts", &["12"]);
    for name in ["master.key", "register.toml"] {
        let (path, aside) = (room.file(name), room.0.join("aside"));
        fs::rename(&path, &aside).unwrap();
        symlink(&aside, &path).unwrap();
        room.refuses(&["provision", "13"], &[name, "is a symbolic link; it must be the file itself"]);
        fs::remove_file(&path).unwrap();
        fs::create_dir(&path).unwrap();
        room.refuses(&["provision", "13"], &[name, "is a folder; it must be the file itself"]);
        fs::remove_dir(&path).unwrap();
        // A pipe that nobody writes to would be waited for.
        assert!(Command::new("mkfifo").arg(&path).status().unwrap().success());
        room.refuses(&["list"], &[name, "is a device or a pipe"]);
        fs::remove_file(&path).unwrap();
        fs::rename(&aside, &path).unwrap();
    }
    assert_eq!(room.keys(&["list"]).0, 0);
}

#[test]
fn a_blob_or_a_register_of_another_network_is_found() {
    let (room, other) = (Room::with("network", &["12"]), Room::new("other"));
    assert_eq!(other.keys(&["new", "--network", "9"]).0, 0);
    assert_eq!(other.keys(&["provision", "12"]).0, 0);
    let blob = "blobs/node-12.epoch-1.blob";
    fs::copy(other.file(blob), room.file(blob)).unwrap();
    let (code, out, _) = room.keys(&["check"]);
    assert_eq!(code, 2);
    assert!(out.contains("node-12.epoch-1.blob`: for network 9, this is network 7: take the blob"), "{out}");
    fs::copy(other.file("register.toml"), room.file("register.toml")).unwrap();
    room.refuses(&["list"], &["register.toml` is for network 9, and the master key beside it for network 7"]);
}

#[test]
fn numbers_and_nodes_that_cannot_be_are_refused() {
    let room = Room::with("numbers", &["12"]);
    for arguments in [&["provision", "0"][..], &["provision", "65536"], &["roll", "0..=3"], &["show", "0"]] {
        room.refuses(arguments, &["'"]);
    }
    room.refuses(
        &["provision", "0"],
        &["allowed: a node, 1 to 65535, or several in a row, such as `1..=40`"],
    );
    room.refuses(&["provision", "13", "9..=20"], &["node 13 is named twice"]);
    for arguments in [&["show", "13"][..], &["roll", "13"], &["roll", "--done", "13"]] {
        room.refuses(
            arguments,
            &["node 13 is not in the register: `keys provision 13` on the same directory"],
        );
    }
    room.refuses(&["provision", "13", "--epoch", "0"], &["--epoch"]);
    room.refuses(&["provision", "13", "--flash-floor", "2147483647"], &["--flash-floor"]);
    room.refuses(&["new"], &["--network"]);
}

#[test]
fn a_directory_that_is_not_there_is_named() {
    let room = Room::new("absent");
    for arguments in [&["list"][..], &["provision", "1"], &["show", "1"], &["roll", "1"]] {
        room.refuses(arguments, &["keys` is missing: `host-sim keys new` makes one"]);
    }
}

#[test]
fn packets_open_with_the_key_directory() {
    let room = Room::with("decode", &["12"]);
    let keys = ["--keys", room.dir().to_str().unwrap().to_owned().leak()];
    let seal = ["encode", "rocket-launch", "rounds=3", "--node", "12"];
    let (code, _, errors) = said(&host_sim(&[&seal[..], &keys].concat()));
    assert!(code == 2 && errors.contains("`--counter` is missing"), "{errors}");
    let (code, hex, errors) = said(&host_sim(&[&seal[..], &keys, &["--counter", "9"]].concat()));
    assert_eq!(code, 0, "{errors}");
    let (code, out, _) = said(&host_sim(&[&["decode"][..], &keys, &[hex.trim()]].concat()));
    assert!(code == 0 && out.contains("authentic"), "{out}");
    // A roll that is over: the register knows the epoch, and who encodes need not.
    assert_eq!(room.keys(&["roll", "12"]).0 + room.keys(&["roll", "--done", "12"]).0, 0);
    let (_, rolled, errors) = said(&host_sim(&[&seal[..], &keys, &["--counter", "9"]].concat()));
    assert_eq!((&hex[2..4], &rolled[2..4]), ("01", "02"), "{errors}");
    let stranger = ["encode", "summary", "--node", "13", "--counter", "9"];
    let (code, _, errors) = said(&host_sim(&[&stranger[..], &keys].concat()));
    assert!(code == 2 && errors.contains("node 13 is not in the register"), "{errors}");
    let master = room.file("master.key");
    let (code, _, errors) = said(&host_sim(
        &[&seal[..], &["--counter", "9", "--master-key-file", master.to_str().unwrap()]].concat(),
    ));
    assert!(code == 2 && errors.contains("`--keys DIR` takes the directory"), "{errors}");
    let (code, _, errors) = said(&host_sim(&[&["decode", "--seed", "1"][..], &keys, &[hex.trim()]].concat()));
    assert!(code == 2 && errors.contains("--keys"), "{errors}");
    chmod(&room.file("master.key"), 0o644);
    let (code, _, errors) = said(&host_sim(&[&["decode"][..], &keys, &[hex.trim()]].concat()));
    assert!(code == 2 && errors.contains("chmod 600"), "{errors}");
}
