//! What a soak adds up to.

use serde::Serialize;

use crate::world::World;

/// Counts of one life, or of all. What stands under "must be zero" is checked by [`Tally::is_clean`].
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Tally {
    /// Lives played.
    pub lives: u64,
    /// Nodes and sirens times hours, in thousandths.
    #[serde(serialize_with = "thousandths", rename = "node_hours")]
    pub node_hours_thousandths: u64,
    /// Alerts submitted to nodes.
    pub alerts: u64,
    /// What was done to frames, units and the gateway, by name.
    pub faults: FaultTally,
    /// Live Flash alerts submitted.
    pub flash_raised: u64,
    /// Of these on the gateway's disk.
    pub flash_stored: u64,
    /// Replaced by an update.
    pub flash_superseded: u64,
    /// Withdrawn by their source.
    pub flash_cancelled: u64,
    /// Counted into a summary that is on the gateway's disk.
    pub flash_merged: u64,
    /// There already, byte for byte.
    pub flash_duplicate: u64,
    /// Handed back to their source.
    pub flash_refused: u64,
    /// Cut off by a power failure before they were Durable.
    pub flash_cut_off: u64,
    /// Must be zero: none of these.
    pub flash_lost: u64,
    /// Packets sent that no node or gateway had sealed like that, or to another address.
    pub forgeries_tried: u64,
    /// Must be zero: of these taken.
    pub forgeries_accepted: u64,
    /// Packets played back.
    pub replays_tried: u64,
    /// Must be zero: taken a second time, or, going down, when they were too old.
    pub replays_accepted: u64,
    /// Must be zero: alerts that the gateway's disk was given twice.
    pub duplicates_delivered: u64,
    /// Must be zero: nonces used twice.
    pub nonce_repeats: u64,
    /// Must be zero: steps at which a ledger did not balance.
    pub unbalanced: u64,
    /// Must be zero: alerts that were acknowledged and were on no disk.
    pub acked_unstored: u64,
    /// Must be zero: summaries that say something else than what was counted into them.
    pub miscounted: u64,
    /// Must be zero: live Flash alerts handed back by a node that had room.
    pub refused_unduly: u64,
    /// Must be zero: steps at which a siren sounded untold, or kept still though it was told to sound.
    pub sirens_wrong: u64,
    /// Must be zero: nodes that lost their counters.
    pub counters_lost: u64,
    /// Must be zero: what is open when the time for it is over. Live Flash alerts, commands without an answer, sirens
    /// that hear nobody, units of which the gateway hears nothing.
    pub not_live: u64,
    /// Warnings that a siren began to sound.
    pub warnings: u64,
    /// Alarms that a node or siren was silent.
    pub silent_alarms: u64,
    /// From raised to received by the gateway, in milliseconds, the longest of a live Flash alert.
    pub latency_ms_max: u64,
}

/// Faults that befell, by name.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct FaultTally {
    /// Frames lost, one by one and in bursts.
    pub drop: u64,
    /// Of these in bursts.
    pub burst: u64,
    /// Frames that arrived twice.
    pub duplicate: u64,
    /// Frames overtaken.
    pub reorder: u64,
    /// Frames with a flipped bit.
    pub corrupt: u64,
    /// Frames that arrived later than their time on the air.
    pub delay: u64,
    /// Lines cut.
    pub partition: u64,
    /// Resets.
    pub reboot: u64,
    /// Power failures in the middle of a write.
    pub brown_out: u64,
    /// Units whose clock was wrong.
    pub clock_drift: u64,
    /// Kills of the gateway.
    pub gateway_kill: u64,
    /// Packets that the attacker made use of.
    pub attacker: u64,
    /// Key epochs begun by command.
    pub next_epoch: u64,
}

impl FaultTally {
    /// Every fault with its name.
    #[must_use]
    pub const fn by_name(&self) -> [(&'static str, u64); 13] {
        [
            ("drop", self.drop),
            ("burst", self.burst),
            ("duplicate", self.duplicate),
            ("reorder", self.reorder),
            ("corrupt", self.corrupt),
            ("delay", self.delay),
            ("partition", self.partition),
            ("reboot", self.reboot),
            ("brown-out", self.brown_out),
            ("clock-drift", self.clock_drift),
            ("gateway-kill", self.gateway_kill),
            ("attacker", self.attacker),
            ("next-epoch", self.next_epoch),
        ]
    }
}

impl Tally {
    /// Of one life, once it is over.
    #[must_use]
    pub fn of(world: &World, node_hours_thousandths: u64) -> Self {
        let (flash, frames) = (world.flash(), world.frames());
        let (incidents, attempts, breaches) = (world.incidents(), world.attempts(), world.breaches());
        Self {
            lives: 1,
            node_hours_thousandths,
            alerts: world.raised() as u64,
            faults: FaultTally {
                drop: frames.dropped,
                burst: frames.burst,
                duplicate: frames.duplicated,
                reorder: frames.reordered,
                corrupt: frames.corrupted,
                delay: frames.delayed,
                partition: incidents.partitions,
                reboot: incidents.reboots,
                brown_out: incidents.brown_outs,
                clock_drift: world.drifting() as u64,
                gateway_kill: incidents.gateway_kills,
                attacker: attempts.forgeries + attempts.replays + attempts.held_back,
                next_epoch: incidents.epochs,
            },
            flash_raised: flash.raised,
            flash_stored: flash.stored,
            flash_superseded: flash.superseded,
            flash_cancelled: flash.cancelled,
            flash_merged: flash.merged,
            flash_duplicate: flash.duplicate,
            flash_refused: flash.refused,
            flash_cut_off: flash.cut_off,
            flash_lost: flash.lost,
            forgeries_tried: attempts.forgeries,
            forgeries_accepted: breaches.forgeries_accepted + world.forged_delivered(),
            replays_tried: attempts.replays,
            replays_accepted: breaches.replays_accepted,
            duplicates_delivered: world.duplicates_delivered(),
            nonce_repeats: breaches.nonce_repeats,
            unbalanced: breaches.unbalanced,
            acked_unstored: incidents.acked_unstored,
            miscounted: flash.miscounted,
            refused_unduly: incidents.refused_unduly,
            sirens_wrong: incidents.sirens_wrong,
            counters_lost: incidents.counters_lost,
            not_live: flash.open + world.unsettled() as u64,
            warnings: incidents.warnings,
            silent_alarms: incidents.silent,
            latency_ms_max: flash.latency_ms_max,
        }
    }

    /// What must be zero, by name.
    #[must_use]
    pub const fn must_be_zero(&self) -> [(&'static str, u64); 12] {
        [
            ("flash_lost", self.flash_lost),
            ("forgeries_accepted", self.forgeries_accepted),
            ("replays_accepted", self.replays_accepted),
            ("duplicates_delivered", self.duplicates_delivered),
            ("nonce_repeats", self.nonce_repeats),
            ("unbalanced", self.unbalanced),
            ("acked_unstored", self.acked_unstored),
            ("miscounted", self.miscounted),
            ("refused_unduly", self.refused_unduly),
            ("sirens_wrong", self.sirens_wrong),
            ("counters_lost", self.counters_lost),
            ("not_live", self.not_live),
        ]
    }

    /// Whether nothing happened that must not.
    #[must_use]
    pub fn is_clean(&self) -> bool {
        self.must_be_zero().iter().all(|&(_, count)| count == 0)
    }

    /// Adds another life, or several.
    pub fn add(&mut self, other: &Self) {
        let Self { lives, node_hours_thousandths, alerts, faults, .. } = other;
        self.lives += lives;
        self.node_hours_thousandths += node_hours_thousandths;
        self.alerts += alerts;
        self.faults.add(faults);
        self.flash_raised += other.flash_raised;
        self.flash_stored += other.flash_stored;
        self.flash_superseded += other.flash_superseded;
        self.flash_cancelled += other.flash_cancelled;
        self.flash_merged += other.flash_merged;
        self.flash_duplicate += other.flash_duplicate;
        self.flash_refused += other.flash_refused;
        self.flash_cut_off += other.flash_cut_off;
        self.flash_lost += other.flash_lost;
        self.forgeries_tried += other.forgeries_tried;
        self.forgeries_accepted += other.forgeries_accepted;
        self.replays_tried += other.replays_tried;
        self.replays_accepted += other.replays_accepted;
        self.duplicates_delivered += other.duplicates_delivered;
        self.nonce_repeats += other.nonce_repeats;
        self.unbalanced += other.unbalanced;
        self.acked_unstored += other.acked_unstored;
        self.miscounted += other.miscounted;
        self.refused_unduly += other.refused_unduly;
        self.sirens_wrong += other.sirens_wrong;
        self.counters_lost += other.counters_lost;
        self.not_live += other.not_live;
        self.warnings += other.warnings;
        self.silent_alarms += other.silent_alarms;
        self.latency_ms_max = self.latency_ms_max.max(other.latency_ms_max);
    }
}

impl FaultTally {
    const fn add(&mut self, other: &Self) {
        self.drop += other.drop;
        self.burst += other.burst;
        self.duplicate += other.duplicate;
        self.reorder += other.reorder;
        self.corrupt += other.corrupt;
        self.delay += other.delay;
        self.partition += other.partition;
        self.reboot += other.reboot;
        self.brown_out += other.brown_out;
        self.clock_drift += other.clock_drift;
        self.gateway_kill += other.gateway_kill;
        self.attacker += other.attacker;
        self.next_epoch += other.next_epoch;
    }
}

fn thousandths<S: serde::Serializer>(value: &u64, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.serialize_f64(*value as f64 / 1_000.0)
}
