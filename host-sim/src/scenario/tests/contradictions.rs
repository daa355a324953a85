//! Files whose parts do not fit together.

use super::*;

#[test]
fn names_and_numbers_are_given_once() {
    let id = "id = \"protests-2019-10\"";
    refuses("number = 16", "number = 15", "15", "duplicate number `15` of a node", "no other has");
    refuses(
        id,
        "id = \"camp-taji-2020-03-11\"",
        "\"camp",
        "duplicate id `camp-taji-2020-03-11`",
        "no other has",
    );
    refuses(id, "id = \"Mass Protests\"", "\"Mass", "`id` is `Mass Protests`", "a-z, 0-9 and `-`");
    refuses(id, "id = \"\"", "\"\"", "`id` has 0 characters", "1 to 64");
    // A fill-in gives its incidents names too.
    let found = refused(id, "id = \"rockets-2020-q2-11\"");
    assert_eq!((found.len(), &*found[0].message), (1, "duplicate id `rockets-2020-q2-11` of an incident"));
    // The second of a name is the wrong one, and whoever used the lost one hears of it.
    let found = refused("id = \"basra\"", "id = \"camp-taji\"");
    let messages: Vec<_> = found.iter().map(|found| (found.line, &*found.message)).collect();
    assert_eq!(messages.len(), 3);
    assert_eq!(messages[0].1, "duplicate id `camp-taji` of a site");
    assert!(
        messages[1..]
            .iter()
            .all(|(line, message)| *line > messages[0].0 && *message == "unknown site `basra`")
    );
}

#[test]
fn names_that_nothing_has() {
    let node = "id = \"basra/convoy-beacon\"\nnumber = 11\nsite = \"basra\"";
    refuses(
        node,
        &node.replace("\"basra\"", "\"bassra\""),
        "\"bassra",
        "unknown site `bassra`",
        "did you mean `basra`?",
    );
    refuses(
        "node = \"embassy/c-ram\"",
        "node = \"embassy/cram\"",
        "\"emb",
        "unknown node `embassy/cram`",
        "did you mean `embassy/c-ram`?",
    );
    refuses(
        "node = \"embassy/c-ram\"",
        "node = \"camp-taji/launch-detector\"",
        "\"camp",
        "node `camp-taji/launch-detector` does not raise `cram-engagement`",
        "`rocket-launch`",
    );
    refuses(
        "sources = [\"A\", \"B\"]",
        "sources = [\"A\", \"C\"]",
        "\"C\"",
        "unknown source `C`",
        "`A`, `B`",
    );
    refuses(
        "impact-site = \"unnamed-base-2\"",
        "impact-site = \"base\"",
        "\"base",
        "unknown site `base`",
        "`camp-taji`",
    );
    refuses(
        "sites = [\"embassy\"]",
        "sites = [\"embassy\", \"basra\"]",
        "\"basra",
        "no node at site `basra` raises `rocket-launch`",
        "a site with such a node",
    );
}

#[test]
fn an_incident_is_where_its_alerts_come_from() {
    let site = "sources = [\"B\"]\nsite = \"basra\"";
    let other = site.replace("basra", "baghdad");
    refuses(
        site,
        &other,
        "\"baghdad",
        "`site` is `baghdad`, but no alert is raised there",
        "allowed: `basra`",
    );
}

#[test]
fn sums_and_bounds() {
    refuses(
        "quarter = \"2020-Q2\"\ncount = 27",
        "quarter = \"2020-Q2\"\ncount = 28",
        "28",
        "`count` of `convoys` in `2020-Q2` is `28`, but 0 documented and 27 filled in",
        "their sum, 27",
    );
    refuses(
        "count = 22\nfrom = 2020-07-01",
        "count = 22\nfrom = 2020-06-30",
        "2020-06-30",
        "`from` is `2020-06-30`, outside `2020-Q3`",
        "a day of the quarter",
    );
    refuses(
        "count = 17\nfrom = 2020-01-24",
        "count = 17\nfrom = 2020-01-23",
        "2020-01-23",
        "`2020-01-23` to `2020-03-31` reaches into 2020-01-04 to 2020-01-23",
        "no bound with `no-fill-in`",
    );
    refuses(
        "array-count = { min = 2, max = 4 }",
        "array-count = { min = 2, max = 4 }\nwounded = { min = 0, max = 1 }",
        "{ min = 0",
        "`wounded` may be above 0",
        "allowed: 0",
    );
    let found = refused("array-count = { min = 2, max = 4 }", "killed = { min = 0, max = 1 }");
    assert_eq!(found.len(), 2, "two bounds forbid it: {found:#?}");
    let two = "count = 14\nsources = [\"B\"]";
    let found = refused(two, &format!("{two}\n[[tally]]\nname = \"convoys\"\nquarter = \"2020-Q1\"\n{two}"));
    assert!(found[0].message.contains("a second tally of `convoys` for `2020-Q1`"), "{found:#?}");
}

#[test]
fn documented_incidents_count_within_one_quarter() {
    let window = "from = 2020-03-14\nuntil = 2020-03-14\ntally = \"rockets-and-drones\"";
    let wide = window.replace("until = 2020-03-14", "until = 2020-04-01");
    let found = refused(window, &wide);
    assert!(found.iter().any(|found| found.message.contains("may lie in several")), "{found:#?}");
    let found = refused("until = 2019-12-31\n", "until = 2019-12-31\ntally = \"convoys\"\n");
    assert!(
        found.iter().any(|found| found.message == "there is no tally of `convoys` for `2019-Q4`"),
        "{found:#?}"
    );
}

#[test]
fn provenance_names_each_field_once() {
    let lists = "stated = [\"title\", \"site\", \"precision\"]\ninferred = [\"from\", \"until\"]\nmodelled = []\n\
                 note = \"A series";
    refuses(
        lists,
        &lists.replace("[\"title\", ", "[\"titel\", \"title\", "),
        "\"titel",
        "`stated` names `titel`, which is no field here",
        "did you mean `title`?",
    );
    let found = refused(lists, &lists.replace("\"site\", ", ""));
    assert_eq!((found.len(), &*found[0].message), (1, "`site` is neither stated nor inferred nor modelled"));
    refuses(
        "rounds = { min = 1, max = 6 }",
        "rounds = { min = 1, max = 6, mean = 3 }",
        "mean",
        "unknown key `mean`",
        "`max`",
    );
    let found = refused(
        "inferred = [\"state\", \"severity\"",
        "inferred = [\"guarded-site\", \"state\", \"severity\"",
    );
    assert_eq!((found.len(), &*found[0].message), (1, "`inferred` names `guarded-site` again"));
    // The fields of an alert's body count as the alert's.
    let found = refused("\"vehicles\", \"wounded\"]", "\"wounded\"]");
    assert_eq!(
        (found.len(), &*found[0].message),
        (1, "`vehicles` is neither stated nor inferred nor modelled")
    );
}

#[test]
fn the_number_of_incidents_is_bounded() {
    let found = refused("count = 22\nfrom", "count = 9999\nfrom");
    assert_eq!(found.len(), 1, "only the sum is wrong: {found:#?}");
    let text: String = TEXT.replace("\nfrom = 2020", "\ncount = 10000\nfrom = 2020");
    assert!(Scenario::parse("s", &text).is_err());
    let (head, fill_ins) = TEXT.split_at(TEXT.find("[[fill-in]]").unwrap());
    let many: Vec<_> = (0..11).map(|number| fill_ins.replacen("-2020-", &format!("-{number}-"), 1)).collect();
    let fill_in =
        |text: &String| text.split("[[fill-in]]").nth(1).unwrap().replacen("count = 14", "count = 10000", 1);
    let text: String = many.iter().map(|text| format!("[[fill-in]]{}", fill_in(text))).collect();
    let invalid = Scenario::parse("s", &format!("{head}{text}")).unwrap_err();
    assert!(invalid.to_string().contains("there are 110012 incidents"), "{invalid}");
}
