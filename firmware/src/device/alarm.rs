//! What `embassy-time` asks of a clock: the time, and to be woken at one. Both come from SysTick, once a millisecond.

use core::cell::RefCell;
use core::task::Waker;

use critical_section::Mutex;
use embassy_time_driver::{Driver, time_driver_impl};
use embassy_time_queue_utils::Queue;

use super::ticks;

time_driver_impl!(static ALARM: Alarm = Alarm { queue: Mutex::new(RefCell::new(Queue::new())) });

// The driver's ticks are the milliseconds of `ticks`.
const _: () = assert!(embassy_time_driver::TICK_HZ == 1_000, "the board's feature says so");

struct Alarm {
    queue: Mutex<RefCell<Queue>>,
}

/// Wakes whoever waited for this millisecond. SysTick calls it at each.
pub(super) fn ring(millis: u64) {
    critical_section::with(|masked| {
        // Asked at each millisecond, it need not remember which is the next.
        let _ = ALARM.queue.borrow_ref_mut(masked).next_expiration(millis);
    });
}

impl Driver for Alarm {
    fn now(&self) -> u64 {
        ticks::now().as_millis()
    }

    fn schedule_wake(&self, at: u64, waker: &Waker) {
        critical_section::with(|masked| {
            // One that is due already is woken by the next millisecond.
            let _ = self.queue.borrow_ref_mut(masked).schedule_wake(at, waker);
        });
    }
}
