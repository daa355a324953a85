//! The folder of the blobs: what each is called, and what must be in it.

use std::path::{Path, PathBuf};

use alertbus::limits::BLOB_LEN;
use alertbus::message::{Epoch, NodeId};
use alertbus::provision::Blob;

use super::master::Master;
use super::register::Entry;
use super::{KeyringError, durable, private};

/// Its name in a key directory.
pub(super) const FOLDER: &str = "blobs";

const IF_MISSING: &str = "make it again, with mode 700";
const SUFFIX: &str = ".blob";

/// The folder, if nobody else can get at it.
pub(super) fn folder(directory: &Path) -> Result<PathBuf, KeyringError> {
    let path = directory.join(FOLDER);
    private::check_folder(&path, IF_MISSING)?;
    Ok(path)
}

/// Where the blob of `node` in `epoch` stands. Each has a name of its own, so none is ever in the way of another.
pub(super) fn path(directory: &Path, node: NodeId, epoch: Epoch) -> PathBuf {
    directory.join(FOLDER).join(format!("node-{}.epoch-{}{SUFFIX}", node.0, epoch.0))
}

/// What must be in the blob of an entry.
pub(super) fn blob(master: &Master, entry: &Entry) -> Blob {
    Blob {
        network: master.network,
        node: entry.node,
        key: master.key().node_key(master.network, entry.node),
        epoch: entry.epoch,
        flash_seq: entry.flash_floor,
        other_seq: entry.other_floor,
    }
}

/// Refuses blobs that betray an old register, and any that are not what they should be: who changes the register
/// relies on them. `epoch_last` is the last epoch that each node may have a blob of.
pub(super) fn refuse_unknown(
    directory: &Path,
    network: u32,
    epoch_last: impl Fn(NodeId) -> Option<Epoch>,
) -> Result<(), KeyringError> {
    for path in files(directory)? {
        let blob = read(&path)?;
        blob.expect_network(network).map_err(|why| KeyringError::Blob { path: path.clone(), why })?;
        let (node, epoch) = read_name(&path).unwrap_or((blob.node, blob.epoch));
        if epoch_last(node).is_none_or(|last| epoch.max(blob.epoch) > last) {
            return Err(KeyringError::OldRegister { path, node, epoch });
        }
    }
    Ok(())
}

/// The blobs there are, by their names, sorted.
pub(super) fn named(directory: &Path) -> Result<Vec<(NodeId, Epoch, PathBuf)>, KeyringError> {
    let paths = files(directory)?.into_iter();
    let mut named: Vec<_> =
        paths.filter_map(|path| read_name(&path).map(|(node, epoch)| (node, epoch, path))).collect();
    named.sort_by_key(|(node, epoch, _)| (*node, *epoch));
    Ok(named)
}

/// Everything that ends as a blob does.
pub(super) fn files(directory: &Path) -> Result<Vec<PathBuf>, KeyringError> {
    let mut paths = durable::names(&folder(directory)?)?;
    paths.retain(|path| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.ends_with(SUFFIX) && !name.starts_with('.')
    });
    Ok(paths)
}

/// Node and epoch by a blob's name; none where it was given another.
pub(super) fn read_name(path: &Path) -> Option<(NodeId, Epoch)> {
    let name = path.file_name()?.to_str()?;
    let (node, epoch) = name.strip_prefix("node-")?.strip_suffix(SUFFIX)?.split_once(".epoch-")?;
    Some((NodeId(node.parse().ok()?), Epoch(epoch.parse().ok()?)))
}

/// Reads a blob's file, whoever it is for.
pub(super) fn read(path: &Path) -> Result<Blob, KeyringError> {
    // More room than a blob needs, so that one that is too long is told by its length.
    let bytes = private::read(path, 64 * BLOB_LEN, "it was there a moment ago")?;
    Blob::decode(&bytes).map_err(|why| KeyringError::Blob { path: path.into(), why })
}
