//! Which node has which epoch and where its numbers begin: no secrets, and yet what keeps epochs from coming back.

use std::collections::BTreeMap;
use std::path::Path;

use alertbus::limits::SEQ_MAX;
use alertbus::message::{Epoch, NodeId};
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::{KeyringError, private};

/// Its name in a key directory.
pub const REGISTER_FILE: &str = "register.toml";

/// Numbers that an earlier life of a node may have used, for which nobody says how many they are.
///
/// A floor that is too low loses alerts: the gateway takes a number below its own floor for one that it has stored. A
/// floor that is too high costs a byte or two in each packet. So the step is large: an alert every four seconds for
/// two years, or a quarter of a million starts with 64 numbers reserved at each. And it is no larger, so that a node
/// can be provisioned 127 times more.
pub const FLOOR_STEP: u32 = 1 << 24;

/// The last number that may be a floor.
pub(super) const FLOOR_MAX: u32 = SEQ_MAX - 1;

const VERSION: u8 = 1;
/// All 65,535 nodes take 7 MB.
const LEN_MAX: usize = 16_000_000;
const RESTORE: &str =
    "restore the newest copy, and go past what may have been given out since with `--epoch`";
const IF_MISSING: &str = "without it nobody knows which epochs are used: restore the newest copy, and go past what may have been given \
     out since with `--epoch`";
const HEADER: &str = "\
# Which node of this network has which key epoch, and the first numbers that its alerts may have.
# Written by `host-sim keys`; do not edit: the check below would no longer fit. It holds no secrets. Copy it away with
# the master key after each change: an older copy would give epochs out twice.

";

/// A node's line in the register.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Which node.
    pub node: NodeId,
    /// The highest epoch that it was given a blob for, or is known to have reached.
    pub epoch: Epoch,
    /// The epoch it is to be sent on to by a command, where it is.
    pub next_epoch: Option<Epoch>,
    /// The first number of its Flash alerts.
    pub flash_floor: u32,
    /// The first number of its other alerts.
    pub other_floor: u32,
}

/// What is asked for when nodes are provisioned.
#[derive(Clone, Debug, Default)]
pub struct Request {
    /// Which nodes, each once.
    pub nodes: Vec<NodeId>,
    /// Those among them that have a blob already get a new one.
    pub again: bool,
    /// Their epoch; else the one after the last that each may have used, and 1 for new ones.
    pub epoch: Option<Epoch>,
    /// Their first Flash number; else [`FLOOR_STEP`] above the last floor, and 1 for new ones.
    pub flash_floor: Option<u32>,
    /// Their first other number, as above.
    pub other_floor: Option<u32>,
}

/// The register of one network.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Register {
    pub(super) network: u32,
    /// Fingerprint of the master key it belongs to.
    pub(super) master: String,
    entries: BTreeMap<u16, Entry>,
}

/// The file, in the order in which it is written.
#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Text {
    version: u8,
    network: u32,
    master: String,
    check: String,
    #[serde(default, rename = "node", skip_serializing_if = "Vec::is_empty")]
    nodes: Vec<Line>,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Line {
    number: u16,
    epoch: u32,
    #[serde(skip_serializing_if = "Option::is_none")]
    next_epoch: Option<u32>,
    flash_floor: u32,
    other_floor: u32,
}

impl Register {
    pub(super) const fn new(network: u32, master: String) -> Self {
        Self { network, master, entries: BTreeMap::new() }
    }

    pub(super) fn read(path: &Path) -> Result<Self, KeyringError> {
        let bytes = private::read(path, LEN_MAX, IF_MISSING)?;
        Self::parse(&bytes).map_err(|why| KeyringError::invalid(path, format!("{why}; {RESTORE}")))
    }

    fn parse(bytes: &[u8]) -> Result<Self, String> {
        let text = str::from_utf8(bytes).map_err(|_| "is no text")?;
        // What a version means is known before its fields are.
        let value: toml::Table = toml::from_str(text).map_err(|error| not_read(&error))?;
        match value.get("version").and_then(toml::Value::as_integer) {
            Some(version) if version == i64::from(VERSION) => {}
            Some(version) => return Err(format!("is of version {version}, and only {VERSION} is known")),
            None => return Err("is no register: it has no `version`".into()),
        }
        let Text { network, master, check, nodes, .. } =
            toml::from_str(text).map_err(|error| not_read(&error))?;
        let mut read = Self::new(network, master);
        for line in nodes {
            let entry = Entry {
                node: NodeId(line.number),
                epoch: Epoch(line.epoch),
                next_epoch: line.next_epoch.map(Epoch),
                flash_floor: line.flash_floor,
                other_floor: line.other_floor,
            };
            entry.check()?;
            if read.entries.insert(line.number, entry).is_some() {
                return Err(format!("has node {} twice", line.number));
            }
        }
        // A file cut off between two nodes reads well, and has forgotten epochs.
        if read.hash() != check {
            return Err("has a check that does not fit: it was edited, damaged or cut off".into());
        }
        Ok(read)
    }

    /// The whole file.
    pub(super) fn text(&self) -> String {
        let nodes = self.entries.values().map(|entry| Line {
            number: entry.node.0,
            epoch: entry.epoch.0,
            next_epoch: entry.next_epoch.map(|epoch| epoch.0),
            flash_floor: entry.flash_floor,
            other_floor: entry.other_floor,
        });
        let text = Text {
            version: VERSION,
            network: self.network,
            master: self.master.clone(),
            check: self.hash(),
            nodes: nodes.collect(),
        };
        let body = toml::to_string(&text);
        HEADER.to_owned() + &body.unwrap_or_else(|error| unreachable!("numbers and texts are TOML: {error}"))
    }

    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.entries.values()
    }

    pub(super) fn entry(&self, node: NodeId) -> Result<&Entry, KeyringError> {
        self.entries.get(&node.0).ok_or(KeyringError::UnknownNode { node })
    }

    /// Enters what `request` asks for; answers the entries with what stood there before. On an error some may be
    /// entered: the register is then to be dropped.
    pub(super) fn provision(
        &mut self,
        request: &Request,
    ) -> Result<Vec<(Entry, Option<Entry>)>, KeyringError> {
        let provision = |node: &NodeId| {
            let before = self.entries.get(&node.0).copied();
            if let Some(Entry { epoch, .. }) = before.filter(|_| !request.again) {
                return Err(KeyringError::KnownNode { node: *node, epoch });
            }
            let entry = Entry {
                node: *node,
                epoch: next_epoch(*node, before, request.epoch)?,
                next_epoch: None,
                flash_floor: floor(
                    *node,
                    "flash-floor",
                    before.map(|entry| entry.flash_floor),
                    request.flash_floor,
                )?,
                other_floor: floor(
                    *node,
                    "other-floor",
                    before.map(|entry| entry.other_floor),
                    request.other_floor,
                )?,
            };
            self.entries.insert(node.0, entry);
            Ok((entry, before))
        };
        request.nodes.iter().map(provision).collect()
    }

    /// Enters that `node` is to go on to the next epoch. True where it was not entered before.
    pub(super) fn begin_roll(&mut self, node: NodeId) -> Result<(Entry, bool), KeyringError> {
        let entry = self.entries.get_mut(&node.0).ok_or(KeyringError::UnknownNode { node })?;
        if entry.next_epoch.is_some() {
            return Ok((*entry, false));
        }
        let next = entry.epoch.0.checked_add(1).ok_or(KeyringError::Spent { node, what: "epoch" })?;
        entry.next_epoch = Some(Epoch(next));
        Ok((*entry, true))
    }

    /// Enters that `node` has been heard in the epoch that it was sent on to.
    pub(super) fn end_roll(&mut self, node: NodeId) -> Result<(Entry, bool), KeyringError> {
        let entry = self.entries.get_mut(&node.0).ok_or(KeyringError::UnknownNode { node })?;
        entry.epoch = entry.next_epoch.take().ok_or(KeyringError::NoRoll { node })?;
        Ok((*entry, true))
    }

    /// Over what is meant, and not over how it is written.
    fn hash(&self) -> String {
        let mut hash = Sha256::new();
        hash.update(format!("alertbus register v{VERSION}\0{}\0{}\0", self.network, self.master));
        for entry in self.entries.values() {
            let Entry { node, epoch, next_epoch, flash_floor, other_floor } = entry;
            let next = next_epoch.map_or(0, |epoch| epoch.0);
            hash.update(format!("{} {} {next} {flash_floor} {other_floor}\n", node.0, epoch.0));
        }
        hash.finalize().iter().take(8).map(|byte| format!("{byte:02x}")).collect()
    }
}

impl Entry {
    /// The last epoch that may have been used: a node that was sent on may be there already.
    pub(super) fn epoch_last(&self) -> Epoch {
        self.next_epoch.unwrap_or(self.epoch)
    }

    fn check(&self) -> Result<(), String> {
        let Self { node, epoch, next_epoch, .. } = *self;
        if node.0 == 0 {
            return Err("has a node 0; allowed: 1 to 65535".into());
        }
        if epoch.0 == 0 {
            return Err(format!("has node {} in epoch 0; epochs count from 1", node.0));
        }
        if next_epoch.is_some_and(|next| Some(next.0) != epoch.0.checked_add(1)) {
            return Err(format!("sends node {} on to an epoch that is not the next one", node.0));
        }
        if [self.flash_floor, self.other_floor].iter().any(|floor| !(1..=FLOOR_MAX).contains(floor)) {
            return Err(format!("has a floor of node {} that is none; allowed: 1 to {FLOOR_MAX}", node.0));
        }
        Ok(())
    }
}

/// The epoch of a new blob: above every one that the node may have used.
fn next_epoch(node: NodeId, before: Option<Entry>, wanted: Option<Epoch>) -> Result<Epoch, KeyringError> {
    let least = before.map_or(1, |entry| u64::from(entry.epoch_last().0) + 1);
    match wanted {
        Some(epoch) if u64::from(epoch.0) < least => Err(KeyringError::EpochUsed { node, epoch, least }),
        Some(epoch) => Ok(epoch),
        None => match u32::try_from(least) {
            Ok(epoch) => Ok(Epoch(epoch)),
            Err(_) => Err(KeyringError::Spent { node, what: "epoch" }),
        },
    }
}

/// A first number: above every one that the node may have used. Alerts keep their numbers over epochs, so a new
/// epoch alone does not make them fresh.
fn floor(
    node: NodeId,
    option: &'static str,
    before: Option<u32>,
    wanted: Option<u32>,
) -> Result<u32, KeyringError> {
    let least = before.map_or(1, |floor| floor.saturating_add(1));
    if least > FLOOR_MAX {
        return Err(KeyringError::Spent { node, what: "numbers" });
    }
    let floor = wanted.unwrap_or_else(|| before.map_or(1, |floor| floor.saturating_add(FLOOR_STEP)));
    if !(least..=FLOOR_MAX).contains(&floor) {
        return Err(KeyringError::FloorUsed { node, option, floor, least, most: FLOOR_MAX });
    }
    Ok(floor)
}

fn not_read(error: &toml::de::Error) -> String {
    format!("cannot be read as TOML: {}", error.message())
}

#[cfg(test)]
mod tests;
