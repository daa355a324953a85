//! QEMU as a process of this one.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, ErrorKind};
use std::path::Path;
use std::process::{ExitStatus, Stdio};

use tokio::process::{Child, Command};
use tokio::sync::mpsc;

use super::image::Image;
use super::log::{self, LogLine};

/// The emulator's program.
pub const QEMU: &str = "qemu-system-arm";

/// What has the system end a program together with the one that started it: a part of util-linux.
const TOGETHER: [&str; 4] = ["setpriv", "--pdeathsig", "KILL", "--"];

/// Lines of a guest that wait to be told at most; then it waits.
const TOLD_MAX: usize = 256;

/// What a guest tells beside its lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GuestTold {
    /// A line of its log.
    Log(LogLine),
    /// A line on its standard output, where that is no log.
    Printed(String),
    /// A line that the board tells a person, or that QEMU complains with: standard error.
    Board(String),
    /// A part of the log that cannot be read.
    Undecoded {
        /// How many bytes.
        bytes: usize,
        /// Why, where that is new.
        why: String,
    },
    /// QEMU has ended, and everything that it said was told.
    Ended(ExitStatus),
}

/// Why there is no guest. None of these carries an I/O error as its source: no output is lost.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum GuestError {
    /// There is no emulator.
    #[error("{QEMU} is missing; type: sudo apt-get install --no-install-recommends {QEMU}")]
    Missing,
    /// It does not start.
    #[error("{QEMU} does not start: {0}")]
    Broken(String),
}

/// The emulator of this machine.
pub struct Emulator {
    /// What stands before its name.
    before: Vec<&'static str>,
    /// How it calls itself.
    pub version: String,
}

/// What a guest is started with.
pub struct Start<'s> {
    /// What it runs.
    pub image: &'s Image,
    /// QEMU's name for its board.
    pub machine: &'s str,
    /// Where its flash lies.
    pub folder: &'s Path,
    /// The sockets of its UARTs by their names in that folder, in the order of the UARTs. Somebody listens there.
    pub lines: [&'s str; 2],
    /// A locked file, which QEMU keeps open for as long as it lives.
    pub lock: &'s File,
}

/// A board that runs. Its power goes when this is dropped.
pub struct Guest {
    child: Child,
    told: mpsc::Receiver<GuestTold>,
}

impl Emulator {
    /// Looks for it.
    ///
    /// # Errors
    /// There is none, or it does not run.
    pub async fn find() -> Result<Self, GuestError> {
        // Where there is no such program, or another of its name, QEMU is started without it.
        if let Some(version) = answer(&TOGETHER).await? {
            return Ok(Self { before: TOGETHER.to_vec(), version });
        }
        match answer(&[]).await? {
            Some(version) => Ok(Self { before: Vec::new(), version }),
            None => Err(GuestError::Missing),
        }
    }

    /// Gives a board power.
    ///
    /// To be called where this program lives as long as its thread: the system takes the end of the thread for that of
    /// the program.
    ///
    /// # Errors
    /// QEMU does not start. One that does not like its arguments starts, says so and ends.
    pub fn start(&self, start: &Start<'_>) -> Result<Guest, GuestError> {
        let broken = |error: io::Error| GuestError::Broken(error.to_string());
        let mut words: Vec<OsString> = self.before.iter().map(OsString::from).collect();
        words.push(QEMU.into());
        let (program, before) = words.split_first().ok_or(GuestError::Missing)?;
        let mut command = Command::new(program);
        command.args(before).args(["-machine", start.machine, "-display", "none", "-monitor", "none"]);
        command.args(["-semihosting-config", "enable=on,target=native"]);
        for line in start.lines {
            command.args(["-serial", &format!("unix:{line}")]);
        }
        // Its own folder is another than this program's.
        let image = std::path::absolute(start.image.path()).map_err(broken)?;
        command.arg("-kernel").arg(image).current_dir(start.folder);
        command.stdin(start.lock.try_clone().map_err(broken)?).stdout(Stdio::piped()).stderr(Stdio::piped());
        // Whoever types Ctrl-C means this program, which ends the guest when it is time.
        command.process_group(0).kill_on_drop(true);
        let mut child = command.spawn().map_err(broken)?;
        let (to, told) = mpsc::channel(TOLD_MAX);
        if let (Some(out), Some(err)) = (child.stdout.take(), child.stderr.take()) {
            // A pipe that fails has ended; the guest's own end is told by its process.
            tokio::spawn(log::read(out, start.image.clone(), to.clone()));
            tokio::spawn(async move { log::read_lines(err, &to, GuestTold::Board).await });
        }
        Ok(Guest { child, told })
    }
}

/// The first line of QEMU's answer to who it is; none where there is no such program.
async fn answer(before: &[&str]) -> Result<Option<String>, GuestError> {
    let words = [before, &[QEMU, "--version"]].concat();
    let Some((program, rest)) = words.split_first() else { return Ok(None) };
    match Command::new(program).args(rest).stdin(Stdio::null()).output().await {
        Ok(output) if output.status.success() => {
            let text = String::from_utf8_lossy(&output.stdout);
            Ok(Some(text.lines().next().unwrap_or_default().to_owned()))
        }
        // Whatever stands before it says so in its own way where it finds no QEMU.
        Ok(_) if !before.is_empty() => Ok(None),
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr).trim().to_owned();
            Err(GuestError::Broken(format!("{} {said}", output.status)))
        }
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(None),
        Err(error) => Err(GuestError::Broken(error.to_string())),
    }
}

impl Guest {
    /// Number of its process.
    #[must_use]
    pub fn id(&self) -> Option<u32> {
        self.child.id()
    }

    /// What it tells next. May be dropped at any time: nothing is lost by it.
    pub async fn next(&mut self) -> GuestTold {
        match self.told.recv().await {
            Some(told) => told,
            None => GuestTold::Ended(self.child.wait().await.unwrap_or_default()),
        }
    }

    /// Takes its power away, in the midst of whatever it does. Its end is told like any other.
    pub fn end(&mut self) {
        // One that has ended already cannot be ended, which is as well.
        let _ = self.child.start_kill();
    }
}
