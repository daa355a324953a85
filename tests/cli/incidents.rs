//! `host-sim incidents` and scenario files that are wrong.

use serde_json::Value;

use crate::{host_sim, said};

fn lines(arguments: &[&str]) -> Vec<Value> {
    let (code, out, err) = said(&host_sim(arguments));
    assert_eq!(code, 0, "{err}");
    out.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn six_tallies_add_up_to_what_the_sources_count() {
    let tallies = lines(&["incidents", "--tally", "--json"]);
    let expected = [
        ("convoys", "2020-Q1", 0, 14),
        ("convoys", "2020-Q2", 0, 27),
        ("convoys", "2020-Q3", 0, 25),
        ("rockets-and-drones", "2020-Q1", 2, 19),
        ("rockets-and-drones", "2020-Q2", 0, 11),
        ("rockets-and-drones", "2020-Q3", 3, 27),
    ];
    assert_eq!(tallies.len(), expected.len());
    for (line, (tally, quarter, documented, total)) in tallies.iter().zip(expected) {
        assert_eq!((&line["tally"], &line["quarter"]), (&tally.into(), &quarter.into()));
        assert_eq!((&line["documented"], &line["total"]), (&documented.into(), &total.into()));
        assert_eq!(line["reconstructed"], Value::from(total - documented));
        assert_eq!((&line["source_total"], &line["matches"]), (&total.into(), &true.into()));
        assert_eq!(line.as_object().unwrap().len(), 7);
    }
}

#[test]
fn all_incidents_and_all_their_alerts_are_there() {
    let incidents = lines(&["incidents", "--json"]);
    let alerts = |incidents: &[&Value]| -> usize {
        incidents.iter().map(|incident| incident["alerts"].as_array().unwrap().len()).sum()
    };
    let all: Vec<&Value> = incidents.iter().collect();
    let documented: Vec<&Value> =
        all.iter().copied().filter(|incident| incident["mark"] == "documented").collect();
    assert_eq!((all.len(), alerts(&all)), (130, 132));
    assert_eq!((documented.len(), alerts(&documented)), (12, 14));
}

/// The shipped scenario with one thing changed, in a file.
fn changed(name: &str, from: &str, to: &str) -> (i32, String, String) {
    let text = std::fs::read_to_string(alertbus_tests::root().join("host-sim/scenarios/iraq-2019-2020.toml"))
        .unwrap();
    assert!(text.contains(from), "the scenario has no `{from}`");
    let path = std::env::temp_dir().join(format!("alertbus-{}-{name}.toml", std::process::id()));
    std::fs::write(&path, text.replacen(from, to, 1)).unwrap();
    let outcomes: Vec<_> =
        ["incidents", "replay"].map(|command| said(&host_sim(&[command, path.to_str().unwrap()]))).into();
    std::fs::remove_file(&path).unwrap();
    assert!(outcomes[0] == outcomes[1], "both commands refuse alike");
    outcomes.into_iter().next().unwrap()
}

#[test]
fn what_is_wrong_is_named_with_its_place_and_nothing_runs() {
    for (name, from, to, words) in [
        ("latitude", "\nlatitude = ", "\nlatitude = 91.0 #", &["91", "-90", "90"][..]),
        ("schema", "schema = 1", "schema = 2", &["2", "1"]),
        ("kind", "kind = \"rocket-launch\"", "kind = \"rocket-lunch\"", &["rocket-lunch", "rocket-launch"]),
        ("day", "from = 2020-09-02", "from = 2020-02-30", &["2020-02-30"]),
        ("tally", "count = 27", "count = 28", &["28", "27"]),
        ("key", "utc-offset-min", "utc-offset", &["utc-offset"]),
    ] {
        let (code, out, err) = changed(name, from, to);
        assert_eq!((code, out.as_str()), (2, ""), "{name}: {err}");
        assert!(words.iter().all(|word| err.contains(word)), "{name}: {err}");
        // `-->` or `:::` lead to file:line:column, and a caret stands under the value.
        let place = err.lines().find(|line| line.contains(&format!("-{name}.toml:"))).unwrap_or_default();
        let mut numbers = place.rsplit(':');
        assert!(numbers.next().unwrap_or_default().trim().parse::<u32>().is_ok(), "{name}: {err}");
        assert!(numbers.next().unwrap_or_default().parse::<u32>().is_ok(), "{name}: {err}");
        assert!(err.contains('^'), "{name}: {err}");
    }
}

#[test]
fn a_closed_pipe_is_no_panic() {
    let output = std::process::Command::new("sh")
        .args(["-c", "\"$0\" incidents --json; echo $? >&2", alertbus_tests::host_sim().to_str().unwrap()])
        .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(err.trim_end().ends_with('3') && !err.contains("panicked"), "{err}");
}
