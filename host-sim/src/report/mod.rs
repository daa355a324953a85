//! What became of everything: one read model, as a table for people and as JSON for programs.
//!
//! It knows nothing of the rest of the program and decides nothing.

mod table;

pub use table::count;

use serde::Serialize;

/// The end of a run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Summary {
    /// Always `summary`.
    #[serde(rename = "type")]
    pub sort: &'static str,
    /// Always true: a replay is never live.
    pub exercise: bool,
    /// Name of the scenario.
    pub scenario: String,
    /// Whether the run was broken off.
    pub interrupted: bool,
    /// Incidents played.
    pub incidents: u64,
    /// Alerts they were to raise.
    pub alerts: u64,
    /// Alerts that arrived, each counted once.
    pub delivered: u64,
    /// Alerts that were raised and did not.
    pub lost: u64,
    /// Alerts whose moment never came, because the run was broken off.
    pub not_played: u64,
    /// Second deliveries of one alert.
    pub duplicates_delivered: u64,
    /// Deliveries of what nobody raised.
    pub forged_delivered: u64,
    /// Longest sealed packet of an alert, in bytes, at its first transmission.
    pub bytes_max: u64,
    /// Median of the same.
    pub bytes_median: u64,
    /// Frames on all hops of all links, both ways.
    pub frames_sent: u64,
    /// Of these lost on the way.
    pub frames_dropped: u64,
    /// Of these arrived twice.
    pub frames_duplicated: u64,
    /// Of these held back.
    pub frames_reordered: u64,
    /// Of these arrived with a flipped bit.
    pub frames_corrupted: u64,
    /// Frames and packets that a receiver did not take.
    pub frames_rejected: u64,
    /// Transmissions of alerts beyond the first of each.
    pub retries: u64,
    /// Reports of nodes that reached the gateway.
    pub reports: u64,
    /// Time played, in milliseconds.
    pub played_ms: u64,
    /// Quiet between incidents that was skipped, in milliseconds.
    pub quiet_skipped_ms: u64,
    /// By precedence, highest first.
    pub precedences: Vec<PrecedenceRow>,
    /// What befell nodes, lines and the gateway, and what an attacker tried.
    pub failures: Failures,
    /// From detection to siren, by site; empty where there is no siren.
    pub warnings: Vec<WarningRow>,
    /// Beside the counts of the sources.
    pub tallies: Vec<TallyRow>,
    /// Seed of all chance.
    pub seed: u64,
    /// Over every byte on every link, every decision, and the ledgers.
    pub run_hash: String,
}

/// Alerts of one precedence; every alert is in exactly one of the columns from `delivered` to `open`.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PrecedenceRow {
    /// Its name.
    pub precedence: &'static str,
    /// Alerts that were raised.
    pub raised: u64,
    /// Arrived.
    pub delivered: u64,
    /// Of these after their time to live.
    pub late: u64,
    /// Handed back by their node.
    pub refused: u64,
    /// Gave way to a higher precedence.
    pub displaced: u64,
    /// Their time to live ran out.
    pub expired: u64,
    /// Their attempts ran out.
    pub undelivered: u64,
    /// Counted into a summary.
    pub merged: u64,
    /// Replaced by a newer one, withdrawn, or there already.
    pub replaced: u64,
    /// In their node's memory only when its power failed.
    pub cut_off: u64,
    /// Still kept by their node at the end.
    pub open: u64,
    /// Half of those delivered took at most this long, in milliseconds.
    pub latency_ms_p50: Option<u64>,
    /// 99 of 100 took at most this long.
    pub latency_ms_p99: Option<u64>,
    /// None took longer.
    pub latency_ms_max: Option<u64>,
}

/// What a run had to bear, beside what befell its frames.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Failures {
    /// Resets of nodes and sirens.
    pub reboots: u64,
    /// Power failures of nodes and sirens in the middle of a write.
    pub brown_outs: u64,
    /// Cuts of a site's line.
    pub partitions: u64,
    /// Kills of the gateway.
    pub gateway_kills: u64,
    /// Packets that somebody bent or made up and put on the air.
    pub forgeries_tried: u64,
    /// True packets that somebody put on the air again.
    pub replays_tried: u64,
    /// Of these taken once more, or after they were held back. Never happens.
    pub replays_accepted: u64,
}

/// How soon the sirens of a site were heard after its live Flash alerts, or after those of convoys there.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct WarningRow {
    /// Name of the site.
    pub site: String,
    /// Whether these are the alerts of convoys, which no umbrella covers.
    pub convoy: bool,
    /// Whether the site has active defences.
    pub umbrella: bool,
    /// Sirens there.
    pub sirens: u64,
    /// Live Flash alerts that began something.
    pub alerts: u64,
    /// Of these followed by a siren.
    pub warned: u64,
    /// Half of these within this time, in milliseconds.
    pub warning_ms_p50: Option<u64>,
    /// All of these within this time.
    pub warning_ms_max: Option<u64>,
}

/// What was played beside a count of the sources.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct TallyRow {
    /// What is counted.
    pub tally: &'static str,
    /// When.
    pub quarter: String,
    /// Documented incidents.
    pub documented: u32,
    /// Reconstructed incidents.
    pub reconstructed: u32,
    /// Both together.
    pub total: u32,
    /// The source's count.
    pub source_total: u32,
    /// Whether they are the same.
    pub matches: bool,
}

impl Summary {
    /// Whether every alert arrived, once, and nothing else did.
    #[must_use]
    pub const fn is_whole(&self) -> bool {
        self.lost == 0
            && self.duplicates_delivered == 0
            && self.forged_delivered == 0
            && self.failures.replays_accepted == 0
    }
}
