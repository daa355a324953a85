#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};

use alertbus::provision::Blob;

use super::*;

/// A folder of one test alone, gone at its end.
struct Room(PathBuf);

impl Room {
    fn new(name: &str) -> Self {
        let path = std::env::temp_dir().join(format!("host-sim-keyring-{}-{name}", std::process::id()));
        let _ = fs::remove_dir_all(&path);
        fs::create_dir(&path).unwrap();
        Self(path)
    }

    /// A key directory for network 7 whose key bytes count up from `first`.
    fn keys(&self, first: u8) -> PathBuf {
        let folder = self.0.join(format!("keys-{first}"));
        Keyring::create_from(&folder, 7, |key| {
            key.iter_mut().zip(first..).for_each(|(byte, number)| *byte = number);
            Ok(())
        })
        .unwrap();
        folder
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn request(nodes: &[u16]) -> Request {
    Request { nodes: nodes.iter().copied().map(NodeId).collect(), ..Request::default() }
}

fn provision(folder: &Path, nodes: &[u16]) {
    let request = Request { again: true, ..request(nodes) };
    Writer::open(folder).unwrap().provision(&request).unwrap();
}

fn opened(folder: &Path) -> String {
    Keyring::open(folder).map(|_| "in order").unwrap_err().to_string()
}

/// Every file below, with mode and content.
fn everything(folder: &Path) -> Vec<(PathBuf, u32, Vec<u8>)> {
    let mut found = Vec::new();
    for path in durable::names(folder).unwrap() {
        let mode = path.symlink_metadata().unwrap().permissions().mode() & 0o777;
        if path.is_dir() {
            found.push((path.clone(), mode, Vec::new()));
            found.extend(everything(&path));
        } else {
            found.push((path.clone(), mode, fs::read(&path).unwrap()));
        }
    }
    found
}

#[test]
fn a_blob_holds_what_the_master_key_makes_of_the_node() {
    let room = Room::new("worked");
    let folder = room.keys(0xa0);
    let mut writer = Writer::open(&folder).unwrap();
    let asked = Request { epoch: Some(Epoch(5)), flash_floor: Some(9), ..request(&[12]) };
    let made = writer.provision(&asked).unwrap();
    let bytes = fs::read(&made[0].blob).unwrap();
    // The node key of the packet that core/WIRE.md works through.
    let key =
        [0x02, 0x2b, 0x2e, 0xfe, 0x3e, 0x6f, 0xa8, 0x3e, 0x1d, 0x13, 0xa2, 0x65, 0xff, 0x08, 0xb9, 0xa0];
    assert_eq!(bytes[24..40], key);
    let blob = Blob::decode(&bytes).unwrap();
    assert_eq!((blob.network, blob.node, blob.epoch), (7, NodeId(12), Epoch(5)));
    assert_eq!((blob.flash_seq, blob.other_seq), (9, 1));
}

#[test]
fn nobody_else_can_get_at_anything() {
    let room = Room::new("modes");
    let folder = room.keys(1);
    provision(&folder, &[1, 2, 3]);
    for (path, mode, _) in everything(&room.0) {
        assert_eq!(mode, if path.is_dir() { 0o700 } else { 0o600 }, "{}", path.display());
    }
    assert_eq!(everything(&room.0).len(), 1 + 3 + 3, "no more than key, register and blobs");
}

/// The register is text for people and copies; a key must not be in it, nor in anything printed.
#[test]
fn no_key_stands_in_the_register() {
    let room = Room::new("secrets");
    let folder = room.keys(0xa0);
    provision(&folder, &[12]);
    let register = fs::read_to_string(folder.join(REGISTER_FILE)).unwrap();
    for secret in ["a0a1", "a2a3", "022b2efe"] {
        assert!(!register.contains(secret), "{register}");
    }
}

#[test]
fn nothing_is_overwritten() {
    let room = Room::new("exists");
    let folder = room.keys(1);
    provision(&folder, &[1]);
    let before = everything(&folder);
    for gone in ["", MASTER_FILE, REGISTER_FILE] {
        if !gone.is_empty() {
            fs::remove_file(folder.join(gone)).unwrap();
        }
        let error = Keyring::create(&folder, 8).map(|_| "made").unwrap_err();
        assert!(matches!(error, KeyringError::Exists { .. }), "without `{gone}`: {error}");
    }
    assert_eq!(everything(&folder), before[..2], "blobs, and the one in there");

    // A link that leads nowhere is something too.
    let other = room.0.join("other");
    private::make_folder(&other).unwrap();
    symlink("nowhere", other.join(MASTER_FILE)).unwrap();
    assert!(matches!(Keyring::create(&other, 8), Err(KeyringError::Exists { .. })));
}

#[test]
fn a_key_directory_that_cannot_be_made_leaves_nothing() {
    let room = Room::new("unmade");
    let folder = room.0.join("keys");
    let refused = Keyring::create_from(&folder, 7, |_| Err("no entropy".into()));
    assert!(matches!(refused, Err(KeyringError::NoRandom { .. })));
    assert_eq!(everything(&room.0), []);

    let without_parent = Keyring::create(&folder.join("deeper"), 7).map(|_| "made").unwrap_err();
    assert!(matches!(without_parent, KeyringError::Unwritable { .. }), "{without_parent}");
    assert_eq!(everything(&room.0), []);

    // One that others can get at is refused and left as it was.
    fs::create_dir(&folder).unwrap();
    fs::set_permissions(&folder, fs::Permissions::from_mode(0o755)).unwrap();
    let error = Keyring::create(&folder, 7).map(|_| "made").unwrap_err().to_string();
    assert!(error.contains(&format!("(mode 755): `chmod 700 {}`", folder.display())), "{error}");
    assert_eq!(everything(&folder), []);
}

#[test]
fn parts_that_do_not_belong_together_are_refused() {
    let room = Room::new("mixed");
    let (one, two) = (room.keys(1), room.keys(2));
    fs::copy(two.join(REGISTER_FILE), one.join(REGISTER_FILE)).unwrap();
    assert!(
        opened(&one).contains("belongs to another master key than the one beside it"),
        "{}",
        opened(&one)
    );
    fs::remove_file(one.join(REGISTER_FILE)).unwrap();
    assert!(opened(&one).contains("is missing: without it nobody knows which epochs are used"));
}

#[test]
fn one_run_at_a_time() {
    let room = Room::new("lock");
    let folder = room.keys(1);
    let first = Writer::open(&folder).unwrap();
    assert!(matches!(Writer::open(&folder), Err(KeyringError::Busy { .. })));
    assert!(Keyring::open(&folder).is_ok(), "reading waits for nobody");
    drop(first);
    assert!(Writer::open(&folder).is_ok());
}

/// The power goes before the register is written: nothing has happened, and the next run clears away.
#[test]
fn a_crash_before_the_register_changes_nothing() {
    let room = Room::new("crash-before");
    let folder = room.keys(1);
    provision(&folder, &[1]);
    let before = everything(&folder);
    {
        let writer = Writer::open(&folder).unwrap();
        let prepared = writer.prepare(&Request { again: true, ..request(&[1, 2]) }).unwrap();
        std::mem::forget((prepared.blobs, prepared.new_register));
    }
    assert_eq!(everything(&folder).len(), before.len() + 3);
    assert_eq!(audit(&folder).findings.len(), 3, "{:?}", audit(&folder).findings);
    drop(Writer::open(&folder).unwrap());
    assert_eq!(everything(&folder), before);
}

/// The power goes after the register is written and before the blobs have their names: the epochs are burnt.
#[test]
fn a_crash_after_the_register_gives_no_epoch_out_twice() {
    let room = Room::new("crash-after");
    let folder = room.keys(1);
    {
        let writer = Writer::open(&folder).unwrap();
        let prepared = writer.prepare(&request(&[1])).unwrap();
        prepared.new_register.replace().unwrap();
        std::mem::forget(prepared.blobs);
    }
    let known = Writer::open(&folder).unwrap().provision(&request(&[1])).unwrap_err();
    assert!(matches!(known, KeyringError::KnownNode { epoch: Epoch(1), .. }), "{known}");
    provision(&folder, &[1]);
    let keyring = Keyring::open(&folder).unwrap();
    assert_eq!(keyring.entry(NodeId(1)).unwrap().epoch, Epoch(2));
    assert_eq!((keyring.blob(NodeId(1), Epoch(1)), audit(&folder).findings.len()), (None, 0));
}

/// Every step of making a directory may be the last: what is there then is whole, or is refused.
#[test]
fn a_crash_while_a_directory_is_made_leaves_no_half_of_a_key() {
    let room = Room::new("crash-new");
    let folder = room.keys(1);
    let key = fs::read(folder.join(MASTER_FILE)).unwrap();
    fs::remove_file(folder.join(MASTER_FILE)).unwrap();
    assert!(opened(&folder).contains("where `keys new` was broken off and nothing is provisioned, remove"));
    std::mem::forget(Staged::write(folder.join(MASTER_FILE), &key[..30]).unwrap());
    assert!(opened(&folder).contains("master.key` is missing"), "an unfinished key is none");
    assert!(audit(&folder).findings.iter().any(|Finding(what)| what.contains("broken off: the next change")));
}

#[test]
fn a_blob_that_cannot_get_its_name_burns_its_epoch() {
    let room = Room::new("taken");
    let folder = room.keys(1);
    let mut writer = Writer::open(&folder).unwrap();
    let prepared = writer.prepare(&request(&[1, 2, 3])).unwrap();
    let in_the_way = folder.join("blobs/node-2.epoch-1.blob");
    fs::write(&in_the_way, "somebody's").unwrap();
    let error = writer.commit(prepared).unwrap_err();
    assert!(
        error.to_string().contains("no blob was written for 2, and the epochs they were given"),
        "{error}"
    );
    assert_eq!(fs::read(&in_the_way).unwrap(), b"somebody's");
    let keyring = Keyring::open(&folder).unwrap();
    assert_eq!(keyring.entries().count(), 3);
    assert!([1, 3].iter().all(|node| keyring.blob(NodeId(*node), Epoch(1)).is_some()));
    assert_eq!(everything(&folder).len(), 1 + 3 + 2, "nothing unfinished stays");
}

/// An old copy of the register would give epochs out again; blobs that lie beside it betray it.
#[test]
fn an_old_copy_of_the_register_is_noticed() {
    let room = Room::new("rolled-back");
    let folder = room.keys(1);
    provision(&folder, &[1]);
    let old = fs::read(folder.join(REGISTER_FILE)).unwrap();
    provision(&folder, &[1]);
    fs::write(folder.join(REGISTER_FILE), old).unwrap();
    let asked = Request { again: true, ..request(&[1]) };
    let error = Writer::open(&folder).unwrap().provision(&asked).unwrap_err();
    assert!(error.to_string().contains("the register is an old copy; restore the newest one"), "{error}");
    assert!(
        audit(&folder)
            .findings
            .iter()
            .any(|Finding(what)| what.contains("knows of 1 only: it is an old copy"))
    );
    let past = Request { epoch: Some(Epoch(3)), ..asked };
    assert!(Writer::open(&folder).unwrap().provision(&past).is_ok());
}

#[test]
fn an_audit_finds_what_is_wrong_with_a_blob() {
    let room = Room::new("audit");
    let (folder, other) = (room.keys(1), room.keys(2));
    provision(&folder, &[1, 2]);
    provision(&other, &[1, 2, 3]);
    assert_eq!(audit(&folder).findings, []);
    let blob = |folder: &Path, node: u16| blobs::path(folder, NodeId(node), Epoch(1));
    let good = fs::read(blob(&folder, 1)).unwrap();
    let foreign = Blob { network: 8, ..Blob::decode(&good).unwrap() };
    let mut damaged = good.clone();
    damaged[30] ^= 1;
    let path = blob(&folder, 1);
    for (bytes, words) in [
        (&*damaged, "the blob is damaged, make a new one"),
        (&good[..40], "a blob has 64 bytes and this has 40"),
        (&[&*good, &[0xff; 4]].concat(), "a blob has 64 bytes and this has 68"),
        (foreign.encode().unwrap().expose(), "for network 8, this is network 7"),
        (&fs::read(blob(&other, 1)).unwrap(), "holds another key or other floors"),
        (&fs::read(blob(&folder, 2)).unwrap(), "is of node 2 in epoch 1: give it its name back"),
    ] {
        fs::write(&path, bytes).unwrap();
        let findings = audit(&folder).findings;
        assert!(findings.iter().any(|Finding(what)| what.contains(words)), "{words} in {findings:?}");
        assert!(findings[0].0.contains("node-1.epoch-1.blob"), "{findings:?}");
    }
    fs::write(&path, &good).unwrap();
    for (name, node) in [("node-3.epoch-1.blob", 3), ("spare.blob", 1)] {
        fs::copy(blob(&other, node), folder.join("blobs").join(name)).unwrap();
    }
    fs::set_permissions(blob(&folder, 2), fs::Permissions::from_mode(0o644)).unwrap();
    let found: Vec<_> = audit(&folder).findings.into_iter().map(|Finding(what)| what).collect();
    for words in ["node 3 is not in the register", "spare.blob` is a copy of", "chmod 600"] {
        assert!(found.iter().any(|what| what.contains(words)), "{words} in {found:?}");
    }
    // Whoever provisions mends what is wrong first.
    fs::set_permissions(blob(&folder, 2), fs::Permissions::from_mode(0o600)).unwrap();
    fs::remove_file(blob(&folder, 3)).unwrap();
    provision(&folder, &[1]);
    let found: Vec<_> = audit(&folder).findings.into_iter().map(|Finding(what)| what).collect();
    assert!(
        found.iter().any(|what| what.contains("is outdated, node 1 has epoch 2: delete it")),
        "{found:?}"
    );
}
