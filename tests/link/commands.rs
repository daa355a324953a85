//! What a gateway orders a node to do: obeyed once, answered each time, and never by an exercise.

use alertbus::limits::{BODY_LEN_MAX, PACKET_LEN_MAX, REPORT_HASTE_MS_MIN};
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{
    Ack, AckItem, Acted, Alert, AlertDraft, Command, CommandId, CommandResult, Heartbeat, Order, split_body,
};
use alertbus::place::SiteId;
use alertbus::role::node::{Node, NodeEvent, Rejected};
use alertbus::store::{Store, StoreError, Volatile};
use alertbus::time::{ClockQuality, Duration, EventTime, Instant};
use alertbus::wire::keys::{Direction, Epoch, LinkKeys};
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{Precedence, Seq};

use crate::ailing::{Ailing, Shared};
use crate::pair::{LINK, NODE, config, node_key};

/// A node, and a gateway that knows no policy: it seals what a test says.
struct Post<S> {
    now: Instant,
    node: Node<S, 8>,
    keys: LinkKeys,
    echo: u32,
    down: u32,
    acted: Vec<(bool, Acted)>,
    heartbeats: Vec<Heartbeat>,
    alerts: Vec<(Seq, Alert)>,
    /// Epoch byte and counter of every packet heard.
    counters: Vec<(u8, u32)>,
}

impl<S: Store> Post<S> {
    fn new(store: S) -> Self {
        let mut post = Self {
            now: Instant::START,
            node: Node::start(config(1), store, Instant::START),
            keys: LinkKeys::new(&node_key(), Epoch(1)),
            echo: 0,
            down: 0x0700_0000,
            acted: Vec::new(),
            heartbeats: Vec::new(),
            alerts: Vec::new(),
            counters: Vec::new(),
        };
        post.listen();
        post
    }

    fn listen(&mut self) {
        let mut buffer = [0; PACKET_LEN_MAX];
        while let Some(bytes) = self.node.poll_transmit(self.now, &LINK, &mut buffer) {
            let sealed = packet::parse(bytes, LINK.tag).unwrap();
            let header = *sealed.header();
            let mut body = [0; BODY_LEN_MAX];
            let body = sealed.open(self.keys.key(Direction::Up, header.exercise), &mut body).unwrap();
            if !header.exercise {
                self.echo = header.counter;
            }
            assert!(!self.counters.contains(&(header.epoch_low, header.counter)), "a counter used twice");
            self.counters.push((header.epoch_low, header.counter));
            match (header.class, Acted::decode(body)) {
                (Class::Alert, _) => {
                    let (seq, content) = split_body(body).unwrap();
                    self.alerts.push((seq, Alert::decode(content).unwrap()));
                }
                (_, Ok(acted)) => self.acted.push((header.exercise, acted)),
                _ => self.heartbeats.push(Heartbeat::decode(body).unwrap()),
            }
        }
    }

    fn seal(&mut self, class: Class, exercise: bool, body: &[u8]) -> Vec<u8> {
        self.down += 1;
        let epoch_low = self.keys.epoch().low();
        let (precedence, counter) = (Precedence::Flash, self.down);
        let header = Header { class, precedence, exercise, epoch_low, node: NODE, counter };
        let key = self.keys.key(Direction::Down, exercise);
        packet::seal(key, &header, body, LINK.tag, &mut [0; PACKET_LEN_MAX]).unwrap().to_vec()
    }

    fn order(&mut self, id: u32, order: &Order, exercise: bool) -> Vec<u8> {
        let id = CommandId { epoch_low: 1, counter: 0x0700_0000 + id };
        let mut body = [0; BODY_LEN_MAX];
        let len = Command { echo: self.echo, id, order: order.clone() }.encode(&mut body);
        self.seal(Class::Command, exercise, &body[..len])
    }

    /// Says it, and hears the answer, if there is one at once.
    fn say(&mut self, id: u32, order: &Order) -> Option<CommandResult> {
        let packet = self.order(id, order, false);
        self.node.handle_packet(self.now, &LINK, &packet).unwrap();
        self.answer(false)
    }

    fn answer(&mut self, exercise: bool) -> Option<CommandResult> {
        self.acted.clear();
        self.listen();
        assert!(self.acted.iter().all(|&(of, _)| of == exercise));
        self.acted.last().map(|(_, acted)| acted.result)
    }

    fn ack(&mut self, flash: bool, seq: Seq) -> Vec<u8> {
        let mut ack = Ack::new(self.echo);
        assert!(ack.push(AckItem { flash, seq }));
        let mut body = [0; BODY_LEN_MAX];
        let len = ack.encode(&mut body);
        self.seal(Class::Ack, false, &body[..len])
    }

    fn advance(&mut self, wait: Duration) {
        self.now = self.now.after(wait);
        self.node.handle_timeout(self.now);
        self.listen();
    }
}

fn volatile() -> Post<Volatile> {
    Post::new(Volatile::new(Epoch(1), 1))
}

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

#[test]
fn time_dates_what_is_raised_from_then_on() {
    let mut post = volatile();
    let _ = post.node.raise(post.now, flash());
    let noon = EventTime::new(1_578_445_200_000, ClockQuality::Second);
    assert_eq!(post.say(1, &Order::Time(noon)), Some(CommandResult::Done));
    post.now = post.now.after(Duration::from_secs(10));
    let _ = post.node.raise(post.now, flash());
    post.listen();
    let times: Vec<EventTime> = post.alerts.iter().map(|(_, alert)| alert.time).collect();
    // Drift has begun: a second and a millisecond is no longer within a second.
    assert_eq!(times[0], EventTime::uptime(Instant::START));
    assert_eq!(times[1], EventTime::new(1_578_445_210_000, ClockQuality::Minute));
    let uptime = Order::Time(EventTime::uptime(post.now));
    assert_eq!(post.say(2, &uptime), Some(CommandResult::Refused), "an uptime is no time");
    // A retry is answered and not obeyed: it says what time it was.
    post.now = post.now.after(Duration::from_secs(60));
    assert_eq!(post.say(1, &Order::Time(noon)), Some(CommandResult::Done));
    let _ = post.node.raise(post.now, flash());
    post.listen();
    assert_eq!(post.alerts.last().unwrap().1.time.millis(), 1_578_445_270_000);
}

#[test]
fn a_node_shows_itself_and_has_no_siren() {
    let mut post = volatile();
    assert_eq!(post.say(1, &Order::Locate { duration_s: 30 }), Some(CommandResult::Done));
    assert_eq!(post.say(1, &Order::Locate { duration_s: 30 }), Some(CommandResult::Done), "the retry");
    let located = NodeEvent::Locate { duration: Duration::from_secs(30) };
    assert_eq!((post.node.poll_event(), post.node.poll_event()), (Some(located), None), "once");
    let orders = [
        Order::Warn { zone: SiteId(1), kind: 1, duration_s: 60 },
        Order::Clear([CommandId { epoch_low: 1, counter: 1 }].into_iter().collect()),
        Order::Test { duration_s: 1 },
        Order::Unknown { code: 77 },
    ];
    for (id, order) in (2..).zip(&orders) {
        assert_eq!(post.say(id, order), Some(CommandResult::Unsupported), "{order:?}");
    }
    assert_eq!(post.node.poll_event(), None);
}

#[test]
fn an_exercise_command_answers_for_no_live_one_and_leaves_no_trace() {
    let mut post = volatile();
    let before = post.heartbeats.len();
    for order in [Order::Locate { duration_s: 9 }, Order::NextEpoch(Epoch(2)), Order::Unknown { code: 9 }] {
        let packet = post.order(1, &order, true);
        post.node.handle_packet(post.now, &LINK, &packet).unwrap();
        assert!(post.answer(true).is_some_and(|result| result != CommandResult::Done), "{order:?}");
    }
    let day = Order::Time(EventTime::new(1_578_445_200_000, ClockQuality::Second));
    let packet = post.order(1, &day, true);
    post.node.handle_packet(post.now, &LINK, &packet).unwrap();
    assert_eq!(post.answer(true), Some(CommandResult::Refused));
    assert_eq!((post.node.epoch(), post.node.poll_event()), (Some(Epoch(1)), None));
    // The live command of the same id is still to be obeyed.
    assert_eq!(post.say(1, &Order::Locate { duration_s: 9 }), Some(CommandResult::Done));
    assert!(post.node.poll_event().is_some());

    // Five exercise gateways, one under the number of the live one: no window is lost, no `heard` of theirs goes home.
    let live = post.ack(true, Seq::FIRST);
    post.node.handle_packet(post.now, &LINK, &live).unwrap();
    let live_counter = post.down;
    for number in [1, 2, 3, 4, 5, 7] {
        post.down = number << 24 | 0x00ff_0000;
        let packet = post.order(50 + number, &Order::Test { duration_s: 0 }, true);
        let _ = post.node.handle_packet(post.now, &LINK, &packet);
    }
    post.down = live_counter;
    let replayed = post.node.handle_packet(post.now, &LINK, &live);
    assert!(matches!(replayed, Err(Rejected::Replay(_))), "{replayed:?}");
    post.advance(Duration::from_secs(300));
    assert!(post.heartbeats.len() > before);
    assert_eq!(post.heartbeats.last().unwrap().heard, live_counter);
    // A stale one asks for no report.
    let reports = post.heartbeats.len();
    post.echo = 0;
    let packet = post.order(60, &Order::Test { duration_s: 0 }, true);
    assert!(matches!(post.node.handle_packet(post.now, &LINK, &packet), Err(Rejected::Stale { .. })));
    post.advance(Duration::from_secs(60));
    assert_eq!(post.heartbeats.len(), reports);
}

#[test]
fn answers_go_out_between_flash_alerts_without_end() {
    let mut post = volatile();
    let packet = post.order(1, &Order::Locate { duration_s: 1 }, false);
    post.node.handle_packet(post.now, &LINK, &packet).unwrap();
    let mut buffer = [0; PACKET_LEN_MAX];
    let mut before = 0;
    loop {
        let _ = post.node.raise(post.now, flash());
        let bytes = post.node.poll_transmit(post.now, &LINK, &mut buffer).unwrap();
        if packet::parse(bytes, LINK.tag).unwrap().header().class == Class::Report {
            break;
        }
        before += 1;
        assert!(before <= 7);
        post.now = post.now.after(Duration::from_secs(60));
        post.node.handle_timeout(post.now);
    }
}

#[test]
fn the_next_epoch_is_persisted_before_it_is_used() {
    let memory = Shared::default();
    let mut post = Post::new(Ailing::start(&memory));
    let _ = post.node.raise(post.now, flash());
    post.listen();
    let old_ack = post.ack(true, Seq::FIRST);
    memory.borrow_mut().epoch_pending = 100;
    assert_eq!(post.say(1, &Order::NextEpoch(Epoch(2))), None, "the store has not taken it yet");
    // Meanwhile it goes on in the old one, and its counters are reserved there as ever.
    for _ in 0..40 {
        let _ = post.node.raise(post.now, flash());
        post.listen();
        assert_eq!(post.node.epoch(), Some(Epoch(1)));
        assert!(post.counters.iter().all(|&(_, counter)| counter < memory.borrow().ends[0]));
        let (seq, _) = *post.alerts.last().unwrap();
        let ack = post.ack(true, seq);
        post.node.handle_packet(post.now, &LINK, &ack).unwrap();
    }
    post.keys = LinkKeys::new(&node_key(), Epoch(2));
    memory.borrow_mut().epoch_pending = 0;
    post.acted.clear();
    post.node.handle_timeout(post.now);
    assert_eq!((post.node.epoch(), memory.borrow().epoch), (Some(Epoch(2)), 1));
    post.listen();
    assert_eq!(post.acted.last().map(|(_, acted)| acted.result), Some(CommandResult::Done));
    assert_eq!(post.counters.last(), Some(&(2, 1)), "counters begin anew");

    // What was said in the old epoch opens nothing; what is still open is sent again and acknowledged in the new one.
    assert!(matches!(post.node.handle_packet(post.now, &LINK, &old_ack), Err(Rejected::Epoch { .. })));
    post.down = 0x0700_0000;
    post.advance(Duration::from_secs(60));
    for (seq, _) in post.alerts.clone() {
        let ack = post.ack(true, seq);
        post.node.handle_packet(post.now, &LINK, &ack).unwrap();
    }
    assert_eq!(post.node.resident(), 0);
    post.advance(Duration::from_secs(300));
    assert_eq!(post.heartbeats.last().unwrap().heard, post.down);
    // The same once more is done already, and anything else is out of turn.
    for (id, epoch, result) in [(2, 2, CommandResult::Done), (3, 4, CommandResult::Refused)] {
        assert_eq!(post.say(id, &Order::NextEpoch(Epoch(epoch))), Some(result));
    }
}

#[test]
fn after_the_next_epoch_nothing_heard_before_is_held_against_a_gateway() {
    let mut post = volatile();
    post.down = 0x07ff_0000;
    for _ in 0..4 {
        post.advance(Duration::from_secs(300));
        post.say(9, &Order::Locate { duration_s: 0 });
    }
    let packet = post.order(1, &Order::NextEpoch(Epoch(2)), false);
    post.keys = LinkKeys::new(&node_key(), Epoch(2));
    post.node.handle_packet(post.now, &LINK, &packet).unwrap();
    post.down = 0x0700_0000;
    post.echo = 0;
    // Before the node has said anything in it, nobody can know of it.
    let early = post.order(2, &Order::Locate { duration_s: 0 }, false);
    assert_eq!(post.node.handle_packet(post.now, &LINK, &early), Err(Rejected::Stale { echo: 0, lowest: 1 }));
    assert_eq!(post.answer(false), Some(CommandResult::Done));
    assert_eq!((post.echo, post.counters.last()), (1, Some(&(2, 1))));
    assert_eq!(post.say(3, &Order::Locate { duration_s: 0 }), Some(CommandResult::Done));
    assert_eq!(post.node.handle_packet(post.now, &LINK, &packet), Err(Rejected::Epoch { got: 1 }));
}

#[test]
fn a_node_that_has_moved_on_says_so_twice_because_one_answer_may_be_lost() {
    let mut post = volatile();
    assert_eq!(post.heartbeats.len(), 1, "the first is due at once");
    let packet = post.order(1, &Order::NextEpoch(Epoch(2)), false);
    post.node.handle_packet(post.now, &LINK, &packet).unwrap();
    post.keys = LinkKeys::new(&node_key(), Epoch(2));
    assert_eq!((post.answer(false), post.heartbeats.len()), (Some(CommandResult::Done), 1));
    // Well before the next regular one; and one is enough.
    post.advance(Duration::from_millis(REPORT_HASTE_MS_MIN));
    assert_eq!(post.heartbeats.len(), 2);
    post.advance(Duration::from_secs(200));
    assert_eq!(post.heartbeats.len(), 2);
}

#[test]
fn a_store_that_fails_at_it_leaves_the_node_in_its_epoch() {
    let memory = Shared::default();
    let mut post = Post::new(Ailing::start(&memory));
    memory.borrow_mut().epoch_failure = Some(StoreError::Device);
    assert_eq!(post.say(1, &Order::NextEpoch(Epoch(2))), Some(CommandResult::Failed));
    assert_eq!(post.node.poll_event(), Some(NodeEvent::StoreFailed(StoreError::Device)));
    assert_eq!(post.node.epoch(), Some(Epoch(1)));
    memory.borrow_mut().epoch_failure = None;
    post.advance(Duration::from_secs(2));
    assert_eq!(post.node.epoch(), Some(Epoch(1)), "it is not tried behind the gateway's back");
    let packet = post.order(2, &Order::NextEpoch(Epoch(2)), false);
    post.node.handle_packet(post.now, &LINK, &packet).unwrap();
    post.keys = LinkKeys::new(&node_key(), Epoch(2));
    assert_eq!(post.answer(false), Some(CommandResult::Done));
}
