//! What an observer who has every key makes of what goes down: acknowledgements of what no disk has, and sirens that
//! sound though nobody says so, or keep still though somebody does. It decides nothing.

use std::collections::{BTreeMap, VecDeque};

use alertbus::limits::{BODY_LEN_MAX, CLEARED_MAX};
use alertbus::message::{Ack, Command, CommandId, Epoch, Order, ResetCause};
use alertbus::wire::keys::{Direction, LinkKey, MasterKey};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{AlertId, NodeId};

use super::{LINK, NETWORK, World};

/// By how much a siren's clock and the steps of a run may move the end of a warning, in milliseconds.
const SLACK_MS: u64 = 1_000;

pub(super) struct Ears {
    master: MasterKey,
    /// Keys down, by node, exercise and epoch.
    keys: BTreeMap<(NodeId, bool, Epoch), LinkKey>,
    sirens: BTreeMap<NodeId, Heard>,
}

/// What a siren has been told, and therefore may do.
#[derive(Clone, Default)]
struct Heard {
    warnings: Vec<Warned>,
    /// Oldest first.
    cleared: VecDeque<CommandId>,
    /// As it was before the last command, and when that came: a siren acts before it writes down, so that a power
    /// failure in the middle undoes what it has not written.
    before: Option<(u64, Box<Self>)>,
}

/// A warning that a siren has taken.
#[derive(Clone, Copy, Debug)]
struct Warned {
    id: CommandId,
    lasts_ms: u64,
    /// It may sound until then, and must until then.
    may_ms: u64,
    must_ms: u64,
    /// Of an earlier boot.
    is_old: bool,
}

impl Ears {
    pub(super) const fn new(master: MasterKey) -> Self {
        Self { master, keys: BTreeMap::new(), sirens: BTreeMap::new() }
    }

    /// The alerts that a packet of the gateway acknowledges.
    pub(super) fn acknowledged(&mut self, bytes: &[u8]) -> Vec<AlertId> {
        let Some((Header { class: Class::Ack, node, exercise, .. }, body)) = self.open(bytes) else {
            return Vec::new();
        };
        let Ok(ack) = Ack::decode(&body) else { return Vec::new() };
        let id =
            |item: &alertbus::message::AckItem| AlertId { node, exercise, flash: item.flash, seq: item.seq };
        ack.items().iter().map(id).collect()
    }

    /// A siren takes a packet.
    pub(super) fn taken(&mut self, now_ms: u64, bytes: &[u8]) {
        let Some((Header { class: Class::Command, node, exercise: false, .. }, body)) = self.open(bytes)
        else {
            return;
        };
        let Ok(Command { id, order, .. }) = Command::decode(&body) else { return };
        let heard = self.sirens.entry(node).or_default();
        heard.before = None;
        heard.before = Some((now_ms, Box::new(heard.clone())));
        match order {
            Order::Warn { duration_s, .. } => heard.warn(now_ms, id, 1_000 * u64::from(duration_s)),
            Order::Clear(ids) => ids.iter().for_each(|&id| heard.clear(id)),
            _ => {}
        }
    }

    /// The power of a siren goes.
    pub(super) fn power_off(&mut self, now_ms: u64, node: NodeId, cause: ResetCause) {
        let Some(heard) = self.sirens.get_mut(&node) else { return };
        if let Some((_, before)) = heard.before.take().filter(|&(at_ms, _)| at_ms == now_ms) {
            heard.warnings.extend(before.warnings);
            heard.cleared = before.cleared;
        }
        if matches!(cause, ResetCause::PowerOn | ResetCause::Unknown) {
            heard.warnings.clear();
        }
        heard.warnings.retain(|warned| warned.may_ms >= now_ms);
    }

    /// The power of a siren comes on: what was cut short may sound again for its whole time.
    pub(super) fn power_on(&mut self, now_ms: u64, node: NodeId) {
        for warned in self.sirens.get_mut(&node).into_iter().flat_map(|heard| &mut heard.warnings) {
            let may_ms = now_ms + warned.lasts_ms + SLACK_MS;
            *warned = Warned { may_ms, must_ms: 0, is_old: true, ..*warned };
        }
    }

    /// Whether a siren does what it was told.
    pub(super) fn is_right(&self, now_ms: u64, node: NodeId, sounds: bool) -> bool {
        let mut warnings = self.sirens.get(&node).into_iter().flat_map(|heard| &heard.warnings);
        if sounds {
            warnings.any(|warned| warned.may_ms >= now_ms)
        } else {
            warnings.all(|warned| warned.must_ms <= now_ms)
        }
    }

    fn open(&mut self, bytes: &[u8]) -> Option<(Header, Vec<u8>)> {
        let sealed = packet::parse(bytes, LINK.tag).ok()?;
        let header = *sealed.header();
        // No run lasts for more epochs than the header tells apart.
        let epoch = Epoch(header.epoch_low.into());
        let master = &self.master;
        let key = self.keys.entry((header.node, header.exercise, epoch)).or_insert_with(|| {
            let node_key = master.node_key(NETWORK, header.node);
            node_key.link_key(Direction::Down, header.exercise, epoch)
        });
        let mut body = [0; BODY_LEN_MAX];
        let body = sealed.open(key, &mut body).ok()?.to_vec();
        Some((header, body))
    }
}

impl Heard {
    fn warn(&mut self, now_ms: u64, id: CommandId, lasts_ms: u64) {
        if lasts_ms == 0 || self.cleared.contains(&id) {
            return;
        }
        let known = self.warnings.iter().find(|warned| warned.id == id).copied();
        if known.is_some_and(|known| !known.is_old) {
            // The same once more is answered once more, and changes nothing.
            return;
        }
        self.warnings.retain(|warned| warned.id != id);
        let may_ms = now_ms + lasts_ms + SLACK_MS;
        // What sounds again since a start goes on to the end that it has had since then.
        let must_ms = if known.is_some() { 0 } else { now_ms + lasts_ms - SLACK_MS };
        self.warnings.push(Warned { id, lasts_ms, may_ms, must_ms, is_old: false });
    }

    fn clear(&mut self, id: CommandId) {
        self.warnings.retain(|warned| warned.id != id);
        if !self.cleared.contains(&id) {
            self.cleared.push_back(id);
        }
        while self.cleared.len() > CLEARED_MAX {
            self.cleared.pop_front();
        }
    }
}

impl World {
    /// Acknowledgements of what its node still holds and no disk has.
    pub(super) fn note_said(&mut self, bytes: &[u8]) {
        for id in self.ears.acknowledged(bytes) {
            let held = self.by_address.get(&id.node).is_some_and(|&unit| self.books.holds(unit, id));
            self.incidents.acked_unstored += u64::from(held && !self.host.disk.has(id));
        }
    }

    /// Whether a siren sounds though nobody says so, or keeps still though somebody does.
    pub(super) fn judge_siren(&mut self, unit: usize) {
        let (now_ms, judged) = (self.medium.now_ms, &self.units[unit]);
        if judged.is_siren && judged.role.is_some() {
            let is_right = self.ears.is_right(now_ms, judged.node, judged.sounds_warning());
            self.incidents.sirens_wrong += u64::from(!is_right);
        }
    }

    /// What is still to be settled between gateway and units: sirens that take it for silent, units that it takes for
    /// silent, and commands that nobody has answered.
    #[must_use]
    pub fn unsettled(&self) -> usize {
        let unheard = self.units.iter().filter(|unit| unit.hears_nobody()).count();
        unheard + self.host.unsettled()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIREN: NodeId = NodeId(7);

    fn id(counter: u32) -> CommandId {
        CommandId { epoch_low: 1, counter }
    }

    fn told() -> Ears {
        let mut ears = Ears::new(super::super::throw_away_key(1));
        let heard = ears.sirens.entry(SIREN).or_default();
        heard.warn(0, id(1), 90_000);
        heard.warn(50_000, id(1), 90_000);
        heard.warn(50_000, id(2), 10_000);
        ears
    }

    #[test]
    fn a_siren_sounds_as_long_as_it_was_told_and_no_longer() {
        let mut ears = told();
        assert!(ears.is_right(88_000, SIREN, true) && !ears.is_right(88_000, SIREN, false));
        assert!(ears.is_right(92_000, SIREN, false) && !ears.is_right(92_000, SIREN, true));
        ears.sirens.get_mut(&SIREN).expect("known").clear(id(1));
        assert!(ears.is_right(55_000, SIREN, true), "the other one goes on");
        ears.sirens.get_mut(&SIREN).expect("known").clear(id(2));
        assert!(!ears.is_right(55_000, SIREN, true));
        ears.sirens.get_mut(&SIREN).expect("known").warn(56_000, id(2), 10_000);
        assert!(!ears.is_right(57_000, SIREN, true), "cleared is cleared");
    }

    #[test]
    fn after_a_brown_out_it_may_sound_again_and_after_a_power_off_it_may_not() {
        let mut ears = told();
        ears.power_off(60_000, SIREN, ResetCause::BrownOut);
        ears.power_on(70_000, SIREN);
        assert!(ears.is_right(159_000, SIREN, true) && ears.is_right(80_000, SIREN, false));
        assert!(!ears.is_right(162_000, SIREN, true));
        ears.power_off(80_000, SIREN, ResetCause::PowerOn);
        ears.power_on(81_000, SIREN);
        assert!(!ears.is_right(82_000, SIREN, true));
    }
}
