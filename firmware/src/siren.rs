//! A siren on a board: everything but its main loop.
//!
//! A loop hands over what comes in on the line, calls [`SirenStation::step`] at each turn, and sends what
//! [`SirenStation::poll_transmit`] gives it. The horn plays what the role says. The lamp is for the technician: it
//! blinks twice for [`Order::Locate`](alertbus::message::Order::Locate), and seldom where no gateway is heard.

use core::fmt;

use alertbus::driver::annunciator::{Annunciator, Output, Pattern};
use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::{NodeId, ResetCause};
use alertbus::provision::Blob;
use alertbus::role::siren::{Siren, SirenConfig, SirenEvent};
use alertbus::store::{Birth, Layout, SirenStore};
use alertbus::time::Instant;
use alertbus::wire::frame::{Deframer, Fed, StreamDeframer};
use alertbus::wire::link::Link;
use embedded_storage::nor_flash::NorFlash;

use crate::line::{FrameBuffer, Framer};
use crate::provisioned::{self, StartError};

/// A siren on flash `F`, with one line to its gateway, horn `H` and lamp `L`.
pub struct SirenStation<F, H, L> {
    siren: Siren<SirenStore<F>>,
    link: Link,
    uplink: StreamDeframer,
    framer: Framer,
    horn: Annunciator<H>,
    lamp: Annunciator<L>,
    /// The lamp shows where it is until then.
    locate_until: Instant,
}

impl<F: NorFlash, H: Output, L: Output> SirenStation<F, H, L> {
    /// Starts the siren that the blob on `flash` names, with its store at `store`.
    ///
    /// # Errors
    /// It is no siren; nothing was written then.
    pub fn start(
        mut flash: F,
        store: Layout,
        reset_cause: ResetCause,
        (horn, lamp): (H, L),
        now: Instant,
    ) -> Result<Self, StartError> {
        let blob = provisioned::read_blob(&mut flash, &store)?;
        let Blob { network: _, node, key, epoch, flash_seq, other_seq } = blob;
        let birth = Birth { epoch, flash_seq, other_seq };
        let store = SirenStore::new(flash, store, birth).map_err(StartError::Layout)?;
        log!(info, "siren {=u16} starts: {}", node.0, reset_cause);
        let config = SirenConfig { node, key, reset_cause, exercise: false };
        Ok(Self {
            siren: Siren::start(config, store, now),
            link: Link::stream(0),
            uplink: Deframer::new(),
            framer: Framer::new(),
            horn: Annunciator::new(horn),
            lamp: Annunciator::new(lamp),
            locate_until: Instant::START,
        })
    }

    /// Its address.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.siren.id()
    }

    /// Why it will never send anything, in words for a person; none where it does.
    #[must_use]
    pub const fn silence(&self) -> Option<&'static str> {
        match self.siren.silent() {
            None => None,
            Some(why) => Some(provisioned::silence(why)),
        }
    }

    /// Takes a byte from the uplink. What it orders sounds before this returns.
    pub fn handle_uplink(&mut self, now: Instant, byte: u8) {
        match self.uplink.feed(byte) {
            Some(Fed::Packet(packet)) => {
                if let Err(_why) = self.siren.handle_packet(now, &self.link, packet) {
                    log!(warn, "packet rejected: {}", _why);
                }
                self.play(now);
            }
            Some(Fed::Noise(_noise)) => log!(debug, "noise on the uplink: {}", _noise),
            None => {}
        }
    }

    /// Does what has become due, goes on with what sounds, and tells the log what happened.
    pub fn step(&mut self, now: Instant) {
        if self.siren.poll_timeout().is_some_and(|due| due <= now) {
            self.siren.handle_timeout(now);
        }
        while let Some(event) = self.siren.poll_event() {
            log!(info, "{}", event);
            if let SirenEvent::Locate { duration } = event {
                self.locate_until = now.after(duration);
            }
        }
        self.play(now);
    }

    /// The next frame for the gateway, written to `room`, if there is one to send.
    pub fn poll_transmit<'f>(&mut self, now: Instant, room: &'f mut FrameBuffer) -> Option<&'f [u8]> {
        let mut packet = [0; PACKET_LEN_MAX];
        let packet = self.siren.poll_transmit(now, &self.link, &mut packet)?;
        self.framer.frame(packet, room)
    }

    /// Has horn and lamp do what they should now. One that fails is tried again, and counted each time.
    fn play(&mut self, now: Instant) {
        let lamp = if now < self.locate_until {
            Pattern::LOCATE
        } else if self.siren.is_gateway_silent() || self.siren.silent().is_some() {
            Pattern::FAULT
        } else {
            Pattern::QUIET
        };
        if self.horn.play(now, self.siren.sound().into()).is_err() {
            self.siren.note_driver_error();
        }
        if self.lamp.play(now, lamp).is_err() {
            self.siren.note_driver_error();
        }
    }
}

impl<F, H, L> fmt::Debug for SirenStation<F, H, L> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SirenStation").field("siren", &self.siren).finish_non_exhaustive()
    }
}
