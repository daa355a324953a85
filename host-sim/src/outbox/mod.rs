//! What a live gateway must not forget: alerts, what is known of each node, down counters, commands that are owed.
//!
//! ```text
//! alertbus-state/        mode 700, locked while a gateway runs on it
//!   outbox.redb          mode 600
//! ```
//!
//! One [`Batch`] is one transaction and one sync: all of it is there after a power cut, or nothing. Alerts are numbered
//! in the order in which they were stored, and stay. A number marks up to where they were shown to somebody, so that
//! a gateway that dies in between shows the rest again.
//!
//! A directory belongs to one gateway number of one network, and to the place where it was made: of two copies both
//! would use the same down counters, and give the key stream away.

mod error;
mod folder;
mod record;

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alertbus::NodeId;
use alertbus::message::{CommandId, Epoch};
use alertbus::role::gateway::PeerState;
use redb::{Database, ReadableDatabase, ReadableTable, TableDefinition, WriteTransaction};

pub use error::OutboxError;
pub use record::{Owed, StoredAlert};

use folder::Folder;

/// Its name in a state directory.
pub const FILE: &str = "outbox.redb";
/// What it is called until it is whole.
const UNFINISHED: &str = ".outbox.redb.part";
const FILE_MODE: u32 = 0o600;
const VERSION: &str = "1";
/// Memory the data base may take for pages that it has read, in bytes.
const CACHE_LEN: usize = 16 << 20;

const META: TableDefinition<'_, &str, &str> = TableDefinition::new("meta");
const ALERTS: TableDefinition<'_, u64, &[u8]> = TableDefinition::new("alerts");
const PEERS: TableDefinition<'_, u16, &[u8]> = TableDefinition::new("peers");
const DOWN: TableDefinition<'_, (u16, u32), u32> = TableDefinition::new("down counters");
const OWED: TableDefinition<'_, (u16, u64), &[u8]> = TableDefinition::new("owed");

/// Whose state it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Owner {
    /// Number of the gateway.
    pub gateway: u8,
    /// Number of the network.
    pub network: u32,
    /// Fingerprint of the network's master key.
    pub master: String,
}

/// What is written together.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Batch {
    /// New alerts, oldest first.
    pub alerts: Vec<StoredAlert>,
    /// What is known of nodes, these alerts included.
    pub states: BTreeMap<NodeId, PeerState>,
    /// Down counters set aside: the first that is not.
    pub down: BTreeMap<(NodeId, Epoch), u32>,
    /// Commands by node and name; none where nothing is owed any more.
    pub owed: BTreeMap<(NodeId, CommandId), Option<Owed>>,
    /// The last alert that somebody was shown.
    pub shown: Option<u64>,
}

impl Batch {
    /// Whether there is nothing to write.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// An open state directory.
pub struct Outbox {
    path: PathBuf,
    database: Database,
    _folder: Folder,
}

impl Outbox {
    /// Opens the state directory of `owner`, and makes it where there is none.
    ///
    /// # Errors
    /// It belongs to somebody else, is in use, is damaged, or cannot be read or written. Nothing was overwritten.
    pub fn open(directory: &Path, owner: &Owner) -> Result<Self, OutboxError> {
        let folder = Folder::take(directory)?;
        let path = directory.join(FILE);
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => create(directory, &path, owner)?,
            Err(error) => return Err(OutboxError::unreadable(&path, &error)),
            Ok(seen) if !seen.is_file() || seen.len() == 0 => {
                return Err(OutboxError::invalid(&path, "is empty or no file"));
            }
            Ok(seen) => folder::refuse_if_shared(&path, seen.mode(), FILE_MODE)?,
        }
        let mut builder = Database::builder();
        builder.set_cache_size(CACHE_LEN).set_check_integrity_on_open(true);
        let database = builder.open(&path).map_err(|error| OutboxError::of_open(&path, error))?;
        let outbox = Self { path, database, _folder: folder };
        outbox.check(directory, owner)?;
        Ok(outbox)
    }

    /// Writes a batch, and returns once the disk has it; the number of its first alert.
    ///
    /// # Errors
    /// Nothing of it was written.
    pub fn commit(&self, batch: &Batch) -> Result<u64, OutboxError> {
        let write = || -> Result<u64, redb::Error> {
            let transaction = self.database.begin_write()?;
            let first = fill(&transaction, batch)?;
            transaction.commit()?;
            Ok(first)
        };
        write().map_err(|error| self.wrong(error))
    }

    /// What is known of a node; none of one that was never heard here.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn state(&self, node: NodeId) -> Result<Option<PeerState>, OutboxError> {
        let bytes = self.read(|| {
            let table = self.database.begin_read()?.open_table(PEERS)?;
            Ok(table.get(node.0)?.map(|bytes| bytes.value().to_vec()))
        })?;
        bytes.map(|bytes| record::whole(&bytes).ok_or_else(|| self.unreadable("state of a node"))).transpose()
    }

    /// Down counters set aside so far: the first that is not.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn down(&self) -> Result<BTreeMap<(NodeId, Epoch), u32>, OutboxError> {
        self.read(|| {
            let table = self.database.begin_read()?.open_table(DOWN)?;
            let mut down = BTreeMap::new();
            for entry in table.iter()? {
                let (key, end) = entry?;
                let (node, epoch) = key.value();
                down.insert((NodeId(node), Epoch(epoch)), end.value());
            }
            Ok(down)
        })
    }

    /// Commands that are owed, by node and name.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn owed(&self) -> Result<BTreeMap<(NodeId, CommandId), Owed>, OutboxError> {
        let raw = self.read(|| {
            let table = self.database.begin_read()?.open_table(OWED)?;
            let mut raw = Vec::new();
            for entry in table.iter()? {
                let (key, bytes) = entry?;
                raw.push((key.value(), bytes.value().to_vec()));
            }
            Ok(raw)
        })?;
        let read = |((node, id), bytes): ((u16, u64), Vec<u8>)| {
            let owed = record::read_owed(&bytes).ok_or_else(|| self.unreadable("command"))?;
            Ok(((NodeId(node), record::id_of(id)), owed))
        };
        raw.into_iter().map(read).collect()
    }

    /// The number of the last alert that somebody was shown; 0 before the first.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn shown(&self) -> Result<u64, OutboxError> {
        self.meta("shown")?.unwrap_or_default().parse().map_err(|_| self.unreadable("number"))
    }

    /// The number of the last alert that is stored; 0 before the first.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn last(&self) -> Result<u64, OutboxError> {
        self.read(|| {
            let table = self.database.begin_read()?.open_table(ALERTS)?;
            Ok(table.last()?.map_or(0, |(number, _)| number.value()))
        })
    }

    /// Up to `most` alerts behind number `after`, with their numbers.
    ///
    /// # Errors
    /// The file is damaged.
    pub fn alerts(&self, after: u64, most: usize) -> Result<Vec<(u64, StoredAlert)>, OutboxError> {
        let raw = self.read(|| {
            let table = self.database.begin_read()?.open_table(ALERTS)?;
            let mut raw = Vec::new();
            for entry in table.range(after.saturating_add(1)..)?.take(most) {
                let (number, bytes) = entry?;
                raw.push((number.value(), bytes.value().to_vec()));
            }
            Ok(raw)
        })?;
        let read = |(number, bytes): (u64, Vec<u8>)| {
            Ok((number, record::read_alert(&bytes).ok_or_else(|| self.unreadable("alert"))?))
        };
        raw.into_iter().map(read).collect()
    }

    /// Whether it is whose it should be, and where it was made.
    fn check(&self, directory: &Path, owner: &Owner) -> Result<(), OutboxError> {
        let meta = |name| self.meta(name).map(Option::unwrap_or_default);
        let version = meta("version")?;
        if version != VERSION {
            return Err(OutboxError::invalid(
                &self.path,
                format!("has format version `{version}`, and only {VERSION} is known"),
            ));
        }
        for (name, what, got, way_out) in [
            (
                "gateway",
                "gateway",
                owner.gateway.to_string(),
                "take that number with `--number`, or another directory with `--state`",
            ),
            ("network", "network", owner.network.to_string(), "each network has a directory of its own"),
            ("master", "master key", owner.master.clone(), "each network has a directory of its own"),
        ] {
            let expected = meta(name)?;
            if expected != got {
                return Err(OutboxError::Another { path: directory.into(), what, expected, got, way_out });
            }
        }
        if meta("whereabouts")? != folder::whereabouts(&self.path)? {
            return Err(OutboxError::Copied { path: directory.into() });
        }
        Ok(())
    }

    fn meta(&self, name: &str) -> Result<Option<String>, OutboxError> {
        self.read(|| {
            let table = self.database.begin_read()?.open_table(META)?;
            Ok(table.get(name)?.map(|text| text.value().to_owned()))
        })
    }

    fn read<T>(&self, read: impl FnOnce() -> Result<T, redb::Error>) -> Result<T, OutboxError> {
        read().map_err(|error| self.wrong(error))
    }

    fn wrong(&self, error: redb::Error) -> OutboxError {
        OutboxError::of(&self.path, error)
    }

    fn unreadable(&self, what: &str) -> OutboxError {
        OutboxError::invalid(&self.path, format!("holds a {what} that cannot be read"))
    }
}

/// Makes the file under another name first: whatever has its own name is whole.
fn create(directory: &Path, path: &Path, owner: &Owner) -> Result<(), OutboxError> {
    let unfinished = directory.join(UNFINISHED);
    let unwritable = |error| OutboxError::unwritable(path, error);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(unwritable(error)),
        _ => {}
    }
    OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&unfinished).map_err(unwritable)?;
    let whereabouts = folder::whereabouts(&unfinished)?;
    let make = || -> Result<(), redb::Error> {
        let database = Database::create(&unfinished)?;
        let transaction = database.begin_write()?;
        {
            let mut meta = transaction.open_table(META)?;
            for (name, text) in [
                ("version", VERSION),
                ("gateway", &owner.gateway.to_string()),
                ("network", &owner.network.to_string()),
                ("master", &owner.master),
                ("whereabouts", &whereabouts),
                ("shown", "0"),
            ] {
                meta.insert(name, text)?;
            }
        }
        fill(&transaction, &Batch::default())?;
        transaction.commit()?;
        Ok(database.close()?)
    };
    make().map_err(|error| OutboxError::of(path, error))?;
    fs::rename(&unfinished, path).map_err(unwritable)?;
    folder::sync(Some(directory))
}

/// Puts a batch into a transaction; the number of its first alert.
fn fill(transaction: &WriteTransaction, batch: &Batch) -> Result<u64, redb::Error> {
    let unwritable = || redb::Error::Corrupted("a record cannot be written".into());
    let mut alerts = transaction.open_table(ALERTS)?;
    let first = alerts.last()?.map_or(0, |(number, _)| number.value()).saturating_add(1);
    for (number, alert) in (first..).zip(&batch.alerts) {
        let bytes = record::write_alert(alert).ok_or_else(unwritable)?;
        alerts.insert(number, &*bytes)?;
    }
    let mut peers = transaction.open_table(PEERS)?;
    for (node, state) in &batch.states {
        let bytes = postcard::to_allocvec(state).map_err(|_| unwritable())?;
        peers.insert(node.0, &*bytes)?;
    }
    let mut down = transaction.open_table(DOWN)?;
    for ((node, epoch), end) in &batch.down {
        down.insert((node.0, epoch.0), end)?;
    }
    let mut owed = transaction.open_table(OWED)?;
    for ((node, id), command) in &batch.owed {
        let key = (node.0, record::id_number(*id));
        match command {
            Some(command) => {
                let bytes = record::write_owed(command).ok_or_else(unwritable)?;
                owed.insert(key, &*bytes)?;
            }
            None => {
                owed.remove(key)?;
            }
        }
    }
    if let Some(shown) = batch.shown {
        transaction.open_table(META)?.insert("shown", &*shown.to_string())?;
    }
    Ok(first)
}

#[cfg(test)]
mod tests;
