//! A desk between the core's own node and an outbox, on a clock that only goes when it is told to.

use std::fs;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering as Atomic};

use alertbus::limits::{DOWN_COUNTERS_LOW, PACKET_LEN_MAX};
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{AlertDraft, ResetCause};
use alertbus::role::node::{Node, NodeConfig, Submission};
use alertbus::role::siren::{Siren, SirenConfig, Sound};
use alertbus::store::Volatile;

use crate::outbox::Owner;

use super::*;

const LINK: Link = Link::stream(0);
const NODE: NodeId = NodeId(12);

/// A folder of a test's own, gone when it ends.
struct Room(PathBuf);

impl Room {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Atomic::Relaxed);
        let path = std::env::temp_dir().join(format!("alertbus-desk-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("the folder is new");
        Self(path)
    }

    fn outbox(&self) -> Outbox {
        let owner = Owner { gateway: 1, network: 7, master: "a".into() };
        Outbox::open(&self.0.join("state"), &owner).expect("it is ours")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn master() -> MasterKey {
    MasterKey::from_bytes([7; 16])
}

fn start(outbox: &Outbox, now_ms: u64) -> Desk {
    let nodes = vec![(NODE, Epoch(1))];
    let rolls = BTreeMap::new();
    let roll = Roll { gateway: 1, network: 7, master: master(), nodes, rolls, exercise: false };
    Desk::start(&roll, outbox, Instant::START, now_ms).expect("the outbox is in order")
}

fn node() -> Node<Volatile, 8> {
    let config =
        NodeConfig { node: NODE, key: master().node_key(7, NODE), reset_cause: ResetCause::PowerOn, seed: 1 };
    Node::start(config, Volatile::new(Epoch(1), 1), Instant::START)
}

fn siren() -> Siren<Volatile> {
    let key = master().node_key(7, NODE);
    let config = SirenConfig { node: NODE, key, reset_cause: ResetCause::PowerOn, exercise: false };
    Siren::start(config, Volatile::new(Epoch(1), 1), Instant::START)
}

fn at(ms: u64) -> Instant {
    Instant::from_millis(ms)
}

/// Writes what has gathered.
fn sync(desk: &mut Desk, outbox: &Outbox) {
    while let Some(batch) = desk.take_batch() {
        outbox.commit(&batch).expect("there is room");
        desk.synced();
    }
}

fn raise(node: &mut Node<Volatile, 8>, now: Instant, rounds: u8) {
    let draft = AlertDraft::new(RocketLaunch { rounds, ..RocketLaunch::default() });
    assert!(matches!(node.raise(now, draft), Submission::Queued { .. }));
}

/// Everything that the node has to say now; how many alerts were new.
fn up(node: &mut Node<Volatile, 8>, desk: &mut Desk, now: Instant) -> usize {
    node.handle_timeout(now);
    let mut room = [0; PACKET_LEN_MAX];
    let mut alerts = 0;
    while let Some(packet) = node.poll_transmit(now, &LINK, &mut room) {
        alerts += usize::from(matches!(desk.handle_packet(now, 1, &LINK, packet), GatewayEvent::Alert(_)));
    }
    alerts
}

/// Everything that the gateway has to say now.
fn down(desk: &mut Desk, node: &mut Node<Volatile, 8>, now: Instant) {
    let mut room = [0; PACKET_LEN_MAX];
    while let Some(transmit) = desk.poll_transmit(now, &LINK, &mut room) {
        node.handle_packet(now, &LINK, transmit.packet).expect("it is for this node");
    }
}

#[test]
fn nothing_is_acknowledged_before_it_is_on_the_disk() {
    let room = Room::new();
    let outbox = room.outbox();
    let (mut desk, mut node) = (start(&outbox, 1), node());
    raise(&mut node, at(1), 1);
    assert_eq!(up(&mut node, &mut desk, at(1)), 1);
    down(&mut desk, &mut node, at(2));
    assert_eq!(node.resident(), 1);
    let batch = desk.take_batch().expect("an alert is to be written");
    down(&mut desk, &mut node, at(3));
    assert!(desk.take_batch().is_none(), "one batch after the other");
    assert_eq!(node.resident(), 1, "it is under way, and not there");
    outbox.commit(&batch).expect("there is room");
    assert_eq!(desk.synced(), 1);
    down(&mut desk, &mut node, at(4));
    assert_eq!(node.resident(), 0);
}

#[test]
fn what_gathers_while_a_batch_is_on_its_way_knows_of_it() {
    let room = Room::new();
    let mut node = node();
    {
        let outbox = room.outbox();
        let mut desk = start(&outbox, 1);
        raise(&mut node, at(1), 1);
        assert_eq!(up(&mut node, &mut desk, at(1)), 1);
        let first = desk.take_batch().expect("an alert is to be written");
        raise(&mut node, at(2), 2);
        assert_eq!(up(&mut node, &mut desk, at(2)), 1);
        outbox.commit(&first).expect("there is room");
        desk.synced();
        let second = desk.take_batch().expect("another alert is to be written");
        outbox.commit(&second).expect("there is room");
        // Killed before it could say so.
    }
    let outbox = room.outbox();
    let mut desk = start(&outbox, 1);
    assert_eq!(node.resident(), 2);
    assert_eq!(up(&mut node, &mut desk, at(60_000)), 0, "both are known");
    down(&mut desk, &mut node, at(60_001));
    assert_eq!((node.resident(), outbox.last().expect("it is in order")), (0, 2));
}

#[test]
fn down_counters_are_on_the_disk_before_they_are_used() {
    let room = Room::new();
    let outbox = room.outbox();
    let (mut desk, mut node) = (start(&outbox, 1), node());
    let key = (NODE, Epoch(1));
    let set_aside = |outbox: &Outbox| outbox.down().expect("it is in order").get(&key).copied();
    assert_eq!(set_aside(&outbox), Some(1 + DOWN_COUNTERS));
    let mut answers = 0;
    for second in 1.. {
        raise(&mut node, at(second * 1_000), 1);
        up(&mut node, &mut desk, at(second * 1_000));
        if desk.next.down.contains_key(&key) {
            break;
        }
        sync(&mut desk, &outbox);
        down(&mut desk, &mut node, at(second * 1_000 + 1));
        answers += 1;
        assert!(answers <= DOWN_COUNTERS, "nobody asks for more");
    }
    assert!(answers >= DOWN_COUNTERS - DOWN_COUNTERS_LOW - 1, "asked for after {answers} already");
    assert_eq!(set_aside(&outbox), Some(1 + DOWN_COUNTERS));
    sync(&mut desk, &outbox);
    assert_eq!(set_aside(&outbox), Some(1 + 2 * DOWN_COUNTERS));
    // And a start takes none that may have been used.
    drop(desk);
    let again = start(&outbox, 1);
    assert_eq!(again.down.get(&key), Some(&(1 + 3 * DOWN_COUNTERS)));
}

#[test]
fn a_warning_is_owed_until_it_is_answered_and_remembered_while_it_sounds() {
    let room = Room::new();
    let outbox = room.outbox();
    let (mut first, mut siren) = (start(&outbox, 1_000), siren());
    let report = |siren: &mut Siren<Volatile>, desk: &mut Desk, now| {
        let mut room = [0; PACKET_LEN_MAX];
        siren.handle_timeout(now);
        while let Some(packet) = siren.poll_transmit(now, &LINK, &mut room) {
            let _ = desk.handle_packet(now, 1, &LINK, packet);
        }
    };
    let warned = first.warn(at(1), 1_000, NODE, 1, 60).expect("there are counters");
    sync(&mut first, &outbox);
    drop(first);
    // A third of it is over when the next gateway starts.
    let mut second = start(&outbox, 21_000);
    let owed: Vec<_> = second.owed().collect();
    assert!(owed.len() == 1 && owed[0].1 != warned, "{owed:?}");
    report(&mut siren, &mut second, at(1));
    let mut room = [0; PACKET_LEN_MAX];
    while let Some(transmit) = second.poll_transmit(at(2), &LINK, &mut room) {
        siren.handle_packet(at(2), &LINK, transmit.packet).expect("it is for this siren");
    }
    assert!(matches!(siren.sound(), Sound::Warning { kind: 1, .. }));
    report(&mut siren, &mut second, at(3));
    sync(&mut second, &outbox);
    drop(second);
    // Answered: not given again, and yet known by both its names to whoever clears it.
    let mut third = start(&outbox, 22_000);
    assert_eq!(third.peers().map(|peer| peer.commands().count()).sum::<usize>(), 0);
    assert_eq!(third.warnings(22_000, NODE).len(), 1);
    assert_eq!(third.warnings(22_000, NODE)[0].1.len(), 2);
    assert_eq!(third.clear(at(1), 22_000, NODE, Vec::new()).map(|commands| commands.len()), Ok(1));
    assert!(third.warnings(22_000, NODE).is_empty());
    sync(&mut third, &outbox);
    drop(third);
    // The all-clear is owed now; and what has sounded out is forgotten.
    let fourth = start(&outbox, 22_000);
    assert_eq!(fourth.peers().map(|peer| peer.commands().count()).sum::<usize>(), 1);
}

#[test]
fn a_warning_whose_time_is_over_is_not_given_again() {
    let room = Room::new();
    let outbox = room.outbox();
    let mut first = start(&outbox, 1_000);
    first.warn(at(1), 1_000, NODE, 1, 60).expect("there are counters");
    sync(&mut first, &outbox);
    let mut second = start(&outbox, 61_000);
    assert_eq!(second.owed().count(), 0);
    sync(&mut second, &outbox);
    assert!(outbox.owed().expect("it is in order").is_empty());
}
