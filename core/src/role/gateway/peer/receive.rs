//! What a packet from a node does: window, tag, window, and only then what it says.

use super::{Peer, bump};
use crate::limits::{BODY_LEN_MAX, DOWN_COUNTER_MAX, UP_COUNTER_MAX};
use crate::message::{Alert, AlertId, Heartbeat, split_body};
use crate::precedence::Precedence;
use crate::role::gateway::down::DownSpan;
use crate::role::gateway::event::{GatewayEvent, ReceivedAlert, Rejected};
use crate::time::Instant;
use crate::wire::keys::{Direction, LinkKeys};
use crate::wire::link::Link;
use crate::wire::packet::{Class, Header, Sealed};
use crate::wire::window::{Replay, ReplayWindow};

impl Peer {
    /// The body of an authentic packet that was never taken before.
    pub(super) fn open<'o>(
        &mut self,
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
            return Err(Rejected::BadTag);
        };
        if moves_on {
            self.keys = LinkKeys::new(&self.config.key, epoch);
            self.windows = [ReplayWindow::new(); 2];
            self.heartbeat_counter = 0;
            // Which down counters of the new epoch are unused only the host can know.
            self.down = DownSpan::EMPTY;
            self.asked = false;
        }
        let [live, exercise] = &mut self.windows;
        if header.exercise { exercise } else { live }.commit(header.counter);
        bump(&mut self.counts.authentic);
        Ok(body)
    }

    pub(super) fn handle_report(
        &mut self,
        now: Instant,
        header: &Header,
        body: &[u8],
    ) -> Result<GatewayEvent, Rejected> {
        let heartbeat = Heartbeat::decode(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        self.flash.raise_floor(heartbeat.flash_floor);
        // A report that was held back must not make an older state out of a newer one.
        if header.counter > self.heartbeat_counter {
            self.heartbeat_counter = header.counter;
            self.heartbeat = Some((now, heartbeat));
        }
        let [number, ..] = heartbeat.heard.to_be_bytes();
        let heard = heartbeat.heard & DOWN_COUNTER_MAX;
        // Before the host has set counters aside for this epoch there is nothing to hold it against.
        let beyond = self.down != DownSpan::EMPTY && heard >= self.down.first;
        self.restored |= heard != 0 && number == self.config.gateway && beyond;
        Ok(GatewayEvent::Report { node: self.config.node, heartbeat })
    }

    pub(super) fn handle_alert(
        &mut self,
        now: Instant,
        link: &Link,
        header: &Header,
        body: &[u8],
    ) -> Result<GatewayEvent, Rejected> {
        let (seq, content) = split_body(body).map_err(|error| {
            bump(&mut self.counts.undecodable);
            Rejected::Undecodable(error)
        })?;
        let flash = header.precedence == Precedence::Flash;
        let id = AlertId { node: self.config.node, exercise: header.exercise, flash, seq };
        if self.unstored().any(|unstored| unstored == id) {
            bump(&mut self.counts.duplicate);
            return Ok(GatewayEvent::Duplicate(id));
        }
        if self.is_known(id)? {
            bump(&mut self.counts.duplicate);
            self.acknowledge(id, header.precedence);
            return Ok(GatewayEvent::Duplicate(id));
        }
        if self.pool_mut(id).push((id, header.precedence)).is_err() {
            return Err(Rejected::Busy(id));
        }
        let alert = Alert::decode(content);
        if alert.is_err() {
            bump(&mut self.counts.undecodable);
        }
        bump(&mut self.counts.delivered);
        let own = alert.as_ref().map_or(Precedence::Routine, |alert| alert.body.precedence());
        Ok(GatewayEvent::Alert(ReceivedAlert {
            id,
            precedence: header.precedence.max(own),
            alert,
            received_at: now,
            counter: header.counter,
            link: link.number,
            body: body.iter().copied().collect(),
        }))
    }

    /// Whether the alert is stored already.
    fn is_known(&self, id: AlertId) -> Result<bool, Rejected> {
        let window = match (id.exercise, id.flash) {
            (false, true) => return Ok(self.flash.contains(id.seq)),
            (false, false) => &self.other,
            (true, flash) => self.exercise_window(flash),
        };
        match window.peek(id.seq.number()) {
            Ok(()) => Ok(false),
            Err(Replay::Seen { .. }) => Ok(true),
            Err(Replay::TooOld { .. }) => Err(Rejected::TooOld(id)),
        }
    }
}
