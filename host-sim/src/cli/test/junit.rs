//! The result as JUnit XML, for servers that show tests: what the Surefire schema of the Jenkins xUnit plugin allows
//! (`junit-10.xsd`), and no more. Times of day and durations are left out: the same rules give the same bytes.

use std::io;

use quick_xml::Writer;
use quick_xml::events::{BytesDecl, BytesText, Event};

use super::Summary;
use super::again::Again;
use crate::trial::{Outcome, Run, Verdict};

/// One suite a test, one case an expectation. What is undecided is an error: nobody may take it for a success.
///
/// # Errors
/// Never, into memory; the writer does not know that.
pub(super) fn report(
    summary: &Summary,
    tests: &[String],
    outcomes: &[Outcome],
    again: &Again<'_>,
    runs: &[Run],
) -> io::Result<Vec<u8>> {
    let mut writer = Writer::new_with_indent(Vec::new(), b' ', 2);
    writer.write_event(Event::Decl(BytesDecl::new("1.0", Some("UTF-8"), None)))?;
    let all: Vec<&Outcome> = outcomes.iter().collect();
    let of_all = attributes(&summary.rules, &all);
    let suites = writer.create_element("testsuites").with_attributes(borrowed(&of_all));
    suites.write_inner_content(|writer| {
        for test in tests {
            let own: Vec<&Outcome> = outcomes.iter().filter(|outcome| outcome.test == *test).collect();
            let of_test = attributes(test, &own);
            let suite = writer.create_element("testsuite").with_attributes(borrowed(&of_test));
            suite.write_inner_content(|writer| {
                own.iter().try_for_each(|outcome| case(writer, &summary.rules, outcome, again, runs))
            })?;
        }
        Ok(())
    })?;
    let mut text = writer.into_inner();
    text.push(b'\n');
    Ok(text)
}

/// Name and counts.
fn attributes(name: &str, outcomes: &[&Outcome]) -> Vec<(&'static str, String)> {
    let count = |verdict: Verdict| outcomes.iter().filter(|outcome| outcome.verdict == verdict).count();
    vec![
        ("name", legal(name)),
        ("tests", outcomes.len().to_string()),
        ("failures", count(Verdict::Failed).to_string()),
        ("errors", count(Verdict::Undecided).to_string()),
    ]
}

/// As the writer takes them.
fn borrowed<'a>(attributes: &'a [(&'static str, String)]) -> impl Iterator<Item = (&'a str, &'a str)> {
    attributes.iter().map(|(name, value)| (*name, value.as_str()))
}

fn case(
    writer: &mut Writer<Vec<u8>>,
    rules: &str,
    outcome: &Outcome,
    again: &Again<'_>,
    runs: &[Run],
) -> io::Result<()> {
    let class = legal(&format!("{rules}.{}", outcome.test));
    let name = legal(&outcome.expectation);
    let attributes = [("name", name.as_str()), ("classname", class.as_str())];
    let case = writer.create_element("testcase").with_attributes(attributes);
    let element = match outcome.verdict {
        Verdict::Passed => return case.write_empty().map(drop),
        Verdict::Failed => "failure",
        Verdict::Undecided => "error",
    };
    let message = legal(outcome.example.as_deref().unwrap_or("runs ended before it could be told"));
    let commands = legal(&again.commands(outcome, runs).join("\n"));
    let written = case.write_inner_content(|writer| {
        let attributes = [("message", message.as_str()), ("type", outcome.verdict.name())];
        let element = writer.create_element(element).with_attributes(attributes);
        element.write_text_content(BytesText::new(&commands)).map(drop)
    });
    written.map(drop)
}

/// Without characters that XML cannot hold: names in rules may have any.
fn legal(text: &str) -> String {
    let is_legal = |c: &char| !c.is_control() || matches!(c, '\n' | '\t');
    text.chars().filter(is_legal).filter(|c| !matches!(c, '\u{fffe}' | '\u{ffff}')).collect()
}
