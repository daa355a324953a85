//! Which keys and which length of tag open or seal a packet. Keys are those of a simulated run, a file's or a key
//! directory's; never one from the command line, where every user of the machine and the shell's history can read it.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};

use alertbus::message::{Epoch, NodeId};
use alertbus::wire::keys::{KEY_LEN, LinkKey, MasterKey, NodeKey};
use alertbus::wire::link::TagLength;
use alertbus::wire::packet::Header;
use anyhow::{Context, bail};

use super::decode::hex::{self, Hex};
use crate::keyring::{Keyring, KeyringError, MASTER_TITLE};
use crate::world;

/// A key file holds 32 digits; what is this long is another file, given by mistake.
const KEY_FILE_LEN_MAX: u64 = 1_024;

/// The options that name keys.
#[derive(Debug, clap::Args)]
#[command(next_help_heading = "Keys")]
pub(super) struct KeyOptions {
    /// The throw-away keys of `replay --seed N`
    #[arg(long, value_name = "N", conflicts_with_all = ["keys", "master_key_file", "network", "node_key_file"],
          allow_negative_numbers = true, value_parser = super::values::seed)]
    seed: Option<u64>,
    /// A network's key directory, as `keys new` makes it
    #[arg(long, value_name = "DIR", conflicts_with_all = ["master_key_file", "network", "node_key_file"])]
    keys: Option<PathBuf>,
    /// A network's master key: a file with 32 hex digits that nobody else can read
    #[arg(long, value_name = "FILE", conflicts_with = "node_key_file")]
    master_key_file: Option<PathBuf>,
    /// Which network the master key is for
    #[arg(long, value_name = "N", default_value_t = world::NETWORK, requires = "master_key_file",
          allow_negative_numbers = true, value_parser = super::values::number("the number of a network", 0..=u32::MAX))]
    network: u32,
    /// One node's key: a file with 32 hex digits that nobody else can read
    #[arg(long, value_name = "FILE", conflicts_with = "network")]
    node_key_file: Option<PathBuf>,
}

impl KeyOptions {
    /// Whether the keys are somebody's, and not the throw-away ones of a run.
    pub(super) const fn are_real(&self) -> bool {
        self.keys.is_some() || self.master_key_file.is_some() || self.node_key_file.is_some()
    }

    /// The keys named, or none where no option names any.
    ///
    /// # Errors
    /// A file that cannot be read, that others can read, or that holds no key.
    pub(super) fn keys(&self) -> anyhow::Result<Option<Keys>> {
        Ok(if let Some(seed) = self.seed {
            Some(Keys::of_seed(seed))
        } else if let Some(folder) = &self.keys {
            Some(Keys::Ring(Box::new(Keyring::open(folder)?)))
        } else if let Some(path) = &self.master_key_file {
            let master = MasterKey::from_bytes(read_key(path)?);
            Some(Keys::Master { master, network: self.network })
        } else if let Some(path) = &self.node_key_file {
            Some(Keys::Node(NodeKey::from_bytes(read_key(path)?)))
        } else {
            None
        })
    }
}

/// What link keys come from.
pub(super) enum Keys {
    /// Those of every node of a network.
    Master {
        /// The network's key.
        master: MasterKey,
        /// The network's number.
        network: u32,
    },
    /// Those of a key directory.
    Ring(Box<Keyring>),
    /// Those of one node, whichever number a packet carries.
    Node(NodeKey),
}

impl Keys {
    /// The throw-away keys of a run.
    pub(super) fn of_seed(seed: u64) -> Self {
        Self::Master { master: world::throw_away_key(seed), network: world::NETWORK }
    }

    /// The epoch that a node is in: what a register says, else the first.
    ///
    /// # Errors
    /// The register does not know the node.
    pub(super) fn epoch(&self, node: NodeId) -> Result<Epoch, KeyringError> {
        match self {
            Self::Ring(keyring) => keyring.entry(node).map(|entry| entry.epoch),
            Self::Master { .. } | Self::Node(_) => Ok(Epoch(1)),
        }
    }

    /// The key for packets such as `header` describes, in this epoch.
    pub(super) fn link_key(&self, header: &Header, epoch: Epoch) -> LinkKey {
        let derive = |node: &NodeKey| node.link_key(header.class.direction(), header.exercise, epoch);
        match self {
            Self::Master { master, network } => derive(&master.node_key(*network, header.node)),
            Self::Ring(keyring) => derive(&keyring.master_key().node_key(keyring.network(), header.node)),
            Self::Node(node) => derive(node),
        }
    }
}

/// Length of the tag, as options name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Tag {
    /// 8 bytes, on small radio links
    Short,
    /// 16 bytes, on serial lines, on IP and on radio links of 59 bytes and more
    Long,
}

impl From<Tag> for TagLength {
    fn from(tag: Tag) -> Self {
        match tag {
            Tag::Short => Self::Short,
            Tag::Long => Self::Long,
        }
    }
}

/// Messages name the file and never what stands in it. An I/O error becomes text here: a key that cannot be read
/// is wrong usage, and not a lost output, which the exit code tells apart.
fn read_key(path: &Path) -> anyhow::Result<[u8; KEY_LEN]> {
    let name = path.display();
    let unreadable = |error: std::io::Error| anyhow::anyhow!("cannot read the key file `{name}`: {error}");
    // What is checked is the open file, so that nobody can put another in its place in between.
    let file = File::open(path).map_err(unreadable)?;
    refuse_if_shared(&file, path)?;
    let mut text = String::new();
    file.take(KEY_FILE_LEN_MAX + 1).read_to_string(&mut text).map_err(unreadable)?;
    if text.len() > usize::try_from(KEY_FILE_LEN_MAX).unwrap_or(usize::MAX) {
        bail!("the key file `{name}` is longer than {KEY_FILE_LEN_MAX} bytes: a key is 32 hex digits");
    }
    if text.starts_with(MASTER_TITLE) {
        bail!("`{name}` is the master key of a key directory: `--keys DIR` takes the directory it stands in");
    }
    let not_hex = |error: hex::NotHex| match error {
        hex::NotHex::Nothing => format!("the key file `{name}` is empty"),
        hex::NotHex::Character { position, .. } => {
            format!("character {position} of the key file `{name}` is no hex digit")
        }
    };
    let Hex { bytes, half } = hex::parse(&text).map_err(|error| anyhow::anyhow!(not_hex(error)))?;
    let digits = bytes.len() * 2 + usize::from(half.is_some());
    let key = <[u8; KEY_LEN]>::try_from(bytes).ok().filter(|_| half.is_none());
    key.with_context(|| format!("the key file `{name}` has {digits} hex digits; a key has 32"))
}

#[cfg(unix)]
fn refuse_if_shared(file: &File, path: &Path) -> anyhow::Result<()> {
    use std::os::unix::fs::MetadataExt;

    let name = path.display();
    let mode = match file.metadata() {
        Ok(metadata) => metadata.mode(),
        Err(error) => bail!("cannot look at the key file `{name}`: {error}"),
    };
    if mode & 0o077 != 0 {
        bail!(
            "others can read the key file `{name}` (mode {:03o}); `chmod 600` keeps it private",
            mode & 0o777
        );
    }
    Ok(())
}

#[cfg(not(unix))]
fn refuse_if_shared(_: &File, _: &Path) -> anyhow::Result<()> {
    Ok(())
}
