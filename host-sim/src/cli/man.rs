//! `host-sim man`: the manual, for `man` to read.

use std::fs;
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::Context;

/// Print the manual page, or write one page a command into a folder
///
/// For example: `host-sim man | man -l -`
#[derive(Debug, clap::Args)]
pub struct Args {
    /// A folder for the pages `host-sim.1`, `host-sim-decode.1` and so on; made where it does not exist
    #[arg(value_name = "DIR")]
    folder: Option<PathBuf>,
}

/// Prints the main page to standard output, or writes all pages.
///
/// # Errors
/// Standard output or a page cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    if let Some(folder) = &args.folder {
        let unwritable = || format!("cannot write the manual into `{}`", folder.display());
        fs::create_dir_all(folder).with_context(unwritable)?;
        clap_mangen::generate_to(super::command(), folder).with_context(unwritable)?;
    } else {
        let mut out = io::stdout().lock();
        clap_mangen::Man::new(super::command()).render(&mut out)?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}
