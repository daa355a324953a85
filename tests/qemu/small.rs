//! The small end: a whole node on a Cortex-M0 with 16 KiB of memory, whose only line is the uplink.

use std::collections::BTreeSet;
use std::fs;
use std::time::Duration;

use alertbus::driver::bench::Stimulus;
use alertbus::message::Body;
use alertbus_tests::firmware::BOARDS;

use crate::link::{launch, launches};
use crate::site::Site;
use crate::stack::Image;

#[test]
fn a_cortex_m0_with_16_kib_is_a_node_that_loses_nothing() {
    let board = BOARDS.iter().find(|board| board.machine == "microbit").unwrap();
    let image = board.build(&["witness"], &["node"]).remove(0);
    let mut site = Site::on(board, &image, "small", 61);
    let mut debugger = site.start_with_debugger(&[]);
    site.until("a report", |site| !site.desk.reports.is_empty());
    site.loss_percent = 30;
    for number in 1..=12 {
        site.stimulate(&launch(number));
        site.go_on(Duration::from_millis(20));
    }
    // By itself, for what it sees on a pin.
    site.stimulate(&Stimulus::Pin { pin: 0, high: false });
    site.until("all alerts", |site| site.desk.delivered.len() == 13);
    assert_eq!(BTreeSet::from_iter(launches(&site)), BTreeSet::from_iter(0..=12));

    // More than it has room for, while nobody answers; the rest it counts.
    site.is_gateway_dead = true;
    for number in 101..=140 {
        site.stimulate(&launch(number));
        site.go_on(Duration::from_millis(20));
    }
    site.is_gateway_dead = false;
    let is_summary = |body| matches!(body, Body::Summary(_));
    site.until("a summary", |site| {
        site.desk.delivered.iter().any(|alert| is_summary(alert.alert.unwrap().body))
    });
    assert!(site.desk.reports.iter().all(|report| report.boot == 1), "it was never reset");
    debugger.stop();
    let bytes = fs::read(&image).unwrap();
    let stack = Image(object::File::parse(&*bytes).unwrap());
    println!("of its stack of {} bytes it took {}", stack.room(), stack.depth(&mut debugger));

    // What is in the journal outlasts the power.
    debugger.go_on();
    site.until("all that waits", |site| site.durable.is_subset(&site.flash_delivered()));
    site.loss_percent = 100;
    let durable = site.durable.len();
    for number in 201..=206 {
        site.stimulate(&launch(number));
        site.go_on(Duration::from_millis(20));
    }
    site.until("launches in the journal", |site| site.durable.len() >= durable + 6);
    site.power_off();
    site.loss_percent = 0;
    site.power_on();
    site.until("a second start", |site| site.desk.reports.iter().any(|report| report.boot == 2));
    site.until("every Flash alert", |site| site.durable.is_subset(&site.flash_delivered()));
    assert!((201..=206).all(|number| launches(&site).contains(&number)));
}
