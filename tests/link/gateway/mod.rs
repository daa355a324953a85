//! A gateway alone, and what a node could say to it: each packet sealed by hand, at any time, in any order.

mod commands;
mod crashes;
mod dating;
mod desk;
mod many;
mod references;
mod restart;
mod supervision;
