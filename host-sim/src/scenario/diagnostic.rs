//! What is wrong with a scenario file: file, line, column, the value, and what is allowed instead.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level, Renderer, Snippet};

/// Found at most; then the search is given up.
const FOUND_MAX: usize = 1_000;

/// Shown at most; the rest is counted. Whoever has twenty errors fixes the first ones first.
const SHOWN_MAX: usize = 20;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// Names the value and says what is wrong with it.
    pub message: String,
    /// What is allowed there; empty where the message says it all.
    pub allowed: String,
    /// Line, counted from 1; 0 where nothing could be read.
    pub line: usize,
    /// Column in characters, counted from 1; 0 where nothing could be read.
    pub column: usize,
    line_text: String,
    /// Bytes of the line that the caret marks.
    marked: Range<usize>,
}

/// A scenario that cannot be used, with everything found to be wrong with it.
///
/// `Display` writes plain text; [`Invalid::render`] colours it where asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid {
    name: String,
    diagnostics: Vec<Diagnostic>,
    /// Whether the search was given up with [`FOUND_MAX`].
    more: bool,
}

impl Invalid {
    /// A file of which nothing could be read.
    pub(super) fn unread(name: &str, message: String, allowed: &str) -> Self {
        let allowed = allowed.to_owned();
        let diagnostic =
            Diagnostic { message, allowed, line: 0, column: 0, line_text: String::new(), marked: 0..0 };
        Self { name: name.into(), diagnostics: vec![diagnostic], more: false }
    }

    /// What is wrong, in the order of the file; never empty.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// The report for people: each error with its line and a caret; with terminal colours where `coloured`.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut report = String::new();
        for diagnostic in self.diagnostics.iter().take(SHOWN_MAX) {
            let title = Level::ERROR.primary_title(&diagnostic.message);
            let group = if diagnostic.line == 0 {
                title.elements([Level::NOTE.message(&*diagnostic.allowed)])
            } else {
                let caret =
                    AnnotationKind::Primary.span(diagnostic.marked.clone()).label(&*diagnostic.allowed);
                let line = Snippet::source(&diagnostic.line_text).line_start(diagnostic.line);
                title.element(line.path(&self.name).annotation(caret))
            };
            report.push_str(&renderer.render(&[group]));
            report.push_str("\n\n");
        }
        let count = self.diagnostics.len();
        let errors = if count == 1 { "error" } else { "errors" };
        let or_more = if self.more { " or more" } else { "" };
        let left_out =
            if count > SHOWN_MAX { format!(", the first {SHOWN_MAX} shown") } else { String::new() };
        report.push_str(&format!("{}: {count} {errors}{or_more}{left_out}", self.name));
        report
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}

/// Collects what is wrong while the checks go on.
pub(super) struct Findings<'a> {
    name: &'a str,
    text: &'a str,
    found: Vec<(Range<usize>, String, String)>,
}

impl<'a> Findings<'a> {
    pub(super) fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, found: Vec::new() }
    }

    /// Notes that `message` holds at `span`, where only `allowed` may stand.
    pub(super) fn add(&mut self, span: Range<usize>, message: impl Into<String>, allowed: impl Into<String>) {
        if !self.is_full() {
            self.found.push((span, message.into(), allowed.into()));
        }
    }

    /// Whether there is no use in searching on.
    pub(super) fn is_full(&self) -> bool {
        self.found.len() >= FOUND_MAX
    }

    pub(super) fn is_empty(&self) -> bool {
        self.found.is_empty()
    }

    /// All of it in the order of the file, or nothing where nothing is wrong.
    pub(super) fn into_result(mut self) -> Result<(), Invalid> {
        if self.is_empty() {
            return Ok(());
        }
        let more = self.is_full();
        self.found.sort_by_key(|(span, ..)| span.start);
        // One walk through the text numbers all lines, however many errors there are.
        let (mut line, mut line_start, mut walked) = (1, 0, 0);
        let mut diagnostics = Vec::new();
        for (span, message, allowed) in self.found {
            let start = self.text.floor_char_boundary(span.start);
            let passed = &self.text[walked..start];
            line += passed.matches('\n').count();
            line_start = passed.rfind('\n').map_or(line_start, |newline| walked + newline + 1);
            walked = start;
            // A caret marks one line: a span that runs over several ends with its first.
            let end = self.text.floor_char_boundary(span.end).max(start);
            let end = self.text[start..end].find('\n').map_or(end, |newline| start + newline);
            let column = self.text[line_start..start].chars().count() + 1;
            let line_text = self.text[line_start..].lines().next().unwrap_or_default().to_owned();
            // The end of a line may be two characters, of which the text of the line has none.
            let marked = (start - line_start).min(line_text.len())..(end - line_start).min(line_text.len());
            diagnostics.push(Diagnostic { message, allowed, line, column, line_text, marked });
        }
        Err(Invalid { name: self.name.into(), diagnostics, more })
    }
}

/// A value as messages quote it: on one line and not without end.
pub(crate) fn quoted(text: &str) -> String {
    let mut short: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).take(60).collect();
    if text.chars().nth(60).is_some() {
        short.push('…');
    }
    format!("`{short}`")
}

/// Names as messages list them.
fn listed<'c>(names: impl IntoIterator<Item = &'c str>) -> String {
    let names: Vec<_> = names.into_iter().map(quoted).collect();
    names.join(", ")
}

/// What is allowed, and the one that was probably meant.
pub(crate) fn one_of(word: &str, candidates: &[&str]) -> String {
    let listing = listed(candidates.iter().copied().take(24));
    let more = if candidates.len() > 24 { ", …" } else { "" };
    match near_miss(word, candidates.iter().copied()) {
        Some(near) => format!("did you mean `{near}`? allowed: {listing}{more}"),
        None => format!("allowed: {listing}{more}"),
    }
}

/// The one of `candidates` that `word` was probably meant to be.
pub(crate) fn near_miss<'c>(word: &str, candidates: impl IntoIterator<Item = &'c str>) -> Option<&'c str> {
    let letters = word.chars().count();
    if !(3..=64).contains(&letters) {
        return None;
    }
    let (changes, candidate) = candidates.into_iter().map(|name| (distance(word, name), name)).min()?;
    (changes <= letters.div_ceil(3)).then_some(candidate)
}

/// Least number of letters to insert, delete, replace or swap with the next between two words.
fn distance(left: &str, right: &str) -> usize {
    let (left, right): (Vec<char>, Vec<char>) = (left.chars().collect(), right.chars().collect());
    let mut rows: Vec<Vec<usize>> = vec![(0..=right.len()).collect()];
    for i in 0..left.len() {
        let mut row = vec![i + 1];
        for j in 0..right.len() {
            let replaced = rows[i][j] + usize::from(left[i] != right[j]);
            let mut least = replaced.min(rows[i][j + 1] + 1).min(row[j] + 1);
            if i > 0 && j > 0 && left[i] == right[j - 1] && left[i - 1] == right[j] {
                least = least.min(rows[i - 1][j - 1] + 1);
            }
            row.push(least);
        }
        rows.push(row);
    }
    rows[left.len()][right.len()]
}
