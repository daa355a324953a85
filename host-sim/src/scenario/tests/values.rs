//! Values that may not stand where they stand, and those that may.

use super::*;

#[test]
fn numbers_out_of_range() {
    refuses("latitude = 33.305", "latitude = 91", "91", "`latitude` is `91`", "-90 to 90");
    refuses("latitude = 33.305", "latitude = nan", "nan", "`latitude` is `nan`", "-90 to 90");
    refuses("longitude = 44.39", "longitude = -180.5", "-180.5", "`longitude` is `-180.5`", "-180 to 180");
    refuses(
        "rounds = { min = 1, max = 6 }",
        "rounds = { min = -1, max = 6 }",
        "-1",
        "`min` is `-1`",
        "1 to 255",
    );
    refuses(
        "rounds = { min = 1, max = 6 }",
        "rounds = { min = 7, max = 6 }",
        "6",
        "below `min`",
        "at least 7",
    );
    refuses("vehicles = 1", "vehicles = -1", "-1", "`vehicles` is `-1`", "0 to 255");
    refuses("vehicles = 1", "vehicles = 0x100", "0x100", "`vehicles` is `256`", "0 to 255");
    refuses("vehicles = 1", "vehicles = 99999999999999999999999999", "9999", "`vehicles` is", "0 to 255");
    refuses("number = 16", "number = 0", "0", "`number` is `0`", "1 to 65535");
    refuses("accuracy-km = 25", "accuracy-km = 0", "0", "`accuracy-km` is `0`", "0.001 to 2000");
    refuses("schema = 1", "schema = 2", "2", "`schema` is `2`", "a whole number, 1");
}

#[test]
fn days_that_are_none() {
    let one = "from = 2020-01-08\nuntil = 2020-01-08";
    refuses(
        one,
        "from = 2020-02-30\nuntil = 2020-03-01",
        "2020-02-30",
        "`from`: invalid date",
        "such as 2020-01-08",
    );
    refuses(
        one,
        "from = \"2020-02-30\"\nuntil = 2020-03-01",
        "\"2020-02-30",
        "`from` is `2020-02-30`, which is no day",
        "2020-01-08",
    );
    refuses(one, "from = 1850-01-08\nuntil = 2020-01-08", "1850", "1971 to 2099", "such as 2020-01-08");
    refuses(
        one,
        "from = 2020-01-08T10:00:00\nuntil = 2020-01-08",
        "2020-01-08T",
        "",
        "a day of the calendar",
    );
    refuses(
        one,
        "from = 2020-01-08\nuntil = 2020-01-07",
        "2020-01-07",
        "before `from`",
        "2020-01-08 or later",
    );
    refuses(one, "from = 2020-01-08\nuntil = 2020-01-09", "2020-01-09", "is 2 days", "the same day");
    refuses(
        "quarter = \"2020-Q1\"",
        "quarter = \"2020-Q5\"",
        "\"2020-Q5",
        "`quarter` is `2020-Q5`, which is not a quarter",
        "\"2020-Q1\"",
    );
}

#[test]
fn quoted_days_are_as_good() {
    let text = TEXT.replace("from = 2020-01-08\n", "from = \"2020-01-08\"\n");
    assert_eq!(Scenario::parse("quoted", &text).unwrap().timeline(1), iraq().timeline(1));
}

#[test]
fn words_and_keys_that_are_none() {
    refuses(
        "kind = \"cram-engagement\"",
        "kind = \"cram-engagment\"",
        "\"cram-eng",
        "`kind` is `cram-engagment`",
        "did you mean `cram-engagement`?",
    );
    refuses(
        "weapon = \"ballistic-missile\"",
        "weapon = \"slingshot\"",
        "\"sling",
        "`weapon` is `slingshot`",
        "`mortar`",
    );
    refuses(
        "precision = \"season\"",
        "precision = \"saeson\"",
        "\"saeson",
        "`precision` is",
        "did you mean `season`?",
    );
    refuses(
        "utc-offset-min = 180",
        "utc-offset-min = 180\ncolour = 3",
        "colour",
        "unknown key `colour` in the file",
        "",
    );
    // A misspelt key is also a missing one: both are said.
    let found = refused("accuracy-km = 25\n", "acuracy-km = 25\n");
    let messages: Vec<_> = found.iter().map(|found| &*found.message).collect();
    assert_eq!(messages, ["`accuracy-km` is missing in `site`", "unknown key `acuracy-km` in `site`"]);
    assert!(found[1].allowed.starts_with("did you mean `accuracy-km`?"));
}

#[test]
fn wrong_types() {
    refuses(
        "number = 16",
        "number = \"16\"",
        "\"16",
        "`number` is `16`, of type string",
        "a whole number, 1 to 65535",
    );
    refuses("number = 16", "number = 1.5", "1.5", "`number` is `1.5`, of type float", "a whole number");
    refuses("number = 16", "number = [1]", "[1]", "`number` is a list of 1", "a whole number");
    refuses(
        "name = \"Basra\"",
        "name = true",
        "true",
        "`name` is `true`, of type boolean",
        "a text, 1 to 200 characters",
    );
    refuses("name = \"Basra\"", "name = \"\"", "\"\"", "`name` has 0 characters", "1 to 200");
    refuses("sources = [\"A\"]", "sources = []", "[]", "`sources` has 0 elements", "1 to 16");
    refuses("kind = \"cram-engagement\"", "kind = 3", "3", "`kind` is `3`", "`cram-engagement`");
}

#[test]
fn probabilities() {
    let read = |text: &str| text.parse::<Probability>().map(Probability::millionths).ok();
    for (text, millionths) in [
        ("0", 0),
        ("0%", 0),
        ("10%", 100_000),
        ("0.1", 100_000),
        ("12.5%", 125_000),
        ("1", 1_000_000),
        ("100%", 1_000_000),
        ("1.000000", 1_000_000),
        ("0.000001", 1),
        ("0.0001%", 1),
        (" 5 % ", 50_000),
    ] {
        assert_eq!(read(text), Some(millionths), "{text}");
    }
    for text in [
        "",
        "%",
        "101%",
        "1.1",
        "-1%",
        "-0.1",
        "nan",
        "inf",
        "1e-3",
        "+1",
        "0.0000001",
        ".5",
        "10%%",
        "ten",
        "0x1",
        "1,5%",
        "99999999999999999999%",
    ] {
        assert_eq!(read(text), None, "{text}");
        let sentence = text.parse::<Probability>().unwrap_err().to_string();
        assert!(sentence.contains("allowed are 0% to 100% or 0 to 1"), "{sentence}");
    }
    for millionths in [0, 1, 10, 5_000, 100_000, 123_456, 999_999, 1_000_000] {
        let probability = Probability::from_millionths(millionths).unwrap();
        assert_eq!(probability.to_string().parse(), Ok(probability));
    }
    assert_eq!(Probability::from_millionths(125_000).unwrap().to_string(), "12.5%");
    assert_eq!(Probability::from_millionths(1_000_001), None);
}

#[test]
fn faults_of_a_scenario() {
    let with = |faults: &str| TEXT.replacen("# ---", &format!("[faults]\n{faults}\n# ---"), 1);
    assert_eq!(iraq().faults(), Faults::default());
    let faults =
        Scenario::parse("s", &with("drop = \"10%\"\ndelay-ms = 250\nduplicate = 0.05\nreorder = 1")).unwrap();
    let millionths = |probability: Probability| probability.millionths();
    let faults = faults.faults();
    assert_eq!((millionths(faults.loss), faults.delay_ms), (100_000, 250));
    assert_eq!((millionths(faults.duplicate), millionths(faults.reorder)), (50_000, 1_000_000));
    assert_eq!(faults.corrupt, Probability::NEVER);
    for (line, value) in [
        ("drop = \"101%\"", "`101%`"),
        ("drop = -0.1", "`-0.1`"),
        ("drop = nan", "`nan`"),
        ("drop = 2", "`2`"),
        ("drop = \"\"", "``"),
        ("drop = 0.0000001", "`0.0000001`"),
        ("delay-ms = -1", "`-1`"),
        ("drop = true", "`true`"),
        ("loss = \"1%\"", "`loss`"),
    ] {
        let invalid = Scenario::parse("s", &with(line)).unwrap_err();
        assert_eq!(invalid.diagnostics().len(), 1, "{invalid}");
        assert!(invalid.diagnostics()[0].message.contains(value), "{invalid}");
    }
}

#[test]
fn texts_stand_on_one_line_and_steer_no_terminal() {
    for character in ["\\n", "\\t", "\\u001b", "\\r", "\\u0000", "\\u0085", "\\u202e"] {
        for (field, text) in [
            ("name", "name = \"Camp Taji\""),
            ("title", "title = \"Ballistic missiles on two bases in Iraq\""),
            ("authors", "authors = [\"Maria Fantappie\""),
            ("written", "written = \"September 2020"),
        ] {
            let message = format!("`{field}` holds the control character");
            refuses(
                text,
                &text.replacen('"', &format!("\"{character}"), 1),
                "\"",
                &message,
                "a text on one line",
            );
        }
    }
    let note = "note = \"Centroid of the International Zone.\"";
    let text = TEXT.replacen(note, "note = \"Centroid\\nof the zone.\"", 1);
    assert!(Scenario::parse("s", &text).is_ok());
    refuses(
        note,
        "note = \"Centroid\\u001b[2Jof the zone.\"",
        "\"",
        "`note` holds the control character \\u{1b}",
        "",
    );
}
