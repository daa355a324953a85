//! Instructions, counted by SysTick. Exact only in QEMU under `-icount shift=6`, where each takes 64 ns of the guest's
//! time: on a board with a clock of 25 MHz that is 1.6 ticks.

use core::hint::black_box;

use cortex_m::Peripherals;
use cortex_m::peripheral::SYST;
use cortex_m::peripheral::syst::SystClkSource;

/// The clock has 24 bits; nothing that is counted here takes 10 million instructions.
const RELOAD: u32 = 0x00ff_ffff;

/// Counts what a piece of code takes.
pub struct Counter {
    _timer: SYST,
    /// What counting itself takes, in ticks.
    idle_ticks: u32,
}

impl Counter {
    /// Takes the clock, which nobody else may use then. None a second time.
    #[must_use]
    pub fn take() -> Option<Self> {
        let mut timer = Peripherals::take()?.SYST;
        timer.set_clock_source(SystClkSource::Core);
        timer.set_reload(RELOAD);
        timer.clear_current();
        timer.enable_counter();
        let mut this = Self { _timer: timer, idle_ticks: 0 };
        // The first time through, code may be laid out that is there the second time.
        this.ticks(|| ());
        this.idle_ticks = this.ticks(|| ()).0;
        Some(this)
    }

    /// Instructions that `code` takes, with its call and return, and what it answers.
    pub fn count<T>(&mut self, code: impl FnOnce() -> T) -> (u32, T) {
        let (ticks, answer) = self.ticks(code);
        let ticks = ticks.saturating_sub(self.idle_ticks);
        // 1.6 ticks each, to the nearest.
        (ticks.saturating_mul(5).saturating_add(4) / 8, answer)
    }

    #[inline(never)]
    fn ticks<T>(&mut self, code: impl FnOnce() -> T) -> (u32, T) {
        let before = SYST::get_current();
        let answer = black_box(code());
        let after = SYST::get_current();
        // It counts down, and goes round.
        (before.wrapping_sub(after) & RELOAD, answer)
    }
}

impl core::fmt::Debug for Counter {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Counter").field("idle_ticks", &self.idle_ticks).finish_non_exhaustive()
    }
}
