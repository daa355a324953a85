//! A threshold asks its sensor when a sample is due, and concludes from several in a row.

use embedded_hal::i2c::{ErrorKind, NoAcknowledgeSource};
use embedded_hal::spi::{self, Operation, SpiDevice};
use embedded_hal_mock::eh1::{i2c, spi as mock_spi};

use alertbus::AlertDraft;
use alertbus::driver::threshold::{I2cRegister, Layout, Sensor, SpiRegister, Threshold, ThresholdConfig};
use alertbus::driver::{Detection, Detector, Misconfigured};
use alertbus::time::Duration;

use crate::{draft, ms};

const ADDRESS: u8 = 0x48;
const REGISTER: u8 = 0x05;

/// Onset at 100, over at 80, three samples ten milliseconds apart.
fn config() -> ThresholdConfig {
    ThresholdConfig {
        onset: 100,
        over: 80,
        samples: 3,
        every: Duration::from_millis(10),
        clears: true,
        draft: draft(),
    }
}

fn nack() -> ErrorKind {
    ErrorKind::NoAcknowledge(NoAcknowledgeSource::Address)
}

/// What the sensor answers at each tenth millisecond, and what is concluded.
fn check(config: ThresholdConfig, samples: &[(Option<u8>, Option<Detection>)]) {
    let calls: Vec<i2c::Transaction> = samples
        .iter()
        .map(|(value, _)| {
            let read = |value| i2c::Transaction::write_read(ADDRESS, vec![REGISTER], vec![value]);
            value.map_or_else(|| read(0).with_error(nack()), read)
        })
        .collect();
    let mut bus = i2c::Mock::new(&calls);
    let sensor = I2cRegister { i2c: bus.clone(), address: ADDRESS, register: REGISTER, layout: Layout::U8 };
    let mut detector = Threshold::new(sensor, config).unwrap();
    for (at, (value, detection)) in (0..).step_by(10).zip(samples) {
        assert_eq!(detector.poll_timeout(), Some(ms(at)));
        let answer = if value.is_some() { Ok(*detection) } else { Err(nack()) };
        assert_eq!(detector.poll(ms(at)), answer, "at {at} ms");
        // Not due: the mock has no call left over for these.
        assert_eq!(detector.poll(ms(at)), Ok(None));
        assert_eq!(detector.poll(ms(at + 9)), Ok(None));
    }
    bus.done();
}

fn onset() -> Option<Detection> {
    Some(Detection::Onset(draft()))
}

fn over() -> Option<Detection> {
    Some(Detection::Over(draft()))
}

#[test]
fn samples_in_a_row_begin_it_and_end_it() {
    let seen = [100, 101, 99, 100, 255, 100, 81, 80, 80, 81, 80, 0, 80, 99, 100];
    let mut samples: Vec<_> = seen.map(|value| (Some(value), None)).to_vec();
    samples[5].1 = onset();
    samples[12].1 = over();
    check(config(), &samples);
}

#[test]
fn an_error_breaks_the_row() {
    // In the first sample, in the middle of a row, and while an event is open.
    let seen = [None, Some(100), Some(100), None, Some(100), Some(100), Some(100)];
    let mut samples: Vec<_> = seen.map(|value| (value, None)).to_vec();
    samples[6].1 = onset();
    samples.extend([Some(80), Some(80), None, Some(80), Some(80), Some(80)].map(|value| (value, None)));
    samples[12].1 = over();
    check(config(), &samples);
}

#[test]
fn the_end_is_told_only_where_it_clears() {
    let config = ThresholdConfig { samples: 1, clears: false, ..config() };
    check(config, &[(Some(100), onset()), (Some(80), None), (Some(100), onset())]);
}

#[test]
fn a_late_look_takes_one_sample_and_keeps_its_distance() {
    let read = |value| i2c::Transaction::write_read(ADDRESS, vec![REGISTER], vec![value]);
    let mut bus = i2c::Mock::new(&[read(1), read(2), read(3)]);
    let sensor = I2cRegister { i2c: bus.clone(), address: ADDRESS, register: REGISTER, layout: Layout::U8 };
    let mut detector = Threshold::new(sensor, config()).unwrap();
    assert_eq!(detector.poll(ms(3)), Ok(None));
    // In step with the samples before, not with the look.
    assert_eq!(detector.poll_timeout(), Some(ms(10)));
    assert_eq!(detector.poll(ms(57)), Ok(None));
    assert_eq!(detector.poll_timeout(), Some(ms(67)));
    assert_eq!(detector.poll(ms(67)), Ok(None));
    bus.done();
}

#[test]
fn what_cannot_work_is_refused() {
    let new = |config| Threshold::new((), config).err();
    assert_eq!(
        new(ThresholdConfig { over: 100, ..config() }),
        Some(Misconfigured::NoHysteresis { onset: 100, over: 100 })
    );
    assert_eq!(new(ThresholdConfig { over: 99, ..config() }), None);
    assert_eq!(new(ThresholdConfig { samples: 0, ..config() }), Some(Misconfigured::NoSamples));
    assert_eq!(new(ThresholdConfig { every: Duration::ZERO, ..config() }), Some(Misconfigured::NoSamples));
    let unnamed = AlertDraft { key: None, ..draft() };
    assert_eq!(new(ThresholdConfig { draft: unnamed, ..config() }), Some(Misconfigured::ClearsWithoutKey));
    assert_eq!(new(ThresholdConfig { draft: unnamed, clears: false, ..config() }), None);
}

const LAYOUTS: [(Layout, &[u8], i32); 8] = [
    (Layout::U8, &[0xfe], 254),
    (Layout::I16Be, &[0xff, 0xfe], -2),
    (Layout::I16Be, &[0x01, 0x02], 0x0102),
    (Layout::I16Le, &[0xfe, 0xff], -2),
    (Layout::I16Le, &[0x01, 0x02], 0x0201),
    (Layout::U16Be, &[0xff, 0xfe], 0xfffe),
    (Layout::U16Le, &[0xfe, 0xff], 0xfffe),
    (Layout::U16Le, &[0x01, 0x02], 0x0201),
];

#[test]
fn every_layout_over_i2c() {
    for (layout, bytes, value) in LAYOUTS {
        let mut bus = i2c::Mock::new(&[
            i2c::Transaction::write_read(ADDRESS, vec![REGISTER], bytes.to_vec()),
            i2c::Transaction::write_read(ADDRESS, vec![REGISTER], bytes.to_vec()).with_error(nack()),
        ]);
        let mut sensor = I2cRegister { i2c: bus.clone(), address: ADDRESS, register: REGISTER, layout };
        assert_eq!(sensor.measure(), Ok(value), "{layout:?} {bytes:x?}");
        assert_eq!(sensor.measure(), Err(nack()));
        bus.done();
    }
}

#[test]
fn every_layout_over_spi() {
    for (layout, bytes, value) in LAYOUTS {
        let mut bus = mock_spi::Mock::new(&[
            mock_spi::Transaction::transaction_start(),
            mock_spi::Transaction::write(0x85),
            mock_spi::Transaction::read_vec(bytes.to_vec()),
            mock_spi::Transaction::transaction_end(),
        ]);
        let mut sensor = SpiRegister { spi: bus.clone(), command: 0x85, layout };
        assert_eq!(sensor.measure(), Ok(value), "{layout:?} {bytes:x?}");
        bus.done();
    }
}

/// The mocked SPI bus cannot fail; this one does as often as told, and then answers 200.
struct Flaky {
    failures: u8,
}

impl spi::ErrorType for Flaky {
    type Error = spi::ErrorKind;
}

impl SpiDevice for Flaky {
    fn transaction(&mut self, operations: &mut [Operation<'_, u8>]) -> Result<(), spi::ErrorKind> {
        if self.failures > 0 {
            self.failures -= 1;
            return Err(spi::ErrorKind::ModeFault);
        }
        let [Operation::Write([0x85]), Operation::Read(value)] = operations else { panic!("{operations:?}") };
        value.fill(200);
        Ok(())
    }
}

#[test]
fn an_spi_error_breaks_the_row() {
    let sensor = SpiRegister { spi: Flaky { failures: 0 }, command: 0x85, layout: Layout::U8 };
    let mut detector = Threshold::new(sensor, config()).unwrap();
    assert_eq!(detector.poll(ms(0)), Ok(None));
    assert_eq!(detector.poll(ms(10)), Ok(None));
    let mut sensor = detector.release();
    sensor.spi.failures = 1;
    assert_eq!(sensor.measure(), Err(spi::ErrorKind::ModeFault));

    sensor.spi.failures = 2;
    let mut detector = Threshold::new(sensor, config()).unwrap();
    assert_eq!(detector.poll(ms(0)), Err(spi::ErrorKind::ModeFault));
    assert_eq!(detector.poll(ms(10)), Err(spi::ErrorKind::ModeFault));
    assert_eq!(detector.poll(ms(20)), Ok(None));
    assert_eq!(detector.poll(ms(30)), Ok(None));
    assert_eq!(detector.poll(ms(40)), Ok(onset()));
    assert!(detector.is_open());
}
