//! Options for what befalls frames, nodes and the gateway.

use super::values;
use crate::scenario::{Faults, Probability};

/// The greatest delay in milliseconds, as scenario files have it.
const DELAY_MS_MAX: u32 = 600_000;

/// The greatest error of a clock in millionths, as scenario files have it.
const CLOCK_DRIFT_PPM_MAX: u32 = 200;

const DAY_S: u32 = 86_400;
const YEAR_S: u32 = 31_536_000;
const SECONDS: &str = "a whole number of seconds";

/// Link faults: each replaces the scenario's own, on every hop of every link, both ways
#[derive(Clone, Debug, clap::Args)]
#[command(next_help_heading = "Link faults")]
pub(super) struct FaultOptions {
    /// Share of frames lost, for example `30%`
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_DROP")]
    drop: Option<Probability>,
    /// Share of frames that arrive twice
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_DUPLICATE")]
    duplicate: Option<Probability>,
    /// Share of frames held back by up to two seconds, so that later ones overtake
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_REORDER")]
    reorder: Option<Probability>,
    /// Share of frames with a flipped bit
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_CORRUPT")]
    corrupt: Option<Probability>,
    /// Greatest extra delay of a frame in milliseconds, at most ten minutes
    #[arg(long, value_name = "MS", env = "HOST_SIM_DELAY", allow_negative_numbers = true,
          value_parser = values::number("a whole number of milliseconds", 0..=DELAY_MS_MAX))]
    delay: Option<u32>,
    /// Share of frames lost in bursts, eight frames long in the mean
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_BURST")]
    burst: Option<Probability>,
    /// Cut each site off from the gateway for this long, once in six hours in the mean
    #[arg(long, value_name = "SECONDS", env = "HOST_SIM_PARTITION", allow_negative_numbers = true,
          value_parser = values::number(SECONDS, 0..=DAY_S))]
    partition: Option<u32>,
    /// Mean time between two reboots of a node or siren; 0: never
    #[arg(long, value_name = "SECONDS", env = "HOST_SIM_REBOOT", allow_negative_numbers = true,
          value_parser = values::number(SECONDS, 0..=YEAR_S))]
    reboot: Option<u32>,
    /// Mean time between two brown-outs of a node or siren, each in the middle of a write to its flash; 0: never
    #[arg(long, value_name = "SECONDS", env = "HOST_SIM_BROWN_OUT", allow_negative_numbers = true,
          value_parser = values::number(SECONDS, 0..=YEAR_S))]
    brown_out: Option<u32>,
    /// Greatest error of a node's clock in millionths, either way
    #[arg(long, value_name = "PPM", env = "HOST_SIM_CLOCK_DRIFT", allow_negative_numbers = true,
          value_parser = values::number("a whole number of millionths", 0..=CLOCK_DRIFT_PPM_MAX))]
    clock_drift: Option<u32>,
    /// Mean time between two kills of the gateway, whose disk then forgets what was not synced; 0: never
    #[arg(long, value_name = "SECONDS", env = "HOST_SIM_GATEWAY_KILL", allow_negative_numbers = true,
          value_parser = values::number(SECONDS, 0..=YEAR_S))]
    gateway_kill: Option<u32>,
    /// Share of the frames on the air that an attacker replays, holds back, bends, or sends to others
    #[arg(long, value_name = "SHARE", allow_hyphen_values = true, env = "HOST_SIM_ATTACKER")]
    attacker: Option<Probability>,
}

impl FaultOptions {
    /// The faults of a scenario, each replaced that an option names.
    pub(super) fn over(&self, scenario: Faults) -> Faults {
        Faults {
            loss: self.drop.unwrap_or(scenario.loss),
            delay_ms: self.delay.unwrap_or(scenario.delay_ms),
            duplicate: self.duplicate.unwrap_or(scenario.duplicate),
            reorder: self.reorder.unwrap_or(scenario.reorder),
            corrupt: self.corrupt.unwrap_or(scenario.corrupt),
            burst: self.burst.unwrap_or(scenario.burst),
            partition_s: self.partition.unwrap_or(scenario.partition_s),
            reboot_s: self.reboot.unwrap_or(scenario.reboot_s),
            brown_out_s: self.brown_out.unwrap_or(scenario.brown_out_s),
            clock_drift_ppm: self.clock_drift.unwrap_or(scenario.clock_drift_ppm),
            gateway_kill_s: self.gateway_kill.unwrap_or(scenario.gateway_kill_s),
            attacker: self.attacker.unwrap_or(scenario.attacker),
        }
    }

    /// As they are typed, in one order.
    pub(super) fn typed(&self) -> Vec<String> {
        let Self { drop, duplicate, reorder, corrupt, delay, burst, partition, reboot, brown_out, .. } = self;
        let share = |name: &str, value: &Option<Probability>| value.map(|value| format!("--{name} {value}"));
        let number = |name: &str, value: &Option<u32>| value.map(|value| format!("--{name} {value}"));
        let options = [
            share("drop", drop),
            share("duplicate", duplicate),
            share("reorder", reorder),
            share("corrupt", corrupt),
            number("delay", delay),
            share("burst", burst),
            number("partition", partition),
            number("reboot", reboot),
            number("brown-out", brown_out),
            number("clock-drift", &self.clock_drift),
            number("gateway-kill", &self.gateway_kill),
            share("attacker", &self.attacker),
        ];
        options.into_iter().flatten().collect()
    }

    /// The options that make `faults` of those of a scenario.
    pub(super) fn leading_to(faults: &Faults, scenario: &Faults) -> Self {
        let share = |now: Probability, before: Probability| (now != before).then_some(now);
        let number = |now: u32, before: u32| (now != before).then_some(now);
        Self {
            drop: share(faults.loss, scenario.loss),
            duplicate: share(faults.duplicate, scenario.duplicate),
            reorder: share(faults.reorder, scenario.reorder),
            corrupt: share(faults.corrupt, scenario.corrupt),
            delay: number(faults.delay_ms, scenario.delay_ms),
            burst: share(faults.burst, scenario.burst),
            partition: number(faults.partition_s, scenario.partition_s),
            reboot: number(faults.reboot_s, scenario.reboot_s),
            brown_out: number(faults.brown_out_s, scenario.brown_out_s),
            clock_drift: number(faults.clock_drift_ppm, scenario.clock_drift_ppm),
            gateway_kill: number(faults.gateway_kill_s, scenario.gateway_kill_s),
            attacker: share(faults.attacker, scenario.attacker),
        }
    }
}
