//! A node and a gateway, their real packets, one clock: nothing lost in silence, nothing delivered twice.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod ailing;
mod backup;
mod chatter;
mod commands;
mod delivery;
mod freshness;
mod gateway;
mod horn;
mod isolation;
mod keyed;
mod lives;
mod overload;
mod pair;
mod random;
mod recovery;
mod rotation;
mod siren;
mod storage;
mod summary;
mod turns;
mod warned;
