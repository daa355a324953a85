//! A relay between its two lines, the first to a gateway and the second to nodes: a plain loop that interrupts keep
//! turning, as a node's.
//!
//! It holds no keys, and is provisioned with 16 random bytes at the start of its flash.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::message::ResetCause;
use cortex_m_rt::entry;

use alertbus_firmware::board::{self, Board};
use alertbus_firmware::fault;
use alertbus_firmware::line::FrameBuffer;
use alertbus_firmware::relay::{RelayStation, Seed, SeedError};

#[entry]
fn main() -> ! {
    // Not on the stack, so that this has more of it.
    static mut STATION: MaybeUninit<RelayStation> = MaybeUninit::uninit();
    // The runtime comes here once in each start, and nobody else starts the board.
    let Some(board) = board::start() else { fault::reset(ResetCause::Fault) };
    let flash = board::flash().ok_or(SeedError::Flash);
    match flash.and_then(|mut flash| Seed::read(&mut flash)) {
        Ok(seed) => run(&board, start(STATION, seed)),
        Err(why) => refuse(&board, why),
    }
}

/// Apart from `main`, so that what it takes of the stack is free again when the loop begins.
#[inline(never)]
fn start(place: &mut MaybeUninit<RelayStation>, seed: Seed) -> &mut RelayStation {
    place.write(RelayStation::new(seed))
}

fn run(board: &Board, relay: &mut RelayStation) -> ! {
    let (uplink, downlink) = (board.uplink, board.bench);
    let mut room: FrameBuffer = [0; FRAME_LEN_MAX + 1];
    loop {
        let now = board::now();
        for byte in uplink.received() {
            relay.handle_uplink(now, byte);
        }
        for byte in downlink.received() {
            relay.handle_downlink(now, byte);
        }
        // Where a line is slow frames wait in the relay, where the urgent ones go first, and not in front of it.
        while uplink.room() > FRAME_LEN_MAX {
            let Some(frame) = relay.poll_uplink(now, &mut room) else { break };
            let _ = uplink.send(frame);
        }
        while downlink.room() > FRAME_LEN_MAX {
            let Some(frame) = relay.poll_downlink(now, &mut room) else { break };
            let _ = downlink.send(frame);
        }
        board::wait();
    }
}

/// A board that is no relay says so, and forwards nothing. One that cannot even read its flash tries again.
fn refuse(board: &Board, why: SeedError) -> ! {
    board::tell(&["relay: ", why.advice()]);
    loop {
        board.uplink.received().chain(board.bench.received()).for_each(drop);
        if why == SeedError::Flash {
            fault::try_again(board::now());
        }
        board::wait();
    }
}
