//! What was asked for on the command line.

use alertbus_tests::firmware::{BOARDS, Board};

/// What to do, once the arguments make sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print [`help`] and stop.
    Help,
    /// Build a program and run it.
    Run {
        /// Which.
        program: String,
        /// For which board.
        board: Board,
        /// What `host-sim qemu` is given beside the image.
        rest: Vec<String>,
    },
}

/// Reads the arguments after the program's name. Those that it does not know are for `host-sim qemu`.
pub(crate) fn parse(arguments: impl IntoIterator<Item = String>) -> Result<Request, String> {
    let mut arguments = arguments.into_iter();
    let (mut program, mut board, mut rest) = (None, BOARDS[0], Vec::new());
    while let Some(argument) = arguments.next() {
        match argument.as_str() {
            "-h" | "--help" | "help" if program.is_none() => return Ok(Request::Help),
            "--board" => board = board_named(&arguments.next().unwrap_or_default())?,
            text if text.starts_with("--board=") => board = board_named(text.trim_start_matches("--board="))?,
            // The program stands first; what comes after it may be an option's value.
            name if program.is_none() && !name.starts_with('-') => program = Some(name.to_owned()),
            name if program.is_none() => return Err(format!("`{name}` stands before the program; {USAGE}")),
            _ => rest.push(argument),
        }
    }
    let program = program.ok_or_else(|| format!("which program? {USAGE}"))?;
    Ok(Request::Run { program, board, rest })
}

const USAGE: &str = "usage: cargo qemu PROGRAM [--board BOARD] [OPTIONS], such as `cargo qemu node`";

fn board_named(name: &str) -> Result<Board, String> {
    let whole = || BOARDS.into_iter().filter(|board| board.is_whole);
    let names = || whole().map(|board| board.feature).collect::<Vec<_>>().join(", ");
    let found = whole().find(|board| board.feature == name);
    found.ok_or_else(|| {
        format!("there is no board `{name}` with lines and flash in QEMU; allowed: {}", names())
    })
}

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = format!(
        "Builds a program of the firmware and runs it in QEMU, joined to a rig and a live gateway.\n\n\
         U{}\n\nBoards (the first, if none is named):\n",
        USAGE.trim_start_matches('u')
    );
    for board in BOARDS.into_iter().filter(|board| board.is_whole) {
        text.push_str(&format!("  {}\n", board.feature));
    }
    text.push_str(
        "\nPrograms are the files in firmware/src/bin. All other options are those of `cargo qemu node --help`.\n",
    );
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(line: &str) -> Result<Request, String> {
        parse(line.split(' ').filter(|word| !word.is_empty()).map(String::from))
    }

    fn run(program: &str, board: Board, rest: &str) -> Result<Request, String> {
        let rest = rest.split(' ').filter(|word| !word.is_empty()).map(String::from).collect();
        Ok(Request::Run { program: program.into(), board, rest })
    }

    #[test]
    fn a_program_its_board_and_what_host_sim_is_given() {
        assert_eq!(parsed("node"), run("node", BOARDS[0], ""));
        assert_eq!(
            parsed("node --board qemu-mps2-an385 --speed 600x -v"),
            run("node", BOARDS[1], "--speed 600x -v")
        );
        assert_eq!(parsed("node --board=qemu-mps2-an385"), run("node", BOARDS[1], ""));
        assert_eq!(parsed("node --help"), run("node", BOARDS[0], "--help"));
        assert_eq!(parsed("--help"), Ok(Request::Help));
    }

    #[test]
    fn what_makes_no_sense_is_refused_with_what_is_allowed() {
        for (line, words) in [
            ("", "which program? usage: cargo qemu PROGRAM"),
            ("--speed 600x node", "`--speed` stands before the program"),
            ("node --board", "there is no board ``"),
            ("node --board qemu-microbit", "allowed: qemu-mps2-an386, qemu-mps2-an385"),
        ] {
            assert!(parsed(line).is_err_and(|why| why.contains(words)), "{line}");
        }
        assert!(help().starts_with("Builds") && help().contains("\nUsage: cargo qemu PROGRAM"));
    }
}
