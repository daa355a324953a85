//! Milliseconds since the start, counted by SysTick.

use core::cell::Cell;
use core::sync::atomic::{AtomicBool, Ordering};

use alertbus::time::Instant;
use cortex_m::peripheral::syst::SystClkSource;
use cortex_m::peripheral::{SCB, SYST};
use cortex_m_rt::exception;
use critical_section::Mutex;

/// They last for 584 million years.
static MILLIS: Mutex<Cell<u64>> = Mutex::new(Cell::new(0));

/// Whether `PendSV` follows each tick.
static IS_FOLLOWED: AtomicBool = AtomicBool::new(false);

/// Begins to count, where the core's clock has `per_ms` ticks in a millisecond.
pub(crate) fn start(timer: &mut SYST, per_ms: u32) {
    timer.set_clock_source(SystClkSource::Core);
    timer.set_reload(per_ms.saturating_sub(1));
    timer.clear_current();
    timer.enable_interrupt();
    timer.enable_counter();
}

/// Now. It never runs backwards.
pub(crate) fn now() -> Instant {
    Instant::from_millis(critical_section::with(|masked| MILLIS.borrow(masked).get()))
}

/// From now on `PendSV` follows each tick: the program has a handler for it.
pub(crate) fn follow() {
    IS_FOLLOWED.store(true, Ordering::Relaxed);
}

#[exception]
fn SysTick() {
    critical_section::with(|masked| {
        let millis = MILLIS.borrow(masked);
        millis.set(millis.get().wrapping_add(1));
        #[cfg(feature = "embassy")]
        super::alarm::ring(millis.get());
    });
    if IS_FOLLOWED.load(Ordering::Relaxed) {
        SCB::set_pendsv();
    }
}
