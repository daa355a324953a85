//! An alert's way from a node to the outbox.

use crate::program::Room;

#[test]
fn an_alert_arrives_is_stored_and_shown() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    let mut node = room.node(12, &address, "");
    node.type_in("raise rocket-launch weapon=mortar rounds=3");
    let stored = node.says(&[("type", "alert"), ("news", "stored")]);
    assert_eq!((stored["id"].as_str(), stored["alert"].as_u64()), (Some("12/flash/1"), Some(1)));
    assert_eq!(node.told("news", "durable"), ["12/flash/1"]);
    let shown = gateway.says(&[("type", "alert"), ("id", "12/flash/1")]);
    for (field, text) in
        [("precedence", "flash"), ("kind", "rocket-launch"), ("mark", "live"), ("outcome", "delivered")]
    {
        assert_eq!(shown[field].as_str(), Some(text), "{shown}");
    }
    assert_eq!(shown["exercise"].as_bool(), Some(false));
    assert!(shown["headline"].as_str().unwrap().ends_with("weapon mortar, rounds 3"), "{shown}");
    node.end_input();
    assert_eq!(node.ends(), 0);
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    let outbox = room.outbox();
    assert_eq!(outbox.len(), 1);
    let said = outbox[0].alert().unwrap();
    assert_eq!(said.body.name(), "rocket-launch");
}

#[test]
fn what_is_acknowledged_is_on_the_disk_whatever_happens_next() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    for number in 1..=8 {
        let mut node = room.node(12, &address, "");
        node.type_in(&format!("raise rocket-launch rounds={number}"));
        let id = node.says(&[("type", "alert"), ("news", "stored")])["id"].as_str().unwrap().to_owned();
        gateway.kill();
        assert!(room.stored().contains(&id), "{id}");
        gateway = room.gateway(&format!("--listen {address}")).0;
    }
}

#[test]
fn a_node_waits_for_a_gateway_that_is_away() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    let mut node = room.node(12, &address, "");
    node.complains("trying on");
    for number in 1..=3 {
        node.type_in(&format!("raise rocket-launch rounds={number}"));
    }
    node.end_input();
    let (mut gateway, _) = room.gateway(&format!("--listen {address}"));
    assert_eq!(node.ends(), 0);
    assert_eq!(node.told("news", "stored"), ["12/flash/1", "12/flash/2", "12/flash/3"]);
    gateway.says(&[("type", "alert"), ("id", "12/flash/3")]);
}

#[test]
fn a_scenario_is_played_as_an_exercise() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.gateway("--listen tcp://127.0.0.1:0 --exercise");
    let mut node = room.node(12, &address, "--play iraq-2019-2020");
    node.end_input();
    assert_eq!(node.ends(), 0);
    assert_eq!(node.told("news", "stored").len(), 132);
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    assert_eq!(gateway.told("mark", "exercise").len(), 132);
    assert!(gateway.told("mark", "live").is_empty());
    assert!(room.outbox().iter().all(|alert| alert.id.exercise) && room.stored().len() == 132);
}

#[test]
fn an_exercise_is_not_opened_unasked() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    let mut node = room.node(12, &address, "");
    node.type_in("raise rocket-launch exercise=yes");
    gateway.says(&[("type", "alarm"), ("alarm", "exercise"), ("node", "12")]);
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored"), ("id", "12/flash/1")]);
    gateway.kill();
    assert_eq!(room.stored(), ["12/flash/1"]);
}

#[test]
fn a_node_is_sent_on_to_its_next_epoch() {
    let room = Room::new(&[12]);
    room.keys("roll 12");
    let (mut gateway, address) = room.any_gateway();
    let mut node = room.node(12, &address, "");
    let rolled = gateway.says(&[("type", "rolled"), ("node", "12")]);
    assert_eq!(rolled["epoch"].as_u64(), Some(2));
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored"), ("id", "12/flash/1")]);
    node.kill();
    gateway.kill();
    room.keys("roll --done 12");
    let (_gateway, address) = room.any_gateway();
    let mut node = room.start(&format!("node --connect {address} --store 12.flash --json"));
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored")]);
}
