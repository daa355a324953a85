//! Verdicts: what passes, fails, and cannot be told.

use serde_json::Value;

use super::{Folder, host_sim, json, taji};

/// Verdict of the first expectation, and all of it.
fn verdict(folder: &Folder, expect: &str, options: &[&str]) -> (i32, String, Value) {
    let tests = format!("[[test]]\nname = \"t\"\nonly = \"camp-taji-2020-03-11\"\nexpect = [{expect}]");
    let path = folder.write("rules.toml", &taji(&tests));
    let (code, lines) = json(&[&["test", &path], options].concat());
    let found = lines.into_iter().find(|line| line["type"] == "expectation").unwrap();
    (code, found["verdict"].as_str().unwrap().to_owned(), found)
}

#[test]
fn each_sort_of_expectation_passes_and_fails() {
    let folder = Folder::new("each_sort");
    for (holds, fails) in [
        (r#"{ sink = "taji-siren", within = "2s" }"#, r#"{ sink = "taji-siren", within = "100ms" }"#),
        (r#"{ sink = "taji-siren", p50 = "2s" }"#, r#"{ sink = "taji-siren", p50 = "100ms" }"#),
        (r#"{ sink = "taji-siren", p99 = "2s" }"#, r#"{ sink = "taji-siren", p99 = "100ms" }"#),
        (r#"{ sink = "taji-siren", count = 1 }"#, r#"{ sink = "taji-siren", count = ">= 2" }"#),
        (r#"{ sink = "log", count = 0 }"#, r#"{ sink = "taji-siren", count = "< 1" }"#),
        (r#"{ sink = "duty", never = true }"#, r#"{ sink = "taji-siren", never = true }"#),
        (
            r#"{ sink = "taji-siren", incident = "camp-taji-*", within = "2s" }"#,
            r#"{ sink = "duty", incident = "camp-taji-*", within = "2s" }"#,
        ),
        (
            r#"{ sink = "taji-siren", when = { weapon = "rocket" }, within = "2s" }"#,
            r#"{ sink = "log", when = { weapon = "rocket" }, within = "2s" }"#,
        ),
        // What is about nothing would hold by any rules.
        (
            r#"{ sink = "taji-siren", route = "incoming", within = "2s" }"#,
            r#"{ sink = "taji-siren", incident = "embassy-*", within = "2s" }"#,
        ),
        (r#"{ sink = "log", never = true }"#, r#"{ sink = "log", incident = "embassy-*", never = true }"#),
    ] {
        assert_eq!(verdict(&folder, holds, &[]).0, 0, "{holds}");
        let (code, verdict, outcome) = verdict(&folder, fails, &[]);
        assert_eq!((code, verdict.as_str()), (1, "failed"), "{fails}");
        assert!(outcome["example"].as_str().is_some_and(|why| !why.is_empty()), "{outcome}");
    }
}

#[test]
fn a_siren_that_never_answers_is_escalated_and_missed() {
    let folder = Folder::new("down");
    let tests = r#"
        [[test]]
        only = "camp-taji-2020-03-11"
        down = ["taji-siren"]
        expect = [{ sink = "duty", within = "31s", count = 1 }, { sink = "taji-siren", within = "2s" }]
    "#;
    let path = folder.write("rules.toml", &taji(tests));
    let (code, lines) = json(&["test", &path]);
    let verdicts: Vec<_> = lines.iter().filter_map(|line| line["verdict"].as_str()).collect();
    assert_eq!((code, &verdicts[..]), (1, &["passed", "failed"][..]));
    let why = lines.iter().find(|line| line["verdict"] == "failed").unwrap()["example"].as_str().unwrap();
    assert!(
        why.contains("went to taji-siren by route incoming (matched), and was not acknowledged"),
        "{why}"
    );
}

#[test]
fn what_is_still_open_at_the_end_is_undecided() {
    let folder = Folder::new("undecided");
    // Nothing comes through: the node still tries when the run ends.
    let expect = r#"{ sink = "taji-siren", within = "144h" }, { sink = "taji-siren", never = true }"#;
    let (code, first, outcome) = verdict(&folder, expect, &["--drop", "100%"]);
    assert_eq!((code, first.as_str()), (4, "undecided"), "{outcome}");
}

#[test]
fn a_failure_names_a_seed_and_the_commands_that_show_it() {
    let folder = Folder::new("again");
    let tests = r#"
        [[test]]
        name = "in time, always"
        seeds = "1..=30"
        only = "camp-taji-*"
        expect = [{ sink = "taji-siren", within = "400ms" }]
    "#;
    let path = folder.write("rules.toml", &taji(tests));
    let (code, out, _) = host_sim(&["test", &path, "--drop", "20%"]);
    assert_eq!(code, 1, "{out}");
    let command = |label: &str| {
        let line = out.lines().find_map(|line| line.trim().strip_prefix(label)).unwrap();
        line.trim().to_owned()
    };
    let (again, watch) = (command("again:"), command("watch:"));
    assert!(again.contains("--filter 'in time, always' --drop 20%"), "{again}");
    assert!(watch.contains("--only 'camp-taji-*' --drop 20% -v"), "{watch}");
    // As typed into a shell.
    for (command, expected) in [(again, 1), (watch, 0)] {
        let program = alertbus_tests::host_sim().display().to_string();
        let typed = command.replacen("host-sim", &format!("'{program}'"), 1);
        let output = std::process::Command::new("sh").arg("-c").arg(&typed).output().unwrap();
        assert_eq!(output.status.code(), Some(expected), "{typed}");
    }
    assert!(out.contains("runs of 30: seed "), "{out}");
}

#[test]
fn a_snapshot_is_written_compared_and_kept() {
    let folder = Folder::new("snapshot");
    let tests = "[[test]]\nname = \"all\"\nonly = \"camp-taji-2020-03-*\"\nsnapshot = \"all.snap\"";
    let path = folder.write("rules.toml", &taji(tests));
    let (code, out, _) = host_sim(&["test", &path]);
    assert_eq!(code, 1);
    assert!(out.contains("`host-sim test --update` writes it"), "{out}");
    let (code, out, _) = host_sim(&["test", &path, "--update"]);
    assert!(code == 0 && out.contains("written: "), "{out}");
    assert_eq!(host_sim(&["test", &path]).0, 0);
    let kept = folder.read("all.snap");
    assert_eq!(kept.matches("->  taji-siren").count(), 2, "{kept}");

    let other = taji(tests).replace("site = \"camp-taji\"", "site = \"embassy\"");
    folder.write("rules.toml", &other);
    let (code, out, _) = host_sim(&["test", &path]);
    assert_eq!(code, 1);
    assert!(
        out.contains("->  taji-siren") && out.contains("->  log") && out.contains("2 lines differ"),
        "{out}"
    );
    assert_eq!(folder.read("all.snap"), kept, "only --update writes");
}

#[test]
fn what_is_asked_for_wrongly_is_refused_with_a_way_out() {
    let folder = Folder::new("refused");
    let path = folder.write("rules.toml", &taji(""));
    for (arguments, words) in [
        (&["test", &path][..], "has no tests"),
        (&["test", "--filter", "nothing"], "no test is called `nothing`"),
        (&["test", "--seeds", "9..=1"], "begins behind its end"),
        (&["test", "--seeds", "x"], "`1..=200`"),
        (&["test", "no-such-file"], "carried by the program: iraq-2019-2020"),
        (&["test", "--update", "--drop", "10%"], "cannot be used with"),
    ] {
        let (code, _, err) = host_sim(arguments);
        assert_eq!(code, 2, "{arguments:?}: {err}");
        assert!(err.contains(words), "{arguments:?}: {err}");
    }
    let (code, _, err) = host_sim(&["test", "--seeds", "1", "--junit", "/no/such/folder/j.xml"]);
    assert!(code == 3 && err.contains("/no/such/folder/j.xml"), "{code} {err}");
}
