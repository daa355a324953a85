//! Everything that a run depends on.

use std::sync::Arc;

use alertbus::message::Phase;
use alertbus::{AlertDraft, NodeId};

use super::{NODES_MAX, SITES_MAX};
use crate::route::Rules;
use crate::scenario::Faults;

/// Where a sensor node or a siren stands.
#[derive(Clone, Debug)]
pub struct UnitPlan {
    /// Its path, which names its streams of chance.
    pub id: String,
    /// Its address.
    pub node: NodeId,
    /// Name of its site.
    pub site: String,
    /// When it is out of reach of its radio head: from and until, milliseconds since 1970, universal time.
    pub gaps_ms: Vec<(u64, u64)>,
}

/// An alert and its moment.
#[derive(Clone, Copy, Debug)]
pub struct AlertPlan {
    /// Which node raises it, as a place in the list of nodes.
    pub node: usize,
    /// When, milliseconds since 1970, universal time.
    pub at_ms: u64,
    /// Whether it begins an event, or says more of one by its key.
    pub phase: Phase,
    /// What.
    pub draft: AlertDraft,
}

/// Which stretches of time are played.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Play {
    /// Those around the alerts; the quiet between is skipped.
    AroundAlerts,
    /// All, from ten minutes before the first alert, for so many milliseconds; faults end earlier, after so many.
    Whole {
        /// Length of the run.
        run_ms: u64,
        /// Length of its part with faults.
        faults_ms: u64,
    },
}

/// Everything a run depends on.
#[derive(Clone, Debug)]
pub struct Plan {
    /// Seed of all chance.
    pub seed: u64,
    /// What befalls frames, units and the gateway.
    pub faults: Faults,
    /// The sensor nodes.
    pub nodes: Vec<UnitPlan>,
    /// The sirens.
    pub sirens: Vec<UnitPlan>,
    /// The alerts, in the order of time.
    pub alerts: Vec<AlertPlan>,
    /// Which stretches of time are played.
    pub play: Play,
    /// What goes where; where there are none, each site's live Flash alerts to its own sirens.
    pub rules: Option<Arc<Rules>>,
    /// Names of sinks that never answer.
    pub down: Vec<String>,
    /// Mean time between two epochs of a unit, in seconds; 0: never.
    pub epoch_s: u32,
}

/// Why a plan cannot be played.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum TooLarge {
    /// More than [`NODES_MAX`] nodes and sirens, or two with one address.
    #[error("{0} nodes and sirens: a world holds {NODES_MAX}, each with an address of its own")]
    Nodes(usize),
    /// More than [`SITES_MAX`] sites.
    #[error("{0} sites: a world holds {SITES_MAX}")]
    Sites(usize),
}

impl Plan {
    /// Names of all sites, sorted: a site's number is its place here.
    #[must_use]
    pub fn sites(&self) -> Vec<&str> {
        let units = self.nodes.iter().chain(&self.sirens);
        let mut sites: Vec<&str> = units.map(|unit| unit.site.as_str()).collect();
        sites.sort_unstable();
        sites.dedup();
        sites
    }

    /// Whether a world can hold it.
    ///
    /// # Errors
    /// Too many units or sites, or two units with one address.
    pub fn check(&self) -> Result<(), TooLarge> {
        let mut addresses: Vec<NodeId> =
            self.nodes.iter().chain(&self.sirens).map(|unit| unit.node).collect();
        let units = addresses.len();
        addresses.sort_unstable();
        addresses.dedup();
        if units > NODES_MAX || addresses.len() < units {
            return Err(TooLarge::Nodes(units));
        }
        let sites = self.sites().len();
        if sites > SITES_MAX { Err(TooLarge::Sites(sites)) } else { Ok(()) }
    }
}
