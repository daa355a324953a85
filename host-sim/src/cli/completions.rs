//! `host-sim completions`: what a shell needs to complete commands and options.

use std::io::{self, Write};
use std::process::ExitCode;

use clap_complete::Shell;

/// Print completions for a shell
///
/// For example, for bash: `host-sim completions bash > ~/.local/share/bash-completion/completions/host-sim`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which shell
    #[arg(value_enum)]
    shell: Shell,
}

/// Prints the script to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    // Into memory first: the generator panics where it cannot write.
    let mut script = Vec::new();
    clap_complete::generate(args.shell, &mut super::command(), "host-sim", &mut script);
    // The generator takes the hyphen of the name for one between commands, in one of two places only.
    let script = String::from_utf8(script)?.replace("host__subcmd__sim", "host__sim");
    let mut out = io::stdout().lock();
    out.write_all(script.as_bytes())?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
