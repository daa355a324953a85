//! What somebody at the prompt of a live gateway asks for, and the words for what comes of it.

use std::future::pending;

use alertbus::NodeId;
use alertbus::message::{CommandId, Order};
use alertbus::role::gateway::CommandRefusal;
use alertbus::time::{ClockQuality, EventTime};
use tokio::sync::mpsc;

use super::gateway::Gateway;
use super::told::{Ask, NodeRow, Told};
use crate::clock::unix_ms;

impl Gateway {
    /// Does what somebody asks for, and tells what comes of it once that survives.
    pub(super) fn ask(&mut self, ask: Ask) {
        let (now, now_ms) = (self.now(), unix_ms());
        let news = match ask {
            Ask::Warn { siren, kind, duration_s } => {
                let given = self.desk.warn(now, now_ms, siren, kind, duration_s);
                self.given_to(siren, given.map(|id| vec![id]), "warning")
            }
            Ask::Clear { siren, ids } => {
                let given = self.desk.clear(now, now_ms, siren, ids);
                self.given_to(siren, given, "all-clear")
            }
            Ask::Test { siren, duration_s } => {
                let given = self.desk.order(now, siren, Order::Test { duration_s });
                self.given_to(siren, given.map(|id| vec![id]), "test")
            }
            Ask::Time => self.tell_time(),
            Ask::Nodes => Told::Nodes(self.rows()),
            // Ends the loop before it comes here.
            Ask::Quit => return,
        };
        self.tell_when_synced(news);
    }

    fn given_to(&mut self, node: NodeId, given: Result<Vec<CommandId>, CommandRefusal>, what: &str) -> Told {
        let ids = match given {
            Err(why) => return Told::Refused(format!("no {what} to node {}: {why}", node.0)),
            Ok(ids) if ids.is_empty() => {
                return Told::Refused(format!(
                    "no {what} to node {}: this gateway has given it no warning that may still sound; `clear {} ID` \
                     names another gateway's",
                    node.0, node.0
                ));
            }
            Ok(ids) => ids,
        };
        self.given.extend(ids.iter().map(|id| (node, *id)));
        let names: Vec<_> = ids.iter().map(ToString::to_string).collect();
        let away = match self.lines.peer_of(node) {
            Some(_) => "",
            None => "; it has not been heard since the start, and gets it when it is",
        };
        Told::Done(format!("{what} {} to node {}{away}", names.join(" "), node.0))
    }

    /// Tells the time to every node that was heard.
    fn tell_time(&mut self) -> Told {
        let (now, time) = (self.now(), EventTime::new(unix_ms(), ClockQuality::Second));
        self.desk.set_calendar(now, time.millis());
        let nodes: Vec<NodeId> = self
            .desk
            .peers()
            .map(|peer| peer.node())
            .filter(|node| self.lines.peer_of(*node).is_some())
            .collect();
        let mut told = 0;
        for node in &nodes {
            if let Ok(id) = self.desk.order(now, *node, Order::Time(time)) {
                self.given.insert((*node, id));
                told += 1;
            }
        }
        Told::Done(format!("the time to {told} of {} nodes that are connected", nodes.len()))
    }

    fn rows(&self) -> Vec<NodeRow> {
        let now_ms = self.now().as_millis();
        let row = |peer: &alertbus::role::gateway::Peer| NodeRow {
            node: peer.node(),
            epoch: peer.epoch(),
            peer: self.lines.peer_of(peer.node()).map(String::from),
            report_age_ms: peer.heartbeat().map(|(at, _)| now_ms.saturating_sub(at.as_millis())),
            boot: peer.heartbeat().map(|(_, heartbeat)| heartbeat.boot),
            silent: peer.is_silent(),
            commands: peer.commands().count(),
        };
        self.desk.peers().map(row).collect()
    }
}

/// What somebody asks next; nobody does once input has ended, and a service never had any.
pub(super) async fn next_ask(asks: &mut Option<mpsc::Receiver<Ask>>) -> Ask {
    if let Some(receiver) = asks {
        match receiver.recv().await {
            Some(ask) => return ask,
            None => *asks = None,
        }
    }
    pending().await
}
