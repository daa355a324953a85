//! Warnings from the prompt of a gateway to a siren, and back.

use crate::program::Room;

#[test]
fn a_warning_sounds_and_an_all_clear_ends_it() {
    let room = Room::new(&[40]);
    let (mut gateway, address) = room.any_gateway();
    let mut siren = room.node(40, &address, "--siren");
    gateway.type_in("warn 40 rocket-launch 600");
    siren.says(&[("type", "sound"), ("sound", "warning"), ("kind", "rocket-launch")]);
    gateway.says(&[("type", "answer"), ("node", "40"), ("result", "done")]);
    gateway.type_in("clear 40");
    siren.says(&[("type", "sound"), ("sound", "all-clear")]);
    gateway.says(&[("type", "answer"), ("node", "40"), ("result", "done")]);
    gateway.type_in("clear 40");
    gateway.says(&[("type", "refused")]);
    siren.says(&[("type", "sound"), ("sound", "quiet")]);
    gateway.type_in("test 40 1");
    siren.says(&[("type", "sound"), ("sound", "test")]);
    siren.says(&[("type", "sound"), ("sound", "quiet")]);
    gateway.type_in("time");
    gateway.says(&[("type", "done"), ("text", "the time to 1 of 1 nodes that are connected")]);
    gateway.type_in("nodes");
    let row = gateway.says(&[("type", "node"), ("node", "40")]);
    assert_eq!((row["epoch"].as_u64(), row["silent"].as_bool()), (Some(1), Some(false)), "{row}");
}

#[test]
fn a_warning_that_nobody_has_answered_outlives_its_gateway() {
    let room = Room::new(&[40]);
    let (mut gateway, address) = room.any_gateway();
    gateway.type_in("warn 40 convoy-ied 600");
    gateway.says(&[("type", "done")]);
    gateway.kill();
    let (mut gateway, _) = room.gateway(&format!("--listen {address}"));
    let mut siren = room.node(40, &address, "--siren");
    siren.says(&[("type", "sound"), ("sound", "warning"), ("kind", "convoy-ied")]);
    gateway.says(&[("type", "answer"), ("node", "40"), ("result", "done")]);
}

#[test]
fn a_warning_can_be_cleared_by_the_gateway_that_comes_after() {
    let room = Room::new(&[40]);
    let (mut gateway, address) = room.any_gateway();
    let mut siren = room.node(40, &address, "--siren");
    gateway.type_in("warn 40 drone-sighting 600");
    siren.says(&[("type", "sound"), ("sound", "warning")]);
    gateway.says(&[("type", "answer"), ("node", "40"), ("result", "done")]);
    gateway.kill();
    let (mut gateway, _) = room.gateway(&format!("--listen {address}"));
    gateway.type_in("clear 40");
    siren.says(&[("type", "sound"), ("sound", "all-clear")]);
}

#[test]
fn wrong_lines_are_refused_and_nobody_ends_by_them() {
    let room = Room::new(&[40]);
    let (mut gateway, _) = room.any_gateway();
    gateway.type_in("worn 40 rocket-launch 9");
    gateway.complains("did you mean `warn`?");
    gateway.type_in("warn 41 rocket-launch 9");
    let refused = gateway.says(&[("type", "refused")]);
    assert!(
        refused["text"].as_str().unwrap().contains("no warning to node 41: the node is not known"),
        "{refused}"
    );
    gateway.type_in("help");
    gateway.complains("warn NODE KIND SECONDS");
    gateway.type_in("warn 40 rocket-launch 9");
    let done = gateway.says(&[("type", "done")]);
    assert!(done["text"].as_str().unwrap().contains("it has not been heard since the start"), "{done}");
}
