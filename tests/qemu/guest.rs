//! An image in QEMU.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, ErrorKind, Read};
use std::path::Path;
use std::process::{Child, ChildStderr, Command, ExitStatus, Stdio};
use std::sync::mpsc::{self, Receiver};
use std::thread;
use std::time::{Duration, Instant};

use alertbus_tests::firmware::{Board, QEMU, qemu_is_missing};

/// How often a guest is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A running QEMU, which is ended when this is dropped.
pub(crate) struct Guest {
    child: Child,
    name: String,
    told: Receiver<String>,
}

/// What a guest has said and how it ended.
pub(crate) struct Ended {
    /// What it printed over semihosting.
    pub(crate) output: String,
    pub(crate) status: ExitStatus,
}

impl Guest {
    /// Starts `image` on `board`; `more` goes to QEMU, which runs in `folder`.
    pub(crate) fn start<A: AsRef<OsStr>>(board: &Board, image: &Path, folder: &Path, more: &[A]) -> Self {
        let mut command = Command::new(QEMU);
        command.args(["-machine", board.machine, "-display", "none", "-monitor", "none"]);
        command.arg("-kernel").arg(image).args(more).current_dir(folder);
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let name = format!("{} on {}", image.file_name().unwrap().display(), board.machine);
        match command.spawn() {
            Ok(mut child) => {
                let told = lines(child.stderr.take().unwrap());
                Self { child, name, told }
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{}", qemu_is_missing())
            }
            Err(error) => panic!("{QEMU} does not start: {error}"),
        }
    }

    /// The lines on standard error since this was asked last: what a board tells a person, and QEMU's complaints. After
    /// [`Guest::kill`] these are all.
    pub(crate) fn told(&self) -> Vec<String> {
        self.told.try_iter().collect()
    }

    /// Ends it at once, as a power cut ends a board; what it has told until then.
    pub(crate) fn kill(mut self) -> Vec<String> {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
        // The reader's end closes the channel.
        self.told.iter().collect()
    }

    /// Whether it has ended by itself.
    pub(crate) fn has_ended(&mut self) -> bool {
        self.child.try_wait().unwrap().is_some()
    }

    /// Waits until it ends by itself. One that does not, within `limit`, has failed.
    pub(crate) fn wait(mut self, limit: Duration) -> Ended {
        let mut pipe = self.child.stdout.take().unwrap();
        let reader = thread::spawn(move || {
            let mut bytes = Vec::new();
            pipe.read_to_end(&mut bytes).map(|_| bytes)
        });
        let begun = Instant::now();
        let status = loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                break Some(status);
            }
            if begun.elapsed() > limit {
                self.child.kill().unwrap();
                self.child.wait().unwrap();
                break None;
            }
            thread::sleep(LOOK);
        };
        let bytes = reader.join().unwrap().unwrap();
        let output = String::from_utf8_lossy(&bytes).into_owned();
        match status {
            Some(status) => Ended { output, status },
            None => {
                let told = self.told().join("\n");
                panic!("{} did not end within {} s; it said:\n{output}{told}", self.name, limit.as_secs())
            }
        }
    }
}

/// Reads lines as they come, so that no guest waits for its reader.
fn lines(pipe: ChildStderr) -> Receiver<String> {
    let (sender, receiver) = mpsc::channel();
    thread::spawn(move || {
        for line in BufReader::new(pipe).lines().map_while(Result::ok) {
            if sender.send(line).is_err() {
                return;
            }
        }
    });
    receiver
}

impl Drop for Guest {
    fn drop(&mut self) {
        // One that has ended already cannot be ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
