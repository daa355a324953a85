//! A siren whose flash takes its time: what must not wait for that, and what must.

use std::cell::Cell;
use std::rc::Rc;
use std::task::Poll;

use alertbus::limits::PACKET_LEN_MAX;
use alertbus::message::{ResetCause, Seq};
use alertbus::role::siren::{Siren, SirenConfig};
use alertbus::store::{Journalled, Keep, Note, Recovered, Series, Store, StoreError, Volatile};
use alertbus::wire::keys::Epoch;

use crate::pair::{LINK, NODE, node_key};
use crate::siren::{Post, SOUNDS, warn};

/// Counts what is written down.
struct Slate(Volatile, Rc<Cell<u32>>);

impl Store for Slate {
    const DURABLE: bool = false;

    fn recover(&mut self) -> Poll<Result<Recovered, StoreError>> {
        self.0.recover()
    }

    fn reserve(&mut self, series: Series, end: u32) -> Poll<Result<(), StoreError>> {
        self.0.reserve(series, end)
    }

    fn begin_epoch(&mut self, epoch: Epoch) -> Poll<Result<(), StoreError>> {
        self.0.begin_epoch(epoch)
    }

    fn append(&mut self, alert: &Journalled) -> Poll<Result<(), StoreError>> {
        self.0.append(alert)
    }

    fn outcome(&mut self, seq: Seq) -> Poll<Result<(), StoreError>> {
        self.0.outcome(seq)
    }

    fn next_open(&mut self, after: Option<Seq>) -> Poll<Result<Option<Journalled>, StoreError>> {
        self.0.next_open(after)
    }

    fn tidy(&mut self) -> Poll<Result<(), StoreError>> {
        self.0.tidy()
    }
}

impl Keep for Slate {
    fn load(&mut self) -> Poll<Result<Option<Note>, StoreError>> {
        self.0.load()
    }

    fn keep(&mut self, note: &Note) -> Poll<Result<(), StoreError>> {
        self.1.set(self.1.get() + 1);
        self.0.keep(note)
    }
}

/// An erase must not hold up the horn, and a power cut must not end what the gateway was told of.
#[test]
fn a_warning_sounds_before_it_is_written_down_and_is_written_down_before_it_is_answered() {
    let kept = Rc::new(Cell::new(0));
    let mut post = Post::new();
    let config =
        SirenConfig { node: NODE, key: node_key(), reset_cause: ResetCause::PowerOn, exercise: false };
    let store = Slate(Volatile::new(Epoch(1), 1), Rc::clone(&kept));
    let mut siren = Siren::start(config, store, post.now);
    let mut room = [0; PACKET_LEN_MAX];
    while siren.poll_transmit(post.now, &LINK, &mut room).is_some() {}
    let written = kept.get();
    let id = post.next_id();
    let packet = post.seal(id, &warn(90), false);
    siren.handle_packet(post.now, &LINK, &packet).unwrap();
    assert_eq!((siren.sound(), kept.get()), (SOUNDS, written));
    assert!(siren.poll_timeout().is_some_and(|due| due <= post.now), "and soon");
    assert!(siren.poll_transmit(post.now, &LINK, &mut room).is_some(), "the answer");
    assert_eq!(kept.get(), written + 1);
}
