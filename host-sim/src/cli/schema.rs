//! `host-sim schema`: the JSON schema of a file format, for editors and for other programs.

use std::io::{self, Write};
use std::process::ExitCode;

use clap::ValueEnum;

use crate::route::Rules;
use crate::scenario::Scenario;

/// Print the JSON schema of a file format
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Which format
    #[arg(value_enum, default_value = "scenario")]
    format: Format,
}

/// A file format that has a schema.
#[derive(Clone, Copy, Debug, ValueEnum)]
enum Format {
    /// Scenario files: sites, nodes, incidents, counts and fill-ins
    Scenario,
    /// Rules files: sinks, routes, inhibitions, silences and tests
    Rules,
}

/// Prints the schema to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args) -> anyhow::Result<ExitCode> {
    let schema = match args.format {
        Format::Scenario => Scenario::schema(),
        Format::Rules => Rules::schema(),
    };
    let mut out = io::stdout().lock();
    serde_json::to_writer_pretty(&mut out, &schema).map_err(io::Error::from)?;
    writeln!(out)?;
    out.flush()?;
    Ok(ExitCode::SUCCESS)
}
