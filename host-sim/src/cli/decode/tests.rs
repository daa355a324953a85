//! Packets good, changed and made up, through the command and its options.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alertbus::message::{Acted, Command, CommandId, CommandResult, NodeId, Order};
use alertbus::place::SiteId;
use alertbus::wire::packet::{Class, Header};
use clap::Parser;
use proptest::prelude::*;
use serde_json::Value;

use super::*;

/// What `--json` prints of a packet under these keys, for the tests of `encode`.
pub(in crate::cli) fn packet_object(packet: &[u8], keys: &Keys) -> Value {
    let assumptions = Assumptions { framed: false, tag: None, keys: Some(keys), epoch: Epoch(1) };
    let mut out = Vec::new();
    show::json(1, &packet::dissect(packet, &assumptions), &mut out).unwrap();
    serde_json::from_slice(&out).unwrap()
}

#[derive(Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

/// Exit code and output of `decode` with these arguments.
fn decode(arguments: &[&str], input: &[u8]) -> (u8, String) {
    let Line { args } = Line::parse_from([&["decode"], arguments].concat());
    let mut out = Vec::new();
    let code = print(&args, &mut &*input, &mut out, &mut io::sink()).unwrap();
    (code, anstream::adapter::strip_str(&String::from_utf8(out).unwrap()).to_string())
}

fn object(arguments: &[&str]) -> (u8, Value) {
    let (code, out) = decode(&[&["--json"], arguments].concat(), b"");
    (code, serde_json::from_str(&out).unwrap())
}

/// A packet under the keys of seed 1.
fn sealed(class: Class, body: &[u8], tag: TagLength) -> Vec<u8> {
    let precedence = alertbus::Precedence::Immediate;
    let header = Header { class, precedence, exercise: false, epoch_low: 1, node: NodeId(7), counter: 258 };
    let mut room = [0; 59];
    let key = Keys::of_seed(1).link_key(&header, Epoch(1));
    alertbus::wire::packet::seal(&key, &header, body, tag, &mut room).unwrap().to_vec()
}

fn ack() -> Vec<u8> {
    sealed(Class::Ack, &[0, 0, 0, 9, 0x80, 0, 0, 4], TagLength::Short)
}

#[test]
fn a_command_and_its_answer_as_people_see_them() {
    let id = CommandId { epoch_low: 1, counter: 0x0300_0504 };
    let order = Order::Warn { zone: SiteId(259), kind: 2, duration_s: 300 };
    let mut room = [0; 35];
    let len = Command { echo: 1_000, id, order }.encode(&mut room);
    let body_of = |class, body: &[u8]| {
        let packet = hex::text(&sealed(class, body, TagLength::Short));
        let (code, out) = decode(&["--seed", "1", &packet], b"");
        assert_eq!(code, 0, "{out}");
        assert!(out.contains(if class == Class::Command { "command, down" } else { "report, up" }), "{out}");
        out.split_once("body in clear\n").unwrap().1.to_owned()
    };
    assert_eq!(
        body_of(Class::Command, &room[..len]),
        "   8  00 00 03 e8              echo        1000, the highest counter opened from the node
  12  01 03 00 05 04           id          1/3/1284: first sent as packet 1284 of gateway 3, in an epoch that ends in 01
  17  01                       order       warn
  18  01 03                    zone        site 259
  20  02                       kind        cram-engagement
  21  01 2c                    duration-s  300 s
"
    );
    assert_eq!(
        body_of(Class::Report, &Acted { id, result: CommandResult::Done }.encode()),
        "   8  02                       report-kind  2, the answer to a command
   9  01 03 00 05 04           id           1/3/1284: first sent as packet 1284 of gateway 3, in an epoch that ends in 01
  14  00                       result       done
"
    );
}

#[test]
fn without_keys_the_header_is_read_and_the_body_stays_sealed() {
    let (code, out) = decode(&[&hex::text(&ack())], b"");
    assert_eq!(code, 0);
    assert!(out.starts_with("packet 1: 24 bytes\n"), "{out}");
    for part in ["acknowledgement, down", "7, the destination", "8 bytes, sealed", "--seed N"] {
        assert!(out.contains(part), "{part} in {out}");
    }
}

#[test]
fn the_length_of_the_tag_is_the_one_with_which_it_opens() {
    for (tag, length) in [(TagLength::Short, 8), (TagLength::Long, 16)] {
        let text = hex::text(&sealed(Class::Ack, &[0, 0, 0, 9], tag));
        let (code, found) = object(&["--seed", "1", &text]);
        assert_eq!((code, &found["authentic"], &found["tag_length"]), (0, &true.into(), &length.into()));
    }
    let long = hex::text(&sealed(Class::Ack, &[0, 0, 0, 9], TagLength::Long));
    let (code, found) = object(&["--seed", "1", "--tag", "short", &long]);
    assert_eq!((code, &found["authentic"]), (1, &false.into()));
}

#[test]
fn every_flipped_bit_is_noticed() {
    let packet = ack();
    for bit in 0..packet.len() * 8 {
        let mut changed = packet.clone();
        changed[bit / 8] ^= 1 << (bit % 8);
        let (code, found) = object(&["--seed", "1", &hex::text(&changed)]);
        assert_eq!(code, 1, "bit {bit}");
        // Version, reserved bit, or the tag, whatever was changed under it.
        let offset = found["wrong"]["offset"].as_u64().unwrap();
        assert!(offset == 0 || offset == 16, "bit {bit}: {found}");
    }
}

#[test]
fn another_epoch_is_resolved_upwards() {
    let packet = hex::text(&ack());
    let authentic = |epoch| object(&["--seed", "1", "--epoch", epoch, &packet]).1["authentic"].clone();
    assert_eq!(authentic("0"), true);
    assert_eq!(authentic("2"), false, "257 is not 1");
    let (code, found) = object(&["--seed", "1", "--epoch", "4294967295", &packet]);
    assert_eq!((code, &found["wrong"]["offset"]), (1, &1.into()));
}

#[test]
fn the_first_wrong_byte_is_named() {
    let packet = hex::text(&ack());
    let at = |text: &str| {
        let (code, found) = object(&[text]);
        let wrong = &found["wrong"];
        (code, wrong["of"].as_str().map(String::from), wrong["offset"].as_u64(), wrong["byte"].as_u64())
    };
    let in_packet = |offset, byte| (1, Some("packet".into()), Some(offset), byte);
    assert_eq!(at("8c"), in_packet(0, Some(0x8c)));
    assert_eq!(at(&packet.replacen('6', "e", 1)), in_packet(0, Some(0xe8)));
    assert_eq!(at(&packet.replacen("68", "69", 1)), in_packet(0, Some(0x69)));
    assert_eq!(at("68"), in_packet(1, None));
    assert_eq!(at(&packet[..20]), in_packet(10, None));
    assert_eq!(at(&packet[..21]), in_packet(10, None));
    assert_eq!(at(&format!("{packet}{}", "ab".repeat(90))), in_packet(59, Some(0xab)));
    assert_eq!(at("024c00"), in_packet(0, Some(2)), "no frame: there is no room for a check");
}

#[test]
fn frames_are_judged_or_asked_for() {
    let mut room = [0; 63];
    let framed = hex::text(alertbus::wire::frame::encode(&ack(), &mut room).unwrap());
    for arguments in [&["--seed", "1", &framed][..], &["--seed", "1", "--frame", &framed]] {
        let (code, found) = object(arguments);
        assert_eq!((code, &found["framed"], &found["authentic"]), (0, &true.into(), &true.into()));
    }
    // The same without its end is a frame only where one is asked for.
    let cut = &framed[..framed.len() - 2];
    assert_eq!(object(&["--seed", "1", cut]).1["framed"], false);
    let (code, found) = object(&["--seed", "1", "--frame", cut]);
    assert_eq!((code, &found["wrong"]["of"], &found["authentic"]), (1, &"frame".into(), &true.into()));
}

#[test]
fn lines_are_packets_and_the_worst_gives_the_exit_code() {
    let packet = hex::text(&ack());
    let input = format!("{packet}\n\n  \n0x{packet}\r\n");
    let (code, out) = decode(&["--json", "--seed", "1", "-"], input.as_bytes());
    assert_eq!((code, out.lines().count()), (0, 2));
    assert_eq!(decode(&["--json", &packet, "8c"], b"").0, 1);
    let (code, out) = decode(&["--json", &packet, "8c", "what?", &packet], b"");
    assert_eq!((code, out.lines().count()), (2, 3));
    assert_eq!(decode(&["-"], &[0xff, 0xfe, b'\n']).0, 2);
}

#[test]
fn a_line_without_end_is_refused() {
    let Line { args } = Line::parse_from(["decode", "-"]);
    let long = vec![b'4'; LINE_LEN_MAX + 1];
    let error = print(&args, &mut &*long, &mut Vec::new(), &mut io::sink()).unwrap_err();
    assert!(error.to_string().starts_with("line 1 of standard input is longer than"), "{error}");
}

#[test]
fn a_lost_output_is_an_error() {
    let Line { args } = Line::parse_from(["decode", &hex::text(&ack())]);
    let mut full: &mut [u8] = &mut [0; 20];
    assert!(print(&args, &mut io::empty(), &mut full, &mut io::sink()).unwrap_err().is::<io::Error>());
}

proptest! {
    #[test]
    fn no_bytes_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..130),
        framed in any::<bool>(),
        tag in prop::option::of(prop::sample::select(vec![TagLength::Short, TagLength::Long])),
        seed in prop::option::of(0_u64..3),
        epoch in any::<u32>(),
    ) {
        let keys = seed.map(Keys::of_seed);
        let assumptions = Assumptions { framed, tag, keys: keys.as_ref(), epoch: Epoch(epoch) };
        let found = packet::dissect(&bytes, &assumptions);
        let mut out = Vec::new();
        show::text(1, &found, &mut out).unwrap();
        show::json(1, &found, &mut out).unwrap();
        // Nothing random is authentic, so something is wrong wherever there are keys to try.
        prop_assert!(found.authentic != Some(true) && (keys.is_none() || found.wrong.is_some()));
    }

    #[test]
    fn no_authentic_body_panics(
        class in prop::sample::select(vec![Class::Alert, Class::Report, Class::Ack, Class::Command]),
        body in prop::collection::vec(any::<u8>(), 0..=35),
    ) {
        let packet = sealed(class, &body, TagLength::Short);
        let keys = Keys::of_seed(1);
        let assumptions = Assumptions { framed: false, tag: None, keys: Some(&keys), epoch: Epoch(1) };
        let found = packet::dissect(&packet, &assumptions);
        prop_assert_eq!(found.authentic, Some(true));
        let mut out = Vec::new();
        show::text(1, &found, &mut out).unwrap();
        show::json(1, &found, &mut out).unwrap();
    }

    #[test]
    fn no_argument_panics(text in "[0-9a-fA-Fx :]{0,200}|.{0,80}") {
        if text != "-" && !text.starts_with('-') {
            let _ = decode(&["--seed", "1", &text], b"");
        }
    }
}
