//! What the programs below `src/test/` have in common: they print over semihosting, and end QEMU with an exit code.

use core::panic::PanicInfo;

use cortex_m_semihosting::{debug, hprintln};

/// Runs `test` and ends QEMU.
pub fn run(test: impl FnOnce()) -> ! {
    test();
    end(debug::EXIT_SUCCESS)
}

/// A FNV-1a of everything that is fed: two programs that did the same agree in it.
#[derive(Clone, Copy, Debug)]
pub struct Fingerprint(u64);

impl Fingerprint {
    /// Of nothing.
    #[must_use]
    pub const fn new() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }

    /// Goes on over `bytes`.
    pub fn feed(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0000_0100_0000_01b3);
        }
    }

    /// What it has come to.
    #[must_use]
    pub const fn value(self) -> u64 {
        self.0
    }
}

impl Default for Fingerprint {
    fn default() -> Self {
        Self::new()
    }
}

/// Numbers that look like chance and are the same in every run (SplitMix64, Steele and others 2014).
#[derive(Clone, Copy, Debug)]
pub struct Draws(pub u64);

impl Draws {
    /// One of `0..below`; 0 where there is none.
    pub fn below(&mut self, below: u32) -> u32 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        let [high, ..] = [(mixed ^ (mixed >> 31)) >> 32];
        let wide = high.wrapping_mul(u64::from(below)) >> 32;
        u32::try_from(wide).unwrap_or(0)
    }
}

#[panic_handler]
fn panic(info: &PanicInfo<'_>) -> ! {
    hprintln!("{}", info);
    end(debug::EXIT_FAILURE)
}

fn end(status: debug::ExitStatus) -> ! {
    debug::exit(status);
    loop {
        // A debugger may let the program go on; there is nothing left for it.
        cortex_m::asm::wfi();
    }
}
