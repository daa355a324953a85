//! `host-sim decode`: good packets, tampered ones and junk.

use crate::{host_sim, host_sim_reading, said};

/// The vector of `core/WIRE.md`: every field, short tag, epoch 5, node 12.
const VECTOR: &str = "4c05000c000003e964bd9ae998240152d4f0cb6e8a216757adefd66da94d1f620a06fe24f0f55a3f";
const MASTER_KEY: &str = "a0a1a2a3 a4a5a6a7 a8a9aaab acadaeaf\n";
const NODE_KEY: &str = "022b2efe3e6fa83e1d13a265ff08b9a0";

/// A file of this test alone, gone at its end.
struct KeyFile(std::path::PathBuf);

impl KeyFile {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("host-sim-{}-{name}", std::process::id()));
        std::fs::write(&path, text).unwrap();
        let file = Self(path);
        file.mode(0o600);
        file
    }

    fn mode(&self, mode: u32) {
        #[cfg(unix)]
        {
            use std::os::unix::fs::PermissionsExt;
            std::fs::set_permissions(&self.0, std::fs::Permissions::from_mode(mode)).unwrap();
        }
        #[cfg(not(unix))]
        let _ = mode;
    }

    fn path(&self) -> &str {
        self.0.to_str().unwrap()
    }
}

impl Drop for KeyFile {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_worked_packet_is_read_to_its_last_field() {
    let master = KeyFile::new("master", MASTER_KEY);
    let node = KeyFile::new("node", NODE_KEY);
    let by_master = host_sim(&["decode", "--master-key-file", master.path(), "--network", "7", VECTOR]);
    let by_node = host_sim(&["decode", "--node-key-file", node.path(), VECTOR]);
    let (code, out, errors) = said(&by_master);
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    for words in [
        "packet 1: 40 bytes, authentic",
        "5, the first from 1 on that ends in 05",
        "12, the source",
        "1001",
        "a nonce of 16 bytes and 9 of associated data",
        "second: within a second",
        "within 0.02 km",
        "no, live",
        "2020-01-08T01:00:00.123Z",
        "33.30000 degrees north",
        "107 mm",
        "215 degrees from true north",
        "site 3",
        "9.4 s",
    ] {
        assert!(out.contains(words), "{words} in\n{out}");
    }
    assert_eq!(said(&by_node).1, out);
}

/// The other worked vectors, `command: warn` and `acted: done`.
#[test]
fn the_worked_command_and_its_answer_are_read_to_their_last_field() {
    const COMMAND: &str = "7c05000c030005058f80a152d0d1090aa81612a039ed6073d16037f6be6c4b";
    const ANSWER: &str = "5005000c0000054802319a2b8792b8ac26d93d4fc4697d";
    let node = KeyFile::new("worked command", NODE_KEY);
    let (code, out, errors) = said(&host_sim(&["decode", "--node-key-file", node.path(), COMMAND, ANSWER]));
    assert_eq!((code, errors.as_str()), (0, ""), "{out}");
    for words in [
        "packet 1: 31 bytes, authentic",
        "command, down, to a node",
        "1285 of gateway 3",
        "1000, the highest counter opened from the node",
        "5/3/1284: first sent as packet 1284 of gateway 3, in an epoch that ends in 05",
        "order       warn",
        "site 259",
        "cram-engagement",
        "300 s",
        "packet 2: 23 bytes, authentic",
        "2, the answer to a command",
        "result       done",
    ] {
        assert!(out.contains(words), "{words} in\n{out}");
    }
}

/// Heartbeats, acknowledgements, commands and every kind of alert, with both lengths of tag, in frames and without.
#[test]
fn every_golden_packet_is_authentic_and_read() {
    let path = alertbus_tests::root().join("tests/golden/wire_v1.json");
    let file: serde_json::Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    let mut groups = std::collections::BTreeMap::<_, Vec<_>>::new();
    for vector in file["vectors"].as_array().unwrap() {
        let given = &vector["given"];
        let keys = ["master_key", "network", "epoch"].map(|name| given[name].to_string());
        groups.entry(keys).or_default().push(vector);
    }
    for ([key, network, epoch], vectors) in groups {
        let key = KeyFile::new("golden", key.trim_matches('"'));
        let hex = |vector: &serde_json::Value| {
            let derived = &vector["derived"];
            derived["frame"].as_str().or_else(|| derived["packet"].as_str()).unwrap().to_owned() + "\n"
        };
        let input: String = vectors.iter().map(|vector| hex(vector)).collect();
        let keys = ["--master-key-file", key.path(), "--network", &network, "--epoch", &epoch];
        let output = host_sim_reading(&[&["decode", "--json", "-"], &keys[..]].concat(), input.as_bytes());
        let (_, out, _) = said(&output);
        assert_eq!(out.lines().count(), vectors.len());
        for (line, vector) in out.lines().zip(vectors) {
            let object: serde_json::Value = serde_json::from_str(line).unwrap();
            let name = &vector["name"];
            assert_eq!(object["authentic"], true, "{name}");
            assert_eq!(object["tag_length"], vector["given"]["tag_len"], "{name}");
            // Of the bodies without a meaning some are too short for a command.
            let meaningless = &vector["given"]["message"]["bytes"];
            let readable = meaningless.as_str().is_none_or(|digits| digits.len() >= 2 * 10);
            assert_eq!(object["wrong"].is_null(), readable, "{name}: {line}");
        }
    }
}

#[test]
fn without_keys_it_says_how_to_open() {
    let (code, out, _) = said(&host_sim(&["decode", VECTOR]));
    assert_eq!(code, 0);
    assert!(out.contains("24 bytes, sealed") && out.contains("--master-key-file"), "{out}");
}

#[test]
fn a_changed_packet_is_not_authentic() {
    let node = KeyFile::new("changed", NODE_KEY);
    let changed = VECTOR.replacen("64bd", "65bd", 1);
    let (code, out, _) = said(&host_sim(&["decode", "--node-key-file", node.path(), &changed]));
    assert_eq!(code, 1);
    assert!(out.contains("packet 1: 40 bytes, NOT AUTHENTIC"), "{out}");
    assert!(out.contains("first wrong byte: 32 is 0x0a: the tag that begins here does not fit"), "{out}");
}

#[test]
fn what_is_no_hex_is_named_by_its_place() {
    let (code, out, errors) = said(&host_sim(&["decode", "4c 05 zz"]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.starts_with("host-sim: argument 1 is no hex: character 7 is `z`; allowed: "), "{errors}");
    let (code, _, errors) = said(&host_sim_reading(&["decode", "-"], b"4c05\n\nhello\n"));
    assert_eq!(code, 2);
    assert!(errors.starts_with("host-sim: line 3 is no hex: character 1 is `h`"), "{errors}");
}

#[test]
fn junk_is_read_as_far_as_it_goes() {
    for (text, words) in [
        ("4c0", "first wrong byte: 1 is missing: only one digit of it is there, `0`"),
        ("8c05", "first wrong byte: 0 is 0x8c: version 2, which is not known"),
        ("4d05000c000003e900", "first wrong byte: 0 is 0x4d: the reserved bit is set"),
        ("4c05", "first wrong byte: 2 is missing: the packet ends after 2 bytes"),
        ("4c05000c000003e9", "first wrong byte: 8 is missing: the packet ends after 8 bytes"),
    ] {
        let (code, out, errors) = said(&host_sim(&["decode", text]));
        assert_eq!((code, errors.as_str()), (1, ""), "{text}");
        assert!(out.contains(words), "{words} in\n{out}");
    }
    let (code, out, _) = said(&host_sim(&["decode", &"4c".repeat(5_000)]));
    assert_eq!(code, 1);
    assert!(out.contains("first wrong byte: 59 is 0x4c: the packet has 5000 bytes"), "{out}");
    assert!(out.len() < 2_000, "what is too long is not printed whole");
}

#[test]
fn no_packet_is_a_sentence() {
    for input in [&b""[..], b"\n  \n"] {
        let (code, out, errors) = said(&host_sim_reading(&["decode", "-"], input));
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(errors.starts_with("host-sim: no packet on standard input"), "{errors}");
    }
}

#[test]
fn several_frames_in_one_argument_are_told_apart() {
    let frame = said(&host_sim(&["encode", "rocket-launch", "--frame"])).1;
    let both = frame.trim().repeat(2);
    for arguments in [&["decode", &both][..], &["decode", "--frame", &both]] {
        let (code, out, _) = said(&host_sim(arguments));
        assert_eq!(code, 1);
        assert!(out.contains("These are several frames."), "{out}");
    }
    let out = said(&host_sim(&["decode", "--seed", "1", frame.trim()])).1;
    assert!(!out.contains("several frames") && out.contains("latitude"), "{out}");
    assert!(
        out.lines().any(|line| line.split_whitespace().rev().take(3).eq(["known", "not", "latitude"])),
        "{out}"
    );
}

#[test]
fn one_object_a_packet() {
    let (code, out, _) =
        said(&host_sim_reading(&["decode", "--json", VECTOR, "-"], format!("0x{VECTOR}\n8c\n").as_bytes()));
    assert_eq!(code, 1);
    let objects: Vec<serde_json::Value> =
        out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    assert_eq!(objects.len(), 3);
    assert_eq!(objects[0]["fields"], objects[1]["fields"]);
    assert_eq!(objects[1]["number"], 2);
    assert_eq!((&objects[2]["wrong"]["offset"], &objects[2]["wrong"]["byte"]), (&0.into(), &0x8c.into()));
}

#[test]
fn colours_are_for_terminals() {
    let plain = said(&host_sim(&["decode", VECTOR])).1;
    assert!(!plain.contains('\x1b'));
    let coloured = said(&host_sim(&["decode", "--color", "always", VECTOR])).1;
    assert!(coloured.contains("\x1b[2m"));
}

#[cfg(unix)]
#[test]
fn a_key_that_others_can_read_is_refused() {
    let node = KeyFile::new("shared", NODE_KEY);
    node.mode(0o640);
    let (code, out, errors) = said(&host_sim(&["decode", "--node-key-file", node.path(), VECTOR]));
    assert_eq!((code, out.as_str()), (2, ""));
    assert!(errors.contains("others can read the key file") && errors.contains("(mode 640)"), "{errors}");
}

#[test]
fn a_file_without_a_key_is_refused_and_never_shown() {
    for (text, words) in [
        ("022b2efe", "has 8 hex digits; a key has 32"),
        ("passphrase", "character 1 of the key file"),
        ("", "is empty"),
        (&*"a".repeat(2_000), "is longer than 1024 bytes"),
        (&*format!("{NODE_KEY}0"), "has 33 hex digits"),
    ] {
        let file = KeyFile::new("bad", text);
        let (code, _, errors) = said(&host_sim(&["decode", "--node-key-file", file.path(), VECTOR]));
        assert_eq!(code, 2, "{errors}");
        assert!(errors.contains(words), "{words} in {errors}");
        assert!(text.is_empty() || !errors.contains(text), "{errors}");
    }
    let (code, _, errors) = said(&host_sim(&["decode", "--master-key-file", "no such file", VECTOR]));
    assert_eq!(code, 2, "{errors}");
    assert!(errors.contains("cannot read the key file `no such file`"), "{errors}");
}

#[test]
fn keys_exclude_one_another() {
    for keys in [
        &["--seed", "1", "--master-key-file", "x"][..],
        &["--seed", "1", "--node-key-file", "x"],
        &["--seed", "1", "--network", "2"],
        &["--network", "2"],
        &["--node-key-file", "x", "--network", "2"],
        &["--node-key-file", "x", "--master-key-file", "x"],
    ] {
        assert_eq!(said(&host_sim(&[&["decode", VECTOR], keys].concat())).0, 2, "{keys:?}");
    }
}

#[cfg(target_os = "linux")]
#[test]
fn a_lost_output_is_exit_code_3() {
    let full = std::fs::OpenOptions::new().write(true).open("/dev/full").unwrap();
    let status = std::process::Command::new(alertbus_tests::host_sim())
        .args(["decode", VECTOR])
        .stdout(full)
        .stderr(std::process::Stdio::null())
        .status();
    assert_eq!(status.unwrap().code(), Some(3));
}
