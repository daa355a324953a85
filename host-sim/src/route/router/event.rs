//! What a router tells its host.

use std::sync::Arc;

use alertbus::AlertId;

use crate::route::facts::Facts;
use crate::route::rules::{Route, Rules, Sink};

/// Something to do, or to write down.
#[derive(Clone, Debug)]
pub enum RouterEvent {
    /// An alert is to go to a sink. The host answers with [`Router::acknowledged`](super::Router::acknowledged) when
    /// the sink has it.
    Dispatch(Dispatch),
    /// A route waits for other nodes, until then at most.
    Held {
        /// Which alert.
        alert: AlertId,
        /// Which route.
        route: Arc<str>,
        /// Calendar time, in milliseconds.
        until_ms: u64,
    },
    /// A repeat waits for others, until then.
    Deferred {
        /// Which alert.
        alert: AlertId,
        /// Which route.
        route: Arc<str>,
        /// Calendar time, in milliseconds.
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
    /// Every sink that an alert went to has acknowledged it, and nothing of it waits: it need not be kept any more.
    Settled(AlertId),
}

/// An alert on its way to a sink.
#[derive(Clone, Debug)]
pub struct Dispatch {
    /// The alert.
    pub facts: Facts,
    /// Why it goes there.
    pub cause: Cause,
    /// Other alerts that it stands for: repeats that waited for it.
    pub repeats: Vec<AlertId>,
    pub(super) rules: Arc<Rules>,
    pub(super) sink: usize,
    pub(super) route: Option<usize>,
}

/// Why an alert goes to a sink.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Cause {
    /// A route takes it.
    Matched,
    /// A route takes it, and as many nodes as it asks for agree.
    Confirmed {
        /// So many.
        nodes: usize,
    },
    /// A route takes it, and as many nodes as it asks for can no longer agree in time.
    Unconfirmed {
        /// So many do.
        nodes: usize,
        /// So many were asked for.
        needs: u8,
    },
    /// It is the last of several repeats.
    Repeated,
    /// A sink has not acknowledged it.
    Escalated {
        /// Which one.
        unacknowledged: Arc<str>,
    },
    /// What it updates or ends went there.
    Follows,
    /// No route takes it.
    NoRoute,
    /// A silence holds it back.
    Silenced {
        /// Why.
        reason: Arc<str>,
        /// Who says so.
        by: Arc<str>,
    },
    /// Another alert holds it back.
    Inhibited {
        /// Which one.
        by: AlertId,
        /// By which inhibition.
        name: Arc<str>,
    },
    /// It was cancelled while it waited for other nodes.
    Withdrawn,
}

impl Dispatch {
    /// The sink.
    #[must_use]
    pub fn sink(&self) -> &Sink {
        &self.rules.sinks[self.sink]
    }

    /// The route that sends it there, unless it goes there by default.
    #[must_use]
    pub fn route(&self) -> Option<&Route> {
        self.route.and_then(|route| self.rules.routes.get(route))
    }

    /// The rules that send it there.
    #[must_use]
    pub const fn rules(&self) -> &Arc<Rules> {
        &self.rules
    }
}

impl Cause {
    /// As one word.
    #[must_use]
    pub const fn name(&self) -> &'static str {
        match self {
            Self::Matched => "matched",
            Self::Confirmed { .. } => "confirmed",
            Self::Unconfirmed { .. } => "unconfirmed",
            Self::Repeated => "repeated",
            Self::Escalated { .. } => "escalated",
            Self::Follows => "follows",
            Self::NoRoute => "no-route",
            Self::Silenced { .. } => "silenced",
            Self::Inhibited { .. } => "inhibited",
            Self::Withdrawn => "withdrawn",
        }
    }
}
