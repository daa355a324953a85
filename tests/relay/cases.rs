//! The hard cases, one by one.

use alertbus::Precedence::{self, Flash, Immediate, Priority, Routine};
use alertbus::ledger::Row;
use alertbus::limits::{PACKET_LEN_MAX, RELAY_WAIT_MS_MAX};
use alertbus::role::relay::{Rejected, Relay, Taken};
use alertbus::time::{Duration, Instant};
use alertbus::wire::link::{Link, TagLength};
use alertbus::wire::packet::{Class, Header, ParseError};

use crate::air::{Ear, LINK, frame, header, read};

const LIVE_FLASH: Row = Row::Live(Flash);

#[test]
fn a_relay_that_hears_its_own_frame() {
    let mut ear = Ear::<4, 8>::new();
    let heard = frame(header(12, Flash, 1));
    assert_eq!(ear.hear(&heard), Ok(Taken::Kept));
    assert_eq!(ear.hear(&heard), Err(Rejected::Duplicate), "it waits already");
    assert_eq!(ear.say(), Some(heard.clone()));
    for _ in 0..3 {
        assert_eq!(ear.hear(&heard), Err(Rejected::Duplicate), "its own echo");
        assert_eq!(ear.say(), None);
    }
    let counts = ear.relay.counts(LIVE_FLASH);
    assert_eq!((counts.duplicate, counts.forwarded), (4, 1));
    // A retry is another frame.
    assert_eq!(ear.hear_header(header(12, Flash, 2)), Ok(Taken::Kept));
}

#[test]
fn two_relays_that_hear_each_other_fall_silent() {
    let (mut near, mut far) = (Ear::<4, 8>::new(), Ear::<4, 8>::new());
    near.keep(header(12, Flash, 1));
    let mut said = 0;
    for _ in 0..10 {
        for packet in near.say_all() {
            said += 1;
            let _ = far.hear(&packet);
        }
        for packet in far.say_all() {
            said += 1;
            let _ = near.hear(&packet);
        }
    }
    assert_eq!(said, 2);
}

#[test]
fn an_echo_is_known_until_as_many_others_were_sent_as_are_remembered() {
    let mut ear = Ear::<4, 8>::new();
    let sent = |counter| frame(header(12, Flash, counter));
    for counter in 0..8 {
        assert_eq!(ear.hear(&sent(counter)), Ok(Taken::Kept));
        ear.say().unwrap();
    }
    assert_eq!(ear.hear(&sent(0)), Err(Rejected::Duplicate), "the eighth last is remembered");
    assert_eq!(ear.hear(&sent(8)), Ok(Taken::Kept));
    ear.say().unwrap();
    assert_eq!(ear.hear(&sent(1)), Err(Rejected::Duplicate));
    assert_eq!(ear.hear(&sent(0)), Ok(Taken::Kept), "the ninth last is not");
}

#[test]
fn whoever_is_never_sent_on_flushes_no_memory() {
    let mut ear = Ear::<2, 4>::new();
    let sent = frame(header(12, Flash, 1));
    assert_eq!(ear.hear(&sent), Ok(Taken::Kept));
    ear.say().unwrap();
    for counter in 0..1_000 {
        let _ = ear.hear_header(header(66, Flash, counter));
    }
    assert_eq!(ear.hear(&sent), Err(Rejected::Duplicate));
}

#[test]
fn a_babbling_node_starves_nobody() {
    let mut ear = Ear::<8, 8>::new();
    let mut quiet = 0;
    for round in 0..500_u32 {
        for cry in 0..20 {
            let _ = ear.hear_header(header(66, Flash, 1_000 + round * 20 + cry));
        }
        // Three others say one thing each, and three frames of airtime go by.
        for node in [7, 12, 300] {
            assert!(ear.hear_header(header(node, Flash, round)).is_ok(), "round {round}, node {node}");
        }
        for _ in 0..4 {
            let said = read(&ear.say().unwrap());
            if said.node.0 == 66 {
                assert!(
                    said.counter >= 1_000 + round.saturating_sub(1) * 20,
                    "the babbler is not starved either"
                );
            } else {
                assert_eq!(said.counter, round, "nobody waits longer than a round");
                quiet += 1;
            }
        }
    }
    assert_eq!(quiet, 3 * 500, "every word of the quiet ones went out");
}

#[test]
fn a_babbler_displaces_its_own_oldest_and_nobody_elses() {
    let mut ear = Ear::<4, 8>::new();
    for node in [1, 2] {
        ear.keep(header(node, Flash, 1));
    }
    let babble = |counter| header(66, Flash, counter);
    assert_eq!(ear.hear_header(babble(1)), Ok(Taken::Kept));
    assert_eq!(ear.hear_header(babble(2)), Ok(Taken::Kept));
    for counter in 3..100 {
        assert_eq!(ear.hear_header(babble(counter)), Ok(Taken::Displaced(babble(counter - 2))));
    }
    assert_eq!(
        ear.hear_header(header(3, Flash, 1)),
        Ok(Taken::Displaced(babble(98))),
        "a newcomer gets its share"
    );
    assert_eq!(ear.hear_header(babble(100)), Ok(Taken::Displaced(babble(99))));
    assert_eq!(ear.say_numbers(), [(1, 1), (2, 1), (3, 1), (66, 100)]);
    let counts = ear.relay.counts(LIVE_FLASH);
    assert_eq!((counts.displaced, counts.refused, counts.forwarded), (99, 0, 4));
}

#[test]
fn more_sources_than_room_are_treated_alike() {
    let mut ear = Ear::<4, 8>::new();
    let mut said = [0_u32; 40];
    for round in 0..8_000_u32 {
        // Forty nodes in an order that would let the same four find a free slot for ever.
        let node = round * 17 % 40;
        let _ = ear.hear_header(header(u16::try_from(node).unwrap(), Flash, round));
        if round % 10 == 0 {
            said[usize::from(read(&ear.say().unwrap()).node.0)] += 1;
        }
    }
    assert_eq!(said.iter().sum::<u32>(), 800);
    assert!(said.iter().all(|times| (8..=40).contains(times)), "about 20 each: {said:?}");
}

#[test]
fn turns_of_one_lane_are_not_upset_by_another() {
    let mut ear = Ear::<16, 16>::new();
    for counter in 0..4 {
        for node in [10, 11, 12] {
            ear.keep(header(node, Routine, counter));
        }
    }
    let mut said = Vec::new();
    for counter in 0..12 {
        // Before each turn node 9 says something that goes first; node 10 must not get every turn for that.
        ear.keep(header(9, Flash, counter));
        assert_eq!(read(&ear.say().unwrap()).node.0, 9);
        said.push(read(&ear.say().unwrap()).node.0);
    }
    assert_eq!(said, [10, 11, 12].repeat(4));
}

#[test]
fn a_forged_header_cannot_suppress_the_true_frame() {
    let mut ear = Ear::<4, 8>::new();
    let truth = frame(header(12, Flash, 7));
    for at in 0..truth.len() {
        let mut forged = truth.clone();
        forged[at] ^= 1;
        // Same node, same counter, one bit elsewhere: sent before the true frame, and remembered.
        let taken = ear.hear(&forged);
        assert!(matches!(taken, Ok(_) | Err(Rejected::Parse(ParseError::ReservedBit))), "{at}: {taken:?}");
        let _ = ear.say_all();
    }
    let shorter = &truth[..truth.len() - 1];
    assert!(ear.hear(shorter).is_ok());
    assert_eq!(ear.hear(&truth), Ok(Taken::Kept));
    assert!(ear.say_all().contains(&truth));
}

#[test]
fn precedence_first_and_exercise_below_live() {
    let mut ear = Ear::<8, 8>::new();
    let lanes = Precedence::ALL.into_iter().flat_map(|precedence| [(precedence, false), (precedence, true)]);
    for (precedence, exercise) in lanes {
        ear.keep(Header { exercise, ..header(12, precedence, 1) });
    }
    let said: Vec<_> =
        ear.say_all().iter().map(|frame| read(frame)).map(|h| (h.precedence, h.exercise)).collect();
    let levels = [Flash, Immediate, Priority, Routine];
    assert_eq!(said[..4], levels.map(|precedence| (precedence, false)));
    assert_eq!(said[4..], levels.map(|precedence| (precedence, true)));
}

#[test]
fn first_in_first_out_for_each_source_and_both_directions_share() {
    let mut ear = Ear::<8, 8>::new();
    let ack = |counter| Header { class: Class::Ack, ..header(5, Flash, counter) };
    for counter in [30, 10, 20] {
        ear.keep(header(5, Flash, counter));
    }
    ear.keep(header(9, Flash, 3));
    ear.keep(ack(4));
    ear.keep(ack(2));
    // Up from 5, up from 9, down to 5; then around again.
    assert_eq!(ear.say_numbers(), [(5, 30), (9, 3), (5, 4), (5, 10), (5, 2), (5, 20)]);
}

#[test]
fn a_full_relay_gives_way_lowest_first_and_counts() {
    let mut ear = Ear::<4, 8>::new();
    let drill = Header { exercise: true, ..header(1, Flash, 1) };
    let low = [drill, header(2, Routine, 2), header(3, Priority, 3), header(4, Immediate, 4)];
    for waits in low {
        ear.keep(waits);
    }
    assert_eq!(ear.hear_header(Header { counter: 9, exercise: true, ..low[3] }), Err(Rejected::Full));
    for (counter, gone) in (10..).zip(low) {
        assert_eq!(ear.hear_header(header(5, Flash, counter)), Ok(Taken::Displaced(gone)));
    }
    for precedence in [Routine, Priority, Immediate] {
        assert_eq!(ear.hear_header(header(6, precedence, 1)), Err(Rejected::Full));
        let counts = ear.relay.counts(Row::Live(precedence));
        assert_eq!((counts.displaced, counts.refused), (1, 1));
    }
    let drills = ear.relay.counts(Row::Exercise);
    assert_eq!((drills.displaced, drills.refused), (1, 1));
    assert_eq!(ear.relay.counts(LIVE_FLASH).displaced, 0);
    assert_eq!(ear.relay.waiting(), 4);
}

#[test]
fn who_gave_way_was_never_sent_and_may_come_again() {
    let mut ear = Ear::<1, 8>::new();
    let low = frame(header(1, Routine, 1));
    assert_eq!(ear.hear(&low), Ok(Taken::Kept));
    assert!(matches!(ear.hear_header(header(2, Flash, 1)), Ok(Taken::Displaced(_))));
    assert_eq!(ear.hear(&low), Err(Rejected::Full));
    ear.say().unwrap();
    assert_eq!(ear.hear(&low), Ok(Taken::Kept), "a copy by another relay is welcome");
}

#[test]
fn what_waited_too_long_is_not_sent_any_more() {
    let mut ear = Ear::<4, 8>::new();
    ear.keep(header(1, Flash, 1));
    ear.now = ear.now.after(Duration::from_millis(RELAY_WAIT_MS_MAX));
    ear.keep(header(1, Flash, 2));
    assert_eq!(ear.relay.waiting(), 2, "to the millisecond");
    ear.now = ear.now.after(Duration::from_millis(1));
    assert_eq!(ear.say_numbers(), [(1, 2)]);
    assert_eq!(ear.relay.counts(LIVE_FLASH).expired, 1);
}

#[test]
fn a_link_with_other_tags_is_neither_heard_nor_served() {
    let mut ear = Ear::<4, 8>::new();
    let wide = Link::stream(1);
    let packet = frame(header(1, Flash, 1));
    let other = Err(Rejected::OtherTag { expected: TagLength::Short });
    assert_eq!(ear.relay.handle_packet(ear.now, &wide, &packet), other);
    assert_eq!(ear.hear(&packet), Ok(Taken::Kept));
    assert_eq!(ear.relay.poll_transmit(ear.now, &wide, &mut [0; PACKET_LEN_MAX]), None);
    assert_eq!(ear.relay.waiting(), 1, "and nothing is lost by asking");
    assert_eq!(ear.say(), Some(packet));
}

#[test]
fn what_is_no_packet_is_counted_and_nothing_else() {
    let mut ear = Ear::<4, 8>::new();
    let bad: [&[u8]; 4] = [&[], &[0x40; 15], &[0x80; 30], &[0x40; 52]];
    for bytes in bad {
        assert!(matches!(ear.hear(bytes), Err(Rejected::Parse(_))));
    }
    assert_eq!((ear.relay.malformed(), ear.relay.waiting()), (4, 0));
}

#[test]
fn the_longest_packets_of_long_tags_fit() {
    let (wide, bytes) = (Link::stream(1), [0x4c; PACKET_LEN_MAX]);
    let mut relay = Relay::<1, 1>::new(TagLength::Long, [0; 16]);
    assert_eq!(relay.handle_packet(Instant::START, &wide, &bytes), Ok(Taken::Kept));
    assert_eq!(relay.poll_transmit(Instant::START, &wide, &mut [0; PACKET_LEN_MAX]), Some(&bytes[..]));
    assert!(relay.poll_transmit(Instant::START, &LINK, &mut [0; PACKET_LEN_MAX]).is_none());
}

#[test]
fn a_seed_does_not_show() {
    assert_eq!(format!("{:?}", Ear::<4, 8>::new().relay), "Relay(0 of 4 frames)");
}
