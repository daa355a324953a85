//! An image in QEMU.

use std::ffi::OsStr;
use std::io::{ErrorKind, Read};
use std::path::Path;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use alertbus_tests::firmware::{Board, QEMU};

/// How often a guest is looked at.
const LOOK: Duration = Duration::from_millis(5);

/// A running QEMU, which is ended when this is dropped.
pub(crate) struct Guest {
    child: Child,
    name: String,
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
        command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::inherit());
        let name = format!("{} on {}", image.file_name().unwrap().display(), board.machine);
        match command.spawn() {
            Ok(child) => Self { child, name },
            Err(error) if error.kind() == ErrorKind::NotFound => {
                panic!("{QEMU} is missing; type: sudo apt-get install --no-install-recommends {QEMU}")
            }
            Err(error) => panic!("{QEMU} does not start: {error}"),
        }
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
            None => panic!("{} did not end within {} s; it said:\n{output}", self.name, limit.as_secs()),
        }
    }
}

impl Drop for Guest {
    fn drop(&mut self) {
        // One that has ended already cannot be ended, which is as well.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
