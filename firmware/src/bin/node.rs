//! A sensor node whose detections come from pins and from a bench: a plain loop that interrupts keep turning.
//!
//! What the lines have brought, what was seen, what has become due, what there is to send; then it waits for an
//! interrupt. Each turn is bounded: by the rings of the lines, and by what the node has to send. The pins are an
//! interrupt's, the one below all others, so that a loop that is away writing to flash misses no edge.

#![no_std]
#![no_main]

use core::mem::MaybeUninit;

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::message::ResetCause;
use cortex_m_rt::{entry, exception};

use alertbus_firmware::board::{self, Board, InputPin};
use alertbus_firmware::fault;
use alertbus_firmware::node::{Asked, Provisioned, SensorNode};
use alertbus_firmware::provisioned::StartError;
use alertbus_firmware::watch::Watch;

#[entry]
fn main() -> ! {
    // Not on the stack, which is shorter than this.
    static mut NODE: MaybeUninit<SensorNode<board::Flash>> = MaybeUninit::uninit();
    // The runtime comes here once in each start, and nobody else starts the board.
    let Some(board) = board::start() else { fault::reset(ResetCause::Fault) };
    board::watch_pins();
    match start(NODE, &board) {
        Ok(node) => run(&board, node),
        Err(why) => refuse(&board, why),
    }
}

/// Looks at the pins: at an edge, and each millisecond.
#[exception]
fn PendSV() {
    static mut WATCH: Option<Watch<InputPin>> = None;
    if WATCH.is_none() {
        *WATCH = Watch::new(board::input_pins()).ok();
    }
    if let Some(watch) = WATCH {
        watch.look(board::now());
    }
}

/// Apart from `main`, so that what it takes of the stack is free again when the loop begins.
#[inline(never)]
fn start<'n>(
    place: &'n mut MaybeUninit<SensorNode<board::Flash>>,
    board: &Board,
) -> Result<&'n mut SensorNode<board::Flash>, StartError> {
    let flash = board::flash().ok_or(StartError::Flash)?;
    let provisioned = Provisioned::read(flash, board::STORE)?;
    Ok(place.write(SensorNode::new(provisioned, board.reset_cause)))
}

fn run(board: &Board, node: &mut SensorNode<board::Flash>) -> ! {
    // It is up before it is told anything.
    node.step(board::now());
    let mut is_silence_told = false;
    let mut frame = [0; FRAME_LEN_MAX + 1];
    loop {
        let now = board::now();
        for byte in board.uplink.received() {
            node.handle_uplink(now, byte);
        }
        for byte in board.bench.received() {
            match node.handle_bench(now, byte) {
                Some(Asked::PowerCut { after_operations }) => board::cut_power_after(after_operations),
                Some(Asked::Pin { pin, high }) if board::set_input(pin, high) => {}
                Some(Asked::Pin { pin, .. }) => node.note_no_pin(pin, board::input_pins().len()),
                Some(_) => node.note_driver_error(),
                None => {}
            }
        }
        node.step(now);
        if let Some(why) = node.silence().filter(|_| !is_silence_told) {
            board::tell(&["node: ", why]);
            is_silence_told = true;
        }
        while board.uplink.room() > FRAME_LEN_MAX {
            let Some(frame) = node.poll_transmit(now, &mut frame) else { break };
            // There is room for the longest, and nobody else sends.
            let _ = board.uplink.send(frame);
        }
        board::wait();
    }
}

/// A board that is no node says so, and nothing else. One that cannot even read its flash tries again.
fn refuse(board: &Board, why: StartError) -> ! {
    board::tell(&["node: ", why.advice()]);
    loop {
        board.uplink.received().chain(board.bench.received()).for_each(drop);
        if why == StartError::Flash {
            fault::try_again(board::now());
        }
        board::wait();
    }
}
