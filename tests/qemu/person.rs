//! What a person at `host-sim qemu` types and reads.

use std::fs;
use std::io::{Write, pipe};
use std::path::Path;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Instant;

use alertbus_tests::firmware::BOARDS;
use serde_json::Value;

use crate::joined::{ALERTS, Joined, LOOK, PATIENCE, host_sim, image, qemu_of, signal, store};

/// Columns of a row where standard output is no terminal.
const COLUMNS: usize = 120;

/// What a pipe takes before its writer waits, in bytes.
const PIPE_LEN: usize = 1 << 16;

#[test]
fn what_is_told_again_of_another_run_is_never_taken_for_a_live_alert() {
    let store = store("again");
    let arguments = format!("--store {}", store.display());
    let mut first = Joined::start(image(), &arguments);
    first.until_field("alert", "headline", "REPLAY ");
    first.kill();
    let mut second = Joined::start(image(), &format!("{arguments} --scenario none"));
    second.until_field("alert", "headline", "AGAIN");
    second.type_in("raise rocket-launch rounds=3");
    second.until_field("alert", "headline", "rounds 3");
    second.type_in("quit");
    assert_eq!(second.end(), 0, "{}", second.transcript());
    for (alert, begins) in first
        .of("alert")
        .map(|alert| (alert, "REPLAY "))
        .chain(second.of("alert").map(|alert| (alert, "BENCH ")))
    {
        assert!(alert["headline"].as_str().unwrap().starts_with(begins), "{alert}");
        assert!(alert["exercise"] == true && alert["mark"] != "live", "{alert}");
    }
    fs::remove_dir_all(&store).unwrap();
}

#[test]
fn rows_fit_and_a_run_that_went_well_does_not_end_like_a_failure() {
    let mut command = Command::new(host_sim());
    let output = command.arg("qemu").arg(image()).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{text}");
    let longest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!((COLUMNS / 2..=COLUMNS).contains(&longest), "{longest}");
    assert!(
        text.contains("`help` lists what can be typed") && text.contains(" received, the same; sha256 "),
        "{text}"
    );
    assert!(!text.contains("gone"), "{text}");
}

#[test]
fn a_node_without_a_log_tells_what_has_left_it() {
    let image = BOARDS[0].build(&["witness"], &["node"]).remove(0);
    let mut joined = Joined::start(&image, "");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    assert_eq!((&joined.summary()["delivered"], &joined.summary()["other"]), (&ALERTS.into(), &0.into()));
    let settled = joined.of("board").filter_map(|line| line["text"].as_str()?.strip_suffix(" settled"));
    assert_eq!(settled.last(), Some(&*format!("node: {ALERTS}")));
}

#[test]
fn a_pin_that_is_not_there_is_told_with_those_that_are() {
    let mut joined = Joined::start(image(), "--scenario none");
    joined.type_in("pin 9 low");
    joined.until("board", "node: no pin 9; allowed: 0 to 2");
    joined.type_in("quit");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
}

#[test]
fn a_siren_is_warned_and_cleared_from_the_prompt() {
    let image = BOARDS[0].build(&["defmt", "witness"], &["siren"]).remove(0);
    let mut joined = Joined::start(&image, "");
    joined.until("rig", "nothing is played: a siren has no detections");
    joined.until("uplink", "reports: start 1");
    for (typed, answer) in
        [("test 12 1", "test"), ("warn 12 rocket-launch 60", "warning"), ("clear 12", "all-clear")]
    {
        joined.type_in(typed);
        let given = joined.until("gateway", &format!("{answer} 1/1/"));
        let id = given["text"].as_str().unwrap().split(' ').nth(1).unwrap().to_owned();
        assert_eq!(joined.until_field("gateway", "command", &id)["result"], "done", "{typed}");
    }
    joined.type_in("raise rocket-launch");
    joined.type_in("quit");
    assert_eq!(joined.end(), 0, "{}", joined.transcript());
    assert!(joined.of("log").any(|line| line["level"] == "info"), "{}", joined.transcript());
    let refused =
        joined.seen.iter().filter_map(Value::as_str).any(|line| line.contains("takes nothing from a rig"));
    assert!(refused, "{}", joined.transcript());
    let mut joined = Joined::start(&image, "--scenario six-sites");
    assert_eq!(joined.end(), 2);
    assert!(joined.transcript().contains("is a siren, which has no detections"), "{}", joined.transcript());
}

#[test]
fn quit_says_what_it_waits_for_and_a_second_one_does_not_wait() {
    let mut joined = Joined::start(image(), "--scenario none");
    let qemu = qemu_of(&mut joined);
    joined.until("uplink", "reports: start 1");
    signal("STOP", &qemu);
    joined.type_in("raise rocket-launch\nquit");
    joined.until("rig", "waits for 1 alert to be delivered");
    joined.type_in("quit");
    assert_eq!(joined.end(), 1, "{}", joined.transcript());
    assert_eq!((&joined.summary()["open"], &joined.summary()["equal"]), (&1.into(), &Value::Null));
}

/// Nobody reads what it shows, so that it cannot show the last of it.
#[test]
fn a_second_interrupt_ends_a_run_that_the_first_cannot() {
    let store = store("interrupts");
    let (_unread, mut out) = pipe().unwrap();
    out.write_all(&[b'\n'; PIPE_LEN]).unwrap();
    let mut command = Command::new(host_sim());
    command.arg("qemu").arg(image()).args(["--scenario", "none", "--store"]).arg(&store);
    let mut child = command.stdin(Stdio::piped()).stdout(out).stderr(Stdio::null()).spawn().unwrap();
    let begun = Instant::now();
    let until = |what: &mut dyn FnMut() -> bool| {
        while !what() {
            assert!(begun.elapsed() < PATIENCE, "it goes on");
            thread::sleep(LOOK);
        }
    };
    let mut qemu = String::new();
    until(&mut || {
        let lock = fs::read_to_string(store.join("lock")).unwrap_or_default();
        qemu = lock.trim_end().split_once("its QEMU ").map_or_else(String::new, |(_, id)| id.to_owned());
        !qemu.is_empty()
    });
    signal("INT", &child.id().to_string());
    until(&mut || !Path::new("/proc").join(&qemu).exists());
    assert!(child.try_wait().unwrap().is_none(), "it has shown what nobody took");
    signal("INT", &child.id().to_string());
    let mut code = None;
    until(&mut || {
        code = child.try_wait().unwrap();
        code.is_some()
    });
    assert_eq!(code.unwrap().code(), Some(130));
    fs::remove_dir_all(&store).unwrap();
}
