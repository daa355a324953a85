//! `host-sim new`: a starter project, whose tests pass at once.

use std::fs::{self, OpenOptions};
use std::io::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

use anyhow::{Context as _, bail};

use super::Voice;

/// The files of a starter project.
const FILES: [(&str, &str); 3] = [
    ("rules.toml", include_str!("../../starter/rules.toml")),
    ("README.md", include_str!("../../starter/README.md")),
    (".github/workflows/alerts.yml", include_str!("../../starter/.github/workflows/alerts.yml")),
];

/// Make a folder with rules, their tests and a CI file, which pass at once
///
/// Writes rules.toml, README.md and .github/workflows/alerts.yml. What is there already is never written over.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// The folder; it is made where there is none
    #[arg(value_name = "DIR")]
    folder: PathBuf,
}

/// Writes the files, and says what to do next.
///
/// # Errors
/// One of the files is there already, or cannot be written.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let folder = &args.folder;
    let shown = folder.display();
    if let Some((name, _)) = FILES.iter().find(|(name, _)| folder.join(name).exists()) {
        bail!(
            "`{}` is there already, and is not written over: name another folder",
            folder.join(name).display()
        );
    }
    for (name, text) in FILES {
        let path = folder.join(name);
        let written = path.parent().map_or(Ok(()), fs::create_dir_all).and_then(|()| {
            OpenOptions::new().write(true).create_new(true).open(&path)?.write_all(text.as_bytes())
        });
        written.with_context(|| format!("cannot write `{}`", path.display()))?;
    }
    if !voice.quiet {
        let mut out = io::stdout().lock();
        let names: Vec<_> = FILES.iter().map(|(name, _)| *name).collect();
        writeln!(out, "{shown}: {}\n\nnext:  host-sim test {shown}", names.join(", "))?;
        out.flush()?;
    }
    Ok(ExitCode::SUCCESS)
}
