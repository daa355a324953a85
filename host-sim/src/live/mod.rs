//! The core's gateway, nodes and sirens over real lines, in real time. Decisions are the core's; what is here moves
//! bytes and time, and keeps what must not be forgotten.

mod ask;
mod chip;
mod desk;
mod gateway;
mod line;
mod lines;
mod onlooker;
mod told;
mod unit;

pub use chip::{Chip, ChipError};
pub use desk::{NODES_MAX, Roll};
pub use gateway::{Ended, Gateway};
pub use onlooker::Onlooker;
pub use told::{Alarm, Ask, NodeRow, Told};
pub use unit::{Order, SLOTS, Unit, UnitEnded, UnitTold, name_of};
