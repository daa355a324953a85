//! What a packet from a node does: window, tag, window, and only then what it says.

use heapless::Vec;

use super::dating::{BootClock, date};
use super::{Peer, Unstored, bump};
use crate::limits::{BODY_LEN_MAX, UP_COUNTER_MAX};
use crate::message::{Acted, Alert, AlertId, Heartbeat, split_body};
use crate::precedence::Precedence;
use crate::role::gateway::event::{GatewayEvent, Proof, ReceivedAlert, Rejected, Standing, replaces};
use crate::role::gateway::state::{Acquaintance, LastReport};
use crate::time::{Duration, Instant};
use crate::wire::keys::{Direction, LinkKeys};
use crate::wire::link::Link;
use crate::wire::packet::{Class, Header, Sealed};
use crate::wire::window::ReplayWindow;

impl Peer {
    /// The body of an authentic packet that was never taken before.
    pub(super) fn open<'o>(
        &mut self,
        now: Instant,
        sealed: &Sealed<'_>,
        out: &'o mut [u8; BODY_LEN_MAX],
    ) -> Result<&'o [u8], Rejected> {
        let header = sealed.header();
        if header.class.direction() != Direction::Up {
            return Err(Rejected::WrongWay);
        }
        // Reports speak of the live node; an exercise has none.
        if header.exercise && (!self.config.exercise || header.class == Class::Report) {
            return Err(Rejected::Exercise);
        }
        if header.counter >= UP_COUNTER_MAX {
            return Err(Rejected::Counter { got: header.counter });
        }
        let epoch = self.keys.epoch().resolve(header.epoch_low).ok_or(Rejected::BadTag)?;
        let moves_on = epoch != self.keys.epoch();
        let opened = if moves_on {
            // Only a live packet moves the epoch on, and counter 0 is never sent in any.
            if header.exercise || header.counter == 0 {
                return Err(Rejected::BadTag);
            }
            sealed.open(&self.config.key.link_key(Direction::Up, false, epoch), out)
        } else {
            if let Err(replay) = self.window(header.exercise).peek(header.counter) {
                bump(&mut self.counts.replayed);
                return Err(Rejected::Replay(replay));
            }
            sealed.open(self.keys.key(Direction::Up, header.exercise), out)
        };
        let Ok(body) = opened else {
            bump(&mut self.counts.bad_tag);
            self.alarms.count_bad_tag(now);
            return Err(Rejected::BadTag);
        };
        if moves_on {
            self.keys = LinkKeys::new(&self.config.key, epoch);
            self.windows = [ReplayWindow::new(); 2];
            self.last_report = None;
            self.boot.iter_mut().for_each(BootClock::move_on);
            self.time_told = None;
            self.down.move_on();
            self.commands.move_on();
        }
        let [live, exercise] = &mut self.windows;
        if header.exercise { exercise } else { live }.commit(header.counter);
        bump(&mut self.counts.authentic);
        Ok(body)
    }

    pub(super) fn handle_report(
        &mut self,
        now: Instant,
        link: &Link,
        header: &Header,
        body: &[u8],
    ) -> Result<GatewayEvent, Rejected> {
        if body.first() == Some(&Acted::KIND) {
            return self.handle_acted(body);
        }
        let heartbeat = Heartbeat::decode(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        let was_restored = self.down.is_restored();
        let is_heard = self.down.is_heard(heartbeat.heard);
        if self.down.is_restored() && !was_restored {
            self.alarms.raise_restored();
        }
        let proof = self.judge(now, link, header.counter, &heartbeat, is_heard);
        // The floor of another node would make alerts of this one known that nobody has.
        if proof != Proof::Inconsistent {
            self.known.raise_flash_floor(heartbeat.flash_floor);
        }
        Ok(GatewayEvent::Report { node: self.config.node, heartbeat, proof })
    }

    /// What a report is worth as a sign of life. One that can be no such sign because the node has heard nobody is
    /// answered, so that the next can be.
    fn judge(
        &mut self,
        now: Instant,
        link: &Link,
        counter: u32,
        heartbeat: &Heartbeat,
        is_heard: bool,
    ) -> Proof {
        let &Heartbeat { boot, uptime_ms, .. } = heartbeat;
        self.answer_due |= !is_heard || self.config.answers_reports;
        self.time_due = !is_heard;
        // A report that was held back must not make an older state out of a newer one.
        if self.last_report.is_some_and(|last| counter <= last.counter) {
            return Proof::Stale;
        }
        if self.last_report.is_some_and(|last| goes_back(&last, boot, uptime_ms)) {
            self.alarms.raise_clone(now);
            return Proof::Inconsistent;
        }
        let clock = match self.boot {
            Some(clock) => clock.learn(now, counter, boot, uptime_ms),
            None => BootClock::new(now, counter, boot, uptime_ms),
        };
        self.boot = Some(clock);
        self.last_report = Some(LastReport { counter, boot, uptime_ms });
        self.heartbeat = Some((now, *heartbeat));
        self.supervision.note_report(link.report_interval);
        self.commands.hurry(now);
        if is_heard && !self.is_whole {
            // What was recorded before this gateway could tell lies below, and so may what it has not seen.
            let [live, _] = &mut self.windows;
            *live = ReplayWindow::taken_up_to(live.high());
            self.is_whole = true;
        }
        let age = clock.age(now, uptime_ms);
        if age >= link.report_interval {
            return Proof::Stale;
        }
        if !is_heard {
            return Proof::Unproven;
        }
        self.supervision.prove(before(now, age));
        Proof::Alive
    }

    fn handle_acted(&mut self, body: &[u8]) -> Result<GatewayEvent, Rejected> {
        let Acted { id, result } = Acted::decode(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        let asked_for = self.commands.acted(id) || self.time_told.take_if(|told| *told == id).is_some();
        if !asked_for {
            bump(&mut self.counts.unknown_acted);
            return Err(Rejected::UnknownCommand(id));
        }
        Ok(GatewayEvent::Acted { node: self.config.node, id, result })
    }

    pub(super) fn handle_alert(
        &mut self,
        now: Instant,
        link: &Link,
        header: &Header,
        body: &[u8],
    ) -> GatewayEvent {
        let (seq, content) = match split_body(body) {
            Ok(parts) => parts,
            Err(error) => {
                bump(&mut self.counts.undecodable);
                return self.rejected(Rejected::Undecodable(error));
            }
        };
        let flash = header.precedence == Precedence::Flash;
        let id = AlertId { node: self.config.node, exercise: header.exercise, flash, seq };
        if self.unstored().any(|unstored| unstored == id) {
            bump(&mut self.counts.duplicate);
            return GatewayEvent::Duplicate(id);
        }
        let overtaken = match self.known.look(id) {
            Acquaintance::New => false,
            Acquaintance::Overtaken => true,
            Acquaintance::Stored => {
                bump(&mut self.counts.duplicate);
                self.acks.push(id, header.precedence);
                return GatewayEvent::Duplicate(id);
            }
            Acquaintance::TooOld => return self.rejected(Rejected::TooOld(id)),
        };
        let alert = Alert::decode(content);
        let refers_to = alert.as_ref().ok().and_then(|alert| replaces(id, alert));
        if self.pool_mut(id).push(Unstored { id, precedence: header.precedence, refers_to }).is_err() {
            return self.rejected(Rejected::Busy(id));
        }
        if alert.is_err() {
            bump(&mut self.counts.undecodable);
        }
        bump(&mut self.counts.delivered);
        let own = alert.as_ref().map_or(Precedence::Routine, |alert| alert.body.precedence());
        let precedence = header.precedence.max(own);
        let (age, late) = alert.as_ref().map_or((None, false), |alert| {
            date(now, header.counter, precedence, alert, self.boot.as_ref(), self.calendar.as_ref())
        });
        let standing = Standing { age, late, possible_duplicate: !self.is_whole, overtaken };
        GatewayEvent::Alert(ReceivedAlert {
            id,
            precedence,
            standing,
            alert,
            received_at: now,
            counter: header.counter,
            link: link.number,
            // It has come out of a buffer of that length.
            body: Vec::from_slice(body).unwrap_or_default(),
        })
    }
}

/// Whether boot count or uptime go back from one report to the next: then two nodes take turns.
const fn goes_back(last: &LastReport, boot: u16, uptime_ms: u64) -> bool {
    let ahead = boot.wrapping_sub(last.boot);
    ahead > u16::MAX / 2 || ahead == 0 && uptime_ms < last.uptime_ms
}

fn before(now: Instant, age: Duration) -> Instant {
    Instant::from_millis(now.as_millis().saturating_sub(age.as_millis().into()))
}
