//! Who hands what to whom.

use alertbus::ledger::Outcome;
use alertbus::limits::{PACKET_LEN_MAX, TIME_TO_LIVE_FLASH_MS};
use alertbus::role::gateway::{GatewayEvent, ReceivedAlert};
use alertbus::role::node::{NodeEvent, Rejected};
use alertbus::role::siren::{SirenEvent, Sound};
use alertbus::store::StoreError;
use alertbus::wire::packet;

use super::attacker::{Heard, Way};
use super::books::Arrival;
use super::event::{Bytes, Event};
use super::hop::radio_airtime_ms;
use super::unit::Role;
use super::{LINK, Occurrence, SYNC_MS, World};

impl World {
    pub(super) fn unit_timeout(&mut self, unit: usize) {
        if self.units[unit].timeout_ms == Some(self.medium.now_ms) {
            self.units[unit].timeout_ms = None;
            self.units[unit].handle_timeout(self.medium.now_ms);
            self.serve(unit);
        }
    }

    /// Lets a unit tell what it has to tell, say what it has to say, and go back to sleep.
    pub(super) fn serve(&mut self, unit: usize) {
        // What a unit tells after its power has failed nobody hears.
        if self.has_browned_out(unit) {
            return;
        }
        self.poll_unit(unit);
        self.transmit(unit);
        if self.has_browned_out(unit) {
            return;
        }
        self.poll_unit(unit);
        self.judge_siren(unit);
        let now_ms = self.medium.now_ms;
        let timeout_ms = self.units[unit].next_step_ms(now_ms);
        match timeout_ms {
            Some(at_ms) if self.units[unit].timeout_ms != Some(at_ms) => {
                self.units[unit].timeout_ms = Some(at_ms);
                self.medium.events.schedule(at_ms, Event::UnitTimeout { unit });
            }
            _ => self.units[unit].timeout_ms = timeout_ms,
        }
    }

    fn transmit(&mut self, unit: usize) {
        let now_ms = self.medium.now_ms;
        if self.units[unit].radio_free_ms > now_ms {
            return;
        }
        let mut buffer = [0; PACKET_LEN_MAX];
        let Some(packet) = self.units[unit].poll_transmit(now_ms, &LINK, &mut buffer) else { return };
        if self.units[unit].flash.is_off() {
            // The power failed before the radio had it.
            return;
        }
        let site = self.units[unit].site;
        let airtime_ms = radio_airtime_ms(packet.len());
        self.units[unit].radio_free_ms = now_ms + airtime_ms;
        self.medium.events.schedule(now_ms + airtime_ms, Event::RadioFree { unit });
        self.watch.sent(now_ms, packet);
        let epoch = match &self.units[unit].role {
            Some(Role::Sensor(node)) => node.epoch(),
            _ => None,
        };
        self.books.sends(unit, epoch, packet);
        if self.is_out_of_reach(unit) || self.is_jammed(Way::Up { site }, packet) {
            self.medium.frames.cut += 1;
            return;
        }
        self.medium
            .send(&mut self.units[unit].up, airtime_ms, packet, |packet| Event::AirUp { site, packet });
    }

    /// The attacker hears it, and does what he can; true where it does not arrive.
    fn is_jammed(&mut self, way: Way, packet: &[u8]) -> bool {
        let heard = Heard { packet: Bytes::new(packet), way };
        let mischief = self.attacker.hear(heard, self.units.len(), self.heads.len());
        for (after_ms, event) in mischief.arrivals {
            self.medium.events.schedule(self.medium.now_ms + after_ms, event);
        }
        mischief.jammed
    }

    fn is_out_of_reach(&self, unit: usize) -> bool {
        let now_ms = self.calendar_ms();
        self.gaps_ms[unit].iter().any(|&(from_ms, until_ms)| (from_ms..until_ms).contains(&now_ms))
    }

    fn poll_unit(&mut self, unit: usize) {
        loop {
            match &mut self.units[unit].role {
                Some(Role::Sensor(node)) => {
                    self.watch.breaches.unbalanced += u64::from(!node.is_balanced());
                    let Some(event) = node.poll_event() else { return };
                    self.handle_node_event(unit, &event);
                }
                Some(Role::Siren(siren)) => {
                    let Some(event) = siren.poll_event() else { return };
                    self.handle_siren_event(unit, event);
                }
                None => return,
            }
        }
    }

    fn handle_node_event(&mut self, unit: usize, event: &NodeEvent) {
        self.medium.decided(&format!("{event:?}"));
        if let NodeEvent::StoreFailed(StoreError::CounterLost) = event {
            self.incidents.counters_lost += 1;
        }
        let left = self.books.told(unit, event);
        if let Some((number, Outcome::Acked)) = left {
            // Acknowledged means on the disk, and nothing else does.
            self.incidents.acked_unstored += u64::from(!self.books.alerts[number].stored);
        }
    }

    fn handle_siren_event(&mut self, unit: usize, event: SirenEvent) {
        self.medium.decided(&format!("{} {event:?}", self.units[unit].id));
        if let SirenEvent::Sounds(Sound::Warning { .. }) = event {
            self.incidents.warnings += 1;
            let (site, siren) = (self.units[unit].site, self.units[unit].node);
            self.note_warned(site);
            self.tell(Occurrence::Warned { site: self.sites[site].clone(), siren });
            self.note_sounds(siren);
        }
    }

    /// A siren of the site is heard now: what was raised there not long ago has been warned of. What is older than its
    /// time to live is not: that siren sounds for something else.
    fn note_warned(&mut self, site: usize) {
        for number in std::mem::take(&mut self.unwarned[site]) {
            let alert = &mut self.books.alerts[number];
            let after_ms = self.medium.now_ms.saturating_sub(alert.raised_run_ms);
            if after_ms <= u64::from(TIME_TO_LIVE_FLASH_MS) {
                alert.warned_ms = Some(after_ms);
            }
        }
    }

    pub(super) fn air_up(&mut self, site: usize, packet: &Bytes) {
        if self.heads[site].cut_until_ms > self.medium.now_ms {
            self.medium.frames.cut += 1;
            return;
        }
        self.heads[site].send_up(site, packet.as_slice(), &mut self.medium);
    }

    pub(super) fn line_up(&mut self, site: usize, frame: &Bytes) {
        for packet in self.heads[site].received_at_gateway(frame, &mut self.medium) {
            self.handle_at_gateway(site, &packet);
        }
    }

    pub(super) fn line_down(&mut self, site: usize, frame: &Bytes) {
        for packet in self.heads[site].received_at_head(frame, &mut self.medium) {
            self.send_down_by_air(&packet);
        }
    }

    pub(super) fn air_down(&mut self, unit: usize, packet: &Bytes) {
        let now_ms = self.medium.now_ms;
        let taken = self.units[unit].handle_packet(now_ms, &LINK, packet.as_slice());
        if taken == Some(Ok(())) && self.units[unit].is_siren {
            self.ears.taken(now_ms, packet.as_slice());
        }
        match taken {
            None => self.medium.frames.cut += 1,
            // In the middle of what it said the power failed.
            Some(_) if self.has_browned_out(unit) => return,
            Some(Ok(())) => {
                let since_ms = self.units[unit].started_ms;
                self.watch.taken_by_unit(now_ms, since_ms, packet.as_slice());
            }
            Some(Err(why)) => {
                self.medium.frames.rejected += 1;
                // Whoever repeats a packet is told the same each time; only what is new is worth the hash's time.
                if !matches!(why, Rejected::Parse(_)) {
                    self.medium.decided(&format!("{why:?}"));
                }
            }
        }
        self.serve(unit);
    }

    fn handle_at_gateway(&mut self, site: usize, packet: &Bytes) {
        let now_ms = self.medium.now_ms;
        let link = self.heads[site].link;
        match self.host.handle_packet(now_ms, &link, packet.as_slice()) {
            None => self.medium.frames.cut += 1,
            Some(GatewayEvent::Rejected { why, .. }) => {
                self.medium.frames.rejected += 1;
                self.medium.decided(&format!("{why:?}"));
            }
            Some(event) => {
                self.watch.taken_by_gateway(packet.as_slice());
                if self.host.syncs_ms.is_none() {
                    self.host.syncs_ms = Some(now_ms + SYNC_MS);
                    self.medium.events.schedule(now_ms + SYNC_MS, Event::Sync);
                }
                match event {
                    GatewayEvent::Alert(received) => self.deliver(received),
                    GatewayEvent::Report { .. } => self.medium.frames.reports += 1,
                    event => self.medium.decided(&format!("{event:?}")),
                }
            }
        }
        // Sirens may have answered, and a known alert is acknowledged again at once.
        self.serve_router();
        self.serve_gateway();
    }

    /// What arrives must be what was sent, byte for byte.
    fn deliver(&mut self, received: ReceivedAlert) {
        let now_ms = self.medium.now_ms;
        let site = self.by_address.get(&received.id.node).map_or(0, |&unit| self.units[unit].site);
        let arrival = self.books.received(now_ms, &received);
        let number = match arrival {
            Arrival::First(number) => number,
            Arrival::Again | Arrival::Unplanned => return self.route(&received),
            Arrival::Forged => {
                self.forged_delivered += 1;
                return self.tell(Occurrence::Forged(received.id));
            }
        };
        if self.units.iter().any(|unit| unit.site == site && unit.sounds_warning()) {
            self.note_warned(site);
        }
        let alert = &self.books.alerts[number];
        let latency_ms = now_ms.saturating_sub(alert.raised_run_ms);
        let packet_len = alert.packet_len;
        self.tell(Occurrence::Delivered {
            alert: number,
            received: Box::new(received.clone()),
            latency_ms,
            packet_len,
        });
        self.route(&received);
    }

    pub(super) fn sync(&mut self) {
        // A kill may have undone it, and another may have been appointed since.
        if self.host.syncs_ms != Some(self.medium.now_ms) {
            return;
        }
        for alert in self.host.sync() {
            self.books.stored(alert.id);
        }
        self.watch.synced();
        self.serve_gateway();
    }

    pub(super) fn gateway_timeout(&mut self) {
        if self.host.timeout_ms == Some(self.medium.now_ms) {
            self.host.timeout_ms = None;
            self.host.handle_timeout(self.medium.now_ms);
            self.serve_gateway();
        }
    }

    /// Lets the gateway tell what time has brought, say what it has to say, and go back to sleep.
    pub(super) fn serve_gateway(&mut self) {
        let now_ms = self.medium.now_ms;
        while let Some(event) = self.host.poll_event() {
            self.medium.decided(&format!("{event:?}"));
            match event {
                GatewayEvent::Returned { node } => self.host.router.note_silent(node, false),
                GatewayEvent::Silent { node } => {
                    self.host.router.note_silent(node, true);
                    self.incidents.silent += 1;
                    self.tell(Occurrence::Silent(node));
                }
                GatewayEvent::Clone { .. } | GatewayEvent::Restored { .. } | GatewayEvent::BadTags { .. } => {
                    self.incidents.alarms += 1;
                }
                _ => {}
            }
        }
        let mut said = Vec::new();
        for site in 0..self.heads.len() {
            let mut buffer = [0; PACKET_LEN_MAX];
            let link = self.heads[site].link;
            while let Some(transmit) = self.host.poll_transmit(now_ms, &link, &mut buffer) {
                said.push(Bytes::new(transmit.packet));
                self.watch.sent(now_ms, transmit.packet);
                if self.heads[site].cut_until_ms > now_ms {
                    self.medium.frames.cut += 1;
                } else {
                    self.heads[site].send_down(site, transmit.packet, &mut self.medium);
                }
            }
        }
        for packet in said {
            self.note_said(packet.as_slice());
        }
        let timeout_ms = self.host.next_step_ms(now_ms);
        if let Some(at_ms) = timeout_ms.filter(|_| self.host.timeout_ms != timeout_ms) {
            self.medium.events.schedule(at_ms, Event::GatewayTimeout);
        }
        self.host.timeout_ms = timeout_ms;
    }

    /// The radio head reads the address in clear and sends the packet on.
    fn send_down_by_air(&mut self, bytes: &Bytes) {
        let Ok(sealed) = packet::parse(bytes.as_slice(), LINK.tag) else { return };
        let Some(&unit) = self.by_address.get(&sealed.header().node) else { return };
        if self.is_out_of_reach(unit) || self.is_jammed(Way::Down { unit }, bytes.as_slice()) {
            self.medium.frames.cut += 1;
            return;
        }
        let airtime_ms = radio_airtime_ms(bytes.as_slice().len());
        let down = &mut self.units[unit].down;
        self.medium.send(down, airtime_ms, bytes.as_slice(), |packet| Event::AirDown { unit, packet });
    }
}
