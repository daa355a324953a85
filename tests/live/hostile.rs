//! Peers that send garbage, nothing, or lies.

use std::io::Write;
use std::net::TcpStream;

use crate::program::{Program, Room};

fn dial(address: &str) -> TcpStream {
    TcpStream::connect(address.strip_prefix("tcp://").unwrap()).unwrap()
}

/// A node that comes after all of it is heard as if nothing had been.
fn is_well(room: &Room, gateway: &mut Program, address: &str) {
    let mut node = room.node(12, address, "");
    node.type_in("raise rocket-launch");
    node.says(&[("type", "alert"), ("news", "stored"), ("id", "12/flash/1")]);
    gateway.says(&[("type", "alert"), ("id", "12/flash/1")]);
    gateway.kill();
    assert_eq!(room.stored(), ["12/flash/1"]);
}

#[test]
fn garbage_harms_nobody() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    let mut endless = dial(&address);
    endless.write_all(&vec![0x55; 1 << 20]).unwrap();
    let mut noise = dial(&address);
    let bytes: Vec<u8> = (0..100_000_u32).map(|at| (at.wrapping_mul(2_654_435_761) >> 24) as u8).collect();
    noise.write_all(&bytes).unwrap();
    let mut zeros = dial(&address);
    zeros.write_all(&[0; 10_000]).unwrap();
    let mut half = dial(&address);
    half.write_all(&[0, 9, 1, 2]).unwrap();
    dial(&address).write_all(b"GET / HTTP/1.1\r\nHost: alertbus\r\n\r\n\0").unwrap();
    gateway.complains("sends what is no frame");
    is_well(&room, &mut gateway, &address);
}

#[test]
fn connections_that_say_nothing_keep_nobody_out() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    // More than there is room for.
    let silent: Vec<TcpStream> = (0..400).map(|_| dial(&address)).collect();
    is_well(&room, &mut gateway, &address);
    drop(silent);
}

#[test]
fn a_node_with_another_key_is_an_alarm_and_stores_nothing() {
    let room = Room::new(&[12]);
    room.provision("other", 7, &[12]);
    let (mut gateway, address) = room.any_gateway();
    let mut liar = room.start(&format!(
        "node --connect {address} --blob other/blobs/node-12.epoch-1.blob --store liar.flash --json"
    ));
    liar.type_in("raise rocket-launch rounds=9");
    liar.says(&[("type", "alert"), ("news", "durable")]);
    let alarm = gateway.says(&[("type", "alarm"), ("alarm", "wrong-key"), ("node", "12")]);
    assert!(alarm["text"].as_str().unwrap().contains("has not its key"), "{alarm}");
    is_well(&room, &mut gateway, &address);
    liar.kill();
    assert!(liar.told("news", "stored").is_empty());
}

#[test]
fn a_node_of_another_network_is_told_of() {
    let room = Room::new(&[12]);
    room.provision("other", 8, &[99]);
    let (mut gateway, address) = room.any_gateway();
    let mut stranger = room.start(&format!(
        "node --connect {address} --blob other/blobs/node-99.epoch-1.blob --store stranger.flash --json"
    ));
    stranger.type_in("raise rocket-launch");
    let alarm = gateway.says(&[("type", "alarm"), ("alarm", "stranger"), ("node", "99")]);
    assert!(alarm["text"].as_str().unwrap().contains("which is not in the register"), "{alarm}");
    is_well(&room, &mut gateway, &address);
}
