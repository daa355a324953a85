//! Files that are there whole or not at all, whenever the power goes: written beside their place, synced, then named.

use std::ffi::OsString;
use std::fs::{self, File, OpenOptions, Permissions, TryLockError};
use std::io::{self, Write};
use std::os::unix::fs::{OpenOptionsExt, PermissionsExt};
use std::path::{Path, PathBuf};

use super::KeyringError;
use super::private::{self, FILE_MODE};

/// What a file is called until it is whole: a dot before its name, and this behind.
const UNFINISHED: &str = ".part";

/// A file that is written and synced and has not got its name yet. Dropped, it is gone.
pub(super) struct Staged {
    unfinished: PathBuf,
    path: PathBuf,
}

impl Staged {
    /// Writes `bytes` next to `path`, for the owner's eyes only.
    pub(super) fn write(path: PathBuf, bytes: &[u8]) -> Result<Self, KeyringError> {
        let mut name = OsString::from(".");
        name.push(path.file_name().unwrap_or_default());
        name.push(UNFINISHED);
        let unfinished = path.with_file_name(name);
        let opened = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&unfinished);
        let mut file = opened.map_err(|error| KeyringError::unwritable(&path, error))?;
        // From here on the file is removed, whatever goes wrong.
        let staged = Self { unfinished, path };
        staged.fill(&mut file, bytes)?;
        Ok(staged)
    }

    fn fill(&self, file: &mut File, bytes: &[u8]) -> Result<(), KeyringError> {
        let unwritable = |error| KeyringError::unwritable(&self.path, error);
        // The mode is looked at before the first byte is written: some file systems have none.
        file.set_permissions(Permissions::from_mode(FILE_MODE)).map_err(unwritable)?;
        let mode = file.metadata().map_err(unwritable)?.permissions().mode();
        if !private::is_private(mode) {
            return Err(KeyringError::NotPrivate { path: self.path.clone() });
        }
        file.write_all(bytes).map_err(unwritable)?;
        file.sync_all().map_err(unwritable)
    }

    /// Gives it its name, which nothing may have yet. Lasting once [`sync_folder`] has answered.
    pub(super) fn publish(self, hint: &'static str) -> Result<(), KeyringError> {
        // A link, because a rename would replace what is there.
        fs::hard_link(&self.unfinished, &self.path).map_err(|error| {
            if error.kind() == io::ErrorKind::AlreadyExists {
                KeyringError::Exists { path: self.path.clone(), hint }
            } else {
                KeyringError::unwritable(&self.path, error)
            }
        })
    }

    /// Puts it in the place of the file that has its name: readers see the old one or the new one. It lasts.
    pub(super) fn replace(self) -> Result<(), KeyringError> {
        fs::rename(&self.unfinished, &self.path)
            .map_err(|error| KeyringError::unwritable(&self.path, error))?;
        sync_folder(self.path.parent().unwrap_or_else(|| Path::new(".")))
    }
}

impl Drop for Staged {
    fn drop(&mut self) {
        // What cannot be removed now is removed by `sweep`.
        let _ = fs::remove_file(&self.unfinished);
    }
}

/// Makes names in a folder last.
pub(super) fn sync_folder(folder: &Path) -> Result<(), KeyringError> {
    let synced = File::open(folder).and_then(|open| open.sync_all());
    synced.map_err(|error| KeyringError::unwritable(folder, error))
}

/// Keeps every other run from changing `folder` until it is dropped.
pub(super) fn lock(folder: &Path) -> Result<File, KeyringError> {
    let open = File::open(folder).map_err(|error| KeyringError::unreadable(folder, &error))?;
    match open.try_lock() {
        Ok(()) => Ok(open),
        Err(TryLockError::WouldBlock) => Err(KeyringError::Busy { path: folder.into() }),
        Err(TryLockError::Error(error)) => Err(KeyringError::unwritable(folder, error)),
    }
}

/// The files in `folder` that a run left unfinished when it was broken off.
pub(super) fn unfinished(folder: &Path) -> Result<Vec<PathBuf>, KeyringError> {
    let is_unfinished =
        |name: &str| name.starts_with('.') && name.ends_with(UNFINISHED) && name.len() > 1 + UNFINISHED.len();
    let mut found = names(folder)?;
    found.retain(|path| {
        path.file_name().and_then(|name| name.to_str()).is_some_and(is_unfinished) && !path.is_dir()
    });
    Ok(found)
}

/// Removes what broken-off runs left; nobody has ever been given it. Only under the lock.
pub(super) fn sweep(folder: &Path) -> Result<(), KeyringError> {
    for path in unfinished(folder)? {
        fs::remove_file(&path).map_err(|error| KeyringError::unwritable(&path, error))?;
    }
    Ok(())
}

/// Everything in `folder`, sorted.
pub(super) fn names(folder: &Path) -> Result<Vec<PathBuf>, KeyringError> {
    let entries = fs::read_dir(folder).and_then(|entries| entries.collect::<io::Result<Vec<_>>>());
    let entries = entries.map_err(|error| KeyringError::unreadable(folder, &error))?;
    let mut paths: Vec<_> = entries.iter().map(fs::DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}
