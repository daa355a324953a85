//! What befalls frames, nodes and the gateway, unless an option says otherwise.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::probability::Probability;

/// Default link faults of a scenario. All are none unless stated.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "kebab-case", deny_unknown_fields, default)]
pub struct Faults {
    /// Share of frames lost.
    #[serde(rename = "drop")]
    pub loss: Probability,
    /// Greatest extra delay of a frame in milliseconds.
    #[schemars(range(max = 600_000))]
    pub delay_ms: u32,
    /// Share of frames that arrive twice.
    pub duplicate: Probability,
    /// Share of frames overtaken by later ones.
    pub reorder: Probability,
    /// Share of frames with a flipped bit.
    pub corrupt: Probability,
    /// Share of frames lost in bursts, eight frames long in the mean (Gilbert–Elliott), beside those lost one by one.
    pub burst: Probability,
    /// How long each site is cut off from the gateway at a time in seconds, once in six hours in the mean.
    #[schemars(range(max = 86_400))]
    pub partition_s: u32,
    /// Mean time between two reboots of a node or siren in seconds; 0: never.
    #[schemars(range(max = 31_536_000))]
    pub reboot_s: u32,
    /// Mean time between two brown-outs of a node or siren in seconds, each in the middle of a write to its flash; 0:
    /// never.
    #[schemars(range(max = 31_536_000))]
    pub brown_out_s: u32,
    /// Greatest error of a node's clock, in millionths either way.
    #[schemars(range(max = 200))]
    pub clock_drift_ppm: u32,
    /// Mean time between two kills of the gateway in seconds, whose disk then forgets what was not synced; 0: never.
    #[schemars(range(max = 31_536_000))]
    pub gateway_kill_s: u32,
    /// Share of the frames on the air that an attacker makes use of: replays, holds back, bends, sends to others.
    pub attacker: Probability,
}

impl Faults {
    /// Those that there are, by the names that scenario files give them, such as `drop 30%`.
    #[must_use]
    pub fn named(&self) -> Vec<String> {
        let fields = |faults: &Self| match serde_json::to_value(faults) {
            Ok(serde_json::Value::Object(fields)) => fields,
            other => unreachable!("faults have fields: {other:?}"),
        };
        let none = fields(&Self::default());
        let named = fields(self).into_iter().filter(|(name, value)| none.get(name) != Some(value));
        named
            .map(|(name, value)| {
                format!("{name} {}", value.as_str().map_or_else(|| value.to_string(), str::to_owned))
            })
            .collect()
    }
}
