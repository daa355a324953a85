//! What a node and a siren have in common: keys, numbers that never repeat, freshness of what comes down, reports home,
//! answers to commands, the air time of each link.
//!
//! A [`Station`] is no role of its own. Its owner asks it to [`open`](Station::open) what comes down, obeys what the
//! station does not obey by itself, and lets it say its part when nothing of the owner's goes first.

mod answers;
mod calendar;
mod freshness;
mod links;
mod numbers;
mod rejected;
mod reports;
mod speech;

use core::task::Poll;

use rand_pcg::Pcg32;

use crate::limits::{BODY_LEN_MAX, STORE_RETRY_MS};
use crate::message::{Ack, Command, CommandId, CommandResult, Epoch, NodeId, Order, ResetCause};
use crate::store::{Recovered, Series, Store, StoreError};
use crate::time::{Duration, EventTime, Instant};
use crate::wire::keys::{Direction, LinkKeys, NodeKey};
use crate::wire::link::Link;
use crate::wire::packet::{self, Class, Header};

pub use rejected::Rejected;

pub(crate) use links::Share;
pub(crate) use numbers::Numbers;
pub(crate) use speech::{Home, MaySend, link_patience};

use answers::Answers;
use calendar::Calendar;
use freshness::Gateways;
use links::Links;
use reports::Reports;

/// See the [module](self).
pub(crate) struct Station<S> {
    pub(crate) node: NodeId,
    key: NodeKey,
    reset_cause: ResetCause,
    pub(crate) store: S,
    state: State,
    /// Keys and counters; there once the store has answered.
    speaker: Option<Speaker>,
    gateways: Gateways,
    /// When a gateway was heard last.
    heard_at: Option<Instant>,
    pub(crate) reports: Reports,
    answers: Answers,
    calendar: Calendar,
    links: Links,
    health: Health,
    /// The epoch that a command has asked for, until the store has taken it.
    next_epoch: Option<(Epoch, CommandId)>,
    /// The store may tidy up.
    untidy: bool,
    pub(crate) jitter: Pcg32,
}

/// How far the station has come with its start.
#[derive(Clone, Copy, Debug)]
enum State {
    /// The store has not yet said where to go on.
    Starting,
    /// Ready.
    Running,
    /// The counters are lost: it says nothing until it is provisioned anew.
    Silent(StoreError),
}

/// The keys of this epoch and the packet counters of this boot.
struct Speaker {
    keys: LinkKeys,
    boot: u16,
    up: Numbers,
}

/// How the store has answered last.
#[derive(Debug, Default)]
struct Health {
    /// The failure that was told; told again only after a success.
    failed: Option<StoreError>,
    /// A failure that is still to be told.
    news: Option<StoreError>,
    /// When to ask again after a failure.
    retry: Option<Instant>,
}

/// What an authentic and fresh packet asks of the station's owner.
#[derive(Debug)]
pub(crate) enum Heard {
    /// What it names is stored; `exercise` says which sort.
    Ack(Ack, bool),
    /// A command, new, which the station does not obey by itself. It wants an [`answer`](Station::answer).
    Order(CommandId, Order, bool),
    /// Nothing more.
    Nothing,
}

impl<S: Store> Station<S> {
    pub(crate) fn new(node: NodeId, key: NodeKey, reset_cause: ResetCause, seed: u64, store: S) -> Self {
        Self {
            node,
            key,
            reset_cause,
            store,
            state: State::Starting,
            speaker: None,
            gateways: Gateways::new(),
            heard_at: None,
            reports: Reports::new(),
            answers: Answers::new(),
            calendar: Calendar::new(),
            links: Links::new(),
            health: Health::default(),
            next_epoch: None,
            untidy: false,
            jitter: Pcg32::new(seed, u64::from(node.0)),
        }
    }

    pub(crate) const fn is_running(&self) -> bool {
        matches!(self.state, State::Running)
    }

    /// Why it says nothing, where its counters are lost.
    pub(crate) const fn silent(&self) -> Option<StoreError> {
        match self.state {
            State::Silent(error) => Some(error),
            _ => None,
        }
    }

    /// The count of this start, 0 before it is known.
    pub(crate) fn boot(&self) -> u16 {
        self.speaker.as_ref().map_or(0, |speaker| speaker.boot)
    }

    pub(crate) fn epoch(&self) -> Option<Epoch> {
        Some(self.speaker.as_ref()?.keys.epoch())
    }

    /// The calendar time, where it is known, else the uptime.
    pub(crate) fn time(&self, now: Instant) -> EventTime {
        self.calendar.at(now)
    }

    /// When a gateway was heard last.
    pub(crate) const fn heard_at(&self) -> Option<Instant> {
        self.heard_at
    }

    /// A failure of the store that the owner's caller does not know of yet.
    pub(crate) fn poll_failure(&mut self) -> Option<StoreError> {
        self.health.news.take()
    }

    // The store.

    /// Whether the store is to be asked now: not so soon after a failure.
    pub(crate) fn may_ask(&mut self, now: Instant) -> bool {
        let may = self.health.retry.is_none_or(|retry| retry <= now) && self.silent().is_none();
        if may {
            self.health.retry = None;
        }
        may
    }

    /// Goes on with the start; what was recovered comes back once.
    pub(crate) fn recover(&mut self) -> Result<Option<Recovered>, StoreError> {
        let State::Starting = self.state else { return Ok(None) };
        let Poll::Ready(recovered) = self.store.recover() else { return Ok(None) };
        let recovered = recovered?;
        self.speaker = Some(Speaker {
            keys: LinkKeys::new(&self.key, recovered.epoch),
            boot: recovered.boot,
            up: Numbers::new(Series::UpCounter, recovered.up_counter),
        });
        self.state = State::Running;
        Ok(Some(recovered))
    }

    /// Does what the store allows of what is owed to it: the next epoch, counters ahead, housekeeping.
    pub(crate) fn keep_up(&mut self, now: Instant, is_idle: bool) -> Result<(), StoreError> {
        self.move_on(now)?;
        if let Some(speaker) = &mut self.speaker {
            speaker.up.reserve_ahead(&mut self.store)?;
        }
        // An erase takes long: not while an alert waits to be sent.
        if self.untidy && is_idle {
            if let Poll::Ready(tidied) = self.store.tidy() {
                self.untidy = false;
                tidied?;
            }
        }
        Ok(())
    }

    /// Whether the store owes the station something.
    pub(crate) fn store_lags(&self) -> bool {
        let low = self.speaker.as_ref().is_some_and(|speaker| speaker.up.is_low());
        matches!(self.state, State::Starting) || low || self.next_epoch.is_some()
    }

    /// When the store is to be asked next, where it owes something.
    pub(crate) fn store_step(&self, owes: bool) -> Option<Instant> {
        owes.then_some(self.health.retry.unwrap_or(Instant::START))
    }

    /// How asking the store went: a failure is told once in a row of them, and a store that has no more counters to
    /// give silences the station.
    pub(crate) fn note_store(&mut self, now: Instant, answer: Result<(), StoreError>) {
        let Err(error) = answer else {
            self.health.failed = None;
            return;
        };
        // Whoever goes on asking must not put off the next try of everything else.
        let again = now.after(Duration::from_millis(STORE_RETRY_MS));
        self.health.retry = Some(self.health.retry.filter(|&retry| retry > now).unwrap_or(again));
        let no_counters = self.speaker.as_ref().is_none_or(|speaker| speaker.up.is_spent());
        if error == StoreError::CounterLost || (error == StoreError::Spent && no_counters) {
            self.state = State::Silent(error);
        }
        if self.health.failed != Some(error) {
            self.health.failed = Some(error);
            self.health.news = Some(error);
        }
    }

    /// Persisted before use: only when the store has taken the epoch does the station speak in it.
    fn move_on(&mut self, now: Instant) -> Result<(), StoreError> {
        let (Some((epoch, id)), Some(speaker)) = (self.next_epoch, &mut self.speaker) else { return Ok(()) };
        let Poll::Ready(begun) = self.store.begin_epoch(epoch) else { return Ok(()) };
        self.next_epoch = None;
        if let Err(error) = begun {
            self.answer(id, CommandResult::Failed, false);
            return Err(error);
        }
        speaker.keys = LinkKeys::new(&self.key, epoch);
        speaker.up = Numbers::new(Series::UpCounter, 1);
        // Down counters begin anew too: nothing heard before may be held against them.
        self.gateways = Gateways::new();
        self.answer(id, CommandResult::Done, false);
        // Until a gateway has opened one packet of the new epoch it goes on in the old one, and the answer may be lost.
        self.reports.hasten(now);
        Ok(())
    }

    // What comes down.

    /// Takes a packet: address, epoch, window, tag, freshness, and only then what it says.
    pub(crate) fn open(&mut self, now: Instant, link: &Link, packet: &[u8]) -> Result<Heard, Rejected> {
        let (State::Running, Some(speaker)) = (self.state, &self.speaker) else {
            return Err(Rejected::NotRunning);
        };
        let sealed = packet::parse(packet, link.tag).map_err(Rejected::Parse)?;
        let header = *sealed.header();
        if header.class.direction() != Direction::Down {
            return Err(Rejected::WrongWay);
        }
        if header.node != self.node {
            return Err(Rejected::NotAddressed { node: header.node });
        }
        if header.epoch_low != speaker.keys.epoch().low() {
            return Err(Rejected::Epoch { got: header.epoch_low });
        }
        self.gateways.peek(header.counter, header.exercise).map_err(Rejected::Replay)?;
        let mut body = [0; BODY_LEN_MAX];
        let key = speaker.keys.key(Direction::Down, header.exercise);
        let body = sealed.open(key, &mut body).map_err(|_| Rejected::BadTag)?;

        // From here on the sender is a gateway of this network; what it says may still have been held back.
        if header.class == Class::Command {
            let command = Command::decode(body).map_err(Rejected::Undecodable)?;
            self.admit(now, &header, command.echo)?;
            return Ok(self.obey(now, command, header.exercise));
        }
        let ack = Ack::decode(body).map_err(Rejected::Undecodable)?;
        self.admit(now, &header, ack.echo)?;
        Ok(Heard::Ack(ack, header.exercise))
    }

    /// Takes the counter of an authentic packet, if that is fresh. One that is not knows too little of this station,
    /// which therefore reports soon.
    fn admit(&mut self, now: Instant, header: &Header, echo: u32) -> Result<(), Rejected> {
        let Some(speaker) = &self.speaker else { return Err(Rejected::NotRunning) };
        let (first, last) = (speaker.up.first(), speaker.up.next().saturating_sub(1));
        let admitted = self.gateways.admit(now, header, echo, first, last);
        match admitted {
            // Whoever has exercise keys only neither proves that a gateway lives nor costs air time.
            _ if header.exercise => {}
            Ok(()) => self.heard_at = Some(now),
            Err(_) => self.reports.hasten(now),
        }
        admitted
    }

    /// Obeys what every station obeys, answers what came before, and leaves the rest to its owner.
    fn obey(&mut self, now: Instant, command: Command, exercise: bool) -> Heard {
        let Command { id, order, .. } = command;
        if !exercise && self.answers.repeat(id) {
            return Heard::Nothing;
        }
        let result = match order {
            // An exercise moves no clock and no key.
            Order::Time(_) | Order::NextEpoch(_) if exercise => CommandResult::Refused,
            Order::Time(time) if self.calendar.set(now, time) => CommandResult::Done,
            Order::Time(_) => CommandResult::Refused,
            Order::NextEpoch(epoch) => match self.step_to(epoch) {
                Step::There => CommandResult::Done,
                Step::Next => {
                    self.next_epoch = Some((epoch, id));
                    return Heard::Nothing;
                }
                Step::Elsewhere => CommandResult::Refused,
            },
            Order::Unknown { .. } => CommandResult::Unsupported,
            order => return Heard::Order(id, order, exercise),
        };
        self.answer(id, result, exercise);
        Heard::Nothing
    }

    fn step_to(&self, epoch: Epoch) -> Step {
        let current = self.epoch().map_or(0, |current| current.0);
        match epoch.0.checked_sub(current) {
            Some(0) => Step::There,
            Some(1) => Step::Next,
            _ => Step::Elsewhere,
        }
    }

    /// The owner has dealt with a command. The answer travels under the keys that it came under.
    pub(crate) fn answer(&mut self, id: CommandId, result: CommandResult, exercise: bool) {
        if exercise {
            self.answers.give_in_exercise(id, result);
        } else {
            self.answers.give(id, result);
        }
    }
}

/// Where an epoch lies from the current one.
enum Step {
    There,
    Next,
    Elsewhere,
}
