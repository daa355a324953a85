//! How a gateway and a node end.

use crate::program::Room;

#[test]
fn each_way_to_end_has_its_code() {
    let room = Room::new(&[12]);
    let mut stored = Vec::new();
    for (signal, code) in [("INT", 130), ("TERM", 0)] {
        let (mut gateway, address) = room.any_gateway();
        let mut node = room.node(12, &address, "");
        node.type_in("raise rocket-launch");
        let told = node.says(&[("type", "alert"), ("news", "stored")]);
        stored.push(told["id"].as_str().unwrap().to_owned());
        node.signal(signal);
        assert_eq!(node.ends(), code, "node, {signal}");
        gateway.signal(signal);
        assert_eq!(gateway.ends(), code, "gateway, {signal}");
    }
    assert_eq!(room.stored(), stored);
}

#[test]
fn a_gateway_runs_on_without_input() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    gateway.end_input();
    let mut node = room.node(12, &address, "");
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored")]);
    gateway.signal("INT");
    assert_eq!(gateway.ends(), 130);
}

#[test]
fn who_can_connect_from_elsewhere_is_said() {
    let room = Room::new(&[12]);
    let mut gateway = room.start("gateway --keys keys --state state --listen tcp://0.0.0.0:0 --json");
    assert_eq!(gateway.says(&[("type", "listening")])["loopback"].as_bool(), Some(false));
    gateway.complains("is not of this machine alone");
}
