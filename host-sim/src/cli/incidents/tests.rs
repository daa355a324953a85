//! What the command prints, in each of its forms.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use clap::Parser;
use serde_json::Value;

use super::*;

#[derive(Parser)]
struct Command {
    #[command(flatten)]
    args: Args,
}

fn run(arguments: &[&str]) -> (String, ExitCode) {
    let command = Command::parse_from(std::iter::once("incidents").chain(arguments.iter().copied()));
    let mut out = Vec::new();
    let code = print(&command.args, &mut out).unwrap();
    (String::from_utf8(out).unwrap(), code)
}

fn objects(arguments: &[&str]) -> Vec<Value> {
    run(arguments).0.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

#[test]
fn the_tally_as_six_objects() {
    let text = run(&["--tally", "--json"]).0;
    let first = "{\"tally\":\"convoys\",\"quarter\":\"2020-Q1\",\"documented\":0,\"reconstructed\":14,\
                 \"total\":14,\"source_total\":14,\"matches\":true}\n";
    assert!(text.starts_with(first), "{text}");
    let rows = objects(&["--tally", "--json"]);
    assert_eq!(rows.len(), 6);
    assert_eq!(
        rows.iter().map(|row| row["total"].as_u64().unwrap()).collect::<Vec<_>>(),
        [14, 27, 25, 19, 11, 27]
    );
    assert!(rows.iter().all(|row| row["matches"] == true && row.as_object().unwrap().len() == 7));
    assert_eq!(run(&["--tally"]).0.lines().count(), 7);
}

#[test]
fn all_incidents_as_objects() {
    let all = objects(&["--json"]);
    let alerts =
        |objects: &[Value]| objects.iter().map(|o| o["alerts"].as_array().unwrap().len()).sum::<usize>();
    assert_eq!((all.len(), alerts(&all)), (130, 132));
    let documented: Vec<_> = all.iter().filter(|object| object["mark"] == "documented").cloned().collect();
    assert_eq!((documented.len(), alerts(&documented)), (12, 14));
    assert_eq!(objects(&["--json", "--documented"]), documented);
    assert_eq!(objects(&["--json", "--context"]).len(), 130 + 14);
    assert!(all.is_sorted_by_key(|object| object["time_ms"].as_u64().unwrap()));
    let taji = objects(&["--json", "--show", "camp-taji-2020-03-11"]);
    assert_eq!(taji[0]["alerts"][0]["fields"]["impact_site"], "camp-taji");
    assert!(taji[0]["time"].as_str().unwrap().starts_with("2020-03-11T"));
}

#[test]
fn a_pattern_chooses_by_id_site_or_kind() {
    assert_eq!(objects(&["--json", "--only", "convoys-*"]).len(), 66);
    assert_eq!(objects(&["--json", "--only", "cram-engagement"]).len(), 1);
    assert_eq!(objects(&["--json", "--only", "unnamed-base-2"]).len(), 1);
    for arguments in [&["incidents", "--only", "nothing"][..], &["incidents", "--only", "nothing", "--json"]]
    {
        let error = print(&Command::parse_from(arguments).args, &mut Vec::new()).unwrap_err().to_string();
        assert!(error.starts_with("no incident is left to show: `--only nothing` leaves none; "), "{error}");
    }
    assert!(Command::try_parse_from(["incidents", "--only", "a***"]).is_err());
}

#[test]
fn values_and_features() {
    let values = run(&["--csv"]).0;
    assert_eq!(values.lines().count(), 133);
    assert!(values.lines().all(|line| line.matches(',').count() >= 21));
    let features: Value = serde_json::from_str(&run(&["--geojson"]).0).unwrap();
    let features = features["features"].as_array().unwrap();
    assert_eq!(features.len(), 130);
    let taji = features.iter().find(|feature| feature["id"] == "camp-taji-2020-03-14").unwrap();
    assert_eq!(taji["geometry"]["coordinates"], serde_json::json!([44.25, 33.53]));
    assert_eq!(
        (&taji["properties"]["mark"], &taji["properties"]["accuracy_km"]),
        (&"documented".into(), &5.0.into())
    );
}

#[test]
fn one_incident_field_by_field() {
    let (text, _) = run(&["--show", "embassy-roof-2020-07-22"]);
    let line = |name: &str| text.lines().find(|line| line.trim_start().starts_with(name)).unwrap_or_default();
    assert!(line("equivalent-calibre-mm").ends_with("inferred  82"), "{text}");
    assert!(line("time-of-day").contains("modelled"), "{text}");
    assert!(line("node").contains("modelled"), "{text}");

    let command = Command::parse_from(["incidents", "--show", "embassy-roof-2020-07-23"]);
    let error = print(&command.args, &mut Vec::new()).unwrap_err().to_string();
    assert!(error.contains("did you mean `embassy-roof-2020-07-22`?"), "{error}");
}

#[test]
fn a_closed_pipe_is_an_error_of_its_own() {
    struct Closed;
    impl Write for Closed {
        fn write(&mut self, _: &[u8]) -> io::Result<usize> {
            Err(io::ErrorKind::BrokenPipe.into())
        }
        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }
    for arguments in
        [&[][..], &["--json"], &["--csv"], &["--geojson"], &["--tally"], &["--show", "camp-taji-2020-03-11"]]
    {
        let command = Command::parse_from(std::iter::once("incidents").chain(arguments.iter().copied()));
        let error = print(&command.args, &mut Closed).unwrap_err();
        let pipe = error.chain().filter_map(|cause| cause.downcast_ref::<io::Error>()).next();
        assert_eq!(pipe.map(io::Error::kind), Some(io::ErrorKind::BrokenPipe), "{arguments:?}");
    }
}

#[test]
fn the_seed_shapes_only_what_is_not_known() {
    let table = |seed: &str| run(&["--seed", seed]).0;
    assert_eq!(table("4"), table("4"));
    assert_ne!(table("4"), table("5"));
    assert!(table("4").contains("130 incidents with 132 alerts: 12 documented, 118 reconstructed."));
}
