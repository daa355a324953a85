//! A contact on a pin raises an alert of its node, each at its own time, and of what it does while the loop is away: what
//! a real board does with its button, on a pin and a flash that are made up.

#![no_std]
#![no_main]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use core::cell::RefCell;
use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use alertbus::AlertDraft;
use alertbus::driver::contact::{Contact, ContactConfig};
use alertbus::message::kind::RocketLaunch;
use alertbus::message::{Epoch, NodeId, ResetCause};
use alertbus::provision::Blob;
use alertbus::time::{Duration, Instant};
use alertbus::wire::keys::MasterKey;
use cortex_m_rt::entry;
use cortex_m_semihosting::{debug, hprintln};
use embassy_executor::Executor;
use embassy_futures::select::select;
use embassy_time::Timer;
use embedded_hal::digital::{ErrorType, InputPin};
use embedded_hal_async::digital::Wait;
use embedded_storage::nor_flash::{self, NorFlash, NorFlashErrorKind, ReadNorFlash};

use alertbus_firmware::node::{Provisioned, SensorNode};
use alertbus_firmware::senses::{Looks, Senses, Watched};
use alertbus_firmware::{board, fault};

const PAGE_LEN: usize = 4096;
const FLASH_LEN: usize = 5 * PAGE_LEN;

/// The level of the pin: its detector pulls it low.
static IS_HIGH: AtomicBool = AtomicBool::new(true);

/// Looks at it while the loop is away.
static LOOKS: Looks = Looks::new(Duration::from_millis(20));

#[entry]
fn main() -> ! {
    static mut EXECUTOR: MaybeUninit<Executor> = MaybeUninit::uninit();
    static FLASH: Memory = Memory(critical_section::Mutex::new(RefCell::new([0xff; FLASH_LEN])));
    if board::parts().is_none() {
        fault::reset(ResetCause::Unknown)
    }
    EXECUTOR.write(Executor::new()).run(|spawner| {
        spawner.spawn(watch(&FLASH).unwrap());
        spawner.spawn(press().unwrap());
        spawner.spawn(release().unwrap());
    })
}

/// Presses the button, four times.
#[embassy_executor::task]
async fn press() {
    // The first is too short, the third too soon behind the second.
    let presses = [(1_000, 1_005), (2_000, 2_200), (2_700, 2_800), (4_000, 4_100)];
    for (at_ms, is_high) in presses.into_iter().flat_map(|(from, to)| [(from, false), (to, true)]) {
        Timer::at(embassy_time::Instant::from_millis(at_ms)).await;
        IS_HIGH.store(is_high, Ordering::Relaxed);
    }
}

/// The node's loop, as far as it is of its senses.
#[embassy_executor::task]
async fn watch(flash: &'static Memory) {
    let mut node = provisioned(flash);
    let detector = ContactConfig::launch_detector(AlertDraft::new(RocketLaunch::default()));
    let detector = ContactConfig { hold: Duration::from_secs(1), ..detector };
    let contact = Contact::new(Pin, detector).unwrap();
    let mut contact = Watched { contact, lookout: &LOOKS };
    let mut told = 0;
    let mut erases = ERASES.into_iter().peekable();
    while board::now() < Instant::from_millis(20_000) {
        if let Some(erase) = erases.next_if(|erase| board::now() >= Instant::from_millis(erase.at_ms)) {
            if let Some(before) = erase.before {
                IS_HIGH.store(false, Ordering::Relaxed);
                contact.look(board::now(), &mut node);
                pass(before, |_| {});
            }
            erase.play();
        }
        let now = board::now();
        node.step(now);
        contact.look(now, &mut node);
        if node.waiting() != told {
            told = node.waiting();
            hprintln!("{} ms: {} waiting", now.as_millis(), told);
        }
        let patience = now.after(Duration::from_millis(100));
        let next = contact.due().into_iter().chain(node.due()).fold(patience, Instant::min);
        select(contact.changed(), Timer::at(embassy_time::Instant::from_millis(next.as_millis()))).await;
        board::feed();
    }
    debug::exit(debug::EXIT_SUCCESS);
}

/// An erase of 100 ms, in which the loop is away, and the button meanwhile.
struct Erase {
    at_ms: u64,
    /// It is pressed before, and the loop looks; so long before.
    before: Option<u32>,
    /// Whether it is pressed in this millisecond of it.
    pressed: fn(u32) -> bool,
    /// It is pressed for so long behind it.
    after_ms: u32,
}

const fn erase(at_ms: u64, before: Option<u32>, pressed: fn(u32) -> bool, after_ms: u32) -> Erase {
    Erase { at_ms, before, pressed, after_ms }
}

const ERASES: [Erase; 8] = [
    // Too short, long enough, and much too short.
    erase(6_000, None, |ms| (40..55).contains(&ms), 0),
    erase(7_500, None, |ms| (40..70).contains(&ms), 0),
    erase(9_000, None, |ms| (0..3).contains(&ms), 0),
    // Long enough with what is behind it, or before.
    erase(10_500, None, |ms| (85..100).contains(&ms), 200),
    erase(13_000, Some(12), |ms| (0..13).contains(&ms), 0),
    erase(15_500, None, |ms| (85..100).contains(&ms), 10),
    // A spike at its begin, and one at its end.
    erase(18_000, Some(0), |ms| (98..100).contains(&ms), 1),
    // Never for more than nine milliseconds.
    erase(19_000, None, |ms| ms % 10 != 0, 0),
];

impl Erase {
    /// The pin is looked at each millisecond, and nobody else comes to that.
    fn play(&self) {
        let pressed_ms = (0..100).filter(|ms| (self.pressed)(*ms)).count();
        hprintln!("{} ms: an erase, with {} ms of a closed contact", board::now().as_millis(), pressed_ms);
        pass(100, |at_ms| {
            IS_HIGH.store(!(self.pressed)(at_ms), Ordering::Relaxed);
            LOOKS.look(board::now(), !IS_HIGH.load(Ordering::Relaxed));
        });
        RELEASE_MS.store(self.after_ms, Ordering::Relaxed);
        IS_HIGH.store(self.after_ms == 0, Ordering::Relaxed);
    }
}

/// Has the loop away for so long, and does this all the time.
fn pass(ms: u32, mut act: impl FnMut(u32)) {
    let begun = board::now();
    let passed = || Some(board::now().since(begun).as_millis()).filter(|&passed_ms| passed_ms < ms);
    while let Some(passed_ms) = passed() {
        act(passed_ms);
        board::feed();
    }
}

/// How long the button is to be pressed on, behind an erase.
static RELEASE_MS: AtomicU32 = AtomicU32::new(0);

/// Lets it go then.
#[embassy_executor::task]
async fn release() {
    loop {
        Timer::after_millis(1).await;
        let left = RELEASE_MS.load(Ordering::Relaxed);
        if left > 0 {
            RELEASE_MS.store(left - 1, Ordering::Relaxed);
            IS_HIGH.store(left == 1, Ordering::Relaxed);
        }
    }
}

fn provisioned(mut flash: &'static Memory) -> SensorNode<&'static Memory> {
    let node = NodeId(12);
    let key = MasterKey::from_bytes([7; 16]).node_key(7, node);
    let blob = Blob { network: 7, node, key, epoch: Epoch(1), flash_seq: 1, other_seq: 1 };
    let blob = blob.encode().unwrap();
    flash.write(0, blob.expose()).unwrap();
    let provisioned = Provisioned::read(flash, board::STORE).unwrap();
    SensorNode::new(provisioned, ResetCause::PowerOn)
}

/// A pin that is looked at once a millisecond by whoever waits for it.
struct Pin;

impl ErrorType for Pin {
    type Error = Infallible;
}

impl InputPin for Pin {
    fn is_high(&mut self) -> Result<bool, Infallible> {
        Ok(IS_HIGH.load(Ordering::Relaxed))
    }

    fn is_low(&mut self) -> Result<bool, Infallible> {
        self.is_high().map(|high| !high)
    }
}

impl Wait for Pin {
    async fn wait_for_high(&mut self) -> Result<(), Infallible> {
        while !self.is_high()? {
            Timer::after_millis(1).await;
        }
        Ok(())
    }

    async fn wait_for_low(&mut self) -> Result<(), Infallible> {
        while self.is_high()? {
            Timer::after_millis(1).await;
        }
        Ok(())
    }

    async fn wait_for_rising_edge(&mut self) -> Result<(), Infallible> {
        self.wait_for_low().await?;
        self.wait_for_high().await
    }

    async fn wait_for_falling_edge(&mut self) -> Result<(), Infallible> {
        self.wait_for_high().await?;
        self.wait_for_low().await
    }

    async fn wait_for_any_edge(&mut self) -> Result<(), Infallible> {
        if self.is_high()? { self.wait_for_low().await } else { self.wait_for_high().await }
    }
}

/// A flash in memory.
struct Memory(critical_section::Mutex<RefCell<[u8; FLASH_LEN]>>);

impl nor_flash::ErrorType for &Memory {
    type Error = NorFlashErrorKind;
}

impl ReadNorFlash for &Memory {
    const READ_SIZE: usize = 1;

    fn read(&mut self, offset: u32, into: &mut [u8]) -> Result<(), NorFlashErrorKind> {
        nor_flash::check_read(self, offset, into.len())?;
        let from = offset as usize;
        critical_section::with(|masked| {
            into.copy_from_slice(&self.0.borrow_ref(masked)[from..from + into.len()]);
        });
        Ok(())
    }

    fn capacity(&self) -> usize {
        FLASH_LEN
    }
}

impl NorFlash for &Memory {
    const WRITE_SIZE: usize = 4;
    const ERASE_SIZE: usize = PAGE_LEN;

    fn erase(&mut self, from: u32, to: u32) -> Result<(), NorFlashErrorKind> {
        nor_flash::check_erase(self, from, to)?;
        critical_section::with(|masked| {
            self.0.borrow_ref_mut(masked)[from as usize..to as usize].fill(0xff);
        });
        Ok(())
    }

    fn write(&mut self, offset: u32, bytes: &[u8]) -> Result<(), NorFlashErrorKind> {
        nor_flash::check_write(self, offset, bytes.len())?;
        critical_section::with(|masked| {
            let mut memory = self.0.borrow_ref_mut(masked);
            for (place, byte) in memory[offset as usize..].iter_mut().zip(bytes) {
                *place &= byte;
            }
        });
        Ok(())
    }
}
