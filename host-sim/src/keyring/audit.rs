//! Whether a key directory is in order: everything in it is read and held against everything else.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use alertbus::message::{Epoch, NodeId};
use alertbus::provision::Blob;

use super::{Entry, Keyring, KeyringError, blobs, durable};

/// What was looked at, and what is wrong with it.
#[derive(Debug, Default)]
pub struct Audit {
    /// Network and fingerprint, where key and register are in order.
    pub network: Option<(u32, String)>,
    /// Nodes in the register.
    pub nodes: usize,
    /// Blobs that have not been deleted.
    pub blobs: usize,
    /// What is wrong, in the order in which it was found.
    pub findings: Vec<Finding>,
}

/// One thing that is wrong. It names the file and says what to do.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Finding(pub String);

/// Reads a key directory to its last file. It changes nothing.
#[must_use]
pub fn audit(folder: &Path) -> Audit {
    let mut audit = Audit::default();
    match Keyring::open(folder) {
        Ok(keyring) => {
            audit.network = Some((keyring.network(), keyring.fingerprint().into()));
            audit.nodes = keyring.entries().count();
            audit.blobs(&keyring);
        }
        // Without key and register there is nothing to hold the blobs against.
        Err(error) => audit.find(&error),
    }
    for folder in [folder.to_owned(), folder.join(blobs::FOLDER)] {
        for path in durable::unfinished(&folder).unwrap_or_default() {
            let what = "was left by a run that was broken off: the next change removes it";
            audit.findings.push(Finding(format!("`{}` {what}", path.display())));
        }
    }
    audit
}

impl Audit {
    fn find(&mut self, error: &KeyringError) {
        self.findings.push(Finding(error.to_string()));
    }

    fn blobs(&mut self, keyring: &Keyring) {
        let paths = match blobs::files(&keyring.folder) {
            Ok(paths) => paths,
            Err(error) => return self.find(&error),
        };
        self.blobs = paths.len();
        let mut seen = BTreeMap::<(NodeId, Epoch), PathBuf>::new();
        for path in paths {
            let blob = match blobs::read(&path) {
                Ok(blob) => blob,
                Err(error) => {
                    self.find(&error);
                    continue;
                }
            };
            let twin = seen.get(&(blob.node, blob.epoch));
            if let Err(what) = held_against(keyring, &blob, &path, twin.map(PathBuf::as_path)) {
                self.findings.push(Finding(what));
            }
            seen.entry((blob.node, blob.epoch)).or_insert(path);
        }
    }
}

/// What is wrong with a blob that can be read.
pub(super) fn held_against(
    keyring: &Keyring,
    blob: &Blob,
    path: &Path,
    twin: Option<&Path>,
) -> Result<(), String> {
    let name = path.display();
    let (node, epoch) = (blob.node.0, blob.epoch.0);
    blob.expect_network(keyring.network()).map_err(|error| format!("`{name}`: {error}"))?;
    if let Some(twin) = twin {
        return Err(format!(
            "`{name}` is a copy of `{}`: delete one, and flash the other once",
            twin.display()
        ));
    }
    if blobs::read_name(path) != Some((blob.node, blob.epoch)) {
        return Err(format!(
            "`{name}` is of node {node} in epoch {epoch}: give it its name back, or delete it"
        ));
    }
    let Ok(entry) = keyring.entry(blob.node) else {
        return Err(format!(
            "`{name}`: node {node} is not in the register: the register is an old copy; restore the newest one"
        ));
    };
    if blob.epoch > entry.epoch_last() {
        return Err(format!(
            "`{name}` is of epoch {epoch}, and the register knows of {} only: it is an old copy; restore the newest one",
            entry.epoch.0
        ));
    }
    if blob.epoch < entry.epoch {
        return Err(format!(
            "`{name}` is outdated, node {node} has epoch {}: delete it; flashed again it would repeat packet counters",
            entry.epoch.0
        ));
    }
    // Key and floors at once: what the register and the master key make must be what is there.
    let expected = blobs::blob(&keyring.master, &Entry { epoch: blob.epoch, ..*entry }).encode();
    match (expected, blob.encode()) {
        (Ok(expected), Ok(found)) if expected.expose() == found.expose() => Ok(()),
        _ => Err(format!(
            "`{name}` holds another key or other floors than master key and register make: do not flash it; delete it, \
             then `host-sim keys provision --again {node}`"
        )),
    }
}
