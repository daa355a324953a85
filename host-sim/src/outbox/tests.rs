//! A state directory and what can be wrong with it.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};

use alertbus::message::Seq;
use alertbus::place::SiteId;
use alertbus::role::gateway::Standing;
use alertbus::{AlertId, Precedence};

use super::*;

/// A folder of a test's own, gone when it ends.
struct Room(PathBuf);

impl Room {
    fn new() -> Self {
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let number = NEXT.fetch_add(1, Ordering::Relaxed);
        let path = std::env::temp_dir().join(format!("alertbus-outbox-{}-{number}", std::process::id()));
        fs::create_dir(&path).expect("the folder is new");
        Self(path)
    }

    fn state(&self) -> PathBuf {
        self.0.join("state")
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        let _ = fs::remove_dir_all(&self.0);
    }
}

fn owner() -> Owner {
    Owner { gateway: 1, network: 7, master: "a b c d".into() }
}

fn alert(number: u32) -> StoredAlert {
    let seq = Seq::new(number).expect("a number");
    StoredAlert {
        id: AlertId { node: NodeId(12), exercise: false, flash: true, seq },
        precedence: Precedence::Flash,
        standing: Standing::default(),
        received_ms: 5,
        counter: number,
        body: vec![1, 2],
    }
}

fn refused(directory: &Path, owner: &Owner) -> String {
    match Outbox::open(directory, owner) {
        Ok(_) => panic!("it was opened"),
        Err(error) => error.to_string(),
    }
}

#[test]
fn what_was_committed_is_there_after_a_start() {
    let room = Room::new();
    let id = CommandId { epoch_low: 1, counter: 0x0100_0005 };
    let owed = Owed::Warning { zone: SiteId(1), kind: 1, until_ms: 9, answered: false, ids: vec![id] };
    let state = PeerState::new(Epoch(3));
    {
        let outbox = Outbox::open(&room.state(), &owner()).expect("a new directory");
        assert_eq!(outbox.shown().expect("it is in order"), 0);
        let batch = Batch {
            alerts: vec![alert(1), alert(2)],
            states: [(NodeId(12), state.clone())].into(),
            down: [((NodeId(12), Epoch(3)), 257)].into(),
            owed: [((NodeId(40), id), Some(owed.clone()))].into(),
            shown: Some(1),
        };
        assert_eq!(outbox.commit(&batch).expect("there is room"), 1);
        let more = Batch { alerts: vec![alert(3)], ..Batch::default() };
        assert_eq!(outbox.commit(&more).expect("there is room"), 3);
    }
    let outbox = Outbox::open(&room.state(), &owner()).expect("it is in order");
    assert_eq!(outbox.state(NodeId(12)).expect("it is in order"), Some(state));
    assert_eq!(outbox.state(NodeId(13)).expect("it is in order"), None);
    assert_eq!(outbox.down().expect("it is in order"), [((NodeId(12), Epoch(3)), 257)].into());
    assert_eq!(outbox.owed().expect("it is in order"), [((NodeId(40), id), owed)].into());
    assert_eq!(outbox.shown().expect("it is in order"), 1);
    let unshown = outbox.alerts(1, 9).expect("it is in order");
    assert_eq!(unshown, [(2, alert(2)), (3, alert(3))]);
    assert_eq!(outbox.alerts(0, 2).expect("it is in order").len(), 2);
    let settled = Batch { owed: [((NodeId(40), id), None)].into(), ..Batch::default() };
    outbox.commit(&settled).expect("there is room");
    assert!(outbox.owed().expect("it is in order").is_empty());
}

#[test]
fn two_gateways_never_run_on_one_directory() {
    let room = Room::new();
    let outbox = Outbox::open(&room.state(), &owner()).expect("a new directory");
    assert!(refused(&room.state(), &owner()).contains("another gateway is running on"));
    drop(outbox);
    assert!(Outbox::open(&room.state(), &owner()).is_ok());
}

#[test]
fn somebody_elses_directory_is_refused() {
    let room = Room::new();
    drop(Outbox::open(&room.state(), &owner()));
    for (other, words) in [
        (Owner { gateway: 2, ..owner() }, "belongs to gateway 1, and this is gateway 2: take that number"),
        (Owner { network: 8, ..owner() }, "belongs to network 7, and this is network 8"),
        (Owner { master: "x".into(), ..owner() }, "belongs to master key a b c d, and this is master key x"),
    ] {
        let message = refused(&room.state(), &other);
        assert!(message.contains(words), "{message}");
    }
    assert!(Outbox::open(&room.state(), &owner()).is_ok(), "and it is as it was");
}

#[test]
fn a_copy_is_refused() {
    let room = Room::new();
    drop(Outbox::open(&room.state(), &owner()));
    let copy = room.0.join("copy");
    drop(Folder::take(&copy).expect("a new folder"));
    fs::copy(room.state().join(FILE), copy.join(FILE)).expect("there is room");
    let message = refused(&copy, &owner());
    assert!(message.contains("is a copy") && message.contains("a number that no gateway"), "{message}");
}

#[test]
fn what_others_can_get_at_is_refused() {
    let room = Room::new();
    drop(Outbox::open(&room.state(), &owner()));
    let shared = |path: &Path, mode| {
        fs::set_permissions(path, fs::Permissions::from_mode(mode)).expect("it is ours");
        let message = refused(&room.state(), &owner());
        fs::set_permissions(path, fs::Permissions::from_mode(mode & 0o700)).expect("it is ours");
        message
    };
    assert!(shared(&room.state(), 0o750).contains("(mode 750): `chmod 700"));
    assert!(shared(&room.state().join(FILE), 0o604).contains("(mode 604): `chmod 600"));
    assert!(refused(&room.state().join(FILE), &owner()).contains("is no folder"));
}

#[test]
fn a_damaged_file_is_refused_and_left_as_it_is() {
    let room = Room::new();
    {
        let outbox = Outbox::open(&room.state(), &owner()).expect("a new directory");
        let batch = Batch { alerts: (1..200).map(alert).collect(), ..Batch::default() };
        outbox.commit(&batch).expect("there is room");
    }
    let path = room.state().join(FILE);
    let whole = fs::read(&path).expect("it is there");
    let mut headless = whole.clone();
    headless[..64].fill(0x55);
    for damaged in [Vec::new(), b"something else".to_vec(), vec![0; 4_096], headless] {
        fs::write(&path, &damaged).expect("there is room");
        let message = refused(&room.state(), &owner());
        assert!(message.contains("nothing of it was changed. Put it away"), "{message}");
        assert_eq!(fs::read(&path).expect("it is there"), damaged);
    }
    fs::write(&path, &whole).expect("there is room");
    assert!(Outbox::open(&room.state(), &owner()).is_ok());
}
