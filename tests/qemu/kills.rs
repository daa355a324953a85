//! A node whose power goes again and again: at a random moment, or in the midst of a word or page of the flash.

use std::collections::BTreeSet;
use std::time::Duration;

use alertbus::driver::bench::Stimulus;

use crate::link::{launch, launches};
use crate::site::{Program, Site};

#[test]
fn no_durable_alert_is_lost_and_no_counter_comes_twice_however_often_the_power_goes() {
    kill(Program::Node, 100);
}

#[test]
fn none_is_lost_and_none_comes_twice_from_an_asynchronous_loop_either() {
    kill(Program::NodeEmbassy, 20);
}

/// That no counter comes twice, and no alert, [`Desk`](crate::desk::Desk) sees to.
fn kill(program: Program, kills: u16) {
    let mut site = Site::with(program, "kills", 4);
    let mut raised = 0;
    for kill in 0..kills {
        // While the line is dead, alerts have to wait for a later start.
        site.loss_percent = if kill % 3 == 0 { 100 } else { 30 };
        site.power_on();
        // Some are over before the node is up.
        let lasts_ms = 5 + site.draw(150);
        if kill % 2 == 1 {
            let after_operations = u16::try_from(site.draw(100)).unwrap();
            site.stimulate(&Stimulus::PowerCut { after_operations });
        }
        let mut lasted = 0;
        while lasted < lasts_ms && site.has_power() {
            raised += 1;
            site.stimulate(&launch(raised));
            let step = 5 + site.draw(30);
            site.go_on(Duration::from_millis(step));
            lasted += step;
        }
        if site.has_power() {
            site.power_off();
        }
    }
    site.loss_percent = 0;
    site.power_on();
    let durable = site.durable.len();
    assert!(durable > usize::from(kills), "only {durable} of {raised} alerts came as far as the flash");
    site.until("all that was durable", |site| site.flash_delivered().is_superset(&site.durable));
    let places = launches(&site);
    let once: BTreeSet<&u16> = places.iter().collect();
    assert_eq!(once.len(), places.len(), "an alert is delivered under two numbers: {places:?}");
    println!("{raised} raised, {} durable, {} delivered", site.durable.len(), site.desk.delivered.len());
    site.until("a report of the last start", |site| {
        site.desk.reports.last().is_some_and(|last| last.boot > kills / 2 && last.boot <= kills + 1)
    });
}
