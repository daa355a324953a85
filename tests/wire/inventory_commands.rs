//! Inputs of the golden vectors of commands and of the reports that answer them.

use crate::hex::Hex;
use crate::inventory::{Inventory, given};
use crate::spec_body::{CLOCK, RESULT};
use crate::vector::{ActedFields, CommandFields, CommandIdFields, Given, Message, OrderFields};

/// The first down counter of gateway 3, less one.
const GATEWAY_3: u32 = 0x0300_0000;

/// Every order, live and in an exercise, and every field at its edges.
pub(crate) fn commands(inventory: &mut Inventory) {
    for (name, order) in orders() {
        for (purpose, exercise) in [("", false), (", exercise", true)] {
            // Sent first on a stream, and once more by radio: under its own counter, and the id of the first time.
            let id = id(next_number(inventory));
            for (tag, tag_len) in [(", long tag", 16), ("", 8)] {
                let message = Message::Command(CommandFields { echo: 1_000, id, order: order.clone() });
                let given = Given { exercise, tag_len, message, ..given() };
                push(inventory, &format!("{name}{purpose}{tag}"), given);
            }
        }
    }
    for (name, echo, id, order) in edges() {
        let message = Message::Command(CommandFields { echo, id, order });
        push(inventory, &name, Given { message, ..given() });
    }
}

/// Every result, always live, as reports are.
pub(crate) fn answers(inventory: &mut Inventory) {
    let report = |id, result: &str| Given {
        class: "report".into(),
        precedence: "routine".into(),
        message: Message::Acted(ActedFields { id, result: result.into() }),
        ..given()
    };
    for result in RESULT.iter().chain(&["unknown"]) {
        inventory.both(&format!("acted: {result}"), report(WARN, result));
    }
    for (name, id) in [("zeros", ZEROS), ("ones", ONES), ("an earlier epoch", EARLIER)] {
        inventory.push(&format!("acted, id of {name}"), report(id, "done"));
    }
}

/// What the first of all commands here is called.
const WARN: CommandIdFields = id(1_284);
const ZEROS: CommandIdFields = CommandIdFields { epoch_low: 0, counter: 0 };
const ONES: CommandIdFields = CommandIdFields { epoch_low: u8::MAX, counter: u32::MAX };
const EARLIER: CommandIdFields = CommandIdFields { epoch_low: 4, counter: 0x0102_0304 };

/// The command that gateway 3 sent first under this number, in the epoch of all vectors that do not name another.
const fn id(number: u32) -> CommandIdFields {
    CommandIdFields { epoch_low: 5, counter: GATEWAY_3 + number }
}

/// What no other vector has as the lower 24 bits of its counter.
fn next_number(inventory: &Inventory) -> u32 {
    u32::try_from(1_000 + inventory.vectors.len()).unwrap()
}

fn push(inventory: &mut Inventory, name: &str, given: Given) {
    let counter = GATEWAY_3 + next_number(inventory);
    inventory.push(&format!("command: {name}"), Given { class: "command".into(), counter, ..given });
}

fn orders() -> Vec<(String, OrderFields)> {
    use OrderFields::{Clear, Locate, NextEpoch, Test, Time, Unknown, Warn};
    let time = Time { clock: "second".into(), time_ms: 1_578_445_200_123 };
    let mut orders = vec![
        ("warn".to_string(), Warn { zone: 259, kind: 2, duration_s: 300 }),
        ("test".into(), Test { duration_s: 10 }),
        ("time".into(), time),
        ("next-epoch".into(), NextEpoch { epoch: 6 }),
        ("locate".into(), Locate { duration_s: 30 }),
        ("order 200 without fields".into(), Unknown { code: 200, fields: Hex(Vec::new()) }),
        ("order 200 with 3 bytes".into(), Unknown { code: 200, fields: Hex(vec![1, 2, 3]) }),
    ];
    for count in 0..=3 {
        let ids = [id(17), id(18), EARLIER].into_iter().take(count).collect();
        orders.push((format!("clear of {count}"), Clear { ids }));
    }
    orders
}

fn edges() -> Vec<(String, u32, CommandIdFields, OrderFields)> {
    use OrderFields::{Clear, Locate, NextEpoch, Test, Time, Unknown, Warn};
    let time = |clock: &str, time_ms| Time { clock: clock.into(), time_ms };
    let mut edges = vec![
        ("warn of zeros".to_string(), 0, ZEROS, Warn { zone: 0, kind: 0, duration_s: 0 }),
        ("warn of ones".into(), u32::MAX, ONES, Warn { zone: u16::MAX, kind: u8::MAX, duration_s: u16::MAX }),
        ("clear of zeros".into(), 0, ZEROS, Clear { ids: vec![ZEROS; 3] }),
        ("clear of ones".into(), u32::MAX, ONES, Clear { ids: vec![ONES; 3] }),
        ("time of zeros".into(), 0, ZEROS, time("uptime", 0)),
        ("time of ones".into(), u32::MAX, ONES, time("millisecond", (1 << 42) - 1)),
        ("order 0".into(), 0, ZEROS, Unknown { code: 0, fields: Hex(Vec::new()) }),
        ("order 255, longest body".into(), 1, ONES, Unknown { code: 255, fields: Hex(vec![0xff; 25]) }),
    ];
    for clock in CLOCK {
        edges.push((format!("time, {clock}"), 0x0102_0304, EARLIER, time(clock, 0x0102_0304_0506)));
    }
    for epoch in [0, 0x0102_0304, u32::MAX] {
        edges.push((format!("next-epoch {epoch}"), 1, id(1), NextEpoch { epoch }));
    }
    for duration_s in [0, u8::MAX] {
        edges.push((format!("test of {duration_s} s"), 1, id(1), Test { duration_s }));
        edges.push((format!("locate for {duration_s} s"), 1, id(1), Locate { duration_s }));
    }
    edges
}
