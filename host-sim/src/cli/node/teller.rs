//! What a simulated node or siren tells, in lines for people or in JSON.

use std::collections::BTreeMap;
use std::io::{self, Stdout, Write};

use alertbus::AlertId;
use alertbus::ledger::Outcome;
use alertbus::message::{NodeId, Phase, Seq};
use alertbus::provision::Blob;
use alertbus::role::node::{Handle, NodeEvent, Submission};
use alertbus::role::siren::{SirenEvent, Sound};
use serde_json::{Map, Value, json};
use tokio::sync::mpsc;

use crate::cli::Voice;
use crate::cli::decode::kinds;
use crate::live::{Order, UnitTold, name_of};

pub(super) struct Teller {
    out: anstream::AutoStream<Stdout>,
    json: bool,
    voice: Voice,
    node: NodeId,
    /// What people call an alert of this run, until it is settled.
    numbers: BTreeMap<Handle, u64>,
    last: u64,
}

impl Teller {
    pub(super) fn new(json: bool, voice: Voice, node: NodeId) -> Self {
        let out = anstream::AutoStream::auto(io::stdout());
        Self { out, json, voice, node, numbers: BTreeMap::new(), last: 0 }
    }

    pub(super) fn starts(&mut self, blob: &Blob, is_siren: bool) -> io::Result<()> {
        let role = if is_siren { "siren" } else { "node" };
        self.line(
            &format!("{role} {} of network {}, epoch {}", blob.node.0, blob.network, blob.epoch.0),
            json!({"type": "start", "role": role, "node": blob.node.0, "network": blob.network, "epoch": blob.epoch.0}),
        )
    }

    pub(super) fn run(mut self, mut news: mpsc::Receiver<UnitTold>) -> io::Result<()> {
        while let Some(told) = news.blocking_recv() {
            match told {
                UnitTold::Submitted(submitted) => self.submitted(&submitted.0, submitted.1)?,
                UnitTold::Node(event) => self.node_event(event)?,
                UnitTold::Siren(event) => self.siren_event(event)?,
                UnitTold::Rejected(why) if self.voice.verbose > 0 => {
                    self.remark(&format!("a packet was refused: {why}"));
                }
                UnitTold::Rejected(_) => {}
                UnitTold::Line(text) => self.remark(&text),
                UnitTold::NoSensor => {
                    anstream::eprintln!("host-sim: a siren raises nothing; allowed: help, quit");
                }
            }
            self.out.flush()?;
        }
        Ok(())
    }

    fn submitted(&mut self, order: &Order, submission: Submission) -> io::Result<()> {
        let number = name_of(&submission).map(|handle| self.number(handle));
        let (news, why) = match submission {
            Submission::Queued { .. } => ("queued", None),
            Submission::Merged { .. } => ("merged", Some("counted into a summary".to_owned())),
            Submission::Duplicate { .. } => ("duplicate", Some("it waits already".to_owned())),
            Submission::Cancelled => ("cancelled", Some("what it cancels was never sent".to_owned())),
            Submission::Refused { why, .. } => ("refused", Some(why.to_string())),
        };
        let draft = order.draft;
        let mut said = format!("{} {}", draft.precedence().name(), draft.body.name());
        if draft.exercise {
            said.insert_str(0, "EXERCISE ");
        }
        if order.phase != Phase::Onset {
            said.push_str(&format!(" {}", order.phase.name()));
        }
        let brief = kinds::brief(&draft.body);
        if !brief.is_empty() {
            said.push_str(&format!(": {brief}"));
        }
        if let Some(why) = &why {
            said.push_str(&format!(" ({why})"));
        }
        let more = json!({"kind": draft.body.name(), "precedence": draft.precedence().name(),
                          "phase": order.phase.name(), "exercise": draft.exercise, "why": why});
        self.alert(number, news, &said, more)
    }

    fn node_event(&mut self, event: NodeEvent) -> io::Result<()> {
        match event {
            NodeEvent::Settled { handle, precedence, exercise, seq, outcome } => {
                let number = self.number(handle);
                self.numbers.remove(&handle);
                let flash = precedence == alertbus::Precedence::Flash;
                let id = seq.map(|seq| AlertId { node: self.node, exercise, flash, seq }.to_string());
                let said = id.clone().unwrap_or_else(|| "never sent".into());
                self.alert(Some(number), word(outcome), &said, json!({"id": id}))
            }
            NodeEvent::Durable { handle, seq } => {
                let (number, id) = (self.number(handle), self.flash_id(seq));
                self.alert(Some(number), "durable", &id, json!({"id": id}))
            }
            NodeEvent::Recovered { handle, seq, .. } => {
                let (number, id) = (self.number(handle), self.flash_id(seq));
                self.alert(Some(number), "recovered", &id, json!({"id": id}))
            }
            NodeEvent::Late { handle } => {
                let number = self.number(handle);
                self.alert(Some(number), "late", "older than its time to live; sent on", json!({}))
            }
            NodeEvent::Undelivered { handle } => {
                let number = self.number(handle);
                self.alert(
                    Some(number),
                    "unanswered",
                    "sent many times and nobody answers; sent on",
                    json!({}),
                )
            }
            NodeEvent::Locate { duration } => self.locate(duration.as_millis() / 1_000),
            NodeEvent::StoreFailed(why) => self.store_failed(&why.to_string()),
            _ => Ok(()),
        }
    }

    fn siren_event(&mut self, event: SirenEvent) -> io::Result<()> {
        match event {
            SirenEvent::Sounds(sound) => {
                let (word, kind, text) = match sound {
                    Sound::Quiet => ("quiet", None, "SIREN  quiet".into()),
                    Sound::AllClear => ("all-clear", None, "SIREN  all clear".into()),
                    Sound::Test => ("test", None, "SIREN  test pattern".into()),
                    Sound::Warning { kind, .. } => {
                        let kind = kinds::name_of(kind);
                        ("warning", Some(kind.clone()), format!("SIREN  warns of {kind}"))
                    }
                };
                self.line(&text, json!({"type": "sound", "sound": word, "kind": kind}))
            }
            SirenEvent::Locate { duration } => self.locate(duration.as_millis() / 1_000),
            SirenEvent::GatewaySilent => {
                self.line("FAULT  no gateway is heard", json!({"type": "gateway", "heard": false}))
            }
            SirenEvent::GatewayReturned => {
                self.line("a gateway is heard again", json!({"type": "gateway", "heard": true}))
            }
            SirenEvent::StoreFailed(why) => self.store_failed(&why.to_string()),
            _ => Ok(()),
        }
    }

    fn locate(&mut self, seconds: u32) -> io::Result<()> {
        self.line(&format!("LAMP   {seconds} s"), json!({"type": "locate", "seconds": seconds}))
    }

    fn store_failed(&mut self, why: &str) -> io::Result<()> {
        self.line(&format!("FAULT  the store has failed: {why}"), json!({"type": "store-failed", "why": why}))
    }

    fn flash_id(&self, seq: Seq) -> String {
        AlertId { node: self.node, exercise: false, flash: true, seq }.to_string()
    }

    fn number(&mut self, handle: Handle) -> u64 {
        let last = &mut self.last;
        *self.numbers.entry(handle).or_insert_with(|| {
            *last += 1;
            *last
        })
    }

    fn alert(&mut self, number: Option<u64>, news: &str, said: &str, more: Value) -> io::Result<()> {
        let mut object = Map::new();
        object.insert("type".into(), "alert".into());
        object.insert("alert".into(), number.into());
        object.insert("news".into(), news.into());
        if let Value::Object(more) = more {
            object.extend(more);
        }
        let name = number.map_or_else(|| "-".into(), |number| number.to_string());
        self.line(&format!("alert {name:<5} {news:<11} {said}"), Value::Object(object))
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

/// `acked` is what a gateway says once it has stored an alert.
const fn word(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Acked => "stored",
        Outcome::Superseded => "superseded",
        Outcome::Cancelled => "cancelled",
        Outcome::Expired => "expired",
        Outcome::Displaced => "displaced",
        _ => "undelivered",
    }
}
