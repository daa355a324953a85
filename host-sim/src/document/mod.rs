//! How a TOML file is read, and what is said of one that is wrong.
//!
//! Every file format of the program is a type with a JSON schema. A file is read whole and bounded (`read`), held
//! against its schema with the place of every key and value at hand (`table`, `Shape`, `Cursor`), and what is
//! wrong is collected (`Findings`) and shown with line, column and caret, all of it at once ([`Report`]).

mod diagnostic;
mod read;
mod shape;
mod suggest;
mod tree;

pub use diagnostic::{Diagnostic, Invalid, Level, Report};
pub use read::FILE_LEN_MAX;

pub(crate) use diagnostic::Findings;
pub(crate) use read::{read, table, top_keys};
pub(crate) use shape::{Format, Shape};
pub(crate) use suggest::{near_miss, one_of, quoted};
pub(crate) use tree::{Cursor, Inherited};

#[cfg(test)]
mod tests;
