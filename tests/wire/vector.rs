//! What one line of the golden file says: everything given in plain fields, everything derived in hex.
//!
//! These types are the file's, not the crate's: words are strings and "not known" is `null`, so that a reader in
//! another language needs `WIRE.md` and a JSON parser and nothing else.

use serde::{Deserialize, Serialize};

use crate::hex::Hex;

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Vector {
    pub(crate) name: String,
    pub(crate) given: Given,
    pub(crate) derived: Derived,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Given {
    pub(crate) master_key: Hex,
    pub(crate) network: u32,
    pub(crate) node: u16,
    pub(crate) epoch: u32,
    pub(crate) class: String,
    pub(crate) direction: String,
    pub(crate) precedence: String,
    pub(crate) exercise: bool,
    pub(crate) counter: u32,
    pub(crate) tag_len: u8,
    pub(crate) message: Message,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Derived {
    pub(crate) node_key: Hex,
    pub(crate) link_key: Hex,
    pub(crate) nonce: Hex,
    pub(crate) associated_data: Hex,
    /// In clear.
    pub(crate) body: Hex,
    pub(crate) packet: Hex,
    /// As on a byte stream, delimiter included. Only where the tag is the long one, as it is on streams.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) frame: Option<Hex>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum Message {
    Alert(AlertFields),
    Heartbeat(HeartbeatFields),
    Ack(AckFields),
    Command(CommandFields),
    Acted(ActedFields),
    /// A body whose meaning is no part of the vector.
    Bytes(Hex),
}

impl Message {
    /// What sort of body it is.
    pub(crate) const fn sort(&self) -> &'static str {
        match self {
            Self::Alert(_) => "alert",
            Self::Heartbeat(_) => "heartbeat",
            Self::Ack(_) => "ack",
            Self::Command(_) => "command",
            Self::Acted(_) => "acted",
            Self::Bytes(_) => "bytes",
        }
    }
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AlertFields {
    pub(crate) seq: u32,
    pub(crate) severity: String,
    pub(crate) urgency: String,
    pub(crate) certainty: String,
    pub(crate) clock: String,
    pub(crate) accuracy_m: Option<u32>,
    pub(crate) phase: String,
    pub(crate) boot: u8,
    pub(crate) time_ms: u64,
    pub(crate) latitude_e7: i32,
    pub(crate) longitude_e7: i32,
    pub(crate) reference: Option<ReferenceFields>,
    pub(crate) kind: KindFields,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub(crate) enum ReferenceFields {
    AllOfKind,
    Back(u32),
    Other(u32),
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum KindFields {
    Summary {
        count: u16,
        span_s: u16,
        kinds: u32,
    },
    RocketLaunch {
        weapon: String,
        calibre_mm: u16,
        bearing_deg: Option<u16>,
        rounds: u8,
        impact_site: u16,
        time_to_impact_ds: Option<u16>,
    },
    CramEngagement {
        engaged: u8,
        destroyed: u8,
        leaked: u8,
        state: String,
        debris_radius_m: u16,
        guarded_site: u16,
    },
    DroneSighting {
        airframe: String,
        state: String,
        payload: String,
        equivalent_calibre_mm: u16,
        count: u8,
        altitude_m: Option<u16>,
        course_deg: Option<u16>,
        speed_m_s: Option<u16>,
    },
    ConvoyIed {
        state: String,
        trigger: String,
        charge: String,
        array_count: u8,
        target: String,
        vehicles: u8,
        wounded: u8,
        killed: u8,
    },
    Tamper {
        what: String,
    },
    /// A kind that version 1 does not define yet.
    Unknown {
        code: u8,
        payload: Hex,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct HeartbeatFields {
    pub(crate) boot: u16,
    pub(crate) reset_cause: String,
    pub(crate) uptime_ms: u64,
    pub(crate) heard: u32,
    pub(crate) flash_floor: u32,
    pub(crate) flash_refused: u16,
    pub(crate) driver_errors: u16,
    pub(crate) ledger_index: u8,
    pub(crate) ledger: [u16; 5],
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct AckFields {
    pub(crate) echo: u32,
    pub(crate) stored: Vec<StoredFields>,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct StoredFields {
    pub(crate) flash: bool,
    pub(crate) seq: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandFields {
    pub(crate) echo: u32,
    pub(crate) id: CommandIdFields,
    pub(crate) order: OrderFields,
}

#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct CommandIdFields {
    pub(crate) epoch_low: u8,
    pub(crate) counter: u32,
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case", deny_unknown_fields)]
pub(crate) enum OrderFields {
    Warn {
        zone: u16,
        kind: u8,
        duration_s: u16,
    },
    Clear {
        ids: Vec<CommandIdFields>,
    },
    Test {
        duration_s: u8,
    },
    Time {
        clock: String,
        time_ms: u64,
    },
    NextEpoch {
        epoch: u32,
    },
    Locate {
        duration_s: u8,
    },
    /// An order that version 1 does not define yet.
    Unknown {
        code: u8,
        fields: Hex,
    },
}

#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct ActedFields {
    pub(crate) id: CommandIdFields,
    pub(crate) result: String,
}
