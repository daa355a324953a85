//! Packets on a byte stream, as they go out.

use alertbus::limits::FRAME_LEN_MAX;
use alertbus::wire::frame;

/// Room for the longest frame, and for a delimiter before it.
pub type FrameBuffer = [u8; FRAME_LEN_MAX + 1];

/// Makes frames for one line.
///
/// A delimiter goes before the first of them, so that what the line carried until then is closed off.
#[derive(Debug)]
pub(crate) struct Framer {
    is_open: bool,
}

impl Framer {
    /// For a line on which nothing was said.
    pub(crate) const fn new() -> Self {
        Self { is_open: false }
    }

    /// Puts `packet` into a frame, in `room`. None for one that is too long, as no packet is.
    pub(crate) fn frame<'f>(&mut self, packet: &[u8], room: &'f mut FrameBuffer) -> Option<&'f [u8]> {
        let (delimiter, rest) = room.split_first_mut()?;
        *delimiter = 0;
        let len = frame::encode(packet, rest)?.len().checked_add(1)?;
        let from = usize::from(core::mem::replace(&mut self.is_open, true));
        room.get(from..len)
    }
}
