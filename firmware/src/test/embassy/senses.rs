//! A contact on a pin raises an alert of its node, each at its own time, and of what it does while the loop is away: what
//! a real board does with its button, on a pin and a flash that are made up.

#![no_std]
#![no_main]
#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use core::cell::RefCell;
use core::convert::Infallible;
use core::mem::MaybeUninit;
use core::ops::Range;
use core::sync::atomic::{AtomicBool, Ordering};

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
use alertbus_firmware::senses::{Holding, Senses, Watched};
use alertbus_firmware::{board, fault};

const PAGE_LEN: usize = 4096;
const FLASH_LEN: usize = 5 * PAGE_LEN;

/// The level of the pin: its detector pulls it low.
static IS_HIGH: AtomicBool = AtomicBool::new(true);

/// Looks at it while the loop is away.
static HOLDING: Holding = Holding::new(Duration::from_millis(20));

#[entry]
fn main() -> ! {
    static mut EXECUTOR: MaybeUninit<Executor> = MaybeUninit::uninit();
    static FLASH: Memory = Memory(critical_section::Mutex::new(RefCell::new([0xff; FLASH_LEN])));
    if board::parts().is_none() {
        fault::reset(ResetCause::Unknown)
    }
    EXECUTOR.write(Executor::new()).run(|spawner| {
        for task in [watch(&FLASH).map(|task| spawner.spawn(task)), press().map(|task| spawner.spawn(task))] {
            assert!(task.is_ok());
        }
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
    let mut contact = Watched { contact, take_held: || HOLDING.take() };
    let mut told = 0;
    let mut erases = ERASES.into_iter().peekable();
    while board::now() < Instant::from_millis(12_500) {
        if let Some((_, closed)) = erases.next_if(|(at_ms, _)| board::now() >= Instant::from_millis(*at_ms)) {
            erase(closed);
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

/// When the loop is away for 100 ms, and in which of them the button is pressed. The last is still pressed behind it.
const ERASES: [(u64, Range<u32>); 4] = [(6_000, 40..55), (7_500, 40..70), (9_000, 0..3), (10_500, 85..100)];

/// The pin is looked at each millisecond, and nobody else comes to that.
fn erase(closed: Range<u32>) {
    let begun = board::now();
    hprintln!("{} ms: an erase, with {} ms of a closed contact", begun.as_millis(), closed.clone().count());
    while board::now() < begun.after(Duration::from_millis(100)) {
        let now = board::now();
        IS_HIGH.store(!closed.contains(&now.since(begun).as_millis()), Ordering::Relaxed);
        HOLDING.look(now, !IS_HIGH.load(Ordering::Relaxed));
        board::feed();
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
