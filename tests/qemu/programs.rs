//! Each program below `firmware/src/test/` says on every board what stands in the file beside it.

use std::fs;
use std::path::PathBuf;
use std::time::Duration;

use alertbus_tests::firmware::{BOARDS, Board};
use alertbus_tests::root;

use crate::guest::Guest;

/// For one program on one board; each takes a second or so.
const LIMIT: Duration = Duration::from_secs(60);

/// Those whose failures are to end as a board's do, and not in words.
const FAILS_ON_PURPOSE: [&str; 2] = ["restart", "watchdog"];

/// Those that need more than a processor: a whole board.
const NEEDS_A_BOARD: [&str; 1] = ["watchdog"];

/// The programs, by the names of their files.
fn names() -> Vec<String> {
    let files = fs::read_dir(folder()).unwrap().map(|entry| entry.unwrap().path());
    let programs = files.filter(|path| path.extension().is_some_and(|extension| extension == "rs"));
    let mut names: Vec<String> =
        programs.map(|path| path.file_stem().unwrap().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

fn folder() -> PathBuf {
    root().join("firmware/src/test")
}

#[test]
fn each_program_says_on_every_board_what_stands_beside_it() {
    let names = names();
    assert!(
        NEEDS_A_BOARD.iter().chain(&FAILS_ON_PURPOSE).all(|name| names.iter().any(|other| other == name))
    );
    // A count of instructions stands for time, and waiting takes none of the host's, so that nothing depends on how busy
    // that is: a host that is away for two seconds would be a watchdog's business.
    let arguments =
        ["-serial", "null", "-icount", "shift=6,sleep=off", "-semihosting-config", "enable=on,target=native"];
    let is_update = std::env::var("ALERTBUS_GOLDEN").is_ok_and(|mode| mode == "update");
    let mut wrong = Vec::new();
    for (at, board) in BOARDS.iter().enumerate() {
        for (name, image) in images(board, &names) {
            let ended = Guest::start(board, &image, root(), &arguments).wait(LIMIT);
            let path = folder().join(format!("{name}.out"));
            // The first board writes; the others must say the same.
            if is_update && at == 0 {
                fs::write(&path, &ended.output).unwrap();
            }
            let expected = fs::read_to_string(&path).unwrap_or_default();
            if ended.output != expected || !ended.status.success() {
                let told = differences(&expected, &ended.output);
                wrong.push(format!("{name} on {}: {}\n{told}", board.machine, ended.status));
            }
        }
    }
    assert!(wrong.is_empty(), "\n{}\nALERTBUS_GOLDEN=update writes what is said now", wrong.join("\n"));
}

/// Each program that is for this board, built.
fn images(board: &Board, names: &[String]) -> Vec<(String, PathBuf)> {
    let is_for_board = |name: &&String| board.is_whole || !NEEDS_A_BOARD.contains(&name.as_str());
    let (failing, testing): (Vec<&String>, Vec<&String>) =
        names.iter().filter(is_for_board).partition(|name| FAILS_ON_PURPOSE.contains(&name.as_str()));
    let build = |features: &[&str], names: Vec<&String>| -> Vec<(String, PathBuf)> {
        let programs: Vec<String> = names.iter().map(|name| format!("test-{name}")).collect();
        let programs: Vec<&str> = programs.iter().map(String::as_str).collect();
        names.into_iter().cloned().zip(board.build(features, &programs)).collect()
    };
    [build(&["testing"], testing), build(&[], failing)].concat()
}

/// The first lines that differ, as far as a person wants to see them.
fn differences(expected: &str, said: &str) -> String {
    let (mut expected, mut said) = (expected.lines(), said.lines());
    let mut told = Vec::new();
    loop {
        let pair = (expected.next(), said.next());
        match pair {
            (None, None) => return told.join("\n"),
            (wanted, got) if wanted != got && told.len() < 20 => {
                told.extend(wanted.map(|line| format!("  - {line}")));
                told.extend(got.map(|line| format!("  + {line}")));
            }
            _ => {}
        }
    }
}

#[test]
fn what_differs_is_told_line_by_line() {
    assert_eq!(differences("a\nb\nc\n", "a\nx\n"), "  - b\n  + x\n  - c");
    assert_eq!(differences("a\n", "a\n"), "");
}
