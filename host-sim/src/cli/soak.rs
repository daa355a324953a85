//! `host-sim soak`: small networks by the thousand, under every fault.

use std::io::{self, Write};
use std::process::ExitCode;

use serde::Serialize;

use super::interrupt::Interrupt;
use super::{EXPECTATION_FAILED, INTERRUPTED, Voice, values};
use crate::clock::Stopwatch;
use crate::report::count;
use crate::soak::{self, Life, Lived, Tally};
use crate::workers::{self, Fold};

/// Play small networks by the thousand under every fault, and state what was lost, forged or repeated
///
/// Each life is a network of its own for a day or two: first with faults of its own, then without, after which nothing
/// may be open. Expected is nothing lost, forged, replayed, delivered twice or left open; exit code 1 where there is.
/// The same seed and node-hours give the same hash on any number of threads.
#[derive(Debug, clap::Args)]
pub struct Args {
    /// Nodes and sirens times hours, at least; whole lives are played
    #[arg(long, default_value_t = 20_000, value_name = "N", env = "HOST_SIM_NODE_HOURS",
          allow_negative_numbers = true,
          value_parser = values::number("a whole number of node-hours", 1..=1_000_000_000_u64))]
    node_hours: u64,
    /// Seed of all lives
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// Play this life only, however many node-hours are asked for; the first is 0. It is what a failure names
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("the number of a life", 0..=u64::MAX))]
    life: Option<u64>,
    /// Threads; as many as there are cores unless said otherwise
    #[arg(long, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number of threads", 1..=1_024_u16))]
    threads: Option<u16>,
    /// One JSON object a line on standard output: failures as they come, then the result
    #[arg(long)]
    json: bool,
}

/// The result as a line of JSON.
#[derive(Serialize)]
struct Result {
    #[serde(rename = "type")]
    sort: &'static str,
    seed: u64,
    /// Broken off: the hash is that of the lives up to then.
    interrupted: bool,
    #[serde(flatten)]
    tally: Tally,
    run_hash: String,
}

/// A life that broke a promise.
#[derive(Serialize)]
struct Failure {
    #[serde(rename = "type")]
    sort: &'static str,
    life: u64,
    broken: Vec<&'static str>,
    command: String,
}

impl Failure {
    fn of(seed: u64, lived: &Lived) -> Option<Self> {
        let broken = lived.tally.must_be_zero().into_iter().filter(|&(_, count)| count > 0);
        let broken: Vec<_> = broken.map(|(name, _)| name).collect();
        let command = format!("host-sim soak --seed {seed} --life {}", lived.number);
        (!broken.is_empty()).then_some(Self { sort: "failure", life: lived.number, broken, command })
    }
}

/// Plays, and prints to standard output.
///
/// # Errors
/// Standard output cannot be written.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    let mut total = Tally::default();
    let mut fold = Fold::default();
    let mut first_failure = None;
    let mut out = anstream::stdout().lock();
    let mut broken_pipe = Ok(());
    let mut progress = Progress::new(args, voice);
    let interrupted = Interrupt::listen();
    let mut told = |lived: &Lived| {
        total.add(&lived.tally);
        fold.add(&lived.run_hash);
        if let Some(failure) = Failure::of(args.seed, lived) {
            if args.json {
                broken_pipe = say(&mut out, &failure);
            }
            first_failure.get_or_insert(failure);
        }
        progress.told(&total, first_failure.as_ref());
        broken_pipe.is_ok() && !interrupted.happened()
    };
    match args.life {
        Some(number) => {
            told(&soak::live(&Life::new(args.seed, number)));
        }
        None => {
            let threads = args.threads.map_or_else(workers::cores, usize::from);
            soak::run(args.seed, soak::lives_for(args.seed, args.node_hours), threads, told);
        }
    }
    broken_pipe?;
    progress.finish();
    let run_hash = fold.digest();
    let clean = total.is_clean();
    if args.json {
        let interrupted = interrupted.happened();
        say(&mut out, &Result { sort: "soak", seed: args.seed, interrupted, tally: total, run_hash })?;
    } else {
        if interrupted.happened() {
            writeln!(out, "INTERRUPTED: what follows is the state at that moment.\n")?;
        }
        write!(out, "{}", table(&total))?;
        if let Some(failure) = &first_failure {
            writeln!(out, "\nFAILED first in life {}: {}", failure.life, failure.broken.join(", "))?;
            writeln!(out, "again:  {}", failure.command)?;
        }
        writeln!(out, "\nseed {}  run-hash {run_hash}", args.seed)?;
    }
    out.flush()?;
    Ok(match (clean, interrupted.happened()) {
        (false, _) => ExitCode::from(EXPECTATION_FAILED),
        (true, true) => ExitCode::from(INTERRUPTED),
        (true, false) => ExitCode::SUCCESS,
    })
}

fn say(out: &mut impl Write, what: &impl Serialize) -> io::Result<()> {
    serde_json::to_writer(&mut *out, what)?;
    writeln!(out)?;
    out.flush()
}

/// The final table.
fn table(tally: &Tally) -> String {
    let mut text = format!(
        "{} node-hours in {}, {}\n\nfault\n",
        hours(tally.node_hours_thousandths),
        if tally.lives == 1 { "1 life".into() } else { format!("{} lives", tally.lives) },
        count(tally.alerts, "alert")
    );
    for (name, count) in tally.faults.by_name() {
        text.push_str(&format!("  {name:<14}{count:>14}\n"));
    }
    let flash = [
        ("raised", tally.flash_raised),
        ("stored", tally.flash_stored),
        ("superseded", tally.flash_superseded),
        ("cancelled", tally.flash_cancelled),
        ("merged", tally.flash_merged),
        ("duplicate", tally.flash_duplicate),
        ("refused", tally.flash_refused),
        ("cut off", tally.flash_cut_off),
        ("lost", tally.flash_lost),
    ];
    text.push_str("\nlive Flash alerts\n");
    for (name, count) in flash {
        text.push_str(&format!("  {name:<14}{count:>14}\n"));
    }
    text.push_str(&format!(
        "\n{:<16}{:>14}{:>14}\n  {:<14}{:>14}{:>14}\n  {:<14}{:>14}{:>14}\n",
        "attacks",
        "tried",
        "accepted",
        "forgeries",
        tally.forgeries_tried,
        tally.forgeries_accepted,
        "replays",
        tally.replays_tried,
        tally.replays_accepted
    ));
    text.push_str("\nmust be zero\n");
    for (name, count) in tally.must_be_zero() {
        let mark = if count == 0 { "" } else { "   BROKEN" };
        text.push_str(&format!("  {name:<22}{count:>6}{mark}\n"));
    }
    let worst_ms = tally.latency_ms_max;
    text.push_str(&format!(
        "\n{} warnings sounded, {} alarms of silence; worst latency of a Flash alert {}.{:03} s\n",
        tally.warnings,
        tally.silent_alarms,
        worst_ms / 1_000,
        worst_ms % 1_000
    ));
    text
}

fn hours(thousandths: u64) -> String {
    format!("{}.{:03}", thousandths / 1_000, thousandths % 1_000)
}

/// One line a minute on standard error.
struct Progress {
    stopwatch: Stopwatch,
    node_hours: u64,
    next_minute: u64,
    is_on: bool,
}

impl Progress {
    fn new(args: &Args, voice: Voice) -> Self {
        let is_on = !voice.quiet && args.life.is_none();
        Self { stopwatch: Stopwatch::start(), node_hours: args.node_hours, next_minute: 1, is_on }
    }

    fn told(&mut self, total: &Tally, failure: Option<&Failure>) {
        let elapsed = self.stopwatch.elapsed().as_secs();
        if !self.is_on || elapsed < 60 * self.next_minute {
            return;
        }
        self.next_minute = elapsed / 60 + 1;
        let done = total.node_hours_thousandths / 1_000;
        anstream::eprintln!(
            "{:>4} min  {done} of {} node-hours ({} %), {} a second, {} Flash alerts, {}",
            elapsed / 60,
            self.node_hours,
            (100 * done / self.node_hours.max(1)).min(100),
            done / elapsed.max(1),
            total.flash_raised,
            failure.map_or_else(
                || "nothing broken".into(),
                |failure| format!("BROKEN first in life {}", failure.life)
            )
        );
    }

    fn finish(&self) {
        if self.is_on {
            let seconds = self.stopwatch.elapsed().as_secs_f64();
            anstream::eprintln!("took {seconds:.1} s");
        }
    }
}
