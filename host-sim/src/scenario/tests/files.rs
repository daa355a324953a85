//! What can go wrong with a file as a whole, and what a person then sees.

use super::*;
use crate::document::FILE_LEN_MAX;

#[test]
fn all_errors_are_found_at_once() {
    let text = TEXT
        .replacen("latitude = 33.305", "latitude = 91", 1)
        .replacen("vehicles = 1", "vehicles = -1", 1)
        .replacen("weapon = \"rocket\"", "weapon = \"rokcet\"", 1);
    let found = Scenario::parse("s", &text).unwrap_err();
    assert_eq!(found.diagnostics().len(), 3);
    assert!(found.diagnostics().is_sorted_by_key(|found| found.line));
}

#[test]
fn what_a_person_sees() {
    let invalid =
        Scenario::parse("my.toml", &TEXT.replacen("latitude = 33.305", "latitude = 91", 1)).unwrap_err();
    let expected = "\
error: `latitude` is `91`
  --> my.toml:42:12
   |
42 | latitude = 91
   |            ^^ allowed: a number, -90 to 90

my.toml: 1 error";
    assert_eq!(invalid.to_string(), expected);
    assert!(invalid.render(true).contains("\u{1b}["));
}

#[test]
fn text_that_is_no_toml() {
    for (text, message) in
        [("", "is missing"), ("schema = ", ""), ("[[[", ""), ("a = 1\na = 2", "duplicate key")]
    {
        let invalid = Scenario::parse("s", text).unwrap_err();
        assert!(invalid.diagnostics().iter().any(|found| found.message.contains(message)), "{invalid}");
        assert!(invalid.diagnostics().iter().all(|found| found.line >= 1 && found.column >= 1));
    }
}

#[test]
fn files_that_cannot_be_read() {
    let folder = std::env::temp_dir().join(format!("host-sim-scenario-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("s.toml");
    let said = || Scenario::load(&path).unwrap_err().to_string();
    assert!(said().contains("cannot read"), "{}", said());
    assert!(said().contains("iraq-2019-2020"), "{}", said());

    std::fs::write(&path, b"schema = 1\nname = \"\xff\xfe\"\n").unwrap();
    assert!(said().contains("byte 0xff is not UTF-8"), "{}", said());
    assert!(said().contains("s.toml:2:9"), "{}", said());

    let large = std::fs::File::create(&path).unwrap();
    large.set_len(FILE_LEN_MAX + 1).unwrap();
    assert!(said().contains("larger than 10485760 bytes"), "{}", said());

    std::fs::write(&path, TEXT).unwrap();
    assert_eq!(Scenario::load(&path).unwrap().timeline(1), iraq().timeline(1));
    std::fs::remove_dir_all(&folder).unwrap();
    assert!(Scenario::load(&std::env::temp_dir()).unwrap_err().to_string().contains("cannot read"));
}

#[test]
fn no_damage_makes_it_panic() {
    let mut draw = crate::draw::Draw::new(1, "damage");
    let mut below = |bound: usize| usize::try_from(draw.below(bound.try_into().unwrap())).unwrap();
    let dos = TEXT.replace('\n', "\r\n");
    let scraps = [
        "",
        "\n",
        "\r",
        "\"",
        "]",
        "[[site]]\n",
        "=",
        "-",
        "9",
        "é",
        "\u{0}",
        "# ",
        "{",
        "inf",
        "\u{202e}",
        "1979-05-27",
    ];
    for round in 0..100 {
        let mut text = if round % 2 == 0 { TEXT.to_owned() } else { dos.clone() };
        for _ in 0..=below(3) {
            let start = text.floor_char_boundary(below(text.len()));
            let end = text.floor_char_boundary(start + below(20));
            text.replace_range(start..end.max(start), scraps[below(scraps.len())]);
        }
        if let Err(invalid) = Scenario::parse("damaged.toml", &text) {
            assert!(!invalid.diagnostics().is_empty());
            for found in invalid.diagnostics() {
                assert!(found.line >= 1 && found.line <= text.lines().count() + 1 && found.column >= 1);
            }
            assert!(invalid.to_string().contains("damaged.toml:"), "{invalid}");
        }
    }
}
