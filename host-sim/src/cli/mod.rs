//! Commands, one file each: arguments, defaults and exit codes stand here and nowhere else.
//!
//! | exit code | means |
//! | --- | --- |
//! | 0 | done |
//! | 1 | an expectation failed: an alert was lost, a tally differs |
//! | 2 | usage, or an invalid file |
//! | 3 | a link or sink was lost: an output cannot be written, a pipe was closed |
//! | 4 | undecided: runs ended before an expectation could be told |
//! | 130 | interrupted |

pub mod check;
pub mod completions;
pub mod decode;
pub mod diff;
pub mod encode;
pub mod explain;
mod fault_options;
pub mod gateway;
pub mod incidents;
mod interrupt;
mod key_options;
pub mod keys;
pub mod man;
pub mod new;
pub mod node;
pub mod qemu;
pub mod replay;
mod rules_file;
pub mod schema;
pub mod soak;
pub mod test;
mod values;

use std::io;
use std::process::ExitCode;

use anyhow::Context as _;
use clap::error::{ContextKind, ContextValue};
use clap::{ColorChoice, CommandFactory, Parser, Subcommand};

use crate::document::Invalid;
use crate::sink::SinkLost;

/// Exit code of a failed expectation.
pub const EXPECTATION_FAILED: u8 = 1;
/// Exit code of wrong usage or an invalid file.
pub const USAGE: u8 = 2;
/// Exit code of a lost link or sink.
pub const SINK_LOST: u8 = 3;
/// Exit code where it cannot be told whether an expectation holds.
pub const UNDECIDED: u8 = 4;
/// Exit code after an interrupt.
pub const INTERRUPTED: u8 = 130;

/// Heading of the options that every command has.
const GLOBAL: &str = "Global options";

/// Replay the documented incidents of 2019-2020 through the alert bus, end to end
///
/// A defensive early-warning system: everything here warns; nothing aims, tasks or engages.
#[derive(Debug, Parser)]
#[command(name = "host-sim", version, propagate_version = true, max_term_width = 100)]
pub struct Cli {
    /// When to colour what is printed; `auto` colours on a terminal unless NO_COLOR is set
    #[arg(long, global = true, value_name = "WHEN", default_value = "auto", env = "HOST_SIM_COLOR",
          help_heading = GLOBAL)]
    color: ColorChoice,
    /// Say less: no progress, no remarks
    #[arg(short, long, global = true, env = "HOST_SIM_QUIET", help_heading = GLOBAL,
          action = clap::ArgAction::SetTrue, value_parser = values::truth)]
    quiet: bool,
    /// Say more: what happens beside the alerts
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = GLOBAL)]
    verbose: u8,
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    Replay(replay::Args),
    Incidents(incidents::Args),
    Check(check::Args),
    Explain(explain::Args),
    Diff(diff::Args),
    Test(test::Args),
    New(new::Args),
    Soak(soak::Args),
    Gateway(gateway::Args),
    Node(node::Args),
    Qemu(qemu::Args),
    Decode(decode::Args),
    Encode(encode::Args),
    Keys(keys::Args),
    Schema(schema::Args),
    Completions(completions::Args),
    Man(man::Args),
}

/// How much is said beside the result itself.
#[derive(Clone, Copy, Debug)]
pub struct Voice {
    /// No progress and no remarks.
    pub quiet: bool,
    /// More than usual: 0 for the usual.
    pub verbose: u8,
}

/// Parses the command line, runs the command, and says in one sentence what went wrong.
#[must_use]
pub fn main() -> ExitCode {
    let Cli { color, quiet, verbose, command } = match Cli::try_parse() {
        Ok(cli) => cli,
        Err(error) => return misused(&error),
    };
    colour(color);
    // Who asks for more on the command line means it, whatever the environment says: only `-q` has a variable.
    let voice = Voice { quiet: quiet && verbose == 0, verbose };
    match command.run(voice) {
        Ok(code) => code,
        Err(error) => {
            // anstream takes the colours out again where none are wanted.
            match error.downcast_ref::<Invalid>() {
                Some(invalid) => anstream::eprintln!("{}", invalid.render(true).trim_end()),
                None if is_closed_pipe(&error) => {
                    anstream::eprintln!(
                        "host-sim: standard output is closed: nobody reads the pipe any more"
                    );
                }
                None if is_unnamed(&error) => {
                    anstream::eprintln!(
                        "host-sim: cannot write to standard output: {error:#}; what was done until then stays done"
                    );
                }
                None => anstream::eprintln!("host-sim: {error:#}"),
            }
            ExitCode::from(exit_code(&error))
        }
    }
}

/// Says what is wrong with the command line, and where a value comes from the environment. Asking for help is no error.
fn misused(error: &clap::Error) -> ExitCode {
    let code = u8::try_from(error.exit_code()).unwrap_or(USAGE);
    if let Err(lost) = error.print() {
        anstream::eprintln!("host-sim: cannot write to standard output: {lost}");
        return ExitCode::from(SINK_LOST);
    }
    let context = |kind| match error.get(kind) {
        Some(ContextValue::String(text)) => Some(text.as_str()),
        _ => None,
    };
    let option = context(ContextKind::InvalidArg).and_then(|option| option.split(' ').next());
    let given = option.is_some_and(|option| std::env::args().any(|given| given.starts_with(option)));
    if let (Some(option), Some(value), false) = (option, context(ContextKind::InvalidValue), given) {
        let variable =
            format!("HOST_SIM_{}", option.trim_start_matches('-').replace('-', "_").to_uppercase());
        if std::env::var(&variable).is_ok_and(|set| set == value) {
            anstream::eprintln!("`{value}` comes from the environment: {variable}");
        }
    }
    ExitCode::from(code)
}

/// What commands run on that wait for several things at once.
fn runtime() -> anyhow::Result<tokio::runtime::Runtime> {
    let built = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build();
    built.context("the system gives no threads")
}

/// The whole command line, for completions and the manual.
#[must_use]
pub fn command() -> clap::Command {
    Cli::command()
}

impl Command {
    fn run(self, voice: Voice) -> anyhow::Result<ExitCode> {
        match self {
            Self::Replay(args) => replay::run(&args, voice),
            Self::Incidents(args) => incidents::run(&args),
            Self::Check(args) => check::run(&args),
            Self::Explain(args) => explain::run(&args, voice),
            Self::Diff(args) => diff::run(&args, voice),
            Self::Test(args) => test::run(&args, voice),
            Self::New(args) => new::run(&args, voice),
            Self::Soak(args) => soak::run(&args, voice),
            Self::Gateway(args) => gateway::run(&args, voice),
            Self::Node(args) => node::run(&args, voice),
            Self::Qemu(args) => qemu::run(&args, voice),
            Self::Decode(args) => decode::run(&args),
            Self::Encode(args) => encode::run(&args),
            Self::Keys(args) => keys::run(&args, voice),
            Self::Schema(args) => schema::run(&args),
            Self::Completions(args) => completions::run(&args),
            Self::Man(args) => man::run(&args),
        }
    }
}

/// An output that cannot be written is a lost sink; everything else was asked for wrongly.
fn exit_code(error: &anyhow::Error) -> u8 {
    let lost = |cause: &(dyn std::error::Error + 'static)| {
        cause.is::<io::Error>()
            || cause.downcast_ref::<serde_json::Error>().is_some_and(serde_json::Error::is_io)
    };
    if error.chain().any(lost) { SINK_LOST } else { USAGE }
}

/// Whether whoever read standard output has gone. An output with a name of its own says so with its name.
fn is_closed_pipe(error: &anyhow::Error) -> bool {
    let named = error.downcast_ref::<SinkLost>().is_some_and(|lost| {
        !["console", "standard output"].iter().any(|name| lost.to_string().contains(name))
    });
    let pipe = |kind| kind == Some(io::ErrorKind::BrokenPipe);
    let broken = |cause: &(dyn std::error::Error + 'static)| {
        pipe(cause.downcast_ref::<io::Error>().map(io::Error::kind))
            || pipe(cause.downcast_ref::<serde_json::Error>().and_then(serde_json::Error::io_error_kind))
    };
    !named && error.chain().any(broken)
}

/// Whether an output without a name was lost, which is standard output: every file has its name in the message.
fn is_unnamed(error: &anyhow::Error) -> bool {
    error.chain().next().is_some_and(|first| first.is::<io::Error>() || first.is::<serde_json::Error>())
}

fn colour(choice: ColorChoice) {
    match choice {
        ColorChoice::Auto => anstream::ColorChoice::Auto,
        ColorChoice::Always => anstream::ColorChoice::Always,
        ColorChoice::Never => anstream::ColorChoice::Never,
    }
    .write_global();
}
