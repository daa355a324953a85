//! One view of everything: what the board says of itself, and what of it has come to the gateway.

use std::borrow::Cow;
use std::io::{self, Stdout, Write};

use anstyle::{AnsiColor, Style};
use serde_json::{Map, Value, json};
use terminal_size::{Width, terminal_size_of};
use textwrap::WrapAlgorithm;
use tokio::sync::{mpsc, watch};

use super::seen::Tally;
use crate::clock::Stopwatch;
use crate::report::count;
use crate::sink::Delivery;

/// Columns of a row where standard output is no terminal.
const COLUMNS: usize = 120;

/// Columns of a row before what is said, and of the summary's before its words.
const BEFORE: usize = 39;
const BEFORE_SUMMARY: usize = 9;

/// The fewest columns for what is said.
const SAID_MIN: usize = 20;

/// A line of the view, from wherever it comes.
#[derive(Clone, Debug, Default)]
pub(super) struct Line {
    /// Where it comes from: `log`, `board`, `uplink`, `gateway`, `rig`, `qemu`.
    pub(super) source: &'static str,
    /// How much it matters: a level of the log, or a precedence.
    pub(super) level: String,
    /// The clock of the board, where it has told it.
    pub(super) at: Option<String>,
    /// What it says.
    pub(super) text: String,
    /// More for programs.
    pub(super) more: Vec<(&'static str, Value)>,
}

/// What is shown.
#[derive(Clone, Debug)]
pub(super) enum View {
    /// A line.
    Line(Line),
    /// An alert that the gateway has stored, or not.
    Alert {
        /// Its number in the outbox, where it is stored.
        number: Option<u64>,
        /// What is said of it.
        delivery: Box<Delivery>,
    },
    /// What has become of everything.
    Summary(Box<Summary>),
}

/// What has become of everything.
#[derive(Clone, Debug)]
pub(super) struct Summary {
    pub(super) raised: u64,
    pub(super) delivered: u64,
    pub(super) twice: u64,
    /// Raised and not delivered, where there was time enough.
    pub(super) lost: u64,
    /// The same where the run was broken off.
    pub(super) open: u64,
    /// Delivered, and nothing of the rig's in this run.
    pub(super) other: u64,
    /// What the board has told of the packets that it sent since its last start; none where it is not built to.
    pub(super) guest: Option<Tally>,
    /// It is built to, and has not told it.
    pub(super) untold: bool,
    pub(super) gateway: Tally,
    /// The run was not broken off, so that both should have the same.
    pub(super) is_whole: bool,
    /// Bytes of the log that nobody could read.
    pub(super) undecoded: u64,
}

impl Summary {
    /// Whether both have the same packets; not known where the board does not tell, or had no time to.
    pub(super) fn is_equal(&self) -> Option<bool> {
        let tells = self.untold || self.guest.is_some();
        (tells && self.is_whole).then(|| self.guest.as_ref() == Some(&self.gateway))
    }
}

pub(super) struct Teller {
    out: anstream::AutoStream<Stdout>,
    json: bool,
    stopwatch: Stopwatch,
    titles_written: bool,
}

impl Teller {
    pub(super) fn new(json: bool, stopwatch: Stopwatch) -> Self {
        Self { out: anstream::AutoStream::auto(io::stdout()), json, stopwatch, titles_written: false }
    }

    /// Shows until there is nothing more to show; `shown` learns of each alert that was.
    pub(super) fn run(
        mut self,
        mut views: mpsc::Receiver<View>,
        shown: &watch::Sender<u64>,
    ) -> io::Result<()> {
        while let Some(view) = views.blocking_recv() {
            match &view {
                View::Line(line) => self.line(line)?,
                View::Alert { delivery, .. } if self.json => {
                    serde_json::to_writer(&mut self.out, delivery)?;
                    self.out.write_all(b"\n")?;
                }
                View::Alert { delivery, .. } => self.line(&line_of(delivery))?,
                View::Summary(summary) => self.summary(summary)?,
            }
            self.out.flush()?;
            if let View::Alert { number: Some(number), .. } = view {
                shown.send_replace(number);
            }
        }
        Ok(())
    }

    fn line(&mut self, line: &Line) -> io::Result<()> {
        let ms = self.stopwatch.elapsed_ms();
        if self.json {
            let mut object = Map::new();
            object.insert("type".into(), line.source.into());
            object.insert("ms".into(), ms.into());
            object.insert("guest".into(), line.at.clone().into());
            object.insert("level".into(), line.level.clone().into());
            object.insert("text".into(), line.text.clone().into());
            object.extend(line.more.iter().map(|(name, value)| ((*name).to_owned(), value.clone())));
            return writeln!(self.out, "{}", Value::Object(object));
        }
        if !self.titles_written {
            self.titles_written = true;
            writeln!(self.out, "{:>8} {:>8}  {:<7}  {:<9}  said", "time", "board", "source", "level")?;
        }
        let time = format!("{}.{:03}", ms / 1_000, ms % 1_000);
        let (style, level, source) = (style(&line.level), &line.level, line.source);
        let at = line.at.as_deref().unwrap_or("-");
        write!(self.out, "{time:>8} {at:>8}  {source:<7}  {style}{level:<9}{style:#}  ")?;
        self.said(BEFORE, &line.text)
    }

    /// The rest of a row that has begun: its text, in further rows where it is longer.
    fn said(&mut self, before: usize, text: &str) -> io::Result<()> {
        let columns = terminal_size_of(io::stdout()).map_or(COLUMNS, |(Width(columns), _)| columns.into());
        for (at, row) in rows(text, columns.saturating_sub(before).max(SAID_MIN)).iter().enumerate() {
            let indent = if at == 0 { 0 } else { before };
            writeln!(self.out, "{:indent$}{row}", "")?;
        }
        Ok(())
    }

    fn summary(&mut self, summary: &Summary) -> io::Result<()> {
        if self.json {
            return writeln!(self.out, "{}", object_of(summary));
        }
        let Summary { raised, delivered, twice, lost, open, other, undecoded, gateway, .. } = summary;
        let open = if *open > 0 { format!(", {open} not delivered so far") } else { String::new() };
        writeln!(
            self.out,
            "\n{raised} raised, {delivered} delivered, {twice} delivered twice, {lost} lost{open}"
        )?;
        if *other > 0 {
            writeln!(self.out, "and {} that the rig did not raise in this replay", count(*other, "alert"))?;
        }
        let board = match &summary.guest {
            Some(guest) => format!("{} sent; sha256 {}", count(guest.packets, "packet"), guest.sha256),
            None if summary.untold => "has not told what it has sent".into(),
            None => "does not tell what it has sent, as a node with `witness` does".into(),
        };
        write!(self.out, "board    ")?;
        self.said(BEFORE_SUMMARY, &board)?;
        let verdict = match summary.is_equal() {
            Some(true) => ", the same",
            Some(false) => ", NOT THE SAME",
            None if !summary.is_whole => ", not compared: the run was broken off",
            None => "",
        };
        write!(self.out, "gateway  ")?;
        let received = count(gateway.packets, "packet");
        self.said(BEFORE_SUMMARY, &format!("{received} received{verdict}; sha256 {}", gateway.sha256))?;
        if *undecoded > 0 {
            writeln!(self.out, "log      {} not decoded", count(*undecoded, "byte"))?;
        }
        Ok(())
    }
}

/// Breaks a text into rows of this width, between words where these are not longer. What a board says may be anything, and
/// steers no terminal.
fn rows(text: &str, width: usize) -> Vec<String> {
    let text: String =
        text.chars().map(|letter| if letter.is_control() { '\u{fffd}' } else { letter }).collect();
    let narrow = textwrap::Options::new(width).wrap_algorithm(WrapAlgorithm::FirstFit);
    textwrap::wrap(&text, narrow).into_iter().map(Cow::into_owned).collect()
}

/// An alert as a line for people.
fn line_of(delivery: &Delivery) -> Line {
    let Delivery { precedence, kind, site, mark, headline, id, outcome, .. } = delivery;
    let id = id.as_deref().unwrap_or("-");
    let outcome =
        if *outcome == "delivered" { String::new() } else { format!("{} ", outcome.to_uppercase()) };
    let text = format!("{id}  {kind}  {site}  {mark}  {outcome}{headline}");
    Line { source: "uplink", level: (*precedence).into(), text, ..Line::default() }
}

fn object_of(summary: &Summary) -> Value {
    let guest = summary.guest.as_ref();
    json!({
        "type": "summary", "raised": summary.raised, "delivered": summary.delivered, "twice": summary.twice,
        "lost": summary.lost, "open": summary.open, "other": summary.other,
        "guest_packets": guest.map(|guest| guest.packets), "guest_sha256": guest.map(|guest| &guest.sha256),
        "gateway_packets": summary.gateway.packets, "gateway_sha256": summary.gateway.sha256,
        "equal": summary.is_equal(), "undecoded": summary.undecoded,
    })
}

/// Colour only repeats what the words say.
fn style(level: &str) -> Style {
    match level {
        "flash" | "error" | "alarm" => AnsiColor::Red.on_default().bold(),
        "immediate" | "warn" => AnsiColor::Yellow.on_default(),
        "priority" => AnsiColor::Cyan.on_default(),
        "trace" | "debug" => Style::new().dimmed(),
        _ => Style::new(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn summary(guest: Option<(u64, &str)>) -> Summary {
        let tally = |(packets, sha256): (u64, &str)| Tally { packets, sha256: sha256.into() };
        Summary {
            raised: 3,
            delivered: 3,
            twice: 0,
            lost: 0,
            open: 0,
            other: 0,
            guest: guest.map(tally),
            untold: false,
            gateway: tally((7, "ab")),
            is_whole: true,
            undecoded: 0,
        }
    }

    #[test]
    fn both_ends_must_have_the_same_packets_and_as_many() {
        assert_eq!(summary(None).is_equal(), None);
        assert_eq!(summary(Some((7, "ab"))).is_equal(), Some(true));
        assert_eq!(summary(Some((7, "ac"))).is_equal(), Some(false));
        assert_eq!(summary(Some((8, "ab"))).is_equal(), Some(false));
        assert_eq!(Summary { is_whole: false, ..summary(Some((8, "ab"))) }.is_equal(), None);
        let untold = |is_whole| Summary { untold: true, is_whole, ..summary(None) };
        assert_eq!((untold(true).is_equal(), untold(false).is_equal()), (Some(false), None));
        assert_eq!(object_of(&untold(false))["guest_packets"], Value::Null);
        let object = object_of(&summary(Some((7, "ac"))));
        assert_eq!((&object["equal"], &object["guest_packets"]), (&json!(false), &json!(7)));
        assert_eq!(object_of(&summary(None))["equal"], Value::Null);
    }

    #[test]
    fn a_text_is_broken_between_words_and_nothing_of_it_is_lost() {
        assert_eq!(rows("one  two three", 8), ["one  two", "three"]);
        assert_eq!(rows("one two  three", 9), ["one two", "three"]);
        assert_eq!(rows("ab 123456789 cd", 4), ["ab", "1234", "5678", "9 cd"]);
        assert_eq!((rows("", 4), rows("  ab", 4)), (vec![String::new()], vec!["  ab".to_owned()]));
        assert_eq!(rows("\u{1b}[2J\u{7}", 8), ["\u{fffd}[2J\u{fffd}"], "and steers no terminal");
        let hash = "88d4266fd4e6338d13b845fcf289579d209c897823b9217da3e161936f031589";
        let said = rows(&format!("153 packets received, NOT THE SAME; sha256 {hash}"), 80 - BEFORE_SUMMARY);
        assert_eq!(said, ["153 packets received, NOT THE SAME; sha256", hash]);
    }

    #[test]
    fn an_alert_is_one_line_with_its_outcome() {
        let delivery = Delivery {
            sort: "alert",
            exercise: false,
            time: "2020-01-08T18:44:35Z".into(),
            headline: "REPLAY Ballistic missiles on two bases in Iraq".into(),
            incident: None,
            mark: "documented",
            precedence: "flash",
            kind: "rocket-launch",
            site: "unnamed-base-1".into(),
            node: "12".into(),
            id: Some("12/flash/1".into()),
            outcome: "late",
            bytes: None,
            latency_ms: None,
            to: Vec::new(),
        };
        let line = line_of(&delivery);
        assert_eq!((line.source, line.level.as_str()), ("uplink", "flash"));
        assert!(line.text.starts_with("12/flash/1 ") && line.text.contains("LATE REPLAY Ballistic"));
    }
}
