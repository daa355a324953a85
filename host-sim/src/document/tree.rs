//! A file as parsed, with the place of every key and value, for whoever has to point at one.

use std::collections::BTreeMap;
use std::ops::Range;

use toml::Spanned;
use toml::de::{DeTable, DeValue};

/// What a file has from another that it lies over: no place in the file that is read, but for the base's name.
#[derive(Default)]
pub(crate) struct Inherited {
    span: Range<usize>,
    counts: BTreeMap<&'static str, usize>,
}

impl Inherited {
    /// Nothing so far; messages point to `span`.
    pub(crate) fn at(span: Range<usize>) -> Self {
        Self { span, counts: BTreeMap::new() }
    }

    /// Notes that the first `count` elements of the list `table` came from the base.
    pub(crate) fn count(&mut self, table: &'static str, count: usize) {
        self.counts.insert(table, count);
    }
}

/// A value in the file and where it stands.
#[derive(Clone, Copy)]
pub(crate) enum Cursor<'t> {
    /// The whole file.
    Root(&'t DeTable<'t>, &'t Inherited),
    /// A list of which the first elements came from the base.
    Continued { own: Option<&'t Spanned<DeValue<'t>>>, inherited: &'t Inherited, count: usize },
    /// A value.
    Value(&'t Spanned<DeValue<'t>>),
    /// Nothing there; the span is that of what should have held it.
    Absent { holder: (usize, usize) },
}

impl<'t> Cursor<'t> {
    /// The whole of a file that stands alone.
    pub(crate) fn of(table: &'t DeTable<'t>) -> Self {
        static NOTHING: Inherited = Inherited { span: 0..0, counts: BTreeMap::new() };
        Self::Root(table, &NOTHING)
    }

    /// The value of `key`.
    pub(crate) fn key(self, key: &str) -> Self {
        let value = self.table().and_then(|table| table.get(key));
        if let Self::Root(_, inherited) = self
            && let Some(&count) = inherited.counts.get(key)
        {
            return Self::Continued { own: value, inherited, count };
        }
        value.map_or_else(|| self.absent(), Self::Value)
    }

    /// The element `index`, counted from 0.
    pub(crate) fn index(self, index: usize) -> Self {
        let (list, index) = match self {
            Self::Value(value) => (Some(value), Some(index)),
            Self::Continued { own, count, .. } => (own, index.checked_sub(count)),
            Self::Root(..) | Self::Absent { .. } => (None, None),
        };
        let array = list.and_then(|list| list.get_ref().as_array());
        let element = index.and_then(|index| array?.get(index));
        element.map_or_else(|| self.absent(), Self::Value)
    }

    /// The names of the keys that stand here, in alphabetical order.
    pub(crate) fn keys(self) -> impl Iterator<Item = &'t str> {
        self.table().into_iter().flat_map(|table| table.keys().map(|key| key.get_ref().as_ref()))
    }

    /// Whether `key` stands here.
    pub(crate) fn has(self, key: &str) -> bool {
        self.table().is_some_and(|table| table.get(key).is_some())
    }

    /// The elements of a list.
    pub(crate) fn elements(self) -> impl Iterator<Item = Self> {
        let list = match self {
            Self::Value(value) => value.get_ref().as_array(),
            _ => None,
        };
        list.into_iter().flat_map(|list| list.iter().map(Self::Value))
    }

    /// The text that stands here, or nothing.
    pub(crate) fn text(self) -> &'t str {
        match self {
            Self::Value(value) => value.get_ref().as_str().unwrap_or_default(),
            _ => "",
        }
    }

    /// Bytes of the file.
    pub(crate) fn span(self) -> Range<usize> {
        match self {
            Self::Root(_, inherited) | Self::Continued { inherited, .. } => inherited.span.clone(),
            Self::Value(value) => value.span(),
            Self::Absent { holder: (start, end) } => start..end,
        }
    }

    fn table(self) -> Option<&'t DeTable<'t>> {
        match self {
            Self::Root(table, _) => Some(table),
            Self::Value(value) => value.get_ref().as_table(),
            Self::Continued { .. } | Self::Absent { .. } => None,
        }
    }

    fn absent(self) -> Self {
        let span = self.span();
        Self::Absent { holder: (span.start, span.end) }
    }
}
