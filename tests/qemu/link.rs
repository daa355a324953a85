//! A node in QEMU and a gateway here, over a line that loses frames.

use std::time::Duration;

use alertbus::driver::bench::Stimulus;
use alertbus::message::kind::{ConvoyIed, DroneSighting, RocketLaunch};
use alertbus::message::{Body, Phase, ResetCause};
use alertbus::{AlertDraft, SiteId};
use alertbus_tests::firmware::BOARDS;

use crate::debugger::Register;
use crate::site::{Program, Site};

/// Each case, with each main loop that a node can have.
macro_rules! cases {
    ($($case:ident,)*) => {
        mod plain {
            use crate::site::Program;

            $(#[test] fn $case() { super::$case(Program::Node); })*
        }

        mod embassy {
            use crate::site::Program;

            $(#[test] fn $case() { super::$case(Program::NodeEmbassy); })*
        }
    };
}

cases! {
    every_alert_arrives_once_and_both_ends_agree_on_every_byte,
    every_alert_arrives_once_over_a_line_that_loses_half,
    noise_on_both_lines_is_no_alert_and_keeps_none_back,
    a_board_without_a_blob_or_without_its_counters_says_so_and_sends_nothing,
    a_node_that_fails_starts_again_says_why_and_has_lost_nothing,
    a_loop_that_only_waits_is_not_taken_for_one_that_hangs,
}

/// A launch at this site, by which the test knows it again: a live Flash alert.
pub(crate) fn launch(site: u16) -> Stimulus {
    onset(AlertDraft::new(RocketLaunch { impact_site: SiteId(site), ..RocketLaunch::default() }))
}

fn onset(draft: AlertDraft) -> Stimulus {
    Stimulus::Sighting { phase: Phase::Onset, draft }
}

/// The site of every launch that was delivered, in the order of their delivery.
pub(crate) fn launches(site: &Site) -> Vec<u16> {
    let bodies = site.desk.delivered.iter().map(|alert| alert.alert.unwrap().body);
    let place = |body| if let Body::RocketLaunch(launch) = body { Some(launch.impact_site.0) } else { None };
    bodies.filter_map(place).collect()
}

fn every_alert_arrives_once_and_both_ends_agree_on_every_byte(program: Program) {
    let mut site = Site::with(program, "clean", 1);
    site.power_on();
    for number in 1..=20_u8 {
        site.stimulate(&launch(number.into()));
        let drone = DroneSighting { count: number, ..DroneSighting::default() };
        site.stimulate(&onset(AlertDraft::new(drone)));
        site.go_on(Duration::from_millis(10));
    }
    site.until("forty alerts", |site| site.desk.delivered.len() == 40);
    assert_eq!(launches(&site), Vec::from_iter(1..=20));
    // When it has been quiet for a while, the node tells the hash of what it has sent, and the gateway has that.
    site.until("the same hash", |site| site.told.contains(&site.sent()));
    assert!(site.desk.reports.iter().all(|report| report.boot == 1 && report.driver_errors == 0));
    assert_eq!(site.noise, 0);
    assert_eq!(site.desk.reports[0].reset_cause, ResetCause::PowerOn);
}

#[test]
fn a_node_on_every_board_speaks_to_its_gateway_and_has_forgotten_nothing_after_a_power_cut() {
    for board in BOARDS.iter().filter(|board| board.is_whole) {
        let image = board.build(&["witness"], &["node"]).remove(0);
        let mut site = Site::on(board, &image, board.feature, 7);
        site.power_on();
        site.stimulate(&launch(1));
        site.until("a launch", |site| launches(site) == [1]);
        site.loss_percent = 100;
        site.stimulate(&launch(2));
        site.until("a launch in the journal", |site| site.durable.len() == 2);
        site.power_off();
        site.loss_percent = 0;
        site.power_on();
        site.until("what was in the journal", |site| launches(site) == [1, 2]);
        site.stimulate(&Stimulus::Pin { pin: 1, high: true });
        site.until("a broken wire", |site| site.desk.delivered.len() == 3);
        site.until("the same hash", |site| site.told.contains(&site.sent()));
    }
}

fn every_alert_arrives_once_over_a_line_that_loses_half(program: Program) {
    let mut site = Site::with(program, "loss", 2);
    site.loss_percent = 50;
    site.power_on();
    for number in 1..=24_u8 {
        site.stimulate(&launch(number.into()));
        let ied = ConvoyIed { vehicles: number, ..ConvoyIed::default() };
        site.stimulate(&onset(AlertDraft::new(ied)));
        site.go_on(Duration::from_millis(40));
    }
    site.until("forty-eight alerts", |site| site.desk.delivered.len() == 48);
    let mut places = launches(&site);
    places.sort_unstable();
    assert_eq!(places, Vec::from_iter(1..=24));
}

fn noise_on_both_lines_is_no_alert_and_keeps_none_back(program: Program) {
    let mut site = Site::with(program, "noise", 3);
    site.power_on();
    for number in 1..=20 {
        // The last byte closes off what came before, as the rig and the gateway do after opening a line.
        let mut noise: Vec<u8> = (0..200).map(|_| u8::try_from(site.draw(256)).unwrap()).collect();
        noise.push(0);
        site.babble(false, &noise);
        site.babble(true, &noise);
        site.stimulate(&launch(number));
        site.go_on(Duration::from_millis(20));
    }
    site.until("twenty alerts", |site| site.desk.delivered.len() == 20);
    assert_eq!(launches(&site), Vec::from_iter(1..=20));
}

fn a_board_without_a_blob_or_without_its_counters_says_so_and_sends_nothing(program: Program) {
    const PAGE_LEN: usize = 4096;
    for (name, from, pages, says) in [
        ("blank", 0, 1, "node: it is not provisioned: flash its blob into its own page"),
        (
            "damaged",
            40,
            0,
            "node: the page of its blob holds no sound one: make a new one, and flash it there",
        ),
        (
            "forgetful",
            PAGE_LEN,
            2,
            "node: its counters are lost: provision it anew, with a new epoch, and flash the blob",
        ),
    ] {
        let mut site = Site::with(program, name, 5);
        // It was a node once, and has sent something.
        site.power_on();
        site.until("a report", |site| !site.desk.reports.is_empty());
        site.power_off();
        site.erase(from, if pages == 0 { 1 } else { pages * PAGE_LEN });
        site.power_on();
        site.stimulate(&launch(1));
        site.until(says, |site| site.told.iter().any(|line| line == says));
        site.go_on(Duration::from_millis(500));
        assert!(site.is_silent() && site.desk.delivered.is_empty(), "{name}");
    }
}

fn a_node_that_fails_starts_again_says_why_and_has_lost_nothing(program: Program) {
    let mut site = Site::with(program, "faults", 6);
    let mut debugger = site.power_on_with_debugger();
    site.until("a first report", |site| site.desk.reports.iter().any(|report| report.boot == 1));
    // Where no program is, and where no stack is.
    let faults = [(Register::ProgramCounter, 0x4000_0000), (Register::StackPointer, 0x2000_0008)];
    for (boot, (register, value)) in (2..).zip(faults.into_iter().cycle().take(4)) {
        site.loss_percent = 100;
        site.stimulate(&launch(boot));
        site.until("one more alert in the journal", |site| site.durable.len() == usize::from(boot) - 1);
        debugger.spoil(register, value);
        site.loss_percent = 0;
        site.until("a report of the next start", |site| {
            site.desk.reports.iter().any(|report| report.boot == boot)
        });
        let report = site.desk.reports.iter().find(|report| report.boot == boot).unwrap();
        assert_eq!(report.reset_cause, ResetCause::Fault, "{register:?}");
        site.until("the alert", |site| launches(site).contains(&boot));
    }
    assert_eq!(launches(&site), [2, 3, 4, 5]);
}

fn a_loop_that_only_waits_is_not_taken_for_one_that_hangs(program: Program) {
    let [mut site, mut blank] = ["waits", "waits-blank"].map(|name| Site::with(program, name, 7));
    blank.erase(0, 64);
    site.power_on();
    blank.power_on();
    site.until("a first report", |site| !site.desk.reports.is_empty());
    // Longer than the watchdog has patience, twice over.
    site.go_on(Duration::from_secs(9));
    site.stimulate(&launch(1));
    site.until("an alert", |site| site.desk.delivered.len() == 1);
    // A node that starts again says so at once.
    assert!(site.desk.reports.iter().all(|report| report.boot == 1), "{:?}", site.desk.reports);
    blank.go_on(Duration::from_millis(10));
    assert_eq!(blank.told.len(), 1, "{:?}", blank.told);
}
