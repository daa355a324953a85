//! A node's flash chip as a file: every write and erase is on the disk before it is answered, so that numbers and alerts
//! outlive this program as they outlive a board's power.
//!
//! The first page is the node's provisioning blob and the mark that it is in use, the others are its store: the file
//! is byte for byte what a board's flash would hold.

use std::fs::{self, File, OpenOptions, TryLockError};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use alertbus::limits::BLOB_LEN;
use alertbus::provision::{Blob, BlobError};
use alertbus::store::Layout;
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};

/// Length of an erase page, in bytes.
const PAGE_LEN: usize = 4_096;
/// One for what the node was provisioned with, two for its counters, four for its journal.
const PAGES: usize = 7;
const WORD_LEN: usize = 4;
const ERASED: u8 = 0xff;
const FILE_MODE: u32 = 0o600;
/// The permissions of everybody but the owner.
const OTHERS: u32 = 0o077;

/// Where the store lies.
pub(super) const LAYOUT: Layout = Layout { used: 64, base: PAGE_LEN as u32, pages: PAGES as u32 - 1 };

/// Why a file is no node's flash. Only [`ChipError::Unwritable`] carries an I/O error as its source.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ChipError {
    /// No file, and nothing to make one of.
    #[error(
        "there is no `{}`: `--blob FILE` or `--keys DIR --node N` makes it of what the node was provisioned with", path.display()
    )]
    Missing {
        /// Which file.
        path: PathBuf,
    },
    /// It cannot be read.
    #[error("cannot read `{}`: {why}", path.display())]
    Unreadable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It cannot be written.
    #[error("cannot write `{}`", path.display())]
    Unwritable {
        /// Which file.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Two nodes on one flash would use counters twice.
    #[error("another node is running on `{}`: end it first", path.display())]
    Busy {
        /// Which file.
        path: PathBuf,
    },
    /// Others can read the key in it.
    #[error("others can get at `{0}` (mode {mode:03o}): `chmod 600 {0}`", path.display())]
    Shared {
        /// Which file.
        path: PathBuf,
        /// Its mode.
        mode: u32,
    },
    /// Some other file.
    #[error("`{}` has {got} bytes, and a node's flash has {expected}: it is another file", path.display())]
    WrongLength {
        /// Which file.
        path: PathBuf,
        /// Its length.
        got: u64,
        /// The right one.
        expected: usize,
    },
    /// No blob, or a damaged one.
    #[error("`{}`: {why}", path.display())]
    Blob {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: BlobError,
    },
    /// The flash is another node's, or of another epoch.
    #[error(
        "`{}` is the flash of {own}, and the blob is of {other}: each blob has a `--store` of its own", path.display()
    )]
    Another {
        /// Which file.
        path: PathBuf,
        /// Whose it is.
        own: String,
        /// Whose the blob is.
        other: String,
    },
}

/// An open flash, which nobody else can open until it is dropped.
pub struct Chip {
    file: File,
    path: PathBuf,
}

impl Chip {
    /// Opens the flash in `path`, and makes it of `blob` where there is no such file.
    ///
    /// # Errors
    /// It is somebody else's, in use, or cannot be read or written.
    pub fn open(path: &Path, blob: Option<&[u8; BLOB_LEN]>) -> Result<Self, ChipError> {
        let unreadable =
            |error: io::Error| ChipError::Unreadable { path: path.into(), why: error.to_string() };
        if !path.try_exists().map_err(unreadable)? {
            let blob = blob.ok_or_else(|| ChipError::Missing { path: path.into() })?;
            make(path, blob).map_err(|source| ChipError::Unwritable { path: path.into(), source })?;
        }
        let file = OpenOptions::new().read(true).write(true).open(path).map_err(unreadable)?;
        match file.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => return Err(ChipError::Busy { path: path.into() }),
            Err(TryLockError::Error(error)) => return Err(unreadable(error)),
        }
        let seen = file.metadata().map_err(unreadable)?;
        if seen.mode() & OTHERS != 0 {
            return Err(ChipError::Shared { path: path.into(), mode: seen.mode() & 0o777 });
        }
        if seen.len() != (PAGE_LEN * PAGES) as u64 {
            let (path, expected) = (path.into(), PAGE_LEN * PAGES);
            return Err(ChipError::WrongLength { path, got: seen.len(), expected });
        }
        let chip = Self { file, path: path.into() };
        if let Some(blob) = blob {
            chip.expect(blob)?;
        }
        Ok(chip)
    }

    /// What the node was provisioned with.
    ///
    /// # Errors
    /// The page holds no sound blob.
    pub fn blob(&self) -> Result<Blob, ChipError> {
        self.decode(&self.page()?)
    }

    fn expect(&self, blob: &[u8; BLOB_LEN]) -> Result<(), ChipError> {
        let page = self.page()?;
        if page == *blob {
            return Ok(());
        }
        let (own, other) = (self.decode(&page)?, self.decode(blob)?);
        let name = |blob: &Blob| {
            format!("node {} of network {} in epoch {}", blob.node.0, blob.network, blob.epoch.0)
        };
        Err(ChipError::Another { path: self.path.clone(), own: name(&own), other: name(&other) })
    }

    fn page(&self) -> Result<[u8; BLOB_LEN], ChipError> {
        let mut bytes = [0; BLOB_LEN];
        let read = self.file.read_exact_at(&mut bytes, 0);
        read.map_err(|error| ChipError::Unreadable { path: self.path.clone(), why: error.to_string() })?;
        Ok(bytes)
    }

    fn decode(&self, bytes: &[u8]) -> Result<Blob, ChipError> {
        Blob::decode(bytes).map_err(|why| ChipError::Blob { path: self.path.clone(), why })
    }

    fn put(&self, bytes: &[u8], offset: u32) -> Result<(), Failed> {
        self.file.write_all_at(bytes, offset.into()).and_then(|()| self.file.sync_data()).map_err(|_| Failed)
    }
}

/// Makes a flash that holds a blob and is erased otherwise, whole or not at all.
fn make(path: &Path, blob: &[u8; BLOB_LEN]) -> io::Result<()> {
    let mut name = std::ffi::OsString::from(".");
    name.push(path.file_name().unwrap_or_default());
    name.push(".part");
    let unfinished = path.with_file_name(name);
    match fs::remove_file(&unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let file = OpenOptions::new().write(true).create_new(true).mode(FILE_MODE).open(&unfinished)?;
    file.write_all_at(&vec![ERASED; PAGE_LEN * PAGES], 0)?;
    file.write_all_at(blob, 0)?;
    file.sync_all()?;
    // A link, because a rename would replace what another run has made meanwhile.
    fs::hard_link(&unfinished, path)?;
    fs::remove_file(&unfinished)?;
    let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty());
    File::open(folder.unwrap_or_else(|| Path::new(".")))?.sync_all()
}

/// The disk did not take it, or not give it.
#[derive(Clone, Copy, Debug)]
pub struct Failed;

impl NorFlashError for Failed {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::Other
    }
}

impl ErrorType for Chip {
    type Error = Failed;
}

impl ReadNorFlash for Chip {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), Failed> {
        self.file.read_exact_at(bytes, offset.into()).map_err(|_| Failed)
    }

    fn capacity(&self) -> usize {
        PAGE_LEN * PAGES
    }
}

impl NorFlash for Chip {
    const WRITE_SIZE: usize = WORD_LEN;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), Failed> {
        let len = usize::try_from(to.checked_sub(from).ok_or(Failed)?).map_err(|_| Failed)?;
        if to as usize > self.capacity() {
            return Err(Failed);
        }
        self.put(&vec![ERASED; len], from)
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), Failed> {
        let mut becomes = vec![0; bytes.len()];
        self.read(offset, &mut becomes)?;
        // Programming only ever clears bits.
        becomes.iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        self.put(&becomes, offset)
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use alertbus::message::{Epoch, NodeId};
    use alertbus::wire::keys::MasterKey;

    use super::*;

    /// A path of a test's own, without a file when the test begins and ends.
    struct Place(PathBuf);

    impl Place {
        fn new(name: &str) -> Self {
            let path = std::env::temp_dir().join(format!("alertbus-chip-{}-{name}", std::process::id()));
            let _ = fs::remove_file(&path);
            Self(path)
        }
    }

    impl Drop for Place {
        fn drop(&mut self) {
            let _ = fs::remove_file(&self.0);
        }
    }

    fn blob(node: u16) -> [u8; BLOB_LEN] {
        let key = MasterKey::from_bytes([7; 16]).node_key(7, NodeId(node));
        let blob = Blob { network: 7, node: NodeId(node), key, epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
        *blob.encode().expect("its numbers are in their ranges").expose()
    }

    fn refused(path: &Path, blob: Option<&[u8; BLOB_LEN]>) -> String {
        match Chip::open(path, blob) {
            Ok(_) => panic!("it was opened"),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn it_is_a_flash_and_outlives_its_program() {
        let place = Place::new("flash");
        let mut chip = Chip::open(&place.0, Some(&blob(12))).expect("a new file");
        let offset = LAYOUT.base;
        let mut word = [0; 4];
        chip.write(offset, &[0x0f; 4]).expect("there is room");
        chip.write(offset, &[0xf1; 4]).expect("there is room");
        chip.read(offset, &mut word).expect("it is there");
        assert_eq!(word, [0x01; 4], "programming only clears bits");
        drop(chip);
        let mut chip = Chip::open(&place.0, None).expect("it is in order");
        assert_eq!(chip.blob().map(|blob| blob.node).ok(), Some(NodeId(12)));
        chip.read(offset, &mut word).expect("it is there");
        assert_eq!(word, [0x01; 4]);
        chip.erase(offset, offset + PAGE_LEN as u32).expect("there is room");
        chip.read(offset, &mut word).expect("it is there");
        assert_eq!(word, [ERASED; 4]);
        assert!(chip.write(u32::MAX - 4, &[0; 4]).is_err() && chip.erase(8, 4).is_err());
        assert!(chip.erase(0, (PAGE_LEN * (PAGES + 1)) as u32).is_err());
    }

    #[test]
    fn whatever_is_not_this_nodes_flash_is_refused() {
        let place = Place::new("refused");
        assert!(refused(&place.0, None).contains("`--blob FILE` or `--keys DIR --node N` makes it"));
        let chip = Chip::open(&place.0, Some(&blob(12))).expect("a new file");
        assert!(refused(&place.0, None).contains("another node is running on"));
        drop(chip);
        let message = refused(&place.0, Some(&blob(13)));
        assert!(
            message.contains("flash of node 12 of network 7 in epoch 1, and the blob is of node 13"),
            "{message}"
        );
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o640)).expect("it is ours");
        assert!(refused(&place.0, None).contains("(mode 640): `chmod 600"));
        fs::set_permissions(&place.0, fs::Permissions::from_mode(0o600)).expect("it is ours");
        fs::write(&place.0, [0; 9]).expect("there is room");
        assert!(refused(&place.0, None).contains("has 9 bytes, and a node's flash has 28672"));
    }
}
