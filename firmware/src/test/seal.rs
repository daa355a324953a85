//! Every golden packet: sealed as the file has it, framed, found again, opened; and refused with one bit changed.

#![no_std]
#![no_main]

use alertbus::limits::{BODY_LEN_MAX, FRAME_LEN_MAX, PACKET_LEN_MAX};
use alertbus::wire::frame::{self, Fed, StreamDeframer};
use alertbus::wire::keys::{Epoch, MasterKey};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::{self, BadTag, Class};
use cortex_m_rt::entry;
use cortex_m_semihosting::hprintln;

use alertbus_firmware::testing::{self, Fingerprint};

/// A golden packet: what is given, and what must come out. The packet's own header gives the rest.
struct Vector {
    master_key: [u8; 16],
    network: u32,
    epoch: u32,
    tag_len: u8,
    body: &'static [u8],
    packet: &'static [u8],
    /// Empty where its link is no byte stream.
    frame: &'static [u8],
}

include!(concat!(env!("OUT_DIR"), "/golden.rs"));

#[entry]
fn main() -> ! {
    testing::run(|| {
        let (mut seen, mut classes, mut frames, mut bits) = (Fingerprint::new(), [0; 4], 0, 0);
        let mut deframer = StreamDeframer::new();
        for (at, vector) in GOLDEN.iter().enumerate() {
            classes[check(vector, at) as usize] += 1;
            bits += tamper(vector, at);
            frames += u32::from(check_frame(vector, &mut deframer, at));
            seen.feed(vector.packet);
        }
        let [alerts, reports, acks, commands] = classes;
        hprintln!("{} golden packets sealed and opened", GOLDEN.len());
        hprintln!("  {} alerts, {} reports, {} acks, {} commands", alerts, reports, acks, commands);
        hprintln!("  {} framed, and found in a stream", frames);
        hprintln!("  {} changed by a bit, and refused", bits);
        hprintln!("  fingerprint {:016x}", seen.value());
    })
}

/// Both ways: what is given becomes the packet, and the packet what was given.
fn check(vector: &Vector, at: usize) -> Class {
    let tag = tag(vector);
    let sealed = packet::parse(vector.packet, tag).unwrap_or_else(|error| panic!("vector {at}: {error}"));
    let header = sealed.header();
    let node_key = MasterKey::from_bytes(vector.master_key).node_key(vector.network, header.node);
    let key = node_key.link_key(header.class.direction(), header.exercise, Epoch(vector.epoch));
    let mut out = [0; PACKET_LEN_MAX];
    assert_eq!(packet::seal(&key, header, vector.body, tag, &mut out), Ok(vector.packet), "vector {at}");
    let mut body = [0; BODY_LEN_MAX];
    assert_eq!(sealed.open(&key, &mut body), Ok(vector.body), "vector {at}");
    header.class
}

/// One bit changed, another one in each vector, so that every byte of a packet has its turn. A header may say with it
/// that this is no packet, or one for another key; what is left is the tag's to refuse. How many were refused.
fn tamper(vector: &Vector, at: usize) -> u32 {
    let tag = tag(vector);
    let mut changed = [0; PACKET_LEN_MAX];
    let changed = &mut changed[..vector.packet.len()];
    changed.copy_from_slice(vector.packet);
    changed[at % vector.packet.len()] ^= 1 << (at % 8);
    let Ok(sealed) = packet::parse(changed, tag) else { return 1 };
    let Ok(header) = packet::parse(vector.packet, tag).map(|sealed| *sealed.header()) else { return 0 };
    let node_key = MasterKey::from_bytes(vector.master_key).node_key(vector.network, header.node);
    let key = node_key.link_key(header.class.direction(), header.exercise, Epoch(vector.epoch));
    let mut body = [0; BODY_LEN_MAX];
    assert_eq!(sealed.open(&key, &mut body), Err(BadTag), "vector {at}");
    assert_eq!(body, [0; BODY_LEN_MAX], "vector {at}: nothing of what is refused is shown");
    1
}

/// Whether it has a frame, which is written and read as the file has it.
fn check_frame(vector: &Vector, deframer: &mut StreamDeframer, at: usize) -> bool {
    if vector.frame.is_empty() {
        return false;
    }
    let mut out = [0; FRAME_LEN_MAX];
    assert_eq!(frame::encode(vector.packet, &mut out), Some(vector.frame), "vector {at}");
    let (delimiter, stuffed) = vector.frame.split_last().unwrap_or((&0, &[]));
    for byte in stuffed {
        assert_eq!(deframer.feed(*byte), None, "vector {at}");
    }
    assert_eq!(deframer.feed(*delimiter), Some(Fed::Packet(vector.packet)), "vector {at}");
    true
}

fn tag(vector: &Vector) -> TagLength {
    if vector.tag_len == 16 { TagLength::Long } else { TagLength::Short }
}
