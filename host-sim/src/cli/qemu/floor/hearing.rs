//! What comes to the floor from the gateway and from the board, and what is shown of it.

use super::Floor;
use crate::cli::gateway::teller::delivery;
use crate::cli::qemu::account::Arrival;
use crate::cli::qemu::ends::{Why, content_of_stored};
use crate::cli::qemu::rig;
use crate::cli::qemu::seen::Tally;
use crate::cli::qemu::teller::{Line, View};
use crate::cli::qemu::words;
use crate::guest::{GuestTold, Level};
use crate::live::{Alarm, Told};
use crate::outbox::StoredAlert;
use crate::sink::Delivery;

impl Floor<'_> {
    pub(super) async fn hear(&mut self, told: Told) -> Option<Why> {
        match told {
            Told::Alert { number, alert, again } => self.count(number, &alert, again).await,
            Told::Unstored(alert) => {
                let mut delivery = Box::new(delivery(&alert, false, false));
                self.mark(None, &mut delivery);
                self.show(View::Alert { number: None, delivery }).await;
            }
            Told::Line { .. } if self.run.voice.quiet => {}
            other => {
                for line in words::of_gateway(&other) {
                    self.line(line).await;
                }
                let is_own = |told: &Told| matches!(told, Told::Alarm { node, alarm: Alarm::Silent } if *node == self.run.node);
                if is_own(&other) && self.stage.script.is_some() && !self.run.args.stay {
                    return Some(Why::Lost(format!("node {} says nothing", self.run.node.0)));
                }
            }
        }
        None
    }

    /// An alert is stored: whose it is, and what is said of it.
    async fn count(&mut self, number: u64, alert: &StoredAlert, again: bool) {
        let (mut delivery, content) = (delivery(alert, again, true), content_of_stored(alert));
        let known = content.as_ref().and_then(|content| self.stage.account.place(content));
        let known = known.filter(|_| number > self.stage.played.after);
        let arrival = if number > self.stage.counted {
            self.stage.counted = number;
            self.stored += 1;
            self.progress_ms = self.parts.stopwatch.elapsed_ms();
            self.stage.account.store(content)
        } else {
            Arrival::Raised(known)
        };
        self.mark(if let Arrival::Raised(place) = arrival { place } else { known }, &mut delivery);
        if arrival == Arrival::Twice {
            delivery.headline.insert_str(0, "TWICE ");
        }
        self.show(View::Alert { number: Some(number), delivery: Box::new(delivery) }).await;
    }

    /// Says what of a scenario an alert is; and of every other one that it is not live, where the keys are a bench's: an
    /// earlier run's stands in the same store.
    fn mark(&self, place: Option<usize>, delivery: &mut Delivery) {
        let is_bench = self.run.args.keys.is_none();
        delivery.exercise |= is_bench;
        let story = self.stage.script.as_ref().map(rig::Script::story);
        if let Some((incident, planned)) = story.zip(place).and_then(|(story, place)| story.alert(place)) {
            delivery.headline = format!("REPLAY {} ({})", incident.title, delivery.headline);
            delivery.incident = Some(incident.id.clone());
            delivery.mark = incident.mark.name();
            delivery.site.clone_from(&planned.site);
        } else if is_bench {
            delivery.headline.insert_str(0, "BENCH ");
            delivery.mark = "bench";
        }
    }

    pub(super) async fn listen(&mut self, said: GuestTold) -> Option<Why> {
        // A witness counts them, so that a line that is not read changes nothing; any other node has its log.
        if let GuestTold::Log(line) = &said
            && !self.run.image.has_witness
        {
            *self.settled.get_or_insert(0) += u64::from(words::is_settled(line));
        }
        match said {
            GuestTold::Log(line) if self.run.voice.quiet && line.level < Some(Level::Warn) => {}
            GuestTold::Log(line) => self.line(words::of_log(&line)).await,
            GuestTold::Printed(text) => self.line(Line { source: "stdout", text, ..Line::default() }).await,
            GuestTold::Board(text) => {
                if let Some((packets, sha256)) = words::witnessed(&text) {
                    self.witnessed = Some(Tally { packets, sha256: sha256.to_owned() });
                }
                if let Some(count) = words::settled(&text) {
                    // A board that has started anew by itself counts from the beginning.
                    let before = if count > self.settled_in_start { self.settled_in_start } else { 0 };
                    *self.settled.get_or_insert(0) += count - before;
                    self.settled_in_start = count;
                }
                if self.tells_more() || !words::is_of_witness(&text) {
                    self.line(Line { source: "board", text, ..Line::default() }).await;
                }
            }
            GuestTold::Undecoded { bytes, why } => {
                self.undecoded += bytes as u64;
                if !why.is_empty() {
                    let text = format!("not decoded: {why}");
                    self.line(Line { source: "log", level: "warn".into(), text, ..Line::default() }).await;
                }
            }
            GuestTold::Ended(status) => {
                (self.guest, self.bench) = (None, None);
                if !(self.cut && status.success()) {
                    return Some(Why::Lost(format!("QEMU has ended by itself: {status}")));
                }
                let text = "the power is gone, and comes back".to_owned();
                self.line(Line { source: "rig", text, ..Line::default() }).await;
            }
        }
        None
    }
}
