//! What was asked for on the command line.

use crate::rungs::Rung;
use crate::toolchain::{self, Source};

/// What to do, once the arguments make sense.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Request {
    /// Print [`help`] and stop.
    Help,
    /// Run these rungs, in the ladder's order whatever order they were named in.
    Run {
        /// Each at most once.
        rungs: Vec<Rung>,
        /// The one way to a bare-metal toolchain that may be taken; `None` tries them in order.
        only: Option<Source>,
    },
}

/// Reads the arguments after the program's name, and the value of [`toolchain::VARIABLE`] if it is set.
pub(crate) fn parse(
    arguments: impl IntoIterator<Item = String>,
    toolchain: Option<&str>,
) -> Result<Request, String> {
    let mut named = Vec::new();
    for argument in arguments {
        match argument.as_str() {
            "-h" | "--help" | "help" => return Ok(Request::Help),
            name => named.push(Rung::named(name).ok_or_else(|| unknown(name))?),
        }
    }
    let only = match toolchain.unwrap_or_default() {
        "" => None,
        name => Some(Source::named(name).ok_or_else(|| {
            format!(
                "{} is `{name}`; it may be `installed`, `rustup` or `debian`, or unset",
                toolchain::VARIABLE
            )
        })?),
    };
    let rungs = Rung::ALL.into_iter().filter(|rung| named.is_empty() || named.contains(rung)).collect();
    Ok(Request::Run { rungs, only })
}

fn unknown(name: &str) -> String {
    format!("there is no rung `{name}`; the rungs are {}", names().join(", "))
}

fn names() -> Vec<&'static str> {
    Rung::ALL.into_iter().map(Rung::name).collect()
}

/// The text of `--help`.
pub(crate) fn help() -> String {
    let mut text = String::from(
        "Runs this project's checks and prints one line a rung.\n\n\
         Usage: cargo verify [RUNG]...\n\nRungs, in the order they run (all of them if none is named):\n",
    );
    for rung in Rung::ALL {
        text.push_str(&format!("  {:<6}  {}\n", rung.name(), rung.about()));
    }
    text.push_str(&format!(
        "\nThe full output of a rung is in target/verify/RUNG.log.\n\
         The exit status is 0 if every rung passed, 1 if one failed, 2 if the request made no sense.\n\n\
         Environment:\n  \
           {}  where the rungs nostd and qemu take their Rust from: installed, rustup or debian\n  \
           NO_COLOR   no colour\n  \
           CI=true    no progress line, and no rung may be left out\n",
        toolchain::VARIABLE
    ));
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parsed(arguments: &[&str], toolchain: Option<&str>) -> Result<Request, String> {
        parse(arguments.iter().map(ToString::to_string), toolchain)
    }

    #[test]
    fn no_argument_is_the_whole_ladder_in_order() {
        assert_eq!(parsed(&[], None), Ok(Request::Run { rungs: Rung::ALL.to_vec(), only: None }));
        assert_eq!(names(), ["fmt", "lint", "docs", "test", "nostd", "qemu", "deny", "soak"]);
    }

    #[test]
    fn named_rungs_run_once_each_in_the_order_of_the_ladder() {
        assert_eq!(
            parsed(&["deny", "fmt", "deny"], None),
            Ok(Request::Run { rungs: vec![Rung::Fmt, Rung::Deny], only: None })
        );
    }

    #[test]
    fn an_unknown_rung_is_refused_with_the_list() {
        assert_eq!(
            parsed(&["fmt", "lints"], None),
            Err("there is no rung `lints`; the rungs are fmt, lint, docs, test, nostd, qemu, deny, soak"
                .into())
        );
        assert!(parsed(&["--fast"], None).is_err());
    }

    #[test]
    fn help_names_every_rung() {
        assert_eq!(parsed(&["fmt", "--help"], None), Ok(Request::Help));
        assert!(names().iter().all(|name| help().contains(&format!("\n  {name} "))));
    }

    #[test]
    fn the_toolchain_variable_is_read_and_checked() {
        let only = |value| match parsed(&["nostd"], Some(value)) {
            Ok(Request::Run { only, .. }) => Ok(only),
            Ok(Request::Help) => Err("help".into()),
            Err(why) => Err(why),
        };
        assert_eq!(only(""), Ok(None));
        assert_eq!(only("debian"), Ok(Some(Source::Debian)));
        assert!(only("gentoo").is_err_and(|why| why.contains("`gentoo`") && why.contains("debian")));
    }
}
