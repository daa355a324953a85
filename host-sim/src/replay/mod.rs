//! A scenario played through the world in real time, slower or faster: the tokio side of a replay.
//!
//! The world decides everything and knows no clock; this paces its steps, hands what it tells to the sinks, and
//! stops when asked to. What is shown does not depend on the pace.

mod player;
mod speed;
mod story;

pub use player::{Controls, Ended, Onlooker, Player};
pub use speed::{NotASpeed, Speed};
pub use story::{Filter, Story, fate, tallies};
