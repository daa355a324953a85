//! What lies where it does not belong: old registers, foreign blobs, other folders.

use std::fs;

use super::{Room, chmod};

#[test]
fn an_old_register_is_betrayed_by_any_blob() {
    let room = Room::with("betrayed", &["1"]);
    let old = fs::read(room.file("register.toml")).unwrap();
    assert_eq!(room.keys(&["provision", "20", "21"]).0, 0);
    fs::remove_file(room.file("blobs/node-21.epoch-1.blob")).unwrap();
    fs::write(room.file("register.toml"), old).unwrap();
    for arguments in [&["provision", "21"][..], &["roll", "1"], &["provision", "--again", "1"]] {
        room.refuses(arguments, &["node-20.epoch-1.blob", "the register is an old copy"]);
    }
    // The way out that the message names.
    assert_eq!(room.keys(&["provision", "--epoch", "2", "20", "21"]).0, 0);
}

#[test]
fn blobs_that_are_not_in_order_are_no_ground_to_build_on() {
    let room = Room::with("ground", &["2"]);
    let mine = room.file("blobs/node-2.epoch-1.blob");
    chmod(&mine, 0o640);
    room.refuses(&["provision", "9"], &["chmod 600"]);
    chmod(&mine, 0o600);
    let other = Room::new("foreign");
    assert_eq!(other.keys(&["new", "--network", "9"]).0 + other.keys(&["provision", "2"]).0, 0);
    let (whole, foreign) =
        (fs::read(&mine).unwrap(), fs::read(other.file("blobs/node-2.epoch-1.blob")).unwrap());
    for (wrong, words) in
        [(&whole[..30], "node-2.epoch-1.blob"), (&foreign, "for network 9, this is network 7")]
    {
        fs::write(&mine, wrong).unwrap();
        room.refuses(&["provision", "9"], &[words]);
        let (code, out, errors) = room.keys(&["list"]);
        assert!(code == 0 && !out.contains(".blob") && errors.contains("check` says what"), "{out}{errors}");
    }
}

#[test]
fn hints_name_the_directory() {
    let room = Room::new("hints");
    let dir = room.dir().display().to_string();
    assert!(room.keys(&["new", "--network", "7"]).2.contains(&format!("--dir '{dir}' provision NODE`")));
    assert_eq!(room.keys(&["provision", "1"]).0, 0);
    assert!(room.keys(&["roll", "1"]).2.contains(&format!("--dir '{dir}' roll --done`")));
    assert!(room.keys(&["show", "1"]).1.contains(&format!("--dir '{dir}' roll --done 1`")));
    let errors = room.keys(&["roll", "--done", "1"]).2;
    assert!(errors.contains("node-1.epoch-1.blob`: flashed again, it would repeat"), "{errors}");
}

#[test]
fn a_folder_of_other_things_is_no_key_directory() {
    let room = Room::new("other-things");
    fs::create_dir(room.dir()).unwrap();
    fs::write(room.file("letter.txt"), "dear all").unwrap();
    chmod(&room.dir(), 0o755);
    for arguments in [&["list"][..], &["check"], &["provision", "1"], &["new", "--network", "7"]] {
        let (code, out, errors) = room.keys(arguments);
        assert!(code == 2 && format!("{out}{errors}").contains("is no key directory"), "{out}{errors}");
        assert!(!format!("{out}{errors}").contains("chmod"), "{out}{errors}");
    }
}
