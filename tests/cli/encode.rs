//! `host-sim encode`: what it seals, `decode` opens, and what it refuses.

use crate::{host_sim, host_sim_reading, said};

const FIELDS: [&str; 11] = [
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
];

#[test]
fn what_is_sealed_opens() {
    for options in [
        &[][..],
        &["--frame", "--tag", "long"],
        &["--seed", "7", "--node", "9", "--counter", "77", "--exercise"],
        &["phase=update", "reference=back:3", "--seq", "400"],
    ] {
        let (code, hex, errors) =
            said(&host_sim(&[&["encode", "rocket-launch"], &FIELDS[..], options].concat()));
        assert_eq!((code, errors.as_str()), (0, ""));
        let seed = if options.contains(&"--seed") { "7" } else { "1" };
        let (code, out, _) = said(&host_sim_reading(&["decode", "--seed", seed, "-"], hex.as_bytes()));
        assert_eq!(code, 0, "{out}");
        for words in ["authentic", "rocket-launch", "107 mm", "2020-01-08T01:34:00.000Z", "within 0.64 km"] {
            assert!(out.contains(words), "{words} in\n{out}");
        }
    }
}

#[test]
fn the_same_fields_make_the_same_packet() {
    let seal = |options: &[&str]| said(&host_sim(&[&["encode", "convoy-ied"], options].concat())).1;
    assert_eq!(
        seal(&[]),
        seal(&["--seed", "1", "--node", "1", "--counter", "1", "--seq", "1", "--epoch", "1"])
    );
    assert_ne!(seal(&[]), seal(&["--seed", "2"]));
}

#[test]
fn precedence_is_raised_and_never_lowered() {
    let precedence = |arguments: &[&str]| {
        let hex = said(&host_sim(&[&["encode"], arguments].concat())).1;
        let (_, out, _) = said(&host_sim(&["decode", "--json", hex.trim()]));
        let object: serde_json::Value = serde_json::from_str(&out).unwrap();
        let fields = object["fields"].as_array().unwrap();
        fields.iter().find(|field| field["name"] == "precedence").unwrap()["value"].clone()
    };
    assert_eq!(precedence(&["drone-sighting"]), "priority");
    assert_eq!(precedence(&["drone-sighting", "--precedence-min", "flash"]), "flash");
    assert_eq!(precedence(&["rocket-launch", "--precedence-min", "priority"]), "flash");
}

#[test]
fn a_refusal_names_field_value_and_what_is_allowed() {
    for (arguments, words) in [
        (&["rocket-launch", "rounds=300"][..], "`rounds` is `300`; allowed: a whole number, 1 to 255"),
        (&["rocket-launch", "weapon=rockt"], "`weapon` is `rockt`; did you mean `rocket`? allowed: rocket, "),
        (&["rocket-launch", "wepon=rocket"], "no field `wepon` (value `rocket`); did you mean `weapon`?"),
        (&["rocket-lunch"], "rocket-launch"),
        (&["summary", "--counter", "0"], "--counter <N>': a whole number; allowed: 1 to 2147483647"),
        (&["summary", "--tag", "medium"], "short, long"),
    ] {
        let (code, out, errors) = said(&host_sim(&[&["encode"], arguments].concat()));
        assert_eq!((code, out.as_str()), (2, ""), "{arguments:?}");
        assert!(errors.contains(words), "{words} in {errors}");
    }
}

/// A counter used twice under one key gives the key stream away; the throw-away keys of a seed have nothing to lose.
#[test]
fn a_real_key_wants_a_counter() {
    for key in ["--node-key-file", "--master-key-file"] {
        let (code, out, errors) = said(&host_sim(&["encode", "summary", key, "no such file"]));
        assert_eq!((code, out.as_str()), (2, ""));
        assert!(errors.starts_with("host-sim: `--counter` is missing: a counter used twice"), "{errors}");
        let (_, _, errors) = said(&host_sim(&["encode", "summary", "--counter", "9", key, "no such file"]));
        assert!(errors.contains("cannot read the key file `no such file`"), "{errors}");
    }
}
