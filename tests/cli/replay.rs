//! `host-sim replay` and what a person can get wrong with it.

use std::io::{BufRead, BufReader, Read};
use std::process::{Command, Stdio};

use crate::{host_sim, said};

#[test]
fn wrong_numbers_are_refused_with_what_is_allowed() {
    for (arguments, value, allowed) in [
        ("--drop 101%", "101%", "0% to 100%"),
        ("--corrupt -1%", "-1%", ""),
        ("--duplicate nan", "nan", "0% to 100%"),
        ("--speed 0", "`0`", "0.001x to 1000000x"),
        ("--speed fast", "fast", "max"),
        ("--loop 0", "0", "a whole number of runs; allowed: 1 to"),
        ("--reboot -1", "-1", "a whole number of seconds; allowed: 0 to 31536000"),
        ("--partition x", "x", "a whole number of seconds; allowed: 0 to 86400"),
        ("--clock-drift 201", "201", "a whole number of millionths; allowed: 0 to 200"),
        ("--delay 600001", "600001", "600000"),
        ("--seed -3", "-3", ""),
        ("--from 2020-02-30", "2020-02-30", "calendar"),
        ("--only [", "[", ""),
    ] {
        let output =
            host_sim(&["replay", arguments.split(' ').next().unwrap(), arguments.split(' ').nth(1).unwrap()]);
        let (code, out, err) = said(&output);
        assert_eq!((code, out), (2, String::new()), "{arguments}: {err}");
        assert!(err.contains(value) && err.contains(allowed), "{arguments}: {err}");
    }
}

#[test]
fn nothing_is_half_run() {
    for arguments in [
        &["replay", "no-such-scenario"][..],
        &["replay", "--only", "nothing-like-this"],
        &["replay", "--from", "2020-09-15", "--until", "2020-09-14"],
    ] {
        let (code, out, err) = said(&host_sim(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(!err.is_empty());
    }
}

#[test]
fn an_output_that_cannot_be_written_is_a_lost_sink() {
    let (code, out, err) = said(&host_sim(&["replay", "--jsonl", "/no/such/folder/alerts.jsonl"]));
    assert_eq!((code, out.as_str()), (3, ""));
    assert!(err.contains("cannot write `/no/such/folder/alerts.jsonl`"), "{err}");
}

#[test]
fn a_wrong_value_of_the_environment_is_said_to_be_one() {
    let errors = |arguments: &[&str]| {
        let mut command = Command::new(alertbus_tests::host_sim());
        said(&command.args(arguments).env("HOST_SIM_GATEWAY_KILL", "soon").output().unwrap()).2
    };
    assert!(
        errors(&["replay"]).contains("`soon` comes from the environment: HOST_SIM_GATEWAY_KILL"),
        "{}",
        errors(&["replay"])
    );
    assert!(!errors(&["replay", "--gateway-kill", "soon"]).contains("the environment"));
    assert!(!errors(&["replay", "--gateway-kill=soon"]).contains("the environment"));
}

#[test]
fn days_the_wrong_way_round_are_said_to_be() {
    let (_, _, err) = said(&host_sim(&["replay", "--from", "2020-09-15", "--until", "2020-09-14"]));
    assert!(err.contains("`--from 2020-09-15` is after `--until 2020-09-14`"), "{err}");
}

#[test]
fn who_wants_to_know_hears_of_every_failure() {
    let faults = ["--reboot", "600", "--partition", "60", "--gateway-kill", "600"];
    let (_, out, err) = said(&host_sim(&[&["replay", "six-sites", "-v"], &faults[..]].concat()));
    assert!(out.contains("faults      gateway-kill-s 600, partition-s 60, reboot-s 600\n"), "{out}");
    assert!(out.contains("\nfailures ") && !out.contains("\nattacks "), "{out}");
    let attacked = said(&host_sim(&["replay", "attacker"])).1;
    assert!(
        attacked.contains(" replays tried, 0 accepted\n") && !attacked.contains("\nfailures "),
        "{attacked}"
    );
    for words in
        ["is down: software", "siren is up again", "cut for 60 s", "gateway killed", "gateway is up again"]
    {
        assert!(err.contains(words), "{words}");
    }
    let (_, _, err) = said(&host_sim(&["replay", "six-sites", "-v"]));
    assert!(!err.contains("up again") && !err.contains("killed"), "nothing fails by itself");
}

#[test]
#[cfg(unix)]
fn who_breaks_off_sees_what_was_open() {
    // A thousand times real time: the first alerts are raised within a second, and nothing ever arrives.
    let mut child = Command::new(alertbus_tests::host_sim())
        .args(["replay", "--speed", "1000x", "--drop", "100%", "--json", "-v"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    let mut errors = BufReader::new(child.stderr.take().unwrap());
    let mut said = String::new();
    while !said.contains("raised: ") {
        assert!(errors.read_line(&mut said).unwrap() > 0, "{said}");
    }
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
    let mut out = String::new();
    child.stdout.take().unwrap().read_to_string(&mut out).unwrap();
    errors.read_to_string(&mut said).unwrap();
    assert_eq!(child.wait().unwrap().code(), Some(130), "{out}");
    let lines: Vec<serde_json::Value> = out.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let open = lines.iter().filter(|line| line["type"] == "alert" && line["outcome"] != "delivered").count();
    assert_eq!(Some(open as u64), lines.last().unwrap()["lost"].as_u64(), "{out}");
    assert!(open > 0, "{out}");
}

#[test]
fn the_scenario_is_not_written_over() {
    let file = std::env::temp_dir().join(format!("host-sim-{}-scenario.toml", std::process::id()));
    std::fs::write(&file, "anything").unwrap();
    let name = file.to_str().unwrap();
    let (code, _, err) = said(&host_sim(&["replay", name, "--jsonl", name]));
    let left = std::fs::read_to_string(&file).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!((code, left.as_str()), (2, "anything"), "{err}");
    assert!(err.contains("would write over the scenario"), "{err}");
}

#[test]
fn the_question_comes_after_the_line_it_is_about() {
    let program = alertbus_tests::host_sim().display();
    let line = format!("yes '' | head -3 | '{program}' replay --step --only cram-engagement 2>&1");
    for _ in 0..5 {
        let output = Command::new("sh").args(["-c", &line]).output().unwrap();
        let text = String::from_utf8(output.stdout).unwrap();
        let at: Vec<_> =
            text.lines().filter(|line| line.contains("REPLAY") || line.contains("paused")).collect();
        assert!(at.len() >= 4 && at[0].contains("REPLAY") && at[1].contains("paused"), "{text}");
        assert!(at[2].contains("REPLAY") && at[3].contains("paused"), "{text}");
    }
}

#[test]
fn where_input_has_ended_there_is_no_pause() {
    let (code, _, err) = said(&host_sim(&["replay", "--step", "--start-paused", "--only", "camp-taji"]));
    assert_eq!((code, err.matches("paused").count()), (0, 1), "{err}");
}

#[test]
#[cfg(target_os = "linux")]
fn a_full_disk_is_a_lost_sink() {
    let (code, _, err) = said(&host_sim(&["replay", "--jsonl", "/dev/full"]));
    assert_eq!(code, 3);
    assert!(err.contains("`/dev/full` is lost"), "{err}");
}

#[test]
fn a_closed_pipe_is_a_sentence_and_exit_code_3() {
    for form in ["--json", "--quiet"] {
        let mut child = Command::new(alertbus_tests::host_sim())
            .args(["replay", form, "--loop", "50"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut first = String::new();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        out.read_line(&mut first).unwrap();
        drop(out);
        let output = child.wait_with_output().unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        assert_eq!(output.status.code(), Some(3), "{err}");
        assert!(err.to_lowercase().contains("pipe") && !err.contains("panicked"), "{err}");
    }
}

#[test]
#[cfg(unix)]
fn an_interrupt_leaves_a_whole_report_and_exit_code_130() {
    for form in [&[][..], &["--json"]] {
        // Two thousand times real time: minutes for the whole, a line within a second.
        let mut child = Command::new(alertbus_tests::host_sim())
            .args(["replay", "--speed", "2000x"])
            .args(form)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut out = BufReader::new(child.stdout.take().unwrap());
        let mut text = String::new();
        while !text.contains("REPLAY") {
            assert!(out.read_line(&mut text).unwrap() > 0, "{text}");
        }
        let kill = Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap();
        assert!(kill.success());
        out.read_to_string(&mut text).unwrap();
        assert_eq!(child.wait().unwrap().code(), Some(130), "{text}");
        if form.is_empty() {
            assert!(text.contains("INTERRUPTED") && text.contains("run-hash"), "{text}");
            assert!(text.contains(" not played") && !text.contains("matches"), "{text}");
        } else {
            let summary: serde_json::Value = serde_json::from_str(text.lines().last().unwrap()).unwrap();
            assert_eq!((&summary["interrupted"], &summary["alerts"]), (&true.into(), &132.into()));
            assert!(summary["not_played"].as_u64().unwrap() > 100, "{summary}");
        }
    }
}

#[test]
fn paused_it_waits_for_enter_and_steps_from_alert_to_alert() {
    let output = crate::host_sim_reading(
        &["replay", "--start-paused", "--step", "--only", "cram-engagement"],
        b"\n\n\n\n",
    );
    let (code, out, err) = said(&output);
    assert_eq!(code, 0, "{err}");
    assert!(err.contains("paused: Enter plays on"), "{err}");
    assert_eq!(out.lines().filter(|line| line.contains("REPLAY")).count(), 2);
}

#[test]
fn alerts_go_to_a_file_as_well() {
    let folder = std::env::temp_dir().join(format!("alertbus-replay-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("alerts.jsonl");
    let (code, ..) = said(&host_sim(&["replay", "--jsonl", path.to_str().unwrap()]));
    let text = std::fs::read_to_string(&path).unwrap();
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!((code, text.lines().count()), (0, 132));
    assert!(text.lines().all(|line| line.contains(r#""exercise":true"#)));
}

#[test]
fn colours_only_where_they_are_wanted() {
    let plain = said(&host_sim(&["replay", "--only", "cram-engagement"])).1;
    assert!(!plain.contains('\u{1b}') && plain.starts_with("SIMULATION"), "{plain}");
    let coloured = said(&host_sim(&["replay", "--only", "cram-engagement", "--color", "always"])).1;
    assert!(coloured.contains('\u{1b}'));
}
