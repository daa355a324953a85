//! The host side of alertbus: the documented incidents of 2019–2020 through the core, end to end.
//!
//! | module | what |
//! | --- | --- |
//! | [`cli`] | one file a command: arguments, defaults, exit codes |
//! | [`document`] | how a TOML file is read, and what is said of one that is wrong |
//! | [`scenario`] | what happened where, who says so, and what a replay fills in |
//! | [`route`] | which alert goes where, and what happens when nobody answers |
//! | [`world`] | sites, nodes, sirens, links and a gateway on virtual time; the core's code, byte for byte |
//! | [`soak`] | small networks by the thousand under every fault, and what they add up to |
//! | [`guest`] | firmware in QEMU: its image, its process, its log |
//! | [`keyring`] | a network's master key, which node has which epoch, and the blobs to flash |
//! | [`transport`] | bytes and peers: TCP, serial lines |
//! | [`outbox`] | what a live gateway must not forget, on its disk before it is acknowledged |
//! | [`live`] | the core's gateway, nodes and sirens over real lines, in real time |
//! | [`replay`] | a scenario played through the world, at the pace somebody asks for |
//! | [`sink`] | alerts in somebody's words, each behind a queue of its own |
//! | [`trial`] | what rules must come to, played over many seeds and judged |
//! | [`report`] | what became of everything, as a table and as JSON |
//! | [`workers`] | jobs on several threads, told in their order |
//! | [`draw`] | chance from a seed |
//! | [`clock`] | the only place that reads a clock |
//!
//! Decisions are the core's. What is here moves bytes and time.
#![forbid(unsafe_code)]

pub mod cli;
pub mod clock;
pub mod document;
pub mod draw;
pub mod guest;
pub mod keyring;
pub mod live;
pub mod outbox;
pub mod replay;
pub mod report;
pub mod route;
pub mod scenario;
pub mod sink;
pub mod soak;
pub mod transport;
pub mod trial;
pub mod workers;
pub mod world;
