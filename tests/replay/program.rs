//! The program as a user runs it.

use std::process::{Command, Output};

use serde_json::Value;

fn replay(arguments: &str) -> Output {
    let mut command = Command::new(alertbus_tests::host_sim());
    command.arg("replay").args(arguments.split_whitespace()).env_remove("HOST_SIM_SEED").output().unwrap()
}

/// All JSON lines of a run, the summary last.
fn json(arguments: &str) -> (i32, Vec<Value>) {
    let output = replay(&format!("{arguments} --json"));
    let text = String::from_utf8(output.stdout).unwrap();
    (output.status.code().unwrap(), text.lines().map(|line| serde_json::from_str(line).unwrap()).collect())
}

fn number(value: &Value, field: &str) -> u64 {
    value[field].as_u64().unwrap_or_else(|| panic!("{field} in {value}"))
}

#[test]
fn the_same_seed_gives_the_same_bytes_and_another_seed_another_hash() {
    for form in ["--json", "--color always", "--json --drop 20% --reorder 10% --delay 300"] {
        let runs = [7, 7, 8].map(|seed| replay(&format!("--seed {seed} {form}")).stdout);
        assert!(!runs[0].is_empty());
        assert_eq!(runs[0], runs[1], "{form}");
        assert_ne!(runs[0], runs[2], "{form}");
    }
    let hash = |seed: u32| json(&format!("--seed {seed}")).1.pop().unwrap()["run_hash"].clone();
    assert_ne!(hash(7), hash(8));
}

#[test]
fn the_speed_changes_nothing_but_the_time_it_takes() {
    let only = "--only camp-taji --seed 3";
    assert_eq!(replay(only).stdout, replay(&format!("{only} --speed 1000000x")).stdout);
}

#[test]
fn the_summary_says_what_was_played() {
    let (code, lines) = json("--seed 7");
    let (summary, alerts) = lines.split_last().unwrap();
    assert_eq!((code, alerts.len()), (0, 132));
    assert_eq!(summary["type"], "summary");
    for (field, expected) in [
        ("incidents", 130),
        ("alerts", 132),
        ("delivered", 132),
        ("lost", 0),
        ("duplicates_delivered", 0),
        ("forged_delivered", 0),
        ("frames_dropped", 0),
        ("retries", 0),
        ("seed", 7),
    ] {
        assert_eq!(number(summary, field), expected, "{field}");
    }
    assert!(number(summary, "bytes_max") <= 51 && number(summary, "bytes_median") <= 40);
    assert!(number(summary, "frames_sent") > 4 * 132, "up and down, over two hops each");
    assert_eq!(summary["run_hash"].as_str().unwrap().len(), 64);
    for alert in alerts {
        assert_eq!(
            (&alert["type"], &alert["exercise"], &alert["outcome"]),
            (&"alert".into(), &true.into(), &"delivered".into())
        );
        assert!(alert["headline"].as_str().unwrap().starts_with("REPLAY "));
    }
    let documented = alerts.iter().filter(|alert| alert["mark"] == "documented").count();
    assert_eq!(documented, 14);
}

#[test]
fn nothing_arrives_where_everything_is_dropped_and_all_is_accounted_for() {
    let (code, lines) = json("--drop 100%");
    let summary = lines.last().unwrap();
    assert_eq!(code, 1);
    assert_eq!(
        (number(summary, "delivered"), number(summary, "lost"), number(summary, "alerts")),
        (0, 132, 132)
    );
    assert_eq!(number(summary, "frames_dropped"), number(summary, "frames_sent"));
    let mut accounted = 0;
    for row in summary["precedences"].as_array().unwrap() {
        let ended: u64 = ["refused", "displaced", "expired", "undelivered", "open"]
            .map(|field| number(row, field))
            .iter()
            .sum();
        assert_eq!(number(row, "raised"), ended, "{row}");
        assert!(row["latency_ms_max"].is_null());
        accounted += ended;
        if row["precedence"] == "flash" {
            assert_eq!(number(row, "open"), ended, "Flash is never given up");
        }
    }
    assert_eq!(accounted, 132);
    // Every alert is named, with how it ended.
    let told = |outcome: &str| lines.iter().filter(|line| line["outcome"] == outcome).count() as u64;
    let count = |field: &str| -> u64 {
        summary["precedences"].as_array().unwrap().iter().map(|row| number(row, field)).sum()
    };
    assert_eq!((told("expired"), told("open")), (count("expired"), count("open")));
    assert_eq!(lines.len(), 132 + 1);
}

#[test]
fn every_alert_arrives_once_through_heavy_faults() {
    for seed in 1..=20 {
        let (code, lines) =
            json(&format!("--seed {seed} --drop 30% --duplicate 10% --corrupt 5% --reorder 20%"));
        let summary = lines.last().unwrap();
        assert_eq!(code, 0, "seed {seed}: {summary}");
        assert_eq!((number(summary, "delivered"), number(summary, "lost")), (132, 0), "seed {seed}");
        assert_eq!((number(summary, "duplicates_delivered"), number(summary, "forged_delivered")), (0, 0));
        assert!(number(summary, "bytes_max") <= 51 && number(summary, "bytes_median") <= 40, "seed {seed}");
        for fault in ["dropped", "duplicated", "reordered", "corrupted", "rejected"] {
            assert!(number(summary, &format!("frames_{fault}")) > 0, "seed {seed}: {fault}");
        }
        assert!(number(summary, "retries") > 0);
    }
}

#[test]
fn a_part_of_the_time_line() {
    let (code, lines) = json("--from 2020-09-15 --until 2020-09-15 --seed 2");
    let summary = lines.last().unwrap();
    assert_eq!(code, 0);
    assert!(number(summary, "incidents") >= 2 && number(summary, "alerts") >= 3);
    let days = lines.iter().filter_map(|line| line["time"].as_str());
    assert!(days.into_iter().all(|time| time.starts_with("2020-09-15T")));
    assert_eq!(
        summary["tallies"],
        Value::Array(Vec::new()),
        "a part adds up to nothing that a source counts"
    );
    let (_, lines) = json("--only cram-engagement");
    assert_eq!(number(lines.last().unwrap(), "alerts"), 2, "the salvo and its defence");
}

#[test]
fn played_twice_in_one_go() {
    let (code, lines) = json("--loop 2 --only convoy-ied");
    let summaries: Vec<&Value> = lines.iter().filter(|line| line["type"] == "summary").collect();
    assert_eq!((code, summaries.len()), (0, 2));
    assert_eq!(summaries[0], summaries[1]);
}
