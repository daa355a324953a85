//! What has come of an expectation.

use serde::Serialize;

/// Whether an expectation holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Verdict {
    /// It does.
    Passed,
    /// Runs ended before it could be told.
    Undecided,
    /// It does not.
    Failed,
}

/// What has come of an expectation over all runs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Outcome {
    /// Always `expectation`.
    #[serde(rename = "type")]
    pub sort: &'static str,
    /// Name of the test.
    pub test: String,
    /// The expectation in words.
    pub expectation: String,
    /// Whether it holds.
    pub verdict: Verdict,
    /// Runs that were played for it.
    pub runs: u64,
    /// Alerts that it is about, in all runs together.
    pub alerts: u64,
    /// Of these acknowledged by the sink.
    pub arrived: u64,
    /// Half of them came within this time of their detection, in milliseconds; none where they never did.
    pub p50_ms: Option<u64>,
    /// Ninety-nine of a hundred did.
    pub p99_ms: Option<u64>,
    /// All that came did.
    pub worst_ms: Option<u64>,
    /// The seed with which one took that long.
    pub worst_seed: Option<u64>,
    /// Seeds with which it does not hold, the first few.
    pub failing_seeds: Vec<u64>,
    /// So many are there.
    pub failing_runs: u64,
    /// What happened, once.
    pub example: Option<String>,
    /// A seed with which it can be seen.
    pub again_seed: Option<u64>,
    /// Which of the trial's runs it was.
    #[serde(skip)]
    pub run: usize,
}

impl Verdict {
    /// As one word.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Passed => "passed",
            Self::Undecided => "undecided",
            Self::Failed => "failed",
        }
    }
}
