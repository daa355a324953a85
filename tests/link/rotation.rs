//! Several links, and links with little air time.

use alertbus::limits::{PACKET_LEN_MAX, REPORT_HASTE_MS_MIN};
use alertbus::message::kind::{DroneSighting, RocketLaunch};
use alertbus::message::{Ack, AlertDraft};
use alertbus::role::node::{Node, Rejected};
use alertbus::store::Volatile;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::{Direction, Epoch};
use alertbus::wire::link::Link;
use alertbus::wire::packet::{self, Class, Header};
use alertbus::{NodeId, Precedence};

use crate::pair::{LINK, NODE, config, node_key};

type Lone = Node<Volatile, 8>;

fn lone() -> Lone {
    Node::start(config(1), Volatile::new(Epoch(1), 1), Instant::START)
}

fn flash() -> AlertDraft {
    AlertDraft::new(RocketLaunch::default())
}

const fn free(number: u8) -> Link {
    Link { duty_permille: 1_000, ..Link::small_radio(number) }
}

/// Lives by `poll_timeout` until `until_s`, polling the links in this order; who sent an alert when, by link.
fn live(node: &mut Lone, from: Instant, until_s: u64, links: &[Link]) -> Vec<(u64, u8)> {
    let mut now = from;
    let mut sent = Vec::new();
    let mut wakes = 0;
    while now.as_millis() < until_s * 1_000 {
        for link in links {
            let mut buffer = [0; PACKET_LEN_MAX];
            while let Some(packet) = node.poll_transmit(now, link, &mut buffer) {
                if packet::parse(packet, link.tag).unwrap().header().class == Class::Alert {
                    sent.push((now.as_millis(), link.number));
                }
            }
        }
        // The store may have been asked too little meanwhile; once is enough.
        if node.poll_timeout().is_some_and(|next| next <= now) {
            node.handle_timeout(now);
        }
        let next = node.poll_timeout().unwrap();
        assert!(next > now, "{next} after {now}: what is due was done");
        now = next;
        node.handle_timeout(now);
        wakes += 1;
    }
    assert!(wakes < 100 + until_s, "{wakes} wake-ups in {until_s} s");
    sent
}

#[test]
fn retries_go_round_in_whatever_order_the_links_are_polled() {
    for links in [[free(0), free(1)], [free(1), free(0)]] {
        let mut node = lone();
        let _ = node.raise(Instant::START, flash());
        let sent = live(&mut node, Instant::START, 3_600, &links);
        assert!(sent.len() > 60);
        assert!(
            sent.windows(2).all(|pair| pair[0].1 != pair[1].1),
            "each retry over the other link: {sent:?}"
        );
    }
}

#[test]
fn a_link_that_is_polled_no_more_holds_nothing_up() {
    let all: Vec<Link> = (0..7).map(free).collect();
    let mut node = lone();
    live(&mut node, Instant::START, 1, &all);
    let start = Instant::from_millis(400_000);
    node.handle_timeout(start);
    let _ = node.raise(start, flash());
    let sent = live(&mut node, start, 4_000, &all[..1]);
    // 60 s at most from one to the next, and three airtimes for those that do not come.
    let patience_ms = u64::from(all[0].airtime_max().times(3).as_millis());
    assert!(sent.windows(2).all(|pair| pair[1].0 - pair[0].0 <= 60_000 + patience_ms), "{sent:?}");
    assert!(sent.len() > 60);
}

#[test]
fn a_link_too_many_takes_nobodys_air_time() {
    // Five books for four: three under a limit, and free ones that need none.
    let limited = |number| Link::small_radio(number);
    let mut links: Vec<Link> = (0..4).map(limited).collect();
    links.extend([Link::stream(4), Link::stream(5)]);
    let mut node = lone();
    live(&mut node, Instant::START, 1, &links);
    let start = Instant::from_millis(400_000);
    node.handle_timeout(start);
    let _ = node.raise(start, flash());
    let sent = live(&mut node, start, 8_000, &links[3..4]);
    assert!(sent.len() > 100, "the fourth link: {} in two hours", sent.len());

    // Where free links have the books, a limited one gets some.
    let mut links: Vec<Link> = (0..5).map(Link::stream).collect();
    links.push(limited(5));
    let mut node = lone();
    live(&mut node, Instant::START, 1, &links);
    node.handle_timeout(start);
    let _ = node.raise(start, flash());
    assert!(live(&mut node, start, 8_000, &links[5..]).len() > 100);
}

#[test]
fn flash_finds_air_time_after_any_flood_of_others() {
    let link = Link::small_radio(0);
    let mut node = lone();
    let mut now = Instant::START;
    let mut buffer = [0; PACKET_LEN_MAX];
    for _ in 0..36_000 {
        let _ = node.raise(now, AlertDraft::new(DroneSighting::default()));
        while node.poll_transmit(now, &link, &mut buffer).is_some() {}
        now = now.after(Duration::from_millis(100));
        node.handle_timeout(now);
    }
    while node.poll_transmit(now, &link, &mut buffer).is_some() {}
    for _ in 0..7 {
        let _ = node.raise(now, flash());
        let sent = node.poll_transmit(now, &link, &mut buffer).unwrap();
        assert_eq!(packet::parse(sent, link.tag).unwrap().header().precedence, Precedence::Flash);
    }
}

#[test]
fn a_link_so_slow_that_a_packet_takes_most_of_its_budget_still_carries_flash() {
    // A longest packet of 11 s, and 18 s of air time in an hour: more than the half that is not Flash's.
    let slow = Link { airtime_base_us: 11_000_000, airtime_byte_us: 0, duty_permille: 5, ..free(0) };
    let mut node = lone();
    let _ = node.raise(Instant::START, flash());
    assert!(live(&mut node, Instant::START, 7_200, &[slow]).len() >= 2);
}

/// An authentic acknowledgement that was held back, and a node that must not be moved by it.
fn stale(counter: u32) -> Vec<u8> {
    let mut body = [0; 35];
    let len = Ack::new(0).encode(&mut body);
    let header = Header {
        class: Class::Ack,
        precedence: Precedence::Flash,
        exercise: false,
        epoch_low: 1,
        node: NODE,
        counter: 4 << 24 | counter,
    };
    let key = node_key().link_key(Direction::Down, false, Epoch(1));
    packet::seal(&key, &header, &body[..len], LINK.tag, &mut [0; PACKET_LEN_MAX]).unwrap().to_vec()
}

#[test]
fn whoever_plays_back_stale_packets_neither_floods_the_air_nor_stops_the_clock() {
    let link = Link::small_radio(0);
    let mut node = lone();
    let mut buffer = [0; PACKET_LEN_MAX];
    let mut reports = Vec::new();
    let played_back = stale(1);
    let mut lowest = 0;
    for tenth in 0..36_000_u64 {
        let now = Instant::from_millis(100 * tenth);
        node.handle_timeout(now);
        let refused = node.handle_packet(now, &link, &played_back);
        let Err(Rejected::Stale { lowest: now_lowest, .. }) = refused else { panic!("{refused:?}") };
        lowest = now_lowest;
        while node.poll_transmit(now, &link, &mut buffer).is_some() {
            reports.push(100 * tenth);
        }
    }
    assert!(lowest > 1, "echoes grow too old all the same");
    let gaps = reports.windows(2).map(|pair| pair[1] - pair[0]);
    let regular = 3_600 / 300 + 1;
    let too_soon = gaps.filter(|&gap| gap < u64::from(REPORT_HASTE_MS_MIN)).count();
    assert!(too_soon <= regular, "{too_soon}");
    // Half of the budget is there for Flash, at once.
    let now = Instant::from_millis(3_600_000);
    node.handle_timeout(now);
    let mut sent = 0;
    for _ in 0..120 {
        let _ = node.raise(now, flash());
        sent += usize::from(node.poll_transmit(now, &link, &mut buffer).is_some());
    }
    assert!(sent >= 8, "eight slots; {sent}");
    // What the half that is not Flash's earns in an hour and has at the start, at 101 ms each.
    assert!(reports.len() < 420, "{} reports within an hour", reports.len());
    assert_eq!(node.id(), NodeId(12));
}
