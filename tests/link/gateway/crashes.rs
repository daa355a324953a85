//! Random lives of a gateway's host: it dies between any two steps and comes back with what its disk has.

use std::collections::{BTreeMap, BTreeSet};

use alertbus::AlertId;
use alertbus::message::{Alert, Phase, Reference};
use alertbus::role::gateway::{GatewayEvent, PeerState};
use alertbus::time::Duration;
use alertbus::wire::keys::Epoch;

use super::desk::{Desk, What};
use crate::pair::NODE;
use crate::random::Dice;

struct Life {
    dice: Dice,
    desk: Desk,
    /// The host's disk: the state, and every alert written with how it was marked.
    disk: PeerState,
    stored: BTreeMap<AlertId, Vec<bool>>,
    /// Alerts of the node that nobody has acknowledged, by number.
    open: BTreeMap<u32, Alert>,
    raised: u32,
    /// Numbers of alerts that another one refers to.
    cancelled: BTreeSet<u32>,
    /// Packets under way, and all that ever were.
    air: Vec<Vec<u8>>,
    recorded: Vec<Vec<u8>>,
    headers: BTreeSet<u32>,
}

impl Life {
    fn new(seed: u64) -> Self {
        Self {
            dice: Dice::new(seed),
            desk: Desk::new(),
            disk: PeerState::new(Epoch(1)),
            stored: BTreeMap::new(),
            open: BTreeMap::new(),
            raised: 0,
            cancelled: BTreeSet::new(),
            air: Vec::new(),
            recorded: Vec::new(),
            headers: BTreeSet::new(),
        }
    }

    fn act(&mut self) {
        match self.dice.roll(20) {
            0..=2 => self.raise(),
            3..=6 => self.transmit(),
            7 => {
                let report = self.desk.report();
                self.send(report);
            }
            8..=13 if !self.air.is_empty() => self.arrive(),
            14..=16 => self.answer(),
            17 if self.dice.one_in(4) => self.die(),
            _ => self.desk.wait(Duration::from_millis(self.dice.roll(20_000) as u32)),
        }
    }

    fn raise(&mut self) {
        if self.open.len() >= 8 {
            return;
        }
        self.raised += 1;
        let mut alert = self.desk.onset();
        let back = 1 + self.dice.roll(4) as u32;
        if self.dice.one_in(3) && back < self.raised {
            (alert.phase, alert.reference) = (Phase::Cancel, Some(Reference::Back(back)));
            self.cancelled.insert(self.raised - back);
        }
        self.open.insert(self.raised, alert);
    }

    fn transmit(&mut self) {
        let at = self.dice.roll(self.open.len().max(1) as u64) as usize;
        if let Some((&seq, &alert)) = self.open.iter().nth(at) {
            let packet = self.desk.alert(seq, &alert);
            self.send(packet);
        }
    }

    fn send(&mut self, packet: Vec<u8>) {
        self.recorded.push(packet.clone());
        if !self.dice.one_in(4) {
            self.air.push(packet);
        }
    }

    /// Some packet arrives, perhaps not for the last time.
    fn arrive(&mut self) {
        let at = self.dice.roll(self.air.len() as u64) as usize;
        let packet = if self.dice.one_in(4) { self.air[at].clone() } else { self.air.swap_remove(at) };
        self.take(&packet);
    }

    fn take(&mut self, packet: &[u8]) {
        match self.desk.hand(packet) {
            GatewayEvent::Alert(received) => {
                if self.dice.one_in(6) {
                    return self.die();
                }
                if self.dice.one_in(8) {
                    assert!(self.desk.gateway.not_stored(received.id));
                    return;
                }
                // One write: the alert, and the state with it.
                self.disk = self.desk.gateway.peer(NODE).unwrap().state_with(&received);
                self.stored.entry(received.id).or_default().push(received.standing.overtaken);
                if self.dice.one_in(6) {
                    return self.die();
                }
                assert!(self.desk.gateway.stored(received.id));
                assert_eq!(self.desk.state(), self.disk, "what was promised to be written is what is known");
            }
            GatewayEvent::Report { .. } if !self.dice.one_in(3) => self.disk = self.desk.state(),
            _ => {}
        }
    }

    fn answer(&mut self) {
        while let Some(said) = self.desk.say_one() {
            assert!(self.headers.insert(said.counter), "a down counter was used twice");
            let What::Ack(ack) = &said.what else { panic!("{said:?}") };
            for item in ack.items() {
                let seq = item.seq.number();
                let id = AlertId { node: NODE, exercise: false, flash: true, seq: item.seq };
                assert!(self.stored.contains_key(&id), "{id} was acknowledged and is not stored");
                if !self.dice.one_in(3) {
                    self.open.remove(&seq);
                }
            }
            if !self.dice.one_in(3) {
                self.desk.heard = said.counter;
            }
        }
    }

    fn die(&mut self) {
        self.desk.restart(Some(self.disk.clone()));
    }

    fn settle(&mut self) {
        self.air.clear();
        for _ in 0..2_000 {
            if self.open.is_empty() {
                return;
            }
            let open: Vec<(u32, Alert)> = self.open.iter().map(|(&seq, &alert)| (seq, alert)).collect();
            for (seq, alert) in open {
                let packet = self.desk.alert(seq, &alert);
                self.take(&packet);
            }
            self.answer();
        }
        panic!("{} alerts never arrived", self.open.len());
    }
}

#[test]
fn a_host_that_dies_at_any_moment_stores_each_alert_once_and_acknowledges_no_other() {
    let mut overtaken = 0;
    for seed in 0..150 {
        let mut life = Life::new(seed);
        for _ in 0..1_500 {
            life.act();
        }
        life.settle();
        for seq in 1..=life.raised {
            let times: Vec<_> = life.stored.iter().filter(|(id, _)| id.seq.number() == seq).collect();
            assert!(matches!(times[..], [(_, times)] if times.len() == 1), "seed {seed}, {seq}: {times:?}");
        }
        for (id, marks) in &life.stored {
            assert!(!marks[0] || life.cancelled.contains(&id.seq.number()), "seed {seed}: {id}");
            overtaken += usize::from(marks[0]);
        }
        // Everything that was ever in the air is played back, to this gateway and to the next two.
        let before = life.stored.clone();
        for _ in 0..3 {
            for packet in life.recorded.clone() {
                let event = life.desk.hand(&packet);
                assert!(!matches!(event, GatewayEvent::Alert(_)), "seed {seed}: {event:?}");
            }
            life.die();
        }
        assert_eq!(life.stored, before);
    }
    assert!(overtaken > 100, "{overtaken}");
}
