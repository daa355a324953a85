//! What an asynchronous main loop has of a board.

use alertbus::driver::annunciator::Annunciator;
use alertbus::message::ResetCause;

use super::{Flash, Light, Receiver, Sender, Senses, Watchdog};

/// The board, turned on: its parts, of types that each board has under these names.
pub struct Parts {
    /// The flash from the page with the blob on; none where it cannot be had.
    pub flash: Option<Flash>,
    /// The line from the gateway.
    pub receiver: Receiver,
    /// The line to the gateway.
    pub sender: Sender,
    /// What the node sees with.
    pub senses: Senses,
    /// What a person sees of the node.
    pub lamp: Annunciator<Light>,
    /// What ends a loop that hangs.
    pub watchdog: Watchdog,
    /// Why the board started.
    pub reset_cause: ResetCause,
}
