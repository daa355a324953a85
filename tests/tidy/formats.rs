//! Every public type of core can be logged by defmt, and no secret is logged by it.

use std::collections::BTreeSet;

use syn::visit::{self, Visit};

use crate::source::{Source, Token};

/// Types that hold a key or the body of a message: what is written of them is chosen by hand, never derived.
/// A type that implements `Kind` is a body too.
const SECRETS: [&str; 14] = [
    "Blob",
    "BlobBytes",
    "MasterKey",
    "NodeKey",
    "LinkKey",
    "LinkKeys",
    "Body",
    "Opaque",
    "AlertDraft",
    "Alert",
    "Content",
    "Sealed",
    "Opened",
    "Received",
];
/// Types that are nothing but a key: not even a hand-written `Format` reads them.
const KEYS: [&str; 4] = ["MasterKey", "NodeKey", "LinkKey", "BlobBytes"];

/// A public type of core and whether it derives `Format`.
struct Type {
    at: String,
    name: String,
    derives: bool,
}

fn check(sources: &[Source]) -> Vec<String> {
    let mut types = Types::default();
    for source in sources {
        types.path.clone_from(&source.path);
        types.skip = (1..=source.text.lines().count()).filter(|line| source.is_test(*line)).collect();
        types.visit_file(&source.file);
    }
    let mut violations = types.in_macros;
    for Type { at, name, derives } in &types.found {
        let by_hand = types.by_hand.contains(name);
        let secret = SECRETS.contains(&name.as_str()) || types.kinds.contains(name);
        if secret && *derives {
            violations.push(format!("{at}: {name} holds a secret: write its defmt::Format by hand"));
        } else if !by_hand && !derives {
            violations.push(format!("{at}: {name} has no defmt::Format"));
        }
    }
    violations.extend(types.reads_key);
    violations
}

#[derive(Default)]
struct Types {
    path: String,
    /// Lines under `#[cfg(test)]`.
    skip: BTreeSet<usize>,
    found: Vec<Type>,
    by_hand: BTreeSet<String>,
    kinds: BTreeSet<String>,
    /// Names of macros that write an implementation of `Format`.
    writers: BTreeSet<String>,
    in_macros: Vec<String>,
    reads_key: Vec<String>,
}

impl Types {
    fn add(&mut self, visibility: &syn::Visibility, name: &syn::Ident, attributes: &[syn::Attribute]) {
        let line = name.span().start().line;
        if matches!(visibility, syn::Visibility::Public(_)) && !self.skip.contains(&line) {
            let at = format!("{}:{line}", self.path);
            self.found.push(Type { at, name: name.to_string(), derives: attributes.iter().any(derives) });
        }
    }

    /// A type that a macro writes cannot be parsed: the macro must derive or implement `Format` itself, or give
    /// the type a name, so that an implementation elsewhere is found by it.
    fn macro_rules(&mut self, name: &str, tokens: &[Token]) {
        let has = |words: &[&str]| {
            tokens
                .windows(words.len())
                .any(|all| all.iter().zip(words).all(|(token, word)| token.text == *word))
        };
        if has(&["Format", "for"]) {
            self.writers.insert(name.into());
            return;
        }
        for window in tokens.windows(3) {
            let declares = window[0].text == "pub" && ["struct", "enum"].contains(&window[1].text.as_str());
            if !declares {
                continue;
            }
            let at = format!("{}:{}", self.path, window[0].line);
            let derives = has(&["derive", "(", "defmt", "::", "Format"]);
            if window[2].text == "$" && !derives {
                self.in_macros.push(format!("{at}: macro {name} writes a type without defmt::Format"));
            } else if window[2].text != "$" {
                self.found.push(Type { at, name: window[2].text.clone(), derives });
            }
        }
    }
}

impl<'a> Visit<'a> for Types {
    fn visit_item_struct(&mut self, item: &'a syn::ItemStruct) {
        self.add(&item.vis, &item.ident, &item.attrs);
    }

    fn visit_item_enum(&mut self, item: &'a syn::ItemEnum) {
        self.add(&item.vis, &item.ident, &item.attrs);
    }

    fn visit_item_impl(&mut self, item: &'a syn::ItemImpl) {
        let syn::Type::Path(of) = &*item.self_ty else { return };
        let Some(name) = of.path.segments.last().map(|segment| segment.ident.to_string()) else { return };
        let of_trait =
            item.trait_.as_ref().and_then(|(path, _)| Some(path.segments.last()?.ident.to_string()));
        match of_trait.as_deref() {
            Some("Format") => {
                if KEYS.contains(&name.as_str()) && reads_self(item) {
                    let line = of.path.segments[0].ident.span().start().line;
                    self.reads_key.push(format!("{}:{line}: the Format of {name} reads the key", self.path));
                }
                self.by_hand.insert(name);
            }
            Some("Kind") => {
                self.kinds.insert(name);
            }
            _ => visit::visit_item_impl(self, item),
        }
    }

    fn visit_item_macro(&mut self, item: &'a syn::ItemMacro) {
        let tokens = crate::source::tokens(item.mac.tokens.clone());
        match (&item.ident, item.mac.path.get_ident()) {
            (Some(name), _) => self.macro_rules(&name.to_string(), &tokens),
            (None, Some(called)) if self.writers.contains(&called.to_string()) => {
                self.by_hand
                    .extend(tokens.into_iter().filter(|token| !token.literal).map(|token| token.text));
            }
            _ => {}
        }
    }
}

fn derives(attribute: &syn::Attribute) -> bool {
    let syn::Meta::List(list) = &attribute.meta else { return false };
    let tokens = crate::source::tokens(list.tokens.clone());
    let text: Vec<&str> = tokens.iter().map(|token| token.text.as_str()).collect();
    let derive = text.windows(3).any(|words| words == ["defmt", "::", "Format"]);
    let gated = list.path.is_ident("cfg_attr") && text.contains(&"feature") && text.contains(&"\"defmt\"");
    gated && derive
}

fn reads_self(item: &syn::ItemImpl) -> bool {
    struct Reads(bool);
    impl<'a> Visit<'a> for Reads {
        fn visit_macro(&mut self, call: &'a syn::Macro) {
            let tokens = crate::source::tokens(call.tokens.clone());
            self.0 |= tokens.iter().any(|token| token.text == "self");
        }

        fn visit_expr_path(&mut self, path: &'a syn::ExprPath) {
            self.0 |= path.path.is_ident("self");
        }
    }
    let mut reads = Reads(false);
    reads.visit_item_impl(item);
    reads.0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sources;

    #[test]
    fn every_public_type_of_core_can_be_logged_and_no_secret_is() {
        crate::hold(&check(&sources(&["core/src/"])));
    }

    fn checked(text: &str) -> Vec<String> {
        check(&[Source::parse("core/src/a.rs", text).unwrap()])
    }

    const DERIVE: &str = "#[cfg_attr(feature = \"defmt\", derive(defmt::Format))]";

    fn by_hand(name: &str, body: &str) -> String {
        format!("impl defmt::Format for {name} {{ fn format(&self, f: defmt::Formatter<'_>) {{ {body} }} }}")
    }

    #[test]
    fn a_public_type_without_a_format_is_found() {
        assert_eq!(checked("\npub struct A;"), ["core/src/a.rs:2: A has no defmt::Format"]);
        assert_eq!(checked("pub mod b { #[derive(Debug)] pub enum A { B } }").len(), 1);
        assert_eq!(checked("#[derive(defmt::Format)] pub struct A;").len(), 1, "not behind the feature");
        assert_eq!(checked("macro_rules! m { ($n:ident) => { pub struct $n; } }").len(), 1);
        assert_eq!(checked("macro_rules! m { () => { pub enum A { B } } }").len(), 1);
    }

    #[test]
    fn a_secret_that_derives_its_format_is_found() {
        for name in SECRETS {
            assert_eq!(checked(&format!("{DERIVE} pub struct {name};")).len(), 1, "{name}");
        }
        assert_eq!(checked(&format!("{DERIVE} pub struct Mine; impl Kind for Mine {{}}")).len(), 1);
        assert_eq!(
            checked(&format!("macro_rules! m {{ () => {{ {DERIVE} pub enum Body {{ A }} }} }}")).len(),
            1
        );
    }

    #[test]
    fn a_format_that_reads_a_key_is_found() {
        let text = format!("pub struct NodeKey; {}", by_hand("NodeKey", "defmt::write!(f, \"{}\", self.0)"));
        assert_eq!(checked(&text), ["core/src/a.rs:1: the Format of NodeKey reads the key"]);
    }

    #[test]
    fn types_with_a_format_are_left_alone() {
        for text in [
            format!("/// Doc.\n{DERIVE}\n#[derive(Debug)]\npub struct A;"),
            format!("pub struct A<T>(T); #[cfg(feature = \"defmt\")] {}", by_hand("A<u8>", "")),
            format!("pub struct NodeKey; {}", by_hand("NodeKey", "defmt::write!(f, \"NodeKey\")")),
            format!("macro_rules! m {{ ($n:ident) => {{ {DERIVE} pub struct $n; }} }}"),
            format!("macro_rules! m {{ () => {{ pub enum Body {{ A }} }} }} {}", by_hand("Body", "")),
            "macro_rules! s { ($n:ident) => { impl defmt::Format for $n {} } } pub struct LinkKey; s!(LinkKey);".into(),
            "struct A; pub(crate) struct B; #[cfg(test)] mod tests { pub struct C; }".into(),
        ] {
            assert_eq!(checked(&text), Vec::<String>::new(), "{text}");
        }
    }
}
