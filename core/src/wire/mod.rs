//! How what is said becomes bytes, and which bytes are believed.
//!
//! Outgoing: [`packet::seal`] encrypts and signs a body, [`frame::encode`] delimits it on a byte stream.
//! Incoming: [`frame::Deframer`] finds packets in noise, [`packet::parse`] reads the header in clear,
//! [`window::ReplayWindow`] says whether the counter is fresh, and [`packet::Sealed::open`] checks the tag;
//! only then is there a body to decode.
//!
//! Nothing here knows of queues, retries or roles. The bytes are written down in `WIRE.md`, below.
#![doc = include_str!("../../WIRE.md")]

pub mod frame;
pub mod keys;
pub mod link;
pub mod packet;
pub mod window;
