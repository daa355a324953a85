//! Why a key directory cannot be read or changed. Every message names the file, says what to do, and shows no key.

use std::fs::Metadata;
use std::io;
use std::path::{Path, PathBuf};

use alertbus::message::{Epoch, NodeId};
use alertbus::provision::BlobError;

/// What went wrong. Only [`KeyringError::Unwritable`] carries an I/O error as its source: an output was lost;
/// everything else was asked for wrongly, or is an invalid file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum KeyringError {
    /// Nothing is ever overwritten.
    #[error("`{}` exists already and is never overwritten: {hint}", path.display())]
    Exists {
        /// What exists.
        path: PathBuf,
        /// What to do instead.
        hint: &'static str,
    },
    /// A file that must be there is not.
    #[error("`{}` is missing: {hint}", path.display())]
    Missing {
        /// What is missing.
        path: PathBuf,
        /// What to do.
        hint: &'static str,
    },
    /// A link may point anywhere, and whoever can change it can change the keys.
    #[error("`{}` is {found}; it must be {wanted} itself: put it in its place", path.display())]
    WrongSort {
        /// Where.
        path: PathBuf,
        /// What it is.
        found: &'static str,
        /// What it must be.
        wanted: &'static str,
    },
    /// Other users of the machine could read it.
    #[error("others can get at `{0}` (mode {mode:03o}): `chmod {wanted:o} {0}`", path.display())]
    Shared {
        /// Which file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it must have.
        wanted: u32,
    },
    /// Here nothing can be kept from others.
    #[error("the file system of `{}` does not keep files private: take a folder on another one", path.display())]
    NotPrivate {
        /// The file that others could have read; it has been removed.
        path: PathBuf,
    },
    /// It cannot be read. The reason is text: an unreadable file is wrong usage, and no lost output.
    #[error("cannot read `{}`: {why}", path.display())]
    Unreadable {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// It can be read and is not what it should be.
    #[error("`{}` {why}", path.display())]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: String,
    },
    /// A blob that no node would take.
    #[error("`{}`: {why}", path.display())]
    Blob {
        /// Which file.
        path: PathBuf,
        /// What is wrong with it, and what to do.
        why: BlobError,
    },
    /// What stood there before, if anything, is as it was.
    #[error("cannot write `{}`", path.display())]
    Unwritable {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// Two at once would give one epoch out twice.
    #[error("another run is changing `{}`: wait until it has ended", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// No key is better than a key that can be guessed.
    #[error("the operating system gives no random numbers ({why}): no key was made")]
    NoRandom {
        /// What the system says.
        why: String,
    },
    /// A node that was never provisioned from here.
    #[error("node {} is not in the register: `keys provision {}` on the same directory makes its blob", node.0, node.0)]
    UnknownNode {
        /// Which.
        node: NodeId,
    },
    /// A node that has its blob already.
    #[error(
        "node {} has been provisioned already, with epoch {}: `--again` makes a new blob with a new epoch, and the \
         node is not heard until it is flashed", node.0, epoch.0
    )]
    KnownNode {
        /// Which.
        node: NodeId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// An epoch that may have been used.
    #[error("epoch {} of node {} may have been used: allowed: {least} to {}", epoch.0, node.0, u32::MAX)]
    EpochUsed {
        /// Which node.
        node: NodeId,
        /// The epoch asked for.
        epoch: Epoch,
        /// The first that is free.
        least: u64,
    },
    /// A number that may have been used.
    #[error("`--{option} {floor}` for node {}: allowed: {least} to {most}, above what the node may have used", node.0)]
    FloorUsed {
        /// Which node.
        node: NodeId,
        /// Which floor.
        option: &'static str,
        /// The floor asked for, or come to.
        floor: u32,
        /// The first that is free.
        least: u32,
        /// The last there is.
        most: u32,
    },
    /// Its numbers are used up.
    #[error("node {} has no {what} left: retire it and give the device a node number that was never used", node.0)]
    Spent {
        /// Which node.
        node: NodeId,
        /// Of what.
        what: &'static str,
    },
    /// The register does not know of a blob that lies beside it.
    #[error(
        "`{}` is of epoch {}, and by the register node {} has not come that far: the register is an old copy; restore \
         the newest one, or provision node {} past what may have been used with `--epoch`", path.display(), epoch.0, node.0, node.0
    )]
    OldRegister {
        /// The blob.
        path: PathBuf,
        /// Its node.
        node: NodeId,
        /// Its epoch.
        epoch: Epoch,
    },
    /// Nothing to confirm.
    #[error("no epoch roll of node {} is under way: `keys roll {}` on the same directory begins one", node.0, node.0)]
    NoRoll {
        /// Which node.
        node: NodeId,
    },
    /// The register is written and a blob is not.
    #[error(
        "no blob was written for {nodes}, and the epochs they were given count as used: see to the cause, then \
         `keys provision --again {nodes}` on the same directory"
    )]
    BlobLost {
        /// The nodes without their blobs.
        nodes: String,
        /// Why the first of them has none.
        source: Box<Self>,
    },
}

impl KeyringError {
    pub(super) fn invalid(path: &Path, why: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), why: why.into() }
    }

    pub(super) fn unreadable(path: &Path, why: &io::Error) -> Self {
        Self::Unreadable { path: path.into(), why: why.to_string() }
    }

    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.into(), source }
    }

    pub(super) fn wrong_sort(path: &Path, metadata: &Metadata, wanted: &'static str) -> Self {
        let found = if metadata.is_symlink() {
            "a symbolic link"
        } else if metadata.is_dir() {
            "a folder"
        } else if metadata.is_file() {
            "a file"
        } else {
            "a device or a pipe"
        };
        Self::WrongSort { path: path.into(), found, wanted }
    }
}
