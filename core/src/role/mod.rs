//! Who does what: machines without input or output of their own.
//!
//! Four kinds of method, told apart by name: getters; inputs `handle_*`; commands (`raise`, `stored`); outputs
//! `poll_*`. Time is an argument and never runs backwards. After every input or command, call `poll_transmit` for
//! each link that is free until it answers none, `poll_event` until it answers none, then come back at
//! `poll_timeout` with `handle_timeout`.
//!
//! A role knows everything below it and no other role.

pub mod gateway;
pub mod node;
pub mod relay;
mod retry;
pub mod siren;
mod station;
