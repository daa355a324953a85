//! Detectors on a node's input pins: from an edge to the gateway.

use std::time::Duration;

use alertbus::Precedence;
use alertbus::driver::bench::Stimulus;
use alertbus::limits::{FRAME_LEN_MAX, STIMULUS_LEN_MAX};
use alertbus::message::kind::{RocketLaunch, Tamper, Tampering};
use alertbus::message::{Body, Phase};
use alertbus::role::gateway::ReceivedAlert;
use alertbus::wire::frame;

use crate::site::Site;

/// A launch detector's relay pulls this one low.
const LAUNCH: u8 = 0;
/// A broken wire lets this one rise.
const WIRE: u8 = 1;
/// So does an open lid.
const LID: u8 = 2;

fn set(site: &mut Site, pin: u8, high: bool) {
    site.stimulate(&Stimulus::Pin { pin, high });
}

/// What was delivered: of each alert its phase, its precedence and its body.
fn delivered(site: &Site) -> Vec<(Phase, Precedence, Body)> {
    let told = |alert: &ReceivedAlert| {
        let content = alert.alert.unwrap();
        (content.phase, alert.precedence, content.body)
    };
    site.desk.delivered.iter().map(told).collect()
}

fn rocket() -> Body {
    RocketLaunch::default().into()
}

fn tamper(what: Tampering) -> Body {
    Tamper { what }.into()
}

#[test]
fn an_edge_of_a_pin_becomes_an_alert_and_chatter_behind_it_does_not() {
    let mut site = Site::new("pins", 31);
    site.power_on();
    site.until("a report", |site| !site.desk.reports.is_empty());
    site.go_on(Duration::from_millis(500));
    assert_eq!(delivered(&site), [], "pins at rest");
    set(&mut site, LAUNCH, false);
    site.until("a launch", |site| !site.desk.delivered.is_empty());
    set(&mut site, WIRE, true);
    site.until("a broken wire", |site| site.desk.delivered.len() == 2);
    // Each closure is long enough to count, and none of them is a new event.
    for _ in 0..8 {
        for high in [true, false] {
            set(&mut site, LAUNCH, high);
            set(&mut site, WIRE, !high);
            site.go_on(Duration::from_millis(120));
        }
    }
    site.go_on(Duration::from_secs(1));
    let launch = (Phase::Onset, Precedence::Flash, rocket());
    let wire = (Phase::Onset, Precedence::Immediate, tamper(Tampering::Cable));
    assert_eq!(delivered(&site), [launch, wire]);
    assert_eq!(site.durable.len(), 1, "a launch is in the journal");
}

#[test]
fn a_contact_that_bounces_and_comes_to_rest_has_said_nothing() {
    let mut site = Site::new("bounces", 32);
    site.start(&["-icount", "shift=6"].map(String::from));
    site.until("a report", |site| !site.desk.reports.is_empty());
    // All of it arrives at once.
    let mut bounces = Vec::new();
    for high in [false, true].repeat(20) {
        let (mut room, mut stimulus) = ([0; FRAME_LEN_MAX], [0; STIMULUS_LEN_MAX]);
        let pin = Stimulus::Pin { pin: LAUNCH, high };
        bounces.extend_from_slice(frame::encode(pin.encode(&mut stimulus), &mut room).unwrap());
    }
    site.babble(true, &bounces);
    site.go_on(Duration::from_secs(1));
    assert_eq!(delivered(&site), []);
    set(&mut site, LAUNCH, false);
    site.until("a launch", |site| !site.desk.delivered.is_empty());
    assert_eq!(delivered(&site), [(Phase::Onset, Precedence::Flash, rocket())]);
}

/// The guest's clock runs on whenever it has nothing to do, so that its minutes are seconds here.
#[test]
fn a_lid_that_is_closed_clears_its_alert_and_a_second_salvo_is_a_second_alert() {
    let mut site = Site::new("lid", 33);
    site.start(&["-icount", "shift=6,sleep=off"].map(String::from));
    site.until("a report", |site| !site.desk.reports.is_empty());
    set(&mut site, LID, true);
    site.until("an open lid", |site| site.desk.delivered.len() == 1);
    set(&mut site, LID, false);
    site.until("a closed lid", |site| site.desk.delivered.len() == 2);
    let [opened, closed] = [0, 1].map(|at| &site.desk.delivered[at]);
    assert_eq!(closed.alert.unwrap().reference.unwrap().resolve(closed.id), Some(opened.id));
    let lid = |phase| (phase, Precedence::Immediate, tamper(Tampering::Enclosure));
    assert_eq!(delivered(&site), [lid(Phase::Onset), lid(Phase::Clear)]);
    for salvo in 1..=2 {
        set(&mut site, LAUNCH, false);
        site.until("a launch", |site| site.desk.delivered.len() == 2 + salvo);
        set(&mut site, LAUNCH, true);
        // Until the detector has held for long enough: two reports are at least a minute apart.
        let reports = site.desk.reports.len();
        site.until("two reports", |site| site.desk.reports.len() >= reports + 2);
    }
    assert_eq!(delivered(&site)[2..], [(Phase::Onset, Precedence::Flash, rocket()); 2]);
    assert!(site.desk.reports.iter().all(|report| report.driver_errors == 0));
    // A pin that the board has not, or bytes without sense, are a rig's mistake: counted, and no alert.
    set(&mut site, 3, true);
    site.babble(true, &[1, 2, 3, 0]);
    site.until("a report of it", |site| {
        site.desk.reports.last().is_some_and(|report| report.driver_errors == 2)
    });
    assert_eq!(site.desk.delivered.len(), 4);
}
