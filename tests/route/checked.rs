//! What `check` finds, and its exit codes.

use super::{Folder, host_sim, json, taji};

#[test]
fn deliberate_faults_are_underlined() {
    let folder = Folder::new("faults");
    let deadline = "to = [\"taji-siren\"]\ndeadline = \"1ms\"";
    let circle = r#"duty = { kind = "console", unless-acked = { after = "1m", to = ["night"] } }
        night = { kind = "console", unless-acked = { after = "1m", to = ["duty"] } }"#;
    for (from, to, words) in [
        ("site = \"camp-taji\"", "site = \"camp-tajo\"", "did you mean `camp-taji`?"),
        ("to = [\"taji-siren\"]", deadline, "has a deadline that no alert can keep"),
        ("duty = { kind = \"console\" }", circle, "escalation goes in a circle: `duty` to `night` to `duty`"),
        ("to = [\"duty\"]", "to = [\"dutty\"]", "did you mean `duty`?"),
        ("site = \"camp-taji\"", "sit = \"camp-taji\"", "did you mean `site`?"),
        (
            "kind = \"rocket-launch\"",
            "kind = \"rocket-launch\", airframe = \"multirotor\"",
            "has a field `airframe`",
        ),
    ] {
        let text = taji("").replacen(from, to, 1);
        assert_ne!(text, taji(""), "{from}");
        let path = folder.write("rules.toml", &text);
        let (code, out, _) = host_sim(&["check", &path]);
        assert_eq!(code, 2, "{to}: {out}");
        assert!(out.contains(words) && out.contains("^^^") && out.contains("rules.toml:"), "{to}: {out}");
        let (code, _, err) = host_sim(&["test", &path]);
        assert!(code == 2 && err.contains(words), "{to}: {err}");
    }
}

#[test]
fn tests_are_checked_like_everything_else() {
    let folder = Folder::new("tests");
    for (test, words) in [
        ("expect = [{ sink = \"dutty\", never = true }]", "did you mean `duty`?"),
        ("expect = [{ sink = \"duty\" }]", "this expects nothing"),
        ("expect = [{ sink = \"duty\", never = true, within = \"1s\" }]", "`never` stands beside"),
        ("expect = [{ sink = \"log\", route = \"incoming\", within = \"1s\" }]", "does not lead to `log`"),
        (
            "expect = [{ sink = \"duty\", route = \"incomming\", within = \"1s\" }]",
            "did you mean `incoming`?",
        ),
        ("expect = [{ sink = \"duty\", incident = \"[\", never = true }]", "is no pattern"),
        ("name = \"nothing\"", "test `nothing` expects nothing"),
        ("snapshot = \"s\"\nfrom = 2020-02-01\nuntil = 2020-01-01", "is after `until`"),
        ("snapshot = \"s\"\nplay = \"no-such-scenario\"", "cannot be played"),
        ("snapshot = \"s\"\ndown = [\"nobody\"]", "no sink is called `nobody`"),
        (
            "snapshot = \"s\"\nname = \"a\"\n[[test]]\nsnapshot = \"t\"\nname = \"a\"",
            "a second test is called `a`",
        ),
    ] {
        let path = folder.write("rules.toml", &taji(&format!("[[test]]\n{test}")));
        let (code, out, _) = host_sim(&["check", &path]);
        assert!(code == 2 && out.contains(words), "{test}: {code} {out}");
    }
}

#[test]
fn rules_and_scenarios_are_told_apart_and_remarks_are_no_errors_unless_asked() {
    let folder = Folder::new("apart");
    let root = alertbus_tests::root().join("host-sim/scenarios/convoy.toml").display().to_string();
    let (code, out, _) = host_sim(&["check", "iraq-2019-2020", &root]);
    assert_eq!(code, 0, "{out}");
    assert!(out.contains("11 routes, 11 sinks, 4 tests") && out.contains("a scenario, 13 sites"), "{out}");
    let broken = folder.write("s.toml", "schema = 1\nname = \"s\"\n[[site]]\nid = \"a\"\n");
    let (code, out, _) = host_sim(&["check", &broken]);
    assert!(code == 2 && out.contains("s.toml:") && !out.contains("sinks"), "{out}");

    let text = taji("").replace("taji\" }", "taji\", quorum = \"2 of 3 within 10s\" }");
    let path = folder.write("rules.toml", &text);
    let (code, out, _) = host_sim(&["check", &path]);
    assert!(code == 0 && out.contains("warning: ") && out.contains("1 warning"), "{out}");
    assert_eq!(host_sim(&["check", "--strict", &path]).0, 2);
    let (_, lines) = json(&["check", &path]);
    assert_eq!((&lines[0]["level"], &lines[1]["warnings"]), (&"warning".into(), &1.into()));
}

#[test]
fn the_drawing_has_every_route_and_sink() {
    let (code, dot, _) = host_sim(&["check", "--dot", "iraq-2019-2020"]);
    assert_eq!(code, 0);
    assert!(dot.starts_with("digraph ") && dot.ends_with("}\n"));
    for name in
        ["un-vehicles", "places-without-a-desk", "coalition-headquarters", "unless acknowledged after 3m"]
    {
        assert!(dot.contains(name), "{name}: {dot}");
    }
}
