//! The log, where there is one.

#[cfg(all(feature = "defmt", not(feature = "qemu")))]
use defmt_rtt as _;
#[cfg(all(feature = "defmt", feature = "qemu"))]
use defmt_semihosting as _;

#[cfg(feature = "defmt")]
defmt::timestamp!("{=u64:ms}", crate::board::now().as_millis());

/// Says something to the log at a level of `defmt`; without that feature nothing is said, and nothing kept of it.
macro_rules! log {
    ($level:ident, $($said:tt)*) => {{
        #[cfg(feature = "defmt")]
        defmt::$level!($($said)*);
    }};
}
