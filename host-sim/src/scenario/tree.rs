//! A scenario as parsed, with the place of every key and value, for whoever has to point at one.

use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// A value in the file and where it stands.
#[derive(Clone, Copy)]
pub(super) enum Cursor<'t> {
    /// The whole file.
    Root(&'t DeTable<'t>),
    /// A value.
    Value(&'t Spanned<DeValue<'t>>),
    /// Nothing there; the span is that of what should have held it.
    Absent { holder: (usize, usize) },
}

impl<'t> Cursor<'t> {
    /// The value of `key`.
    pub(super) fn key(self, key: &str) -> Self {
        let value = self.table().and_then(|table| table.get(key));
        value.map_or_else(|| self.absent(), Self::Value)
    }

    /// The element `index`, counted from 0.
    pub(super) fn index(self, index: usize) -> Self {
        let Self::Value(value) = self else { return self.absent() };
        let element = value.get_ref().as_array().and_then(|array| array.get(index));
        element.map_or_else(|| self.absent(), Self::Value)
    }

    /// The names of the keys that stand here, in alphabetical order.
    pub(super) fn keys(self) -> impl Iterator<Item = &'t str> {
        self.table().into_iter().flat_map(|table| table.keys().map(|key| key.get_ref().as_ref()))
    }

    /// Whether `key` stands here.
    pub(super) fn has(self, key: &str) -> bool {
        self.table().is_some_and(|table| table.get(key).is_some())
    }

    /// The elements of a list.
    pub(super) fn elements(self) -> impl Iterator<Item = Self> {
        let list = match self {
            Self::Value(value) => value.get_ref().as_array(),
            _ => None,
        };
        list.into_iter().flat_map(|list| list.iter().map(Self::Value))
    }

    /// The text that stands here, or nothing.
    pub(super) fn text(self) -> &'t str {
        match self {
            Self::Value(value) => value.get_ref().as_str().unwrap_or_default(),
            _ => "",
        }
    }

    /// Bytes of the file.
    pub(super) fn span(self) -> Range<usize> {
        match self {
            Self::Root(_) => 0..0,
            Self::Value(value) => value.span(),
            Self::Absent { holder: (start, end) } => start..end,
        }
    }

    fn table(self) -> Option<&'t DeTable<'t>> {
        match self {
            Self::Root(table) => Some(table),
            Self::Value(value) => value.get_ref().as_table(),
            Self::Absent { .. } => None,
        }
    }

    fn absent(self) -> Self {
        let span = self.span();
        Self::Absent { holder: (span.start, span.end) }
    }
}
