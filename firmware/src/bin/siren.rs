//! A siren that a gateway commands: a plain loop that interrupts keep turning, as a node's.
//!
//! It takes no orders from the second line. What it plays goes to the board's horn; its lamp is for the technician.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use alertbus::driver::annunciator::{Annunciator, Pattern, Switch};
use alertbus::limits::FRAME_LEN_MAX;
use alertbus::message::ResetCause;
use cortex_m_rt::entry;

use alertbus_firmware::board::{self, Board, OutputPin};
use alertbus_firmware::fault;
use alertbus_firmware::line::FrameBuffer;
use alertbus_firmware::provisioned::StartError;
use alertbus_firmware::siren::SirenStation;

/// The siren on this board.
type Station = SirenStation<board::Flash, Switch<OutputPin>, Switch<OutputPin>>;

#[entry]
fn main() -> ! {
    // Not on the stack, so that this has more of it.
    static mut STATION: MaybeUninit<Station> = MaybeUninit::uninit();
    // The runtime comes here once in each start, and nobody else starts the board.
    let Some(board) = board::start() else { fault::reset(ResetCause::Fault) };
    match start(STATION, &board) {
        Ok(siren) => run(&board, siren),
        Err(why) => refuse(&board, why),
    }
}

/// Apart from `main`, so that what it takes of the stack is free again when the loop begins.
#[inline(never)]
fn start<'s>(place: &'s mut MaybeUninit<Station>, board: &Board) -> Result<&'s mut Station, StartError> {
    let flash = board::flash().ok_or(StartError::Flash)?;
    let outputs = (on(board.horn), on(board.lamp));
    let station = SirenStation::start(flash, board::STORE, board.reset_cause, outputs, board::now())?;
    Ok(place.write(station))
}

/// An output that a high level switches on.
const fn on(pin: OutputPin) -> Switch<OutputPin> {
    Switch { pin, active_high: true }
}

fn run(board: &Board, siren: &mut Station) -> ! {
    let mut is_silence_told = false;
    let mut room: FrameBuffer = [0; FRAME_LEN_MAX + 1];
    loop {
        let now = board::now();
        for byte in board.uplink.received() {
            siren.handle_uplink(now, byte);
        }
        siren.step(now);
        if let Some(why) = siren.silence().filter(|_| !is_silence_told) {
            board::tell(&["siren: ", why]);
            is_silence_told = true;
        }
        while board.uplink.room() > FRAME_LEN_MAX {
            let Some(frame) = siren.poll_transmit(now, &mut room) else { break };
            // There is room for the longest, and nobody else sends.
            let _ = board.uplink.send(frame);
        }
        board.bench.received().for_each(drop);
        board::wait();
    }
}

/// A board that is no siren says so, blinks, and does nothing else. One that cannot even read its flash tries again.
fn refuse(board: &Board, why: StartError) -> ! {
    board::tell(&["siren: ", why.advice()]);
    let mut lamp = Annunciator::new(on(board.lamp));
    loop {
        board.uplink.received().chain(board.bench.received()).for_each(drop);
        // Nobody would hear of it if the lamp failed too.
        let _ = lamp.play(board::now(), Pattern::FAULT);
        if why == StartError::Flash {
            fault::try_again(board::now());
        }
        board::wait();
    }
}
