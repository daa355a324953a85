//! What happens when the program cannot go on.
//!
//! Every way out is a reset: a node that hangs warns nobody, and one that starts anew takes its open Flash alerts from
//! the journal within milliseconds. The cause is kept over the reset and goes home in the next report.
//!
//! | what | how it is noticed | cause in the report |
//! | --- | --- | --- |
//! | a panic | the panic handler | [`ResetCause::Fault`] |
//! | a fault of the processor | `HardFault`, to which all other faults go | [`ResetCause::Fault`] |
//! | a stack overflow | the stack lies below all variables, at the lower end of memory, and what lies below that is forbidden: the first word too many is a fault of the processor, and no variable is changed | [`ResetCause::Fault`] |
//! | an interrupt that nobody expects | the default handler | [`ResetCause::Fault`] |
//! | at the start the flash cannot be read | the station says so, waits for ten seconds, and starts again: it may have been the supply | [`ResetCause::Fault`] |
//! | the loop hangs, or interrupts starve it | the watchdog, which only the loop feeds | [`ResetCause::Watchdog`] |
//!
//! What was durable in the journal is sent again after the reset; nothing else is promised of it. Nothing is written to
//! flash on the way down: a program that is broken must not touch what it will be judged by.

use core::cell::UnsafeCell;
use core::mem::MaybeUninit;

use alertbus::message::ResetCause;
use alertbus::time::{Duration, Instant};
use cortex_m::peripheral::SCB;

/// How long a station waits whose flash cannot be read.
const UNREAD: Duration = Duration::from_secs(10);

/// Why the program started: what it kept when it started itself anew, once; else what the board's chip knows.
pub fn take_cause(of_chip: ResetCause) -> ResetCause {
    let cause = CAUSE.take().and_then(|word| u8::try_from(word).ok());
    cause.map_or(of_chip, ResetCause::from_bits)
}

/// Starts the program anew, and lets it know why.
pub fn reset(cause: ResetCause) -> ! {
    CAUSE.keep(u32::from(cause.bits()));
    SCB::sys_reset()
}

/// For a station whose flash cannot be read: starts the program anew once it has waited for long enough.
///
/// One that is not provisioned, or that has no room for its store, would be no other after a reset. It waits for a
/// person, and says what for.
pub fn try_again(now: Instant) {
    if now >= Instant::START.after(UNREAD) {
        reset(ResetCause::Fault);
    }
}

/// Keeps a word of the program's own over a reset; [`take`] gives it back.
pub fn keep(word: u32) {
    SPARE.keep(word);
}

/// What the program kept before the reset, once; none after the power was off.
pub fn take() -> Option<u32> {
    SPARE.take()
}

// SAFETY: the runtime's linker script gives the section memory, and neither loads nor clears it.
#[unsafe(link_section = ".uninit.cause")]
static CAUSE: Kept = Kept::new();
// SAFETY: as above.
#[unsafe(link_section = ".uninit.spare")]
static SPARE: Kept = Kept::new();

/// What a word is stored with, so that memory that was just switched on is not taken for one.
const CHECK: u32 = 0xa1e7_b005;

/// A word that a reset leaves alone, and its check.
struct Kept(UnsafeCell<MaybeUninit<[u32; 2]>>);

// SAFETY: there is one core, and every access is a read or a write of whole words: an interrupt in between can leave
// a word without its check, which counts as none.
unsafe impl Sync for Kept {}

impl Kept {
    const fn new() -> Self {
        Self(UnsafeCell::new(MaybeUninit::uninit()))
    }

    fn keep(&self, word: u32) {
        self.write([word, !word ^ CHECK]);
    }

    fn take(&self) -> Option<u32> {
        // SAFETY: the memory is there, aligned, and nobody has a reference to it; whatever it held at the start, the
        // read is volatile, so that it is some bits.
        let [word, check] = unsafe { self.0.get().cast::<[u32; 2]>().read_volatile() };
        self.write([0, 0]);
        (check == !word ^ CHECK).then_some(word)
    }

    fn write(&self, words: [u32; 2]) {
        // SAFETY: the memory is there, aligned, and nobody has a reference to it.
        unsafe { self.0.get().cast::<[u32; 2]>().write_volatile(words) }
    }
}

#[cfg(not(feature = "testing"))]
mod handlers {
    use core::arch::naked_asm;
    use core::panic::PanicInfo;

    use alertbus::message::ResetCause;
    use cortex_m_rt::exception;

    #[panic_handler]
    fn panic(_: &PanicInfo<'_>) -> ! {
        super::reset(ResetCause::Fault)
    }

    /// The stack may be what is broken, so it begins anew before anything is done with it.
    ///
    /// # Safety
    /// Only the processor calls it, and it does not return.
    // SAFETY: the runtime takes a handler of this name in the place of its own.
    #[unsafe(no_mangle)]
    #[unsafe(naked)]
    unsafe extern "C" fn HardFault() -> ! {
        naked_asm!("ldr r0, =_stack_start", "mov sp, r0", "bl {after}", after = sym after_fault)
    }

    extern "C" fn after_fault() -> ! {
        super::reset(ResetCause::Fault)
    }

    /// The first warning of the watchdog that QEMU plays; that of a real board resets at once.
    ///
    /// # Safety
    /// Only the processor calls it.
    #[cfg(feature = "qemu")]
    #[exception]
    unsafe fn NonMaskableInt() {
        super::reset(ResetCause::Watchdog)
    }

    /// An interrupt or exception that nobody expects.
    ///
    /// # Safety
    /// Only the processor calls it.
    #[exception]
    unsafe fn DefaultHandler(_: i16) {
        super::reset(ResetCause::Fault)
    }
}
