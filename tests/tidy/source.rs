//! The files of this checkout, and Rust files as tokens with their lines.

use std::fs;
use std::ops::RangeInclusive;
use std::path::Path;

use proc_macro2::{Delimiter, Spacing, TokenStream, TokenTree};
use syn::spanned::Spanned;
use syn::visit::{self, Visit};

/// One token of a Rust file. Comments are none, and a documentation comment is a literal.
#[derive(Clone, Debug)]
pub(crate) struct Token {
    /// As written; `::` is one token.
    pub(crate) text: String,
    pub(crate) line: usize,
    /// A string, a character or a number: never a word of the code.
    pub(crate) literal: bool,
}

/// A Rust file, read.
pub(crate) struct Source {
    /// From the checkout's root, with `/`.
    pub(crate) path: String,
    pub(crate) text: String,
    pub(crate) tokens: Vec<Token>,
    pub(crate) file: syn::File,
    /// Lines of every item under `#[cfg(test)]`.
    tests: Vec<RangeInclusive<usize>>,
    /// Lines of every module written inside this file.
    modules: Vec<RangeInclusive<usize>>,
    /// The first line of the first test module.
    pub(crate) tests_start: Option<usize>,
}

impl Source {
    pub(crate) fn parse(path: &str, text: &str) -> Result<Self, String> {
        let wrong = |error: syn::Error| format!("{path}:{}: {error}", error.span().start().line);
        let file = syn::parse_file(text).map_err(wrong)?;
        // A first line with an interpreter is no Rust for the tokeniser; no file here has one.
        let stream: TokenStream = text.parse().map_err(|error| format!("{path}:1: {error}"))?;
        let tokens = tokens(stream);
        let mut finder = Finder::default();
        finder.visit_file(&file);
        let Finder { mut tests, modules, tests_start } = finder;
        if path.contains("/src/") && path.ends_with("/tests.rs") {
            // Its parent declares it under `#[cfg(test)]`; an own file for tests is called so and nothing else is.
            tests.push(1..=text.lines().count());
        }
        Ok(Self { path: path.into(), text: text.into(), tokens, file, tests, modules, tests_start })
    }

    /// Whether a line belongs to an item under `#[cfg(test)]`.
    pub(crate) fn is_test(&self, line: usize) -> bool {
        self.tests.iter().any(|lines| lines.contains(&line))
    }

    /// How many modules written inside this file a line is in.
    pub(crate) fn depth(&self, line: usize) -> usize {
        self.modules.iter().filter(|lines| lines.contains(&line)).count()
    }

    /// Where `words` stand one after another in the code, as indices into `tokens`. A word that ends in `*`
    /// stands for every word that begins so.
    pub(crate) fn find<'s>(&'s self, words: &'s [&str]) -> impl Iterator<Item = usize> + 's {
        let fits = |token: &Token, word: &str| {
            !token.literal
                && match word.strip_suffix('*') {
                    Some(start) if !start.is_empty() => token.text.starts_with(start),
                    _ => token.text == word,
                }
        };
        (0..self.tokens.len()).filter(move |&at| {
            let rest = &self.tokens[at..];
            rest.len() >= words.len() && rest.iter().zip(words).all(|(token, word)| fits(token, word))
        })
    }

    pub(crate) fn violation(&self, line: usize, what: &str) -> String {
        format!("{}:{line}: {what}", self.path)
    }
}

/// A piece of code as tokens.
pub(crate) fn tokens(stream: TokenStream) -> Vec<Token> {
    let mut tokens = Vec::new();
    flatten(stream, &mut tokens);
    tokens
}

fn flatten(stream: TokenStream, into: &mut Vec<Token>) {
    let mut trees = stream.into_iter().peekable();
    while let Some(tree) = trees.next() {
        let line = tree.span().start().line;
        let mut push = |text: String, literal| into.push(Token { text, line, literal });
        let is_colon = |tree: &TokenTree| matches!(tree, TokenTree::Punct(punct) if punct.as_char() == ':');
        match tree {
            TokenTree::Punct(punct)
                if punct.as_char() == ':'
                    && punct.spacing() == Spacing::Joint
                    && trees.next_if(is_colon).is_some() =>
            {
                push("::".into(), false);
            }
            TokenTree::Punct(punct) => push(punct.to_string(), false),
            TokenTree::Ident(ident) => push(ident.to_string(), false),
            TokenTree::Literal(literal) => push(literal.to_string(), true),
            TokenTree::Group(group) => {
                let (open, close) = match group.delimiter() {
                    Delimiter::Parenthesis => ("(", ")"),
                    Delimiter::Brace => ("{", "}"),
                    Delimiter::Bracket => ("[", "]"),
                    Delimiter::None => ("", ""),
                };
                push(open.into(), false);
                flatten(group.stream(), into);
                let line = group.span_close().start().line;
                into.push(Token { text: close.into(), line, literal: false });
            }
        }
    }
}

#[derive(Default)]
struct Finder {
    tests: Vec<RangeInclusive<usize>>,
    modules: Vec<RangeInclusive<usize>>,
    tests_start: Option<usize>,
}

impl<'a> Visit<'a> for Finder {
    fn visit_item(&mut self, item: &'a syn::Item) {
        let lines = item.span().start().line..=item.span().end().line;
        if attributes(item).iter().any(is_cfg_test) {
            if matches!(item, syn::Item::Mod(_)) && self.tests_start.is_none() {
                self.tests_start = Some(*lines.start());
            }
            self.tests.push(lines.clone());
        }
        if matches!(item, syn::Item::Mod(module) if module.content.is_some()) {
            self.modules.push(lines);
        }
        visit::visit_item(self, item);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        if function.attrs.iter().any(is_cfg_test) {
            self.tests.push(function.span().start().line..=function.span().end().line);
        }
        visit::visit_impl_item_fn(self, function);
    }
}

fn attributes(item: &syn::Item) -> &[syn::Attribute] {
    match item {
        syn::Item::Const(item) => &item.attrs,
        syn::Item::Enum(item) => &item.attrs,
        syn::Item::ExternCrate(item) => &item.attrs,
        syn::Item::Fn(item) => &item.attrs,
        syn::Item::Impl(item) => &item.attrs,
        syn::Item::Macro(item) => &item.attrs,
        syn::Item::Mod(item) => &item.attrs,
        syn::Item::Static(item) => &item.attrs,
        syn::Item::Struct(item) => &item.attrs,
        syn::Item::Trait(item) => &item.attrs,
        syn::Item::Type(item) => &item.attrs,
        syn::Item::Use(item) => &item.attrs,
        _ => &[],
    }
}

fn is_cfg_test(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let tokens = tokens(list.tokens.clone());
    let has = |word| tokens.iter().any(|token| token.text == word);
    list.path.is_ident("cfg") && has("test") && !has("not")
}

/// The path from the checkout's root, and the text, of every file that `wanted` takes; those that are not text
/// are passed over.
pub(crate) fn texts(wanted: impl Fn(&str) -> bool) -> Vec<(String, String)> {
    let root = alertbus_tests::root();
    let mut paths = Vec::new();
    walk(root, root, &mut paths);
    paths.sort();
    let read = |path: String| Some((path.clone(), fs::read_to_string(root.join(path)).ok()?));
    paths.into_iter().filter(|path| wanted(path)).filter_map(read).collect()
}

fn walk(root: &Path, folder: &Path, paths: &mut Vec<String>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
        if path.is_dir() && !["target", ".git"].contains(&name.as_str()) {
            walk(root, &path, paths);
        } else if path.is_file() {
            let path = path.strip_prefix(root).unwrap();
            paths.push(path.to_string_lossy().replace('\\', "/"));
        }
    }
}

/// Every Rust file below one of `folders`.
pub(crate) fn sources(folders: &[&str]) -> Vec<Source> {
    let wanted = |path: &str| path.ends_with(".rs") && folders.iter().any(|folder| path.starts_with(folder));
    let found: Vec<Source> =
        texts(wanted).iter().map(|(path, text)| Source::parse(path, text).unwrap()).collect();
    assert!(!found.is_empty(), "no Rust file below {folders:?}");
    found
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_have_lines_and_know_tests_and_modules() {
        let text = "use a::b;\n// unsafe\nmod inner {\n    fn f() { \"unsafe\"; }\n}\n\
                    #[cfg(test)]\nmod tests {\n    use super::*;\n}\n#[cfg(not(test))]\nfn g() {}\n";
        let source = Source::parse("x.rs", text).unwrap();
        assert_eq!(source.find(&["unsafe"]).count(), 0);
        assert_eq!(source.find(&["a", "::", "b"]).count(), 1);
        assert_eq!(source.find(&["supe*"]).map(|at| source.tokens[at].line).collect::<Vec<_>>(), [8]);
        assert_eq!((source.depth(1), source.depth(4)), (0, 1));
        assert_eq!((source.is_test(4), source.is_test(8), source.is_test(11)), (false, true, false));
        assert_eq!(source.tests_start, Some(6));
    }

    #[test]
    fn a_file_called_tests_below_src_is_all_test() {
        let is_test = |path| Source::parse(path, "use crate::a;").unwrap().is_test(1);
        assert!(is_test("host-sim/src/scenario/tests.rs"));
        assert!(!is_test("host-sim/src/scenario/mod.rs") && !is_test("tests/tidy/tests.rs"));
    }

    #[test]
    fn a_file_that_is_no_rust_is_named_with_its_line() {
        assert!(Source::parse("x.rs", "fn f() {}\nfn g( {}\n").is_err_and(|why| why.starts_with("x.rs:")));
    }
}
