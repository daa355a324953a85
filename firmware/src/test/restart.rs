//! Every way in which a program can fail ends in a reset, and the next start knows why.

#![no_std]
#![no_main]

use core::hint::black_box;
use core::mem::MaybeUninit;

use alertbus::message::ResetCause;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};

use alertbus_firmware::{board, fault};

#[entry]
fn main() -> ! {
    board::guard_stack();
    let start = fault::take().unwrap_or(0);
    hprintln!("start {}: {}", start, fault::take_cause(ResetCause::PowerOn).name());
    fault::keep(start.wrapping_add(1));
    match start {
        0 => {
            hprintln!("  it resets itself");
            fault::reset(ResetCause::Software)
        }
        1 => {
            hprintln!("  a panic");
            panic!("on purpose")
        }
        2 => {
            hprintln!("  an instruction that there is not");
            cortex_m::asm::udf()
        }
        3 => {
            hprintln!("  an exception that nobody expects");
            cortex_m::peripheral::SCB::set_pendsv();
            cortex_m::asm::isb();
        }
        4 => {
            hprintln!("  a stack that overflows");
            black_box(descend(black_box(1)));
        }
        5 => {
            hprintln!("  one byte below the stack");
            reach(7);
        }
        _ => {
            hprintln!("  done");
            debug::exit(debug::EXIT_SUCCESS);
        }
    }
    hprintln!("  it went on");
    debug::exit(debug::EXIT_FAILURE);
    fault::reset(ResetCause::Unknown)
}

/// Has a variable that is longer than any stack here, and changes the lowest byte of it alone: nothing else would tell.
#[inline(never)]
fn reach(byte: u8) {
    let mut long = [const { MaybeUninit::<u8>::uninit() }; 40_000];
    black_box(&mut long);
    long[0].write(byte);
    black_box(&mut long);
}

/// Goes down for ever, and uses on the way back what it had, so that no compiler makes a loop of it.
#[inline(never)]
fn descend(depth: u32) -> u32 {
    let kept = black_box([depth; 16]);
    if depth == 0 {
        return 0;
    }
    kept.iter().fold(descend(black_box(depth.wrapping_add(1))), |sum, word| sum.wrapping_add(*word))
}
