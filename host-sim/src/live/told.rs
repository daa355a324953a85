//! What a live gateway tells whoever looks on, and what it can be asked.

use alertbus::NodeId;
use alertbus::message::{CommandId, CommandResult, Epoch};
use alertbus::role::gateway::CommandEnd;

use crate::outbox::StoredAlert;

/// Something worth telling.
#[derive(Clone, Debug)]
pub enum Told {
    /// An alert that is stored.
    Alert {
        /// Its number in the outbox.
        number: u64,
        /// What was stored.
        alert: Box<StoredAlert>,
        /// It was stored before this start, and nobody is known to have been shown it.
        again: bool,
    },
    /// An alert that could not be stored: its node has no acknowledgement and sends it again.
    Unstored(Box<StoredAlert>),
    /// Something is wrong with a node, or right again.
    Alarm {
        /// Which.
        node: NodeId,
        /// What.
        alarm: Alarm,
    },
    /// A node or siren has answered a command.
    Answer {
        /// Which.
        node: NodeId,
        /// Which command.
        id: CommandId,
        /// What became of it.
        result: CommandResult,
    },
    /// Nobody will answer a command any more.
    Unanswered {
        /// To which node.
        node: NodeId,
        /// Which command.
        id: CommandId,
        /// Why.
        why: CommandEnd,
    },
    /// A node has come to the epoch that it was sent on to.
    Rolled {
        /// Which.
        node: NodeId,
        /// That epoch.
        epoch: Epoch,
    },
    /// What has come of a connection.
    Line {
        /// Who is at the other end.
        peer: String,
        /// What.
        news: String,
    },
    /// The nodes, as somebody asked.
    Nodes(Vec<NodeRow>),
    /// What somebody asked for is done, or on its way.
    Done(String),
    /// What somebody asked for cannot be done.
    Refused(String),
}

/// What is wrong with a node.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Alarm {
    /// Three of its reports are missing.
    Silent,
    /// It was silent and reports again.
    Returned,
    /// Something sends in its name and does not have its key, or not in this epoch: a blob of another directory, an
    /// epoch that the register does not know, or somebody else.
    WrongKey,
    /// Somebody does so all the time; how often in this hour.
    BadTags(u32),
    /// Two nodes use its key.
    Clone,
    /// It has heard this gateway's number say more than this gateway has said.
    Restored,
    /// It is not in the register.
    Stranger,
    /// It sends exercise alerts, which are not opened.
    Exercise,
}

/// A node as `nodes` lists it.
#[derive(Clone, Debug)]
pub struct NodeRow {
    /// Which.
    pub node: NodeId,
    /// The epoch of its last authentic packet.
    pub epoch: Epoch,
    /// Who is at the other end of its connection.
    pub peer: Option<String>,
    /// How long ago its last report came, in milliseconds; none where none has since the start.
    pub report_age_ms: Option<u64>,
    /// Times it has started, by its last report.
    pub boot: Option<u16>,
    /// Too many of its reports are missing.
    pub silent: bool,
    /// Commands that it has not answered.
    pub commands: usize,
}

/// What somebody at the prompt wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Ask {
    /// Warn through a siren.
    Warn {
        /// Which.
        siren: NodeId,
        /// Number of the alert kind.
        kind: u8,
        /// How long, in seconds.
        duration_s: u16,
    },
    /// End warnings of a siren.
    Clear {
        /// Which siren.
        siren: NodeId,
        /// Which warnings; all that this gateway has given where there are none.
        ids: Vec<CommandId>,
    },
    /// Play the test pattern.
    Test {
        /// Which siren.
        siren: NodeId,
        /// How long, in seconds.
        duration_s: u8,
    },
    /// Tell every node that was heard what time it is.
    Time,
    /// List the nodes.
    Nodes,
    /// End.
    Quit,
}
