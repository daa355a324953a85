//! Why a state directory cannot be used. Every message names the place and the way out.

use std::io;
use std::path::{Path, PathBuf};

use redb::{DatabaseError, StorageError};

/// What is wrong with a state directory. Only [`OutboxError::Unwritable`] carries an I/O error as its source: what was
/// to be stored is not. Everything else was asked for wrongly, or is an invalid file.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum OutboxError {
    /// Nothing that was to be written is written, and nothing that stood there has changed.
    #[error(
        "cannot write `{}`; make room or mend the disk and start again: what was not stored was not acknowledged, and \
         its node sends it again", path.display()
    )]
    Unwritable {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        source: io::Error,
    },
    /// It cannot be read. The reason is text: an unreadable file is wrong usage, and no lost output.
    #[error("cannot read `{}`: {why}", path.display())]
    Unreadable {
        /// Which file or folder.
        path: PathBuf,
        /// What the system says.
        why: String,
    },
    /// Other users of the machine could change what the gateway believes.
    #[error("others can get at `{0}` (mode {mode:03o}): `chmod {wanted:o} {0}`", path.display())]
    Shared {
        /// Which file or folder.
        path: PathBuf,
        /// Its mode.
        mode: u32,
        /// The mode it must have.
        wanted: u32,
    },
    /// Not a folder.
    #[error("`{}` is no folder: `--state` names one that is there, or one that is to be made", path.display())]
    NotAFolder {
        /// What was named.
        path: PathBuf,
    },
    /// Two gateways would use the same down counters.
    #[error("another gateway is running on `{}`: end it, or take another directory and number", path.display())]
    Busy {
        /// The directory.
        path: PathBuf,
    },
    /// Damaged, or of another program.
    #[error(
        "`{}` {why}: nothing of it was changed. Put it away, take a new directory and a number that no gateway of this \
         network has had, and alerts that were stored in it come marked as possible duplicates", path.display()
    )]
    Invalid {
        /// Which file.
        path: PathBuf,
        /// What is wrong.
        why: String,
    },
    /// It belongs to another gateway or network.
    #[error("`{}` belongs to {what} {expected}, and this is {what} {got}: {way_out}", path.display())]
    Another {
        /// The directory.
        path: PathBuf,
        /// Number of the gateway, number of the network, or master key.
        what: &'static str,
        /// What it is recorded as.
        expected: String,
        /// What was asked for.
        got: String,
        /// What to do.
        way_out: &'static str,
    },
    /// A fault of this program.
    #[error("the outbox has failed ({0}): start again; what was not stored was not acknowledged")]
    Failed(String),
    /// Whoever runs both would give the key stream away.
    #[error(
        "`{}` is a copy: it was made elsewhere, and counters that its original has used since would be used twice. Take \
         a new directory and a number that no gateway of this network has had", path.display()
    )]
    Copied {
        /// The directory.
        path: PathBuf,
    },
}

impl OutboxError {
    pub(super) fn unwritable(path: &Path, source: io::Error) -> Self {
        Self::Unwritable { path: path.into(), source }
    }

    pub(super) fn unreadable(path: &Path, why: &io::Error) -> Self {
        Self::Unreadable { path: path.into(), why: why.to_string() }
    }

    pub(super) fn invalid(path: &Path, why: impl Into<String>) -> Self {
        Self::Invalid { path: path.into(), why: why.into() }
    }

    /// What the data base says of `path`, in this program's words.
    pub(super) fn of(path: &Path, error: impl Into<redb::Error>) -> Self {
        match error.into() {
            redb::Error::DatabaseAlreadyOpen => {
                Self::Busy { path: path.parent().unwrap_or(path).to_path_buf() }
            }
            redb::Error::Io(error) if is_damage(error.kind()) => {
                Self::invalid(path, format!("is damaged ({error})"))
            }
            redb::Error::Io(error) => Self::unwritable(path, error),
            redb::Error::PreviousIo => Self::unwritable(path, io::Error::other("an earlier write failed")),
            error => Self::invalid(path, format!("is damaged ({error})")),
        }
    }

    /// As [`Self::of`], for an open: what cannot be read there is wrong usage.
    pub(super) fn of_open(path: &Path, error: DatabaseError) -> Self {
        match error {
            DatabaseError::Storage(StorageError::Io(error))
                if error.kind() == io::ErrorKind::PermissionDenied =>
            {
                Self::unreadable(path, &error)
            }
            error => Self::of(path, error),
        }
    }
}

const fn is_damage(kind: io::ErrorKind) -> bool {
    matches!(kind, io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
