//! Where everything meets: the board, its bench, what the gateway tells, and whoever types.

mod hearing;
mod typing;

use std::sync::Arc;
use std::time::Duration;

use alertbus::driver::bench::Stimulus;
use alertbus::message::Phase;
use anyhow::anyhow;
use tokio::sync::mpsc;
use tokio::time::{sleep, timeout};

use super::account::content_of;
use super::ends::{self, Stage, Why};
use super::prompt;
use super::rig;
use super::room::unwritable;
use super::run::{Run, SOCKETS};
use super::seen::{Seen, Tally};
use super::teller::{Line, Summary, View};
use super::{stored_after, words};
use crate::clock::Stopwatch;
use crate::guest::{Guest, GuestTold, Start};
use crate::live::{Ask, Told};
use crate::outbox::Outbox;
use crate::report::count;
use crate::transport::{Connection, Listener};

/// How long nothing may come of what was raised before it is given up: a node waits 90 s between two tries at most.
const PATIENCE_MS: u64 = 120_000;

/// How long what was said last may take at the end.
const FAREWELL_MAX: Duration = Duration::from_secs(5);

/// The longest that nothing is looked at.
const LOOK: Duration = Duration::from_secs(1);

/// What the floor is given of the tasks around it.
pub(super) struct Parts {
    pub(super) outbox: Arc<Outbox>,
    /// Where the board's second UART connects.
    pub(super) bench: Listener,
    pub(super) seen: Seen,
    pub(super) told: mpsc::Receiver<Told>,
    pub(super) asks: mpsc::Sender<Ask>,
    pub(super) view: mpsc::Sender<View>,
    /// What is typed; none once input has ended.
    pub(super) lines: Option<mpsc::Receiver<prompt::Line>>,
    pub(super) stopwatch: Stopwatch,
}

/// See the [module](self).
pub(super) struct Floor<'a> {
    run: Run<'a>,
    stage: Stage,
    parts: Parts,
    guest: Option<Guest>,
    bench: Option<Connection>,
    /// Alerts that the gateway has stored in this run.
    stored: u64,
    /// What the board has told of what it sent.
    witnessed: Option<Tally>,
    undecoded: u64,
    /// The last start that a report has told of, and what had failed in it.
    reported: Option<(u16, u16, u16)>,
    /// Alerts that the node was given in this start, those that it held among them, and those that it says have left it;
    /// none where neither a witness nor a log that is read says so.
    given: u64,
    settled: Option<u64>,
    /// How many of the latter its witness has counted when it spoke last.
    settled_in_start: u64,
    /// A power cut was asked for, so that QEMU ends by itself.
    cut: bool,
    /// Somebody wants it to end when everything is delivered.
    closing: bool,
    /// When something has come of anything last, in milliseconds of this run.
    progress_ms: u64,
    unheard: bool,
}

impl<'a> Floor<'a> {
    pub(super) const fn new(run: Run<'a>, stage: Stage, parts: Parts) -> Self {
        Self {
            run,
            stage,
            parts,
            guest: None,
            bench: None,
            stored: 0,
            witnessed: None,
            undecoded: 0,
            reported: None,
            given: 0,
            settled: None,
            settled_in_start: 0,
            cut: false,
            closing: false,
            progress_ms: 0,
            unheard: false,
        }
    }

    /// Gives the board power, and goes on until everything is in order, or something else ends it.
    ///
    /// # Errors
    /// QEMU does not start, or the store cannot be read or written.
    pub(super) async fn go(&mut self, stop: impl Future<Output = Why>) -> anyhow::Result<Why> {
        let mut stop = Box::pin(stop);
        self.announce().await;
        self.power_on().await?;
        loop {
            self.step().await?;
            if let Some(why) = self.why() {
                return Ok(why);
            }
            let wait = self.wait();
            let lost = tokio::select! {
                why = &mut stop => {
                    let text = "ends when what has come is stored; Ctrl-C once more ends at once".to_owned();
                    self.line(Line { source: "rig", text, ..Line::default() }).await;
                    return Ok(why);
                }
                told = self.parts.told.recv() => match told {
                    Some(told) => self.hear(told).await,
                    // Its reason is told by whoever waits for it.
                    None => return Ok(Why::Terminated),
                },
                said = said(&mut self.guest) => self.listen(said).await,
                accepted = self.parts.bench.accept(), if self.bench.is_none() && self.guest.is_some() => {
                    self.bench = Some(accepted.map_err(|error| anyhow!("the bench's line: {error}"))?);
                    None
                },
                // What is typed before the board is there waits for it.
                line = next(&mut self.parts.lines), if self.bench.is_some() => self.obey(line).await,
                () = self.parts.seen.changed() => None,
                () = sleep(wait) => None,
            };
            if let Some(why) = lost {
                return Ok(why);
            }
        }
    }

    /// What is due: reports to be shown, power to be given back, something for the node to see.
    async fn step(&mut self) -> anyhow::Result<()> {
        for report in self.parts.seen.reports() {
            let failed = (report.boot, report.flash_refused, report.driver_errors);
            if self.reported.replace(failed) != Some(failed) || self.tells_more() {
                self.line(words::of_report(&report)).await;
            }
        }
        // All that the board has said before must be in the account when it is held against the flash.
        if self.guest.is_none() && self.parts.seen.is_closed() && self.parts.seen.alerts() <= self.stored {
            self.power_on().await?;
        }
        while let Some((place, draft)) = self.take() {
            if !self.stage.played.raised.contains(&place) {
                let path = self.stage.played.path().to_owned();
                self.stage.played.note(place).map_err(|error| unwritable(&path, &error))?;
                if let Some(content) = content_of(&draft) {
                    self.stage.account.raise(content, Some(place));
                }
            }
            self.progress_ms = self.parts.stopwatch.elapsed_ms();
            if self.tells_more() {
                let text = format!("the node sees {}", draft.body.name());
                self.line(Line {
                    source: "rig",
                    level: draft.precedence().name().into(),
                    text,
                    ..Line::default()
                })
                .await;
            }
            self.given += 1;
            self.tell(&Stimulus::Sighting { phase: Phase::Onset, draft }).await;
        }
        Ok(())
    }

    /// The next that the node is to see, once it runs and believes what it is told.
    fn take(&mut self) -> Option<(usize, alertbus::AlertDraft)> {
        let is_ready = self.bench.is_some() && self.guest.is_some() && self.parts.seen.has_reported();
        let elapsed_ms = self.parts.stopwatch.elapsed_ms();
        // What is stored has a slot in the node until that is acknowledged, which it must tell itself.
        let resident = self.settled.map_or(0, |settled| self.given.saturating_sub(settled));
        self.stage.script.as_mut().filter(|_| is_ready && !self.closing)?.take(
            elapsed_ms,
            self.stage.account.open(),
            resident,
        )
    }

    /// Whether everything is over, and why.
    fn why(&self) -> Option<Why> {
        if self.unheard {
            return Some(Why::Unheard);
        }
        let is_played = self.stage.script.as_ref().is_some_and(rig::Script::is_over) && !self.run.args.stay;
        let wants_end = self.closing || is_played;
        let open = self.stage.account.open();
        if wants_end && open == 0 && self.is_agreed() {
            return Some(Why::Done);
        }
        let elapsed_ms = self.parts.stopwatch.elapsed_ms();
        let idle_ms = elapsed_ms.saturating_sub(self.progress_ms);
        // What is due, and cannot be told.
        let wait = self.stage.script.as_ref().and_then(|script| script.wait(elapsed_ms));
        if wait.is_some_and(|wait| wait.is_zero()) && open == 0 && idle_ms > PATIENCE_MS {
            let what = format!("node {} takes nothing: what it says above tells why", self.run.node.0);
            return Some(Why::Lost(what));
        }
        let given_up = (wants_end || (open > 0 && !self.run.args.stay)) && idle_ms > PATIENCE_MS;
        given_up.then_some(Why::Done)
    }

    /// Whether the gateway has every packet that the board says it has sent; a board that is not built to tell is
    /// believed.
    fn is_agreed(&self) -> bool {
        let told = self.witnessed.as_ref();
        !self.run.image.has_witness || told.is_some_and(|told| *told == self.parts.seen.last(told.packets))
    }

    fn wait(&self) -> Duration {
        let elapsed_ms = self.parts.stopwatch.elapsed_ms();
        let due = self.stage.script.as_ref().and_then(|script| script.wait(elapsed_ms));
        // One that is due and cannot be taken waits for somebody else.
        due.filter(|wait| !wait.is_zero()).map_or(LOOK, |wait| wait.min(LOOK))
    }

    async fn announce(&mut self) {
        if self.run.voice.quiet {
            return;
        }
        let mut text = match (&self.stage.script, self.run.image.deaf.as_deref()) {
            (Some(script), _) => script.story().banner(),
            (None, Some(what)) => format!("nothing is played: a {what} has no detections"),
            (None, None) => "nothing is played".into(),
        };
        let (raised, delivered) = (self.stage.account.raised(), self.stage.account.delivered());
        if raised > 0 {
            text.push_str(&format!("; of an earlier run {raised} raised, {delivered} delivered"));
        }
        text.push_str("; `help` lists what can be typed");
        self.line(Line { source: "rig", text, ..Line::default() }).await;
    }

    /// Gives the board power. What its sensors saw and it had no time to write down, they still see.
    async fn power_on(&mut self) -> anyhow::Result<()> {
        let stored = stored_after(&self.parts.outbox, 0)?;
        let held = ends::held(&self.run.room.flash(), &stored);
        let (again, typed) = self.stage.account.forgotten(&held);
        if let Some(script) = &mut self.stage.script {
            script.again(&again, held.len());
        }
        if !held.is_empty() || !again.is_empty() {
            let (held, again) = (held.len(), again.len());
            let text =
                format!("the flash holds {held} alerts; {again} had not come so far and are raised again");
            self.line(Line { source: "rig", text, ..Line::default() }).await;
        }
        if typed > 0 {
            let text = format!("{} lost: typed, and not written down by the board", count(typed, "alert"));
            self.line(Line { source: "rig", level: "warn".into(), text, ..Line::default() }).await;
        }
        let Run { image, machine, emulator, room, .. } = &self.run;
        let start = Start { image, machine, folder: room.path(), lines: SOCKETS, lock: room.lock() };
        let guest = emulator.start(&start)?;
        (self.given, self.settled) = (held.len() as u64, image.has_witness.then_some(0));
        self.settled_in_start = 0;
        let id = guest.id();
        self.run.room.note_processes(id);
        (self.guest, self.bench, self.witnessed, self.cut) = (Some(guest), None, None, false);
        self.progress_ms = self.parts.stopwatch.elapsed_ms();
        if self.tells_more() {
            let text = format!(
                "{} plays {}, process {}",
                self.run.emulator.version,
                self.run.machine,
                id.unwrap_or(0)
            );
            self.line(Line { source: "qemu", text, ..Line::default() }).await;
        }
        Ok(())
    }

    /// Takes its power away, and hears what it has said until then.
    pub(super) async fn power_off(&mut self) {
        let Some(mut guest) = self.guest.take() else { return };
        guest.end();
        let last_words = async {
            loop {
                match guest.next().await {
                    GuestTold::Ended(_) => return,
                    said => drop(self.listen(said).await),
                }
            }
        };
        // Whoever has its pipes and does not let go is nobody's board.
        let _ = timeout(FAREWELL_MAX, last_words).await;
    }

    /// Hears what the gateway has told up to its end.
    pub(super) async fn drain(&mut self) -> anyhow::Result<()> {
        while let Some(told) = self.parts.told.recv().await {
            // Why it ended is known, and that its line is gone then, too.
            if !matches!(told, Told::Line { .. }) {
                let _ = self.hear(told).await;
            }
        }
        Ok(())
    }

    pub(super) fn summary(&self, why: &Why) -> Summary {
        let account = &self.stage.account;
        let guest = self.witnessed.clone();
        let seen = &self.parts.seen;
        let gateway = guest.as_ref().map_or_else(|| seen.all(), |guest| seen.last(guest.packets));
        let (lost, open) = if *why == Why::Done { (account.open(), 0) } else { (0, account.open()) };
        Summary {
            raised: account.raised(),
            delivered: account.delivered(),
            twice: account.twice(),
            lost,
            open,
            other: account.other(),
            untold: self.run.image.has_witness && guest.is_none(),
            guest,
            gateway,
            is_whole: *why == Why::Done,
            undecoded: self.undecoded,
        }
    }

    const fn tells_more(&self) -> bool {
        self.run.voice.verbose > 0 || self.run.args.json
    }

    async fn line(&mut self, line: Line) {
        self.show(View::Line(line)).await;
    }

    pub(super) async fn show(&mut self, view: View) {
        self.unheard |= self.parts.view.send(view).await.is_err();
    }
}

/// What the guest tells next; never where there is none.
async fn said(guest: &mut Option<Guest>) -> GuestTold {
    match guest {
        Some(guest) => guest.next().await,
        None => std::future::pending().await,
    }
}

/// What is typed next; nothing once, when input has ended.
async fn next(lines: &mut Option<mpsc::Receiver<prompt::Line>>) -> Option<prompt::Line> {
    let Some(receiver) = lines else { return std::future::pending().await };
    let line = receiver.recv().await;
    if line.is_none() {
        *lines = None;
    }
    line
}
