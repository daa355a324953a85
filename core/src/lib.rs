//! A priority alert bus for microcontroller-class sensor nodes, the gateways that listen to them, and sirens.
//!
//! It warns. A node sees a rocket launch, a C-RAM engagement, a drone or a roadside bomb and raises an alert; the
//! alert goes out sealed, highest precedence first, until a gateway that has stored it says so under its own seal. A
//! siren sounds when a gateway commands it under that siren's own key. A lost or forged alert costs lives, so the crate
//! is built around what must never happen.
//!
//! # The guarantee
//!
//! **No live Flash alert is ever silently lost.** It is kept, and sent without a limit, until it has one of these
//! outcomes, and exactly one:
//!
//! | outcome | means | who is told |
//! | --- | --- | --- |
//! | STORED-acknowledged | a sealed acknowledgement names its number; the gateway sends that after its host has stored the alert | [`Settled`](role::node::NodeEvent::Settled) with [`Acked`](ledger::Outcome::Acked) |
//! | superseded | a newer alert of its event took its place before it was sent, or is stored itself | `Settled` with [`Superseded`](ledger::Outcome::Superseded) |
//! | cancelled | its source withdrew it before it was sent, or the withdrawal is stored | `Settled` with [`Cancelled`](ledger::Outcome::Cancelled), or [`Submission::Cancelled`](role::node::Submission::Cancelled) |
//! | merged | there was no room for it, or its detector chatters: it is counted in a summary, which is itself a live Flash alert | [`Submission::Merged`](role::node::Submission::Merged), with the summary's name |
//! | refused | the node does not have it | [`Submission::Refused`](role::node::Submission::Refused), with the draft, and every later report of that boot, with the count |
//!
//! A draft that waits already, byte for byte and under the same key, is answered
//! [`Duplicate`](role::node::Submission::Duplicate): the one that waits stands for both. No alert that was taken leaves
//! by its age, by its number of attempts, by giving way to another, or by a new key epoch. Past its time to live it is
//! late; it is sent and delivered all the same.
//!
//! **It begins** when the alert is [`Durable`](role::node::NodeEvent::Durable): written to the node's journal. Sending
//! does not wait for that, and where nothing cuts the power the rest holds from `raise` on. A power cut in between may
//! lose the alert; a caller that must know waits for the event. A summary is written again as it grows, at most once a
//! second; each `Durable` covers what was counted up to then. Exercise has no guarantee, and other precedences none over
//! a power cut: they are not journalled, and the counts of the [`ledger`] begin anew at each start.
//!
//! **It rests on three things** that this crate asks for and cannot check:
//!
//! - a durable store: [`FlashStore`](store::FlashStore), or another that keeps the promise of [`Store`](store::Store).
//!   [`Volatile`](store::Volatile) is none. Where a store fails, [`StoreFailed`](role::node::NodeEvent::StoreFailed)
//!   says so, and alerts are sent all the same;
//! - a gateway's host that has an alert safely on its disk before it calls
//!   [`stored`](role::gateway::Gateway::stored);
//! - the [`PeerState`](role::gateway::PeerState) of each node, written with the alert in one write, and handed back at
//!   the gateway's next start.
//!
//! **It is tested** by cutting the power at every word that a store writes and every page that it erases, and again
//! while it recovers; by killing a gateway's host between any two of its steps; and by soaks (`host-sim soak`): small
//! networks by the thousand under loss, duplication, reordering, bit errors, partitions, reboots, brown-outs, drifting
//! clocks, kills of the gateway, changes of epoch and an attacker. Every live Flash alert of theirs must be accounted for.
//!
//! **It does not promise**
//!
//! - that an alert gets through in time, or at all, where every link is jammed or cut. That shows: the node tells
//!   [`Undelivered`](role::node::NodeEvent::Undelivered) and [`Late`](role::node::NodeEvent::Late), the gateway
//!   [`Silent`](role::gateway::GatewayEvent::Silent), a siren
//!   [`GatewaySilent`](role::siren::SirenEvent::GatewaySilent);
//! - that what a sensor reports is true: a spoofed sensor, or a node in an attacker's hands, lies under a true seal;
//! - air time through a relay that is flooded with forged Flash headers: a relay holds no keys and cannot tell them;
//! - anything over side channels: power and radiation are not looked at, and who talks when is readable;
//! - that a gateway restored from an old copy, such as a rolled-back snapshot of its machine, uses no down counter
//!   twice: it falls silent as soon as a node's report shows it what it has forgotten, and not before;
//! - speech beyond the last counter: a node that has used 2<sup>31</sup> of them says nothing until its key epoch moves
//!   on, and one whose counters are lost nothing until it is provisioned anew. Both are told.
//!
//! # The rooms, top down
//!
//! | level | module | knows about | does not |
//! | --- | --- | --- | --- |
//! | 5 | [`driver`]: [`contact`](driver::contact), [`threshold`](driver::threshold), [`annunciator`](driver::annunciator), [`bench`](mod@driver::bench) | pins and buses of `embedded-hal` | own a clock or a node |
//! | 5 | [`bus`] | what interrupts hand over, who listens inside the node | reach other nodes |
//! | 4 | [`role`]: [`node`](role::node) and [`siren`](role::siren) with their common part, [`gateway`](role::gateway), [`relay`](role::relay) | who holds what and when to speak | do input or output |
//! | 4 | [`provision`] | what a blank board is told to be one node of one network | know of roles |
//! | 3 | [`wire`]: [`packet`](wire::packet), [`frame`](wire::frame), [`keys`](wire::keys), [`window`](wire::window) | bytes from and to messages, and which are believed | know of order or retries |
//! | 3 | [`queue`] | **order and loss**: who goes first, who gives way | know of time or bytes |
//! | 3 | [`store`]: [`FlashStore`](store::FlashStore), [`SirenStore`](store::SirenStore), [`Volatile`](store::Volatile) | what survives a power cut | know of packets |
//! | 2 | [`message`], [`message::kind`] | **what is said**; one file for each kind of alert | know of keys or links |
//! | 1 | [`ledger`] · [`place`] | counts that balance · where | |
//! | 0 | [`limits`] · [`time`] · [`precedence`] | every bound · moments as arguments · the four levels | import anything |
//!
//! A module imports from lower levels only, and a test holds this. So: an alert's order is decided in [`queue`], its
//! bytes are in [`wire::packet`] and [`message`] (and written down in [`wire`]), and a new kind is a file in
//! `message/kind/` and a line in the table there.
//!
//! # The contract of the roles
//!
//! Machines without input or output, in the manner called sans-IO. Methods come in four sorts: getters; inputs
//! `handle_*`; commands (`raise`, `stored`, `command`); outputs `poll_*`. Time is an argument and never runs backwards.
//! Nothing in this crate reads a clock, draws a random number (a seed comes in), allocates, recurses or blocks.
//!
//! After every input or command, ask `poll_transmit` for each link that is free until it answers none, and `poll_event`
//! until it answers none; then come back with `handle_timeout` when `poll_timeout` says. A relay has no appointments
//! and tells nothing; it is only asked for what to send.
//!
//! An alert, from the sensor that sees it to the gateway that has stored it:
//!
//! ```
//! use alertbus::limits::PACKET_LEN_MAX;
//! use alertbus::message::kind::RocketLaunch;
//! use alertbus::message::{Epoch, ResetCause};
//! use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
//! use alertbus::role::node::{Node, NodeConfig, Submission};
//! use alertbus::store::Volatile;
//! use alertbus::time::Instant;
//! use alertbus::wire::keys::MasterKey;
//! use alertbus::wire::link::Link;
//! use alertbus::{AlertDraft, NodeId};
//!
//! let (master, id, link) = (MasterKey::from_bytes([7; 16]), NodeId(12), Link::small_radio(0));
//! let config =
//!     NodeConfig { node: id, key: master.node_key(1, id), reset_cause: ResetCause::PowerOn, seed: 1 };
//! let mut node = Node::<_, 8>::start(config, Volatile::new(Epoch(1), 1), Instant::START);
//! let mut gateway = Gateway::<4>::new();
//! let key = master.node_key(1, id);
//! let peer = PeerConfig {
//!     node: id,
//!     key,
//!     epoch: Epoch(1),
//!     gateway: 0,
//!     down: DownSpan::WHOLE,
//!     exercise: false,
//!     answers_reports: false,
//!     state: Some(PeerState::new(Epoch(1))),
//!     seed: 1,
//! };
//! assert!(gateway.add(Instant::START, peer).is_ok());
//!
//! // The detector sees something.
//! let now = Instant::from_millis(1_000);
//! let draft = AlertDraft::new(RocketLaunch { rounds: 6, ..RocketLaunch::default() });
//! assert!(matches!(node.raise(now, draft), Submission::Queued { .. }));
//!
//! // The packet travels; the gateway tells its host, which stores the alert and says so.
//! let mut packet = [0; PACKET_LEN_MAX];
//! let sent = node.poll_transmit(now, &link, &mut packet).unwrap();
//! let GatewayEvent::Alert(received) = gateway.handle_packet(now, &link, sent) else { panic!() };
//! assert_eq!(received.alert.map(|alert| alert.body), Ok(draft.body));
//! assert!(gateway.stored(received.id));
//!
//! // The acknowledgement travels back; the node lets the alert go.
//! let mut packet = [0; PACKET_LEN_MAX];
//! let ack = gateway.poll_transmit(now, &link, &mut packet).unwrap();
//! node.handle_packet(now, &link, ack.packet).unwrap();
//! assert_eq!(node.resident(), 0);
//! ```
//!
//! A siren, warned by its gateway. The gateway commands it only after a report of it, which the command echoes: one
//! that was held back is too old to be obeyed.
//!
//! ```
//! # use alertbus::NodeId;
//! # use alertbus::limits::PACKET_LEN_MAX;
//! # use alertbus::message::kind::{Kind, RocketLaunch};
//! # use alertbus::message::{CommandResult, Epoch, Order, ResetCause};
//! # use alertbus::place::SiteId;
//! # use alertbus::role::gateway::{DownSpan, Gateway, GatewayEvent, PeerConfig, PeerState};
//! # use alertbus::role::siren::{Siren, SirenConfig, Sound};
//! # use alertbus::store::Volatile;
//! # use alertbus::time::Instant;
//! # use alertbus::wire::keys::MasterKey;
//! # use alertbus::wire::link::Link;
//! # let (master, id, link) = (MasterKey::from_bytes([7; 16]), NodeId(40), Link::small_radio(0));
//! # let (now, key) = (Instant::START, master.node_key(1, id));
//! # let mut gateway = Gateway::<4>::new();
//! # let peer = PeerConfig {
//! #     node: id,
//! #     key: master.node_key(1, id),
//! #     epoch: Epoch(1),
//! #     gateway: 0,
//! #     down: DownSpan::WHOLE,
//! #     exercise: false,
//! #     answers_reports: true,
//! #     state: Some(PeerState::new(Epoch(1))),
//! #     seed: 1,
//! # };
//! # assert!(gateway.add(now, peer).is_ok());
//! # let mut packet = [0; PACKET_LEN_MAX];
//! let config = SirenConfig { node: id, key, reset_cause: ResetCause::PowerOn, exercise: false };
//! let mut siren = Siren::start(config, Volatile::new(Epoch(1), 1), now);
//! let report = siren.poll_transmit(now, &link, &mut packet).unwrap();
//! assert!(matches!(gateway.handle_packet(now, &link, report), GatewayEvent::Report { .. }));
//!
//! // Somebody, or some rule, decides that the zone is to be warned.
//! let (zone, kind) = (SiteId(3), RocketLaunch::CODE);
//! let warning = gateway.command(now, id, Order::Warn { zone, kind, duration_s: 90 }).unwrap();
//! let order = gateway.poll_transmit(now, &link, &mut packet).unwrap();
//! siren.handle_packet(now, &link, order.packet).unwrap();
//! assert_eq!(siren.sound(), Sound::Warning { zone, kind });
//!
//! // It says so, and the gateway stops ordering.
//! let answer = siren.poll_transmit(now, &link, &mut packet).unwrap();
//! let done = GatewayEvent::Acted { node: id, id: warning, result: CommandResult::Done };
//! assert_eq!(gateway.handle_packet(now, &link, answer), done);
//! ```
//!
//! # Invariants
//!
//! - Bytes that failed the tag are never decoded. What is logged is the body as it was authenticated, never a
//!   re-encoding.
//! - While the power is on, every alert that is not delivered is returned to the caller, counted by cause, or both. A
//!   live Flash alert is never displaced and never expires; see *The guarantee*.
//! - A higher precedence is never refused or displaced for a lower one.
//! - An acknowledgement is sent only after the host has said that it has stored the alert. What a gateway has stored it
//!   never hands out again, also after a restart with its [`PeerState`](role::gateway::PeerState).
//! - A nonce is never used twice: a node reserves numbers in its [`store`] before it uses the first of them, and says
//!   nothing where its counters are lost; a gateway uses the down counters that its host has set aside, and no others.
//! - A siren sounds only by a command that is authentic, new and fresh, and none that was cleared sounds again. It acts
//!   first and writes down afterwards, and where its store fails it sounds all the same.
//! - A pin or a bus that fails raises no alert and ends none: its driver hands the error back, and the count of them
//!   goes home in every report.
//! - Nothing that a forger can bring about locks a node out: bad tags are counted and told.
//! - There is no unauthenticated mode, no fallback key and no negotiation.
//! - An exercise cannot be taken for real: it has keys of its own and a bit under the tag, and marks one draft, never
//!   a mode.
//! - An alert of an unknown kind is still delivered, at the precedence it carries.
//! - No number on the wire is ever used again for something else.
//! - The [`ledger`] balances at every step.
//!
//! # Feature
//!
//! `defmt` gives every public type `defmt::Format`. Keys and bodies never appear in it.
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::unwrap_used,
        reason = "a test that cannot go on has failed"
    )
)]

pub mod bus;
pub mod driver;
pub mod ledger;
pub mod limits;
pub mod message;
pub mod place;
pub mod precedence;
pub mod provision;
pub mod queue;
pub mod role;
pub mod store;
pub mod time;
pub mod wire;

pub use message::{Alert, AlertDraft, AlertId, Body, NodeId, Seq};
pub use place::{Place, SiteId};
pub use precedence::Precedence;
