//! When units, lines and the gateway are struck, and what then happens to them.

use alertbus::message::ResetCause;

use super::event::Event;
use super::{Occurrence, World};
use crate::scenario::Faults;

/// Mean time between two cuts of one line, in milliseconds.
const PARTITION_EVERY_MS: u64 = 6 * 3_600_000;

/// How long a unit stays without power at most, in milliseconds.
const OFF_MS_MAX: u64 = 30_000;

/// How long a killed gateway stays dead at most, in milliseconds.
const DEAD_MS_MAX: u64 = 120_000;

/// A brown-out waits for a write that long, in milliseconds; then the power fails anyway.
const BROWN_OUT_WAIT_MS: u64 = 60_000;

/// Operations of the flash chip within which a brown-out strikes.
const BROWN_OUT_OPERATIONS: u64 = 40;

impl World {
    /// Appoints the first of everything that strikes.
    pub(super) fn appoint_faults(&mut self) {
        for unit in 0..self.units.len() {
            self.appoint(self.faults.reboot_s, Event::Reboot { unit });
            self.appoint(self.faults.brown_out_s, Event::BrownOut { unit });
            self.appoint(self.epoch_s, Event::NextEpoch { unit });
        }
        for site in 0..self.heads.len() {
            self.appoint_partition(site);
        }
        self.appoint(self.faults.gateway_kill_s, Event::GatewayKill);
    }

    /// At a moment up to twice the mean time from now; never where that is 0.
    fn appoint(&mut self, mean_s: u32, event: Event) {
        if mean_s > 0 {
            let wait_ms = self.chance.below(2_000 * u64::from(mean_s));
            self.medium.events.schedule(self.medium.now_ms + 1 + wait_ms, event);
        }
    }

    fn appoint_partition(&mut self, site: usize) {
        if self.faults.partition_s > 0 {
            let wait_ms = self.chance.below(2 * PARTITION_EVERY_MS);
            self.medium.events.schedule(self.medium.now_ms + 1 + wait_ms, Event::Partition { site });
        }
    }

    pub(super) fn reboot(&mut self, unit: usize) {
        self.appoint(self.faults.reboot_s, Event::Reboot { unit });
        if self.faults.reboot_s > 0 && self.units[unit].role.is_some() {
            self.incidents.reboots += 1;
            self.switch_off(unit, ResetCause::Software);
        }
    }

    /// The power is about to fail in the middle of a write; where none comes it fails all the same.
    pub(super) fn brown_out(&mut self, unit: usize) {
        self.appoint(self.faults.brown_out_s, Event::BrownOut { unit });
        if self.faults.brown_out_s > 0 && self.units[unit].role.is_some() {
            let after = self.chance.below(BROWN_OUT_OPERATIONS);
            self.units[unit].flash.arm(u32::try_from(after).unwrap_or(0));
            let at_ms = self.medium.now_ms + BROWN_OUT_WAIT_MS;
            self.medium.events.schedule(at_ms, Event::PowerOff { unit });
        }
    }

    /// The wait for a write is over.
    pub(super) fn power_off(&mut self, unit: usize) {
        if self.units[unit].role.is_some() && self.units[unit].flash.is_armed() {
            self.incidents.brown_outs += 1;
            self.switch_off(unit, ResetCause::PowerOn);
        }
    }

    /// Whether the power of a unit has failed while it was writing; then it is off from here on.
    pub(super) fn has_browned_out(&mut self, unit: usize) -> bool {
        let failed = self.units[unit].role.is_some() && self.units[unit].flash.is_off();
        if failed {
            self.incidents.brown_outs += 1;
            self.switch_off(unit, ResetCause::BrownOut);
        }
        failed
    }

    fn switch_off(&mut self, unit: usize, cause: ResetCause) {
        self.books.power_off(unit);
        self.ears.power_off(self.medium.now_ms, self.units[unit].node, cause);
        self.units[unit].power_off(cause);
        self.tell(Occurrence::Off(self.units[unit].id.clone(), cause));
        let on_ms = self.medium.now_ms + 1 + self.chance.below(OFF_MS_MAX);
        self.medium.events.schedule(on_ms, Event::PowerOn { unit });
    }

    pub(super) fn partition(&mut self, site: usize) {
        self.appoint_partition(site);
        if self.faults.partition_s > 0 {
            self.incidents.partitions += 1;
            self.heads[site].cut_until_ms = self.medium.now_ms + 1_000 * u64::from(self.faults.partition_s);
            self.tell(Occurrence::Cut(self.sites[site].clone(), self.faults.partition_s));
        }
    }

    pub(super) fn kill_gateway(&mut self) {
        self.appoint(self.faults.gateway_kill_s, Event::GatewayKill);
        if self.faults.gateway_kill_s > 0 && self.host.is_up() {
            self.incidents.gateway_kills += 1;
            self.host.kill();
            self.watch.forget_unsynced();
            self.tell(Occurrence::Killed);
            let start_ms = self.medium.now_ms + 1 + self.chance.below(DEAD_MS_MAX);
            self.medium.events.schedule(start_ms, Event::GatewayStart);
        }
    }

    pub(super) fn next_epoch(&mut self, unit: usize) {
        self.appoint(self.epoch_s, Event::NextEpoch { unit });
        if self.epoch_s > 0 {
            self.incidents.epochs +=
                u64::from(self.host.roll_epoch(self.medium.now_ms, self.units[unit].node));
            self.serve_gateway();
        }
    }

    /// From now on everything works; what lies on the attacker's tape is still played.
    pub(super) fn heal(&mut self) {
        self.faults = Faults::default();
        self.epoch_s = 0;
        self.attacker.stop();
        self.heads.iter_mut().for_each(super::Head::heal);
        for unit in &mut self.units {
            unit.up.heal();
            unit.down.heal();
        }
    }
}
