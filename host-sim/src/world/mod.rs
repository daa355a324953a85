//! Sites, nodes, links and a gateway on one event queue with virtual time.
//!
//! The nodes and the gateway are the core's own, byte for byte: a planned alert goes through `Node::raise`, its
//! packets through `packet` over a radio link to the radio head of the node's site, from there through `frame` over a
//! line to the gateway, and its acknowledgement all the way back. Every hop has the faults of the scenario.
//!
//! No clock, no thread, no socket, no order of hashing: the same plan, faults and seed do the same, and the run
//! hash says so. What is not modelled: collisions on the air, the limits of a duty cycle, clocks that drift.

mod account;
mod calendar;
mod event;
mod head;
mod hop;
mod medium;
mod sensor;
mod step;
mod trace;

use std::collections::{BTreeMap, BTreeSet, VecDeque};

use alertbus::ledger::{Outcome, Row};
use alertbus::role::gateway::{DownSpan, Gateway, PeerConfig, ReceivedAlert};
use alertbus::role::node::Refusal;
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::{AlertDraft, AlertId, NodeId, Precedence};

use crate::draw::Draw;
use crate::scenario::Faults;

pub use account::{Fate, FrameAccount, PacketLengths, PrecedenceAccount};

use calendar::Calendar;
use head::Head;
use medium::Medium;
use sensor::{BOOT, EPOCH, Sensor};
use step::Next;

/// Nodes one world can hold.
pub const NODES_MAX: usize = 256;

/// Sites one world can hold: each is one link of the gateway, and links are numbered with a byte.
pub const SITES_MAX: usize = 256;

/// Alerts a node keeps.
pub const SLOTS_PER_NODE: usize = 32;

/// The network every run's throw-away keys belong to.
pub const NETWORK: u32 = 1;

/// The master key of the run with this seed. Anybody can make it again: it keeps nothing secret.
#[must_use]
pub fn throw_away_key(seed: u64) -> MasterKey {
    MasterKey::from_bytes(Draw::new(seed, "master key").key())
}

/// All links carry the small radio profile end to end: the radio heads hold no keys.
const LINK: Link = Link::small_radio(0);

/// Nodes start within this time, in milliseconds, each at a moment of its own, so that their reports do not meet.
const START_MS_MAX: u64 = 300_000;

/// How long the gateway's disk takes to store an alert, in milliseconds.
const STORE_MS: u64 = 5;

/// Where a node stands.
#[derive(Clone, Debug)]
pub struct NodePlan {
    /// Its path, which names its streams of chance.
    pub id: String,
    /// Its address.
    pub node: NodeId,
    /// Name of its site.
    pub site: String,
}

/// An alert and its moment.
#[derive(Clone, Copy, Debug)]
pub struct AlertPlan {
    /// Which node raises it, as a place in the list of nodes.
    pub node: usize,
    /// When, milliseconds since 1970, universal time.
    pub at_ms: u64,
    /// What.
    pub draft: AlertDraft,
}

/// Everything a run depends on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of all chance.
    pub seed: u64,
    /// What befalls frames, on every hop.
    pub faults: Faults,
    /// The nodes.
    pub nodes: Vec<NodePlan>,
    /// The alerts, in the order of time.
    pub alerts: Vec<AlertPlan>,
}

/// Something worth telling.
#[derive(Clone, Debug, PartialEq)]
pub enum Occurrence {
    /// An alert's moment has come; its place in the plan.
    Raised(usize),
    /// Its node handed an alert back.
    Refused(usize, Refusal),
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
    /// The gateway delivered an alert a second time. Never happens.
    DeliveredTwice(AlertId),
    /// The gateway delivered something that nobody raised. Never happens.
    Forged(AlertId),
    /// The run is over, and an alert that left its node for this reason has not arrived.
    Ended(usize, Outcome),
    /// The run is over, and an alert is still with its node.
    Open(usize),
    /// Nothing was due for this many milliseconds.
    QuietSkipped(u64),
}

/// See the [module](self).
pub struct World {
    medium: Medium,
    calendar: Calendar,
    alerts: Vec<Alert>,
    next_alert: usize,
    /// Which alert of the plan was sent under which name: what arrives must be one of them.
    sent: BTreeMap<AlertId, usize>,
    sensors: Vec<Sensor>,
    by_address: BTreeMap<NodeId, usize>,
    heads: Vec<Head>,
    gateway: Box<Gateway<NODES_MAX>>,
    /// Names of what was delivered: each must come once.
    delivered: BTreeSet<AlertId>,
    duplicates_delivered: u64,
    forged_delivered: u64,
    occurrences: VecDeque<(u64, Occurrence)>,
    /// The end has been told.
    is_over: bool,
}

struct Alert {
    plan: AlertPlan,
    /// What the gateway must receive of it, byte for byte.
    content: Vec<u8>,
    fate: Fate,
    raised_run_ms: u64,
    /// Length of its first sealed packet in bytes, 0 before it was sent.
    packet_len: usize,
}

impl Alert {
    fn new(plan: AlertPlan) -> Self {
        let content = plan.draft.onset(BOOT).content().as_slice().to_vec();
        Self { plan, content, fate: Fate::Planned, raised_run_ms: 0, packet_len: 0 }
    }
}

/// Why a plan cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`NODES_MAX`] nodes, or two with one address.
    #[error("{0} nodes: a world holds {NODES_MAX}, each with an address of its own")]
    Nodes(usize),
    /// More than [`SITES_MAX`] sites.
    #[error("{0} sites: a world holds {SITES_MAX}")]
    Sites(usize),
}

impl World {
    /// A world in which nothing has happened yet.
    ///
    /// # Errors
    /// More nodes or sites than it holds.
    pub fn new(plan: Plan) -> Result<Self, TooLarge> {
        let Plan { seed, faults, nodes, alerts } = plan;
        let master = throw_away_key(seed);
        let mut sites: Vec<&str> = nodes.iter().map(|node| node.site.as_str()).collect();
        sites.sort_unstable();
        sites.dedup();

        let mut gateway = Box::new(Gateway::new());
        let mut sensors = Vec::new();
        for NodePlan { id, node, site } in &nodes {
            let config = PeerConfig {
                node: *node,
                key: master.node_key(NETWORK, *node),
                epoch: EPOCH,
                gateway: 0,
                down: DownSpan::WHOLE,
                exercise: false,
            };
            gateway.add(config).map_err(|_| TooLarge::Nodes(nodes.len()))?;
            let site = sites.binary_search(&site.as_str()).unwrap_or(0);
            sensors.push(Sensor::new(id, *node, site, seed, &master, faults));
        }
        let head = |(number, site): (usize, &&str)| {
            let number = u8::try_from(number).map_err(|_| TooLarge::Sites(sites.len()))?;
            Ok(Head::new(number, site, seed, faults))
        };
        let mut world = Self {
            medium: Medium::new(seed),
            calendar: Calendar::starting_before(alerts.first().map_or(0, |alert| alert.at_ms)),
            alerts: alerts.into_iter().map(Alert::new).collect(),
            next_alert: 0,
            sent: BTreeMap::new(),
            is_over: false,
            by_address: sensors.iter().zip(0..).map(|(sensor, at)| (sensor.node.id(), at)).collect(),
            sensors,
            heads: sites.iter().enumerate().map(head).collect::<Result<_, TooLarge>>()?,
            gateway,
            delivered: BTreeSet::new(),
            duplicates_delivered: 0,
            forged_delivered: 0,
            occurrences: VecDeque::new(),
        };
        for (node, plan) in nodes.iter().enumerate() {
            world.wake(node, Draw::new(seed, &format!("{} start", plan.id)).below(START_MS_MAX));
        }
        Ok(world)
    }

    /// Milliseconds on the run's clock, which stands still while quiet is skipped.
    #[must_use]
    pub const fn run_ms(&self) -> u64 {
        self.medium.now_ms
    }

    /// Calendar time, milliseconds since 1970, universal time.
    #[must_use]
    pub const fn calendar_ms(&self) -> u64 {
        self.calendar.at(self.medium.now_ms)
    }

    /// Alerts whose moment has come.
    #[must_use]
    pub const fn raised(&self) -> usize {
        self.next_alert
    }

    /// Quiet skipped so far, in milliseconds.
    #[must_use]
    pub const fn quiet_skipped_ms(&self) -> u64 {
        self.calendar.skipped_ms
    }

    /// The next thing worth telling, with its calendar time.
    pub fn poll_occurrence(&mut self) -> Option<(u64, Occurrence)> {
        self.occurrences.pop_front()
    }

    /// When the next step happens, on the run's clock; none when the run is over.
    #[must_use]
    pub fn next_step_ms(&self) -> Option<u64> {
        self.next().map(|next| match next {
            Next::Alert(at_ms) | Next::Event(at_ms) => at_ms,
            Next::Quiet(..) | Next::End => self.medium.now_ms,
        })
    }

    /// Counts by precedence, lowest first.
    #[must_use]
    pub fn precedences(&self) -> [(Precedence, PrecedenceAccount); 4] {
        Precedence::ALL.map(|precedence| {
            let mut account = PrecedenceAccount::default();
            for alert in &self.alerts {
                if alert.plan.draft.precedence() == precedence {
                    account.count(precedence, alert.fate);
                }
            }
            account.latencies_ms.sort_unstable();
            (precedence, account)
        })
    }

    /// Counts of frames.
    #[must_use]
    pub const fn frames(&self) -> &FrameAccount {
        &self.medium.frames
    }

    /// Lengths of the sealed packets of all alerts that were ever sent, at their first transmission.
    #[must_use]
    pub fn packet_lengths(&self) -> PacketLengths {
        let mut lengths = PacketLengths::new();
        for alert in self.alerts.iter().filter(|alert| alert.packet_len > 0) {
            lengths.count(alert.packet_len);
        }
        lengths
    }

    /// Second deliveries of one alert. Zero, or something is broken.
    #[must_use]
    pub const fn duplicates_delivered(&self) -> u64 {
        self.duplicates_delivered
    }

    /// Deliveries of what nobody raised. Zero, or something is broken.
    #[must_use]
    pub const fn forged_delivered(&self) -> u64 {
        self.forged_delivered
    }

    /// The hash over every byte on every link, every decision, and the ledgers as they stand.
    #[must_use]
    pub fn run_hash(&self) -> String {
        self.medium.trace.digest(self.sensors.iter().flat_map(|sensor| {
            let ledger = sensor.node.ledger();
            Row::ALL.into_iter().flat_map(|row| ledger.row(row).values())
        }))
    }
}
