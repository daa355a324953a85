//! The result as JUnit XML, for servers that show tests. Times of day and durations are left out: the same rules give
//! the same bytes.

use anyhow::Context as _;
use quick_junit::{NonSuccessKind, Report, TestCase, TestCaseStatus, TestSuite};

use super::Summary;
use super::again::Again;
use crate::trial::{Outcome, Run, Verdict};

/// One suite a test, one case an expectation. What is undecided is an error: nobody may take it for a success.
///
/// # Errors
/// It cannot be written as XML.
pub(super) fn report(
    summary: &Summary,
    tests: &[String],
    outcomes: &[Outcome],
    again: &Again<'_>,
    runs: &[Run],
) -> anyhow::Result<String> {
    let mut report = Report::new(summary.rules.as_str());
    for test in tests {
        let mut suite = TestSuite::new(test.as_str());
        for outcome in outcomes.iter().filter(|outcome| outcome.test == *test) {
            let mut status = match outcome.verdict {
                Verdict::Passed => TestCaseStatus::success(),
                Verdict::Failed => TestCaseStatus::non_success(NonSuccessKind::Failure),
                Verdict::Undecided => TestCaseStatus::non_success(NonSuccessKind::Error),
            };
            if outcome.verdict != Verdict::Passed {
                status.set_type(outcome.verdict.name());
                let message = outcome.example.as_deref().unwrap_or("runs ended before it could be told");
                status.set_message(message);
                status.set_description(again.commands(outcome, runs).join("\n"));
            }
            let mut case = TestCase::new(outcome.expectation.as_str(), status);
            case.set_classname(format!("{}.{test}", summary.rules));
            suite.add_test_case(case);
        }
        report.add_test_suite(suite);
    }
    report.to_string().context("the result cannot be written as XML")
}
