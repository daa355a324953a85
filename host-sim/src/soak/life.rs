//! One life: a small network for a day or two, under faults of its own, and what must be true of it afterwards.

use std::ops::Range;

use alertbus::limits::REPORT_INTERVAL_RADIO_MS;
use alertbus::message::kind::{
    ConvoyIed, ConvoyIedState, CramEngagement, DroneSighting, DroneSightingState, RocketLaunch,
};
use alertbus::message::{AlertDraft, Body, EventKey, NodeId, Phase, Severity};
use alertbus::place::{Accuracy, Place};
use alertbus::time::{ClockQuality, EventTime};

use crate::draw::Draw;
use crate::scenario::{Faults, Probability};
use crate::world::{AlertPlan, Plan, Play, SLOTS_PER_NODE, UnitPlan};

const HOUR_MS: u64 = 3_600_000;

/// Where every life begins: 2020-01-01, universal time.
const ORIGIN_MS: u64 = 1_577_836_800_000;

/// How long after the last fault everything open must have come through, in milliseconds. Two reports until gateway and
/// node have heard each other; a dead gateway and a node without power; four longest retries, one for each of packet
/// and answer, of the summary in flight and of the one behind it; and the air time of every slot twice over at a duty
/// cycle of 1 %, a longest packet each 10.4 s.
pub const LIVENESS_MS: u64 = 2 * REPORT_INTERVAL_RADIO_MS as u64
    + 150_000
    + 4 * 60_000
    + 2 * SLOTS_PER_NODE as u64 * 10_400
    + WAIT_FOR_TAPE_MS;

/// Time for what the attacker holds back a little to be over.
const WAIT_FOR_TAPE_MS: u64 = 60_000;

/// What a life is made of, before any of it is played.
#[derive(Clone, Debug)]
pub struct Life {
    /// Its place among the lives of a soak, from 0.
    pub number: u64,
    /// Its own seed.
    pub seed: u64,
    nodes: u64,
    sirens: u64,
    sites: u64,
    hours: u64,
}

impl Life {
    /// The life of this number under the soak's seed.
    #[must_use]
    pub fn new(soak_seed: u64, number: u64) -> Self {
        let seed = Draw::new(soak_seed, &format!("life {number}")).below(u64::MAX);
        let mut draw = Draw::new(seed, "size");
        let nodes = between(&mut draw, 6..17);
        let sites = between(&mut draw, 1..5);
        let hours = between(&mut draw, 12..49);
        Self { number, seed, nodes, sirens: between(&mut draw, 1..4), sites, hours }
    }

    /// Nodes and sirens times hours, the quiet at the end included, in thousandths.
    #[must_use]
    pub const fn node_hours_thousandths(&self) -> u64 {
        let ms = self.hours * HOUR_MS + LIVENESS_MS;
        (self.nodes + self.sirens) * ms / (HOUR_MS / 1_000)
    }

    /// The plan of it.
    #[must_use]
    pub fn plan(&self) -> Plan {
        let mut draw = Draw::new(self.seed, "plan");
        let faults = faults(&mut draw);
        let epoch_s = if draw.below(3) == 0 { 12 * 3_600 } else { 0 };
        let unit = |number: u64, name: &str| UnitPlan {
            id: format!("{name}-{number}"),
            node: NodeId(u16::try_from(number + 1).unwrap_or(u16::MAX)),
            site: format!("site-{}", number % self.sites),
            gaps_ms: Vec::new(),
        };
        let faults_ms = self.hours * HOUR_MS;
        Plan {
            seed: self.seed,
            faults,
            nodes: (0..self.nodes).map(|number| unit(number, "node")).collect(),
            sirens: (self.nodes..self.nodes + self.sirens).map(|number| unit(number, "siren")).collect(),
            alerts: self.alerts(&mut draw),
            play: Play::Whole { run_ms: faults_ms + LIVENESS_MS, faults_ms },
            rules: None,
            down: Vec::new(),
            epoch_s,
        }
    }

    /// At least one alert for each node-hour: single events with what follows them, chattering detectors, salvos that
    /// fill a node, storms of what can wait.
    fn alerts(&self, draw: &mut Draw) -> Vec<AlertPlan> {
        let mut alerts = Alerts { plans: Vec::new(), keys: 0 };
        let enough = self.node_hours_thousandths().div_ceil(1_000);
        // Ten minutes before the first alert a run begins, and its faults end some minutes after the last.
        let span_ms = self.hours * HOUR_MS - 20 * 60_000;
        alerts.event(draw, 0, 0);
        while (alerts.plans.len() as u64) < enough {
            let node = pick(draw, self.nodes);
            let at_ms = draw.below(span_ms);
            match draw.below(40) {
                0 => alerts.salvo(draw, node, at_ms),
                1 | 2 => alerts.chatter(draw, node, at_ms),
                3 => alerts.storm(draw, node, at_ms),
                _ => alerts.event(draw, node, at_ms),
            }
        }
        alerts.plans.sort_by_key(|plan| plan.at_ms);
        alerts.plans
    }
}

struct Alerts {
    plans: Vec<AlertPlan>,
    keys: u16,
}

impl Alerts {
    fn push(&mut self, node: usize, at_ms: u64, phase: Phase, draft: AlertDraft) {
        // The place tells every alert from every other, so that an observer cannot mistake one.
        let number = i32::try_from(self.plans.len()).unwrap_or(0);
        let place =
            Place::from_degrees_e7(330_000_000 + 2_000 * number, 440_000_000, Accuracy::within_metres(100));
        self.plans.push(AlertPlan {
            node,
            at_ms: ORIGIN_MS + at_ms,
            phase,
            draft: AlertDraft { place, ..draft },
        });
    }

    /// Something happens; perhaps more becomes known of it, and perhaps it is over or was an error.
    fn event(&mut self, draw: &mut Draw, node: usize, at_ms: u64) {
        self.keys = self.keys.wrapping_add(1);
        let key = (draw.below(4) > 0).then_some(EventKey(self.keys));
        let draft = AlertDraft { key, exercise: draw.below(40) == 0, ..any_draft(draw, at_ms) };
        self.push(node, at_ms, Phase::Onset, draft);
        let mut at_ms = at_ms;
        for phase in [Phase::Update, Phase::Clear, Phase::Cancel] {
            if draw.below(4) == 0 {
                let most_ms = [200, 20_000, 600_000][pick(draw, 3)];
                at_ms += 1 + draw.below(most_ms);
                self.push(node, at_ms, phase, AlertDraft { time: dated(draw, at_ms), ..draft });
            }
        }
    }

    /// More Flash alerts at once than a node has slots.
    fn salvo(&mut self, draw: &mut Draw, node: usize, at_ms: u64) {
        for rounds in 0..SLOTS_PER_NODE as u64 + draw.below(30) {
            let draft = AlertDraft::new(RocketLaunch { rounds: 1, ..RocketLaunch::default() });
            self.push(
                node,
                at_ms + 20 * rounds,
                Phase::Onset,
                AlertDraft { time: dated(draw, at_ms), ..draft },
            );
        }
    }

    /// One detector, one key, again and again.
    fn chatter(&mut self, draw: &mut Draw, node: usize, at_ms: u64) {
        self.keys = self.keys.wrapping_add(1);
        let draft = AlertDraft { key: Some(EventKey(self.keys)), ..any_draft(draw, at_ms) };
        for onset in 0..4 + draw.below(20) {
            let severity = if draw.below(8) == 0 { Severity::Extreme } else { Severity::Severe };
            self.push(node, at_ms + 3_000 * onset, Phase::Onset, AlertDraft { severity, ..draft });
        }
    }

    /// What can wait, more than there is air time for, and one that cannot.
    fn storm(&mut self, draw: &mut Draw, node: usize, at_ms: u64) {
        for step in 0..100 {
            let draft = AlertDraft::new(DroneSighting::default());
            let draft = AlertDraft { time: dated(draw, at_ms + step), ..draft };
            self.push(node, at_ms + 100 * step, Phase::Onset, draft);
        }
        let draft = AlertDraft { time: dated(draw, at_ms), ..AlertDraft::new(RocketLaunch::default()) };
        self.push(node, at_ms + 5_050, Phase::Onset, draft);
    }
}

fn any_draft(draw: &mut Draw, at_ms: u64) -> AlertDraft {
    let body: Body = match draw.below(6) {
        0 | 1 => RocketLaunch { rounds: 4, ..RocketLaunch::default() }.into(),
        2 => CramEngagement { engaged: 3, destroyed: 2, ..CramEngagement::default() }.into(),
        3 => ConvoyIed { state: ConvoyIedState::Detonated, ..ConvoyIed::default() }.into(),
        4 => DroneSighting { state: DroneSightingState::Attacked, ..DroneSighting::default() }.into(),
        _ => DroneSighting::default().into(),
    };
    AlertDraft { time: dated(draw, at_ms), severity: Severity::Severe, ..AlertDraft::new(body) }
}

/// Most sources have no clock; some have one.
fn dated(draw: &mut Draw, at_ms: u64) -> EventTime {
    if draw.below(3) == 0 {
        EventTime::new(ORIGIN_MS + at_ms, ClockQuality::Second)
    } else {
        EventTime::default()
    }
}

/// From calm to everything at once.
fn faults(draw: &mut Draw) -> Faults {
    let mut faults = Faults::default();
    let sort = draw.below(8);
    let all = sort == 7;
    if all || sort == 1 || sort == 6 {
        faults.loss = share(draw, 600_000);
        faults.duplicate = share(draw, 300_000);
        faults.reorder = share(draw, 300_000);
        faults.corrupt = share(draw, 100_000);
        faults.delay_ms = [0, 500, 20_000][pick(draw, 3)];
    }
    if all || sort == 2 {
        faults.burst = share(draw, 400_000);
        faults.partition_s = u32::try_from(60 + draw.below(3_600)).unwrap_or(60);
    }
    if all || sort == 3 || sort == 6 {
        faults.reboot_s = u32::try_from(1_800 + draw.below(20_000)).unwrap_or(3_600);
        faults.brown_out_s = u32::try_from(1_800 + draw.below(20_000)).unwrap_or(3_600);
        faults.clock_drift_ppm = u32::try_from(draw.below(101)).unwrap_or(0);
    }
    if all || sort == 4 {
        faults.gateway_kill_s = u32::try_from(1_800 + draw.below(20_000)).unwrap_or(3_600);
    }
    if all || sort == 5 {
        faults.attacker = share(draw, 400_000);
    }
    faults
}

fn share(draw: &mut Draw, millionths_max: u64) -> Probability {
    let millionths = u32::try_from(draw.below(millionths_max + 1)).unwrap_or(0);
    Probability::from_millionths(millionths).unwrap_or(Probability::NEVER)
}

fn between(draw: &mut Draw, range: Range<u64>) -> u64 {
    range.start + draw.below(range.end - range.start)
}

fn pick(draw: &mut Draw, len: u64) -> usize {
    usize::try_from(draw.below(len)).unwrap_or(0)
}
