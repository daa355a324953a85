//! Routing rules: which alert goes where, what happens when nobody answers, and what must come of it in a test.
//!
//! A rules file (TOML) is held against its schema, against the scenario whose places it names, and against itself;
//! what is wrong is reported with file, line, column, the value and what is allowed. What passes is compiled into an
//! index, so that an alert costs what the routes that can match it cost. A [`Router`] then decides what becomes of each
//! alert: one step function for replay, test, exercise and live.
//!
//! | file | is |
//! | --- | --- |
//! | `file`, `words` | the format, as types |
//! | `field`, `expression`, `facts`, `places` | what a matcher can be put on, and what stands behind it |
//! | `load`, `compile`, `sinks`, `expect`, `contradiction`, `check` | from a file to rules; what is wrong with them |
//! | `rules`, `index` | what is held against an alert |
//! | `router/` | what becomes of it over time |
//! | `graph`, `trace` | rules as a drawing; why an alert goes where it goes |
//!
//! Nothing here reads a clock, opens a socket, or knows how an alert travels.

mod best_time;
mod check;
mod compile;
mod contradiction;
mod expect;
mod expression;
mod facts;
mod field;
mod file;
mod graph;
mod index;
mod load;
mod places;
mod router;
mod rules;
mod sinks;
mod trace;
mod words;

pub use expect::{Expectation, Test};
pub use facts::{Facts, KINDS};
pub use field::{Field, Reading, Values};
pub use file::{File, SinkSpec, UnlessAcked, When};
pub use places::{Node, Places, Siren, Site};
pub use router::{Cause, Dispatch, Router, RouterEvent};
pub use rules::{
    Escalation, Grouping, Inhibition, Match, Matching, OpeningHours, Route, Rules, Silence, Sink,
};
pub use trace::{Mismatch, RouteTrace, RouteVerdict};
pub use words::{Count, Moment, Quorum, Seeds, Span};
