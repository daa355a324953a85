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

/// A file that is there as long as a test needs it.
struct Scenario(std::path::PathBuf);

impl Scenario {
    fn new(name: &str, text: &str) -> Self {
        let path = std::env::temp_dir().join(format!("alertbus-{}-{name}.toml", std::process::id()));
        std::fs::write(&path, text).unwrap();
        Self(path)
    }

    /// The whole file that the guide shows.
    fn guide() -> String {
        Self::block(0)
    }

    /// The file that the guide shows in this place, counted from 0.
    fn block(number: usize) -> String {
        let guide = std::fs::read_to_string(alertbus_tests::root().join("docs/scenarios.md")).unwrap();
        let block = guide.split("```toml\n").nth(number + 1).unwrap();
        block.split_once("```").unwrap().0.to_owned()
    }

    fn said(&self, command: &str, options: &[&str]) -> (i32, String, String) {
        said(&host_sim(&[&[command, self.0.to_str().unwrap()], options].concat()))
    }
}

impl Drop for Scenario {
    fn drop(&mut self) {
        let _ = std::fs::remove_file(&self.0);
    }
}

#[test]
fn the_scenario_that_the_guide_shows_can_be_played() {
    let scenario = Scenario::new("guide", &Scenario::guide());
    let (code, out, err) = scenario.said("incidents", &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\n1 incident with 1 alert: 1 documented, 0 reconstructed."), "{out}");
    let (code, out, err) = scenario.said("replay", &["--json"]);
    assert_eq!((code, err.as_str()), (0, ""));
    let summary: Value = serde_json::from_str(out.lines().last().unwrap()).unwrap();
    assert_eq!((&summary["alerts"], &summary["delivered"]), (&1.into(), &1.into()));
    let (code, out, _) = scenario.said("incidents", &["--tally"]);
    assert_eq!((code, out.lines().count()), (0, 1));
    assert!(out.starts_with("the scenario has no tally"), "{out}");
    let (_, out, _) = scenario.said("incidents", &["--show", "camp-2020-05-04"]);
    assert!(out.contains("A diary kept at the camp. Written May 2020.\n"), "{out}");
    let line = |words: &str| out.lines().position(|line| line.trim_start().starts_with(words)).unwrap();
    assert!(line("kind ") < line("impact-site "), "{out}");
}

#[test]
fn a_scenario_without_incidents_says_so() {
    let text = Scenario::guide();
    let scenario = Scenario::new("empty", text.split_once("[[incident]]").unwrap().0);
    for command in ["incidents", "replay"] {
        let (code, out, err) = scenario.said(command, &[]);
        assert_eq!((code, out.as_str(), err.as_str()), (2, "", "host-sim: the scenario has no incident\n"));
    }
}

#[test]
fn only_the_options_given_are_blamed_for_what_is_left_out() {
    for (arguments, words) in [
        (&["incidents", "--only", "nosuch"][..], "left to show: `--only nosuch` leaves none"),
        (&["replay", "--only", "nosuch"], "left to play: `--only nosuch` leaves none"),
        (
            &["replay", "--from", "2020-09-12", "--until", "2020-09-13"],
            "left to play: `--from 2020-09-12` and `--until 2020-09-13` together leave none",
        ),
        (&["replay", "--only", ""], "an empty pattern fits nothing; allowed: "),
        (&["incidents", ""], "a scenario has a name; allowed: a file, or carried by the program: iraq"),
        (&["replay", "iraq-2019-202"], "did you mean `iraq-2019-2020`?"),
        (&["replay", "--from", "15.9.2020"], "allowed: YYYY-MM-DD, for example 2020-09-15"),
        (&["incidents", "--seed", "-3"], "a seed is a whole number; allowed: 0 to 18446744073709551615"),
        (&["replay", "--delay", "-5"], "a whole number of milliseconds; allowed: 0 to 600000"),
    ] {
        let (code, out, err) = said(&host_sim(arguments));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}: {err}");
        assert!(err.contains(words), "{words} in {err}");
    }
}

#[test]
#[cfg(unix)]
fn a_closed_pipe_is_named_alike_by_every_command() {
    for arguments in ["incidents", "incidents --json", "replay", "replay --json", "schema", "man"] {
        // `true` reads nothing, and has gone before anything is written.
        let line = format!("(sleep 0.2; \"$0\" {arguments}; echo $? >&2) | true");
        let output = std::process::Command::new("sh")
            .args(["-c", &line, alertbus_tests::host_sim().to_str().unwrap()])
            .output()
            .unwrap();
        let err = String::from_utf8(output.stderr).unwrap();
        let said = "host-sim: standard output is closed: nobody reads the pipe any more\n3\n";
        assert_eq!(err, said, "{arguments}");
    }
}

#[test]
fn quiet_is_switched_by_the_words_that_environments_use() {
    for (word, expected) in [("1", 0), ("yes", 0), ("true", 0), ("0", 0), ("maybe", 2)] {
        let output = std::process::Command::new(alertbus_tests::host_sim())
            .args(["incidents", "--tally"])
            .env("HOST_SIM_QUIET", word)
            .output()
            .unwrap();
        assert_eq!(said(&output).0, expected, "{word}: {}", said(&output).2);
    }
}

#[test]
fn help_begins_with_what_a_command_has_of_its_own() {
    let help = said(&host_sim(&["replay", "--help"])).1;
    let at = |words: &str| help.find(words).unwrap_or_else(|| panic!("{words} in\n{help}"));
    assert!(at("--speed") < at("Output:") && at("Output:") < at("--json"), "{help}");
    assert!(at("--jsonl") < at("Link faults:") && at("--delay") < at("Global options:"), "{help}");
    assert!(at("Global options:") < at("--color") && at("--color") < at("--verbose"), "{help}");
}

#[test]
fn a_full_disk_is_no_panic() {
    let output = std::process::Command::new("sh")
        .args(["-c", "\"$0\" incidents --json; echo $? >&2", alertbus_tests::host_sim().to_str().unwrap()])
        .stdout(std::fs::File::options().write(true).open("/dev/full").unwrap())
        .output()
        .unwrap();
    let err = String::from_utf8(output.stderr).unwrap();
    assert!(
        err.trim_end().ends_with('3') && err.contains("cannot write to standard output: No space left"),
        "{err}"
    );
}

#[test]
fn every_scenario_that_is_shipped_shows_its_incidents_and_adds_up() {
    for (name, incidents, documented, tallies) in [
        ("iraq-2019-2020", 130, 12, 6),
        ("six-sites", 130, 12, 6),
        ("fourteen-sites", 130, 12, 6),
        ("convoy", 69, 3, 3),
        ("flood", 1, 0, 0),
        ("attacker", 8, 8, 0),
    ] {
        let shown = lines(&["incidents", name, "--json"]);
        let marked = |mark: &str| shown.iter().filter(|incident| incident["mark"] == mark).count();
        assert_eq!((shown.len(), marked("documented")), (incidents, documented), "{name}");
        assert_eq!(marked("modelled"), usize::from(name == "flood"), "{name}");
        let rows = lines(&["incidents", name, "--tally", "--json"]);
        assert_eq!(rows.len(), tallies, "{name}");
        assert!(rows.iter().all(|row| row["matches"] == true), "{name}");
        let help = said(&host_sim(&["incidents", "--help"])).1;
        assert!(help.contains(name), "{help}");
    }
}

#[test]
fn a_drill_is_never_shown_as_documented_or_reconstructed() {
    let (code, table, _) = said(&host_sim(&["incidents", "flood"]));
    assert_eq!(code, 0);
    assert!(table.contains("493 alerts: 0 documented, 0 reconstructed, 1 modelled."), "{table}");
    assert!(table.contains(" drone-sighting+rocket-launch+cram-engagement "), "each kind once: {table}");
    // A scenario without drills does not speak of them.
    let (_, table, _) = said(&host_sim(&["incidents"]));
    assert!(!table.contains("modelled"), "{table}");
    assert_eq!(said(&host_sim(&["incidents", "flood", "--documented"])).0, 2);
}

#[test]
fn the_guide_lays_one_file_over_another_and_builds_sites_and_convoys() {
    let taji = Scenario::new("taji", &Scenario::block(1));
    let (code, out, err) = taji.said("incidents", &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\n2 incidents with 2 alerts: 2 documented, 0 reconstructed."), "{out}");
    // What it shows of layouts is parts of a file; with the first one, and its names, they make a whole.
    let site = |id: &str, number: &str| {
        let guide = Scenario::guide();
        let (_, site) = guide.split_once("[[site]]").unwrap();
        let site = site.split("[[node]]").next().unwrap().replace("\"camp\"", &format!("\"{id}\""));
        format!("[[site]]{}", site.replace("number = 1 ", &format!("number = {number} ")))
    };
    let rest = [("road", "2"), ("somewhere", "3"), ("outpost", "4")].map(|(id, number)| site(id, number));
    let defences = "[[node]]\nid = \"camp/c-ram\"\nnumber = 9\nsite = \"camp\"\ndetects = [\"cram-engagement\"]\n\
                    [[siren]]\nid = \"camp/siren\"\nnumber = 10\nsite = \"camp\"\n";
    let whole = format!("{}\n{}{}{defences}", Scenario::guide(), Scenario::block(2), rest.concat());
    let (code, out, err) = Scenario::new("layout", &whole).said("incidents", &[]);
    assert_eq!((code, err.as_str()), (0, ""));
    assert!(out.contains("\n1 incident with 1 alert"), "{out}");
}

#[test]
fn a_file_laid_over_another_is_refused_with_its_own_places() {
    let head = "schema = 1\nname = \"s\"\ndescription = \"d\"\nutc-offset-min = 180\n";
    for (name, rest, words) in [
        ("base", "[base]\nscenario = \"six-site\"\n", &["did you mean `six-sites`?", ":6:12"][..]),
        (
            "without",
            "[base]\nscenario = \"six-sites\"\nwithout = [\"basra/siren\"]\n",
            &[":7:12", "basra/siren"],
        ),
        (
            "umbrella",
            "[base]\nscenario = \"six-sites\"\nwithout = [\"site-06/siren\"]\n",
            &[":6:12", "site-06"],
        ),
        ("bare", "", &["`site` is missing", "[[site]], or a base"]),
    ] {
        let scenario = Scenario::new(name, &format!("{head}{rest}"));
        for command in ["incidents", "replay"] {
            let (code, out, err) = scenario.said(command, &[]);
            assert_eq!((code, out.as_str()), (2, ""), "{name}: {err}");
            assert!(words.iter().all(|word| err.contains(word)), "{name}: {err}");
        }
    }
}
