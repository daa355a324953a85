//! Every command that the READMEs and the guide in `docs/` show is a command that exists, and what they show of
//! host-sim's output is what it prints.
//!
//! Read are fenced blocks marked `console` or `sh`: a line that begins with `$ ` is a command, what follows up to
//! the next one is its output. A command runs in a folder with links to what lies at the checkout's root, and must
//! exit 0. Of the output, a line `...` stands for any number of lines, and `…` within a line for any text. With
//! no output shown, none is compared. `<!-- not run: WHY -->` above a block keeps its commands from being run.
#![cfg(all(test, unix))]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod page;
mod shell;

use std::fs;

use alertbus_tests::root;

use crate::page::Step;
use crate::shell::{Runner, Word};

/// README.md, that of the firmware, and the guide.
fn pages() -> Vec<(String, String)> {
    let mut paths = vec![root().join("README.md"), root().join("firmware/README.md")];
    if let Ok(entries) = fs::read_dir(root().join("docs")) {
        paths.extend(entries.map(|entry| entry.unwrap().path()));
    }
    paths.retain(|path| path.extension().is_some_and(|end| end == "md"));
    paths.sort();
    let name = |path: &std::path::Path| path.strip_prefix(root()).unwrap().display().to_string();
    paths.iter().map(|path| (name(path), fs::read_to_string(path).unwrap_or_default())).collect()
}

fn steps() -> Vec<Step> {
    pages().iter().flat_map(|(path, text)| page::steps(path, text)).collect()
}

#[test]
fn every_command_shown_exists() {
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let unknown: Vec<String> = steps()
        .iter()
        .filter_map(|step| Some(step.fault(&shell::read(&step.command, &config).err()?)))
        .collect();
    assert!(unknown.is_empty(), "\n{}\n", unknown.join("\n"));
}

#[test]
fn the_readme_shows_host_sim() {
    let shown = steps().iter().any(|step| step.path == "README.md" && shell::simulates(&step.command));
    assert!(shown, "README.md shows no host-sim command in a ```console block");
}

#[test]
fn what_is_shown_of_host_sim_is_what_it_prints() {
    let config = fs::read_to_string(root().join(".cargo/config.toml")).unwrap();
    let runner = Runner::new("pages", alertbus_tests::host_sim());
    let mut faults = Vec::new();
    for step in steps().iter().filter(|step| step.is_run) {
        if let Ok(Word::Run(line)) = shell::read(&step.command, &config) {
            match runner.run(&line) {
                Err(why) => faults.push(step.fault(&why)),
                Ok(printed) => {
                    faults.extend(page::difference(&step.output, &printed).map(|d| step.fault(&d)));
                }
            }
        }
    }
    assert!(faults.is_empty(), "\n{}\n", faults.join("\n"));
}
