//! The world without the program around it: built for tests, it must do what the release build does.

use std::collections::BTreeMap;
use std::process::Command;

use alertbus::message::kind::DroneSighting;
use alertbus::message::{AlertDraft, Phase};
use alertbus::time::{ClockQuality, EventTime};
use alertbus::{NodeId, Precedence};
use host_sim::replay::{Filter, Story};
use host_sim::scenario::{Faults, Scenario};
use host_sim::world::{AlertPlan, Occurrence, Plan, Play, UnitPlan, World};

fn faults() -> Faults {
    let share = |text: &str| text.parse().unwrap();
    Faults {
        loss: share("20%"),
        delay_ms: 50,
        duplicate: share("5%"),
        reorder: share("5%"),
        corrupt: share("5%"),
        ..Faults::default()
    }
}

fn run(seed: u64, faults: Faults) -> (World, Vec<(u64, Occurrence)>) {
    let scenario = Scenario::open(Scenario::DEFAULT).unwrap();
    let story = Story::new(&scenario, seed, faults, &Filter::default());
    let mut world = World::new(story.plan()).unwrap();
    let mut told = Vec::new();
    while world.step() {
        told.extend(std::iter::from_fn(|| world.poll_occurrence()));
    }
    (world, told)
}

#[test]
fn debug_and_release_give_the_same_run_hash() {
    let (world, _) = run(7, faults());
    let output = Command::new(alertbus_tests::host_sim())
        .args(
            "replay --seed 7 --json --drop 20% --delay 50 --duplicate 5% --reorder 5% --corrupt 5%"
                .split(' '),
        )
        .output()
        .unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    assert!(text.contains(&world.run_hash()), "{}", text.lines().last().unwrap());
}

#[test]
fn what_is_told_is_in_the_order_of_time_and_agrees_with_the_counts() {
    let (world, told) = run(3, faults());
    assert!(told.is_sorted_by_key(|(calendar_ms, _)| *calendar_ms));
    let count =
        |wanted: fn(&Occurrence) -> bool| told.iter().filter(|(_, occurrence)| wanted(occurrence)).count();
    let accounts = world.precedences();
    let delivered: u64 = accounts.iter().map(|(_, account)| account.delivered).sum();
    assert_eq!(count(|told| matches!(told, Occurrence::Raised(_))), 132);
    assert_eq!(count(|told| matches!(told, Occurrence::Delivered { .. })) as u64, delivered);
    assert!(accounts.iter().all(|(_, account)| account.is_accounted()));
    let skipped: u64 = told
        .iter()
        .filter_map(|(_, occurrence)| match occurrence {
            Occurrence::QuietSkipped(ms) => Some(*ms),
            _ => None,
        })
        .sum();
    assert_eq!(skipped, world.quiet_skipped_ms());
    let played_days = world.run_ms() / 86_400_000;
    assert!(played_days < 5, "{played_days} days: the quiet is skipped");
}

#[test]
fn each_fault_alone_changes_the_run_and_loses_nothing() {
    let none = run(5, Faults::default()).0.run_hash();
    let share = "40%".parse().unwrap();
    let alone = [
        Faults { loss: share, ..Faults::default() },
        Faults { delay_ms: 2_000, ..Faults::default() },
        Faults { duplicate: share, ..Faults::default() },
        Faults { reorder: share, ..Faults::default() },
        Faults { corrupt: share, ..Faults::default() },
        Faults { burst: share, ..Faults::default() },
        Faults { partition_s: 600, ..Faults::default() },
        Faults { reboot_s: 7_200, ..Faults::default() },
        Faults { brown_out_s: 7_200, ..Faults::default() },
        Faults { clock_drift_ppm: 200, ..Faults::default() },
        Faults { gateway_kill_s: 7_200, ..Faults::default() },
        Faults { attacker: share, ..Faults::default() },
    ];
    let mut hashes = vec![none];
    for faults in alone {
        let (world, _) = run(5, faults);
        let delivered: u64 = world.precedences().iter().map(|(_, account)| account.delivered).sum();
        assert_eq!(delivered, 132, "{faults:?}");
        assert_eq!((world.duplicates_delivered(), world.forged_delivered()), (0, 0), "{faults:?}");
        hashes.push(world.run_hash());
    }
    hashes.sort_unstable();
    hashes.dedup();
    assert_eq!(hashes.len(), 13);
}

/// One node that raises `count` Priority alerts, `every_ms` apart, with contents that are all the same or all not.
fn one_node(count: u64, every_ms: u64, same: bool, faults: Faults) -> (World, Vec<(u64, Occurrence)>) {
    let alert = |number| {
        let time = EventTime::new(if same { 7 } else { number }, ClockQuality::Second);
        let draft = AlertDraft { time, ..AlertDraft::new(DroneSighting::default()) };
        AlertPlan { node: 0, at_ms: 1_578_445_200_000 + every_ms * number, phase: Phase::Onset, draft }
    };
    let unit = UnitPlan { id: "site/node".into(), node: NodeId(5), site: "site".into(), gaps_ms: Vec::new() };
    let plan = Plan {
        seed: 1,
        faults,
        nodes: vec![unit],
        sirens: Vec::new(),
        alerts: (0..count).map(alert).collect(),
        play: Play::AroundAlerts,
        rules: None,
        down: Vec::new(),
        epoch_s: 0,
    };
    let mut world = World::new(plan).unwrap();
    let mut told = Vec::new();
    while world.step() {
        told.extend(std::iter::from_fn(|| world.poll_occurrence()));
    }
    (world, told)
}

#[test]
fn each_alert_is_told_once_and_as_it_is_counted() {
    let all: [Faults; 3] = [
        Faults { delay_ms: 600_000, ..Faults::default() },
        Faults { loss: "60%".parse().unwrap(), ..Faults::default() },
        Faults { loss: "100%".parse().unwrap(), ..Faults::default() },
    ];
    for faults in all {
        let (world, told) = one_node(80, 1_000, false, faults);
        let mut fates: BTreeMap<usize, u32> = BTreeMap::new();
        for (_, occurrence) in &told {
            match occurrence {
                Occurrence::Delivered { alert, .. }
                | Occurrence::Ended(alert, _)
                | Occurrence::Open(alert) => {
                    *fates.entry(*alert).or_default() += 1;
                }
                Occurrence::Refused(alert, _) => *fates.entry(*alert).or_default() += 1,
                _ => {}
            }
        }
        assert_eq!(fates.len(), 80, "{faults:?}");
        assert!(fates.values().all(|&times| times == 1), "{faults:?}");
        let (_, account) = &world.precedences()[usize::from(Precedence::Priority.bits())];
        assert!(account.is_accounted() && account.raised == 80);
        let slowest = account.latency_ms(100).unwrap_or(0);
        assert!(slowest <= world.run_ms(), "no latency is longer than the run: {slowest}");
    }
}

#[test]
fn alerts_with_the_same_content_are_told_apart() {
    let faults = Faults { loss: "60%".parse().unwrap(), ..Faults::default() };
    let counts = [true, false].map(|same| {
        let (world, _) = one_node(60, 100, same, faults);
        assert_eq!((world.forged_delivered(), world.duplicates_delivered()), (0, 0));
        let (_, account) = world.precedences()[usize::from(Precedence::Priority.bits())].clone();
        (account, world.retries())
    });
    assert_eq!(counts[0], counts[1]);
}
