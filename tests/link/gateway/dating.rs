//! How old an alert is, by whichever clock can tell.

use alertbus::message::kind::RocketLaunch;
use alertbus::message::{Alert, AlertDraft};
use alertbus::role::gateway::{GatewayEvent, Proof, Standing};
use alertbus::time::{ClockQuality, Duration, EventTime};

use super::desk::{Desk, flash};
use crate::pair::LINK;

const DAY: Duration = Duration::from_secs(86_400);

fn dated(millis: u64, quality: ClockQuality) -> Alert {
    let time = EventTime::new(millis, quality);
    AlertDraft { time, ..AlertDraft::new(RocketLaunch::default()) }.onset(7)
}

#[test]
fn a_jammed_and_recorded_retransmission_a_day_later_is_late() {
    let mut desk = Desk::new();
    desk.meet();
    // The first transmission is lost, the second recorded and jammed; later the node says other things.
    let alert = desk.onset();
    let _lost = desk.alert(1, &alert);
    desk.wait(Duration::from_secs(1));
    let recorded = desk.alert(1, &alert);
    for _ in 0..288 {
        desk.wait(LINK.report_interval);
        assert_eq!(desk.report_now(), Proof::Alive);
    }
    let standing = desk.store(&recorded).standing;
    let age = standing.age.unwrap().as_millis();
    assert!(standing.late && age.abs_diff(DAY.as_millis()) < 30_000, "{standing:?}");

    // One that is fresh is not, up to its time to live.
    let alert = desk.onset();
    let (fresh, slow) = (desk.alert(2, &alert), desk.alert(3, &alert));
    assert_eq!(desk.store(&fresh).standing, Standing { age: Some(Duration::ZERO), ..Standing::default() });
    desk.wait(Duration::from_secs(601));
    assert!(desk.store(&slow).standing.late);
}

#[test]
fn an_undated_alert_of_an_earlier_boot_is_late_and_of_a_later_one_is_not() {
    let mut desk = Desk::new();
    desk.meet();
    let alert = desk.onset();
    let recorded = desk.alert(1, &alert);
    // The node boots; its alert comes before its report.
    (desk.boot, desk.booted_at) = (desk.boot + 1, desk.now);
    desk.wait(Duration::from_secs(3));
    let early = desk.onset();
    let packet = desk.alert(2, &early);
    assert_eq!(desk.store(&packet).standing, Standing::default());
    assert_eq!(desk.report_now(), Proof::Alive);
    assert_eq!(desk.store(&recorded).standing, Standing { late: true, ..Standing::default() });
    let packet = desk.alert(3, &early);
    let age = Some(Duration::ZERO);
    assert_eq!(desk.store(&packet).standing, Standing { age, ..Standing::default() });
    // Out of its journal the node sends what it saw in the boot before.
    let packet = desk.alert(4, &alert);
    assert!(desk.store(&packet).standing.late);
}

#[test]
fn what_cannot_be_dated_is_not_late() {
    let mut desk = Desk::new();
    let alert = desk.onset();
    let packet = desk.alert(1, &alert);
    desk.wait(DAY);
    assert_eq!(desk.store(&packet).standing, Standing::default(), "no report yet");
    let packet = desk.alert(2, &dated(1_000, ClockQuality::Second));
    assert_eq!(desk.store(&packet).standing, Standing::default(), "no calendar yet");
    desk.gateway.set_calendar(desk.now, EventTime::new(1_578_445_200_000, ClockQuality::Second));
    let packet = desk.alert(3, &dated(1_000, ClockQuality::Unknown));
    assert_eq!(desk.store(&packet).standing, Standing::default(), "the node itself does not know");
}

#[test]
fn the_calendar_dates_what_carries_one_as_far_as_both_are_sure() {
    let mut desk = Desk::new();
    let noon_ms = 1_578_445_200_000;
    desk.gateway.set_calendar(desk.now, EventTime::new(noon_ms, ClockQuality::Second));
    for (seq, ago_s, quality, late) in [
        (1, 599, ClockQuality::Second, false),
        (2, 603, ClockQuality::Second, true),
        (3, 650, ClockQuality::Minute, false),
        (4, 662, ClockQuality::Minute, true),
        (5, 3_600, ClockQuality::Hour, false),
    ] {
        let packet = desk.alert(seq, &dated(noon_ms - ago_s * 1_000, quality));
        let standing = desk.store(&packet).standing;
        let age = Some(Duration::from_millis((ago_s * 1_000) as u32));
        assert_eq!((standing.age, standing.late), (age, late), "{ago_s} s, {quality:?}");
    }
}

#[test]
fn a_clock_set_back_an_hour() {
    let mut desk = Desk::new();
    desk.meet();
    let noon_ms = 1_578_445_200_000;
    desk.gateway.set_calendar(desk.now, EventTime::new(noon_ms, ClockQuality::Second));
    let first = desk.alert(1, &dated(noon_ms, ClockQuality::Second));
    assert_eq!(desk.store(&first).standing.age, Some(Duration::ZERO));
    // The gateway's calendar goes back, so what the node says lies ahead; then the node's runs ahead by a century.
    desk.gateway.set_calendar(desk.now, EventTime::new(noon_ms - 3_600_000, ClockQuality::Second));
    for (seq, ms) in [(2, noon_ms), (3, noon_ms + 3_600_000), (4, EventTime::MILLIS_MAX)] {
        let packet = desk.alert(seq, &dated(ms, ClockQuality::Second));
        let standing = desk.store(&packet).standing;
        assert_eq!((standing.age, standing.late), (Some(Duration::ZERO), false));
    }
    // An uptime that lies ahead is none either.
    let packet = desk.alert(5, &dated(EventTime::MILLIS_MAX, ClockQuality::Uptime));
    assert_eq!(desk.store(&packet).standing.age, Some(Duration::ZERO));
    // Windows and filters know of no calendar.
    assert!(matches!(desk.hand(&first), GatewayEvent::Rejected { .. }));
    let again = desk.alert(1, &dated(noon_ms, ClockQuality::Second));
    assert_eq!(desk.hand(&again), GatewayEvent::Duplicate(flash(1)));
}
