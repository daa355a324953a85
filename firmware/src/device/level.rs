//! An input pin that nothing is wired to: its level is what the program last said. A bench moves it, as a rig's relay
//! moves a real one.

use core::convert::Infallible;
use core::sync::atomic::{AtomicBool, Ordering};

use embedded_hal::digital::{ErrorType, InputPin};

/// The pin; the board has it in a `static`, for whoever moves it and for whoever looks.
#[derive(Debug)]
pub struct Level(AtomicBool);

impl Level {
    /// A pin at this level.
    pub(crate) const fn new(is_high: bool) -> Self {
        Self(AtomicBool::new(is_high))
    }

    pub(crate) fn set(&self, is_high: bool) {
        self.0.store(is_high, Ordering::Relaxed);
    }
}

impl ErrorType for &Level {
    type Error = Infallible;
}

impl InputPin for &Level {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(self.0.load(Ordering::Relaxed))
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        Ok(!self.0.load(Ordering::Relaxed))
    }
}
