//! What is wrong with a file: file, line, column, the value, and what is allowed instead.

use std::fmt;
use std::ops::Range;

use annotate_snippets::renderer::DecorStyle;
use annotate_snippets::{AnnotationKind, Level as Title, Origin, Renderer, Snippet};

/// Errors found at most; then the search is given up. As many remarks are kept beside them.
const FOUND_MAX: usize = 1_000;

/// Shown at most; the rest is counted. Whoever has twenty errors fixes the first ones first.
const SHOWN_MAX: usize = 20;

/// Whether something is wrong, or worth a remark.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// The file cannot be used.
    Error,
    /// It can.
    Warning,
}

/// A line up to this length, in bytes, is shown whole.
const SEEN_WHOLE_MAX: usize = 4_096;

/// Bytes shown of a longer one on both sides of where something is wrong.
const SEEN_AROUND: usize = 200;

/// One thing that is wrong, or worth a remark.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Diagnostic {
    /// How bad it is.
    pub level: Level,
    /// Names the value and says what is wrong with it.
    pub message: String,
    /// What is allowed there; empty where the message says it all.
    pub allowed: String,
    /// Line, counted from 1; 0 where nothing could be read.
    pub line: usize,
    /// Column in characters, counted from 1; 0 where nothing could be read.
    pub column: usize,
    excerpt: Excerpt,
    /// Another place that it is about, and what is to be said of that.
    also: Option<(usize, Excerpt, String)>,
}

/// A line, or of a very long one a part, and bytes of it that a caret marks.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Excerpt {
    text: String,
    marked: Range<usize>,
    /// The line is longer.
    is_cut: bool,
}

/// Everything found in one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report {
    name: String,
    diagnostics: Vec<Diagnostic>,
}

/// A file that cannot be used, with everything found to be wrong with it.
///
/// `Display` writes plain text; [`Report::render`] colours it where asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Invalid(Report);

impl Report {
    /// Nothing found in the file of this name.
    pub(crate) fn nothing(name: &str) -> Self {
        Self { name: name.to_owned(), diagnostics: Vec::new() }
    }

    /// What was found, in the order of the file.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        &self.diagnostics
    }

    /// Whether nothing was found.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.diagnostics.is_empty()
    }

    /// Things of this level.
    #[must_use]
    pub fn count(&self, level: Level) -> usize {
        self.diagnostics.iter().filter(|diagnostic| diagnostic.level == level).count()
    }

    /// The report for people: each finding with its line and a caret; with terminal colours where `coloured`.
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        let renderer = if coloured { Renderer::styled() } else { Renderer::plain() };
        let renderer = renderer.decor_style(DecorStyle::Ascii);
        let mut report = String::new();
        // Whoever has twenty errors fixes the first ones first, and remarks last.
        let (errors, warnings): (Vec<_>, Vec<_>) =
            self.diagnostics.iter().partition(|diagnostic| diagnostic.level == Level::Error);
        for diagnostic in errors.iter().chain(&warnings).take(SHOWN_MAX) {
            report.push_str(&diagnostic.render(&self.name, &renderer));
            report.push_str("\n\n");
        }
        let counted = |count: usize, noun: &str| {
            let plural = if count == 1 { "" } else { "s" };
            let or_more = if count >= FOUND_MAX { " or more" } else { "" };
            format!("{count} {noun}{plural}{or_more}")
        };
        let mut counts = Vec::new();
        if !errors.is_empty() {
            counts.push(counted(errors.len(), "error"));
        }
        if !warnings.is_empty() {
            counts.push(counted(warnings.len(), "warning"));
        }
        let left_out = if self.diagnostics.len() > SHOWN_MAX {
            format!(", the first {SHOWN_MAX} shown")
        } else {
            String::new()
        };
        report.push_str(&format!("{}: {}{left_out}", self.name, counts.join(", ")));
        report
    }
}

impl Diagnostic {
    fn render(&self, name: &str, renderer: &Renderer) -> String {
        let level = match self.level {
            Level::Error => Title::ERROR,
            Level::Warning => Title::WARNING,
        };
        let title = level.primary_title(&self.message);
        if self.line == 0 {
            let group = if self.allowed.is_empty() {
                title.elements(None::<annotate_snippets::Message<'_>>)
            } else {
                title.elements([Title::NOTE.message(&*self.allowed)])
            };
            return renderer.render(&[group]);
        }
        let caret = |excerpt: &Excerpt, kind: AnnotationKind| kind.span(excerpt.marked.clone());
        let marked = caret(&self.excerpt, AnnotationKind::Primary);
        let marked = if self.allowed.is_empty() { marked } else { marked.label(&*self.allowed) };
        let snippet = Snippet::source(&self.excerpt.text).line_start(self.line).annotation(marked);
        if self.excerpt.is_cut {
            // Where in the line it is can no longer be seen from what is shown of it.
            let origin = Origin::path(name).line(self.line).char_column(self.column);
            return renderer.render(&[title.element(origin).element(snippet)]);
        }
        let snippet = snippet.path(name);
        let group = match &self.also {
            None => title.element(snippet),
            Some((line, excerpt, label)) => {
                let other = caret(excerpt, AnnotationKind::Context).label(&**label);
                if *line == self.line {
                    title.element(snippet.annotation(other))
                } else {
                    let elsewhere = Snippet::source(&excerpt.text).line_start(*line).path(name);
                    title.element(snippet).element(elsewhere.annotation(other))
                }
            }
        };
        renderer.render(&[group])
    }
}

impl Invalid {
    /// A file of which nothing could be read.
    pub(super) fn unread(name: &str, message: String, allowed: &str) -> Self {
        let diagnostic = Diagnostic {
            level: Level::Error,
            message,
            allowed: allowed.to_owned(),
            line: 0,
            column: 0,
            excerpt: Excerpt::default(),
            also: None,
        };
        Self(Report { name: name.into(), diagnostics: vec![diagnostic] })
    }

    /// Everything found.
    #[must_use]
    pub const fn report(&self) -> &Report {
        &self.0
    }

    /// What is wrong, in the order of the file; never empty.
    #[must_use]
    pub fn diagnostics(&self) -> &[Diagnostic] {
        self.0.diagnostics()
    }

    /// As [`Report::render`].
    #[must_use]
    pub fn render(&self, coloured: bool) -> String {
        self.0.render(coloured)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.render(false))
    }
}

impl std::error::Error for Invalid {}

/// Collects what is wrong while the checks go on.
pub(crate) struct Findings<'a> {
    name: &'a str,
    text: &'a str,
    found: Vec<Found>,
    errors: usize,
}

struct Found {
    level: Level,
    span: Range<usize>,
    message: String,
    allowed: String,
    also: Option<(Range<usize>, String)>,
}

impl<'a> Findings<'a> {
    pub(crate) const fn new(name: &'a str, text: &'a str) -> Self {
        Self { name, text, found: Vec::new(), errors: 0 }
    }

    /// Notes that `message` holds at `span`, where only `allowed` may stand.
    pub(crate) fn add(&mut self, span: Range<usize>, message: impl Into<String>, allowed: impl Into<String>) {
        self.add_with(span, message, allowed, None);
    }

    /// The same, with another place that it is about.
    pub(crate) fn add_with(
        &mut self,
        span: Range<usize>,
        message: impl Into<String>,
        allowed: impl Into<String>,
        also: Option<(Range<usize>, String)>,
    ) {
        self.note(Found {
            level: Level::Error,
            span,
            message: message.into(),
            allowed: allowed.into(),
            also,
        });
    }

    /// Notes something that is worth a remark.
    pub(crate) fn warn(&mut self, span: Range<usize>, message: impl Into<String>, why: impl Into<String>) {
        self.note(Found {
            level: Level::Warning,
            span,
            message: message.into(),
            allowed: why.into(),
            also: None,
        });
    }

    fn note(&mut self, found: Found) {
        // Each level has room of its own: a file must not pass because remarks left none for its errors.
        let so_far = match found.level {
            Level::Error => self.errors,
            Level::Warning => self.found.len() - self.errors,
        };
        if so_far < FOUND_MAX {
            self.errors += usize::from(found.level == Level::Error);
            self.found.push(found);
        }
    }

    /// Whether there is no use in searching on.
    pub(crate) const fn is_full(&self) -> bool {
        self.errors >= FOUND_MAX
    }

    /// Whether nothing is wrong; remarks do not count.
    pub(crate) const fn is_empty(&self) -> bool {
        self.errors == 0
    }

    /// All of it in the order of the file: remarks, or everything where something is wrong.
    pub(crate) fn into_report(mut self) -> Result<Report, Invalid> {
        let is_right = self.is_empty();
        self.found.sort_by_key(|found| found.span.start);
        // One walk through the text numbers all lines, however many findings there are; a second one numbers the
        // other places, which have an order of their own.
        let mut others = Vec::new();
        let mut walk = Walk::new(self.text);
        let mut diagnostics = Vec::new();
        for Found { level, span, message, allowed, also } in self.found {
            others.extend(also.map(|(span, label)| (span, label, diagnostics.len())));
            let (line, column, excerpt) = walk.to(span);
            diagnostics.push(Diagnostic { level, message, allowed, line, column, excerpt, also: None });
        }
        others.sort_by_key(|(span, ..)| span.start);
        let mut walk = Walk::new(self.text);
        for (span, label, at) in others {
            let (line, _, excerpt) = walk.to(span);
            diagnostics[at].also = Some((line, excerpt, label));
        }
        let report = Report { name: self.name.into(), diagnostics };
        if is_right { Ok(report) } else { Err(Invalid(report)) }
    }

    /// The same where something is wrong for certain.
    pub(crate) fn into_invalid(self) -> Invalid {
        let name = self.name;
        match self.into_report() {
            Err(invalid) => invalid,
            Ok(_) => Invalid::unread(name, "nothing could be read".into(), ""),
        }
    }
}

/// A way through a text, which counts its lines and the characters of each: a file may be one line, and hold a
/// thousand mistakes.
struct Walk<'a> {
    text: &'a str,
    walked: usize,
    line: usize,
    column: usize,
    /// Where the line begins and ends.
    line_span: Range<usize>,
}

impl<'a> Walk<'a> {
    fn new(text: &'a str) -> Self {
        Self { text, walked: 0, line: 1, column: 1, line_span: line_at(text, 0) }
    }

    /// Goes on to a span, which does not begin before the last one: its line, its column, and the line itself.
    fn to(&mut self, span: Range<usize>) -> (usize, usize, Excerpt) {
        let text = self.text;
        let start = text.floor_char_boundary(span.start);
        let passed = &text[self.walked..start];
        if let Some(newline) = passed.rfind('\n') {
            self.line += passed.matches('\n').count();
            self.line_span = line_at(text, self.walked + newline + 1);
            self.column = 1 + text[self.line_span.start..start].chars().count();
        } else {
            self.column += passed.chars().count();
        }
        self.walked = start;
        // A caret marks one line: a span that runs over several ends with its first, and the end of a line may be two
        // characters, of which the line has none.
        let line = self.line_span.clone();
        let end = text.floor_char_boundary(span.end).clamp(start, line.end.max(start));
        let marked = start.min(line.end)..end.min(line.end);
        (self.line, self.column, Excerpt::new(text, line, marked))
    }
}

/// The line that begins at `start`, without its end.
fn line_at(text: &str, start: usize) -> Range<usize> {
    let line = text[start..].lines().next().unwrap_or_default();
    start..start + line.len()
}

impl Excerpt {
    /// What of a line is to be seen around what is marked.
    fn new(text: &str, line: Range<usize>, marked: Range<usize>) -> Self {
        let shown = if line.len() > SEEN_WHOLE_MAX {
            let from = text.ceil_char_boundary(marked.start.saturating_sub(SEEN_AROUND).max(line.start));
            let until = (marked.start + SEEN_AROUND).min(line.end);
            from..text.floor_char_boundary(until)
        } else {
            line.clone()
        };
        let marked = marked.start - shown.start..marked.end.min(shown.end) - shown.start;
        Self { text: text[shown.clone()].to_owned(), marked, is_cut: shown != line }
    }
}
