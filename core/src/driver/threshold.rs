//! A sensor that measures: an event begins at a high value and is over at a lower one.
//!
//! A value counts once it was measured several times in a row, and an error breaks the row. The bus is used when a
//! sample is due, and never in between.

use core::fmt;

use embedded_hal::i2c::I2c;
use embedded_hal::spi::{Operation, SpiDevice};

use super::{Detection, Detector, Misconfigured};
use crate::message::AlertDraft;
use crate::time::{Duration, Instant};

/// What measures, one value at a time.
pub trait Sensor {
    /// What goes wrong on its bus.
    type Error;

    /// Measures once, in the sensor's own unit.
    ///
    /// # Errors
    /// The bus failed, or the sensor did not answer.
    fn measure(&mut self) -> Result<i32, Self::Error>;
}

/// What values mean.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct ThresholdConfig {
    /// An event begins at this value or above, in the sensor's unit.
    pub onset: i32,
    /// It is over at this value or below; it lies below `onset`.
    pub over: i32,
    /// Samples in a row that say so; at least 1.
    pub samples: u8,
    /// Time between two samples.
    pub every: Duration,
    /// Whether the end is told too. Then the draft needs a key.
    pub clears: bool,
    /// What is said of the event.
    pub draft: AlertDraft,
}

/// A detector on a sensor.
///
/// ```
/// # struct Microphone;
/// # impl Sensor for Microphone {
/// #     type Error = core::convert::Infallible;
/// #     fn measure(&mut self) -> Result<i32, Self::Error> { Ok(130) }
/// # }
/// # let microphone = Microphone;
/// use alertbus::AlertDraft;
/// use alertbus::driver::threshold::{Sensor, Threshold, ThresholdConfig};
/// use alertbus::driver::{Detection, Detector};
/// use alertbus::message::kind::RocketLaunch;
/// use alertbus::time::{Duration, Instant};
///
/// let config = ThresholdConfig {
///     onset: 120,
///     over: 90,
///     samples: 2,
///     every: Duration::from_millis(10),
///     clears: false,
///     draft: AlertDraft::new(RocketLaunch::default()),
/// };
/// let mut detector = Threshold::new(microphone, config)?;
/// assert_eq!(detector.poll(Instant::START), Ok(None));
/// assert_eq!(detector.poll_timeout(), Some(Instant::from_millis(10)));
/// assert_eq!(detector.poll(Instant::from_millis(10)), Ok(Some(Detection::Onset(config.draft))));
/// # Ok::<(), alertbus::driver::Misconfigured>(())
/// ```
pub struct Threshold<S> {
    sensor: S,
    config: ThresholdConfig,
    due: Instant,
    is_open: bool,
    /// Samples in a row that say that this is to change.
    row: u8,
}

impl<S> Threshold<S> {
    /// Takes the sensor, and does not ask it yet.
    ///
    /// # Errors
    /// `over` does not lie below `onset`, no sample is to be taken, or it clears and its draft has no key.
    pub fn new(sensor: S, config: ThresholdConfig) -> Result<Self, Misconfigured> {
        let ThresholdConfig { onset, over, samples, every, clears, draft } = config;
        if over >= onset {
            return Err(Misconfigured::NoHysteresis { onset, over });
        }
        if samples == 0 || every == Duration::ZERO {
            return Err(Misconfigured::NoSamples);
        }
        if clears && draft.key.is_none() {
            return Err(Misconfigured::ClearsWithoutKey);
        }
        Ok(Self { sensor, config, due: Instant::START, is_open: false, row: 0 })
    }

    /// Whether an event is open.
    #[must_use]
    pub const fn is_open(&self) -> bool {
        self.is_open
    }

    /// Gives the sensor back.
    pub fn release(self) -> S {
        self.sensor
    }
}

impl<S: Sensor> Detector for Threshold<S> {
    type Error = S::Error;

    fn poll(&mut self, now: Instant) -> Result<Option<Detection>, S::Error> {
        if now < self.due {
            return Ok(None);
        }
        let in_step = self.due.after(self.config.every);
        self.due = if in_step > now { in_step } else { now.after(self.config.every) };
        let value = self.sensor.measure().inspect_err(|_| self.row = 0)?;
        let changes = if self.is_open { value <= self.config.over } else { value >= self.config.onset };
        self.row = if changes { self.row.saturating_add(1) } else { 0 };
        if self.row < self.config.samples {
            return Ok(None);
        }
        self.row = 0;
        self.is_open = !self.is_open;
        Ok(if self.is_open {
            Some(Detection::Onset(self.config.draft))
        } else {
            self.config.clears.then_some(Detection::Over(self.config.draft))
        })
    }

    fn poll_timeout(&self) -> Option<Instant> {
        Some(self.due)
    }
}

/// How a sensor lays out its value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub enum Layout {
    /// One byte, 0 … 255.
    U8,
    /// Two bytes, high one first, two's complement.
    I16Be,
    /// Two bytes, low one first, two's complement.
    I16Le,
    /// Two bytes, high one first, 0 … 65,535.
    U16Be,
    /// Two bytes, low one first, 0 … 65,535.
    U16Le,
}

impl Layout {
    /// Reads the value into `bytes`, as many of them as it has.
    fn read<E>(self, read: impl FnOnce(&mut [u8]) -> Result<(), E>) -> Result<i32, E> {
        let mut byte = [0];
        let mut word = [0; 2];
        match self {
            Self::U8 => read(&mut byte),
            Self::I16Be | Self::I16Le | Self::U16Be | Self::U16Le => read(&mut word),
        }?;
        Ok(match self {
            Self::U8 => u8::from_be_bytes(byte).into(),
            Self::I16Be => i16::from_be_bytes(word).into(),
            Self::I16Le => i16::from_le_bytes(word).into(),
            Self::U16Be => u16::from_be_bytes(word).into(),
            Self::U16Le => u16::from_le_bytes(word).into(),
        })
    }
}

/// A register of a sensor on an I2C bus: its number is written, and its value read after a repeated start.
#[derive(Clone, Copy, Debug)]
pub struct I2cRegister<I2C> {
    /// The bus.
    pub i2c: I2C,
    /// The sensor's address, seven bits.
    pub address: u8,
    /// Which register.
    pub register: u8,
    /// How its value is laid out.
    pub layout: Layout,
}

impl<I2C: I2c> Sensor for I2cRegister<I2C> {
    type Error = I2C::Error;

    fn measure(&mut self) -> Result<i32, I2C::Error> {
        let Self { i2c, address, register, layout } = self;
        layout.read(|value| i2c.write_read(*address, &[*register], value))
    }
}

/// A register of a sensor on an SPI bus: its command is written and its value read in one transaction.
#[derive(Clone, Copy, Debug)]
pub struct SpiRegister<SPI> {
    /// The sensor, with its chip select.
    pub spi: SPI,
    /// The byte that asks for the register; many sensors want its top bit set for reading.
    pub command: u8,
    /// How its value is laid out.
    pub layout: Layout,
}

impl<SPI: SpiDevice> Sensor for SpiRegister<SPI> {
    type Error = SPI::Error;

    fn measure(&mut self) -> Result<i32, SPI::Error> {
        let Self { spi, command, layout } = self;
        layout.read(|value| spi.transaction(&mut [Operation::Write(&[*command]), Operation::Read(value)]))
    }
}

impl<S> fmt::Debug for Threshold<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = if self.is_open { "open" } else { "idle" };
        write!(f, "Threshold({}, {state})", self.config.draft.body.name())
    }
}

#[cfg(feature = "defmt")]
impl<S> defmt::Format for Threshold<S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        let state = if self.is_open { "open" } else { "idle" };
        defmt::write!(f, "threshold for {}, {=str}", self.config.draft.body, state);
    }
}

#[cfg(feature = "defmt")]
impl<I2C> defmt::Format for I2cRegister<I2C> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "I2C {=u8:#04x} register {=u8:#04x}", self.address, self.register);
    }
}

#[cfg(feature = "defmt")]
impl<SPI> defmt::Format for SpiRegister<SPI> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "SPI command {=u8:#04x}", self.command);
    }
}
