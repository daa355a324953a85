//! Who waits for a line, and is woken by its interrupts.

use core::cell::Cell;
use core::task::{Context, Poll, Waker};

/// At most one task that reads, and one that writes. It is used with interrupts masked, so that nothing happens
/// between the look at a ring and the waiting for it.
pub(super) struct Waiting {
    reader: Cell<Option<Waker>>,
    writer: Cell<Option<Waker>>,
}

impl Waiting {
    pub(super) const fn new() -> Self {
        Self { reader: Cell::new(None), writer: Cell::new(None) }
    }

    pub(super) fn poll_reader(&self, context: &Context<'_>, is_ready: bool) -> Poll<()> {
        poll(&self.reader, context, is_ready)
    }

    pub(super) fn poll_writer(&self, context: &Context<'_>, is_ready: bool) -> Poll<()> {
        poll(&self.writer, context, is_ready)
    }

    pub(super) fn wake_reader(&self) {
        wake(&self.reader);
    }

    pub(super) fn wake_writer(&self) {
        wake(&self.writer);
    }
}

fn poll(place: &Cell<Option<Waker>>, context: &Context<'_>, is_ready: bool) -> Poll<()> {
    if is_ready {
        return Poll::Ready(());
    }
    place.set(Some(context.waker().clone()));
    Poll::Pending
}

fn wake(place: &Cell<Option<Waker>>) {
    if let Some(waker) = place.take() {
        waker.wake();
    }
}
