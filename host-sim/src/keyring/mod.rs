//! A key directory: a network's master key, the register of its nodes, and the blobs that are to be flashed.
//!
//! ```text
//! alertbus-keys/                 mode 700
//!   master.key                   mode 600: the secret that all others come from
//!   register.toml                mode 600: which node has which epoch, and where its numbers begin; no secrets
//!   blobs/                       mode 700
//!     node-12.epoch-1.blob       mode 600: what is flashed onto node 12, once, and then deleted
//! ```
//!
//! What must never happen is that an epoch comes back: the same key would seal under the same counters again. So the
//! register is written first and blobs after it; an epoch whose blob was never written counts as used. Nothing is
//! overwritten but the register, which gives way as a whole. Whatever others can get at is refused.

mod audit;
mod blobs;
mod durable;
mod error;
mod master;
mod private;
mod register;

use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use alertbus::message::{Epoch, NodeId};
use alertbus::wire::keys::MasterKey;

pub use audit::{Audit, Finding, audit};
pub use error::KeyringError;
pub use master::{MASTER_FILE, MASTER_TITLE};
pub use register::{Entry, FLOOR_STEP, REGISTER_FILE, Request};

use durable::Staged;
use master::Master;
use register::Register;

const IF_NO_DIRECTORY: &str = "`host-sim keys new` makes one; or name another directory";
const NO_KEY_DIRECTORY: &str =
    "is no key directory: `host-sim keys new` makes one, in a new or empty folder; or name another directory";
const ONE_KEY: &str = "each network has one master key and a directory of its own; `--dir` names another";
const ONE_BLOB: &str = "delete it where it has been flashed, and never flash it again";

/// A key directory, read and found in order.
pub struct Keyring {
    folder: PathBuf,
    master: Master,
    register: Register,
}

/// A key directory that this run alone changes.
pub struct Writer {
    keyring: Keyring,
    _lock: File,
}

/// A node that was just provisioned.
#[derive(Debug)]
pub struct Provisioned {
    /// Its line in the register.
    pub entry: Entry,
    /// The file with its blob.
    pub blob: PathBuf,
    /// Its line before, where it had one.
    pub before: Option<Entry>,
}

impl Keyring {
    /// Makes a key directory with a new master key. The folder may be there already if nobody else can get at it.
    ///
    /// # Errors
    /// Then nothing of it stays.
    pub fn create(folder: &Path, network: u32) -> Result<Self, KeyringError> {
        Self::create_from(folder, network, |key| getrandom::fill(key).map_err(|error| error.to_string()))
    }

    fn create_from(
        folder: &Path,
        network: u32,
        random: impl FnOnce(&mut [u8]) -> Result<(), String>,
    ) -> Result<Self, KeyringError> {
        let mut made = Made::default();
        match private::make_folder(folder) {
            Ok(()) => {
                made.0.push(folder.into());
                let parent = folder.parent().filter(|parent| !parent.as_os_str().is_empty());
                durable::sync_folder(parent.unwrap_or_else(|| Path::new(".")))?;
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(KeyringError::unwritable(folder, error)),
        }
        refuse_foreign(folder, &[])?;
        private::check_folder(folder, IF_NO_DIRECTORY)?;
        let _lock = durable::lock(folder)?;
        for name in [MASTER_FILE, REGISTER_FILE, blobs::FOLDER] {
            let path = folder.join(name);
            if private::exists(&path)? {
                return Err(KeyringError::Exists { path, hint: ONE_KEY });
            }
        }
        durable::sweep(folder)?;
        let master = Master::generate(network, random)?;
        let register = Register::new(network, master.fingerprint());
        // All that can run out of room does so before anything has its name.
        let new_master = Staged::write(folder.join(MASTER_FILE), master.text().as_bytes())?;
        let new_register = Staged::write(folder.join(REGISTER_FILE), register.text().as_bytes())?;
        let blobs = folder.join(blobs::FOLDER);
        private::make_folder(&blobs).map_err(|error| KeyringError::unwritable(&blobs, error))?;
        made.0.push(blobs);
        // The key comes last: a directory with a key is complete.
        for (file, name) in [(new_register, REGISTER_FILE), (new_master, MASTER_FILE)] {
            file.publish(ONE_KEY)?;
            made.0.push(folder.join(name));
        }
        durable::sync_folder(folder)?;
        made.0.clear();
        Ok(Self { folder: folder.into(), master, register })
    }

    /// Reads a key directory.
    ///
    /// # Errors
    /// Something in it is missing, damaged, of another network, or open to others.
    pub fn open(folder: &Path) -> Result<Self, KeyringError> {
        refuse_foreign(folder, &[MASTER_FILE, REGISTER_FILE])?;
        private::check_folder(folder, IF_NO_DIRECTORY)?;
        let master = Master::read(&folder.join(MASTER_FILE))?;
        let path = folder.join(REGISTER_FILE);
        let register = Register::read(&path)?;
        if register.network != master.network {
            let (got, expected) = (register.network, master.network);
            let why = format!("is for network {got}, and the master key beside it for network {expected}");
            return Err(KeyringError::invalid(&path, format!("{why}: restore both from the same copy")));
        }
        if register.master != master.fingerprint() {
            let why = "belongs to another master key than the one beside it: restore both from the same copy";
            return Err(KeyringError::invalid(&path, why));
        }
        Ok(Self { folder: folder.into(), master, register })
    }

    /// The directory.
    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }

    /// The network.
    #[must_use]
    pub const fn network(&self) -> u32 {
        self.master.network
    }

    /// The key that every node's key comes from.
    #[must_use]
    pub fn master_key(&self) -> MasterKey {
        self.master.key()
    }

    /// A name for the master key, by which copies are compared. It tells nothing of the key.
    #[must_use]
    pub fn fingerprint(&self) -> &str {
        &self.register.master
    }

    /// Every node that was ever provisioned, by number.
    pub fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.register.entries()
    }

    /// One node.
    ///
    /// # Errors
    /// [`KeyringError::UnknownNode`].
    pub fn entry(&self, node: NodeId) -> Result<&Entry, KeyringError> {
        self.register.entry(node)
    }

    /// The blob of a node in an epoch, if it has not been deleted and is in order.
    #[must_use]
    pub fn blob(&self, node: NodeId, epoch: Epoch) -> Option<PathBuf> {
        let path = blobs::path(&self.folder, node, epoch);
        let blob = blobs::read(&path).ok()?;
        audit::held_against(self, &blob, &path, None).ok().map(|()| path)
    }

    /// Blobs of a node that are of an earlier epoch than the register's: flashed again, they would repeat counters.
    ///
    /// # Errors
    /// The folder of the blobs cannot be read.
    pub fn outdated(&self, entry: &Entry) -> Result<Vec<PathBuf>, KeyringError> {
        let named = blobs::named(&self.folder)?;
        let old = named.into_iter().filter(|(node, epoch, _)| *node == entry.node && *epoch < entry.epoch);
        Ok(old.map(|(_, _, path)| path).collect())
    }
}

impl Writer {
    /// Takes a key directory for this run alone, and clears away what a broken-off run left.
    ///
    /// # Errors
    /// As [`Keyring::open`]; another run is changing it.
    pub fn open(folder: &Path) -> Result<Self, KeyringError> {
        refuse_foreign(folder, &[MASTER_FILE, REGISTER_FILE])?;
        private::check_folder(folder, IF_NO_DIRECTORY)?;
        let lock = durable::lock(folder)?;
        let keyring = Keyring::open(folder)?;
        durable::sweep(folder)?;
        durable::sweep(&blobs::folder(folder)?)?;
        Ok(Self { keyring, _lock: lock })
    }

    /// What is in it.
    #[must_use]
    pub const fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Gives each node an epoch that it has never had, and makes its blob.
    ///
    /// All of it is written before anything is changed; then the register changes in one step, and the blobs get
    /// their names.
    ///
    /// # Errors
    /// Nothing was changed; but with [`KeyringError::BlobLost`] the epochs count as used.
    pub fn provision(&mut self, request: &Request) -> Result<Vec<Provisioned>, KeyringError> {
        let prepared = self.prepare(request)?;
        self.commit(prepared)
    }

    fn commit(&mut self, prepared: Prepared) -> Result<Vec<Provisioned>, KeyringError> {
        prepared.new_register.replace()?;
        self.keyring.register = prepared.register;
        let (mut lost, mut why) = (Vec::new(), None);
        for (blob, Provisioned { entry, .. }) in prepared.blobs.into_iter().zip(&prepared.provisioned) {
            if let Err(error) = blob.publish(ONE_BLOB) {
                lost.push(entry.node.0.to_string());
                why = why.or(Some(error));
            }
        }
        if let Some(source) = why {
            return Err(KeyringError::BlobLost { nodes: lost.join(" "), source: Box::new(source) });
        }
        durable::sync_folder(&blobs::folder(&self.keyring.folder)?)?;
        Ok(prepared.provisioned)
    }

    fn prepare(&self, request: &Request) -> Result<Prepared, KeyringError> {
        let Keyring { folder, master, register } = &self.keyring;
        let mut register = register.clone();
        let (mut blobs, mut provisioned) = (Vec::new(), Vec::new());
        let asked_for = register.provision(request)?;
        blobs::refuse_unknown(folder, master.network, |node| {
            let of = |(entry, _): &&(Entry, _)| entry.node == node;
            match asked_for.iter().find(of) {
                // Its own epoch is still to be given out.
                Some((entry, _)) => entry.epoch.0.checked_sub(1).map(Epoch),
                None => register.entry(node).ok().map(Entry::epoch_last),
            }
        })?;
        for (entry, before) in asked_for {
            let path = blobs::path(folder, entry.node, entry.epoch);
            let bytes = blobs::blob(master, &entry)
                .encode()
                .map_err(|why| KeyringError::Blob { path: path.clone(), why })?;
            blobs.push(Staged::write(path.clone(), bytes.expose())?);
            provisioned.push(Provisioned { entry, blob: path, before });
        }
        let new_register = Staged::write(folder.join(REGISTER_FILE), register.text().as_bytes())?;
        Ok(Prepared { register, new_register, blobs, provisioned })
    }

    /// Enters that these nodes are to be sent on to their next epoch, which is the current one and 1, always. For
    /// each: its line, and whether this changed it; one that is under way already stays as it is.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn begin_roll(&mut self, nodes: &[NodeId]) -> Result<Vec<(Entry, bool)>, KeyringError> {
        self.change(nodes, Register::begin_roll)
    }

    /// Enters that these nodes have been heard in their next epoch.
    ///
    /// # Errors
    /// Nothing was changed.
    pub fn end_roll(&mut self, nodes: &[NodeId]) -> Result<Vec<(Entry, bool)>, KeyringError> {
        self.change(nodes, Register::end_roll)
    }

    fn change(
        &mut self,
        nodes: &[NodeId],
        change: impl Fn(&mut Register, NodeId) -> Result<(Entry, bool), KeyringError>,
    ) -> Result<Vec<(Entry, bool)>, KeyringError> {
        let Keyring { folder, master, register } = &self.keyring;
        blobs::refuse_unknown(folder, master.network, |node| {
            register.entry(node).ok().map(Entry::epoch_last)
        })?;
        let mut register = register.clone();
        let changed: Vec<_> =
            nodes.iter().map(|node| change(&mut register, *node)).collect::<Result<_, _>>()?;
        let path = self.keyring.folder.join(REGISTER_FILE);
        Staged::write(path, register.text().as_bytes())?.replace()?;
        self.keyring.register = register;
        Ok(changed)
    }
}

/// Refuses a folder of other things before anybody is told to change its mode: it was meant for another. Where keys
/// are looked for, one of the files `wanted` must be there; where they are made, nothing else may be.
fn refuse_foreign(folder: &Path, wanted: &[&str]) -> Result<(), KeyringError> {
    // What is missing or cannot be looked into is told by whoever needs it.
    let Ok(paths) = durable::names(folder) else { return Ok(()) };
    let is = |path: &PathBuf, names: &[&str]| names.iter().any(|name| path.ends_with(name));
    let ours = [MASTER_FILE, REGISTER_FILE, blobs::FOLDER];
    let is_foreign = if wanted.is_empty() {
        let unfinished = durable::unfinished(folder)?;
        !paths.iter().any(|path| is(path, &ours)) && paths.iter().any(|path| !unfinished.contains(path))
    } else {
        !paths.iter().any(|path| is(path, wanted))
    };
    if is_foreign {
        return Err(KeyringError::invalid(folder, NO_KEY_DIRECTORY));
    }
    Ok(())
}

/// What a run has made, to be unmade when it fails.
#[derive(Default)]
struct Made(Vec<PathBuf>);

impl Drop for Made {
    fn drop(&mut self) {
        for path in self.0.iter().rev() {
            // The folders are empty by then; one that is not holds what somebody else put there.
            let _ = if path.is_dir() { fs::remove_dir(path) } else { fs::remove_file(path) };
        }
    }
}

/// Everything that provisioning writes, written, and nothing of it in its place.
struct Prepared {
    register: Register,
    new_register: Staged,
    blobs: Vec<Staged>,
    provisioned: Vec<Provisioned>,
}

#[cfg(test)]
mod tests;
