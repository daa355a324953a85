//! The state directory itself: private, made once, and known again.

use std::fs::{self, DirBuilder, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use super::OutboxError;

/// Mode of a state directory.
const FOLDER_MODE: u32 = 0o700;
/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// A state directory that this run alone uses, until it is dropped.
pub(super) struct Folder {
    _lock: File,
}

impl Folder {
    /// Takes the directory, and makes it where there is none.
    pub(super) fn take(path: &Path) -> Result<Self, OutboxError> {
        match DirBuilder::new().mode(FOLDER_MODE).create(path) {
            Ok(()) => sync(path.parent().filter(|parent| !parent.as_os_str().is_empty()))?,
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(OutboxError::unwritable(path, error)),
        }
        let seen = fs::metadata(path).map_err(|error| OutboxError::unreadable(path, &error))?;
        if !seen.is_dir() {
            return Err(OutboxError::NotAFolder { path: path.into() });
        }
        refuse_if_shared(path, seen.mode(), FOLDER_MODE)?;
        let lock = File::open(path).map_err(|error| OutboxError::unreadable(path, &error))?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(OutboxError::Busy { path: path.into() }),
            Err(TryLockError::Error(error)) => Err(OutboxError::unreadable(path, &error)),
        }
    }
}

/// Refuses what others can get at.
pub(super) fn refuse_if_shared(path: &Path, mode: u32, wanted: u32) -> Result<(), OutboxError> {
    if mode & OTHERS == 0 {
        return Ok(());
    }
    Err(OutboxError::Shared { path: path.into(), mode: mode & 0o777, wanted })
}

/// Makes names in a folder last.
pub(super) fn sync(folder: Option<&Path>) -> Result<(), OutboxError> {
    let folder = folder.unwrap_or_else(|| Path::new("."));
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|error| OutboxError::unwritable(folder, error))
}

/// Where a file lies: it changes when the file is copied, restored from a copy, or taken to another machine.
pub(super) fn whereabouts(path: &Path) -> Result<String, OutboxError> {
    let seen = fs::metadata(path).map_err(|error| OutboxError::unreadable(path, &error))?;
    // Where a system has no number of its own, the file's alone must do.
    let machine = fs::read_to_string("/etc/machine-id").unwrap_or_default();
    Ok(format!("{} {}", machine.trim(), seen.ino()))
}
