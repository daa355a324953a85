//! A siren in QEMU that a gateway here commands: what its pins do, by its own clock and in QEMU's words.

use std::time::Duration;

use alertbus::SiteId;
use alertbus::limits::ALL_CLEAR_MS;
use alertbus::message::{CommandId, CommandResult, Order, ResetCause};

use crate::debugger::Register;
use crate::site::{Program, Site};

const HORN: u8 = 0;
const LAMP: u8 = 1;

/// An output pin took a level, so many milliseconds after the start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Change {
    is_high: bool,
    at_ms: u64,
}

/// A siren whose clock counts instructions, so that it is as regular on a busy host; QEMU tells of its lamps.
fn counted() -> [String; 4] {
    ["-icount", "shift=6", "-trace", "led_change_intensity"].map(String::from)
}

fn warn(duration_s: u16) -> Order {
    Order::Warn { zone: SiteId(3), kind: 1, duration_s }
}

fn clear(id: CommandId) -> Order {
    Order::Clear([id].into_iter().collect())
}

/// What the pin did since the start of the test, but for being low already.
fn changes(site: &Site, pin: u8) -> Vec<Change> {
    let prefix = format!("pin {pin} is ");
    let change = |line: &String| {
        let (level, at) = line.strip_prefix(&prefix)?.split_once(" at ")?;
        Some(Change { is_high: level == "1", at_ms: at.strip_suffix(" ms")?.parse().unwrap() })
    };
    site.told.iter().filter_map(change).skip_while(|change| !change.is_high).collect()
}

/// The levels that QEMU has seen the lamp take. It has each on from a reset until the program comes.
fn lamp(site: &Site, pin: u8) -> Vec<bool> {
    let name = format!("USERLED{pin}'");
    let lines = site.told.iter().filter(|line| line.contains("led_change_intensity") && line.contains(&name));
    lines.map(|line| line.ends_with("100%")).skip(2).collect()
}

/// Whether the changes are these lengths, in turns on and off, to ten milliseconds: the first of them counts from when
/// its order came, and opening that takes some.
fn is_pattern(changes: &[Change], lengths_ms: &[u64]) -> bool {
    let lengths = changes.windows(2).map(|pair| pair[1].at_ms - pair[0].at_ms);
    let turns = changes.iter().enumerate().all(|(at, change)| change.is_high == (at % 2 == 0));
    turns && lengths.zip(lengths_ms.iter().cycle()).all(|(length, wanted)| length.abs_diff(*wanted) <= 10)
}

fn is_quiet(site: &Site) -> bool {
    changes(site, HORN).last().is_none_or(|change| !change.is_high)
}

#[test]
fn a_siren_warns_when_told_and_sounds_the_all_clear_when_it_is_over() {
    let mut site = Site::with(Program::Siren, "siren", 11);
    site.start(&counted());
    site.until("a report", |site| !site.desk.reports.is_empty());
    let warning = site.desk.command(warn(60));
    site.until("the answer", |site| site.desk.result(warning) == Some(CommandResult::Done));
    site.until("three blasts", |site| changes(site, HORN).len() == 6);
    let blasts = changes(&site, HORN);
    assert!(is_pattern(&blasts, &[800, 200]), "{blasts:?}");
    let all_clear = site.desk.command(clear(warning));
    site.until("the answer", |site| site.desk.result(all_clear) == Some(CommandResult::Done));
    let steady_ms = |site: &Site| match changes(site, HORN)[..] {
        [.., on, off] if !off.is_high => off.at_ms - on.at_ms,
        _ => 0,
    };
    site.until("a steady sound and its end", |site| steady_ms(site) > 2_000);
    // It may have been told in the midst of a blast or between two.
    let all_clear_ms = u64::from(ALL_CLEAR_MS);
    let steady_ms = steady_ms(&site);
    assert!((all_clear_ms - 10..all_clear_ms + 810).contains(&steady_ms), "{steady_ms} ms");
    let sounds = changes(&site, HORN);
    let located = site.desk.command(Order::Locate { duration_s: 2 });
    site.until("the answer", |site| site.desk.result(located) == Some(CommandResult::Done));
    site.until("two blinks, twice", |site| changes(site, LAMP).len() == 8);
    let blinks = changes(&site, LAMP);
    assert!(is_pattern(&blinks[..7], &[100, 100, 100, 1_200]), "{blinks:?}");
    // What the pins say of themselves is what the machine has seen.
    for pin in [HORN, LAMP] {
        let told: Vec<bool> = changes(&site, pin).iter().map(|change| change.is_high).collect();
        assert_eq!(lamp(&site, pin), told);
    }
    // Whatever was said is known, and says nothing new.
    for packet in site.said.clone() {
        site.replay(&packet);
    }
    site.go_on(Duration::from_secs(2));
    assert_eq!(changes(&site, HORN), sounds);
    assert_eq!(changes(&site, LAMP), blinks);
}

#[test]
fn a_warning_goes_on_after_a_fault_and_not_after_the_power_was_off() {
    let mut site = Site::with(Program::Siren, "siren-faults", 12);
    let mut debugger = site.power_on_with_debugger();
    site.until("a report", |site| !site.desk.reports.is_empty());
    let warning = site.desk.command(warn(60));
    site.until("a blast", |site| !is_quiet(site));
    site.until("the answer", |site| site.desk.result(warning) == Some(CommandResult::Done));
    let said = site.said.clone();
    debugger.spoil(Register::ProgramCounter, 0x4000_0000);
    site.until("a report of the fault", |site| {
        site.desk.reports.last().is_some_and(|last| (last.boot, last.reset_cause) == (2, ResetCause::Fault))
    });
    site.told.clear();
    site.until("a blast after it", |site| !is_quiet(site));
    site.power_off();
    site.told.clear();
    site.power_on();
    site.until("a report of the third start", |site| {
        site.desk.reports.last().is_some_and(|last| (last.boot, last.reset_cause) == (3, ResetCause::PowerOn))
    });
    // Nor does it when somebody says once more what the gateway said then.
    for packet in &said {
        site.replay(packet);
    }
    site.go_on(Duration::from_secs(2));
    assert_eq!(changes(&site, HORN), []);
    // It has not gone deaf over it.
    let again = site.desk.command(warn(1));
    site.until("the answer", |site| site.desk.result(again) == Some(CommandResult::Done));
    site.until("a blast", |site| !is_quiet(site));
    // Nobody has said that it is over, so it is quiet then.
    site.go_on(Duration::from_secs(2));
    assert_eq!(changes(&site, HORN).len(), 2);
}

#[test]
fn a_board_without_a_blob_is_no_siren_and_says_so() {
    let mut site = Site::with(Program::Siren, "siren-blank", 13);
    site.erase(0, 64);
    site.start(&counted());
    let says = "siren: it is not provisioned: flash its blob into its own page";
    site.until(says, |site| site.told.iter().any(|line| line == says));
    site.until("its lamp", |site| changes(site, LAMP).len() >= 3);
    assert!(is_pattern(&changes(&site, LAMP), &[100, 2_900]));
    assert!(site.is_silent());
    assert_eq!(changes(&site, HORN), []);
}
