//! The folder that a run has: the board's flash, keys, the gateway's state, and how far the scenario has come.
//!
//! ```text
//! STORE/            mode 700
//!   lock            locked while this program or its QEMU lives; says which processes these are
//!   flash.bin       the board's flash
//!   keys/           of a network that was made for it, where no other is named
//!   state/          the gateway's outbox
//!   played          what of the scenario was raised
//! ```

use std::fs::{self, DirBuilder, File, OpenOptions, TryLockError};
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::unix::fs::{DirBuilderExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alertbus::NodeId;
use alertbus::role::gateway::PeerState;
use anyhow::{Context, anyhow, bail};

use super::flash;
use crate::keyring::{Keyring, Request, Writer};
use crate::outbox::{Batch, Outbox, Owner};

/// The network that is made where none is named: its keys are no other's, so its number may be any.
const NETWORK: u32 = 1;

const OTHERS: u32 = 0o077;

/// Names in the folder.
const LOCK: &str = "lock";
const KEYS: &str = "keys";
const STATE: &str = "state";
const PLAYED: &str = "played";

/// See the [module](self).
pub(super) struct Room {
    path: PathBuf,
    /// It goes with this run.
    is_temporary: bool,
    lock: File,
}

impl Room {
    /// Takes the folder for this run alone; one that nobody else has and that goes with it, where none is named.
    ///
    /// # Errors
    /// Another run has it, others can get at it, or the system says no.
    pub(super) fn take(store: Option<&Path>) -> anyhow::Result<Self> {
        let (path, is_temporary) = match store {
            Some(path) => (made(path)?, false),
            None => (temporary()?, true),
        };
        let lock = path.join(LOCK);
        let taken =
            OpenOptions::new().read(true).write(true).create(true).truncate(false).mode(0o600).open(&lock);
        let mut lock = taken.map_err(|error| unwritable(&lock, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { path, is_temporary, lock }),
            Err(TryLockError::WouldBlock) => {
                let mut who = String::new();
                // Where that cannot be read, the message says less.
                let _ = (&mut lock).take(256).read_to_string(&mut who);
                bail!(
                    "another run, or the QEMU of one that was killed, has the store `{}` ({}): end it first",
                    path.display(),
                    if who.trim().is_empty() { "its process is not known" } else { who.trim() }
                )
            }
            Err(TryLockError::Error(error)) => bail!("cannot lock `{}`: {error}", path.display()),
        }
    }

    pub(super) fn path(&self) -> &Path {
        &self.path
    }

    pub(super) const fn lock(&self) -> &File {
        &self.lock
    }

    /// Where it stands how far the scenario has come; none where nobody would read it.
    pub(super) fn played(&self) -> Option<PathBuf> {
        (!self.is_temporary).then(|| self.path.join(PLAYED))
    }

    /// Writes down which processes have the folder, for whoever finds it locked.
    pub(super) fn note_processes(&mut self, guest: Option<u32>) {
        let own = std::process::id();
        let guest = guest.map_or_else(String::new, |id| format!(", its QEMU {id}"));
        // A message that says less is all that is lost.
        let _ = self.lock.set_len(0);
        let _ = self.lock.seek(SeekFrom::Start(0));
        let _ = writeln!(self.lock, "process {own}{guest}");
    }

    /// The keys in `named`, or the folder's own, made where there are none; with the node's blob on its flash.
    ///
    /// # Errors
    /// Keys or flash are not in order.
    pub(super) fn keys(&self, named: Option<&Path>, node: NodeId) -> anyhow::Result<Keyring> {
        if let Some(folder) = named {
            let keyring = Keyring::open(folder)?;
            flash::prepare(&self.flash(), &keyring, node)?;
            return Ok(keyring);
        }
        let folder = self.path.join(KEYS);
        if !folder.exists() {
            drop(Keyring::create(&folder, NETWORK)?);
        }
        let mut writer = Writer::open(&folder)?;
        let known = writer.keyring().entry(node).copied().ok();
        let blob = known.and_then(|entry| writer.keyring().blob(node, entry.epoch));
        if blob.is_none() && !self.flash().exists() {
            // A flash that was made anew must not begin where an earlier one began: it gets another epoch.
            writer.provision(&Request { nodes: vec![node], again: known.is_some(), ..Request::default() })?;
        }
        drop(writer);
        let keyring = Keyring::open(&folder)?;
        flash::prepare(&self.flash(), &keyring, node)?;
        // It has been flashed, and must never be flashed again.
        if let Some(blob) = keyring.blob(node, keyring.entry(node)?.epoch) {
            fs::remove_file(&blob).map_err(|error| anyhow!("cannot delete `{}`: {error}", blob.display()))?;
        }
        Ok(keyring)
    }

    /// The gateway's outbox, made where there is none. One that is made with the network's keys knows the node as it
    /// was made: nobody can have heard it before.
    ///
    /// # Errors
    /// It is somebody else's or not in order.
    pub(super) fn outbox(&self, owner: &Owner, keyring: &Keyring, is_own: bool) -> anyhow::Result<Outbox> {
        let folder = self.path.join(STATE);
        let is_new = !folder.exists();
        let outbox = Outbox::open(&folder, owner)?;
        if is_own && is_new {
            let states = keyring.entries().map(|entry| (entry.node, PeerState::new(entry.epoch))).collect();
            outbox.commit(&Batch { states, ..Batch::default() })?;
        }
        Ok(outbox)
    }

    pub(super) fn flash(&self) -> PathBuf {
        self.path.join(flash::FILE)
    }
}

impl Drop for Room {
    fn drop(&mut self) {
        if self.is_temporary {
            // What cannot be removed is left to whoever tidies such folders.
            let _ = fs::remove_dir_all(&self.path);
        }
    }
}

/// The folder at `path`, made where it is not there; its keys are nobody else's business.
fn made(path: &Path) -> anyhow::Result<PathBuf> {
    let name = path.display();
    match DirBuilder::new().mode(0o700).create(path) {
        Ok(()) => {}
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
        Err(error) => bail!(
            "cannot make the store `{name}`: {error}; the folder that it stands in must be there and writable, or name \
             another `--store`"
        ),
    }
    let seen = fs::metadata(path).map_err(|error| anyhow!("cannot look at the store `{name}`: {error}"))?;
    if !seen.is_dir() {
        bail!("`{name}` is a file; `--store` takes a folder, which is made where it is not there");
    }
    if seen.mode() & OTHERS != 0 {
        bail!(
            "others can get at the store `{name}` (mode {:03o}), and it holds keys: `chmod 700 {name}`, or another \
             folder",
            seen.mode() & 0o777
        );
    }
    fs::canonicalize(path).map_err(|error| anyhow!("cannot find the store `{name}`: {error}"))
}

/// Why a file of the store is not there.
pub(super) fn unwritable(path: &Path, error: &io::Error) -> anyhow::Error {
    anyhow!("cannot write `{}`: {error}; make that writable, or name another `--store`", path.display())
}

/// A folder that nobody had before.
fn temporary() -> anyhow::Result<PathBuf> {
    let base = fs::canonicalize(std::env::temp_dir()).map_err(|error| {
        anyhow!("no folder for temporary files: {error}; name a `--store`, or another TMPDIR")
    })?;
    let process = std::process::id();
    // Others may have been left behind under the number of this process.
    let mut paths = (0..1_000).map(|number| base.join(format!("alertbus-qemu-{process}-{number}")));
    let made = paths.find(|path| DirBuilder::new().mode(0o700).create(path).is_ok());
    made.with_context(|| {
        format!("no folder can be made in `{}`: name a `--store`, or another TMPDIR", base.display())
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn a_temporary_folder_is_its_owners_and_goes() {
        let room = Room::take(None).expect("the system has room for temporary files");
        let path = room.path().to_owned();
        assert_eq!(fs::metadata(&path).map(|seen| seen.mode() & 0o777).ok(), Some(0o700));
        let other = Room::take(None).expect("there is room for a second");
        assert_ne!(other.path(), path);
        let keyring = room.keys(None, NodeId(12)).expect("keys are made");
        assert_eq!(
            keyring.entries().map(|entry| (entry.node.0, entry.epoch.0)).collect::<Vec<_>>(),
            [(12, 1)]
        );
        drop(room);
        assert!(!path.exists());
    }

    #[test]
    fn a_store_is_one_runs_at_a_time_and_stays() {
        let place = Room::take(None).expect("the system has room for temporary files");
        let path = place.path().join("store");
        let mut room = Room::take(Some(&path)).expect("a new folder");
        room.note_processes(Some(4_711));
        let refused = Room::take(Some(&path)).map(|_| ()).map_err(|error| error.to_string());
        let words = format!("process {}, its QEMU 4711", std::process::id());
        assert!(refused.is_err_and(|why| why.contains(&words) && why.contains("end it first")));
        drop(room);
        drop(Room::take(Some(&path)).expect("it is free again"));
        fs::set_permissions(&path, fs::Permissions::from_mode(0o750)).expect("it is ours");
        let refused = Room::take(Some(&path)).map(|_| ()).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|why| why.contains("mode 750") && why.contains("chmod 700")));
        let file = place.path().join(LOCK);
        let refused = Room::take(Some(&file)).map(|_| ()).map_err(|error| error.to_string());
        assert!(refused.is_err_and(|why| why.contains("is a file")));
    }

    #[test]
    fn a_flash_that_is_lost_gets_another_epoch() {
        let room = Room::take(None).expect("the system has room for temporary files");
        let epoch = |room: &Room| {
            let keyring = room.keys(None, NodeId(12)).expect("keys are in order");
            keyring.entry(NodeId(12)).map(|entry| entry.epoch.0).ok()
        };
        assert_eq!((epoch(&room), epoch(&room)), (Some(1), Some(1)));
        fs::remove_file(room.flash()).expect("it is there");
        assert_eq!((epoch(&room), epoch(&room)), (Some(2), Some(2)));
    }
}
