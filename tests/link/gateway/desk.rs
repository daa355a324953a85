//! A gateway, the hand that holds its node's key, and the ear that opens what it says.

use std::iter::from_fn;

use alertbus::limits::{BODY_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{
    Ack, Acted, Alert, AlertDraft, Command, CommandId, CommandResult, Heartbeat, Order, ResetCause,
};
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState, Proof, ReceivedAlert};
use alertbus::time::{ClockQuality, Duration, EventTime, Instant};
use alertbus::wire::keys::{Direction, Epoch};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{AlertId, Precedence, Seq};

use crate::pair::{LINK, NODE, node_key};

pub(super) const GATEWAY: u8 = 4;

/// What the gateway has said.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Said {
    pub(super) precedence: Precedence,
    pub(super) exercise: bool,
    pub(super) counter: u32,
    pub(super) what: What,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum What {
    Ack(Ack),
    Command(Command),
}

impl Said {
    pub(super) fn command(&self) -> &Command {
        let What::Command(command) = &self.what else { panic!("{self:?}") };
        command
    }

    pub(super) fn seqs(&self) -> Vec<u32> {
        let What::Ack(ack) = &self.what else { panic!("{self:?}") };
        ack.items().iter().map(|item| item.seq.number()).collect()
    }
}

pub(super) struct Desk {
    pub(super) now: Instant,
    pub(super) gateway: Gateway<2>,
    /// The node's side.
    pub(super) epoch: u32,
    pub(super) counter: u32,
    pub(super) boot: u16,
    pub(super) booted_at: Instant,
    pub(super) heard: u32,
    /// Down counters set aside so far in this epoch, as the host's disk has it.
    pub(super) granted: u32,
}

impl Desk {
    pub(super) fn new() -> Self {
        Self {
            now: Instant::from_millis(5_000_000),
            gateway: gateway(Instant::from_millis(5_000_000), 1, Some(PeerState::new(Epoch(1)))),
            epoch: 1,
            counter: 0,
            boot: 7,
            booted_at: Instant::from_millis(1_000_000),
            heard: 0,
            granted: 0,
        }
    }

    /// The host dies and comes back with this.
    pub(super) fn restart(&mut self, state: Option<PeerState>) {
        self.gateway = gateway(self.now, 1, state);
    }

    pub(super) fn state(&self) -> PeerState {
        self.gateway.peer(NODE).unwrap().state()
    }

    pub(super) fn wait(&mut self, wait: Duration) {
        let until = self.now.after(wait);
        while let Some(at) = self.gateway.poll_timeout().filter(|&at| at <= until) {
            assert!(at >= self.now, "it asked to be called in the past");
            self.now = at;
            self.gateway.handle_timeout(at);
        }
        self.now = until;
    }

    pub(super) fn seal(
        &mut self,
        class: Class,
        precedence: Precedence,
        exercise: bool,
        body: &[u8],
    ) -> Vec<u8> {
        self.counter += 1;
        let (epoch_low, node, counter) = (Epoch(self.epoch).low(), NODE, self.counter);
        let header = Header { class, precedence, exercise, epoch_low, node, counter };
        let key = node_key().link_key(Direction::Up, exercise, Epoch(self.epoch));
        packet::seal(&key, &header, body, LINK.tag, &mut [0; PACKET_LEN_MAX]).unwrap().to_vec()
    }

    pub(super) fn uptime_ms(&self) -> u64 {
        self.now.as_millis() - self.booted_at.as_millis()
    }

    pub(super) fn report(&mut self) -> Vec<u8> {
        let heartbeat = Heartbeat {
            boot: self.boot,
            reset_cause: ResetCause::PowerOn,
            uptime_ms: self.uptime_ms(),
            heard: self.heard,
            flash_floor: 1,
            flash_refused: 0,
            driver_errors: 0,
            ledger_index: 0,
            ledger: [0; 5],
        };
        self.seal(Class::Report, Precedence::Routine, false, &heartbeat.encode())
    }

    pub(super) fn acted(&mut self, id: CommandId, result: CommandResult) -> Vec<u8> {
        self.seal(Class::Report, Precedence::Routine, false, &Acted { id, result }.encode())
    }

    pub(super) fn alert(&mut self, seq: u32, alert: &Alert) -> Vec<u8> {
        let mut body = [0; BODY_LEN_MAX];
        let len = alert.content().body(Seq::new(seq).unwrap(), &mut body);
        self.seal(Class::Alert, alert.body.precedence(), false, &body[..len])
    }

    /// A rocket launch seen now by a node without a calendar.
    pub(super) fn onset(&self) -> Alert {
        let time = EventTime::new(self.uptime_ms(), ClockQuality::Uptime);
        AlertDraft { time, ..AlertDraft::new(RocketLaunch::default()) }.onset(self.boot)
    }

    pub(super) fn drone(&self) -> Alert {
        let time = EventTime::new(self.uptime_ms(), ClockQuality::Uptime);
        AlertDraft { time, ..AlertDraft::new(DroneSighting::default()) }.onset(self.boot)
    }

    pub(super) fn hand(&mut self, packet: &[u8]) -> GatewayEvent {
        self.gateway.handle_packet(self.now, &LINK, packet)
    }

    /// Hands over an alert that must be new.
    pub(super) fn receive(&mut self, packet: &[u8]) -> ReceivedAlert {
        match self.hand(packet) {
            GatewayEvent::Alert(received) => received,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn store(&mut self, packet: &[u8]) -> ReceivedAlert {
        let received = self.receive(packet);
        assert!(self.gateway.stored(received.id));
        received
    }

    pub(super) fn report_now(&mut self) -> Proof {
        let report = self.report();
        self.prove(&report)
    }

    pub(super) fn prove(&mut self, report: &[u8]) -> Proof {
        match self.hand(report) {
            GatewayEvent::Report { proof, .. } => proof,
            other => panic!("{other:?}"),
        }
    }

    pub(super) fn say_one(&mut self) -> Option<Said> {
        while let Some((node, epoch)) = self.gateway.poll_down_request() {
            let first = self.granted + 1;
            self.granted += 64;
            assert!(self.gateway.grant_down(node, epoch, DownSpan { first, end: first + 64 }));
        }
        let mut buffer = [0; PACKET_LEN_MAX];
        let transmit = self.gateway.poll_transmit(self.now, &LINK, &mut buffer)?;
        let sealed = packet::parse(transmit.packet, LINK.tag).unwrap();
        let &Header { class, precedence, exercise, counter, .. } = sealed.header();
        let key = node_key().link_key(Direction::Down, exercise, Epoch(self.epoch));
        let mut body = [0; BODY_LEN_MAX];
        let body = sealed.open(&key, &mut body).unwrap();
        let what = match class {
            Class::Ack => What::Ack(Ack::decode(body).unwrap()),
            _ => What::Command(Command::decode(body).unwrap()),
        };
        Some(Said { precedence, exercise, counter, what })
    }

    /// What the gateway says now; the node hears none of it.
    pub(super) fn say(&mut self) -> Vec<Said> {
        from_fn(|| self.say_one()).collect()
    }

    /// What the gateway says now, which the node hears.
    pub(super) fn converse(&mut self) -> Vec<Said> {
        let said = self.say();
        self.heard = said.last().map_or(self.heard, |said| said.counter);
        said
    }

    /// A node that has reported, been answered, and reported again: known to live.
    pub(super) fn meet(&mut self) {
        assert_eq!(self.report_now(), Proof::Unproven);
        assert_eq!(self.converse().len(), 1);
        assert_eq!(self.report_now(), Proof::Alive);
    }

    pub(super) fn events(&mut self) -> Vec<GatewayEvent> {
        from_fn(|| self.gateway.poll_event()).collect()
    }

    pub(super) fn order(&mut self, order: Order) -> CommandId {
        self.gateway.command(self.now, NODE, order).unwrap()
    }
}

pub(super) fn gateway(now: Instant, epoch: u32, state: Option<PeerState>) -> Gateway<2> {
    let mut gateway = Gateway::new();
    let config = PeerConfig {
        node: NODE,
        key: node_key(),
        epoch: Epoch(epoch),
        gateway: GATEWAY,
        down: DownSpan::EMPTY,
        exercise: true,
        answers_reports: false,
        state,
        seed: 1,
    };
    gateway.add(now, config).unwrap();
    gateway
}

pub(super) fn flash(number: u32) -> AlertId {
    AlertId { node: NODE, exercise: false, flash: true, seq: Seq::new(number).unwrap() }
}
