//! How long `bus` masks interrupts: a debugger goes through it one instruction after the other.

use std::fs;
use std::path::Path;

use alertbus_tests::firmware::BOARDS;
use alertbus_tests::root;

use crate::budget::Row;
use crate::debugger::{Debugger, Register};
use crate::guest::Guest;
use crate::plug;
use crate::stack::Image;

/// `cpsid i` (ARMv7-M Architecture Reference Manual, B5.2.1).
const MASK: [u8; 2] = [0x72, 0xb6];

/// `cpsie i`, by which interrupts come in whatever was before.
const UNMASK: [u8; 2] = [0x62, 0xb6];

/// `msr primask` from any register (B5.2.3), the register's number aside: it restores what was before, which in that
/// program is that interrupts come in.
const RESTORE: [u8; 4] = [0x80, 0xf3, 0x10, 0x88];

/// Calls of each sort that are looked at: a few of each draft, some of which give way.
const CALLS: usize = 12;

/// More than any of the calls takes.
const INSTRUCTIONS_MAX: u32 = 10_000;

/// The longest row of instructions, in the program that counts them, in which interrupts are masked.
pub(crate) fn rows(image: &Path) -> Vec<Row> {
    let bytes = fs::read(image).unwrap();
    let functions = Image(object::File::parse(&*bytes).unwrap());
    let (listener, debugger) = Debugger::listen();
    let lines = ["-serial", "null", "-semihosting-config", "enable=on,target=native"].map(String::from);
    let arguments = [debugger, lines].concat();
    let guest = Guest::start(&BOARDS[0], image, root(), &arguments);
    let mut debugger = Debugger::new(plug::accept(&listener, &guest));
    debugger.stop();
    let mut row = |name: &str, function: &str| {
        let longest = (0..CALLS).map(|_| window(&mut debugger, functions.function(function))).max().unwrap();
        assert!(longest > 0, "{function} does not mask interrupts");
        (name.to_owned(), longest.into())
    };
    vec![row("bus-publish-masked", "bus_publish"), row("bus-poll-masked", "bus_poll")]
}

/// The longest row of masked instructions in the next call of `function`, that which masks not counted, that which
/// ends it counted.
fn window(debugger: &mut Debugger, function: u32) -> u32 {
    debugger.run_to(function);
    let back = debugger.register(Register::Link) & !1;
    let (mut masked, mut longest) = (None, 0);
    for _ in 0..INSTRUCTIONS_MAX {
        let at = debugger.register(Register::ProgramCounter);
        if at == back {
            assert!(masked.is_none(), "interrupts are masked for ever");
            return longest;
        }
        let instruction = debugger.read(at, 4);
        masked = masked.map(|count: u32| count + 1);
        let restores = instruction[0] & 0xf0 == RESTORE[0] && instruction[1..] == RESTORE[1..];
        if restores || instruction[..2] == UNMASK {
            longest = longest.max(masked.take().unwrap_or(0));
        } else if instruction[..2] == MASK {
            masked = masked.or(Some(0));
        }
        debugger.step();
    }
    panic!("more than {INSTRUCTIONS_MAX} instructions");
}
