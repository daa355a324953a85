#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use super::*;

fn entry(node: u16, epoch: u32) -> Entry {
    Entry { node: NodeId(node), epoch: Epoch(epoch), next_epoch: None, flash_floor: 1, other_floor: 1 }
}

fn register(entries: &[Entry]) -> Register {
    let mut register = Register::new(7, "1a2b-3c4d".into());
    register.entries.extend(entries.iter().map(|entry| (entry.node.0, *entry)));
    register
}

fn request(node: u16) -> Request {
    Request { nodes: vec![NodeId(node)], again: true, ..Request::default() }
}

fn refused(text: &str) -> String {
    Register::parse(text.as_bytes()).map(|_| "a register").unwrap_err()
}

#[test]
fn what_is_written_is_read_and_comments_do_not_matter() {
    let rolling = Entry { next_epoch: Some(Epoch(4)), flash_floor: 99, ..entry(12, 3) };
    for register in [register(&[]), register(&[entry(1, 1), rolling])] {
        let text = register.text();
        assert_eq!(Register::parse(text.as_bytes()).as_ref(), Ok(&register), "{text}");
        assert_eq!(Register::parse(format!("# mine\n{text}").as_bytes()), Ok(register));
    }
}

/// A register that forgets a node, or a digit of an epoch, would give an epoch out twice.
#[test]
fn a_register_that_is_cut_off_or_edited_is_refused() {
    let text = register(&[entry(1, 1), entry(2, 25), entry(3, 3)]).text();
    for len in text.find("version").unwrap()..text.len() - 1 {
        assert_ne!(refused(&text[..len]), "a register", "{len} bytes");
    }
    for (from, to, words) in [
        ("epoch = 25", "epoch = 2", "a check that does not fit"),
        ("network = 7", "network = 8", "a check that does not fit"),
        ("flash_floor = 1", "flash_floor = 2", "a check that does not fit"),
        ("1a2b-3c4d", "1a2b-3c4e", "a check that does not fit"),
        ("number = 2", "number = 3", "has node 3 twice"),
        ("number = 2", "number = 0", "has a node 0"),
        ("epoch = 25", "epoch = 0", "node 2 in epoch 0"),
        ("epoch = 25", "epoch = 25\nnext_epoch = 27", "an epoch that is not the next one"),
        ("flash_floor = 1", "flash_floor = 2147483647", "a floor of node 1 that is none"),
        ("version = 1", "version = 2", "is of version 2, and only 1 is known"),
        ("version = 1", "", "it has no `version`"),
        ("other_floor = 1", "other_flor = 1", "cannot be read as TOML: unknown field `other_flor`"),
    ] {
        let changed = text.replacen(from, to, 1);
        assert_ne!(changed, text, "{from}");
        let why = refused(&changed);
        assert!(why.contains(words), "{words} in {why}");
    }
}

/// However a node comes to a new blob, the epoch is above every one that it may have used, and so are the floors.
#[test]
fn epochs_and_floors_only_rise() {
    let mut register = register(&[]);
    let mut last = entry(12, 0);
    last.flash_floor = 0;
    last.other_floor = 0;
    for (turn, asked) in [
        request(12),
        request(12),
        Request { epoch: Some(Epoch(9)), flash_floor: Some(FLOOR_STEP + 2), ..request(12) },
        Request { other_floor: Some(1_000_000_000), ..request(12) },
        request(12),
    ]
    .into_iter()
    .enumerate()
    {
        let (now, before) = register.provision(&asked).unwrap()[0];
        assert_eq!(before.is_some(), turn > 0);
        assert!(now.epoch > last.epoch && now.flash_floor > last.flash_floor, "{now:?}");
        assert!(now.other_floor > last.other_floor, "{now:?}");
        assert_eq!(now.epoch.0, asked.epoch.map_or(last.epoch.0 + 1, |epoch| epoch.0));
        last = now;
    }
    assert_eq!(last.flash_floor, 3 * FLOOR_STEP + 2);
    assert_eq!(last.other_floor, 1_000_000_000 + FLOOR_STEP);
}

/// A node on its way may be in the next epoch already, although nobody has heard it there.
#[test]
fn a_node_on_its_way_is_provisioned_past_where_it_goes() {
    let mut register = register(&[entry(12, 3)]);
    let rolling = Entry { next_epoch: Some(Epoch(4)), ..entry(12, 3) };
    assert_eq!(register.begin_roll(NodeId(12)).unwrap(), (rolling, true));
    assert_eq!(register.begin_roll(NodeId(12)).unwrap(), (rolling, false), "never two epochs on");
    let (now, _) = register.provision(&request(12)).unwrap()[0];
    assert_eq!((now.epoch, now.next_epoch), (Epoch(5), None));

    register.begin_roll(NodeId(12)).unwrap();
    assert_eq!(register.end_roll(NodeId(12)).unwrap().0.epoch, Epoch(6));
    assert!(matches!(register.end_roll(NodeId(12)), Err(KeyringError::NoRoll { .. })));
    assert!(matches!(register.begin_roll(NodeId(13)), Err(KeyringError::UnknownNode { .. })));
}

#[test]
fn what_may_have_been_used_is_refused_with_what_is_allowed() {
    let rolling = Entry { next_epoch: Some(Epoch(4)), flash_floor: 100, ..entry(12, 3) };
    for (asked, words) in [
        (Request { epoch: Some(Epoch(4)), ..request(12) }, "allowed: 5 to 4294967295"),
        (
            Request { flash_floor: Some(100), ..request(12) },
            "`--flash-floor 100` for node 12: allowed: 101 to 2147483646",
        ),
        (Request { other_floor: Some(1), ..request(12) }, "`--other-floor 1` for node 12: allowed: 2 to"),
        (
            Request { again: false, ..request(12) },
            "node 12 has been provisioned already, with epoch 3: `--again`",
        ),
    ] {
        let error = register(&[rolling]).provision(&asked).unwrap_err().to_string();
        assert!(error.contains(words), "{words} in {error}");
    }
}

#[test]
fn what_is_used_up_does_not_begin_anew() {
    let last = Entry { flash_floor: FLOOR_MAX - 5, ..entry(12, u32::MAX) };
    let refused = |asked: &Request| register(&[last]).provision(asked).unwrap_err().to_string();
    assert!(refused(&request(12)).contains("node 12 has no epoch left: retire it"));
    let error = register(&[last]).begin_roll(NodeId(12)).unwrap_err().to_string();
    assert!(error.contains("no epoch left"), "{error}");

    let last = Entry { flash_floor: FLOOR_MAX - 5, ..entry(12, 1) };
    let error = register(&[last]).provision(&request(12)).unwrap_err().to_string();
    assert!(error.contains("allowed: 2147483642 to 2147483646"), "{error}");
    let last = Entry { flash_floor: FLOOR_MAX, ..entry(12, 1) };
    let error = register(&[last]).provision(&request(12)).unwrap_err().to_string();
    assert!(error.contains("node 12 has no numbers left: retire it"), "{error}");
}

#[test]
fn one_step_leaves_room_for_127_more() {
    let mut register = register(&[]);
    for turn in 0..=127 {
        assert!(register.provision(&request(12)).is_ok(), "{turn}");
    }
    assert!(register.provision(&request(12)).is_err());
}
