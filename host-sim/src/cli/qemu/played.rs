//! How far a scenario has come, in a file that outlives this program: what was raised stands there before the node is
//! told.

use std::collections::BTreeSet;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use anyhow::{anyhow, bail};

use super::room::unwritable;

/// What such a file begins with, and the version of its form.
const TITLE: &str = "alertbus-played 1";

/// A scenario is some hundred bytes an alert; nothing of this length is one of these files.
const LEN_MAX: u64 = 16 << 20;

/// Which replay it is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Replay {
    pub(super) scenario: String,
    pub(super) seed: u64,
    /// How many alerts it raises.
    pub(super) alerts: usize,
}

/// See the [module](self).
pub(super) struct Played {
    /// None where nobody would read it.
    file: Option<File>,
    path: PathBuf,
    /// Number of the last alert in the outbox that is none of this replay.
    pub(super) after: u64,
    /// Places of what was raised in earlier runs.
    pub(super) raised: BTreeSet<usize>,
}

impl Played {
    /// One that is forgotten with this run.
    pub(super) const fn forgotten(after: u64) -> Self {
        Self { file: None, path: PathBuf::new(), after, raised: BTreeSet::new() }
    }

    /// Goes on with what stands in the file; begins anew where that is of another replay, or of none, and where
    /// `is_over` says that all of it has come to its end.
    ///
    /// # Errors
    /// It cannot be read or written, or is some other file.
    pub(super) fn open(
        path: &Path,
        replay: &Replay,
        last: u64,
        is_over: impl Fn(&Self) -> bool,
    ) -> anyhow::Result<Self> {
        if let Some(played) = Self::read(path, replay)?
            && !is_over(&played)
        {
            return Ok(played);
        }
        let unwritable = |error: io::Error| unwritable(path, &error);
        let text = format!("{TITLE}\n{}\n{} {} {last}\n", replay.scenario, replay.seed, replay.alerts);
        let unfinished = path.with_extension("part");
        let mut options = OpenOptions::new();
        let mut file = options
            .write(true)
            .create(true)
            .truncate(true)
            .mode(0o600)
            .open(&unfinished)
            .map_err(unwritable)?;
        file.write_all(text.as_bytes()).and_then(|()| file.sync_all()).map_err(unwritable)?;
        fs::rename(&unfinished, path).map_err(unwritable)?;
        Ok(Self { file: Some(file), path: path.into(), after: last, raised: BTreeSet::new() })
    }

    fn read(path: &Path, replay: &Replay) -> anyhow::Result<Option<Self>> {
        let unreadable = |error: io::Error| anyhow!("cannot read `{}`: {error}", path.display());
        match fs::metadata(path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(error) => return Err(unreadable(error)),
            Ok(seen) if seen.len() > LEN_MAX => bail!("`{}` is another file: it is too long", path.display()),
            Ok(_) => {}
        }
        let text = fs::read_to_string(path).map_err(unreadable)?;
        let wrong = |line: usize| {
            anyhow!(
                "`{}`: line {line} is not as this program writes it; delete the file, and the scenario is played from \
                 its beginning",
                path.display()
            )
        };
        let mut lines = text.lines();
        let (title, scenario) = (lines.next(), lines.next());
        if title != Some(TITLE) {
            return Err(wrong(1));
        }
        let numbers: Option<Vec<u64>> =
            lines.next().and_then(|line| line.split(' ').map(|word| word.parse().ok()).collect());
        let Some(&[seed, alerts, after]) = numbers.as_deref() else { return Err(wrong(3)) };
        let is_same =
            scenario == Some(&replay.scenario) && seed == replay.seed && alerts == replay.alerts as u64;
        if !is_same {
            return Ok(None);
        }
        let mut raised = BTreeSet::new();
        for (at, line) in lines.enumerate() {
            let place = line.parse().ok().filter(|place| *place < replay.alerts);
            raised.insert(place.ok_or_else(|| wrong(at + 4))?);
        }
        let file = OpenOptions::new().append(true).open(path).map_err(unreadable)?;
        Ok(Some(Self { file: Some(file), path: path.into(), after, raised }))
    }

    /// Writes down that this one is about to be raised.
    ///
    /// # Errors
    /// The disk does not take it.
    pub(super) fn note(&mut self, place: usize) -> io::Result<()> {
        if !self.raised.insert(place) {
            return Ok(());
        }
        match &mut self.file {
            Some(file) => file.write_all(format!("{place}\n").as_bytes()).and_then(|()| file.sync_data()),
            None => Ok(()),
        }
    }

    /// The file, for messages.
    pub(super) fn path(&self) -> &Path {
        &self.path
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn replay(seed: u64) -> Replay {
        Replay { scenario: "iraq-2019-2020".into(), seed, alerts: 5 }
    }

    #[test]
    fn a_replay_goes_on_where_it_was_and_another_begins_anew() {
        let path = std::env::temp_dir().join(format!("alertbus-played-{}", std::process::id()));
        let _ = fs::remove_file(&path);
        let open = |seed, last, over| Played::open(&path, &replay(seed), last, |_| over);
        let mut first = open(1, 7, false).expect("a new file");
        for place in [0, 2, 2, 4] {
            first.note(place).expect("there is room");
        }
        drop(first);
        let again = open(1, 99, false).expect("it is in order");
        assert_eq!((again.after, again.raised.clone()), (7, [0, 2, 4].into()));
        drop(again);
        let over = open(1, 99, true).expect("it is in order");
        assert_eq!((over.after, over.raised.len()), (99, 0));
        drop(over);
        let mut other = open(2, 120, false).expect("it is in order");
        assert_eq!((other.after, other.raised.len()), (120, 0));
        other.note(3).expect("there is room");
        for (text, line) in [
            ("", "line 1"),
            ("something else\n", "line 1"),
            ("alertbus-played 1\niraq-2019-2020\n1 x 3\n", "line 3"),
            ("alertbus-played 1\niraq-2019-2020\n1 5 0\n4\n5\n", "line 5"),
        ] {
            fs::write(&path, text).expect("there is room");
            let refused = open(1, 0, false).map(|_| ()).map_err(|error| error.to_string());
            assert!(refused.as_ref().is_err_and(|why| why.contains(line)), "{text}: {refused:?}");
        }
        fs::remove_file(&path).expect("it is there");
        assert_eq!(Played::forgotten(3).after, 3);
    }
}
