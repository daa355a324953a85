//! A siren: warns when an authentic and fresh command says so, says that it did, and shows when nobody commands it.
//!
//! [`Siren`] decides what sounds; its caller plays [`Siren::sound`] and asks again at [`Siren::poll_timeout`]. It acts
//! first and writes down afterwards, and where its store fails it sounds all the same: wrong silence is worse than a
//! second warning.
//!
//! What it refuses: a command that was held back, because it echoes a report from before this start or from more than
//! three reports ago; a warning that was cleared, however late it comes, also after a reboot; an exercise, unless it
//! was provisioned for them, and then it plays the test pattern only.
//!
//! **The all-clear** sounds for [`ALL_CLEAR_MS`] when a clear ends the last live warning that sounded. A warning that
//! runs out of its time is followed by silence: that nobody went on warning does not mean that it is over. Any new
//! warning ends the all-clear at once, and so does a reboot.
//!
//! **When the gateway is silent** for three and a half report intervals, nobody can warn through this siren. It then
//! falls back to a state that is safe and shows: what sounds goes on to its end, a test ends, and
//! [`SirenEvent::GatewaySilent`] tells its caller to light the fault lamp, until a gateway is heard again.

mod event;
mod note;
mod warnings;

use core::fmt;
use core::task::Poll;

use heapless::Deque;

use crate::ledger::Ledger;
use crate::limits::{ALL_CLEAR_MS, SILENT_AFTER_HALF_REPORTS, SIREN_EVENTS_MAX};
use crate::message::{CommandId, CommandResult, Epoch, NodeId, Order, ResetCause};
use crate::role::station::{Heard, Home, Station};
use crate::store::{Keep, Store, StoreError};
use crate::time::{Duration, Instant};
use crate::wire::keys::NodeKey;
use crate::wire::link::Link;
use crate::wire::packet::PacketBuffer;

pub use crate::role::station::Rejected;
pub use event::{SirenEvent, Sound};

use warnings::{Warning, Warnings};

/// What a siren must be told before it can start.
#[derive(Debug)]
#[cfg_attr(feature = "defmt", derive(defmt::Format))]
pub struct SirenConfig {
    /// Its address.
    pub node: NodeId,
    /// Its secret.
    pub key: NodeKey,
    /// Why it started.
    pub reset_cause: ResetCause,
    /// Whether it takes part in exercises, with the test pattern.
    pub exercise: bool,
}

/// See the [module](self).
///
/// ```
/// use alertbus::message::{Epoch, ResetCause};
/// use alertbus::role::siren::{Siren, SirenConfig, Sound};
/// use alertbus::store::Volatile;
/// use alertbus::time::Instant;
/// use alertbus::wire::keys::MasterKey;
/// use alertbus::NodeId;
///
/// let key = MasterKey::from_bytes([7; 16]).node_key(1, NodeId(40));
/// let config = SirenConfig { node: NodeId(40), key, reset_cause: ResetCause::PowerOn, exercise: false };
/// let siren = Siren::start(config, Volatile::new(Epoch(1), 1), Instant::START);
/// assert_eq!(siren.sound(), Sound::Quiet);
/// ```
pub struct Siren<S> {
    station: Station<S>,
    exercise: bool,
    warnings: Warnings,
    /// The test pattern plays until then.
    test_until: Option<Instant>,
    /// The all-clear sounds until then.
    all_clear_until: Option<Instant>,
    sound: Sound,
    /// What the note says is not what it should say.
    unkept: bool,
    /// The note of the last boot is still to be read.
    unread: bool,
    started: Instant,
    gateway_silent: bool,
    resumes: bool,
    driver_errors: u16,
    /// A siren raises no alert.
    ledger: Ledger,
    events: Deque<SirenEvent, SIREN_EVENTS_MAX>,
}

impl<S: Store + Keep> Siren<S> {
    /// Starts a siren. Where the store is not done at once, [`Siren::handle_timeout`] goes on.
    ///
    /// A warning that a brown-out, a watchdog or a fault has cut short is taken up again for its whole time; after the
    /// power was off it is not, because nobody knows for how long.
    #[must_use]
    pub fn start(config: SirenConfig, store: S, now: Instant) -> Self {
        let SirenConfig { node, key, reset_cause, exercise } = config;
        let mut this = Self {
            // A siren that is alone on its radio needs no spread of its own.
            station: Station::new(node, key, reset_cause, u64::from(node.0), store),
            exercise,
            warnings: Warnings::new(),
            test_until: None,
            all_clear_until: None,
            sound: Sound::Quiet,
            unkept: false,
            unread: true,
            started: now,
            gateway_silent: false,
            resumes: !matches!(reset_cause, ResetCause::PowerOn | ResetCause::Unknown),
            driver_errors: 0,
            ledger: Ledger::new(),
            events: Deque::new(),
        };
        this.catch_up(now);
        this
    }

    /// Its address.
    #[must_use]
    pub const fn id(&self) -> NodeId {
        self.station.node
    }

    /// The key epoch it speaks in; none before its store has answered.
    #[must_use]
    pub fn epoch(&self) -> Option<Epoch> {
        self.station.epoch()
    }

    /// Why it hears and says nothing, where its counters are lost.
    #[must_use]
    pub const fn silent(&self) -> Option<StoreError> {
        self.station.silent()
    }

    /// What is to sound now.
    #[must_use]
    pub const fn sound(&self) -> Sound {
        self.sound
    }

    /// Whether no gateway has been heard for so long that nobody can be taken to command this siren.
    #[must_use]
    pub const fn is_gateway_silent(&self) -> bool {
        self.gateway_silent
    }

    /// The horn or its amplifier has failed; reports carry the count.
    pub fn note_driver_error(&mut self) {
        self.driver_errors = self.driver_errors.wrapping_add(1);
    }

    /// Takes a packet that `link` has received. What it orders can be heard before anything is written down, which
    /// may take as long as an erase: play [`Siren::sound`] now, and then go on with [`Siren::handle_timeout`].
    ///
    /// # Errors
    /// It is not for this siren, not authentic, not fresh, or not understood. Nothing it says is done then. One that
    /// is authentic and stale makes the siren report soon, so that the gateway can say it afresh.
    pub fn handle_packet(&mut self, now: Instant, link: &Link, packet: &[u8]) -> Result<(), Rejected> {
        if let Heard::Order(id, order, exercise) = self.station.open(now, link, packet)? {
            let result = match (exercise, self.exercise) {
                (false, _) => self.obey(now, id, &order),
                (true, true) => self.obey_in_exercise(now, &order),
                (true, false) => CommandResult::Refused,
            };
            self.station.answer(id, result, exercise);
        }
        self.settle(now);
        Ok(())
    }

    /// The next packet for `link`, sealed into the front of `out`; none when there is nothing to say now.
    pub fn poll_transmit<'o>(
        &mut self,
        now: Instant,
        link: &Link,
        out: &'o mut PacketBuffer,
    ) -> Option<&'o [u8]> {
        // What is answered is kept first: no gateway must believe in a warning that a power cut ends.
        self.catch_up(now);
        let home = Home {
            flash_floor: 1,
            flash_refused: 0,
            driver_errors: self.driver_errors,
            ledger: &self.ledger,
        };
        self.station.say(now, link, &home, out)
    }

    /// When [`Siren::handle_timeout`] has something to do; none while only an input can change anything.
    #[must_use]
    pub fn poll_timeout(&self) -> Option<Instant> {
        let owes = self.unkept || self.unread || self.station.store_lags();
        let store = self.station.store_step(owes && self.station.silent().is_none());
        let silence = (!self.gateway_silent).then(|| self.silence_due());
        let ends = self.warnings.next_end().into_iter().chain(self.test_until).chain(self.all_clear_until);
        ends.chain(self.station.next_step()).chain(store).chain(silence).min()
    }

    /// Does what has become due: ends what has sounded long enough, makes reports ready, notices silence.
    pub fn handle_timeout(&mut self, now: Instant) {
        self.station.handle_timeout(now);
        self.settle(now);
        self.catch_up(now);
    }

    /// The next thing the caller should know.
    pub fn poll_event(&mut self) -> Option<SirenEvent> {
        let failure = self.station.poll_failure().map(SirenEvent::StoreFailed);
        failure.or_else(|| self.events.pop_front())
    }

    fn obey(&mut self, now: Instant, id: CommandId, order: &Order) -> CommandResult {
        match order {
            Order::Warn { zone, kind, duration_s } => {
                let lasts = Duration::from_secs((*duration_s).into());
                if self.warnings.is_cleared(id) || *duration_s == 0 {
                    return CommandResult::Refused;
                }
                self.warnings.begin(Warning {
                    id,
                    zone: *zone,
                    kind: *kind,
                    duration_s: *duration_s,
                    until: now.after(lasts),
                });
            }
            Order::Clear(ids) => self.clear(now, ids),
            Order::Test { duration_s } => {
                self.test_until = Some(now.after(Duration::from_secs((*duration_s).into())));
                return CommandResult::Done;
            }
            Order::Locate { duration_s } => {
                self.tell(SirenEvent::Locate { duration: Duration::from_secs((*duration_s).into()) });
                return CommandResult::Done;
            }
            Order::Time(_) | Order::NextEpoch(_) | Order::Unknown { .. } => {
                return CommandResult::Unsupported;
            }
        }
        self.unkept = true;
        CommandResult::Done
    }

    /// Ends these. The all-clear is for those who heard a warning; [`Siren::settle`] holds it back while one is left.
    fn clear(&mut self, now: Instant, ids: &[CommandId]) {
        self.unkept |= self.warnings.end(now);
        if self.warnings.newest().is_some() {
            self.all_clear_until = Some(now.after(Duration::from_millis(ALL_CLEAR_MS)));
        }
        ids.iter().for_each(|&id| self.warnings.clear(id));
    }

    /// An exercise plays the test pattern, whatever it says, and leaves no trace.
    fn obey_in_exercise(&mut self, now: Instant, order: &Order) -> CommandResult {
        let duration_s = match order {
            Order::Warn { duration_s, .. } => *duration_s,
            Order::Test { duration_s } => u16::from(*duration_s),
            Order::Clear(_) => 0,
            _ => return CommandResult::Refused,
        };
        self.test_until = Some(now.after(Duration::from_secs(duration_s.into())));
        CommandResult::Done
    }

    /// Brings sound, silence and store up to date.
    fn settle(&mut self, now: Instant) {
        self.unkept |= self.warnings.end(now);
        self.notice_silence(now);
        self.test_until = self.test_until.filter(|&until| until > now);
        // A warning ends the all-clear for good, also where it is itself over first.
        let no_warning = self.warnings.newest().is_none();
        self.all_clear_until = self.all_clear_until.filter(|&until| until > now && no_warning);
        let sound = match (self.warnings.newest(), self.all_clear_until, self.test_until) {
            (Some(&Warning { zone, kind, .. }), ..) => Sound::Warning { zone, kind },
            (None, Some(_), _) => Sound::AllClear,
            (None, None, Some(_)) => Sound::Test,
            (None, None, None) => Sound::Quiet,
        };
        if sound != self.sound {
            self.sound = sound;
            self.tell(SirenEvent::Sounds(sound));
        }
    }

    fn notice_silence(&mut self, now: Instant) {
        let silent = self.silence_due() <= now;
        if silent != self.gateway_silent {
            self.gateway_silent = silent;
            self.tell(if silent { SirenEvent::GatewaySilent } else { SirenEvent::GatewayReturned });
        }
        if silent {
            self.test_until = None;
        }
    }

    fn silence_due(&self) -> Instant {
        let half = self.station.reports.interval().as_millis() / 2;
        let heard = self.station.heard_at().unwrap_or(self.started);
        heard.after(Duration::from_millis(half.saturating_mul(SILENT_AFTER_HALF_REPORTS)))
    }

    /// Goes on with what the store still owes the siren, as far as it allows.
    fn catch_up(&mut self, now: Instant) {
        if !self.station.may_ask(now) {
            return;
        }
        let is_idle = self.sound == Sound::Quiet;
        let steps = [
            self.station.recover().map(|_| ()),
            self.read_note(now),
            self.keep_note(),
            self.station.keep_up(now, is_idle),
        ];
        let failure = steps.into_iter().find_map(Result::err);
        self.station.note_store(now, failure.map_or(Ok(()), Err));
    }

    fn read_note(&mut self, now: Instant) -> Result<(), StoreError> {
        if !self.unread || !self.station.is_running() {
            return Ok(());
        }
        let Poll::Ready(note) = self.station.store.load() else { return Ok(()) };
        self.unread = false;
        if let Some(note) = note? {
            note::read(&note, now, self.resumes, &mut self.warnings);
            // What was not taken up now must not sound after a later reset.
            self.unkept |= note::write(&self.warnings) != note;
            self.settle_sound_at_start();
        }
        Ok(())
    }

    /// A warning that was cut short sounds again at once.
    fn settle_sound_at_start(&mut self) {
        if let Some(&Warning { zone, kind, .. }) = self.warnings.newest() {
            self.sound = Sound::Warning { zone, kind };
            self.tell(SirenEvent::Sounds(self.sound));
        }
    }

    fn keep_note(&mut self) -> Result<(), StoreError> {
        // What was not read yet must not be overwritten.
        if !self.unkept || self.unread {
            return Ok(());
        }
        let Poll::Ready(kept) = self.station.store.keep(&note::write(&self.warnings)) else { return Ok(()) };
        kept?;
        self.unkept = false;
        Ok(())
    }

    fn tell(&mut self, event: SirenEvent) {
        // What sounds can be asked at any time, so the oldest gives way.
        if self.events.is_full() {
            self.events.pop_front();
        }
        let kept = self.events.push_back(event);
        debug_assert!(kept.is_ok(), "there is room for one event");
    }
}

impl<S> fmt::Debug for Siren<S> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Siren({}, {:?})", self.station.node.0, self.sound)
    }
}

#[cfg(feature = "defmt")]
impl<S> defmt::Format for Siren<S> {
    fn format(&self, f: defmt::Formatter<'_>) {
        defmt::write!(f, "siren {=u16}, {}", self.station.node.0, self.sound);
    }
}
