//! Whatever happens to a packet on the way, it arrives as it was sent or not at all.

use std::collections::BTreeMap;

use alertbus::NodeId;
use alertbus::limits::BODY_LEN_MAX;
use alertbus::wire::frame::{Fed, StreamDeframer};
use alertbus::wire::keys::{Epoch, LinkKeys, MasterKey};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::{self, Header};

use crate::golden;
use crate::random::Random;
use crate::spec::CLASS;
use crate::vector::{Given, Vector};
use crate::{core_side, spec};

/// A receiver that holds all four keys of the sender's epoch and takes whichever the header asks for.
struct Receiver {
    keys: LinkKeys,
    epoch: Epoch,
    node: NodeId,
    tag: TagLength,
}

impl Receiver {
    fn of(given: &Given) -> Self {
        let epoch = Epoch(given.epoch);
        let keys = LinkKeys::new(&core_side::node_key(given), epoch);
        Self { keys, epoch, node: NodeId(given.node), tag: core_side::tag(given) }
    }

    /// None when refused; otherwise whether the cipher had to be asked, and what it opened.
    fn open(&self, bytes: &[u8]) -> (bool, Option<(Header, Vec<u8>)>) {
        let Ok(sealed) = packet::parse(bytes, self.tag) else { return (false, None) };
        let header = *sealed.header();
        if header.node != self.node || header.epoch_low != self.epoch.low() {
            return (false, None);
        }
        let key = self.keys.key(header.class.direction(), header.exercise);
        let mut out = [0; BODY_LEN_MAX];
        let opened = sealed.open(key, &mut out).map(|body| (header, body.to_vec())).ok();
        (true, opened)
    }

    #[track_caller]
    fn refuses(&self, bytes: &[u8], what: impl Fn() -> String) {
        let (_, opened) = self.open(bytes);
        assert!(opened.is_none(), "{}", what());
    }
}

/// One packet of each sort of body under each tag, the longest that the golden file has.
fn samples() -> Vec<(Given, Vec<u8>)> {
    let mut longest = BTreeMap::<_, Vector>::new();
    for vector in golden::vectors() {
        let len = vector.derived.packet.0.len();
        let kept = longest.entry((vector.given.message.sort(), vector.given.tag_len));
        let kept = kept.or_insert_with(|| vector.clone());
        if len > kept.derived.packet.0.len() {
            *kept = vector;
        }
    }
    assert_eq!(longest.len(), 2 * 6, "six sorts of body, two tags");
    for class in CLASS {
        assert!(longest.values().any(|vector| vector.given.class == class), "no {class}");
    }
    longest.into_values().map(|vector| (vector.given, vector.derived.packet.0)).collect()
}

#[test]
fn untouched_packets_are_opened() {
    for (given, packet) in samples() {
        let (asked, opened) = Receiver::of(&given).open(&packet);
        assert!(asked && opened.is_some_and(|(header, _)| header == core_side::header(&given)));
    }
}

#[test]
fn every_flipped_bit_is_refused() {
    for (given, packet) in samples() {
        let receiver = Receiver::of(&given);
        for bit in 0..8 * packet.len() {
            let mut flipped = packet.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            receiver.refuses(&flipped, || format!("{} with bit {bit} flipped", given.class));
        }
    }
}

#[test]
fn every_two_flipped_bits_of_header_and_tag_are_refused() {
    for (given, packet) in samples() {
        let receiver = Receiver::of(&given);
        let outside_body: Vec<usize> =
            (0..64).chain(8 * (packet.len() - usize::from(given.tag_len))..8 * packet.len()).collect();
        for (at, &first) in outside_body.iter().enumerate() {
            for &second in &outside_body[at + 1..] {
                let mut flipped = packet.clone();
                flipped[first / 8] ^= 1 << (first % 8);
                flipped[second / 8] ^= 1 << (second % 8);
                receiver.refuses(&flipped, || format!("{}, bits {first} and {second}", given.class));
            }
        }
    }
}

#[test]
fn every_truncation_and_every_extension_by_a_byte_is_refused() {
    for (given, packet) in samples() {
        let receiver = Receiver::of(&given);
        for len in 0..packet.len() {
            receiver.refuses(&packet[..len], || format!("{} cut to {len} bytes", given.class));
            receiver
                .refuses(&packet[packet.len() - len..], || format!("last {len} bytes of {}", given.class));
        }
        for byte in 0..=u8::MAX {
            receiver.refuses(&[&packet[..], &[byte]].concat(), || format!("{} and {byte}", given.class));
            receiver.refuses(&[&[byte], &packet[..]].concat(), || format!("{byte} and {}", given.class));
        }
    }
}

/// The longest packets are refused for their length already; here there is room.
#[test]
fn a_short_packet_extended_or_on_the_wrong_link_is_refused() {
    for vector in golden::vectors() {
        let receiver = Receiver::of(&vector.given);
        let packet = &vector.derived.packet.0;
        for at in 0..=packet.len() {
            for byte in [0, 1, 0x7f, 0xff] {
                let longer = [&packet[..at], &[byte], &packet[at..]].concat();
                receiver.refuses(&longer, || format!("{} with {byte} put in at {at}", vector.name));
            }
        }
        let tag = match receiver.tag {
            TagLength::Short => TagLength::Long,
            TagLength::Long => TagLength::Short,
        };
        Receiver { tag, ..receiver }.refuses(packet, || format!("{} on the wrong link", vector.name));
    }
}

/// The same bytes under the keys of a neighbour: another node, network, master, epoch, direction or purpose.
#[test]
fn no_other_key_opens_a_packet() {
    for vector in golden::vectors() {
        let given = &vector.given;
        for (what, other) in [
            ("node", Given { node: given.node ^ 1, ..given.clone() }),
            ("network", Given { network: given.network ^ 1, ..given.clone() }),
            ("epoch with the same low byte", Given { epoch: given.epoch ^ 0x100, ..given.clone() }),
        ] {
            let receiver = Receiver { node: NodeId(given.node), ..Receiver::of(&other) };
            let (asked, opened) = receiver.open(&vector.derived.packet.0);
            assert!(asked && opened.is_none(), "{}: opened by another {what}", vector.name);
        }
        let mut master = MasterKey::from_bytes([0x5a; 16]).node_key(given.network, NodeId(given.node));
        let receiver = Receiver { keys: LinkKeys::new(&master, Epoch(given.epoch)), ..Receiver::of(given) };
        receiver.refuses(&vector.derived.packet.0, || format!("{}: opened by another master", vector.name));
        // What opens it is the node's own key and nothing but it.
        master = core_side::node_key(given);
        let receiver = Receiver { keys: LinkKeys::new(&master, Epoch(given.epoch)), ..receiver };
        assert!(receiver.open(&vector.derived.packet.0).1.is_some());
    }
}

const FORGERIES: u32 = 1_000_000;

/// A million forgeries of every sort a forger without the key has. With 64 bits of tag the chance that one of
/// them is taken by luck is one in 2 × 10^13.
#[test]
fn a_million_forgeries_are_refused() {
    let samples: Vec<(Receiver, Vec<u8>)> =
        samples().into_iter().map(|(given, packet)| (Receiver::of(&given), packet)).collect();
    let mut random = Random(0x0a1e_27b0_5000_0001);
    let mut reached_the_cipher = 0;
    for forgery in 0..FORGERIES {
        let (receiver, genuine) = &samples[random.below(samples.len())];
        let other = &samples[random.below(samples.len())].1;
        let forged = forge(&mut random, genuine, other);
        if samples.iter().any(|(_, packet)| *packet == forged) {
            continue;
        }
        let (asked, opened) = receiver.open(&forged);
        reached_the_cipher += u32::from(asked);
        assert!(opened.is_none(), "forgery {forgery}: {forged:02x?}");
    }
    // A test in which the length or the version had refused nearly all would show nothing of the tag.
    assert!(reached_the_cipher > FORGERIES / 2, "{reached_the_cipher}");
}

fn forge(random: &mut Random, genuine: &[u8], other: &[u8]) -> Vec<u8> {
    let mut forged = genuine.to_vec();
    match random.below(8) {
        0 => {
            for _ in 0..=random.below(8) {
                let bit = random.below(8 * forged.len());
                forged[bit / 8] ^= 1 << (bit % 8);
            }
        }
        1 => {
            let at = random.below(forged.len());
            forged[at..].iter_mut().for_each(|byte| *byte = random.byte());
        }
        2 => {
            // A counter of the forger's choice on a genuine body.
            forged[4..8].iter_mut().for_each(|byte| *byte = random.byte());
        }
        3 => {
            // Another class, precedence or purpose on a genuine body.
            forged[0] ^= 2 << random.below(5);
            forged[0] = forged[0] & 0b0011_1110 | 0b0100_0000;
        }
        4 => forged.truncate(random.below(forged.len())),
        5 => {
            let at = random.below(forged.len().min(other.len()));
            forged.truncate(at);
            forged.extend(&other[at..]);
        }
        6 => {
            let at = 8 + random.below(forged.len() - 8);
            let with = 8 + random.below(forged.len() - 8);
            forged.swap(at, with);
        }
        _ => {
            // Made up whole behind a genuine header, at a length that the link allows.
            forged.truncate(8);
            forged.extend((0..16 + random.below(28)).map(|_| random.byte()));
        }
    }
    forged
}

/// The check on streams is no security, but noise that hits a frame must show there before it costs a tag.
#[test]
fn every_flipped_bit_of_a_frame_fails_its_check() {
    for vector in golden::vectors() {
        let packet = &vector.derived.packet.0;
        let check = spec::crc16(packet);
        for bit in 0..8 * packet.len() {
            let mut flipped = packet.clone();
            flipped[bit / 8] ^= 1 << (bit % 8);
            assert_ne!(spec::crc16(&flipped), check);
        }
    }
}

/// A million disturbed frames: what comes out of the line and opens is what went in.
#[test]
fn a_million_disturbed_frames_arrive_whole_or_not_at_all() {
    let samples: Vec<(Receiver, Vec<u8>)> = samples()
        .into_iter()
        .filter(|(given, _)| given.tag_len == 16)
        .map(|(given, packet)| (Receiver::of(&given), packet))
        .collect();
    let mut random = Random(0x0a1e_27b0_5000_0002);
    let mut deframer = StreamDeframer::new();
    let (mut noise, mut whole) = (0, 0);
    for _ in 0..FORGERIES {
        let (receiver, genuine) = &samples[random.below(samples.len())];
        let mut line = spec::frame(genuine);
        for _ in 0..=random.below(3) {
            disturb(&mut random, &mut line);
        }
        for byte in line {
            match deframer.feed(byte) {
                Some(Fed::Packet(packet)) if packet == genuine => whole += 1,
                Some(Fed::Packet(packet)) => receiver.refuses(packet, || format!("{packet:02x?}")),
                Some(Fed::Noise(_)) => noise += 1,
                None => {}
            }
        }
        // The next frame starts on a clean line.
        let _ = deframer.feed(0);
    }
    assert!(noise > FORGERIES / 2 && whole > 0, "{noise} noise, {whole} whole");
}

fn disturb(random: &mut Random, line: &mut Vec<u8>) {
    let at = random.below(line.len());
    match random.below(6) {
        0 => line[at] ^= 1 << random.below(8),
        1 => line[at] = random.byte(),
        2 => line[at] = 0,
        3 => line.insert(at, random.byte()),
        4 if line.len() > 1 => drop(line.remove(at)),
        _ => line.insert(0, 0),
    }
}
