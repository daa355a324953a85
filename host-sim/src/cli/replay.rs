//! `host-sim replay`: plays a scenario through nodes, links and a gateway.

mod progress;

use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use anyhow::{Context as _, bail};
use glob::Pattern;

use super::fault_options::FaultOptions;
use super::{EXPECTATION_FAILED, INTERRUPTED, Voice, rules_file, values};
use crate::replay::{Controls, Ended, Filter, Player, Speed, Story};
use crate::report::Summary;
use crate::scenario::{Date, Scenario};
use crate::sink::{Console, DRAIN_MAX, JsonLines, Running, SinkLost};
use crate::world::World;

use progress::Progress;

/// Play a scenario through simulated nodes, sealed packets and a gateway
///
/// Prints one line an alert and, at the end, what arrived, what did not and why. The same scenario, seed and faults
/// give the same output. Exit code 1 where an alert was lost.
#[derive(Debug, clap::Args)]
pub struct Args {
    #[arg(default_value = Scenario::DEFAULT, value_parser = values::ScenarioName, hide_possible_values = true,
          help = values::scenario_help())]
    scenario: String,
    /// How fast: `max`, or times real time as in `600x`
    #[arg(
        long,
        default_value = "max",
        value_name = "SPEED",
        allow_hyphen_values = true,
        env = "HOST_SIM_SPEED"
    )]
    speed: Speed,
    /// Seed of all chance: reconstructed incidents, hours of the day, faults, keys
    #[arg(long, default_value_t = 1, value_name = "N", env = "HOST_SIM_SEED", allow_negative_numbers = true,
          value_parser = values::seed)]
    seed: u64,
    /// Only incidents from this day on, YYYY-MM-DD, local time of the scenario
    #[arg(long, value_name = "DATE")]
    from: Option<Date>,
    /// Only incidents up to and with this day, YYYY-MM-DD, local time of the scenario
    #[arg(long, value_name = "DATE")]
    until: Option<Date>,
    /// Only incidents whose id, site or kind fits the pattern, for example `camp-*`
    #[arg(long, value_name = "GLOB", value_parser = values::pattern)]
    only: Option<Pattern>,
    /// Wait for Enter after each alert; where standard input has ended, not at all
    #[arg(long)]
    step: bool,
    /// Wait for Enter before the first alert
    #[arg(long)]
    start_paused: bool,
    /// Play it that many times: the same run again, with the same seed
    #[arg(long = "loop", default_value_t = 1, value_name = "N", allow_negative_numbers = true,
          value_parser = values::number("a whole number of runs", 1..=u32::MAX))]
    times: u32,
    /// One JSON object a line on standard output: the alerts, then the summary
    #[arg(long, help_heading = "Output")]
    json: bool,
    /// Also write the alerts to this file, one JSON object a line, in place of what the file held
    #[arg(long, value_name = "FILE", help_heading = "Output")]
    jsonl: Option<PathBuf>,
    #[arg(long, value_name = "RULES", env = "HOST_SIM_RULES", help_heading = "Routing", help = rules_file::help())]
    rules: Option<String>,
    /// A sink of the rules that never answers, as when its line is cut; may be given several times
    #[arg(long, value_name = "SINK", requires = "rules", help_heading = "Routing")]
    down: Vec<String>,
    #[command(flatten)]
    faults: FaultOptions,
}

impl Args {
    /// The options that leave incidents out, as they were given.
    fn filters(&self) -> Vec<String> {
        let from = self.from.map(|day| format!("`--from {day}`"));
        let until = self.until.map(|day| format!("`--until {day}`"));
        let only = self.only.as_ref().map(|pattern| format!("`--only {pattern}`"));
        [from, until, only].into_iter().flatten().collect()
    }
}

/// Plays, and prints to standard output.
///
/// # Errors
/// The scenario is invalid, nothing is left to play, or an output is lost.
pub fn run(args: &Args, voice: Voice) -> anyhow::Result<ExitCode> {
    if let (Some(from), Some(until)) = (args.from, args.until)
        && from > until
    {
        bail!("no day lies between: `--from {from}` is after `--until {until}`; exchange them");
    }
    if let Some(path) = &args.jsonl
        && let (Ok(written), Ok(read)) = (path.canonicalize(), Path::new(&args.scenario).canonicalize())
        && written == read
    {
        bail!("`--jsonl {}` would write over the scenario: name another file", path.display());
    }
    let scenario = Scenario::open(&args.scenario)?;
    let filter = Filter { from: args.from, until: args.until, only: args.only.clone() };
    let mut story = Story::new(&scenario, args.seed, args.faults.over(scenario.faults()), &filter);
    if story.is_empty() {
        bail!(values::none_left("play", &args.scenario, scenario.timeline(args.seed).len(), &args.filters()));
    }
    if let Some(rules) = &args.rules {
        let rules = rules_file::open(rules, voice)?;
        rules_file::know_sinks(&rules, "--down", &args.down)?;
        story = story.with_rules(rules, args.down.clone());
    }
    let runtime = super::runtime()?;
    let mut worst = ExitCode::SUCCESS;
    for _ in 0..args.times {
        let (summary, ended) = runtime.block_on(play(args, &story, voice))?;
        let mut out = stdout();
        if args.json {
            serde_json::to_writer(&mut out, &summary)?;
            writeln!(out)?;
        } else {
            write!(out, "{summary}")?;
        }
        out.flush()?;
        if ended == Ended::Interrupted {
            // An output or input that hangs must not hold up who wants to leave.
            runtime.shutdown_background();
            return Ok(ExitCode::from(INTERRUPTED));
        }
        if !summary.is_whole() {
            worst = ExitCode::from(EXPECTATION_FAILED);
        }
    }
    runtime.shutdown_background();
    Ok(worst)
}

async fn play(args: &Args, story: &Story, voice: Voice) -> anyhow::Result<(Summary, Ended)> {
    let mut world = World::new(story.plan())?;
    let mut sinks = Vec::new();
    if let Some(path) = &args.jsonl {
        sinks.push(Running::start(JsonLines::new(path.display().to_string(), create(path)?)));
    }
    sinks.push(if args.json {
        Running::start(JsonLines::new("standard output".into(), stdout()))
    } else {
        let mut out = stdout();
        writeln!(out, "{}\n", story.banner())?;
        // The first alert may be minutes away, or behind a pause.
        out.flush()?;
        let console = Console::new(out);
        Running::start(if story.has_rules() { console.with_destinations() } else { console })
    });
    let controls = Controls { speed: args.speed, step: args.step, start_paused: args.start_paused };
    let progress = Progress::new(story, args.speed, voice);
    let ended = Player::new(story, controls, &sinks).play(&mut world, &progress).await;
    progress.finish();
    let drained = async {
        for sink in sinks {
            sink.finish().await?;
        }
        Ok::<_, SinkLost>(())
    };
    if ended == Ended::Whole {
        drained.await?;
    } else if let Ok(lost) = tokio::time::timeout(DRAIN_MAX, drained).await {
        lost?;
    }
    Ok((story.summary(&world, ended == Ended::Interrupted), ended))
}

fn create(path: &Path) -> anyhow::Result<BufWriter<File>> {
    let file = File::create(path).with_context(|| format!("cannot write `{}`", path.display()))?;
    Ok(BufWriter::new(file))
}

/// Standard output, with colours where they are wanted and a buffer in front.
fn stdout() -> BufWriter<anstream::AutoStream<io::Stdout>> {
    BufWriter::new(anstream::AutoStream::auto(io::stdout()))
}
