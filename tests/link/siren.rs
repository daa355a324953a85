//! A siren and whoever commands it: what sounds, what is refused, what is said of it.

use alertbus::limits::{ALL_CLEAR_MS, BODY_LEN_MAX, PACKET_LEN_MAX, REPORT_INTERVAL_RADIO_MS};
use alertbus::message::{Acted, Command, CommandId, CommandResult, Heartbeat, NodeId, Order, ResetCause};
use alertbus::place::SiteId;
use alertbus::role::siren::{Rejected, Siren, SirenConfig, SirenEvent, Sound};
use alertbus::store::{Keep, Note, Volatile};
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch, LinkKeys};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{Precedence, wire::window::Replay};

use crate::pair::{LINK, NODE, node_key};

pub(crate) const SOUNDS: Sound = Sound::Warning { zone: SiteId(3), kind: 1 };

/// A siren, and a gateway that knows no policy: it seals what a test says.
pub(crate) struct Post {
    pub(crate) now: Instant,
    siren: Siren<Volatile>,
    keys: LinkKeys,
    /// Highest up counter heard.
    echo: u32,
    down: u32,
    acted: Vec<Acted>,
    heartbeats: Vec<Heartbeat>,
}

impl Post {
    pub(crate) fn new() -> Self {
        Self::start(ResetCause::PowerOn, false, Epoch(1), None)
    }

    fn start(reset_cause: ResetCause, exercise: bool, epoch: Epoch, note: Option<Note>) -> Self {
        let mut store = Volatile::new(epoch, 1);
        if let Some(note) = note {
            assert!(store.keep(&note).is_ready());
        }
        let config = SirenConfig { node: NODE, key: node_key(), reset_cause, exercise };
        let mut post = Self {
            now: Instant::START,
            siren: Siren::start(config, store, Instant::START),
            keys: LinkKeys::new(&node_key(), epoch),
            echo: 0,
            down: 0x0700_0000,
            acted: Vec::new(),
            heartbeats: Vec::new(),
        };
        post.listen();
        post
    }

    /// Hears all that the siren has to say.
    fn listen(&mut self) {
        let mut buffer = [0; PACKET_LEN_MAX];
        while let Some(bytes) = self.siren.poll_transmit(self.now, &LINK, &mut buffer) {
            let sealed = packet::parse(bytes, LINK.tag).unwrap();
            let mut body = [0; BODY_LEN_MAX];
            let body =
                sealed.open(self.keys.key(Direction::Up, sealed.header().exercise), &mut body).unwrap();
            self.echo = sealed.header().counter;
            match Acted::decode(body) {
                Ok(acted) => self.acted.push(acted),
                Err(_) => self.heartbeats.push(Heartbeat::decode(body).unwrap()),
            }
        }
    }

    pub(crate) fn next_id(&mut self) -> CommandId {
        self.down += 1;
        CommandId { epoch_low: self.keys.epoch().low(), counter: self.down }
    }

    pub(crate) fn seal(&mut self, id: CommandId, order: &Order, exercise: bool) -> Vec<u8> {
        self.down += 1;
        let header = Header {
            class: Class::Command,
            precedence: Precedence::Flash,
            exercise,
            epoch_low: self.keys.epoch().low(),
            node: NODE,
            counter: self.down,
        };
        let command = Command { echo: self.echo, id, order: order.clone() };
        let mut body = [0; BODY_LEN_MAX];
        let len = command.encode(&mut body);
        let mut out = [0; PACKET_LEN_MAX];
        let key = self.keys.key(Direction::Down, exercise);
        packet::seal(key, &header, &body[..len], LINK.tag, &mut out).unwrap().to_vec()
    }

    fn hand(&mut self, packet: &[u8]) -> Result<(), Rejected> {
        self.siren.handle_packet(self.now, &LINK, packet)
    }

    /// Says it, and hears the answer.
    fn say(&mut self, order: &Order) -> CommandId {
        let id = self.next_id();
        let packet = self.seal(id, order, false);
        self.hand(&packet).unwrap();
        self.listen();
        id
    }

    fn result(&self) -> CommandResult {
        self.acted.last().unwrap().result
    }

    fn advance(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
        self.siren.handle_timeout(self.now);
        self.listen();
    }

    fn events(&mut self) -> Vec<SirenEvent> {
        std::iter::from_fn(|| self.siren.poll_event()).collect()
    }
}

pub(crate) fn warn(duration_s: u16) -> Order {
    Order::Warn { zone: SiteId(3), kind: 1, duration_s }
}

fn clear(ids: &[CommandId]) -> Order {
    Order::Clear(ids.iter().copied().collect())
}

#[test]
fn a_warning_sounds_for_its_time_and_is_answered() {
    let mut post = Post::new();
    let id = post.say(&warn(90));
    assert_eq!(
        (post.siren.sound(), post.acted.last().unwrap().id, post.result()),
        (SOUNDS, id, CommandResult::Done)
    );
    post.advance(Duration::from_millis(89_999));
    assert_eq!(post.siren.sound(), SOUNDS);
    assert_eq!(post.siren.poll_timeout(), Some(Instant::from_millis(90_000)));
    post.advance(Duration::from_millis(1));
    assert_eq!(post.siren.sound(), Sound::Quiet);
    assert_eq!(post.events(), [SirenEvent::Sounds(SOUNDS), SirenEvent::Sounds(Sound::Quiet)]);
}

#[test]
fn a_retry_of_a_command_is_answered_again_and_not_obeyed_again() {
    let mut post = Post::new();
    let id = post.next_id();
    for minute in 0..3 {
        let retry = post.seal(id, &warn(60), false);
        post.hand(&retry).unwrap();
        post.listen();
        assert_eq!(post.acted.len(), minute + 1);
        post.advance(Duration::from_secs(59));
    }
    assert_eq!(post.siren.sound(), Sound::Quiet, "it does not begin anew");
}

#[test]
fn a_delayed_warn_after_its_clear() {
    let mut post = Post::new();
    let id = post.next_id();
    let held_back = post.seal(id, &warn(90), false);
    post.say(&clear(&[id]));
    post.hand(&held_back).unwrap();
    post.listen();
    assert_eq!((post.siren.sound(), post.result()), (Sound::Quiet, CommandResult::Refused));
    // A retry under a new counter, after a reboot, is refused as well.
    let mut post = Post::start(ResetCause::BrownOut, false, Epoch(2), Some(note_with_cleared(id)));
    let retry = post.seal(id, &warn(90), false);
    post.hand(&retry).unwrap();
    post.listen();
    assert_eq!((post.siren.sound(), post.result()), (Sound::Quiet, CommandResult::Refused));
}

fn note_with_cleared(id: CommandId) -> Note {
    let mut note = [0; alertbus::limits::NOTE_LEN];
    note[..7].copy_from_slice(&[1, 1, id.epoch_low, 7, 0, 0, 0]);
    note[3..7].copy_from_slice(&id.counter.to_be_bytes());
    note
}

#[test]
fn a_clear_ends_only_what_it_names() {
    let mut post = Post::new();
    let first = post.say(&warn(600));
    let second = post.say(&Order::Warn { zone: SiteId(9), kind: 3, duration_s: 600 });
    post.say(&clear(&[second]));
    assert_eq!(post.siren.sound(), SOUNDS);
    post.say(&clear(&[first]));
    assert_eq!((post.siren.sound(), post.result()), (Sound::AllClear, CommandResult::Done));
}

#[test]
fn the_all_clear_sounds_for_its_time_when_the_last_warning_is_ended() {
    let mut post = Post::new();
    let (first, second) = (post.say(&warn(600)), post.say(&warn(600)));
    let cleared = post.now.after(Duration::from_secs(5));
    post.advance(Duration::from_secs(5));
    // Both at once are one all-clear; another clear of the same prolongs nothing.
    post.say(&clear(&[first, second]));
    assert_eq!(post.siren.sound(), Sound::AllClear);
    post.advance(Duration::from_millis(ALL_CLEAR_MS - 1));
    post.say(&clear(&[first, second]));
    assert_eq!(post.siren.sound(), Sound::AllClear);
    assert_eq!(post.siren.poll_timeout(), Some(cleared.after(Duration::from_millis(ALL_CLEAR_MS))));
    post.advance(Duration::from_millis(1));
    assert_eq!(post.siren.sound(), Sound::Quiet);
    let sounds = [SOUNDS, Sound::AllClear, Sound::Quiet].map(SirenEvent::Sounds);
    assert_eq!(post.events(), sounds);
}

#[test]
fn no_all_clear_for_a_warning_that_nobody_heard_or_that_ran_out() {
    let mut post = Post::new();
    let never = post.next_id();
    post.say(&clear(&[never]));
    post.say(&clear(&[]));
    assert_eq!(post.siren.sound(), Sound::Quiet, "none has sounded");
    let ran_out = post.say(&warn(90));
    // Its time is over at the very moment at which the clear comes.
    post.now = post.now.after(Duration::from_secs(90));
    post.say(&clear(&[ran_out]));
    assert_eq!(post.siren.sound(), Sound::Quiet);
    let sounds = [SOUNDS, Sound::Quiet].map(SirenEvent::Sounds);
    assert_eq!(post.events(), sounds);
    // What runs out after another was cleared is followed by silence too.
    let cleared = post.say(&warn(600));
    post.say(&warn(10));
    post.say(&clear(&[cleared]));
    post.advance(Duration::from_secs(10));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}

#[test]
fn a_warning_ends_the_all_clear_at_once_and_for_good() {
    let mut post = Post::new();
    let id = post.say(&warn(600));
    post.say(&clear(&[id]));
    post.say(&warn(2));
    assert_eq!(post.siren.sound(), SOUNDS);
    post.advance(Duration::from_secs(2));
    assert_eq!(post.siren.sound(), Sound::Quiet, "it was not the end");
}

#[test]
fn the_all_clear_goes_before_a_test_and_is_over_with_a_reboot() {
    let mut post = Post::new();
    let id = post.say(&warn(600));
    post.say(&Order::Test { duration_s: 20 });
    post.say(&clear(&[id]));
    assert_eq!(post.siren.sound(), Sound::AllClear);
    post.advance(Duration::from_millis(ALL_CLEAR_MS));
    assert_eq!(post.siren.sound(), Sound::Test);
    post.advance(Duration::from_secs(10));
    assert_eq!(post.siren.sound(), Sound::Quiet);
    let post = Post::start(ResetCause::BrownOut, false, Epoch(2), Some(note_with_cleared(id)));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}

#[test]
fn a_siren_replayed_last_years_warn() {
    let mut post = Post::new();
    let id = post.next_id();
    let last_year = post.seal(id, &warn(600), false);
    post.hand(&last_year).unwrap();
    assert_eq!(post.hand(&last_year), Err(Rejected::Replay(Replay::Seen { got: post.down })));
    // After a reboot, in the same epoch, its counters have moved on: what echoes an earlier start is stale.
    let config =
        SirenConfig { node: NODE, key: node_key(), reset_cause: ResetCause::PowerOn, exercise: false };
    let mut store = Volatile::new(Epoch(1), 2);
    assert!(alertbus::store::Store::reserve(&mut store, alertbus::store::Series::UpCounter, 65).is_ready());
    let mut rebooted = Siren::start(config, store, Instant::START);
    let mut buffer = [0; PACKET_LEN_MAX];
    assert!(rebooted.poll_transmit(Instant::START, &LINK, &mut buffer).is_some());
    let refused = rebooted.handle_packet(Instant::START, &LINK, &last_year);
    assert!(matches!(refused, Err(Rejected::Stale { .. })), "{refused:?}");
    assert_eq!(rebooted.sound(), Sound::Quiet);
    // And in a new epoch its keys are others.
    let mut next_epoch = Post::start(ResetCause::PowerOn, false, Epoch(2), None);
    assert_eq!(next_epoch.hand(&last_year), Err(Rejected::Epoch { got: 1 }));
}

#[test]
fn a_command_held_back_over_three_reports_is_stale_and_makes_the_siren_report() {
    let mut post = Post::new();
    let id = post.next_id();
    let held_back = post.seal(id, &warn(600), false);
    for _ in 0..3 {
        post.advance(Duration::from_millis(REPORT_INTERVAL_RADIO_MS));
    }
    post.advance(Duration::from_secs(10));
    let reports = post.heartbeats.len();
    assert!(matches!(post.hand(&held_back), Err(Rejected::Stale { .. })));
    post.advance(Duration::ZERO);
    assert_eq!((post.siren.sound(), post.heartbeats.len()), (Sound::Quiet, reports + 1));
    // The gateway has heard it and says it afresh.
    let afresh = post.seal(id, &warn(600), false);
    post.hand(&afresh).unwrap();
    assert_eq!(post.siren.sound(), SOUNDS);
}

#[test]
fn an_exercise_sounds_the_test_pattern_only_and_only_where_provisioned() {
    let mut post = Post::new();
    let id = post.next_id();
    let packet = post.seal(id, &warn(60), true);
    post.hand(&packet).unwrap();
    post.listen();
    assert_eq!((post.siren.sound(), post.result()), (Sound::Quiet, CommandResult::Refused));

    let mut post = Post::start(ResetCause::PowerOn, true, Epoch(1), None);
    let id = post.next_id();
    let packet = post.seal(id, &warn(60), true);
    post.hand(&packet).unwrap();
    assert_eq!(post.siren.sound(), Sound::Test);
    post.say(&warn(60));
    assert_eq!(post.siren.sound(), SOUNDS, "a live warning goes before");
    let id = post.next_id();
    let packet = post.seal(id, &clear(&[]), true);
    post.hand(&packet).unwrap();
    post.advance(Duration::from_secs(60));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}

#[test]
fn a_silent_gateway_shows_and_ends_no_warning() {
    let mut post = Post::new();
    post.say(&warn(3_600));
    post.say(&Order::Test { duration_s: 255 });
    assert!(!post.siren.is_gateway_silent());
    let half_ms = REPORT_INTERVAL_RADIO_MS / 2;
    post.advance(Duration::from_millis(7 * half_ms - 1));
    assert!(!post.siren.is_gateway_silent());
    post.advance(Duration::from_millis(1));
    assert!(post.siren.is_gateway_silent());
    assert_eq!((post.siren.sound(), post.events().last()), (SOUNDS, Some(&SirenEvent::GatewaySilent)));
    post.say(&Order::Locate { duration_s: 5 });
    let events = post.events();
    assert!(events.contains(&SirenEvent::GatewayReturned) && !post.siren.is_gateway_silent());
    assert!(events.contains(&SirenEvent::Locate { duration: Duration::from_secs(5) }));
}

#[test]
fn a_warning_cut_short_by_a_brown_out_sounds_again_and_one_from_before_the_power_was_off_does_not() {
    let mut note = [0; alertbus::limits::NOTE_LEN];
    note[0] = 1;
    note[82..93].copy_from_slice(&[1, 1, 7, 0, 0, 9, 0, 3, 1, 0, 90]);
    let post = Post::start(ResetCause::BrownOut, false, Epoch(2), Some(note));
    assert_eq!(post.siren.sound(), SOUNDS);
    let post = Post::start(ResetCause::PowerOn, false, Epoch(2), Some(note));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}

#[test]
fn the_next_epoch_is_the_current_and_one() {
    let mut post = Post::new();
    for (epoch, result) in
        [(3, CommandResult::Refused), (1, CommandResult::Done), (0, CommandResult::Refused)]
    {
        post.say(&Order::NextEpoch(Epoch(epoch)));
        assert_eq!((post.result(), post.siren.epoch()), (result, Some(Epoch(1))), "epoch {epoch}");
    }
    let id = post.next_id();
    let packet = post.seal(id, &Order::NextEpoch(Epoch(2)), false);
    post.hand(&packet).unwrap();
    // The answer comes under the new keys, and from here on the old ones open nothing.
    post.keys = LinkKeys::new(&node_key(), Epoch(2));
    post.listen();
    assert_eq!((post.acted.last().unwrap().id, post.result(), post.echo), (id, CommandResult::Done, 1));
    assert!(matches!(post.hand(&packet), Err(Rejected::Epoch { .. })));
    post.say(&warn(60));
    assert_eq!(post.siren.sound(), SOUNDS);
}

#[test]
fn what_is_for_another_siren_is_left_alone() {
    let mut post = Post::new();
    let id = post.next_id();
    let mut packet = post.seal(id, &warn(60), false);
    packet[3] ^= 1;
    assert_eq!(post.hand(&packet), Err(Rejected::NotAddressed { node: NodeId(NODE.0 ^ 1) }));
    packet[3] ^= 1;
    packet[8] ^= 1;
    assert_eq!(post.hand(&packet), Err(Rejected::BadTag));
    assert_eq!(post.siren.sound(), Sound::Quiet);
}
