//! State directories and stores that are somebody else's, in use, or full.

use std::fs;
use std::process::Command;

use crate::program::{Line, Room, run};

/// Runs a program that must refuse; its exit code and what it complains of.
fn refused(room: &Room, arguments: &str) -> (i32, String) {
    let mut program = room.start(arguments);
    let code = program.ends();
    let complaints: Vec<String> = program
        .seen
        .iter()
        .filter_map(|line| match line {
            Line::Complained(text) => Some(text.clone()),
            Line::Said(_) => None,
        })
        .collect();
    (code, complaints.join("\n"))
}

const GATEWAY: &str = "gateway --keys keys --state state --listen tcp://127.0.0.1:0 --json";

#[test]
fn a_state_directory_has_one_gateway() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    let (code, words) = refused(&room, GATEWAY);
    assert!(code == 2 && words.contains("another gateway is running on `state`"), "{code}: {words}");
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    let (code, words) = refused(&room, &format!("{GATEWAY} --number 2"));
    assert!(
        code == 2 && words.contains("`state` belongs to gateway 1, and this is gateway 2"),
        "{code}: {words}"
    );
    room.provision("other", 8, &[12]);
    let (code, words) = refused(&room, &GATEWAY.replace("--keys keys", "--keys other"));
    assert!(code == 2 && words.contains("belongs to network 7, and this is network 8"), "{code}: {words}");
    // Nothing of it was changed.
    let (mut gateway, _) = room.gateway(&format!("--listen {address}"));
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    run(Command::new("cp").args(["-a", "state", "copy"]).current_dir(&room.path));
    let (code, words) = refused(&room, &GATEWAY.replace("--state state", "--state copy"));
    assert!(code == 2 && words.contains("`copy` is a copy"), "{code}: {words}");
}

#[test]
fn what_is_not_in_order_is_refused_with_the_way_out() {
    let room = Room::new(&[12]);
    for (arguments, code, words) in [
        (GATEWAY.replace("--keys keys", "--keys nowhere"), 2, "`nowhere` is missing"),
        (GATEWAY.replace("tcp://127.0.0.1:0", "udp://127.0.0.1:0"), 2, "allowed: tcp://HOST:PORT"),
        (
            GATEWAY.replace("tcp://127.0.0.1:0", "serial:///dev/no-such-line@115200"),
            3,
            "cannot listen on `serial://",
        ),
        (GATEWAY.replace("--state state", "--state keys/master.key"), 2, "is no folder"),
        (format!("{GATEWAY} --number 256"), 2, "the number of a gateway; allowed: 0 to 255"),
        (
            "node --connect tcp://127.0.0.1:1 --store no.flash".into(),
            2,
            "there is no `no.flash`: `--blob FILE`",
        ),
        (
            "node --connect tcp://127.0.0.1:1 --store a --blob keys/master.key".into(),
            2,
            "`keys/master.key` is no blob",
        ),
        (
            "node --connect tcp://127.0.0.1:1 --store a --keys keys --node 13".into(),
            2,
            "node 13 is not in the register",
        ),
        ("node --connect tcp://127.0.0.1:1 --store keys/master.key".into(), 2, "a node's flash has"),
    ] {
        let (got, said) = refused(&room, &arguments);
        assert!(got == code && said.contains(words), "{arguments}: {got}: {said}");
    }
    assert!(!room.path.join("a").exists());
}

#[test]
fn a_store_has_one_node_and_one_blob() {
    let room = Room::new(&[12, 13]);
    let (_gateway, address) = room.any_gateway();
    let mut node = room.node(12, &address, "");
    node.says(&[("type", "start")]);
    let (code, words) = refused(&room, &format!("node --connect {address} --store 12.flash"));
    assert!(code == 2 && words.contains("another node is running on `12.flash`"), "{code}: {words}");
    node.type_in("quit");
    assert_eq!(node.ends(), 0);
    let (code, words) =
        refused(&room, &format!("node --connect {address} --store 12.flash --keys keys --node 13"));
    assert!(
        code == 2 && words.contains("is the flash of node 12 of network 7 in epoch 1"),
        "{code}: {words}"
    );
    // Once flashed, the blob is needed no more, and gone from where it was made nobody can flash it twice.
    fs::remove_file(room.path.join("keys/blobs/node-12.epoch-1.blob")).unwrap();
    let mut node = room.node(12, &address, "");
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored")]);
    node.kill();
    let (code, words) = refused(&room, &format!("node --connect {address} --store b --keys keys --node 12"));
    assert!(code == 2 && words.contains("`host-sim keys provision --again 12`"), "{code}: {words}");
}

#[test]
fn a_disk_that_takes_nothing_is_said_and_nothing_is_acknowledged() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.limited_gateway();
    let mut node = room.node(12, &address, "");
    node.type_in("raise rocket-launch rounds=1");
    node.says(&[("type", "alert"), ("news", "stored")]);
    // From here on no file of this process may be written; prlimit is part of util-linux.
    run(Command::new("prlimit").args(["--pid", &gateway.id(), "--fsize=0"]));
    node.type_in("raise rocket-launch rounds=2");
    gateway.says(&[("type", "alert"), ("id", "12/flash/2"), ("outcome", "not-stored")]);
    gateway.complains("cannot write `state/outbox.redb`; make room or mend the disk and start again");
    assert_eq!(gateway.ends(), 3);
    // Whatever the node has heard it has told before it takes another.
    node.type_in("raise rocket-launch rounds=3");
    node.says(&[("type", "alert"), ("news", "queued"), ("alert", "3")]);
    assert_eq!(node.told("news", "stored"), ["12/flash/1"]);
    // With room again it comes by itself.
    let (_gateway, _) = room.gateway(&format!("--listen {address}"));
    node.end_input();
    assert_eq!(node.ends(), 0);
    assert_eq!(node.told("news", "stored"), ["12/flash/1", "12/flash/2", "12/flash/3"]);
}
