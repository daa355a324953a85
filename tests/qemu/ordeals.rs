//! What a node must come through by itself, without losing a Flash alert: lines that are cut, noisy, or at the wrong
//! speed; gateways that are absent, dead, or of another epoch.

use std::collections::BTreeSet;
use std::ops::RangeInclusive;
use std::time::Duration;

use alertbus::limits::{FRAME_LEN_MAX, PACKET_LEN_MAX};
use alertbus::message::{CommandResult, Epoch, Order, ResetCause};
use alertbus::wire::frame;

use crate::baud::misread;
use crate::link::{launch, launches};
use crate::site::{Program, Site};

/// A guest whose clock runs on whenever it has nothing to do, so that its minutes are seconds here. It counts
/// instructions, so that it can.
fn hurried() -> [String; 2] {
    ["-icount", "shift=6,sleep=off"].map(String::from)
}

/// Raises a launch at each of these sites, and waits until all are in the journal.
fn raise(site: &mut Site, sites: RangeInclusive<u16>) {
    let durable = site.durable.len() + sites.len();
    for number in sites {
        site.stimulate(&launch(number));
        site.go_on(Duration::from_millis(5));
    }
    site.until("launches in the journal", |site| site.durable.len() >= durable);
}

/// Waits until the launches at all sites up to `last` are delivered, each once.
fn arrive(site: &mut Site, last: u16) {
    site.until("all launches", |site| launches(site).len() >= usize::from(last));
    let arrived = launches(site);
    assert_eq!(BTreeSet::from_iter(arrived.clone()), BTreeSet::from_iter(1..=last));
    assert_eq!(arrived.len(), usize::from(last), "{arrived:?}");
}

#[test]
fn a_line_that_is_cut_is_used_again_when_it_is_whole() {
    let mut site = Site::new("cut", 41);
    site.power_on_cut();
    // The gateway is not there yet.
    raise(&mut site, 1..=4);
    assert!(site.desk.reports.is_empty());
    site.join();
    arrive(&mut site, 4);
    for cut in 1..=3 {
        site.cut();
        raise(&mut site, 4 * cut + 1..=4 * cut + 4);
        site.join();
        arrive(&mut site, 4 * cut + 4);
    }
    assert!(site.desk.reports.iter().all(|report| report.boot == 1), "it was never reset");
}

#[test]
fn a_gateway_at_the_wrong_speed_is_understood_when_it_has_the_right_one() {
    let mut site = Site::new("baud", 42);
    let mut last = 0;
    site.power_on();
    for gateway in [9_600, 57_600, 100_000, 230_400, 921_600] {
        site.speeds = Some([115_200, gateway]);
        // What the gateway says at that speed reaches the node while alerts are raised.
        let babble: Vec<u8> = site.said.iter().rev().take(20).flatten().copied().collect();
        site.babble(false, &misread(&babble, gateway, 115_200));
        raise(&mut site, last + 1..=last + 4);
        assert!(launches(&site).len() <= usize::from(last), "{gateway} baud were understood");
        last += 4;
        site.speeds = None;
        arrive(&mut site, last);
    }
    assert!(site.noise > 0 && site.desk.reports.iter().all(|report| report.boot == 1));
}

/// Bytes that no station has meant.
#[derive(Clone, Copy, Debug)]
enum Noise {
    Random,
    /// One frame that never ends.
    Endless,
    /// A line without power.
    Low,
    /// Frames that are empty but for their end.
    Delimiters,
    /// Frames with a right check, and nothing in them that anybody knows.
    Frames,
    /// Frames of the gateway's, with one bit changed.
    Flipped,
    /// Frames of the gateway's, said once more.
    Echo,
}

impl Noise {
    const ALL: [Self; 7] =
        [Self::Random, Self::Endless, Self::Low, Self::Delimiters, Self::Frames, Self::Flipped, Self::Echo];

    /// At least `len` bytes of it, ended by a delimiter.
    fn bytes(self, site: &mut Site, len: usize) -> Vec<u8> {
        let mut bytes = Vec::new();
        while bytes.len() < len {
            let random = |site: &mut Site, from: u64| u8::try_from(from + site.draw(256 - from)).unwrap();
            match self {
                Self::Random => bytes.push(random(site, 0)),
                Self::Endless => bytes.push(random(site, 1)),
                Self::Low => bytes.push(0xff),
                Self::Delimiters => bytes.push(0),
                Self::Frames => {
                    // No stimulus begins like that, in case that it stands on a bench.
                    let mut packet: Vec<u8> = (0..1 + site.draw(50)).map(|_| random(site, 0)).collect();
                    packet[0] |= 0x80;
                    push(&mut bytes, &packet);
                }
                Self::Flipped | Self::Echo if site.said.is_empty() => bytes.push(0),
                Self::Flipped | Self::Echo => {
                    let at = site.draw(site.said.len() as u64);
                    let mut packet = site.said[usize::try_from(at).unwrap()].clone();
                    if matches!(self, Self::Flipped) {
                        let bit = site.draw(8 * packet.len() as u64);
                        packet[usize::try_from(bit / 8).unwrap()] ^= 1 << (bit % 8);
                    }
                    push(&mut bytes, &packet);
                }
            }
        }
        bytes.push(0);
        bytes
    }
}

fn push(bytes: &mut Vec<u8>, packet: &[u8]) {
    let mut room = [0; FRAME_LEN_MAX];
    bytes.extend_from_slice(frame::encode(&packet[..packet.len().min(PACKET_LEN_MAX)], &mut room).unwrap());
}

#[test]
fn a_board_whose_flash_cannot_be_read_says_so_and_tries_again_until_it_can() {
    for (program, name) in
        [(Program::Node, "node"), (Program::NodeEmbassy, "node"), (Program::Siren, "siren")]
    {
        let mut site = Site::with(program, "unread", 46);
        site.break_flash();
        site.start(&hurried());
        let says = format!("{name}: its flash cannot be read");
        let starts = |site: &Site| site.told.iter().filter(|line| **line == says).count();
        site.until("three starts", |site| starts(site) >= 3);
        assert!(site.is_silent(), "{:?}", site.told);
        site.mend_flash();
        site.until("a report", |site| !site.desk.reports.is_empty());
        assert_eq!(site.desk.reports[0].reset_cause, ResetCause::Fault, "{program:?}");
        assert_eq!(site.desk.reports[0].boot, 1, "what was no node has written nothing");
    }
}

#[test]
fn a_megabyte_of_noise_on_each_line_is_no_alert_and_keeps_none_back() {
    const TURNS: usize = 10;
    const CHUNK_LEN: usize = 1_000_000 / (TURNS * Noise::ALL.len());
    let mut site = Site::new("megabyte", 43);
    site.power_on();
    site.until("a report", |site| !site.desk.reports.is_empty());
    let mut last = 0;
    for _ in 0..TURNS {
        for noise in Noise::ALL {
            let [uplink, bench] = [(); 2].map(|()| noise.bytes(&mut site, CHUNK_LEN));
            site.babble(false, &uplink);
            // What the gateway says is no stimulus, and what its bits become might be one.
            if !matches!(noise, Noise::Flipped | Noise::Echo) {
                site.babble(true, &bench);
            }
            last += 1;
            site.stimulate(&launch(last));
            site.go_on(Duration::from_millis(2));
        }
        arrive(&mut site, last);
        // What was said to the node waits behind the noise, as long as the node is not done with that. A node that has
        // no room for more alerts counts them, which is not what is looked for here.
        site.until("a node that has been told of all", |site| site.told.contains(&site.sent()));
    }
    assert!(site.desk.reports.iter().all(|report| report.boot == 1), "it was never reset");
}

#[test]
fn a_gateway_that_is_dead_for_ten_minutes_hears_of_everything_when_it_is_back() {
    let mut site = Site::new("ten-minutes", 44);
    site.start(&hurried());
    site.until("a report", |site| !site.desk.reports.is_empty());
    raise(&mut site, 1..=2);
    site.is_gateway_dead = true;
    raise(&mut site, 3..=10);
    // One a minute, by the node's own clock.
    site.until("ten minutes", |site| site.reports_missed >= 11);
    site.is_gateway_dead = false;
    site.desk.restart();
    arrive(&mut site, 10);
    let reports = site.desk.reports.len();
    site.until("a report", |site| site.desk.reports.len() > reports);
    assert!(site.desk.reports.last().is_some_and(|report| report.boot == 1 && report.uptime_ms > 600_000));
}

#[test]
fn a_gateway_that_comes_back_with_another_epoch_loses_no_alert() {
    let mut site = Site::new("epochs", 45);
    site.loss_percent = 30;
    site.power_on();
    raise(&mut site, 1..=4);
    arrive(&mut site, 4);
    // It comes back and sends the node on, while alerts are on their way.
    site.is_gateway_dead = true;
    raise(&mut site, 5..=8);
    site.is_gateway_dead = false;
    site.desk.restart();
    let moves = site.desk.command(Order::NextEpoch(Epoch(2)));
    raise(&mut site, 9..=12);
    site.until("the answer", |site| site.desk.result(moves) == Some(CommandResult::Done));
    arrive(&mut site, 12);
    assert_eq!(site.desk.epoch(), Epoch(2));
    // The node has not forgotten it when it had no power.
    site.power_off();
    site.power_on();
    raise(&mut site, 13..=16);
    arrive(&mut site, 16);
    // A gateway with an old register and nothing else follows its node.
    site.is_gateway_dead = true;
    raise(&mut site, 17..=20);
    site.is_gateway_dead = false;
    site.desk.replace();
    assert_eq!(site.desk.epoch(), Epoch(1));
    arrive(&mut site, 20);
    assert_eq!(site.desk.epoch(), Epoch(2));
    let last = site.desk.command(Order::NextEpoch(Epoch(3)));
    // Where the answer is lost, the gateway hears of the new epoch by what the node says next.
    raise(&mut site, 21..=24);
    site.until("the answer", |site| site.desk.result(last) == Some(CommandResult::Done));
    arrive(&mut site, 24);
}
