//! What whoever types has the floor do.

use alertbus::driver::bench::Stimulus;
use alertbus::message::Phase;

use super::{Floor, PATIENCE_MS};
use crate::cli::qemu::account::content_of;
use crate::cli::qemu::ends::Why;
use crate::cli::qemu::prompt::Line as Typed;
use crate::cli::qemu::rig;
use crate::cli::qemu::teller::Line;
use crate::live::{Order, SLOTS};
use crate::report::count;

impl Floor<'_> {
    pub(super) async fn obey(&mut self, line: Option<Typed>) -> Option<Why> {
        if let (Some(what), Some(Typed::Order(_) | Typed::Rig(_))) = (&self.run.image.deaf, &line) {
            anstream::eprintln!("host-sim: a {what} has no detections, and takes nothing from a rig");
            return None;
        }
        match line {
            Some(Typed::Order(order)) => self.order(&order).await,
            Some(Typed::Rig(stimulus)) => {
                self.cut |= matches!(stimulus, Stimulus::PowerCut { .. });
                self.tell(&stimulus).await;
                if let Stimulus::PowerCut { after_operations } = stimulus {
                    let operations = count(after_operations.into(), "operation");
                    let text = format!("the power fails after {operations} more on the flash");
                    self.line(Line { source: "rig", text, ..Line::default() }).await;
                }
            }
            Some(Typed::Ask(ask)) => {
                // One that has ended says why itself.
                let _ = self.parts.asks.send(ask).await;
            }
            Some(Typed::Quit) if self.closing => return Some(Why::Terminated),
            Some(Typed::Quit) => self.close().await,
            // With a scenario nobody has to type anything.
            None if self.stage.script.is_none() && !self.closing => self.close().await,
            None | Some(Typed::Nothing | Typed::Help) => {}
        }
        None
    }

    /// Raises nothing more, and says what the end waits for.
    async fn close(&mut self) {
        self.closing = true;
        let open = self.stage.account.open();
        let what = match open {
            0 if self.is_agreed() => return,
            0 => "the board to tell what it has sent".to_owned(),
            _ => format!("{} to be delivered", count(open, "alert")),
        };
        let text = format!(
            "waits for {what}, {} s at most without any progress; `quit` once more, or Ctrl-C, ends at once",
            PATIENCE_MS / 1_000
        );
        self.line(Line { source: "rig", text, ..Line::default() }).await;
    }

    /// Has the node see what somebody types.
    async fn order(&mut self, order: &Order) {
        if self.stage.account.open() >= SLOTS as u64 {
            anstream::eprintln!("host-sim: the node has {SLOTS} alerts to deliver, and no room for another");
            return;
        }
        if order.phase == Phase::Onset
            && let Some(content) = content_of(&order.draft)
        {
            self.stage.account.raise(content, None);
            self.progress_ms = self.parts.stopwatch.elapsed_ms();
        }
        self.tell(&Stimulus::Sighting { phase: order.phase, draft: order.draft }).await;
    }

    pub(super) async fn tell(&mut self, stimulus: &Stimulus) {
        let Some(bench) = &mut self.bench else { return };
        if let Err(error) = rig::tell(bench, stimulus).await {
            // A board without power hears nothing; what becomes of it is seen by its end.
            let text = format!("the board does not hear its bench: {error}");
            self.line(Line { source: "rig", level: "warn".into(), text, ..Line::default() }).await;
        }
    }
}
