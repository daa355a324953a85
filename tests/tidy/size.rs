//! How long a file and a function may be.

use syn::spanned::Spanned;
use syn::visit::{self, Visit};

use crate::source::Source;

/// Up to its tests; what is longer has two subjects.
const FILE_LINES_MAX: usize = 400;
/// From the signature to the closing brace: what fits on one screen.
const FUNCTION_LINES_MAX: usize = 70;

fn check(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    let lines = source.tests_start.map_or_else(|| source.text.lines().count(), |line| line - 1);
    if lines > FILE_LINES_MAX {
        let what = format!("{lines} lines before the tests, at most {FILE_LINES_MAX} are allowed");
        violations.push(source.violation(FILE_LINES_MAX + 1, &what));
    }
    let mut functions = Functions(Vec::new());
    functions.visit_file(&source.file);
    for (name, first, last) in functions.0 {
        let lines = last - first + 1;
        if lines > FUNCTION_LINES_MAX {
            let what = format!("fn {name} has {lines} lines, at most {FUNCTION_LINES_MAX} are allowed");
            violations.push(source.violation(first, &what));
        }
    }
    violations
}

/// Name, first and last line of every function with a body, wherever it is.
struct Functions(Vec<(String, usize, usize)>);

impl Functions {
    fn add(&mut self, signature: &syn::Signature, block: &syn::Block) {
        let (first, last) = (signature.span().start().line, block.span().end().line);
        self.0.push((signature.ident.to_string(), first, last));
    }
}

impl<'a> Visit<'a> for Functions {
    fn visit_item_fn(&mut self, function: &'a syn::ItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_item_fn(self, function);
    }

    fn visit_impl_item_fn(&mut self, function: &'a syn::ImplItemFn) {
        self.add(&function.sig, &function.block);
        visit::visit_impl_item_fn(self, function);
    }

    fn visit_trait_item_fn(&mut self, function: &'a syn::TraitItemFn) {
        if let Some(block) = &function.default {
            self.add(&function.sig, block);
        }
        visit::visit_trait_item_fn(self, function);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::sources;

    #[test]
    fn files_and_functions_are_short() {
        let sources = sources(&["core/", "host-sim/", "tests/", "firmware/"]);
        crate::hold(&sources.iter().flat_map(check).collect::<Vec<_>>());
    }

    #[test]
    fn a_long_file_is_found_and_its_tests_do_not_count() {
        let code = |lines: usize| "const A: u8 = 0;\n".repeat(lines);
        let checked = |text: &str| check(&Source::parse("core/src/a.rs", text).unwrap());
        assert_eq!(
            checked(&code(401)),
            ["core/src/a.rs:401: 401 lines before the tests, at most 400 are allowed"]
        );
        let tests = format!("#[cfg(test)]\nmod tests {{\n{}}}\n", code(300));
        assert!(checked(&(code(400) + &tests)).is_empty());
        assert_eq!(checked(&(code(401) + &tests)).len(), 1);
    }

    #[test]
    fn a_long_function_is_found_wherever_it_is() {
        let function =
            |lines: usize| format!("/// Doc.\n#[inline]\nfn f() {{\n{}}}\n", "    g();\n".repeat(lines - 2));
        let checked = |text: String| check(&Source::parse("a.rs", &text).unwrap());
        assert!(checked(function(70)).is_empty());
        assert_eq!(checked(function(71)), ["a.rs:3: fn f has 71 lines, at most 70 are allowed"]);
        for around in ["mod a", "impl A", "trait A", "fn outer()", "mod a { impl A"] {
            let end = "}".repeat(around.matches('{').count() + 1);
            let found = checked(format!("{around} {{\n{}{end}\n", function(71)));
            assert!(found.iter().any(|line| line.contains("fn f has 71")), "{around}: {found:?}");
        }
    }
}
