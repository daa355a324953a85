#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use serde_json::json;

use super::*;

const FORMATS: [Format; 2] = [
    Format {
        name: "date-time",
        allowed: "allowed: a moment with its offset",
        numbers: false,
        check: |text| if text.contains('+') { Ok(()) } else { Err(", which has no offset") },
    },
    Format {
        name: "share",
        allowed: "allowed: a share such as \"10%\", or 0 to 1",
        numbers: true,
        check: |text| if text.ends_with('%') || text == "0.5" { Ok(()) } else { Err(", which is no share") },
    },
];

/// What is found in `text` by a schema with these properties, the place apart.
fn found(properties: &serde_json::Value, text: &str) -> Vec<(String, String)> {
    let schema = json!({"type": "object", "additionalProperties": false, "properties": properties});
    let mut findings = Findings::new("s.toml", text);
    let is_right = table(text, &Shape::new(schema.try_into().unwrap(), &FORMATS), &mut findings).is_some();
    assert_eq!(is_right, findings.is_empty());
    let diagnostics = findings
        .into_report()
        .map_or_else(|invalid| invalid.diagnostics().to_vec(), |report| report.diagnostics().to_vec());
    diagnostics.iter().map(|one| (one.message.clone(), one.allowed.clone())).collect()
}

fn one(message: &str, allowed: &str) -> Vec<(String, String)> {
    vec![(message.into(), allowed.into())]
}

#[test]
fn remarks_alone_are_a_report_and_else_go_with_the_errors() {
    let text = "first = 1\nsecond = 2\n";
    let mut findings = Findings::new("r.toml", text);
    findings.warn(0..5, "`first` is old", "write `second`");
    let remarks = "\
warning: `first` is old
 --> r.toml:1:1
  |
1 | first = 1
  | ^^^^^ write `second`

r.toml: 1 warning";
    assert!(findings.is_empty());
    let report = findings.into_report().unwrap();
    assert_eq!(report.render(false), remarks);
    assert_eq!((report.count(Level::Error), report.count(Level::Warning)), (0, 1));

    let mut findings = Findings::new("r.toml", text);
    findings.add(19..20, "`second` is `2`", "");
    findings.warn(0..5, "`first` is old", "");
    findings.add(10..16, "`second` is late", "");
    assert!(!findings.is_empty());
    let invalid = findings.into_report().unwrap_err();
    let levels: Vec<_> = invalid.diagnostics().iter().map(|one| one.level).collect();
    assert_eq!(levels, [Level::Warning, Level::Error, Level::Error]);
    assert!(invalid.to_string().ends_with("\n\nr.toml: 2 errors, 1 warning"), "{invalid}");
    assert!(invalid.to_string().starts_with("error: `second` is late"), "{invalid}");
}

#[test]
fn remarks_leave_room_for_errors_and_neither_is_without_end() {
    let mut findings = Findings::new("r.toml", "a = 1\n");
    for _ in 0..3_000 {
        findings.warn(0..1, "w", "");
    }
    assert!(!findings.is_full());
    for _ in 0..999 {
        findings.add(0..1, "e", "");
    }
    assert!(!findings.is_full());
    findings.add(0..1, "e", "");
    findings.add(0..1, "e", "");
    assert!(findings.is_full());
    let said = findings.into_invalid().to_string();
    let counts = "r.toml: 1000 errors or more, 1000 warnings or more, the first 20 shown";
    assert!(said.ends_with(counts), "{said}");
    assert_eq!(said.matches("error: e").count(), 20);

    let mut findings = Findings::new("r.toml", "a = 1\n");
    for _ in 0..1_001 {
        findings.add(0..1, "e", "");
    }
    let said = findings.into_invalid().to_string();
    assert!(said.ends_with("r.toml: 1000 errors or more, the first 20 shown"), "{said}");
}

#[test]
fn another_place_is_shown_wherever_it_is() {
    let text = "a = 1\nb = 2\n\n\nc = 3\n";
    let said = |at, also| {
        let mut findings = Findings::new("r.toml", text);
        findings.add_with(at, "`c` is shadowed", "it gets nothing", Some((also, "takes all".into())));
        findings.into_invalid().to_string()
    };
    let before = "\
error: `c` is shadowed
 --> r.toml:5:1
  |
5 | c = 3
  | ^ it gets nothing
  |
 ::: r.toml:1:1
  |
1 | a = 1
  | - takes all

r.toml: 1 error";
    assert_eq!(said(14..15, 0..1), before);
    let behind = "\
error: `c` is shadowed
 --> r.toml:1:1
  |
1 | a = 1
  | ^ it gets nothing
  |
 ::: r.toml:5:1
  |
5 | c = 3
  | - takes all

r.toml: 1 error";
    assert_eq!(said(0..1, 14..15), behind);
    let on_the_line = "\
error: `c` is shadowed
 --> r.toml:5:5
  |
5 | c = 3
  | -   ^ it gets nothing
  | |
  | takes all

r.toml: 1 error";
    assert_eq!(said(18..19, 14..15), on_the_line);
}

#[test]
fn other_places_stay_with_their_messages() {
    let mut findings = Findings::new("r.toml", "a\nb\nc\nd\n");
    findings.add_with(4..5, "c", "", Some((2..3, "of c".into())));
    findings.add(6..7, "d", "");
    findings.add_with(0..1, "a", "", Some((6..7, "of a".into())));
    let said = findings.into_invalid().to_string();
    let at = |part: &str| said.find(part).unwrap();
    assert!(at("error: a") < at("4 | d\n  | - of a") && at("of a") < at("error: c"), "{said}");
    assert!(at("error: c") < at("2 | b\n  | - of c") && at("of c") < at("error: d"), "{said}");
}

#[test]
fn free_keys_have_values_of_one_shape() {
    let sinks = json!({"sinks": {"type": "object", "additionalProperties": {
        "type": "object", "additionalProperties": false, "required": ["port"],
        "properties": {"port": {"type": "integer", "minimum": 1, "maximum": 9}},
    }}});
    assert_eq!(found(&sinks, "[sinks]\na = { port = 1 }\nb = { port = 9 }\n"), []);
    assert_eq!(
        found(&sinks, "[sinks]\na = { port = 10 }\n"),
        one("`port` is `10`", "allowed: a whole number, 1 to 9")
    );
    assert_eq!(found(&sinks, "[sinks]\na = 1\n"), one("`a` is `1`, of type integer", "allowed: a table"));
    assert_eq!(
        found(&sinks, "[sinks.a]\n"),
        one("`port` is missing in `a`", "allowed: a whole number, 1 to 9")
    );
    assert_eq!(
        found(&sinks, "[sinks.a]\nport = 1\nprot = 1\n"),
        one("unknown key `prot` in `a`", "did you mean `port`? allowed: `port`")
    );
    // Such a key is somebody's text: it neither steers a terminal nor breaks a line.
    let wild = format!("[sinks]\n\"\\u001b[2J\\n{}\" = 1\n", "k".repeat(99));
    let said = &found(&sinks, &wild)[0].0;
    assert!(said.starts_with("` [2J kkk") && said.contains("k…` is `1`"), "{said:?}");
}

#[test]
fn a_choice_goes_by_the_type_of_the_value() {
    let choice = json!({"at": {"anyOf": [
        {"type": "integer", "minimum": 1},
        {"oneOf": [{"type": "string", "const": "dawn"}, {"type": "string", "const": "dusk"}]},
        {"type": "object", "additionalProperties": false, "properties": {"day": {"type": "boolean"}}},
        {"type": "null"},
    ]}});
    for right in ["at = 7", "at = \"dusk\"", "at = { day = true }"] {
        assert_eq!(found(&choice, right), [], "{right}");
    }
    assert_eq!(found(&choice, "at = 0"), one("`at` is `0`", "allowed: a whole number, at least 1"));
    assert_eq!(
        found(&choice, "at = \"duks\""),
        one("`at` is `duks`", "did you mean `dusk`? allowed: `dawn`, `dusk`")
    );
    assert_eq!(
        found(&choice, "at = { day = 1 }"),
        one("`day` is `1`, of type integer", "allowed: true or false")
    );
    assert_eq!(
        found(&choice, "at = [1]"),
        one(
            "`at` is a list of 1, of type array",
            "allowed: a whole number, at least 1 or `dawn`, `dusk` or a table"
        )
    );
    let moment = json!({"at": {"anyOf": [{"type": "integer"}, {"type": "string", "format": "date-time"}]}});
    assert_eq!(found(&moment, "at = 2020-09-16T00:00:00+03:00"), []);
}

#[test]
fn several_types_have_each_its_own_range() {
    let either = json!({"n": {"type": ["string", "integer"], "maxLength": 3, "minimum": 1, "maximum": 9}});
    let allowed = "allowed: a text, at most 3 characters or a whole number, 1 to 9";
    assert_eq!(found(&either, "n = 9"), []);
    assert_eq!(found(&either, "n = \"999\""), []);
    assert_eq!(found(&either, "n = 10"), one("`n` is `10`", allowed));
    assert_eq!(found(&either, "n = \"1000\""), one("`n` has 4 characters", allowed));
    assert_eq!(found(&either, "n = 1.5"), one("`n` is `1.5`, of type float", allowed));
}

#[test]
fn texts_and_moments_are_held_against_their_formats() {
    let moment = json!({"at": {"type": "string", "format": "date-time"}, "text": {"type": "string"}});
    let allowed = "allowed: a moment with its offset";
    for right in ["at = 2020-09-16T00:00:00+03:00", "at = \"2020-09-16T00:00:00+03:00\""] {
        assert_eq!(found(&moment, right), [], "{right}");
    }
    assert_eq!(
        found(&moment, "at = 2020-09-16T00:00:00"),
        one("`at` is `2020-09-16T00:00:00`, which has no offset", allowed)
    );
    assert_eq!(found(&moment, "at = 1"), one("`at` is `1`, of type integer", allowed));
    assert_eq!(
        found(&moment, "text = 2020-09-16T00:00:00+03:00"),
        one("`text` is `2020-09-16T00:00:00+03:00`, of type datetime", "allowed: a text")
    );

    let share = json!({"p": {"type": ["string", "number"], "format": "share", "minimum": 0, "maximum": 1}});
    let allowed = "allowed: a share such as \"10%\", or 0 to 1";
    for right in ["p = 0.5", "p = \"10%\""] {
        assert_eq!(found(&share, right), [], "{right}");
    }
    assert_eq!(found(&share, "p = 2"), one("`p` is `2`", allowed));
    assert_eq!(found(&share, "p = \"x\""), one("`p` is `x`, which is no share", allowed));
    assert_eq!(
        found(&share, "p = 0.25"),
        one("`p` is `0.25`, which is not written with at most six decimals", allowed)
    );
}

#[test]
fn only_reasons_and_the_like_have_several_lines() {
    let texts = json!({"reason": {"type": "string"}, "name": {"type": "string"}});
    assert_eq!(found(&texts, "reason = \"a\\nb\""), []);
    assert_eq!(found(&texts, "reason = \"a\\tb\"").len(), 1);
    assert_eq!(found(&texts, "name = \"a\\nb\"").len(), 1);
}

#[test]
fn however_deep_it_is_a_mistake_and_no_overflow() {
    let any = json!({"a": {"type": "array"}});
    let deep = 100_000;
    for (what, text) in [
        ("lists", format!("a = {}", "[".repeat(deep))),
        ("closed lists", format!("a = {}{}", "[".repeat(deep), "]".repeat(deep))),
        ("tables", format!("a = {}", "{a=".repeat(deep))),
        ("closed tables", format!("a = {}1{}", "{a=".repeat(deep), "}".repeat(deep))),
        ("a key of many parts", format!("{}a = 1", "a.".repeat(deep))),
        ("a header of many parts", format!("[{}a]", "a.".repeat(deep))),
        (
            "such keys in tables",
            format!("a = {}1{}", format!("{{{}a=", "a.".repeat(70)).repeat(70), "}".repeat(70)),
        ),
        ("a wall of brackets", "[".repeat(deep)),
    ] {
        assert!(!found(&any, &text).is_empty(), "{what}");
    }
}

#[test]
fn files_that_cannot_be_read_say_why() {
    let path = std::env::temp_dir().join(format!("host-sim-document-{}.toml", std::process::id()));
    let said = || read(&path, "a list", || "try another".into()).unwrap_err().to_string();
    assert!(said().contains("cannot read") && said().contains("try another"), "{}", said());
    std::fs::write(&path, b"a = 1\nb = \"\xff\"\n").unwrap();
    assert!(said().contains("byte 0xff is not UTF-8") && said().contains(".toml:2:6"), "{}", said());
    std::fs::File::create(&path).unwrap().set_len(FILE_LEN_MAX + 1).unwrap();
    assert!(said().contains("a list is read as a whole, so its size is bounded"), "{}", said());
    std::fs::write(&path, "a = 1\n").unwrap();
    assert_eq!(read(&path, "a list", String::new).unwrap(), "a = 1\n");
    std::fs::remove_file(&path).unwrap();
}

#[test]
fn of_a_very_long_line_a_part_is_shown_with_its_true_column() {
    let text =
        format!("a = \"{}\"\nb = [{}x, {}]\n", "é".repeat(9), "1, ".repeat(100_000), "2, ".repeat(100_000));
    let at = text.find('x').unwrap();
    let mut findings = Findings::new("long.toml", &text);
    findings.add(at..at + 1, "no number", "allowed: numbers");
    findings.add(at..text.len(), "to the end", "");
    let report = findings.into_report().unwrap_err().render(false);
    assert_eq!(report.matches(" --> long.toml:2:300006").count(), 2, "{report}");
    assert!(report.contains("^ allowed: numbers") && report.len() < 4_000, "{report}");
}
