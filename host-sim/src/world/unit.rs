//! A sensor node or a siren at its site: the core's own role on a board with a flash chip, a clock that drifts and a
//! radio.

use alertbus::NodeId;
use alertbus::message::ResetCause;
use alertbus::role::node::{Node, NodeConfig, Rejected};
use alertbus::role::siren::{Siren, SirenConfig, Sound};
use alertbus::store::{Birth, FlashStore, Layout, SirenStore};
use alertbus::time::Instant;
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::wire::packet::PacketBuffer;

use super::hop::Hop;
use super::nor::{Nor, PAGE_LEN, PAGES};
use super::{EPOCH, NETWORK, SLOTS_PER_NODE};
use crate::draw::Draw;
use crate::scenario::Faults;

/// Live Flash alerts a journal holds: the slots, and the summaries.
const OPEN_MAX: usize = SLOTS_PER_NODE + 2;

/// Where a store lies on its chip.
const LAYOUT: Layout = Layout { used: 64, base: PAGE_LEN as u32, pages: PAGES as u32 - 1 };

/// What a board runs while its power is on.
pub(super) enum Role {
    Sensor(Box<SensorNode>),
    Siren(Box<SirenRole>),
}

pub(super) type SensorNode = Node<FlashStore<Nor, OPEN_MAX>, SLOTS_PER_NODE>;
pub(super) type SirenRole = Siren<SirenStore<Nor>>;

/// See the [module](self).
pub(super) struct Unit {
    pub(super) node: NodeId,
    /// Its path.
    pub(super) id: String,
    /// Where it stands, as a place in the list of sites.
    pub(super) site: usize,
    pub(super) is_siren: bool,
    /// None while the power is off.
    pub(super) role: Option<Role>,
    pub(super) flash: Nor,
    pub(super) up: Hop,
    pub(super) down: Hop,
    /// Its radio sends until then.
    pub(super) radio_free_ms: u64,
    /// The call it waits for; others that were scheduled before are void.
    pub(super) timeout_ms: Option<u64>,
    /// When it started, on the run's clock.
    pub(super) started_ms: u64,
    /// Error of its clock, in millionths.
    drift_ppm: i64,
    /// Why it will start next.
    pub(super) cause: ResetCause,
    seed: u64,
}

impl Unit {
    pub(super) fn new(
        id: &str,
        node: NodeId,
        site: usize,
        is_siren: bool,
        seed: u64,
        faults: Faults,
    ) -> Self {
        let ppm = u64::from(faults.clock_drift_ppm);
        let drift = Draw::new(seed, &format!("{id} clock")).below(2 * ppm + 1);
        Self {
            node,
            id: id.to_owned(),
            site,
            is_siren,
            role: None,
            flash: Nor::new(seed, id),
            up: Hop::new(seed, format!("{id} air up"), faults),
            down: Hop::new(seed, format!("{id} air down"), faults),
            radio_free_ms: 0,
            timeout_ms: None,
            started_ms: 0,
            drift_ppm: i64::try_from(drift).unwrap_or(0) - i64::from(faults.clock_drift_ppm),
            cause: ResetCause::PowerOn,
            seed: Draw::new(seed, &format!("{id} retries")).below(u64::MAX),
        }
    }

    /// The power comes on: the role starts over what the chip has kept.
    pub(super) fn power_on(&mut self, now_ms: u64, master: &MasterKey) {
        self.flash.power_on();
        self.started_ms = now_ms;
        self.radio_free_ms = now_ms;
        self.timeout_ms = None;
        let birth = Birth { epoch: EPOCH, flash_seq: 1, other_seq: 1 };
        let (node, key) = (self.node, master.node_key(NETWORK, self.node));
        let (flash, reset_cause, now) = (self.flash.clone(), self.cause, Instant::START);
        self.role = if self.is_siren {
            let store = SirenStore::new(flash, LAYOUT, birth).ok();
            let config = SirenConfig { node, key, reset_cause, exercise: false };
            store.map(|store| Role::Siren(Box::new(Siren::start(config, store, now))))
        } else {
            let store = FlashStore::new(flash, LAYOUT, birth).ok();
            let config = NodeConfig { node, key, reset_cause, seed: self.seed };
            store.map(|store| Role::Sensor(Box::new(Node::start(config, store, now))))
        };
    }

    /// The power goes.
    pub(super) fn power_off(&mut self, cause: ResetCause) {
        self.role = None;
        self.timeout_ms = None;
        self.cause = cause;
    }

    pub(super) const fn drifts(&self) -> bool {
        self.drift_ppm != 0
    }

    /// What its own clock says at this time of the run.
    pub(super) fn local(&self, now_ms: u64) -> Instant {
        let elapsed_ms = now_ms.saturating_sub(self.started_ms);
        Instant::from_millis(elapsed_ms.saturating_add_signed(self.error_ms(elapsed_ms)))
    }

    /// When it wants to be called next, on the run's clock: not before its own clock says so.
    pub(super) fn next_step_ms(&self, now_ms: u64) -> Option<u64> {
        let due = match self.role.as_ref()? {
            Role::Sensor(node) => node.poll_timeout(),
            Role::Siren(siren) => siren.poll_timeout(),
        };
        let due_ms = due?.as_millis();
        let elapsed_ms = due_ms.saturating_add_signed(-self.error_ms(due_ms));
        let mut at_ms = self.started_ms.saturating_add(elapsed_ms).max(now_ms);
        while self.local(at_ms).as_millis() < due_ms {
            at_ms += 1;
        }
        Some(at_ms)
    }

    /// How far its clock is off after a time.
    const fn error_ms(&self, elapsed_ms: u64) -> i64 {
        (elapsed_ms / 1_000) as i64 * self.drift_ppm / 1_000
    }

    pub(super) fn handle_timeout(&mut self, now_ms: u64) {
        let now = self.local(now_ms);
        match &mut self.role {
            Some(Role::Sensor(node)) => node.handle_timeout(now),
            Some(Role::Siren(siren)) => siren.handle_timeout(now),
            None => {}
        }
    }

    pub(super) fn poll_transmit<'o>(
        &mut self,
        now_ms: u64,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        let now = self.local(now_ms);
        match self.role.as_mut()? {
            Role::Sensor(node) => node.poll_transmit(now, link, out),
            Role::Siren(siren) => siren.poll_transmit(now, link, out),
        }
    }

    /// Hands a packet to the role; whether it took it, or why not. None while the power is off.
    pub(super) fn handle_packet(
        &mut self,
        now_ms: u64,
        link: &Link,
        packet: &[u8],
    ) -> Option<Result<(), Rejected>> {
        let now = self.local(now_ms);
        Some(match self.role.as_mut()? {
            Role::Sensor(node) => node.handle_packet(now, link, packet),
            Role::Siren(siren) => siren.handle_packet(now, link, packet),
        })
    }

    /// The sensor's node, while the power is on.
    pub(super) const fn sensor(&mut self) -> Option<&mut SensorNode> {
        match &mut self.role {
            Some(Role::Sensor(node)) => Some(node),
            _ => None,
        }
    }

    /// Whether it is a siren that is heard now.
    pub(super) fn sounds_warning(&self) -> bool {
        matches!(&self.role, Some(Role::Siren(siren)) if matches!(siren.sound(), Sound::Warning { .. }))
    }

    /// Whether it is a siren to which the gateway is silent.
    pub(super) fn hears_nobody(&self) -> bool {
        matches!(&self.role, Some(Role::Siren(siren)) if siren.is_gateway_silent())
    }

    /// Alerts that the node keeps.
    pub(super) fn resident(&self) -> usize {
        match &self.role {
            Some(Role::Sensor(node)) => node.resident(),
            _ => 0,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_that_drifts_is_called_when_it_thinks_it_is_time() {
        for seed in 0..50 {
            let faults = Faults { clock_drift_ppm: 200, ..Faults::default() };
            let mut unit = Unit::new("test", NodeId(1), 0, false, seed, faults);
            unit.power_on(10_000, &super::super::throw_away_key(seed));
            let day_ms = 86_400_000;
            assert!(unit.local(10_000 + day_ms).as_millis().abs_diff(day_ms) <= 86_400 * 200 / 1_000);
            // The report that is due at once, and the next one after its interval by the node's own clock.
            let mut out = [0; alertbus::limits::PACKET_LEN_MAX];
            let (mut now_ms, mut due_ms) = (10_000, 0);
            for report in 0..500 {
                while unit.poll_transmit(now_ms, &super::super::LINK, &mut out).is_none() {
                    now_ms = unit.next_step_ms(now_ms).expect("there is always another report");
                    unit.handle_timeout(now_ms);
                }
                // A clock that is fast leaves a millisecond out now and then.
                let said_ms = unit.local(now_ms).as_millis();
                assert!((due_ms..=due_ms + 1).contains(&said_ms), "report {report}: {said_ms}, due {due_ms}");
                due_ms = said_ms + 300_000;
            }
        }
    }
}
