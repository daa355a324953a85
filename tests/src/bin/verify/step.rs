//! One command: run in the checkout, its output kept in the rung's log, its end waited for.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, IsTerminal, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// How often a running command is looked at: short beside any of them, long beside a look.
const LOOK: Duration = Duration::from_millis(25);

/// The checkout and the machine around it, as every rung sees them.
pub(crate) struct Room {
    /// Where the workspace's `Cargo.toml` is.
    pub(crate) root: PathBuf,
    /// Cargo's target folder.
    pub(crate) target: PathBuf,
    /// `CI=true`: no rung may be left out.
    pub(crate) ci: bool,
    /// Somebody watches: a progress line may be drawn and wiped again.
    pub(crate) live: bool,
    /// Words may be coloured.
    pub(crate) colour: bool,
    cargo: OsString,
}

impl Room {
    /// Finds the checkout from what cargo says about this program.
    pub(crate) fn enter() -> Result<Self, String> {
        // The value at run time is right even where two checkouts share one target folder.
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").unwrap_or_else(|| env!("CARGO_MANIFEST_DIR").into());
        let root = Path::new(&package)
            .parent()
            .filter(|root| root.join("Cargo.lock").is_file())
            .ok_or("run it as `cargo verify`, inside the checkout")?
            .to_path_buf();
        let target = root.join(std::env::var_os("CARGO_TARGET_DIR").unwrap_or_else(|| "target".into()));
        fs::create_dir_all(target.join("verify"))
            .map_err(|error| format!("cannot create {}: {error}", target.join("verify").display()))?;
        let is_set = |name| std::env::var_os(name).is_some_and(|value| !value.is_empty() && value != "false");
        let (terminal, ci) = (io::stdout().is_terminal(), is_set("CI"));
        Ok(Self {
            root,
            target,
            ci,
            live: terminal && !ci,
            colour: terminal && !is_set("NO_COLOR"),
            cargo: std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()),
        })
    }

    /// A command in the checkout's root, without what `cargo run` told this program about itself: a build
    /// script that reads such a variable would rebuild its crate for nothing.
    pub(crate) fn command(&self, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.root).stdin(Stdio::null());
        for (name, _) in std::env::vars_os() {
            let text = name.to_string_lossy();
            if ["CARGO_PKG_", "CARGO_MANIFEST_", "CARGO_BIN_"].iter().any(|start| text.starts_with(start)) {
                command.env_remove(&name);
            }
        }
        command.env("CARGO_TERM_COLOR", "never");
        command
    }

    /// The cargo that runs this program, with `arguments`, separated by spaces.
    pub(crate) fn cargo(&self, arguments: &str) -> Command {
        let mut command = self.command(&self.cargo);
        command.args(arguments.split_whitespace());
        command
    }
}

/// What a rung's commands print, and the progress line while they run.
pub(crate) struct Log<'a> {
    /// Where the commands run.
    pub(crate) room: &'a Room,
    path: PathBuf,
    file: File,
    rung: &'static str,
    begun: Instant,
}

impl<'a> Log<'a> {
    /// An empty log for `rung`, in the place of an older one.
    pub(crate) fn open(room: &'a Room, rung: &'static str) -> Result<Self, String> {
        let path = room.target.join("verify").join(format!("{rung}.log"));
        let file =
            File::create(&path).map_err(|error| format!("cannot write {}: {error}", path.display()))?;
        Ok(Self { room, path, file, rung, begun: Instant::now() })
    }

    /// Where it is, as a person at the checkout's root would type it.
    pub(crate) fn shown(&self) -> String {
        self.path.strip_prefix(&self.room.root).unwrap_or(&self.path).display().to_string()
    }

    pub(crate) fn seconds(&self) -> f64 {
        self.begun.elapsed().as_secs_f64()
    }

    /// Runs `command` to its end; an error is a sentence that names it.
    pub(crate) fn run(&mut self, command: Command) -> Result<(), String> {
        self.run_within(command, Duration::MAX)
    }

    /// As [`Log::run`], but ends the command when it has taken longer than `limit`.
    pub(crate) fn run_within(&mut self, mut command: Command, limit: Duration) -> Result<(), String> {
        let short = typed(&command);
        let broken = |error: io::Error| format!("`{short}` did not run: {error}");
        writeln!(self.file, "$ {}{short}", variables(&command)).map_err(broken)?;
        let (out, err) = (self.file.try_clone().map_err(broken)?, self.file.try_clone().map_err(broken)?);
        let mut child = command.stdout(out).stderr(err).spawn().map_err(broken)?;
        let status = self.wait(&mut child, limit, &short).map_err(broken)?;
        match status {
            Some(status) if status.success() => Ok(()),
            Some(status) => Err(format!("`{short}` ended with {status}")),
            None => Err(format!("`{short}` took longer than {} s", limit.as_secs())),
        }
    }

    /// All that a program answers to a question; an error is a sentence that names it.
    pub(crate) fn read(&mut self, mut command: Command) -> Result<String, String> {
        let short = typed(&command);
        let output = command.output().map_err(|error| format!("`{short}` did not run: {error}"))?;
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let _ = writeln!(self.file, "$ {short}\n{text}{}", String::from_utf8_lossy(&output.stderr));
        if output.status.success() {
            Ok(text)
        } else {
            Err(format!("`{short}` ended with {}", output.status))
        }
    }

    /// What a short question to another program answers on its first line; `None` if it fails.
    pub(crate) fn ask(&mut self, mut command: Command) -> Option<String> {
        let output = command.stderr(Stdio::null()).output().ok()?;
        let text = String::from_utf8_lossy(&output.stdout);
        let first = text.lines().next().unwrap_or_default().trim().to_string();
        // The log is for a reader; a question that cannot be noted there is still answered.
        let _ = writeln!(self.file, "$ {}\n{first}", typed(&command));
        output.status.success().then_some(first)
    }

    /// Of what was printed, the lines that say most about a failure.
    pub(crate) fn excerpt(&self, lines: usize) -> Vec<String> {
        let text = fs::read(&self.path).unwrap_or_default();
        excerpt(&String::from_utf8_lossy(&text), lines)
    }

    /// Waits for `child`; `None` if it had to be ended.
    fn wait(&self, child: &mut Child, limit: Duration, shown: &str) -> io::Result<Option<ExitStatus>> {
        let begun = Instant::now();
        let mut drawn = 0;
        let ended = loop {
            if let Some(status) = child.try_wait()? {
                break Some(status);
            }
            if begun.elapsed() > limit {
                child.kill()?;
                child.wait()?;
                break None;
            }
            let second = self.begun.elapsed().as_secs();
            if self.room.live && second > drawn {
                drawn = second;
                draw(&format!("{:<6} {second:>4} s  {shown}", self.rung));
            }
            thread::sleep(LOOK);
        };
        if drawn > 0 {
            draw("");
        }
        Ok(ended)
    }
}

/// What the failed tests said, if any did; otherwise the last lines. Other tests go on after one that failed, so
/// that the end of the log would tell of those that passed.
fn excerpt(text: &str, lines: usize) -> Vec<String> {
    let mut inside = false;
    let mut said = Vec::new();
    for line in text.lines() {
        inside = (inside || line == "failures:") && !line.starts_with("test result:");
        if inside && !line.is_empty() {
            said.push(line.to_string());
        }
    }
    if said.is_empty() {
        let all: Vec<&str> = text.lines().collect();
        return all.iter().skip(all.len().saturating_sub(lines)).map(ToString::to_string).collect();
    }
    let more = said.len().saturating_sub(lines);
    said.truncate(lines);
    if more > 0 {
        said.push(format!("... and {more} lines more"));
    }
    said
}

/// Replaces the progress line; cut to what fits in a narrow terminal, since a wrapped line can't be wiped.
fn draw(text: &str) {
    let line: String = text.chars().take(78).collect();
    print!("\r\x1b[2K{line}");
    // A terminal that went away is no reason to fail a check.
    let _ = io::stdout().flush();
}

/// The variables set for this command, as they would stand before it on the line.
fn variables(command: &Command) -> String {
    let set = command.get_envs().filter(|(name, _)| *name != "CARGO_TERM_COLOR");
    let words = set.filter_map(|(name, value)| {
        Some(format!("{}={} ", name.to_string_lossy(), quoted(&value?.to_string_lossy())))
    });
    words.collect()
}

/// The command as a person would type it.
fn typed(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let program = program.file_name().unwrap_or(program.as_os_str()).to_string_lossy().into_owned();
    let arguments = command.get_args().map(|argument| quoted(&argument.to_string_lossy()));
    [program].into_iter().chain(arguments).collect::<Vec<_>>().join(" ")
}

fn quoted(word: &str) -> String {
    if word.contains(' ') { format!("'{word}'") } else { word.to_string() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_excerpt_is_what_failed_tests_said_or_the_end() {
        assert_eq!(excerpt("one\ntwo\nthree", 2), ["two", "three"]);
        let tests = "running 2 tests\n\nfailures:\n\n---- a stdout ----\nwhy\n\nfailures:\n    a\n\n\
                     test result: FAILED. 1 passed; 1 failed\n   Doc-tests b\ntest result: ok.\nerror: 1 target";
        assert_eq!(excerpt(tests, 9), ["failures:", "---- a stdout ----", "why", "failures:", "    a"]);
        assert_eq!(excerpt(tests, 3).last().map(String::as_str), Some("... and 2 lines more"));
    }

    #[test]
    fn a_command_is_shown_as_it_would_be_typed() {
        let mut command = Command::new("/opt/rust/bin/cargo");
        command.args(["doc", "--no-deps"]).env("RUSTDOCFLAGS", "-D warnings").env_remove("CARGO_PKG_NAME");
        command.env("CARGO_TERM_COLOR", "never");
        assert_eq!(variables(&command), "RUSTDOCFLAGS='-D warnings' ");
        assert_eq!(typed(&command), "cargo doc --no-deps");
    }
}
