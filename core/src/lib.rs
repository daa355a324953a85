//! A priority alert bus for microcontroller-class sensor nodes and the gateways that listen to them.
//!
//! It warns. A node sees a rocket launch, a C-RAM engagement, a drone or a roadside bomb and raises an alert; the
//! alert goes out sealed, highest precedence first, until a gateway that has stored it says so under its own seal.
//! A lost or forged alert costs lives, so the crate is built around what must never happen.
//!
//! # The rooms, top down
//!
//! | level | module | knows about | does not |
//! | --- | --- | --- | --- |
//! | 5 | [`bus`] | what interrupts hand over, who listens inside the node | reach other nodes |
//! | 4 | [`role`]: [`node`](role::node), [`siren`](role::siren), [`gateway`](role::gateway), [`relay`](role::relay) | who holds what and when to speak | do input or output |
//! | 4 | [`provision`] | what a blank board is told to be one node of one network | know of roles |
//! | 3 | [`wire`]: [`packet`](wire::packet), [`frame`](wire::frame), [`keys`](wire::keys), [`window`](wire::window) | bytes from and to messages, and which are believed | know of order or retries |
//! | 3 | [`queue`] | **order and loss**: who goes first, who gives way | know of time or bytes |
//! | 3 | [`store`] | what survives a power cut | know of packets |
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
//! `handle_*`; commands (`raise`, `stored`); outputs `poll_*`. Time is an argument. Nothing in this crate reads a
//! clock, draws a random number (a seed comes in), allocates, recurses or blocks.
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
//! assert_eq!(received.alert, Ok(draft.onset(1)));
//! assert!(gateway.stored(received.id));
//!
//! // The acknowledgement travels back; the node lets the alert go.
//! let mut packet = [0; PACKET_LEN_MAX];
//! let ack = gateway.poll_transmit(now, &link, &mut packet).unwrap();
//! node.handle_packet(now, &link, ack.packet).unwrap();
//! assert_eq!(node.resident(), 0);
//! ```
//!
//! # Invariants
//!
//! - Bytes that failed the tag are never decoded. What is logged is the body as it was authenticated, never a
//!   re-encoding.
//! - Every alert that is not delivered is returned to the caller, counted by cause, or both. A live Flash alert is
//!   never displaced and never expires; it leaves its node acknowledged as stored, or is refused when it is offered.
//! - An acknowledgement is sent only after the host has said that it has stored the alert.
//! - A nonce is never used twice: a node reserves numbers in its [`store`] before it uses the first of them, and says
//!   nothing where its counters are lost; a gateway uses the down counters that its host has set aside, and no others.
//! - There is no unauthenticated mode, no fallback key and no negotiation.
//! - An exercise cannot be taken for real: it has keys of its own and a bit under the tag, and marks one draft, never
//!   a mode.
//! - An alert of an unknown kind is still delivered, at the precedence it carries.
//! - No number on the wire is ever used again for something else.
//! - The [`ledger`] balances at every step.
//!
//! # What it does not promise yet
//!
//! The guarantee for Flash holds over loss, duplication, reordering and tampering on the links. Over a power cut it
//! holds with [`store::FlashStore`], and not with [`store::Volatile`]. A gateway's windows and filters are not yet kept
//! over a restart: one that starts anew may take recorded packets for fresh ones. Between several links a node does not
//! yet rotate; it sends on whichever is polled.
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
