//! Sites, nodes, links and a gateway on one event queue with virtual time.
//!
//! The nodes, the sirens and the gateway are the core's own, byte for byte, over the core's own stores: a planned alert
//! goes through `Node::raise`, its packets through `packet` over a radio link to the radio head of the node's site, from
//! there through `frame` over a line to the gateway, and its acknowledgement all the way back. The gateway's host warns
//! the sirens of the alert's site. Every hop, chip, clock and disk has the faults of the scenario, and somebody with a
//! radio of his own does what he can.
//!
//! No clock, no thread, no socket, no order of hashing: the same plan, faults and seed do the same, and the run
//! hash says so. What is not modelled: collisions on the air.

mod account;
mod attacker;
mod books;
mod calendar;
mod disk;
mod ears;
mod event;
mod faults;
mod head;
mod hop;
mod host;
mod medium;
mod nor;
mod occurrence;
mod plan;
mod routing;
mod serve;
mod step;
mod trace;
mod unit;
mod watch;

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;

use alertbus::ledger::Row;
use alertbus::message::Epoch;
use alertbus::wire::keys::MasterKey;
use alertbus::wire::link::Link;
use alertbus::{NodeId, Precedence};

use crate::draw::Draw;
use crate::scenario::Faults;

pub use account::{Fate, FlashAccount, FrameAccount, Incidents, PacketLengths, PrecedenceAccount};
pub use attacker::Attempts;
pub use occurrence::Occurrence;
pub use plan::{AlertPlan, Plan, Play, TooLarge, UnitPlan};
pub use watch::Breaches;

use attacker::Attacker;
use books::Books;
use calendar::Calendar;
use ears::Ears;
use event::Event;
use head::Head;
use host::Host;
use medium::Medium;
use routing::Awaited;
use step::Next;
use unit::{Role, Unit};
use watch::Watch;

/// Nodes and sirens one world can hold.
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

/// The epoch in which every unit begins.
const EPOCH: Epoch = Epoch(1);

/// All links carry the small radio profile end to end: the radio heads hold no keys.
const LINK: Link = Link::small_radio(0);

/// Units start within this time, in milliseconds, each at a moment of its own, so that their reports do not meet.
const START_MS_MAX: u64 = 300_000;

/// How long the gateway's disk takes to sync, in milliseconds.
const SYNC_MS: u64 = 5;

/// See the [module](self).
pub struct World {
    medium: Medium,
    calendar: Calendar,
    play: Play,
    master: MasterKey,
    books: Books,
    /// Alerts of the plan; the books go on with summaries behind them.
    planned: usize,
    next_alert: usize,
    sites: Vec<String>,
    units: Vec<Unit>,
    /// Stretches of calendar time in which a unit is out of reach.
    gaps_ms: Vec<Vec<(u64, u64)>>,
    by_address: BTreeMap<NodeId, usize>,
    heads: Vec<Head>,
    host: Host,
    attacker: Attacker,
    watch: Watch,
    ears: Ears,
    incidents: Incidents,
    faults: Faults,
    epoch_s: u32,
    /// When each unit and the gateway are next struck.
    chance: Draw,
    /// Names of sinks that never answer.
    down: Vec<String>,
    awaited: Vec<Awaited>,
    /// By site: live Flash alerts after which no siren was heard yet.
    unwarned: Vec<Vec<usize>>,
    forged_delivered: u64,
    occurrences: VecDeque<(u64, Occurrence)>,
    /// The end has been told.
    is_over: bool,
}

impl World {
    /// A world in which nothing has happened yet.
    ///
    /// # Errors
    /// More units or sites than it holds.
    pub fn new(plan: Plan) -> Result<Self, TooLarge> {
        plan.check()?;
        let sites: Vec<String> = plan.sites().into_iter().map(Into::into).collect();
        let Plan { seed, faults, nodes, sirens, alerts, play, rules, down, epoch_s } = plan;
        let rules = rules.unwrap_or_else(|| Arc::new(routing::own_sirens(&nodes, &sirens, &sites)));
        let master = throw_away_key(seed);
        let site_of = |name: &String| sites.binary_search(name).unwrap_or(0);
        let unit = |plan: &UnitPlan, is_siren| {
            Unit::new(&plan.id, plan.node, site_of(&plan.site), is_siren, seed, faults)
        };
        let mut units: Vec<Unit> = nodes.iter().map(|plan| unit(plan, false)).collect();
        units.extend(sirens.iter().map(|plan| unit(plan, true)));
        let addresses: Vec<NodeId> = units.iter().map(|unit| unit.node).collect();
        let is_siren = units.iter().filter(|unit| unit.is_siren).map(|unit| unit.node).collect();
        let heads = sites.iter().zip(0..=u8::MAX).map(|(site, number)| Head::new(number, site, seed, faults));
        let mut world = Self {
            medium: Medium::new(seed),
            calendar: Calendar::starting_before(alerts.first().map_or(0, |alert| alert.at_ms)),
            play,
            books: Books::new(alerts, &addresses, &master),
            planned: 0,
            next_alert: 0,
            gaps_ms: nodes.into_iter().chain(sirens).map(|plan| plan.gaps_ms).collect(),
            by_address: addresses.iter().copied().zip(0..).collect(),
            heads: heads.collect(),
            host: Host::new(seed, addresses, is_siren, rules),
            attacker: Attacker::new(seed, faults.attacker.millionths()),
            watch: Watch::default(),
            ears: Ears::new(throw_away_key(seed)),
            incidents: Incidents::default(),
            faults,
            epoch_s,
            chance: Draw::new(seed, "when something is struck"),
            down,
            awaited: Vec::new(),
            unwarned: vec![Vec::new(); sites.len()],
            sites,
            units,
            master,
            forged_delivered: 0,
            occurrences: VecDeque::new(),
            is_over: false,
        };
        world.planned = world.books.alerts.len();
        world.begin(seed);
        Ok(world)
    }

    /// Appoints what happens without anybody's doing.
    fn begin(&mut self, seed: u64) {
        self.medium.events.schedule(0, Event::GatewayStart);
        for unit in 0..self.units.len() {
            let start_ms = Draw::new(seed, &format!("{} start", self.units[unit].id)).below(START_MS_MAX);
            self.medium.events.schedule(start_ms, Event::PowerOn { unit });
        }
        if let Play::Whole { faults_ms, .. } = self.play {
            self.medium.events.schedule(faults_ms, Event::Heal);
        }
        self.appoint_faults();
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
            Next::Alert(at_ms) | Next::Event(at_ms) | Next::Router(at_ms) => at_ms,
            Next::Quiet(..) | Next::End => self.medium.now_ms,
        })
    }

    /// Counts by precedence, lowest first. Summaries are not among them: what they count is.
    #[must_use]
    pub fn precedences(&self) -> [(Precedence, PrecedenceAccount); 4] {
        Precedence::ALL.map(|precedence| {
            let mut account = PrecedenceAccount::default();
            for alert in &self.books.alerts[..self.planned] {
                if alert.precedence() == precedence {
                    account.count(precedence, self.books.fate(alert));
                }
            }
            account.latencies_ms.sort_unstable();
            (precedence, account)
        })
    }

    /// Where the live Flash alerts went, summaries aside.
    #[must_use]
    pub fn flash(&self) -> FlashAccount {
        self.books.flash(self.next_alert.min(self.planned))
    }

    /// Transmissions of alerts beyond the first of each.
    #[must_use]
    pub const fn retries(&self) -> u64 {
        self.books.retries
    }

    /// How long after an alert of the plan was raised a siren of its site was heard, in milliseconds; none where none
    /// was, and none at all for what warns nobody: only a live Flash onset does.
    #[must_use]
    pub fn warning_ms(&self, alert: usize) -> Option<Option<u64>> {
        let alert = self.books.alerts.get(alert).filter(|alert| alert.wants_warning())?;
        (alert.fate != Fate::Planned).then_some(alert.warned_ms)
    }

    /// How many sirens a site has.
    #[must_use]
    pub fn sirens_at(&self, site: &str) -> usize {
        let at_site = |unit: &&Unit| unit.is_siren && self.sites[unit.site] == site;
        self.units.iter().filter(at_site).count()
    }

    /// Nodes and sirens.
    #[must_use]
    pub const fn units(&self) -> usize {
        self.units.len()
    }

    /// Nodes and sirens whose clock is wrong.
    #[must_use]
    pub fn drifting(&self) -> usize {
        self.units.iter().filter(|unit| unit.drifts()).count()
    }

    /// Counts of frames.
    #[must_use]
    pub const fn frames(&self) -> &FrameAccount {
        &self.medium.frames
    }

    /// What befell units and gateway.
    #[must_use]
    pub const fn incidents(&self) -> &Incidents {
        &self.incidents
    }

    /// What was tried against them.
    #[must_use]
    pub const fn attempts(&self) -> &Attempts {
        &self.attacker.attempts
    }

    /// What must never happen, and did.
    #[must_use]
    pub const fn breaches(&self) -> &Breaches {
        &self.watch.breaches
    }

    /// Lengths of the sealed packets of all alerts that were ever sent, at their first transmission.
    #[must_use]
    pub fn packet_lengths(&self) -> PacketLengths {
        let mut lengths = PacketLengths::new();
        for alert in self.books.alerts.iter().filter(|alert| alert.packet_len > 0) {
            lengths.count(alert.packet_len);
        }
        lengths
    }

    /// Alerts that the gateway's disk was given twice. Zero, or something is broken.
    #[must_use]
    pub const fn duplicates_delivered(&self) -> u64 {
        self.host.disk.stored_twice
    }

    /// Deliveries of what nobody raised. Zero, or something is broken.
    #[must_use]
    pub const fn forged_delivered(&self) -> u64 {
        self.forged_delivered
    }

    /// The hash over every byte on every link, every decision, and the ledgers as they stand.
    #[must_use]
    pub fn run_hash(&self) -> String {
        self.medium.trace.digest(self.units.iter().flat_map(|unit| {
            let ledger = match &unit.role {
                Some(Role::Sensor(node)) => Some(node.ledger()),
                _ => None,
            };
            let rows = Row::ALL.into_iter().filter_map(move |row| Some(ledger?.row(row).values()));
            rows.flatten().map(u64::from)
        }))
    }
}
