//! What a gateway orders, how often, and in which order.

use alertbus::limits::COMMANDS_PER_PEER;
use alertbus::message::{CommandId, CommandResult, Epoch, Order};
use alertbus::place::SiteId;
use alertbus::role::gateway::{CommandEnd, CommandRefusal, GatewayEvent, Proof, Rejected};
use alertbus::time::{ClockQuality, Duration, EventTime};
use alertbus::{NodeId, Precedence};

use super::desk::{Desk, GATEWAY, Said, What};
use crate::pair::NODE;

const TEST: Order = Order::Test { duration_s: 5 };

fn warn(duration_s: u16) -> Order {
    Order::Warn { zone: SiteId(7), kind: 1, duration_s }
}

fn clear(ids: &[CommandId]) -> Order {
    Order::Clear(ids.iter().copied().collect())
}

fn ended(id: CommandId, why: CommandEnd) -> GatewayEvent {
    GatewayEvent::CommandEnded { node: NODE, id, why }
}

/// A gateway that may order.
fn desk() -> Desk {
    let mut desk = Desk::new();
    desk.meet();
    desk
}

/// Ids of all commands that go out until then, one second after the other.
fn orders_for(desk: &mut Desk, seconds: u32) -> Vec<CommandId> {
    let mut ids = Vec::new();
    for _ in 0..seconds {
        ids.extend(desk.say().iter().map(|said| said.command().id));
        desk.wait(Duration::from_secs(1));
    }
    ids
}

#[test]
fn a_command_goes_out_under_its_own_counter_and_again_under_others_until_it_is_answered() {
    let mut desk = desk();
    let id = desk.order(warn(600));
    let first = desk.say();
    assert_eq!((first.len(), first[0].counter, first[0].precedence), (1, id.counter, Precedence::Flash));
    assert_eq!((first[0].command().id, first[0].command().echo), (id, desk.counter));
    assert_eq!(id.counter >> 24, u32::from(GATEWAY));
    let mut counters = vec![id.counter];
    for _ in 0..60 {
        desk.wait(Duration::from_secs(1));
        for said in desk.say() {
            assert_eq!((said.command().id, &said.command().order), (id, &warn(600)));
            counters.push(said.counter);
        }
    }
    assert!((5..=12).contains(&counters.len()), "{} in a minute", counters.len());
    assert!(counters.is_sorted_by(|a, b| a < b), "each has a counter of its own");
    let acted = desk.acted(id, CommandResult::Done);
    assert_eq!(desk.hand(&acted), GatewayEvent::Acted { node: NODE, id, result: CommandResult::Done });
    assert_eq!(orders_for(&mut desk, 600), []);
    assert_eq!(desk.events(), []);
    // The answer comes twice.
    let acted = desk.acted(id, CommandResult::Done);
    let why = Rejected::UnknownCommand(id);
    assert_eq!(desk.hand(&acted), GatewayEvent::Rejected { node: Some(NODE), why });
    assert_eq!(desk.gateway.peer(NODE).unwrap().counts().unknown_acted, 1);
}

#[test]
fn a_command_ends_with_its_sense() {
    for (order, seconds) in [(warn(90), 90), (TEST, 600), (Order::Locate { duration_s: 9 }, 600)] {
        let mut desk = desk();
        let id = desk.order(order.clone());
        assert!(!orders_for(&mut desk, seconds - 1).is_empty());
        assert_eq!(desk.events(), [], "{order:?}");
        desk.wait(Duration::from_secs(1));
        assert_eq!(desk.events(), [ended(id, CommandEnd::Expired)], "{order:?}");
        assert_eq!(orders_for(&mut desk, 300), []);
    }
    for order in [clear(&[CommandId { epoch_low: 1, counter: 1 }]), Order::NextEpoch(Epoch(2))] {
        let mut desk = desk();
        desk.order(order);
        desk.wait(Duration::from_secs(40 * 86_400));
        assert_eq!(desk.say().len(), 1, "never");
    }
    let mut desk = desk();
    let noon = EventTime::new(1_578_445_200_000, ClockQuality::Second);
    let id = desk.order(Order::Time(noon));
    assert_eq!(orders_for(&mut desk, 599), [id], "by the second try it would be wrong");
}

#[test]
fn what_expired_while_nobody_was_awake_is_not_sent() {
    let mut desk = desk();
    let id = desk.order(warn(30));
    desk.now = desk.now.after(Duration::from_secs(30));
    assert_eq!(desk.say(), []);
    assert_eq!(desk.events(), [ended(id, CommandEnd::Expired)]);
}

#[test]
fn a_report_makes_what_waits_due_at_once() {
    let mut desk = desk();
    let id = desk.order(warn(3_000));
    orders_for(&mut desk, 300);
    desk.wait(Duration::from_secs(1));
    desk.say();
    let echo = desk.counter;
    assert_eq!(desk.report_now(), Proof::Alive);
    let said = desk.say();
    assert!(matches!(&said[..], [said] if said.command().id == id && said.command().echo > echo), "{said:?}");
}

#[test]
fn flash_goes_first_and_of_equals_acknowledgements_and_commands_take_turns() {
    let mut desk = desk();
    let (onset, drone) = (desk.onset(), desk.drone());
    desk.order(TEST);
    for seq in 1..=9 {
        let packet = desk.alert(seq, &drone);
        desk.store(&packet);
    }
    let warnings = [desk.order(warn(60)), desk.order(warn(60))];
    let mut flash_seqs = Vec::new();
    for seq in 1..=7 {
        let packet = desk.alert(seq, &onset);
        desk.store(&packet);
        flash_seqs.push(seq);
    }
    let said = desk.say();
    let precedences: Vec<Precedence> = said.iter().map(|said| said.precedence).collect();
    assert!(precedences.is_sorted_by(|a, b| a >= b), "{precedences:?}");
    let shown: Vec<String> = said
        .iter()
        .map(|said| match &said.what {
            What::Ack(_) => format!("{:?}", said.seqs()),
            What::Command(command) => command.order.code().to_string(),
        })
        .collect();
    // 14 acknowledgements fit: the two oldest of the lower ones gave way, and their node will ask again.
    assert_eq!(shown, ["[1, 2, 3, 4, 5, 6, 7]", "1", "1", "[3, 4, 5, 6, 7, 8, 9]", "3"]);
    let ordered: Vec<CommandId> = [&said[1], &said[2]].map(|said| said.command().id).to_vec();
    assert_eq!(ordered, warnings);

    // With more than one packet of each they alternate.
    let mut desk = Desk::new();
    desk.meet();
    for _ in 0..3 {
        desk.order(warn(60));
    }
    for seq in 1..=14 {
        let packet = desk.alert(seq, &desk.onset());
        desk.store(&packet);
    }
    let acks: Vec<bool> = desk.say().iter().map(|said| matches!(said.what, What::Ack(_))).collect();
    assert!(
        acks == [true, false, true, false, false] || acks == [false, true, false, true, false],
        "{acks:?}"
    );
}

#[test]
fn an_acknowledgement_of_exercise_waits_for_everything_live() {
    let mut desk = desk();
    let onset = desk.onset();
    let mut body = [0; 35];
    let len = onset.content().body(alertbus::Seq::FIRST, &mut body);
    let exercise = desk.seal(alertbus::wire::packet::Class::Alert, Precedence::Flash, true, &body[..len]);
    desk.store(&exercise);
    desk.order(TEST);
    desk.heard = 0;
    assert_eq!(desk.report_now(), Proof::Unproven);
    let exercises: Vec<bool> = desk.say().iter().map(|said| said.exercise).collect();
    assert_eq!(exercises, [false, true]);
}

#[test]
fn a_warning_displaces_the_least_and_is_refused_only_for_its_like() {
    let mut desk = desk();
    let routine: Vec<CommandId> = (0..COMMANDS_PER_PEER).map(|_| desk.order(TEST)).collect();
    let refused = desk.gateway.command(desk.now, NODE, TEST);
    assert_eq!(refused, Err(CommandRefusal::Full));
    for &displaced in &routine {
        desk.order(warn(60));
        assert_eq!(desk.events(), [ended(displaced, CommandEnd::Displaced)]);
    }
    let warnings: Vec<CommandId> = desk.gateway.peer(NODE).unwrap().commands().collect();
    assert_eq!(desk.gateway.command(desk.now, NODE, warn(60)), Err(CommandRefusal::Full));
    // An all-clear for some of them makes its own room.
    desk.order(clear(&warnings[..2]));
    let left: Vec<CommandId> = desk.gateway.peer(NODE).unwrap().commands().collect();
    assert_eq!(left[..6], warnings[2..]);
    assert_eq!(left.len(), 7);
}

#[test]
fn events_that_nobody_polls_stop_commands_and_lose_nothing() {
    let mut desk = desk();
    let mut all = Vec::new();
    for _ in 0..COMMANDS_PER_PEER {
        all.push(desk.order(TEST));
    }
    for _ in 0..COMMANDS_PER_PEER {
        all.push(desk.order(warn(10)));
    }
    // Eight displaced, eight expired, and nobody listens.
    desk.wait(Duration::from_secs(60));
    assert_eq!(desk.say(), []);
    assert_eq!(desk.gateway.command(desk.now, NODE, warn(60)), Err(CommandRefusal::Full));
    let mut told = Vec::new();
    for _ in 0..3 {
        told.extend(desk.events());
        desk.gateway.handle_timeout(desk.now);
    }
    let reasons = [CommandEnd::Displaced, CommandEnd::Expired];
    let expected: Vec<_> = all.iter().enumerate().map(|(k, &id)| ended(id, reasons[k / 8])).collect();
    assert_eq!(told, expected);
}

#[test]
fn a_cleared_warning_is_never_sent_again() {
    let mut desk = desk();
    let warnings = [desk.order(warn(600)), desk.order(warn(600)), desk.order(warn(600))];
    // One has been sent, two have not.
    assert_eq!(desk.say_one().map(|said| said.command().id), Some(warnings[0]));
    let all_clear = desk.order(clear(&warnings[..2]));
    let sent = orders_for(&mut desk, 700);
    assert!(sent.iter().all(|&id| id == all_clear || id == warnings[2]), "{sent:?}");
    assert!(sent.iter().filter(|&&id| id == all_clear).count() > 10, "and is itself repeated");
    assert_eq!(desk.events(), [ended(warnings[2], CommandEnd::Expired)]);
}

#[test]
fn names_outlive_an_epoch_and_counters_do_not() {
    let mut desk = desk();
    let moving = desk.order(Order::NextEpoch(Epoch(2)));
    let id = desk.order(warn(6_000));
    // Neither is sent before the node moves on.
    (desk.epoch, desk.counter, desk.heard, desk.granted) = (2, 0, 0, 0);
    assert_eq!(desk.report_now(), Proof::Unproven);
    let said = desk.say();
    let counters: Vec<u32> = said.iter().map(|said| said.counter & 0xff_ffff).collect();
    assert_eq!(counters, [1, 2], "of the new epoch");
    let ids: Vec<CommandId> = said.iter().map(|said| said.command().id).collect();
    assert_eq!((ids, id.epoch_low), (vec![id, moving], 1));
    let acted = desk.acted(moving, CommandResult::Done);
    assert!(matches!(desk.hand(&acted), GatewayEvent::Acted { .. }));
}

#[test]
fn what_cannot_be_ordered_is_refused() {
    let mut desk = Desk::new();
    let order = |desk: &mut Desk, node, order| desk.gateway.command(desk.now, node, order);
    assert_eq!(order(&mut desk, NodeId(99), TEST), Err(CommandRefusal::UnknownNode));
    assert_eq!(order(&mut desk, NODE, TEST), Err(CommandRefusal::NoCounters));
    desk.meet();
    let refused = CommandRefusal::NotNextEpoch { expected: Some(Epoch(2)), got: Epoch(3) };
    assert_eq!(order(&mut desk, NODE, Order::NextEpoch(Epoch(3))), Err(refused));
    let unknown = Order::Unknown { code: 99 };
    assert_eq!(order(&mut desk, NODE, unknown), Err(CommandRefusal::UnknownOrder { code: 99 }));
    desk.heard += 1_000;
    assert_eq!(desk.report_now(), Proof::Unproven);
    assert_eq!(order(&mut desk, NODE, TEST), Err(CommandRefusal::Restored));
}

#[test]
fn a_command_that_waited_too_long_gets_a_counter_that_the_node_still_takes() {
    let mut desk = desk();
    let id = desk.order(Order::Time(EventTime::new(1_578_445_200_000, ClockQuality::Second)));
    // Flash goes first, for more packets than a node's window holds.
    let onset = desk.onset();
    for seq in 1..=70 {
        let packet = desk.alert(seq, &onset);
        desk.store(&packet);
        assert!(matches!(desk.say_one(), Some(Said { what: What::Ack(_), .. })));
    }
    let said = desk.say();
    assert_eq!(said.len(), 1);
    assert!(said[0].command().id == id && said[0].counter >= id.counter + 70);
}
