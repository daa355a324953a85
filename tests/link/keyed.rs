//! Events by key: what an update, a cancel and an all-clear do, and that none of them hits another event.

use alertbus::ledger::{Outcome, Row};
use alertbus::limits::TIME_TO_LIVE_PRIORITY_MS;
use alertbus::message::kind::{ConvoyIed, DroneSighting, RocketLaunch};
use alertbus::message::{Alert, AlertDraft, EventKey, Phase, Reference};
use alertbus::role::node::{Handle, NodeEvent, Refusal, Submission};
use alertbus::time::Duration;
use alertbus::{Precedence, store::Volatile};

use crate::pair::{Pair, SLOTS};

fn keyed(draft: AlertDraft, key: u16) -> AlertDraft {
    AlertDraft { key: Some(EventKey(key)), ..draft }
}

fn flash(key: u16) -> AlertDraft {
    keyed(AlertDraft::new(RocketLaunch::default()), key)
}

fn priority(key: u16) -> AlertDraft {
    keyed(AlertDraft::new(DroneSighting::default()), key)
}

fn handle(submission: Submission) -> Handle {
    let Submission::Queued { handle, .. } = submission else { panic!("{submission:?}") };
    handle
}

/// What the gateway was told, in order: phase and reference.
fn told(pair: &Pair<Volatile>) -> Vec<(Phase, Option<Reference>)> {
    let alert = |at: usize| -> Alert { pair.delivered[at].alert.unwrap() };
    (0..pair.delivered.len()).map(|at| (alert(at).phase, alert(at).reference)).collect()
}

fn outcomes(pair: &mut Pair<Volatile>) -> Vec<(Handle, Outcome)> {
    let settled = |event| match event {
        NodeEvent::Settled { handle, outcome, .. } => Some((handle, outcome)),
        _ => None,
    };
    pair.events().into_iter().filter_map(settled).collect()
}

#[test]
fn an_all_clear_queued_behind_the_alert_it_clears() {
    for (draft, lane) in [(flash(1), Precedence::Flash), (priority(1), Precedence::Priority)] {
        for exercise in [false, true] {
            let draft = AlertDraft { exercise, ..draft };
            let mut pair = Pair::new();
            handle(pair.node.raise(pair.now, draft));
            // A clear of a lower or a higher kind: it keeps to the lane of what it ends.
            for other in [AlertDraft::new(DroneSighting::default()), AlertDraft::new(RocketLaunch::default())]
            {
                let mut pair = Pair::new();
                handle(pair.node.raise(pair.now, draft));
                handle(pair.node.clear(pair.now, AlertDraft { exercise, ..keyed(other, 1) }));
                pair.exchange();
                assert_eq!(told(&pair), [(Phase::Onset, None), (Phase::Clear, Some(Reference::Back(1)))]);
                assert!(
                    pair.delivered.iter().all(|received| received.id.flash == (lane == Precedence::Flash))
                );
                assert_eq!(pair.node.resident(), 0);
            }
            // What is never sent is never cleared.
            handle(pair.node.clear(pair.now, draft));
            pair.exchange();
            assert_eq!(told(&pair).len(), 2);
        }
    }
}

#[test]
fn an_all_clear_of_what_gave_way_unsent_ends_with_it_and_ends_no_other() {
    let mut pair = Pair::new();
    let first = handle(pair.node.raise(pair.now, priority(1)));
    let clear = handle(pair.node.clear(pair.now, priority(1)));
    handle(pair.node.raise(pair.now, priority(2)));
    for _ in 0..SLOTS - 2 {
        handle(pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default())));
    }
    let gone = outcomes(&mut pair);
    assert_eq!(gone, [(first, Outcome::Displaced), (clear, Outcome::Displaced)]);
    pair.exchange();
    pair.exchange();
    let drone = pair.delivered.iter().filter(|received| !received.id.flash);
    assert_eq!(drone.map(|received| received.alert.unwrap().phase).collect::<Vec<_>>(), [Phase::Onset]);
}

#[test]
fn an_all_clear_does_not_end_the_onset_that_was_raised_after_it() {
    for draft in [priority(1), flash(1)] {
        let mut pair = Pair::new();
        let at = alertbus::time::EventTime::new(1_578_445_200_000, alertbus::time::ClockQuality::Second);
        let draft = AlertDraft { time: at, ..draft };
        let first = handle(pair.node.raise(pair.now, draft));
        handle(pair.node.clear(pair.now, draft));
        // Byte for byte the first one, but another event: neither a duplicate nor in the place of the first.
        let second = handle(pair.node.raise(pair.now, draft));
        assert!(second > first);
        pair.exchange();
        let back = (Phase::Clear, Some(Reference::Back(1)));
        assert_eq!(told(&pair), [(Phase::Onset, None), back, (Phase::Onset, None)]);
        // And an update of what is over begins anew.
        handle(pair.node.clear(pair.now, draft));
        handle(pair.node.update(pair.now, draft));
        pair.exchange();
        assert_eq!(told(&pair)[3..], [back, (Phase::Onset, None)]);
    }
}

#[test]
fn what_a_gateway_may_have_seen_can_be_cleared_however_it_ended() {
    let mut pair = Pair::new();
    handle(pair.node.raise(pair.now, priority(1)));
    let packets = pair.node_packets();
    pair.advance(Duration::from_millis(TIME_TO_LIVE_PRIORITY_MS));
    assert_eq!(pair.node.resident(), 0, "expired, and its acknowledgement never came");
    pair.hand_up(&packets[0]);
    handle(pair.node.raise(pair.now, priority(2)));
    handle(pair.node.clear(pair.now, priority(1)));
    pair.exchange();
    let [.., (Phase::Clear, Some(Reference::Back(2)))] = told(&pair)[..] else { panic!("{:?}", told(&pair)) };
}

#[test]
fn an_end_that_names_nothing_is_refused_where_it_would_end_another_event() {
    let mut pair = Pair::new();
    for known in [flash(1), priority(1)] {
        let unknown = AlertDraft { key: Some(EventKey(9)), ..known };
        handle(pair.node.raise(pair.now, known));
        for stored in [false, true] {
            let refused = pair.node.clear(pair.now, unknown);
            assert!(matches!(refused, Submission::Refused { why: Refusal::UnknownEvent, .. }), "{refused:?}");
            let refused = pair.node.cancel(pair.now, unknown);
            assert!(matches!(refused, Submission::Refused { why: Refusal::UnknownEvent, .. }), "{stored}");
            pair.exchange();
        }
        // An exercise is another world, and who names no event means all.
        handle(pair.node.clear(pair.now, AlertDraft { exercise: true, ..unknown }));
        handle(pair.node.clear(pair.now, AlertDraft { key: None, ..known }));
        pair.exchange();
    }
    let ied = keyed(AlertDraft::new(ConvoyIed::default()), 9);
    handle(pair.node.clear(pair.now, ied));
    pair.exchange();
    assert_eq!(told(&pair).last(), Some(&(Phase::Clear, Some(Reference::AllOfKind))));
    assert!(pair.node.is_balanced());
}

#[test]
fn a_cancel_of_what_was_never_sent_takes_both_back() {
    let mut pair = Pair::new();
    let raised = handle(pair.node.raise(pair.now, flash(1)));
    handle(pair.node.clear(pair.now, flash(1)));
    assert_eq!(pair.node.cancel(pair.now, flash(1)), Submission::Cancelled);
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (0, 0));
    assert_eq!(outcomes(&mut pair)[0], (raised, Outcome::Cancelled));
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Flash)).cancelled, 3);
}

#[test]
fn a_cancel_frees_what_was_sent_only_when_it_is_stored() {
    for draft in [flash(1), priority(1)] {
        let mut pair = Pair::new();
        let raised = handle(pair.node.raise(pair.now, draft));
        assert_eq!(pair.node_packets().len(), 2, "both are lost");
        let cancel = handle(pair.node.cancel(pair.now, draft));
        assert_eq!((pair.node.resident(), outcomes(&mut pair)), (2, vec![]));
        let packets = pair.node_packets();
        assert_eq!((packets.len(), pair.node.resident()), (1, 2));
        pair.hand_up(&packets[0]);
        for packet in pair.gateway_packets() {
            pair.hand_down(&packet).unwrap();
        }
        assert_eq!(outcomes(&mut pair), [(cancel, Outcome::Acked), (raised, Outcome::Cancelled)]);
        assert_eq!(told(&pair), [(Phase::Cancel, Some(Reference::Back(1)))]);
        // Nothing is left to be cleared.
        handle(pair.node.clear(pair.now, draft));
        pair.exchange();
        assert_eq!(told(&pair).last(), Some(&(Phase::Clear, Some(Reference::AllOfKind))));
    }
}

#[test]
fn updates_that_were_never_sent_give_way_and_those_sent_when_a_newer_one_is_stored() {
    for draft in [flash(1), priority(1)] {
        let mut pair = Pair::new();
        let onset = handle(pair.node.raise(pair.now, draft));
        pair.node_packets();
        let first = handle(pair.node.update(pair.now, draft));
        pair.node_packets();
        let mut handles = vec![first, onset];
        for _ in 0..1_000 {
            handles.push(handle(pair.node.update(pair.now, draft)));
            assert_eq!(pair.node.resident(), 3, "one is on its way, one was sent, one waits");
        }
        let packets = pair.node_packets();
        pair.events();
        pair.hand_up(packets.last().unwrap());
        for packet in pair.gateway_packets() {
            pair.hand_down(&packet).unwrap();
        }
        assert_eq!(pair.node.resident(), 0);
        let mut gone = outcomes(&mut pair);
        gone.sort_by_key(|(handle, _)| *handle);
        let last = *handles.last().unwrap();
        assert_eq!(
            gone,
            [(onset, Outcome::Superseded), (first, Outcome::Superseded), (last, Outcome::Acked)]
        );
        let counts = *pair.node.ledger().row(Row::Live(draft.precedence()));
        assert_eq!((counts.offered, counts.superseded, counts.acked), (1_002, 1_001, 1));
    }
}

#[test]
fn an_update_never_travels_lower_and_one_that_rises_takes_the_place_of_what_waits() {
    let mut pair = Pair::new();
    let low = handle(pair.node.raise(pair.now, priority(1)));
    let rises = AlertDraft { precedence_min: Precedence::Flash, ..priority(1) };
    handle(pair.node.update(pair.now, rises));
    assert_eq!(outcomes(&mut pair), [(low, Outcome::Superseded)]);
    pair.exchange();
    handle(pair.node.update(pair.now, priority(1)));
    pair.exchange();
    assert!(pair.delivered.iter().all(|received| received.precedence == Precedence::Flash));
    assert_eq!(told(&pair), [(Phase::Onset, None), (Phase::Update, Some(Reference::Back(1)))]);

    // With no slot left for Flash it is counted into a summary, and what waited gives way all the same.
    let mut pair = Pair::new();
    handle(pair.node.raise(pair.now, priority(1)));
    for _ in 0..SLOTS - 1 {
        handle(pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default())));
    }
    assert!(matches!(pair.node.update(pair.now, rises), Submission::Merged { .. }));
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Priority)).resident, 0);
    pair.exchange();
    pair.exchange();
    assert_eq!((pair.delivered.len(), pair.node.resident()), (SLOTS, 0));
}

#[test]
fn an_event_that_has_risen_is_referred_to_across_the_sequences() {
    let mut pair = Pair::new();
    handle(pair.node.raise(pair.now, priority(1)));
    pair.exchange();
    let rises = AlertDraft { precedence_min: Precedence::Flash, ..priority(1) };
    handle(pair.node.update(pair.now, rises));
    handle(pair.node.clear(pair.now, priority(1)));
    pair.exchange();
    let first = Some(Reference::Other(pair.delivered[0].id.seq));
    assert_eq!(told(&pair), [(Phase::Onset, None), (Phase::Update, first), (Phase::Clear, first)]);
}

#[test]
fn the_newest_of_a_key_wins_in_priority_and_routine_and_in_no_higher_lane() {
    let mut pair = Pair::new();
    for _ in 0..1_000 {
        handle(pair.node.raise(pair.now, priority(1)));
        pair.now = pair.now.after(Duration::from_millis(1));
    }
    assert_eq!(pair.node.resident(), 1);
    pair.node_packets();
    let newest = handle(pair.node.raise(pair.now, priority(1)));
    assert_eq!(pair.node.resident(), 1, "what was sent gives way too");
    pair.exchange();
    assert!(outcomes(&mut pair).contains(&(newest, Outcome::Acked)));
    for _ in 0..2 {
        handle(pair.node.raise(pair.now, keyed(AlertDraft::new(ConvoyIed::default()), 2)));
        pair.now = pair.now.after(Duration::from_millis(1));
    }
    assert_eq!(pair.node.resident(), 2);
}

#[test]
fn what_is_raised_twice_in_the_same_words_is_there_once() {
    for draft in [flash(1), priority(1)] {
        let mut pair = Pair::new();
        let of = handle(pair.node.raise(pair.now, draft));
        assert_eq!(pair.node.raise(pair.now, draft), Submission::Duplicate { of });
        pair.node_packets();
        handle(pair.node.raise(pair.now, draft));
        assert_eq!(pair.node.ledger().row(Row::Live(draft.precedence())).duplicate, 1);
    }
}

#[test]
fn acknowledgements_in_any_order_leave_the_newest_onset_in_mind() {
    let mut pair = Pair::new();
    for _ in 0..2 {
        handle(pair.node.raise(pair.now, flash(1)));
        pair.now = pair.now.after(Duration::from_millis(1));
    }
    let packets = pair.node_packets();
    for packet in packets.iter().rev() {
        pair.hand_up(packet);
        for packet in pair.gateway_packets() {
            pair.hand_down(&packet).unwrap();
        }
    }
    assert_eq!(pair.node.resident(), 0);
    handle(pair.node.clear(pair.now, flash(1)));
    pair.exchange();
    assert_eq!(told(&pair).last(), Some(&(Phase::Clear, Some(Reference::Back(1)))));
}

#[test]
fn what_is_stored_after_its_all_clear_is_over_all_the_same() {
    let mut pair = Pair::new();
    handle(pair.node.raise(pair.now, flash(1)));
    pair.node_packets();
    handle(pair.node.clear(pair.now, flash(1)));
    let clear = pair.node_packets();
    pair.hand_up(&clear[0]);
    for packet in pair.gateway_packets() {
        pair.hand_down(&packet).unwrap();
    }
    assert_eq!(pair.node.resident(), 1, "a clear frees nothing: what happened is told");
    pair.advance(Duration::from_secs(60));
    pair.exchange();
    assert_eq!(pair.node.resident(), 0);
    // A new event of that key, raised in error and never sent, leaves no trace.
    handle(pair.node.raise(pair.now, flash(1)));
    assert_eq!(pair.node.cancel(pair.now, flash(1)), Submission::Cancelled);
}

#[test]
fn a_refused_all_clear_of_a_flash_event_counts_as_flash() {
    let mut pair = Pair::new();
    for _ in 0..SLOTS - 2 {
        handle(pair.node.raise(pair.now, AlertDraft::new(RocketLaunch::default())));
    }
    let low = AlertDraft { precedence_min: Precedence::Flash, ..priority(1) };
    handle(pair.node.raise(pair.now, low));
    let refused = pair.node.clear(pair.now, priority(1));
    assert!(matches!(refused, Submission::Refused { why: Refusal::Full, .. }), "{refused:?}");
    assert_eq!(pair.node.ledger().row(Row::Live(Precedence::Flash)).refused, 1);
    pair.exchange();
    let (_, heartbeat) = pair.gateway.peer(crate::pair::NODE).unwrap().heartbeat().unwrap();
    assert_eq!(heartbeat.flash_refused, 1);
}
