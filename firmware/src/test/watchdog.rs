//! A loop that hangs is ended by the watchdog, and one that turns is not.

#![no_std]
#![no_main]

use core::hint::spin_loop;

use alertbus::message::ResetCause;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};

use alertbus_firmware::{board, fault};

#[entry]
fn main() -> ! {
    let Some(board) = board::start() else { fault::reset(ResetCause::Unknown) };
    hprintln!("start: {}", board.reset_cause.name());
    if board.reset_cause == ResetCause::PowerOn {
        // Longer than the watchdog has patience, and at work all the time.
        while board::now().as_millis() < 5_000 {
            board::wait();
        }
        hprintln!("  it turned for 5 s, and hangs now");
        loop {
            spin_loop();
        }
    }
    debug::exit(debug::EXIT_SUCCESS);
    fault::reset(ResetCause::Unknown)
}
