//! `explain`, `diff` and `new`.

use super::{Folder, host_sim, json, taji};

#[test]
fn every_route_says_why_it_takes_an_alert_or_does_not() {
    let (code, out, _) = host_sim(&["explain", "embassy-salvo-2020-09-15"]);
    assert_eq!(code, 0, "{out}");
    for line in [
        "takes  sirens                 to sirens; unless acknowledged within 30s to joint-operations",
        "no     airport-desk           site is embassy, not baghdad-airport",
        "severity is severe, not extreme; and weapon is rocket, not ballistic-missile",
        "at once         1/flash/1  to sirens by sirens: it matches",
        "after 3m        1/flash/1  to coalition-headquarters: joint-operations has not acknowledged",
    ] {
        assert!(out.contains(line), "{line}\n{out}");
    }
    let (_, lines) = json(&["explain", "embassy-salvo-2020-09-15"]);
    assert_eq!(lines.iter().filter(|line| line["type"] == "alert").count(), 2);
    let verdict = |route: usize| lines[0]["routes"][route]["verdict"].as_str().unwrap();
    assert_eq!((verdict(0), verdict(2)), ("takes", "does-not-match"));
    assert_eq!(lines[0]["routes"][2]["mismatches"][0]["found"], "embassy");
}

#[test]
fn an_alert_of_ones_own_is_explained_at_its_hour() {
    let folder = Folder::new("hours");
    let hours = "hours = { from = \"20:00\", until = \"06:00\", zone = \"Asia/Baghdad\" }";
    let path = folder.write(
        "rules.toml",
        &taji(&format!("final = true\n{hours}\n[[route]]\nname = \"all\"\nto = [\"duty\"]")),
    );
    let explain = |at: &str| {
        let node = "camp-taji/launch-detector";
        host_sim(&["explain", "rocket-launch", "weapon=rocket", "--node", node, "--rules", &path, "--at", at])
            .1
    };
    let night = explain("2020-03-11T22:31:00+03:00");
    assert!(night.contains("it matches, but `incoming` before it is final"), "{night}");
    let day = explain("2020-03-11T12:00:00+03:00");
    assert!(day.contains("it matches, but not at this hour") && day.contains("to duty by all"), "{day}");
}

#[test]
fn what_cannot_be_explained_is_refused_with_a_way_out() {
    for (arguments, words) in [
        (&["explain", "embassy-salvo-2020-09-16"][..], "did you mean `embassy-salvo-2020-09-15`?"),
        (&["explain", "drone-sighting"], "for example `--node embassy/drone-detector`"),
        (
            &["explain", "drone-sighting", "--node", "embassy/drone-detektor"],
            "did you mean `embassy/drone-detector`?",
        ),
        (
            &["explain", "drone-sighting", "weapon=rocket", "--node", "embassy/drone-detector"],
            "has no field `weapon`",
        ),
        (&["explain", "tamper", "--node", "embassy/c-ram", "--at", "noon"], "2020-01-08T01:34:00+03:00"),
        (&["explain", "embassy-salvo-2020-09-15", "weapon=rocket"], "only an alert of your own has fields"),
    ] {
        let (code, _, err) = host_sim(arguments);
        assert!(code == 2 && err.contains(words), "{arguments:?}: {code} {err}");
    }
}

#[test]
fn other_rules_move_the_alerts_that_they_move_and_no_others() {
    let folder = Folder::new("diff");
    let (old, new) = (folder.write("old.toml", &taji("")), taji("").replace("camp-taji\" }", "embassy\" }"));
    let new = folder.write("new.toml", &new);
    let (code, out, _) = host_sim(&["diff", &old, &old, "--exit-code"]);
    assert!(code == 0 && out.contains("0 of 132 alerts change where they go"), "{out}");
    let (code, lines) = json(&["diff", &old, &new, "--only", "camp-taji-*", "--exit-code"]);
    assert_eq!((code, &lines[2]["changed"]), (1, &2.into()));
    assert_eq!((&lines[0]["vanishes"][0], &lines[0]["appears"][0]), (&"taji-siren".into(), &"log".into()));
    let (code, out, _) = host_sim(&["diff", &old, &new, "--only", "convoys-*"]);
    assert!(code == 0 && out.starts_with("0 of "), "{out}");
    let (code, _, err) = host_sim(&["diff", &old, &new, "--only", "nothing"]);
    assert!(code == 2 && err.contains("`--only nothing` leaves none"), "{err}");
}

#[test]
fn a_starter_project_passes_at_once_under_loss_too_and_is_never_written_over() {
    let folder = Folder::new("starter");
    let path = folder.0.join("mine").display().to_string();
    let (code, out, _) = host_sim(&["new", &path]);
    assert!(code == 0 && out.contains(".github/workflows/alerts.yml"), "{out}");
    assert_eq!(host_sim(&["check", "--strict", &path]).0, 0);
    let (code, out, _) = host_sim(&["test", &path]);
    assert!(code == 0 && out.contains("4 passed"), "{out}");
    // What its CI file does, with fewer seeds.
    let workflow = folder.read("mine/.github/workflows/alerts.yml");
    assert!(workflow.contains("host-sim test . --seeds 1..=100 --drop 20%"), "{workflow}");
    assert_eq!(host_sim(&["test", &path, "--seeds", "1..=20", "--drop", "20%"]).0, 0);
    let (code, _, err) = host_sim(&["new", &path]);
    assert!(code == 2 && err.contains("is there already"), "{err}");
}
