//! alertbus
#![no_std]
#![forbid(unsafe_code)]
#![warn(clippy::indexing_slicing, clippy::arithmetic_side_effects, clippy::as_conversions)]
#![cfg_attr(
    test,
    allow(
        clippy::indexing_slicing,
        clippy::arithmetic_side_effects,
        clippy::as_conversions,
        clippy::unwrap_used
    )
)]

pub mod ledger;
pub mod limits;
pub mod message;
pub mod place;
pub mod precedence;
pub mod queue;
pub mod role;
pub mod store;
pub mod time;
pub mod wire;

pub use message::{Alert, AlertDraft, AlertId, Body, NodeId, Seq};
pub use place::{Place, SiteId};
pub use precedence::Precedence;
