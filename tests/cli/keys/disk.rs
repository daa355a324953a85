//! What stays on the disk when it is full, closed, or when the program is killed.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::os::unix::process::CommandExt;
use std::process::Command;

use super::{Room, chmod, everything};
use crate::said;

/// A disk that is full, or a quota that is: the first bytes fail, or only the longer file does.
#[test]
fn on_a_full_disk_nothing_stays() {
    let room = Room::new("full");
    let full = "trap '' XFSZ; ulimit -f 0";
    let (code, out, errors) = room.keys_after(full, "new --network 7");
    assert_eq!((code, out.as_str()), (3, ""), "{errors}");
    assert!(errors.contains("cannot write `") && errors.contains("master.key`: "), "{errors}");
    assert_eq!(everything(&room.0), []);

    assert_eq!(room.keys(&["new", "--network", "7"]).0, 0);
    assert_eq!(room.keys(&["provision", "1..=9"]).0, 0);
    let before = everything(&room.0);
    // The blobs have room, the register has none: it is longer than a block of any shell.
    for (limit, name) in [(0, "node-10.epoch-1.blob"), (1, "register.toml")] {
        let full = format!("trap '' XFSZ; ulimit -f {limit}");
        let (code, out, errors) = room.keys_after(&full, "provision 10..=40");
        assert_eq!((code, out.as_str()), (3, ""), "{errors}");
        assert!(errors.contains("cannot write `") && errors.contains(name), "{errors}");
        assert_eq!(everything(&room.0), before);
    }
    assert_eq!(room.keys(&["provision", "10..=40"]).0, 0);
}

/// Killed at the register's last byte: the blobs are written and have no names, the old register stands.
#[test]
fn a_run_that_is_killed_changes_nothing() {
    let room = Room::with("killed", &["1..=30"]);
    let before = everything(&room.0);
    let (code, out, _) = room.keys_after("ulimit -f 1", "provision 31..=33");
    assert_eq!((code, out.as_str()), (-1, ""), "the signal ends it");
    let unfinished = everything(&room.0).len() - before.len();
    assert_eq!(unfinished, 4);
    let (code, out, _) = room.keys(&["check"]);
    assert_eq!(code, 2);
    assert_eq!(out.matches("was left by a run that was broken off").count(), unfinished, "{out}");
    assert_eq!(room.keys(&["provision", "31..=33"]).0, 0);
    assert!(room.keys(&["check"]).1.ends_with("33 nodes, 33 blobs; in order\n"));
}

/// Root may write anywhere, so root's test runs the program as somebody else.
#[test]
fn a_folder_that_cannot_be_written_is_named() {
    let room = Room::new("unwritable");
    let mine = fs::metadata(&room.0).unwrap();
    let program = room.0.join("program");
    fs::copy(alertbus_tests::host_sim(), &program).unwrap();
    chmod(&program, 0o755);
    let parent = room.0.join("parent");
    fs::create_dir(&parent).unwrap();
    chmod(&parent, 0o555);
    let mut command = Command::new(&program);
    command.args(["keys", "new", "--network", "7", "--dir"]).arg(parent.join("keys"));
    if mine.uid() == 0 {
        command.uid(65_534).gid(65_534);
    }
    let (code, out, errors) = said(&command.output().unwrap());
    assert_eq!((code, out.as_str()), (3, ""), "{errors}");
    assert!(errors.contains(&format!("cannot write `{}`: ", parent.join("keys").display())), "{errors}");
    assert_eq!(everything(&parent), []);
}
