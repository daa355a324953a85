//! The file that is the board's flash: made of the node's blob, and read by nobody but the board while it runs.

use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::task::Poll;

use alertbus::NodeId;
use alertbus::limits::BLOB_LEN;
use alertbus::message::{Alert, AlertId};
use alertbus::provision::{Blob, USED_MARK_OFFSET};
use alertbus::store::{Birth, FlashStore, Layout, Store};
use anyhow::{Context, anyhow, bail};
use embedded_storage::nor_flash::{ErrorType, NorFlash, NorFlashError, NorFlashErrorKind, ReadNorFlash};
use zeroize::Zeroizing;

use super::account::{Content, content_of_alert};
use super::room::unwritable;
use crate::keyring::Keyring;
use crate::live::SLOTS;

/// What firmware calls it, in the folder where QEMU was started.
pub(super) const FILE: &str = "flash.bin";

/// A page of it, in bytes, as the boards in QEMU have it: the first is the blob's, the others the store's.
const PAGE_LEN: usize = 4_096;

/// More than any of these boards has, in bytes.
const LEN_MAX: u64 = 16 << 20;

/// Live Flash alerts that a node's journal holds: its slots, and the summaries.
const OPEN_MAX: usize = SLOTS + 2;

/// Makes the flash of a node's blob, where there is none; or finds that it is this node's.
///
/// # Errors
/// It is another node's, or there is no blob to make one of.
pub(super) fn prepare(path: &Path, keyring: &Keyring, node: NodeId) -> anyhow::Result<()> {
    let entry = keyring.entry(node)?;
    let unreadable = |path: &Path, error: io::Error| anyhow!("cannot read `{}`: {error}", path.display());
    if path.exists() {
        let bytes = Zeroizing::new(fs::read(path).map_err(|error| unreadable(path, error))?);
        let blob = bytes.get(..BLOB_LEN).map(Blob::decode);
        // What it says of itself it tells on the board, where it holds no blob at all.
        if let Some(Ok(blob)) = blob
            && (blob.node != node || blob.network != keyring.network() || blob.epoch > entry.epoch)
        {
            bail!(
                "`{}` is the flash of node {} of network {} in epoch {}, and the keys are those of node {} of network {} \
                 in epoch {}: each node has a `--store` of its own",
                path.display(),
                blob.node.0,
                blob.network,
                blob.epoch.0,
                node.0,
                keyring.network(),
                entry.epoch.0
            );
        }
        return Ok(());
    }
    let blob = keyring.blob(node, entry.epoch).with_context(|| {
        format!(
            "the blob of node {} in epoch {} is not in `{}` any more: it has been flashed, and `host-sim keys provision \
             --again {}` makes one with a new epoch",
            node.0, entry.epoch.0, keyring.folder().display(), node.0
        )
    })?;
    let bytes = Zeroizing::new(fs::read(&blob).map_err(|error| unreadable(&blob, error))?);
    make(path, &bytes).map_err(|error| unwritable(path, &error))
}

/// Writes it under another name first: whatever has its own name is whole.
fn make(path: &Path, blob: &[u8]) -> io::Result<()> {
    let unfinished = path.with_extension("part");
    let mut file =
        OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(&unfinished)?;
    file.write_all(blob)?;
    file.sync_all()?;
    fs::rename(&unfinished, path)?;
    File::open(path.parent().unwrap_or(path))?.sync_all()
}

/// The live Flash alerts that the node still holds, while it has no power: what it will send when it has some again.
/// None where the flash is not to be read as a node's, which its board will say itself.
pub(super) fn journal(path: &Path) -> Vec<(AlertId, Content)> {
    let Ok(bytes) = fs::metadata(path).and_then(|seen| {
        if seen.len() > LEN_MAX { Err(io::ErrorKind::FileTooLarge.into()) } else { fs::read(path) }
    }) else {
        return Vec::new();
    };
    let Some(Ok(Blob { node, epoch, flash_seq, other_seq, .. })) = bytes.get(..BLOB_LEN).map(Blob::decode)
    else {
        return Vec::new();
    };
    let pages = u32::try_from(bytes.len() / PAGE_LEN).unwrap_or(0).saturating_sub(1);
    let (Ok(used), Ok(base)) = (u32::try_from(USED_MARK_OFFSET), u32::try_from(PAGE_LEN)) else {
        return Vec::new();
    };
    let layout = Layout { used, base, pages };
    let birth = Birth { epoch, flash_seq, other_seq };
    let Ok(mut store) = FlashStore::<_, OPEN_MAX>::new(Copied(bytes), layout, birth) else {
        return Vec::new();
    };
    let (mut held, mut after) = (Vec::new(), None);
    while let Poll::Ready(Ok(Some(alert))) = store.next_open(after) {
        after = Some(alert.seq);
        let id = AlertId { node, exercise: false, flash: true, seq: alert.seq };
        if let Some(content) = Alert::decode(alert.content.as_slice())
            .ok()
            .and_then(|alert| content_of_alert(&alert, id.exercise))
        {
            held.push((id, content));
        }
    }
    held
}

/// A flash in memory: whatever reading it changes, nobody keeps.
struct Copied(Vec<u8>);

#[derive(Clone, Copy, Debug)]
struct OutOfBounds;

impl NorFlashError for OutOfBounds {
    fn kind(&self) -> NorFlashErrorKind {
        NorFlashErrorKind::OutOfBounds
    }
}

impl ErrorType for Copied {
    type Error = OutOfBounds;
}

impl Copied {
    fn part(&mut self, from: u32, len: usize) -> Result<&mut [u8], OutOfBounds> {
        let from = usize::try_from(from).map_err(|_| OutOfBounds)?;
        let to = from.checked_add(len).ok_or(OutOfBounds)?;
        self.0.get_mut(from..to).ok_or(OutOfBounds)
    }
}

impl ReadNorFlash for Copied {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, bytes: &mut [u8]) -> Result<(), OutOfBounds> {
        bytes.copy_from_slice(self.part(offset, bytes.len())?);
        Ok(())
    }

    fn capacity(&self) -> usize {
        self.0.len()
    }
}

impl NorFlash for Copied {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), OutOfBounds> {
        let len = usize::try_from(to.checked_sub(from).ok_or(OutOfBounds)?).map_err(|_| OutOfBounds)?;
        self.part(from, len)?.fill(0xff);
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), OutOfBounds> {
        self.part(offset, bytes.len())?.iter_mut().zip(bytes).for_each(|(old, new)| *old &= new);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use alertbus::AlertDraft;
    use alertbus::message::kind::RocketLaunch;
    use alertbus::message::{Epoch, Seq};
    use alertbus::store::Journalled;
    use alertbus::wire::keys::MasterKey;

    use super::super::account::content_of;
    use super::*;

    #[test]
    fn what_a_node_still_holds_is_read_from_its_flash_and_nothing_else() {
        let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(12));
        let blob = Blob { network: 1, node: NodeId(12), key, epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
        let mut bytes = vec![0xff; 5 * PAGE_LEN];
        bytes[..BLOB_LEN].copy_from_slice(blob.encode().expect("its numbers are in their ranges").expose());
        let layout = Layout { used: USED_MARK_OFFSET as u32, base: PAGE_LEN as u32, pages: 4 };
        let birth = Birth { epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
        let mut flash = Copied(bytes);
        let mut store = FlashStore::<_, OPEN_MAX>::new(&mut flash, layout, birth).expect("it fits");
        let draft = |rounds| AlertDraft::new(RocketLaunch { rounds, ..RocketLaunch::default() });
        assert!(store.recover().is_ready());
        for number in 1..=4 {
            let seq = Seq::new(number).expect("a number");
            let content = draft(number as u8).onset(1).content();
            assert_eq!(store.append(&Journalled { seq, key: None, content }), Poll::Ready(Ok(())));
        }
        assert_eq!(store.outcome(Seq::new(2).expect("a number")), Poll::Ready(Ok(())));
        drop(store);
        let path = std::env::temp_dir().join(format!("alertbus-flash-{}.bin", std::process::id()));
        fs::write(&path, &flash.0).expect("there is room");
        let held = journal(&path);
        let numbers: Vec<u32> = held.iter().map(|(id, _)| id.seq.number()).collect();
        assert_eq!(numbers, [1, 3, 4]);
        assert_eq!(held.first().map(|(_, content)| content.clone()), content_of(&draft(1)));
        // Neither what is no flash, nor what is not there, is an error here.
        fs::write(&path, [0xff; 9_000]).expect("there is room");
        assert!(journal(&path).is_empty());
        fs::remove_file(&path).expect("it is there");
        assert!(journal(&path).is_empty());
    }
}
