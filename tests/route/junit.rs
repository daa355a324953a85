//! JUnit XML as the Surefire schema of the Jenkins xUnit plugin has it (`junit-10.xsd`): which elements and attributes
//! there may be, in which order.

use std::fs;

use super::{Folder, host_sim, taji};

/// Elements with the attributes and the children that the schema allows, of what the program writes.
const ALLOWED: [(&str, &[&str], &[&str]); 5] = [
    ("testsuites", &["name", "tests", "failures", "errors"], &["testsuite"]),
    ("testsuite", &["name", "tests", "failures", "errors"], &["testcase"]),
    ("testcase", &["name", "classname"], &["failure", "error"]),
    ("failure", &["type", "message"], &[]),
    ("error", &["type", "message"], &[]),
];

#[test]
fn every_expectation_is_a_case_that_the_schema_allows() {
    let folder = Folder::new("junit");
    let tests = r#"
        [[test]]
        name = "<&\"'"
        only = "camp-taji-2020-03-11"
        expect = [{ sink = "taji-siren", within = "2s" }, { sink = "taji-siren", never = true }]
    "#;
    let path = folder.write("rules.toml", &taji(tests));
    let report = folder.write("junit.xml", "");
    let (code, ..) = host_sim(&["test", &path, "--junit", &report]);
    assert_eq!(code, 1);
    let text = fs::read_to_string(&report).unwrap();
    let document = roxmltree::Document::parse(&text).unwrap();
    let root = document.root_element();
    assert_eq!(root.tag_name().name(), "testsuites");
    for element in root.descendants().filter(roxmltree::Node::is_element) {
        let name = element.tag_name().name();
        let (_, attributes, children) = ALLOWED.iter().find(|(known, ..)| *known == name).unwrap();
        assert!(element.attributes().all(|found| attributes.contains(&found.name())), "{name}: {text}");
        let mut found = element.children().filter(roxmltree::Node::is_element);
        assert!(found.all(|child| children.contains(&child.tag_name().name())), "{name}: {text}");
    }
    let count = |name: &str| root.descendants().filter(|node| node.has_tag_name(name)).count();
    assert_eq!((count("testcase"), count("failure"), count("error")), (2, 1, 0));
    assert_eq!((root.attribute("tests"), root.attribute("failures")), (Some("2"), Some("1")));
    let failure = root.descendants().find(|node| node.has_tag_name("failure")).unwrap();
    assert!(failure.text().is_some_and(|text| text.contains("--seeds 1")), "{text}");
    let again = || {
        host_sim(&["test", &path, "--junit", &report]);
        fs::read_to_string(&report).unwrap()
    };
    assert_eq!(again(), text, "the same rules give the same bytes");
}
