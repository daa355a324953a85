//! Gateways and nodes killed at any moment.

use std::collections::BTreeSet;
use std::io::Read;
use std::net::TcpListener;
use std::thread;
use std::time::Duration;

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame::{Deframer, Fed};

use crate::program::{Moments, Room};

/// Alerts that a node raises while its gateway dies again and again.
const ALERTS: usize = 120;

#[test]
fn a_gateway_killed_at_any_moment_loses_nothing_and_stores_nothing_twice() {
    let room = Room::new(&[12]);
    let (mut gateway, address) = room.any_gateway();
    let mut node = room.node(12, &address, "");
    let mut moments = Moments::new(1);
    let mut shown = BTreeSet::new();
    for round in 0..12 {
        for alert in 0..ALERTS / 12 {
            node.type_in(&format!("raise rocket-launch rounds={} key={}", 1 + alert, round));
        }
        moments.wait_within(120);
        gateway.kill();
        shown.extend(gateway.told("type", "alert"));
        gateway = room.gateway(&format!("--listen {address}")).0;
    }
    node.end_input();
    assert_eq!(node.ends(), 0);
    let queued = node.told("news", "stored");
    gateway.type_in("quit");
    assert_eq!(gateway.ends(), 0);
    shown.extend(gateway.told("type", "alert"));
    let stored = room.stored();
    assert_eq!(stored, queued, "every alert that the node was told of is there, and no other");
    assert_eq!(shown.into_iter().collect::<Vec<_>>(), stored, "and somebody was shown it");
}

#[test]
fn a_node_killed_at_any_moment_keeps_what_is_durable() {
    let room = Room::new(&[12]);
    // Taken and given back, so that nobody listens there for now.
    let address = format!("tcp://{}", TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap());
    let mut moments = Moments::new(2);
    let mut durable = BTreeSet::new();
    for round in 0..10 {
        let mut node = room.node(12, &address, "");
        node.says(&[("type", "start")]);
        node.type_in(&format!("raise rocket-launch rounds={} key={round}", round + 1));
        moments.wait_within(60);
        node.kill();
        durable.extend(node.told("news", "durable"));
    }
    let (_gateway, _) = room.gateway(&format!("--listen {address}"));
    let mut node = room.node(12, &address, "");
    node.end_input();
    assert_eq!(node.ends(), 0);
    drop(_gateway);
    let stored: BTreeSet<_> = room.stored().into_iter().collect();
    assert!(!durable.is_empty() && durable.is_subset(&stored), "durable {durable:?}, stored {stored:?}");
}

#[test]
fn a_node_killed_at_any_moment_uses_no_counter_twice() {
    let room = Room::new(&[12]);
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let address = format!("tcp://{}", listener.local_addr().unwrap());
    // A gateway that writes down what it hears and never answers.
    let (sender, heard) = std::sync::mpsc::channel();
    thread::spawn(move || {
        for mut stream in listener.incoming().map_while(Result::ok) {
            let sender = sender.clone();
            thread::spawn(move || {
                let mut deframer = Deframer::<FRAME_LEN_MAX>::new();
                let mut bytes = [0; 256];
                while let Ok(len @ 1..) = stream.read(&mut bytes) {
                    for &byte in &bytes[..len] {
                        if let Some(Fed::Packet(packet)) = deframer.feed(byte) {
                            let _ = sender.send(u32::from_be_bytes(packet[4..8].try_into().unwrap()));
                        }
                    }
                }
            });
        }
    });
    let mut moments = Moments::new(3);
    for round in 0..15 {
        let mut node = room.node(12, &address, "");
        node.says(&[("type", "start")]);
        for alert in 0..4 {
            node.type_in(&format!("raise rocket-launch rounds={} key={alert}", round + 1));
        }
        moments.wait_within(150);
        node.kill();
    }
    let mut counters = Vec::new();
    while let Ok(counter) = heard.recv_timeout(Duration::from_secs(2)) {
        counters.push(counter);
    }
    let different: BTreeSet<_> = counters.iter().collect();
    assert_eq!(different.len(), counters.len(), "{counters:?}");
    assert!(counters.len() > 30, "{} packets", counters.len());
}
