//! Fields good and bad, and every alert through `encode` and `decode`.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use alertbus::limits::PACKET_LEN_MAX_RADIO;
use clap::Parser;
use proptest::prelude::*;
use serde_json::Value;

use super::*;
use crate::scenario::Scenario;

#[derive(Debug, Parser)]
struct Line {
    #[command(flatten)]
    args: Args,
}

fn encode(arguments: &[&str]) -> anyhow::Result<Vec<u8>> {
    seal(&Line::try_parse_from([&["encode"], arguments].concat())?.args)
}

fn refusal(arguments: &[&str]) -> String {
    encode(arguments).unwrap_err().to_string()
}

#[test]
fn a_bad_field_is_named_with_what_is_allowed() {
    for (arguments, message) in [
        (&["rocket-launch", "weapon"][..], "`weapon` has no `=`; fields are written FIELD=VALUE"),
        (
            &["rocket-launch", "weapon=rockt"],
            "`weapon` is `rockt`; did you mean `rocket`? allowed: rocket, mortar,",
        ),
        (
            &["rocket-launch", "wepon=rocket"],
            "rocket-launch has no field `wepon` (value `rocket`); did you mean `weapon`?",
        ),
        (&["rocket-launch", "rounds=0"], "`rounds` is `0`; allowed: a whole number, 1 to 255"),
        (&["rocket-launch", "rounds=-1"], "`rounds` is `-1`; allowed: a whole number, 1 to 255"),
        (&["rocket-launch", "rounds=3", "rounds=3"], "`rounds` is given twice"),
        (
            &["rocket-launch", "time-to-impact-s=6553.5"],
            "`time-to-impact-s` is `6553.5`; allowed: a number, 0 to 6553.4",
        ),
        (&["rocket-launch", "latitude=91"], "`latitude` is `91`; allowed: a number, -90 to 90"),
        (&["rocket-launch", "latitude=33"], "`longitude` is missing; a place needs"),
        (
            &["rocket-launch", "time=2020-02-30T00:00:00Z"],
            "`time` is `2020-02-30T00:00:00Z`; allowed: a time such as",
        ),
        (
            &["rocket-launch", "time=2120-01-01T00:00:00Z"],
            "`time` is `2120-01-01T00:00:00Z`; allowed: a time such as",
        ),
        (&["rocket-launch", "clock-quality=second"], "`clock-quality` is given and `time` is missing"),
        (&["rocket-launch", "reference=back:1"], "`reference` is `back:1` and the phase is onset"),
        (
            &["rocket-launch", "phase=update", "reference=back:0"],
            "`reference` is `back:0`; allowed: all, back:N",
        ),
        (&["rocket-launch", "impact-site=camp-taj"], "`impact-site` is `camp-taj`, neither a number"),
        (&["convoy-ied", "weapon=rocket"], "convoy-ied has no field `weapon`"),
    ] {
        let got = refusal(arguments);
        assert!(got.starts_with(message), "{arguments:?}: {got}");
    }
    assert!(refusal(&["rocket-launch", "impact-site=camp-taj"]).contains("did you mean `camp-taji`?"));
}

#[test]
fn numbers_that_no_node_may_use_are_refused() {
    for option in [["--node", "0"], ["--counter", "0"], ["--counter", "2147483648"], ["--seq", "0"]] {
        assert!(encode(&[&["summary"], &option[..]].concat()).is_err(), "{option:?}");
    }
    assert!(encode(&["summary", "--seq", "2147483647", "--counter", "2147483647"]).is_ok());
}

#[test]
fn the_longest_alert_fits_the_small_radio_profile() {
    let numbers = ["reference=back:2147483647", "--seq", "2147483647"];
    let packet = encode(&[&["rocket-launch", "phase=update"], &numbers[..]].concat());
    assert!(packet.unwrap().len() <= PACKET_LEN_MAX_RADIO);
}

/// Scenarios and `encode` know the same fields with the same ranges; so a line of the one serves the other.
#[test]
fn fields_and_ranges_are_those_of_scenario_files() {
    let schema = Scenario::schema().to_value();
    let branches = schema["$defs"]["BodySpec"]["oneOf"].as_array().expect("kinds in the schema");
    let help = fields::help();
    for branch in branches {
        let kind = branch["properties"]["kind"]["const"].as_str().unwrap();
        for (name, field) in
            branch["properties"].as_object().unwrap().iter().filter(|(name, _)| *name != "kind")
        {
            let listed = help.split("\n\n").find(|part| part.starts_with(&format!("Fields of {kind}:")));
            let line = listed.and_then(|part| {
                part.lines().find(|line| line.trim_start().starts_with(&format!("{name}=")))
            });
            let line = line.unwrap_or_else(|| panic!("{kind} has no field {name}"));
            if let Some(most) = field["maximum"].as_u64().filter(|_| name != "time-to-impact-s") {
                let least = field["minimum"].as_u64().unwrap_or(0);
                assert!(line.ends_with(&format!("={least}..{most}")), "{kind}: {line}, {least} to {most}");
            }
        }
    }
}

/// What `decode` reads, as arguments for `encode`.
fn arguments_from(object: &Value) -> Vec<String> {
    let mut options = Vec::new();
    let mut pairs = Vec::new();
    let mut kind = String::new();
    for field in object["fields"].as_array().unwrap() {
        let value = field["value"].as_str().map_or_else(|| field["value"].to_string(), String::from);
        match (field["part"].as_str().unwrap(), field["name"].as_str().unwrap()) {
            ("header", "node") => options.push(format!("--node={value}")),
            ("header", "counter") => options.push(format!("--counter={value}")),
            ("header", "epoch") => options.push(format!("--epoch={value}")),
            ("header", "precedence") => options.push(format!("--precedence-min={value}")),
            ("header", "exercise") if value == "true" => options.push("--exercise".into()),
            ("body", "seq") => options.push(format!("--seq={value}")),
            ("body", "kind") => kind = value,
            ("body", name) if value != "null" => pairs.push(format!("{name}={value}")),
            _ => {}
        }
    }
    [vec![kind], options, pairs].concat()
}

fn decoded(packet: &[u8]) -> Value {
    crate::cli::decode::tests::packet_object(packet, &Keys::of_seed(1))
}

#[test]
fn what_decode_reads_encode_writes_again() {
    let packet = encode(&[
        "rocket-launch",
        "weapon=rocket",
        "rounds=3",
        "calibre-mm=107",
        "latitude=33.3",
        "longitude=44.4",
        "accuracy-km=0.5",
        "severity=extreme",
        "urgency=immediate",
        "certainty=observed",
        "time=2020-01-08T01:34:00Z",
        "clock-quality=second",
        "phase=update",
        "reference=back:3",
        "time-to-impact-s=9.4",
        "impact-site=camp-taji",
        "--seq=300",
    ]);
    let packet = packet.unwrap();
    let again = arguments_from(&decoded(&packet));
    let again: Vec<_> = again.iter().map(String::as_str).collect();
    assert!(
        again.contains(&"time=2020-01-08T01:34:00.000Z") && again.contains(&"reference=back:3"),
        "{again:?}"
    );
    assert_eq!(encode(&again).unwrap(), packet, "{again:?}");
}

proptest! {
    /// Any bytes are some alert, so random payloads of every kind go through both commands.
    #[test]
    fn every_alert_goes_through_both(
        kind in prop::sample::select(Body::NAMES.to_vec()),
        content in prop::collection::vec(any::<u8>(), 40),
        seq in 1_u32..=SEQ_MAX,
        counter in 1_u32..UP_COUNTER_MAX,
        exercise in any::<bool>(),
    ) {
        let packet = random_packet(kind, content, seq, counter, exercise);
        let first = arguments_from(&decoded(&packet));
        let first: Vec<_> = first.iter().map(String::as_str).collect();
        // Numbers that no scenario may write, such as a bearing of 400 degrees, are read and not written.
        if let Ok(second) = encode(&first) {
            let again = arguments_from(&decoded(&second));
            prop_assert_eq!(&again.iter().map(String::as_str).collect::<Vec<_>>(), &first);
            prop_assert_eq!(encode(&first).unwrap(), second);
        }
    }

    #[test]
    fn no_argument_panics(kind in prop::sample::select(Body::NAMES.to_vec()), pairs in prop::collection::vec(".{0,20}=.{0,20}|[a-z-]{1,12}=.*", 0..4)) {
        let mut arguments = vec![kind, "--"];
        arguments.extend(pairs.iter().map(String::as_str));
        let _ = encode(&arguments);
    }

    #[test]
    fn no_value_of_a_known_field_panics(
        name in prop::sample::select(vec!["time", "latitude", "accuracy-km", "rounds", "reference", "weapon", "impact-site"]),
        value in ".*|-?[0-9]{1,25}(\\.[0-9]{0,9})?(e[0-9]{1,4})?|(back|other):[0-9]{0,12}",
    ) {
        let _ = encode(&["rocket-launch", "phase=update", &format!("{name}={value}")]);
    }
}

/// A packet with a payload of these bytes, sealed past `encode`.
fn random_packet(kind: &str, mut content: Vec<u8>, seq: u32, counter: u32, exercise: bool) -> Vec<u8> {
    use alertbus::message::Alert;

    let is_kind = |code: &u8| {
        let fixed = [&[0, 0, *code], &[0; 20][..]].concat();
        (15..=fixed.len())
            .any(|len| Alert::decode(&fixed[..len]).is_ok_and(|alert| alert.body.name() == kind))
    };
    content[2] = (0..=u8::MAX).find(is_kind).unwrap();
    // A reference, where there is one, of no more than two bytes.
    content[16] &= 0x7f;
    let alert = (15..=content.len()).find_map(|len| Alert::decode(&content[..len]).ok()).unwrap();
    let precedence = alert.body.precedence();
    let header = Header { class: Class::Alert, precedence, exercise, epoch_low: 1, node: NodeId(9), counter };
    let mut body = [0; BODY_LEN_MAX];
    let len = alert.content().body(Seq::new(seq).unwrap(), &mut body);
    let mut room = [0; PACKET_LEN_MAX];
    let key = Keys::of_seed(1).link_key(&header, Epoch(1));
    packet::seal(&key, &header, &body[..len], Tag::Short.into(), &mut room).unwrap().to_vec()
}
