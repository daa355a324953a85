//! What a live gateway tells, in lines for people or in JSON.

use std::io::{self, Stdout, Write};

use alertbus::Body;
use alertbus::message::{NodeId, Phase};
use alertbus::role::gateway::CommandEnd;
use serde_json::{Value, json};
use tokio::sync::{mpsc, watch};

use crate::cli::Voice;
use crate::cli::decode::kinds;
use crate::cli::incidents::table::aligned;
use crate::live::{Alarm, NodeRow, Told};
use crate::outbox::StoredAlert;
use crate::scenario::local_time;
use crate::sink::{Console, Delivery, JsonLines, Sink};

/// Alerts and everything else share standard output; alerts go through the same sinks as those of a replay.
pub(super) struct Teller {
    out: anstream::AutoStream<Stdout>,
    alerts: Box<dyn Sink>,
    json: bool,
    voice: Voice,
}

impl Teller {
    pub(super) fn new(json: bool, voice: Voice) -> Self {
        let out = || anstream::AutoStream::auto(io::stdout());
        let alerts: Box<dyn Sink> = if json {
            Box::new(JsonLines::new("standard output".into(), out()))
        } else {
            Box::new(Console::new(out()))
        };
        Self { out: out(), alerts, json, voice }
    }

    /// Says where the gateway listens, and who can reach that.
    pub(super) fn listens(&mut self, address: &str, is_local: bool) -> io::Result<()> {
        self.line(
            &format!("listening on {address}"),
            json!({"type": "listening", "address": address, "loopback": is_local}),
        )?;
        self.out.flush()?;
        if !is_local {
            self.remark(&format!(
                "{address} is not of this machine alone: everybody who reaches it can connect. What is forged is still \
                 refused"
            ));
        }
        Ok(())
    }

    /// Tells until nobody has anything to tell any more; `shown` learns of each alert that was.
    pub(super) fn run(
        mut self,
        mut news: mpsc::Receiver<Told>,
        shown: &watch::Sender<u64>,
    ) -> io::Result<()> {
        while let Some(told) = news.blocking_recv() {
            self.tell(&told)?;
            self.out.flush()?;
            if let Told::Alert { number, .. } = told {
                shown.send_replace(number);
            }
        }
        Ok(())
    }

    fn tell(&mut self, told: &Told) -> io::Result<()> {
        match told {
            Told::Alert { alert, again, .. } => self.alerts.deliver(&delivery(alert, *again, true)),
            Told::Unstored(alert) => self.alerts.deliver(&delivery(alert, false, false)),
            Told::Alarm { node, alarm } => self.alarm(*node, *alarm),
            Told::Answer { node, id, result } => {
                let (id, result) = (id.to_string(), result.name());
                let text = format!("node {}: {result} ({id})", node.0);
                self.line(&text, json!({"type": "answer", "node": node.0, "command": id, "result": result}))
            }
            Told::Unanswered { node, id, why } => {
                let (id, why) = (id.to_string(), ended(*why));
                let text = format!("node {}: no answer to {id}, which has {why}", node.0);
                self.line(&text, json!({"type": "unanswered", "node": node.0, "command": id, "why": why}))
            }
            Told::Rolled { node, epoch } => {
                let (node, epoch) = (node.0, epoch.0);
                let text = format!(
                    "node {node} is in epoch {epoch}: `host-sim keys roll --done {node}` enters that"
                );
                self.line(&text, json!({"type": "rolled", "node": node, "epoch": epoch}))
            }
            Told::Line { peer, news } => {
                self.remark(&format!("{peer}: {news}"));
                Ok(())
            }
            Told::Nodes(rows) => self.nodes(rows),
            Told::Done(text) => self.line(text, json!({"type": "done", "text": text})),
            Told::Refused(text) if self.json => self.line(text, json!({"type": "refused", "text": text})),
            Told::Refused(text) => {
                anstream::eprintln!("host-sim: {text}");
                Ok(())
            }
        }
    }

    fn alarm(&mut self, node: NodeId, alarm: Alarm) -> io::Result<()> {
        let (word, text) = alarm_words(node, alarm);
        let mut object = json!({"type": "alarm", "node": node.0, "alarm": word, "text": text});
        if let (Alarm::BadTags(count), Value::Object(object)) = (alarm, &mut object) {
            object.insert("count".into(), count.into());
        }
        let text = if alarm == Alarm::Returned { text } else { format!("ALARM  {text}") };
        self.line(&text, object)
    }

    fn nodes(&mut self, rows: &[NodeRow]) -> io::Result<()> {
        if self.json {
            return rows.iter().try_for_each(|row| {
                let object = json!({
                    "type": "node", "node": row.node.0, "epoch": row.epoch.0, "peer": row.peer,
                    "report_age_ms": row.report_age_ms, "boot": row.boot, "silent": row.silent,
                    "commands": row.commands,
                });
                writeln!(self.out, "{object}")
            });
        }
        let mut lines =
            vec![["node", "epoch", "start", "last report", "commands", "connection"].map(String::from)];
        let or_none = |text: Option<String>| text.unwrap_or_else(|| "-".into());
        lines.extend(rows.iter().map(|row| {
            let age = row.report_age_ms.map(|age_ms| format!("{} s ago", age_ms / 1_000));
            [
                row.node.0.to_string(),
                row.epoch.0.to_string(),
                or_none(row.boot.map(|boot| boot.to_string())),
                if row.silent { "SILENT".into() } else { or_none(age) },
                row.commands.to_string(),
                or_none(row.peer.clone()),
            ]
        }));
        aligned(&lines, &[0, 1, 2, 3, 4], &mut self.out)
    }

    fn line(&mut self, text: &str, object: Value) -> io::Result<()> {
        if self.json { writeln!(self.out, "{object}") } else { writeln!(self.out, "{text}") }
    }

    fn remark(&self, text: &str) {
        if !self.voice.quiet {
            anstream::eprintln!("{text}");
        }
    }
}

/// An alert as outputs take it.
pub(in crate::cli) fn delivery(alert: &StoredAlert, again: bool, stored: bool) -> Delivery {
    let standing = alert.standing;
    let marks = [
        (alert.id.exercise, "EXERCISE"),
        (!stored, "NOT STORED"),
        (again, "AGAIN"),
        (standing.possible_duplicate, "POSSIBLE DUPLICATE"),
        (standing.late, "LATE"),
        (standing.overtaken, "OVERTAKEN"),
    ];
    let mut headline: Vec<String> =
        marks.iter().filter(|(is_so, _)| *is_so).map(|(_, mark)| (*mark).to_owned()).collect();
    let mut kind = "unreadable";
    match alert.alert() {
        Ok(said) => {
            kind = if matches!(said.body, Body::Unknown(_)) { "unknown" } else { said.body.name() };
            if said.phase != Phase::Onset {
                headline.push(said.phase.name().into());
            }
            headline.push(kinds::brief(&said.body));
        }
        Err(error) => headline.push(format!("{error}")),
    }
    let outcome = match (stored, standing.overtaken, standing.late) {
        (false, ..) => "not-stored",
        (_, true, _) => "overtaken",
        (_, _, true) => "late",
        _ => "delivered",
    };
    Delivery {
        sort: "alert",
        exercise: alert.id.exercise,
        time: local_time(alert.received_ms, 0),
        headline: headline.join(" "),
        incident: None,
        mark: if alert.id.exercise { "exercise" } else { "live" },
        precedence: alert.precedence.name(),
        kind,
        site: format!("node {}", alert.id.node.0),
        node: alert.id.node.0.to_string(),
        id: Some(alert.id.to_string()),
        outcome,
        bytes: None,
        to: Vec::new(),
        latency_ms: standing.age.map(|age| age.as_millis().into()),
    }
}

pub(in crate::cli) fn alarm_words(node: NodeId, alarm: Alarm) -> (&'static str, String) {
    let node = node.0;
    match alarm {
        Alarm::Silent => ("silent", format!("node {node} is silent: three of its reports are missing")),
        Alarm::Returned => ("returned", format!("node {node} reports again")),
        Alarm::WrongKey => (
            "wrong-key",
            format!(
                "something sends as node {node} and has not its key: the blob of another directory, an epoch that the \
                 register does not know, or somebody else"
            ),
        ),
        Alarm::BadTags(count) => (
            "bad-tags",
            format!(
                "somebody sends in the name of node {node} without its key: {count} packets in this hour"
            ),
        ),
        Alarm::Clone => {
            ("clone", format!("two nodes use the key of node {node}: switch both off and find out"))
        }
        Alarm::Restored => (
            "restored",
            format!(
                "node {node} has heard more from this gateway than it has said: its state is an old copy. It says \
                 nothing more to that node; start it with a new `--state` and a `--number` that was never used"
            ),
        ),
        Alarm::Stranger => (
            "stranger",
            format!(
                "something sends as node {node}, which is not in the register: of another network, or not entered"
            ),
        ),
        Alarm::Exercise => (
            "exercise",
            format!(
                "something sends as node {node} in an exercise, which `--exercise` would open; it is not taken"
            ),
        ),
    }
}

pub(in crate::cli) const fn ended(why: CommandEnd) -> &'static str {
    match why {
        CommandEnd::Expired => "expired",
        CommandEnd::Displaced => "given way to others",
    }
}
