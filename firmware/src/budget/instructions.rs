//! What the paths that a warning takes cost in instructions, the worst of every case that is tried. One line each:
//! a name and a number, which the tests hold against `budget.txt` beside this.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::mem::MaybeUninit;

use alertbus::bus::{Bus, Heard, Subscriber, Topic};
use alertbus::limits::{BODY_LEN_MAX, FRAME_LEN_MAX, HEADER_LEN, PACKET_LEN_MAX, TAG_LEN_LONG};
use alertbus::message::kind::{ConvoyIed, CramEngagement, DroneSighting, RocketLaunch};
use alertbus::message::{Body, Epoch, ResetCause, Severity};
use alertbus::place::{Accuracy, Place};
use alertbus::queue::{Lane, PrecedenceQueue, Pushed};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
use alertbus::role::node::{Node, NodeConfig};
use alertbus::store::Volatile;
use alertbus::time::{Duration, Instant};
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::keys::{MasterKey, NodeKey};
use alertbus::wire::link::Link;
use alertbus::{AlertDraft, AlertId, NodeId, Precedence};
use ascon_aead::AsconAead128;
use ascon_aead::aead::{AeadInOut, KeyInit};
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;

use alertbus_firmware::counter::Counter;
use alertbus_firmware::testing;

const NODE_ID: NodeId = NodeId(12);

#[entry]
fn main() -> ! {
    // Not on the stack: the longest has more than a board's.
    static mut OF_8: PrecedenceQueue<u32, 8> = PrecedenceQueue::new();
    static mut OF_32: PrecedenceQueue<u32, 32> = PrecedenceQueue::new();
    static mut OF_64: PrecedenceQueue<u32, 64> = PrecedenceQueue::new();
    static mut OF_256: PrecedenceQueue<u32, 256> = PrecedenceQueue::new();
    static mut OF_LONG: PrecedenceQueue<Long, 64> = PrecedenceQueue::new();
    static mut NODE: MaybeUninit<Sender> = MaybeUninit::uninit();
    static mut GATEWAY: MaybeUninit<Receiver> = MaybeUninit::uninit();
    testing::run(|| {
        let Some(mut counter) = Counter::take() else { return };
        queue(&mut counter, "queue-8", OF_8, 7);
        queue(&mut counter, "queue-32", OF_32, 7);
        queue(&mut counter, "queue-64", OF_64, 7);
        queue(&mut counter, "queue-256", OF_256, 7);
        queue(&mut counter, "queue-64-long", OF_LONG, [7; 8]);
        bus(&mut counter);
        paths(&mut counter, NODE, GATEWAY);
    })
}

/// As long as the alerts that other queues were measured with. An item of one word shows the queue's own work, this
/// one what moving it costs on top.
type Long = [u32; 8];

/// Every fill of every lane above every other: push, pop, and a push that displaces.
#[inline(never)]
fn queue<T: Copy, const N: usize>(
    counter: &mut Counter,
    name: &str,
    queue: &mut PrecedenceQueue<T, N>,
    item: T,
) {
    let (mut push_max, mut pop_max, mut displace_max) = (0, 0, 0);
    for (below, above) in pairs() {
        for fill in 0..=N {
            if fill == N {
                let (count, pushed) = counter.count(|| push(queue, above, &item));
                match pushed {
                    Pushed::Displaced(..) => displace_max = displace_max.max(count),
                    Pushed::Kept(_) | Pushed::Refused(_) => push_max = push_max.max(count),
                }
                break;
            }
            let (count, _) = counter.count(|| push(queue, if fill % 2 == 0 { below } else { above }, &item));
            push_max = push_max.max(count);
            let (count, _) = counter.count(|| pop(queue));
            pop_max = pop_max.max(count);
            let _ = push(queue, below, &item);
        }
        while !queue.is_empty() {
            let (count, _) = counter.count(|| pop(queue));
            pop_max = pop_max.max(count);
        }
    }
    hprintln!("{}-push {}", name, push_max);
    hprintln!("{}-pop {}", name, pop_max);
    hprintln!("{}-displace {}", name, displace_max);
}

/// Every lane with every other.
fn pairs() -> impl Iterator<Item = (Lane, Lane)> {
    let lanes =
        || Precedence::ALL.into_iter().flat_map(|level| [Lane::of(level, false), Lane::of(level, true)]);
    lanes().flat_map(move |below| lanes().map(move |above| (below, above)))
}

#[inline(never)]
fn push<T: Copy, const N: usize>(queue: &mut PrecedenceQueue<T, N>, lane: Lane, item: &T) -> Pushed<T> {
    queue.push(lane, *item)
}

#[inline(never)]
fn pop<T, const N: usize>(queue: &mut PrecedenceQueue<T, N>) -> Option<(T, Lane)> {
    queue.pop()
}

/// A draft through the bus. The whole of each call, of which the part with interrupts masked is some.
#[inline(never)]
fn bus(counter: &mut Counter) {
    static BUS: Bus<4> = Bus::new();
    let mut subscriber = BUS.subscribe(Topic::ALL);
    let (mut publish_max, mut poll_max) = (0, 0);
    for draft in drafts() {
        for _ in 0..6 {
            publish_max = publish_max.max(counter.count(|| bus_publish(&BUS, draft)).0);
        }
        loop {
            let (count, heard) = counter.count(|| bus_poll(&mut subscriber));
            poll_max = poll_max.max(count);
            if heard.is_none() {
                break;
            }
        }
    }
    hprintln!("bus-publish {}", publish_max);
    hprintln!("bus-poll {}", poll_max);
}

#[inline(never)]
fn bus_publish<const CAP: usize>(bus: &Bus<CAP>, draft: AlertDraft) {
    bus.publisher().publish(draft);
}

#[inline(never)]
fn bus_poll<const CAP: usize>(subscriber: &mut Subscriber<'_, CAP>) -> Option<Heard> {
    subscriber.poll()
}

/// The whole way of an alert on either side of a line, and how much of it is not the cipher's own work.
#[inline(never)]
fn paths(counter: &mut Counter, node: &mut MaybeUninit<Sender>, gateway: &mut MaybeUninit<Receiver>) {
    let (mut send_max, mut receive_max) = ([0; 2], [0; 2]);
    for draft in drafts() {
        let mut line = Line {
            now: Instant::START,
            link: Link::stream(0),
            node: start_node(node),
            gateway: start_gateway(gateway),
            deframer: StreamDeframer::new(),
        };
        for turn in 0..40 {
            let draft = AlertDraft { place: place(turn), ..draft };
            let (sent, received, body_len) = line.carry(counter, &draft);
            let (seal, open) = cipher(counter, body_len);
            keep(&mut send_max, sent, seal);
            keep(&mut receive_max, received, open);
        }
    }
    let [send, send_more] = send_max;
    let [receive, receive_more] = receive_max;
    hprintln!("raise-to-frame {}", send);
    hprintln!("raise-to-frame-beside-cipher {}", send_more);
    hprintln!("frame-to-alert {}", receive);
    hprintln!("frame-to-alert-beside-cipher {}", receive_more);
}

fn keep([whole_max, more_max]: &mut [u32; 2], whole: u32, cipher: u32) {
    *whole_max = (*whole_max).max(whole);
    *more_max = (*more_max).max(whole.saturating_sub(cipher));
}

type Sender = Node<Volatile, 32>;
type Receiver = Gateway<1>;

/// A node and a gateway.
struct Line<'r> {
    now: Instant,
    link: Link,
    node: &'r mut Sender,
    gateway: &'r mut Receiver,
    deframer: StreamDeframer,
}

fn key() -> NodeKey {
    MasterKey::from_bytes([7; 16]).node_key(1, NODE_ID)
}

#[inline(never)]
fn start_node(room: &mut MaybeUninit<Sender>) -> &mut Sender {
    let config = NodeConfig { node: NODE_ID, key: key(), reset_cause: ResetCause::PowerOn, seed: 1 };
    room.write(Node::start(config, Volatile::new(Epoch(1), 1), Instant::START))
}

#[inline(never)]
fn start_gateway(room: &mut MaybeUninit<Receiver>) -> &mut Receiver {
    let gateway = room.write(Gateway::new());
    let peer = PeerConfig {
        node: NODE_ID,
        key: key(),
        epoch: Epoch(1),
        gateway: 0,
        down: DownSpan::WHOLE,
        exercise: false,
        answers_reports: false,
        state: Some(PeerState::new(Epoch(1))),
        seed: 1,
    };
    assert!(gateway.add(Instant::START, peer).is_ok());
    gateway
}

impl Line<'_> {
    /// Instructions that it takes to send `draft` and to receive it, and the length of its body.
    fn carry(&mut self, counter: &mut Counter, draft: &AlertDraft) -> (u32, u32, usize) {
        self.now = self.now.after(Duration::from_secs(1));
        self.settle();
        let mut room = [0; FRAME_LEN_MAX];
        let (sent, len) = counter.count(|| send(self.node, self.now, &self.link, draft, &mut room));
        let frame = &room[..len];
        let (received, id) =
            counter.count(|| receive(self.gateway, &mut self.deframer, self.now, &self.link, frame));
        let Some(id) = id else { panic!("an alert goes all the way") };
        assert!(self.gateway.stored(id));
        self.settle();
        assert_eq!(self.node.resident(), 0);
        // A stuffed byte more for each 254, and one; a check of two; a delimiter.
        let packet_len = len - 4;
        (sent, received, packet_len - HEADER_LEN - TAG_LEN_LONG)
    }

    /// Says what either has still to say to the other.
    fn settle(&mut self) {
        loop {
            let (mut up, mut down) = ([0; PACKET_LEN_MAX], [0; PACKET_LEN_MAX]);
            let report = self.node.poll_transmit(self.now, &self.link, &mut up);
            let answer = self.gateway.poll_transmit(self.now, &self.link, &mut down);
            if report.is_none() && answer.is_none() {
                return;
            }
            if let Some(packet) = report {
                let _ = self.gateway.handle_packet(self.now, &self.link, packet);
            }
            if let Some(sent) = answer {
                let _ = self.node.handle_packet(self.now, &self.link, sent.packet);
            }
        }
    }
}

/// From a draft to the bytes for the line; how many.
#[inline(never)]
fn send(
    node: &mut Sender,
    now: Instant,
    link: &Link,
    draft: &AlertDraft,
    room: &mut [u8; FRAME_LEN_MAX],
) -> usize {
    let _ = node.raise(now, *draft);
    let mut packet = [0; PACKET_LEN_MAX];
    let packet = node.poll_transmit(now, link, &mut packet);
    packet.and_then(|packet| frame::encode(packet, room)).map_or(0, <[u8]>::len)
}

/// From the bytes of a line to an accepted alert.
#[inline(never)]
fn receive(
    gateway: &mut Receiver,
    deframer: &mut StreamDeframer,
    now: Instant,
    link: &Link,
    frame: &[u8],
) -> Option<AlertId> {
    let mut id = None;
    for byte in frame {
        if let Some(Fed::Packet(packet)) = deframer.feed(*byte)
            && let GatewayEvent::Alert(received) = gateway.handle_packet(now, link, packet)
        {
            id = Some(received.id);
        }
    }
    id
}

/// What the cipher takes for a body of this length: to seal, and to open.
fn cipher(counter: &mut Counter, body_len: usize) -> (u32, u32) {
    let (key, nonce, header) = (black_box([1; 16]), black_box([2; 16]), black_box([3; HEADER_LEN + 1]));
    let mut room = [4; BODY_LEN_MAX];
    let body = &mut room[..body_len];
    let (seal, tag) = counter.count(|| {
        let cipher = AsconAead128::new(&key.into());
        cipher.encrypt_inout_detached(&nonce.into(), &header, (&mut *body).into())
    });
    let Ok(tag) = tag else { panic!("short bodies are sealed") };
    let (open, opened) = counter.count(|| {
        let cipher = AsconAead128::new(&key.into());
        cipher.decrypt_inout_detached(&nonce.into(), &header, (&mut *body).into(), &tag)
    });
    assert!(opened.is_ok());
    (seal, open)
}

/// One of each kind, with everything known of it.
fn drafts() -> [AlertDraft; 4] {
    let rocket: Body = RocketLaunch { rounds: 11, ..RocketLaunch::default() }.into();
    let bodies = [
        rocket,
        CramEngagement { engaged: 3, destroyed: 2, ..CramEngagement::default() }.into(),
        DroneSighting::default().into(),
        ConvoyIed { vehicles: 2, wounded: 3, ..ConvoyIed::default() }.into(),
    ];
    bodies.map(|body| AlertDraft { severity: Severity::Extreme, ..AlertDraft::new(body) })
}

fn place(turn: i32) -> Place {
    Place::from_degrees_e7(335_300_000 + 2_000 * turn, 442_500_000, Accuracy::within_metres(100))
}
