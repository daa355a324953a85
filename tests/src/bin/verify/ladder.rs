//! Runs the rungs one after another and says how each ended.

use std::process::ExitCode;

use crate::rungs::{Rung, Stop, Verdict};
use crate::step::{Log, Room};
use crate::toolchain::Source;

/// How many lines of a failed rung's log are shown: enough for a compiler's error or a few failed tests.
const EXCERPT_LINES: usize = 60;

/// How many rungs ended in each way.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Count {
    passed: usize,
    failed: usize,
    left_out: usize,
}

/// Runs `rungs`; one that fails does not stop the next, since each says something of its own.
pub(crate) fn climb(room: &Room, rungs: &[Rung], only: Option<Source>) -> ExitCode {
    let mut count = Count::default();
    for rung in rungs {
        match Log::open(room, rung.name()) {
            Ok(mut log) => {
                let verdict = firm(rung.run(&mut log, only), room.ci);
                count.add(&verdict);
                report(&log, *rung, &verdict);
            }
            Err(why) => {
                let verdict = Err(Stop::Failed(why.clone()));
                count.add(&verdict);
                println!("{}", line(*rung, &verdict, 0.0, false));
            }
        }
    }
    println!("{}", count.closing());
    if count.failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// What a person's machine may leave out, CI may not.
fn firm(verdict: Verdict, ci: bool) -> Verdict {
    match verdict {
        Err(Stop::LeftOut(why)) if ci => Err(Stop::Failed(why)),
        verdict => verdict,
    }
}

fn report(log: &Log<'_>, rung: Rung, verdict: &Verdict) {
    println!("{}", line(rung, verdict, log.seconds(), log.room.colour));
    if matches!(verdict, Err(Stop::Failed(_))) {
        for line in log.excerpt(EXCERPT_LINES) {
            println!("    | {line}");
        }
        println!("    the whole output: {}", log.shown());
    }
}

/// `lint   ok          31.2 s`, and after it what there is to say.
fn line(rung: Rung, verdict: &Verdict, seconds: f64, colour: bool) -> String {
    let (word, paint, note) = match verdict {
        Ok(note) => ("ok", "\x1b[32m", note),
        Err(Stop::Failed(why)) => ("FAILED", "\x1b[1;31m", why),
        Err(Stop::LeftOut(why)) => ("left out", "\x1b[33m", why),
    };
    let word = if colour { format!("{paint}{word:<8}\x1b[0m") } else { format!("{word:<8}") };
    format!("{:<6} {word} {seconds:>7.1} s  {note}", rung.name()).trim_end().to_string()
}

impl Count {
    fn add(&mut self, verdict: &Verdict) {
        match verdict {
            Ok(_) => self.passed += 1,
            Err(Stop::Failed(_)) => self.failed += 1,
            Err(Stop::LeftOut(_)) => self.left_out += 1,
        }
    }

    /// The last line, alone on it; other programs read it.
    fn closing(self) -> String {
        let Self { passed, failed, left_out } = self;
        let skipped = if left_out > 0 { format!(", {left_out} skipped") } else { String::new() };
        format!("{passed} passed, {failed} failed{skipped}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn verdicts() -> [Verdict; 4] {
        [
            Ok(String::new()),
            Ok("advisories left out: no database".into()),
            Err(Stop::Failed("`cargo fmt` ended with exit status: 1".into())),
            Err(Stop::LeftOut("no Rust".into())),
        ]
    }

    fn counted(verdicts: impl IntoIterator<Item = Verdict>) -> Count {
        let mut count = Count::default();
        verdicts.into_iter().for_each(|verdict| count.add(&verdict));
        count
    }

    #[test]
    fn the_closing_line_counts_rungs() {
        assert_eq!(counted(verdicts().into_iter().take(2)).closing(), "2 passed, 0 failed");
        assert_eq!(counted(verdicts().into_iter().take(3)).closing(), "2 passed, 1 failed");
        assert_eq!(counted(verdicts()).closing(), "2 passed, 1 failed, 1 skipped");
        assert_eq!(Count::default().closing(), "0 passed, 0 failed");
    }

    #[test]
    fn ci_leaves_nothing_out() {
        assert_eq!(counted(verdicts().map(|verdict| firm(verdict, true))).closing(), "2 passed, 2 failed");
        assert_eq!(counted(verdicts().map(|verdict| firm(verdict, false))), counted(verdicts()));
    }

    #[test]
    fn a_line_has_the_name_how_it_ended_and_the_time() {
        let lines = verdicts().map(|verdict| line(Rung::Fmt, &verdict, 1.25, false));
        assert_eq!(lines[0], "fmt    ok           1.2 s");
        assert_eq!(lines[1], "fmt    ok           1.2 s  advisories left out: no database");
        assert_eq!(lines[2], "fmt    FAILED       1.2 s  `cargo fmt` ended with exit status: 1");
        assert_eq!(lines[3], "fmt    left out     1.2 s  no Rust");
        assert!(line(Rung::Fmt, &Ok(String::new()), 1.0, true).contains("\x1b[32mok"));
    }
}
