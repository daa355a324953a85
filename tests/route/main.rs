//! Routing as an integrator uses it: rules are checked, tested over seeds, and explained by the program.
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

mod checked;
mod explained;
mod judged;
mod junit;
mod shipped;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Runs host-sim with these arguments: exit code, standard output, standard error.
fn host_sim(arguments: &[&str]) -> (i32, String, String) {
    let mut command = Command::new(alertbus_tests::host_sim());
    for (name, _) in std::env::vars_os().filter(|(name, _)| name.to_string_lossy().starts_with("HOST_SIM_")) {
        command.env_remove(name);
    }
    let output = command.args(arguments).output().unwrap();
    let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
    (output.status.code().unwrap_or(-1), text(&output.stdout), text(&output.stderr))
}

/// Every line of JSON that it prints, and the exit code.
fn json(arguments: &[&str]) -> (i32, Vec<Value>) {
    let (code, out, err) = host_sim(&[arguments, &["--json"]].concat());
    let line = |line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{line}: {error}\n{err}"));
    (code, out.lines().map(line).collect())
}

/// A folder of one test, empty.
struct Folder(PathBuf);

impl Folder {
    fn new(name: &str) -> Self {
        let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join("route").join(name);
        let _ = fs::remove_dir_all(&path);
        fs::create_dir_all(&path).unwrap();
        Self(path)
    }

    /// Writes a file there: its path.
    fn write(&self, name: &str, text: &str) -> String {
        let path = self.0.join(name);
        fs::write(&path, text).unwrap();
        path.display().to_string()
    }

    fn read(&self, name: &str) -> String {
        fs::read_to_string(self.0.join(name)).unwrap()
    }
}

/// Rules for the sirens at Camp Taji with these tests.
fn taji(tests: &str) -> String {
    format!(
        r#"
        schema = 1
        default = "log"
        [sinks]
        taji-siren = {{ kind = "siren", zone = "camp-taji", ack = "5s" }}
        duty = {{ kind = "console" }}
        [[route]]
        name = "incoming"
        when = {{ kind = "rocket-launch", site = "camp-taji" }}
        to = ["taji-siren"]
        unless-acked = {{ after = "30s", to = ["duty"] }}
        {tests}
        "#
    )
}
