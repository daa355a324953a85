//! What must not stand in a file at all.

use crate::source::Source;

/// Where a rule holds: below one of these, for the Rust files there.
const EVERYWHERE: &[&str] = &["core/", "host-sim/", "tests/", "firmware/"];
/// A microcontroller cannot be spoken to without unsafe code; its programs leave that to the library beside them.
const SAFE: &[&str] =
    &["core/", "host-sim/", "tests/", "firmware/build/", "firmware/src/bin/", "firmware/src/test/"];
/// Where the order of a hash map would reach bytes that are promised to be the same in each run.
const ORDERED: &[&str] = &["core/", "host-sim/src/world/", "host-sim/src/scenario/"];

/// Words one after another, where they must not stand, and why.
const BANNED: [(&[&str], &[&str], &str); 9] = [
    (&["unsafe"], SAFE, "no unsafe code"),
    (&["todo", "!"], EVERYWHERE, "what is not built is absent, not a stub"),
    (&["unimplemented", "!"], EVERYWHERE, "what is not built is absent, not a stub"),
    (&["#", "[", "ignore"], EVERYWHERE, "a test that does not run holds nothing"),
    (&["mod", "prelude"], EVERYWHERE, "no prelude: an import says where a name comes from"),
    (&["mod", "util*"], EVERYWHERE, "no utils: a module is named after what it is about"),
    (&["HashMap"], ORDERED, "its order differs from run to run"),
    (&["HashSet"], ORDERED, "its order differs from run to run"),
    (&["extern", "crate", "alloc"], &["core/src/"], "core does not allocate"),
];

fn check(source: &Source) -> Vec<String> {
    let mut violations = Vec::new();
    for (words, places, why) in BANNED {
        if places.iter().any(|place| source.path.starts_with(place)) {
            for at in source.find(words) {
                violations
                    .push(source.violation(source.tokens[at].line, &format!("{}: {why}", shown(words))));
            }
        }
    }
    for start in ["allow", "expect"] {
        for at in source.find(&[start, "("]) {
            let inside = source.tokens[at + 2..].iter().take_while(|token| token.text != ")");
            for lint in inside.filter(|token| !token.literal) {
                if lint.text == "dead_code" || lint.text.starts_with("unused") {
                    let what = format!("{start}({}): what nothing uses is removed", lint.text);
                    violations.push(source.violation(lint.line, &what));
                }
            }
        }
    }
    if source.path.starts_with("core/src/") {
        for at in source.find(&["extern", "crate", "std"]) {
            let line = source.tokens[at].line;
            if !source.is_test(line) {
                violations.push(source.violation(line, "extern crate std: core has no std"));
            }
        }
    }
    if ["prelude", "utils", "util"].iter().any(|name| source.path.split(['/', '.']).any(|part| part == *name))
    {
        violations.push(source.violation(1, "a module is named after what it is about"));
    }
    violations
}

/// The words as they are written.
fn shown(words: &[&str]) -> String {
    let gap = |word: &str| if word.starts_with(char::is_alphabetic) { " " } else { "" };
    words.iter().fold(String::new(), |line, word| match line.chars().next_back() {
        Some(last) if last.is_alphanumeric() => line + gap(word) + word,
        _ => line + word,
    })
}

/// What the root of a crate declares.
fn check_root(source: &Source) -> Vec<String> {
    let mut wanted: Vec<(&[&str], &str)> =
        vec![(&["#", "!", "[", "forbid", "(", "unsafe_code", ")", "]"], "#![forbid(unsafe_code)]")];
    if source.path.starts_with("core/") {
        wanted.push((&["#", "!", "[", "no_std", "]"], "#![no_std]"));
    }
    wanted.retain(|(words, _)| source.find(words).next().is_none());
    wanted.iter().map(|(_, shown)| source.violation(1, &format!("{shown} is missing"))).collect()
}

/// Core's manifest: no feature named after std or alloc, and no dependency that is asked for either.
fn check_manifest(path: &str, text: &str) -> Vec<String> {
    let mut violations = Vec::new();
    let mut section = "";
    for (index, line) in text.lines().enumerate() {
        let code = line.split('#').next().unwrap_or_default().trim();
        if code.starts_with('[') {
            section = code;
        }
        let named = code.split('=').next().unwrap_or_default().trim();
        for word in ["std", "alloc"] {
            let asked = code.contains(&format!("\"{word}\"")) && !section.starts_with("[dev-dependencies");
            if asked || (section == "[features]" && named == word) {
                violations.push(format!("{path}:{}: `{word}`: core runs without it", index + 1));
            }
        }
    }
    violations
}

/// Folders of one machine, which mean nothing on another.
fn check_paths(path: &str, text: &str) -> Vec<String> {
    // Written apart, so that this file passes its own rule.
    let folders = ["home", "work", "root", "tmp"].map(|name| format!("/{name}/"));
    let mut violations = Vec::new();
    for (index, line) in text.lines().enumerate() {
        for folder in &folders {
            let begins = |at: usize| {
                let before = line[..at].chars().next_back();
                before.is_none_or(|before| !before.is_alphanumeric() && !"._-/~*})>$".contains(before))
            };
            if line.match_indices(folder.as_str()).any(|(at, _)| begins(at)) {
                violations.push(format!("{path}:{}: {folder} is a folder of one machine", index + 1));
            }
        }
    }
    violations
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::source::{sources, texts};

    #[test]
    fn no_banned_word_stands_in_the_code() {
        crate::hold(&sources(EVERYWHERE).iter().flat_map(check).collect::<Vec<_>>());
    }

    #[test]
    fn crate_roots_forbid_unsafe_code_and_core_is_without_std() {
        let roots = ["core/src/lib.rs", "host-sim/src/lib.rs", "host-sim/src/main.rs"];
        let found = sources(&roots);
        assert_eq!(found.len(), roots.len());
        crate::hold(&found.iter().flat_map(check_root).collect::<Vec<_>>());
    }

    #[test]
    fn core_asks_for_no_std_and_no_alloc() {
        let found = texts(|path| path == "core/Cargo.toml");
        assert_eq!(found.len(), 1);
        crate::hold(&found.iter().flat_map(|(path, text)| check_manifest(path, text)).collect::<Vec<_>>());
    }

    #[test]
    fn no_file_names_a_folder_of_one_machine() {
        let found = texts(|_| true);
        assert!(found.len() > 10);
        crate::hold(&found.iter().flat_map(|(path, text)| check_paths(path, text)).collect::<Vec<_>>());
    }

    #[test]
    fn each_banned_word_is_found() {
        let checked = |path: &str, text: &str| check(&Source::parse(path, text).unwrap());
        for (path, text) in [
            ("core/src/a.rs", "fn f() {\n    unsafe { g() }\n}"),
            ("firmware/src/bin/a.rs", "fn f() {\n    unsafe { g() }\n}"),
            ("tests/a/main.rs", "fn f() {\n    todo!()\n}"),
            ("firmware/src/a.rs", "fn f() {\n    todo!()\n}"),
            ("host-sim/src/a.rs", "fn f() {\n    unimplemented!(\"later\")\n}"),
            ("tests/a/main.rs", "#[test]\n#[ignore = \"slow\"]\nfn f() {}"),
            ("core/src/a.rs", "\nmod prelude {}"),
            ("core/src/a.rs", "\nmod utils;"),
            ("core/src/a.rs", "\nuse std::collections::HashMap;"),
            ("host-sim/src/world/a.rs", "\nuse std::collections::HashSet;"),
            ("core/src/lib.rs", "\nextern crate alloc;"),
            ("core/src/lib.rs", "\nextern crate std;"),
            ("tests/a/main.rs", "\n#![allow(dead_code)]"),
            (
                "tests/a/main.rs",
                "fn f() {}\n#[allow(clippy::all, unused_variables, reason = \"x\")]\nfn g() {}",
            ),
            ("core/src/a.rs", "fn f() {}\n#[cfg_attr(test, expect(unused))]\nfn g() {}"),
        ] {
            let found = checked(path, text);
            assert_eq!(found.len(), 1, "{text}: {found:?}");
            assert!(found[0].starts_with(&format!("{path}:2: ")), "{found:?}");
        }
        assert!(checked("host-sim/src/utils/mod.rs", "")[0].starts_with("host-sim/src/utils/mod.rs:1: "));
    }

    #[test]
    fn banned_words_are_shown_as_they_are_written() {
        assert_eq!(shown(&["extern", "crate", "alloc"]), "extern crate alloc");
        assert_eq!(
            (shown(&["todo", "!"]), shown(&["#", "[", "ignore"])),
            ("todo!".into(), "#[ignore".into())
        );
    }

    #[test]
    fn words_in_texts_and_in_tests_that_may_have_them_are_left_alone() {
        for (path, text) in [
            (
                "core/src/a.rs",
                "//! No unsafe, no todo!().\n#![forbid(unsafe_code)]\nconst A: &str = \"HashMap\";",
            ),
            ("core/src/a.rs", "#[cfg(test)]\nextern crate std;"),
            ("firmware/src/board/a.rs", "fn f() {\n    unsafe { g() }\n}"),
            ("host-sim/src/cli/a.rs", "use std::collections::HashMap;"),
            (
                "tests/a/main.rs",
                "use proptest::prelude::*;\n#![allow(clippy::unwrap_used, reason = \"tests\")]",
            ),
        ] {
            let parsed = Source::parse(path, text).or_else(|_| Source::parse(path, &swapped(text))).unwrap();
            assert_eq!(check(&parsed), Vec::<String>::new(), "{text}");
        }
    }

    /// Inner attributes stand first.
    fn swapped(text: &str) -> String {
        text.lines().rev().collect::<Vec<_>>().join("\n")
    }

    #[test]
    fn a_crate_root_without_its_attributes_is_found() {
        let checked = |path: &str, text: &str| check_root(&Source::parse(path, text).unwrap()).len();
        assert_eq!(checked("core/src/lib.rs", "//! #![no_std] #![forbid(unsafe_code)]"), 2);
        assert_eq!(checked("core/src/lib.rs", "#![no_std]\n#![deny(unsafe_code)]"), 1);
        assert_eq!(checked("host-sim/src/lib.rs", ""), 1);
        assert_eq!(checked("core/src/lib.rs", "#![no_std]\n#![forbid(unsafe_code)]"), 0);
    }

    #[test]
    fn std_in_the_manifest_of_core_is_found() {
        let checked = |text| check_manifest("core/Cargo.toml", text);
        assert_eq!(checked("[features]\nstd = []"), ["core/Cargo.toml:2: `std`: core runs without it"]);
        assert_eq!(checked("[dependencies]\nserde = { version = \"1\", features = [\"alloc\"] }").len(), 1);
        assert_eq!(checked("[features]\ndefault = [\"std\"]").len(), 1);
        assert!(
            checked("[features]\n# std\ndefmt = []\n[dev-dependencies]\nx = { features = [\"std\"] }")
                .is_empty()
        );
    }

    #[test]
    fn a_folder_of_one_machine_is_found() {
        let folder = |name: &str| format!("/{name}/x");
        for (before, name) in
            [("", "home"), ("see `", "work"), ("(", "root"), ("path = \"", "tmp"), ("=", "tmp")]
        {
            let text = format!("one\n{before}{}", folder(name));
            assert_eq!(check_paths("README.md", &text).len(), 1, "{text}");
            assert!(check_paths("README.md", &text)[0].starts_with("README.md:2: "));
        }
        for before in ["https://example.org", "~", "..", "target"] {
            assert!(check_paths("README.md", &format!("{before}{}", folder("home"))).is_empty(), "{before}");
        }
    }
}
