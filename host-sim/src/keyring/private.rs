//! Files and folders that nobody else can get at: looked at before they are read.

use std::fs::{self, DirBuilder, File, Metadata};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::path::Path;

use zeroize::Zeroizing;

use super::KeyringError;

/// Mode of a file that holds a key.
pub(super) const FILE_MODE: u32 = 0o600;
/// Mode of a folder of such files.
pub(super) const FOLDER_MODE: u32 = 0o700;
/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Reads a whole file that is a file itself, private, and at most `len_max` bytes long; wiped when dropped.
pub(super) fn read(
    path: &Path,
    len_max: usize,
    if_missing: &'static str,
) -> Result<Zeroizing<Vec<u8>>, KeyringError> {
    // A pipe would be waited for and a link followed, so both are refused before anything is opened.
    let seen = look(path, if_missing)?;
    if !seen.is_file() {
        return Err(KeyringError::wrong_sort(path, &seen, "the file"));
    }
    let file = File::open(path).map_err(|error| {
        // Whoever may not read it learns first that others may.
        refuse_if_shared(path, &seen, FILE_MODE)
            .err()
            .unwrap_or_else(|| KeyringError::unreadable(path, &error))
    })?;
    let open = file.metadata().map_err(|error| KeyringError::unreadable(path, &error))?;
    if (open.dev(), open.ino()) != (seen.dev(), seen.ino()) {
        return Err(KeyringError::invalid(
            path,
            "was exchanged while it was opened: try again, and if it was no other run of this, find out by whom",
        ));
    }
    refuse_if_shared(path, &open, FILE_MODE)?;
    // As much room as is needed at once: a vector that grows leaves copies of a key behind.
    let mut bytes = Zeroizing::new(Vec::with_capacity(len_max.min(4_096) + 1));
    let most = u64::try_from(len_max).unwrap_or(u64::MAX).saturating_add(1);
    file.take(most).read_to_end(&mut bytes).map_err(|error| KeyringError::unreadable(path, &error))?;
    if bytes.len() > len_max {
        let why = format!("is longer than {len_max} bytes: this is another file; restore it from a copy");
        return Err(KeyringError::invalid(path, why));
    }
    Ok(bytes)
}

/// Refuses a folder that is none, or that others can get at.
pub(super) fn check_folder(path: &Path, if_missing: &'static str) -> Result<(), KeyringError> {
    let seen = match fs::metadata(path) {
        Ok(seen) => seen,
        Err(error) => return Err(unseen(path, &error, if_missing)),
    };
    if !seen.is_dir() {
        return Err(KeyringError::wrong_sort(path, &seen, "the folder"));
    }
    refuse_if_shared(path, &seen, FOLDER_MODE)
}

/// Makes a folder that nobody else can get at. One that is there already is an error of this kind.
pub(super) fn make_folder(path: &Path) -> io::Result<()> {
    DirBuilder::new().mode(FOLDER_MODE).create(path)
}

/// Whether anything has this name, a link that leads nowhere included.
pub(super) fn exists(path: &Path) -> Result<bool, KeyringError> {
    match fs::symlink_metadata(path) {
        Ok(_) => Ok(true),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
        Err(error) => Err(KeyringError::unreadable(path, &error)),
    }
}

pub(super) const fn is_private(metadata_mode: u32) -> bool {
    metadata_mode & OTHERS == 0
}

fn look(path: &Path, if_missing: &'static str) -> Result<Metadata, KeyringError> {
    fs::symlink_metadata(path).map_err(|error| unseen(path, &error, if_missing))
}

fn unseen(path: &Path, error: &io::Error, if_missing: &'static str) -> KeyringError {
    if error.kind() == io::ErrorKind::NotFound {
        KeyringError::Missing { path: path.into(), hint: if_missing }
    } else {
        KeyringError::unreadable(path, error)
    }
}

fn refuse_if_shared(path: &Path, metadata: &Metadata, wanted: u32) -> Result<(), KeyringError> {
    if is_private(metadata.mode()) {
        Ok(())
    } else {
        Err(KeyringError::Shared { path: path.into(), mode: metadata.mode() & 0o777, wanted })
    }
}
