//! One step of the world: who hands what to whom.

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::split_body;
use alertbus::role::gateway::{GatewayEvent, ReceivedAlert};
use alertbus::role::node::{NodeEvent, Submission};
use alertbus::time::Instant;
use alertbus::wire::packet;
use alertbus::{AlertId, Precedence};

use super::account::Fate;
use super::calendar::AROUND_INCIDENT_MS;
use super::event::{Bytes, Event};
use super::hop::radio_airtime_ms;
use super::{LINK, Occurrence, STORE_MS, World};

/// What happens next.
pub(super) enum Next {
    /// The next alert of the plan is raised, then.
    Alert(u64),
    /// The next event, then.
    Event(u64),
    /// Quiet is skipped, from then on the run's clock, up to the alert at that calendar time.
    Quiet(u64, u64),
    /// Nothing more happens: what has not arrived is told.
    End,
}

impl World {
    /// Events beyond the stretch that is played wait until another stretch begins.
    pub(super) fn next(&self) -> Option<Next> {
        let alert_ms = self.alerts.get(self.next_alert).map(|alert| alert.plan.at_ms);
        let event_run_ms = self.medium.events.next_at_ms();
        let open = self.sensors.iter().any(|sensor| sensor.node.resident() > 0);
        let ends_ms = self.calendar.stretch_ends_ms(open);
        if let Some(at_ms) = alert_ms.filter(|at_ms| at_ms.saturating_sub(AROUND_INCIDENT_MS) <= ends_ms) {
            let alert_run_ms = self.calendar.run_ms(at_ms);
            let event = event_run_ms.filter(|&event| event <= alert_run_ms);
            return Some(event.map_or(Next::Alert(alert_run_ms), Next::Event));
        }
        let ends_run_ms = self.calendar.run_ms(ends_ms);
        match event_run_ms.filter(|&event| event <= ends_run_ms) {
            Some(event) => Some(Next::Event(event)),
            None => match alert_ms {
                Some(at_ms) => Some(Next::Quiet(ends_run_ms, at_ms)),
                None => (!self.is_over).then_some(Next::End),
            },
        }
    }

    /// Does the next thing; false when the run is over.
    pub fn step(&mut self) -> bool {
        let Some(next) = self.next() else { return false };
        if let Next::Alert(run_ms) | Next::Event(run_ms) | Next::Quiet(run_ms, _) = next {
            self.medium.now_ms = self.medium.now_ms.max(run_ms);
        }
        match next {
            Next::Alert(_) => self.raise_next(),
            Next::Event(_) => {
                if let Some(event) = self.medium.events.pop() {
                    self.handle(event);
                }
            }
            Next::Quiet(_, until_ms) => {
                if let Some(quiet_ms) = self.calendar.skip_to(self.medium.now_ms, until_ms) {
                    self.tell(Occurrence::QuietSkipped(quiet_ms));
                }
            }
            Next::End => self.end(),
        }
        true
    }

    /// Only now is it certain what never arrives: a frame of an alert that left its node may long be under way.
    fn end(&mut self) {
        self.is_over = true;
        for number in 0..self.alerts.len() {
            match self.alerts[number].fate {
                Fate::Ended(outcome) => self.tell(Occurrence::Ended(number, outcome)),
                Fate::Open => self.tell(Occurrence::Open(number)),
                Fate::Planned | Fate::Refused | Fate::Delivered { .. } => {}
            }
        }
    }

    /// What happened is told and becomes part of the run hash.
    fn tell(&mut self, occurrence: Occurrence) {
        self.medium.decided(&format!("{occurrence:?}"));
        self.occurrences.push_back((self.calendar_ms(), occurrence));
    }

    fn raise_next(&mut self) {
        let number = self.next_alert;
        self.next_alert += 1;
        let plan = self.alerts[number].plan;
        self.calendar.note_alert(plan.at_ms);
        self.tell(Occurrence::Raised(number));
        let now = self.now();
        let sensor = &mut self.sensors[plan.node];
        match sensor.node.raise(now, plan.draft) {
            Submission::Queued { handle, .. } => {
                sensor.open.insert(handle, number);
                self.alerts[number].fate = Fate::Open;
                self.alerts[number].raised_run_ms = self.medium.now_ms;
            }
            Submission::Refused { why, .. } => {
                self.alerts[number].fate = Fate::Refused;
                self.tell(Occurrence::Refused(number, why));
            }
            Submission::Merged { .. } | Submission::Duplicate { .. } | Submission::Cancelled => {
                self.alerts[number].fate = Fate::Refused;
            }
        }
        self.serve(plan.node);
    }

    fn handle(&mut self, event: Event) {
        match event {
            Event::NodeTimeout { node } => {
                if self.sensors[node].timeout_ms == Some(self.medium.now_ms) {
                    let now = self.now();
                    self.sensors[node].timeout_ms = None;
                    self.sensors[node].node.handle_timeout(now);
                    self.serve(node);
                }
            }
            Event::RadioFree { node } => self.serve(node),
            Event::AirUp { site, packet } => {
                self.heads[site].send_up(site, packet.as_slice(), &mut self.medium);
            }
            Event::LineUp { site, frame } => {
                for packet in self.heads[site].received_at_gateway(&frame, &mut self.medium) {
                    self.handle_at_gateway(site, &packet);
                }
            }
            Event::Stored { id, site } => {
                self.gateway.stored(id);
                self.answer(site);
            }
            Event::LineDown { site, frame } => {
                for packet in self.heads[site].received_at_head(&frame, &mut self.medium) {
                    self.send_down_by_air(&packet);
                }
            }
            Event::AirDown { node, packet } => {
                let now = self.now();
                let taken = self.sensors[node].node.handle_packet(now, &LINK, packet.as_slice());
                if let Err(why) = taken {
                    self.medium.frames.rejected += 1;
                    self.medium.decided(&format!("{why:?}"));
                }
                self.serve(node);
            }
        }
    }

    /// Lets a node say what it has to say, tell what it has to tell, and go back to sleep.
    fn serve(&mut self, node: usize) {
        let now = self.now();
        let now_ms = self.medium.now_ms;
        let sensor = &mut self.sensors[node];
        assert!(sensor.node.is_balanced(), "the ledger of node {} does not balance", sensor.node.id().0);

        let mut buffer = [0; PACKET_LEN_MAX];
        let free = sensor.radio_free_ms <= now_ms;
        let packet = if free { sensor.node.poll_transmit(now, &LINK, &mut buffer) } else { None };
        if let Some(packet) = packet {
            let site = sensor.site;
            let airtime_ms = radio_airtime_ms(packet.len());
            sensor.radio_free_ms = now_ms + airtime_ms;
            self.medium.events.schedule(sensor.radio_free_ms, Event::RadioFree { node });
            self.medium.send(&mut sensor.up, airtime_ms, packet, |packet| Event::AirUp { site, packet });
            if let Some((id, content)) = sensor.observe(packet) {
                self.note_transmission(node, id, &content, packet.len());
            }
        }
        while let Some(event) = self.sensors[node].node.poll_event() {
            self.handle_node_event(node, &event);
        }
        let sensor = &mut self.sensors[node];
        let timeout_ms = sensor.node.poll_timeout().map(|at| at.as_millis().max(now_ms));
        match timeout_ms {
            Some(at_ms) if sensor.timeout_ms != Some(at_ms) => self.wake(node, at_ms),
            _ => sensor.timeout_ms = timeout_ms,
        }
    }

    /// Calls a node at this time and not before; an earlier appointment is void.
    pub(super) fn wake(&mut self, node: usize, at_ms: u64) {
        self.sensors[node].timeout_ms = Some(at_ms);
        self.medium.events.schedule(at_ms, Event::NodeTimeout { node });
    }

    fn handle_node_event(&mut self, node: usize, event: &NodeEvent) {
        self.medium.decided(&format!("{event:?}"));
        if let NodeEvent::Settled { handle, outcome, .. } = event {
            let Some(number) = self.sensors[node].open.remove(handle) else { return };
            if self.alerts[number].fate == Fate::Open {
                self.alerts[number].fate = Fate::Ended(*outcome);
            }
        }
    }

    fn handle_at_gateway(&mut self, site: usize, packet: &Bytes) {
        let (now, link) = (self.now(), self.heads[site].link);
        match self.gateway.handle_packet(now, &link, packet.as_slice()) {
            GatewayEvent::Alert(received) => {
                self.medium
                    .events
                    .schedule(self.medium.now_ms + STORE_MS, Event::Stored { id: received.id, site });
                self.deliver(received);
            }
            GatewayEvent::Rejected { why, .. } => {
                self.medium.frames.rejected += 1;
                self.medium.decided(&format!("{why:?}"));
            }
            GatewayEvent::Report { .. } => self.medium.frames.reports += 1,
            event => self.medium.decided(&format!("{event:?}")),
        }
        // A known alert is acknowledged again at once.
        self.answer(site);
    }

    /// What arrives must be what was raised, byte for byte, and must not have arrived before.
    fn deliver(&mut self, received: ReceivedAlert) {
        if !self.delivered.insert(received.id) {
            self.duplicates_delivered += 1;
            return self.tell(Occurrence::DeliveredTwice(received.id));
        }
        let content = split_body(received.body()).map_or(&[][..], |(_, content)| content);
        let sent = self.sent.get(&received.id).copied();
        let Some(number) = sent.filter(|&number| self.alerts[number].content == content) else {
            self.forged_delivered += 1;
            return self.tell(Occurrence::Forged(received.id));
        };
        let latency_ms = self.medium.now_ms.saturating_sub(self.alerts[number].raised_run_ms);
        let alert = &mut self.alerts[number];
        alert.fate = Fate::Delivered { latency_ms };
        let packet_len = alert.packet_len;
        self.tell(Occurrence::Delivered {
            alert: number,
            received: Box::new(received),
            latency_ms,
            packet_len,
        });
    }

    /// Sends what the gateway has to say to the nodes of a site.
    fn answer(&mut self, site: usize) {
        let mut buffer = [0; PACKET_LEN_MAX];
        let link = self.heads[site].link;
        while let Some(transmit) = self.gateway.poll_transmit(&link, &mut buffer) {
            self.heads[site].send_down(site, transmit.packet, &mut self.medium);
        }
    }

    /// The radio head reads the address in clear and sends the packet on.
    fn send_down_by_air(&mut self, bytes: &Bytes) {
        let Ok(sealed) = packet::parse(bytes.as_slice(), LINK.tag) else { return };
        let Some(&node) = self.by_address.get(&sealed.header().node) else { return };
        let airtime_ms = radio_airtime_ms(bytes.as_slice().len());
        let sensor = &mut self.sensors[node];
        self.medium
            .send(&mut sensor.down, airtime_ms, bytes.as_slice(), |packet| Event::AirDown { node, packet });
    }

    /// Keeps the name and length of an alert's first packet, and counts the others as retries.
    fn note_transmission(&mut self, node: usize, id: AlertId, content: &[u8], len: usize) {
        if self.sent.contains_key(&id) {
            self.medium.frames.retries += 1;
            return;
        }
        // Of several with the same content the oldest goes first, as in the node's queue.
        let first = self.sensors[node].open.values().copied().find(|&number| {
            let alert = &self.alerts[number];
            let flash = alert.plan.draft.precedence() == Precedence::Flash;
            alert.packet_len == 0 && alert.content == content && flash == id.flash
        });
        if let Some(number) = first {
            self.alerts[number].packet_len = len;
            self.sent.insert(id, number);
        }
    }

    const fn now(&self) -> Instant {
        Instant::from_millis(self.medium.now_ms)
    }
}
