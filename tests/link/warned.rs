//! A siren under a real gateway, on one clock.

use alertbus::limits::{ALL_CLEAR_MS, PACKET_LEN_MAX};
use alertbus::message::{CommandId, CommandResult, Order, ResetCause};
use alertbus::place::SiteId;
use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
use alertbus::role::siren::{Siren, SirenConfig, Sound};
use alertbus::store::Volatile;
use alertbus::time::Instant;
use alertbus::wire::keys::Epoch;

use crate::pair::{LINK, NODE, node_key};

struct Post {
    now: Instant,
    siren: Siren<Volatile>,
    gateway: Gateway<1>,
    events: Vec<GatewayEvent>,
    /// Nothing gets through while it is set.
    jammed: bool,
}

/// A gateway that has used the down counters below `first`, and knows this of the siren.
fn gateway(now: Instant, answers_reports: bool, first: u32, state: PeerState) -> Gateway<1> {
    let mut gateway = Gateway::new();
    let peer = PeerConfig {
        node: NODE,
        key: node_key(),
        epoch: Epoch(1),
        gateway: 4,
        down: DownSpan { first, ..DownSpan::WHOLE },
        exercise: false,
        answers_reports,
        state: Some(state),
        seed: 1,
    };
    gateway.add(now, peer).unwrap();
    gateway
}

impl Post {
    fn new(answers_reports: bool) -> Self {
        let gateway = gateway(Instant::START, answers_reports, 1, PeerState::new(Epoch(1)));
        let config =
            SirenConfig { node: NODE, key: node_key(), reset_cause: ResetCause::PowerOn, exercise: false };
        let siren = Siren::start(config, Volatile::new(Epoch(1), 1), Instant::START);
        Self { now: Instant::START, siren, gateway, events: Vec::new(), jammed: false }
    }

    /// Lets both say what they have to say, and hear it.
    fn exchange(&mut self) {
        let mut buffer = [0; PACKET_LEN_MAX];
        while let Some(packet) = self.siren.poll_transmit(self.now, &LINK, &mut buffer) {
            if !self.jammed {
                self.events.push(self.gateway.handle_packet(self.now, &LINK, packet));
            }
        }
        while let Some(transmit) = self.gateway.poll_transmit(self.now, &LINK, &mut buffer) {
            if !self.jammed {
                self.siren.handle_packet(self.now, &LINK, transmit.packet).unwrap();
            }
        }
        while let Some(packet) = self.siren.poll_transmit(self.now, &LINK, &mut buffer) {
            if !self.jammed {
                self.events.push(self.gateway.handle_packet(self.now, &LINK, packet));
            }
        }
    }

    /// Lets time pass, from one appointment to the next.
    fn wait(&mut self, seconds: u64) {
        let until = Instant::from_millis(self.now.as_millis() + 1_000 * seconds);
        loop {
            self.exchange();
            let next = self.siren.poll_timeout().into_iter().chain(self.gateway.poll_timeout()).min();
            let Some(next) = next.filter(|&next| next <= until) else { break };
            self.now = self.now.max(next);
            self.siren.handle_timeout(self.now);
            self.gateway.handle_timeout(self.now);
        }
        self.now = until;
    }

    fn command(&mut self, order: Order) -> CommandId {
        self.gateway.command(self.now, NODE, order).unwrap()
    }

    fn acted(&self, id: CommandId) -> Option<CommandResult> {
        self.events.iter().find_map(|event| match event {
            GatewayEvent::Acted { id: acted, result, .. } if *acted == id => Some(*result),
            _ => None,
        })
    }
}

const WARN: Order = Order::Warn { zone: SiteId(3), kind: 1, duration_s: 90 };

#[test]
fn a_siren_in_peace_hears_that_it_is_commanded() {
    let mut post = Post::new(true);
    post.wait(30 * 86_400);
    assert!(!post.siren.is_gateway_silent() && !post.gateway.peer(NODE).unwrap().is_silent());
    post.jammed = true;
    post.wait(2 * 3_600);
    assert!(post.siren.is_gateway_silent() && post.gateway.peer(NODE).unwrap().is_silent());
    post.jammed = false;
    post.wait(3_600);
    assert!(!post.siren.is_gateway_silent() && !post.gateway.peer(NODE).unwrap().is_silent());
    let mut unanswered = Post::new(false);
    unanswered.wait(2 * 3_600);
    assert!(unanswered.siren.is_gateway_silent(), "a gateway that says nothing is silent");
}

#[test]
fn a_warning_is_given_until_it_is_answered_and_a_clear_ends_it() {
    let mut post = Post::new(true);
    post.wait(60);
    post.jammed = true;
    let warn = post.command(WARN);
    post.wait(20);
    assert_eq!((post.siren.sound(), post.acted(warn)), (Sound::Quiet, None));
    post.jammed = false;
    post.wait(60);
    assert_eq!(post.acted(warn), Some(CommandResult::Done));
    assert_eq!(post.siren.sound(), Sound::Warning { zone: SiteId(3), kind: 1 });
    let clear = post.command(Order::Clear([warn].into_iter().collect()));
    post.wait(1);
    assert_eq!((post.siren.sound(), post.acted(clear)), (Sound::AllClear, Some(CommandResult::Done)));
    post.wait(u64::from(ALL_CLEAR_MS).div_ceil(1_000));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}

#[test]
fn a_warning_given_right_after_a_restart_of_the_gateway_waits_for_no_report() {
    let mut post = Post::new(true);
    post.wait(60);
    let state = post.gateway.peer(NODE).unwrap().state();
    post.gateway = gateway(post.now, true, 1_000, state);
    let warn = post.command(WARN);
    post.wait(1);
    assert_eq!(post.acted(warn), Some(CommandResult::Done));
    assert_eq!(post.siren.sound(), Sound::Warning { zone: SiteId(3), kind: 1 });
}

#[test]
fn the_gateway_follows_a_siren_into_its_next_epoch() {
    let mut post = Post::new(true);
    post.wait(60);
    let roll = post.command(Order::NextEpoch(Epoch(2)));
    post.wait(600);
    assert_eq!((post.acted(roll), post.siren.epoch()), (Some(CommandResult::Done), Some(Epoch(2))));
    while let Some((node, epoch)) = post.gateway.poll_down_request() {
        assert!(post.gateway.grant_down(node, epoch, DownSpan::WHOLE));
    }
    let warn = post.command(WARN);
    post.wait(1);
    assert_eq!(post.acted(warn), Some(CommandResult::Done));
    assert!(!post.gateway.peer(NODE).unwrap().is_restored());
}
