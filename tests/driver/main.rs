//! The drivers: exact calls on mocked pins and buses, their failures included, and what a test rig says.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on has failed")]

mod bench;
