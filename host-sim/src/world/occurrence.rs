//! What a world tells of a run.

use std::sync::Arc;

use alertbus::ledger::Outcome;
use alertbus::message::ResetCause;
use alertbus::role::gateway::ReceivedAlert;
use alertbus::role::node::Refusal;
use alertbus::{AlertId, NodeId};

use crate::route::{Cause, Facts};

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// An alert's moment has come; its place in the plan.
    Raised(usize),
    /// Its node handed an alert back.
    Refused(usize, Refusal),
    /// Its node has counted an alert into a summary.
    Merged(usize),
    /// An alert has arrived at the gateway, byte for byte as it was raised.
    Delivered {
        /// Its place in the plan.
        alert: usize,
        /// What the gateway received.
        received: Box<ReceivedAlert>,
        /// From the moment it was raised, in milliseconds on the run's clock.
        latency_ms: u64,
        /// Length of its sealed packets, in bytes.
        packet_len: usize,
    },
    /// The gateway delivered something that nobody raised. Never happens.
    Forged(AlertId),
    /// An alert goes to a sink.
    Routed {
        /// What rules see of it.
        facts: Facts,
        /// Where it goes.
        sink: Arc<str>,
        /// The route that says so, unless it goes there by default.
        route: Option<Arc<str>>,
        /// Why.
        cause: Cause,
        /// Repeats that it stands for.
        repeats: Vec<AlertId>,
    },
    /// An alert has come to a sink: a siren is heard, or a machine has it.
    Reached {
        /// Its name.
        id: AlertId,
        /// Where it has come to.
        sink: Arc<str>,
        /// How long after it was raised, in milliseconds on the run's clock; none for a summary.
        after_ms: Option<u64>,
    },
    /// An alert waits in a route, for other nodes or other repeats.
    Waits {
        /// Its name.
        alert: AlertId,
        /// Which route.
        route: Arc<str>,
        /// Until then at most, calendar time.
        until_ms: u64,
    },
    /// A sink has not acknowledged an alert within the deadline of its route.
    DeadlineMissed {
        /// Which alert.
        alert: AlertId,
        /// Which route.
        route: Arc<str>,
        /// Which sink.
        sink: Arc<str>,
    },
    /// A sink has not acknowledged an alert in the time that it may take.
    Unacknowledged {
        /// Which alert.
        alert: AlertId,
        /// Which sink.
        sink: Arc<str>,
    },
    /// A siren of this site sounds, for what has happened there.
    Warned {
        /// Name of the site.
        site: String,
        /// The siren's address.
        siren: NodeId,
    },
    /// Nothing was heard of a node for too long.
    Silent(NodeId),
    /// The power of a node or siren goes; its name.
    Off(String, ResetCause),
    /// It comes on again, and starts.
    On(String),
    /// The line of this site is cut, for so many seconds.
    Cut(String, u32),
    /// The gateway is killed.
    Killed,
    /// It has started again.
    Started,
    /// The run is over, and an alert that left its node for this reason has not arrived.
    Ended(usize, Outcome),
    /// The run is over, and an alert is still with its node.
    Open(usize),
    /// The run is over, and an alert was lost with its node's power before it was written down.
    CutOff(usize),
    /// Nothing was due for this many milliseconds.
    QuietSkipped(u64),
}
