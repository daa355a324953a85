//! A sensor node whose main loop waits for several things at once: the same node as in `node`, on embassy.
//!
//! It waits for a byte, for something to see, for room on the line, and for the moment at which the node, a detector or
//! the lamp is due; whichever comes first turns the loop. So a line that takes nothing holds up nothing else.
//!
//! | the lamp | says |
//! | --- | --- |
//! | is lit | the node works, and all that it saw is stored at a gateway |
//! | flashes once a second | an alert waits for a gateway that stores it |
//! | flashes once in three seconds | the node sends nothing: it is not provisioned, or its flash or its counters are lost |

#![no_std]
#![no_main]

use core::future::pending;
use core::mem::MaybeUninit;
use core::ops::Range;

use alertbus::driver::annunciator::{Pattern, Step};
use alertbus::limits::FRAME_LEN_MAX;
use alertbus::message::ResetCause;
use alertbus::time::{Duration, Instant};
use cortex_m_rt::entry;
use embassy_executor::Executor;
use embassy_futures::select::{Either4, select, select4};
use embassy_time::Timer;
use embedded_io_async::{Read, Write};

use alertbus_firmware::board::{self, Parts};
use alertbus_firmware::fault;
use alertbus_firmware::node::{Provisioned, SensorNode};
use alertbus_firmware::provisioned::StartError;
use alertbus_firmware::senses::Senses;

/// All is well.
const WORKING: Pattern = Pattern::new(&[Step { percent: 100, lasts: Duration::from_millis(0) }]).unwrap();

/// The loop turns at least so often, for the watchdog's sake.
const PATIENCE: Duration = Duration::from_millis(500);

/// About as long as a frame takes at 115,200 baud: not every driver of a line wakes whoever waits for room on it.
const FRAME_LASTS: Duration = Duration::from_millis(5);

/// Bytes that are taken from the line at once.
const CHUNK_LEN: usize = 64;

#[entry]
fn main() -> ! {
    // Not on the stack, which is shorter than these.
    static mut NODE: MaybeUninit<SensorNode<board::Flash>> = MaybeUninit::uninit();
    static mut EXECUTOR: MaybeUninit<Executor> = MaybeUninit::uninit();
    // The runtime comes here once in each start, and nobody else starts the board.
    let Some(mut parts) = board::parts() else { fault::reset(ResetCause::Fault) };
    let node = start(NODE, &mut parts);
    EXECUTOR.write(Executor::new()).run(|spawner| {
        let task = match node {
            Ok(node) => run(parts, node).map(|task| spawner.spawn(task)),
            Err(why) => refuse(parts, why).map(|task| spawner.spawn(task)),
        };
        // There is room for each task once, and each is there once.
        if task.is_err() {
            fault::reset(ResetCause::Fault);
        }
    })
}

/// Apart from `main`, so that what it takes of the stack is free again when the loop begins.
#[inline(never)]
fn start<'n>(
    place: &'n mut MaybeUninit<SensorNode<board::Flash>>,
    parts: &mut Parts,
) -> Result<&'n mut SensorNode<board::Flash>, StartError> {
    let flash = parts.flash.take().ok_or(StartError::Flash)?;
    let provisioned = Provisioned::read(flash, board::STORE)?;
    Ok(place.write(SensorNode::new(provisioned, parts.reset_cause)))
}

#[embassy_executor::task]
async fn run(mut parts: Parts, node: &'static mut SensorNode<board::Flash>) {
    let mut is_silence_told = false;
    let mut outgoing = Outgoing { frame: [0; FRAME_LEN_MAX + 1], rest: 0..0 };
    let mut chunk = [0; CHUNK_LEN];
    loop {
        let now = board::now();
        node.step(now);
        if let Some(why) = node.silence().filter(|_| !is_silence_told) {
            board::tell(&["node: ", why]);
            is_silence_told = true;
        }
        parts.watchdog.feed();
        outgoing.refill(now, node);
        let pattern = match node.waiting() {
            _ if !node.is_running() => Pattern::FAULT,
            0 => WORKING,
            _ => Pattern::BEACON,
        };
        // A lamp that fails lets no alert wait.
        let _ = parts.lamp.play(now, pattern);
        let dues = [node.due(), parts.senses.due(), parts.lamp.poll_timeout()];
        let patience = if outgoing.rest.is_empty() { PATIENCE } else { FRAME_LASTS };
        let next = dues.into_iter().flatten().fold(now.after(patience), Instant::min);
        // In full, because a board's receiver may have a method of this name beside the trait's.
        let read = Read::read(&mut parts.receiver, &mut chunk);
        let came = select4(read, parts.senses.changed(), outgoing.send(&mut parts.sender), at(next)).await;
        let now = board::now();
        match came {
            Either4::First(Ok(len)) => chunk.iter().take(len).for_each(|byte| node.handle_uplink(now, *byte)),
            Either4::Third(sent) => outgoing.note_sent(sent),
            // Bytes that a line has lost are missed by the check of their frame.
            Either4::First(Err(_)) | Either4::Second(()) | Either4::Fourth(()) => {}
        }
        parts.senses.look(now, node);
    }
}

/// A frame on its way to the line.
struct Outgoing {
    frame: [u8; FRAME_LEN_MAX + 1],
    /// What of it the line has not taken yet.
    rest: Range<usize>,
}

impl Outgoing {
    /// Takes the node's next frame, where the last one is gone.
    fn refill(&mut self, now: Instant, node: &mut SensorNode<board::Flash>) {
        if self.rest.is_empty() {
            let mut frame = [0; FRAME_LEN_MAX + 1];
            let bytes = node.poll_transmit(now, &mut frame).unwrap_or_default();
            self.frame.iter_mut().zip(bytes).for_each(|(place, byte)| *place = *byte);
            self.rest = 0..bytes.len();
        }
    }

    /// Waits until the line has taken something, and says how much; for ever where there is nothing to send. What is
    /// dropped while it waits was not sent.
    async fn send<W: Write>(&self, line: &mut W) -> Result<usize, W::Error> {
        match self.frame.get(self.rest.clone()) {
            Some(bytes) if !bytes.is_empty() => line.write(bytes).await,
            _ => pending().await,
        }
    }

    /// A line that fails is like one that is cut: the node sends again.
    fn note_sent<E>(&mut self, sent: Result<usize, E>) {
        match sent {
            Ok(len @ 1..) => self.rest.start = self.rest.start.saturating_add(len),
            Ok(0) | Err(_) => self.rest = 0..0,
        }
    }
}

/// A board that is no node says so, and nothing else. One that cannot even read its flash tries again.
#[embassy_executor::task]
async fn refuse(mut parts: Parts, why: StartError) {
    board::tell(&["node: ", why.advice()]);
    let mut chunk = [0; CHUNK_LEN];
    loop {
        let now = board::now();
        parts.watchdog.feed();
        if why == StartError::Flash {
            fault::try_again(now);
        }
        let _ = parts.lamp.play(now, Pattern::FAULT);
        let next = parts.lamp.poll_timeout().into_iter().fold(now.after(PATIENCE), Instant::min);
        let _ = select(Read::read(&mut parts.receiver, &mut chunk), at(next)).await;
    }
}

/// That moment: not before the millisecond has begun on any clock.
fn at(moment: Instant) -> Timer {
    let tick = embassy_time::Duration::from_ticks(1);
    Timer::at(embassy_time::Instant::from_millis(moment.as_millis()) + tick)
}
