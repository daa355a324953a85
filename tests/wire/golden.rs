//! The golden file: every line of it three times over, and the one way to add to it.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use alertbus::wire::frame::{self, Deframer, Fed, StreamDeframer};

use crate::core_side;
use crate::vector::Vector;
use crate::{inventory, spec};

const BEGINNING: &str = r#"{
"format": "alertbus wire format, version 1",
"about": "Golden vectors, one a line. What is given is in plain fields, what is derived in hex; WIRE.md tells how.",
"vectors": [
"#;
const END: &str = "\n]\n}\n";

fn path() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("golden/wire_v1.json")
}

/// All vectors of the file, after adding those that it lacks if the environment asks for that.
pub(crate) fn vectors() -> Vec<Vector> {
    static VECTORS: std::sync::OnceLock<Vec<Vector>> = std::sync::OnceLock::new();
    VECTORS.get_or_init(load).clone()
}

fn load() -> Vec<Vector> {
    let text = std::fs::read_to_string(path());
    let append = std::env::var("ALERTBUS_GOLDEN").is_ok_and(|mode| mode == "append");
    if !append {
        return parse(&text.unwrap());
    }
    let before = text.unwrap_or_else(|_| format!("{BEGINNING}{END}"));
    let after = appended(&before, &inventory::all()).unwrap();
    if after != before {
        std::fs::write(path(), &after).unwrap();
    }
    parse(&after)
}

fn parse(text: &str) -> Vec<Vector> {
    #[derive(serde::Deserialize)]
    struct File {
        vectors: Vec<Vector>,
    }
    serde_json::from_str::<File>(text).unwrap().vectors
}

/// The file's text with the missing vectors behind its last line. What stands there stays as it is, byte for
/// byte; a vector that would come out differently now is refused.
fn appended(text: &str, inventory: &[Vector]) -> Result<String, String> {
    let existing: BTreeMap<String, Vector> =
        parse(text).into_iter().map(|vector| (vector.name.clone(), vector)).collect();
    let mut lines = text.strip_suffix(END).ok_or("the file ends in an unexpected way")?.to_string();
    let mut empty = existing.is_empty();
    for vector in inventory {
        match existing.get(&vector.name) {
            Some(frozen) if frozen == vector => {}
            Some(_) => return Err(format!("{:?} is frozen and would change", vector.name)),
            None => {
                lines.push_str(if empty { "" } else { ",\n" });
                lines.push_str(&serde_json::to_string(vector).unwrap());
                empty = false;
            }
        }
    }
    Ok(lines + END)
}

/// The second implementation makes the same bytes of what is given.
#[test]
fn every_vector_follows_the_written_format() {
    for vector in vectors() {
        assert_eq!(spec::derive(&vector.given), vector.derived, "{}", vector.name);
    }
}

#[test]
fn the_crate_seals_every_vector() {
    for Vector { name, given, derived } in vectors() {
        assert_eq!(core_side::node_key_bytes(&given), derived.node_key.0, "{name}: node key");
        let body = core_side::encode(&given.message, &derived.body.0);
        assert_eq!(body, derived.body.0, "{name}: body");
        let packet = core_side::seal(&given, &body);
        assert_eq!(packet, derived.packet.0, "{name}: packet");
        if let Some(expected) = derived.frame {
            let mut out = [0; alertbus::limits::FRAME_LEN_MAX];
            assert_eq!(frame::encode(&packet, &mut out).unwrap(), expected.0, "{name}: frame");
        }
    }
}

#[test]
fn the_crate_opens_and_reads_every_vector() {
    let mut deframer = StreamDeframer::new();
    for Vector { name, given, derived } in vectors() {
        println!("{name}");
        let body = core_side::open(&given, &derived.packet.0);
        assert_eq!(body, derived.body.0);
        core_side::check_decoded(&given.message, &body);
        if let Some(frame) = derived.frame {
            assert_eq!(deframed(&mut deframer, &frame.0), derived.packet.0);
        }
    }
}

fn deframed<const N: usize>(deframer: &mut Deframer<N>, frame: &[u8]) -> Vec<u8> {
    let (&delimiter, stuffed) = frame.split_last().unwrap();
    for &byte in stuffed {
        assert_eq!(deframer.feed(byte), None);
    }
    match deframer.feed(delimiter) {
        Some(Fed::Packet(packet)) => packet.to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn the_file_holds_the_inventory_in_its_order() {
    let listed = inventory::all();
    let in_file = vectors();
    for (vector, line) in listed.iter().zip(&in_file) {
        assert_eq!(vector, line);
    }
    assert_eq!(listed.len(), in_file.len(), "ALERTBUS_GOLDEN=append adds what is missing");
    assert!(listed.len() >= 200);
}

#[test]
fn what_is_frozen_is_never_changed() {
    let listed = inventory::all();
    let empty = format!("{BEGINNING}{END}");
    let first = appended(&empty, &listed[..3]).unwrap();
    let second = appended(&first, &listed[..5]).unwrap();
    assert!(second.starts_with(first.strip_suffix(END).unwrap()));
    assert_eq!(parse(&second), listed[..5]);
    assert_eq!(appended(&second, &listed[..5]).unwrap(), second);

    let mut changed = listed[1].clone();
    changed.derived.packet.0[20] ^= 1;
    let refused = appended(&second, &[changed]).unwrap_err();
    assert!(refused.contains(&listed[1].name) && refused.contains("frozen"), "{refused}");
}

/// Keys are public here, but a list that repeats a nonce would teach the wrong thing.
#[test]
fn no_name_and_no_nonce_comes_twice() {
    let vectors = vectors();
    let names: BTreeSet<_> = vectors.iter().map(|vector| &vector.name).collect();
    assert_eq!(names.len(), vectors.len());
    let nonces: BTreeSet<_> =
        vectors.iter().map(|vector| (&vector.derived.link_key, &vector.derived.nonce)).collect();
    assert_eq!(nonces.len(), vectors.len());
}
